"""PX (PC-Axis, AXIS-VERSION 2013), as Statistics Sweden's PxWeb reads it: one file per cube, in Swedish with English beside it.

Keywords and quoting: https://www.scb.se/en/services/statistical-programs-for-px-files/px-file-format/.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from math import prod
from pathlib import Path
from typing import Any

import orjson

from dagster_project.files import write_text
from dagster_project.publication.formats.catalogue import Catalogue
from dagster_project.publication.formats.cubes import MEASURE, NULL, Cube, Dimension, Number
from dagster_project.publication.formats.texts import LANGUAGES, Text, columns, notes

# Dots in the place of a number, and the keyword that says what they mean.
_NO_NUMBER = {"none": ".", "primary": "..", "secondary": "..."}
# Years and measures run across, everything else down.
_ACROSS = 2
# Of a quoted piece of a long text; a line may have 256 characters.
_LONGEST_PIECE = 200


def write_px(cube: Cube, folder: Path, said: Mapping[str, Any], catalogue: Catalogue) -> None:
    """Write a cube as `<cube>.px`; `said` is what the manifest of the publication says."""
    head = [
        'CHARSET="ANSI";',
        'AXIS-VERSION="2013";',
        'CODEPAGE="utf-8";',
        f'LANGUAGE="{LANGUAGES[0]}";',
        f"LANGUAGES={','.join(map(_quoted, LANGUAGES))};",
        f'CREATION-DATE="{_moment(said)}";',
        "DECIMALS=15;",
        "SHOWDECIMALS=0;",
        f'MATRIX="mal5_{cube.number:02}_{cube.levels[0]}";',
        'SUBJECT-CODE="MAL5";',
        *_keywords(cube, said, catalogue),
    ]
    across = prod(cube.size[-_ACROSS:])
    dots = {why: f'"{symbol}"' for why, symbol in _NO_NUMBER.items()}
    cells = [dots["none"] if text == NULL else _number(text) for text in cube.texts]
    for position, why in cube.withheld.items():
        cells[position] = dots[why]
    # A space ends each line of numbers: readers that drop line ends would else join two numbers.
    lines = [f"{' '.join(cells[start : start + across])} " for start in range(0, len(cells), across)]
    write_text(folder / f"{cube.name}.px", "\n".join([*head, "DATA=", *lines, ";\n"]))


def read_values(path: Path) -> tuple[list[Number], dict[int, str]]:
    """The values and the withheld positions of a written cube."""
    reasons = {dots: why for why, dots in _NO_NUMBER.items()}
    numbers = path.read_text(encoding="utf-8").rpartition("\nDATA=\n")[2].rstrip(";\n")
    # Numbers and quoted dots are what they are in JSON too, which is read fast.
    cells = orjson.loads(f"[{','.join(numbers.split())}]")
    values = [None if isinstance(cell, str) else cell for cell in cells]
    withheld = {
        position: reasons[cell]
        for position, cell in enumerate(cells)
        if isinstance(cell, str) and reasons[cell] != "none"
    }
    return values, withheld


def _keywords(cube: Cube, said: Mapping[str, Any], catalogue: Catalogue) -> Iterator[str]:
    """What is said in words, each in Swedish and right after it in English."""
    down, across = cube.dimensions[:-_ACROSS], cube.dimensions[-_ACROSS:]
    year, measure = across

    def in_both(keyword: str, of: Sequence[Text], *values: Mapping[str, str]) -> Iterator[str]:
        for language in LANGUAGES:
            key = keyword if language == LANGUAGES[0] else f"{keyword}[{language}]"
            yield _statement(key, [one[language] for one in of], [value[language] for value in values])

    yield from in_both("SUBJECT-AREA", [], notes()["subject"])
    yield from in_both("DESCRIPTION", [], cube.title)
    yield from in_both("TITLE", [], cube.title)
    yield from in_both("CONTENTS", [], cube.title)
    yield from in_both("UNITS", [], notes()["units"]["offences"])
    yield from in_both("STUB", [], *(dimension.label for dimension in down))
    yield from in_both("HEADING", [], *(dimension.label for dimension in across))
    yield from in_both("CONTVARIABLE", [], measure.label)
    labels = {dimension.name: _distinguished_labels(dimension) for dimension in cube.dimensions}
    for dimension in cube.dimensions:
        # Else the variables of PxWeb's API would be called otherwise in either language.
        yield from in_both("VARIABLECODE", [dimension.label], dict.fromkeys(LANGUAGES, dimension.name))
    for dimension in cube.dimensions:
        yield from in_both("VALUES", [dimension.label], *labels[dimension.name].values())
    years = ",".join(["TLIST(A1)", *map(_quoted, year.categories)])
    for language in LANGUAGES:
        key = "TIMEVAL" if language == LANGUAGES[0] else f"TIMEVAL[{language}]"
        yield f"{key}({_quoted(year.label[language])})={years};"
    for dimension in cube.dimensions:
        codes: list[Text] = [dict.fromkeys(LANGUAGES, code) for code in dimension.categories]
        yield from in_both("CODES", [dimension.label], *codes)
    for code, label in labels[MEASURE].items():
        column = columns()[code]
        if column.decimals:
            for language in LANGUAGES:
                key = "PRECISION" if language == LANGUAGES[0] else f"PRECISION[{language}]"
                yield f"{key}({_quoted(measure.label[language])},{_quoted(label[language])})={column.decimals};"
        if column.unit:
            yield from in_both("UNITS", [label], column.unit)
        yield from in_both("LAST-UPDATED", [label], dict.fromkeys(LANGUAGES, _moment(said)))
        yield from in_both("CONTACT", [label], catalogue.contact_line)
    yield from in_both("SOURCE", [], notes()["source"])
    for why, dots in _NO_NUMBER.items():
        yield from in_both(f"DATASYMBOL{len(dots)}", [], notes()["no_number"][why])
    if said["synthetic"]:
        yield from in_both("NOTEX", [], notes()["synthetic"])
    # A hash begins a new line.
    every = [*notes()["notes"], *cube.notes]
    yield from in_both("NOTE", [], {language: "#".join(one[language] for one in every) for language in LANGUAGES})
    for code, causes in cube.breaks.items():
        because = {language: "#".join(cause[language] for cause in causes) for language in LANGUAGES}
        yield from in_both("VALUENOTE", [year.label, labels[year.name][code]], because)


def _distinguished_labels(dimension: Dimension) -> Mapping[str, Text]:
    """Labels as PX can hold them, by code: what two categories share gets the code."""
    labels = {
        code: {language: _clean(label[language]) for language in LANGUAGES}
        for code, label in dimension.categories.items()
    }
    shown = {language: [label[language] for label in labels.values()] for language in LANGUAGES}
    return {
        code: {
            language: text if shown[language].count(text) == 1 else f"{text} ({code})"
            for language, text in label.items()
        }
        for code, label in labels.items()
    }


def _statement(keyword: str, of: Sequence[str], values: Sequence[str]) -> str:
    """A keyword with its sub keys and values; what is long goes over several lines, a sub key never."""
    key = f"{keyword}({','.join(_quoted(_clean(one)) for one in of)})" if of else keyword
    if len(values) == 1:
        pieces = _pieces(values[0])
        return f"{key}={chr(10).join(map(_quoted, pieces))};"
    return f"{key}={(',' + chr(10)).join(_quoted(_clean(value)) for value in values)};"


def _pieces(text: str) -> list[str]:
    """A text in pieces that lose nothing when they are joined."""
    clean = _clean(text)
    if len(clean) <= _LONGEST_PIECE:
        return [clean]
    pieces = textwrap.wrap(clean, _LONGEST_PIECE, break_on_hyphens=False)
    return [*(f"{piece} " for piece in pieces[:-1]), pieces[-1]]


def _quoted(text: str) -> str:
    return f'"{text}"'


def _clean(text: str) -> str:
    """A text without what PX has no way to write: its quotation mark and ends of lines."""
    return re.sub(r"\s+", " ", text.replace('"', "'")).strip()


def _number(text: str) -> str:
    """A number's digits without exponent, which PX does not know."""
    return f"{Decimal(text):f}" if "e" in text else text


def _moment(said: Mapping[str, Any]) -> str:
    return datetime.fromisoformat(said["published_at"]).strftime("%Y%m%d %H:%M")
