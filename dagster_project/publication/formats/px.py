"""PX (PC-Axis, AXIS-VERSION 2013) for Statistics Sweden's PxWeb: one file per cube, in Swedish and English.

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

# Symbols for missing numbers; keyword DATASYMBOL explains them.
_NO_NUMBER = {"none": ".", "primary": "..", "secondary": "..."}
# The last two dimensions (years, measures) are the heading, the others the stub.
_ACROSS = 2
# The longest piece of a quoted text; a line may have 256 characters.
_LONGEST_PIECE = 200


def write_px(cube: Cube, folder: Path, manifest: Mapping[str, Any], catalogue: Catalogue) -> None:
    """Write a cube as `<cube>.px`."""
    head = [
        'CHARSET="ANSI";',
        'AXIS-VERSION="2013";',
        'CODEPAGE="utf-8";',
        f'LANGUAGE="{LANGUAGES[0]}";',
        f"LANGUAGES={','.join(map(_quoted, LANGUAGES))};",
        f'CREATION-DATE="{_moment(manifest)}";',
        "DECIMALS=15;",
        "SHOWDECIMALS=0;",
        f'MATRIX="mal5_{cube.number:02}_{cube.levels[0]}";',
        'SUBJECT-CODE="MAL5";',
        *_keywords(cube, manifest, catalogue),
    ]
    across = prod(cube.size[-_ACROSS:])
    dots = {why: f'"{symbol}"' for why, symbol in _NO_NUMBER.items()}
    cells = [dots["none"] if text == NULL else _number(text) for text in cube.texts]
    for position, why in cube.withheld.items():
        cells[position] = dots[why]
    # Each line ends with a space, because some readers drop line ends.
    lines = [f"{' '.join(cells[start : start + across])} " for start in range(0, len(cells), across)]
    write_text(folder / f"{cube.name}.px", "\n".join([*head, "DATA=", *lines, ";\n"]))


def read_values(path: Path) -> tuple[list[Number], dict[int, str]]:
    """Read the values and withheld positions of a cube."""
    reasons = {dots: why for why, dots in _NO_NUMBER.items()}
    numbers = path.read_text(encoding="utf-8").rpartition("\nDATA=\n")[2].rstrip(";\n")
    # Numbers and quoted symbols are valid JSON, which is fast to read.
    cells = orjson.loads(f"[{','.join(numbers.split())}]")
    values = [None if isinstance(cell, str) else cell for cell in cells]
    withheld = {
        position: reasons[cell]
        for position, cell in enumerate(cells)
        if isinstance(cell, str) and reasons[cell] != "none"
    }
    return values, withheld


def _keywords(cube: Cube, manifest: Mapping[str, Any], catalogue: Catalogue) -> Iterator[str]:
    """Yield the keywords with texts, each in Swedish and English."""
    down, across = cube.dimensions[:-_ACROSS], cube.dimensions[-_ACROSS:]
    year, measure = across

    def in_both_languages(keyword: str, sub_keys: Sequence[Text], *values: Mapping[str, str]) -> Iterator[str]:
        for language in LANGUAGES:
            key = keyword if language == LANGUAGES[0] else f"{keyword}[{language}]"
            yield _statement(key, [sub_key[language] for sub_key in sub_keys], [value[language] for value in values])

    yield from in_both_languages("SUBJECT-AREA", [], notes()["subject"])
    yield from in_both_languages("DESCRIPTION", [], cube.title)
    yield from in_both_languages("TITLE", [], cube.title)
    yield from in_both_languages("CONTENTS", [], cube.title)
    yield from in_both_languages("UNITS", [], notes()["units"]["offences"])
    yield from in_both_languages("STUB", [], *(dimension.label for dimension in down))
    yield from in_both_languages("HEADING", [], *(dimension.label for dimension in across))
    yield from in_both_languages("CONTVARIABLE", [], measure.label)
    labels = {dimension.name: _distinguished_labels(dimension) for dimension in cube.dimensions}
    for dimension in cube.dimensions:
        # Otherwise PxWeb's API names variables differently by language.
        yield from in_both_languages("VARIABLECODE", [dimension.label], dict.fromkeys(LANGUAGES, dimension.name))
    for dimension in cube.dimensions:
        yield from in_both_languages("VALUES", [dimension.label], *labels[dimension.name].values())
    years = ",".join(["TLIST(A1)", *map(_quoted, year.categories)])
    for language in LANGUAGES:
        key = "TIMEVAL" if language == LANGUAGES[0] else f"TIMEVAL[{language}]"
        yield f"{key}({_quoted(year.label[language])})={years};"
    for dimension in cube.dimensions:
        codes: list[Text] = [dict.fromkeys(LANGUAGES, code) for code in dimension.categories]
        yield from in_both_languages("CODES", [dimension.label], *codes)
    for code, label in labels[MEASURE].items():
        column = columns()[code]
        if column.decimals:
            for language in LANGUAGES:
                key = "PRECISION" if language == LANGUAGES[0] else f"PRECISION[{language}]"
                yield f"{key}({_quoted(measure.label[language])},{_quoted(label[language])})={column.decimals};"
        if column.unit:
            yield from in_both_languages("UNITS", [label], column.unit)
        yield from in_both_languages("LAST-UPDATED", [label], dict.fromkeys(LANGUAGES, _moment(manifest)))
        yield from in_both_languages("CONTACT", [label], catalogue.contact_line)
    yield from in_both_languages("SOURCE", [], notes()["source"])
    for why, dots in _NO_NUMBER.items():
        yield from in_both_languages(f"DATASYMBOL{len(dots)}", [], notes()["no_number"][why])
    if manifest["synthetic"]:
        yield from in_both_languages("NOTEX", [], notes()["synthetic"])
    # A hash is a line break.
    all_notes = [*notes()["notes"], *cube.notes]
    yield from in_both_languages(
        "NOTE", [], {language: "#".join(note[language] for note in all_notes) for language in LANGUAGES}
    )
    for code, causes in cube.breaks.items():
        because = {language: "#".join(cause[language] for cause in causes) for language in LANGUAGES}
        yield from in_both_languages("VALUENOTE", [year.label, labels[year.name][code]], because)


def _distinguished_labels(dimension: Dimension) -> Mapping[str, Text]:
    """Return labels by code, with the code added to labels that occur twice."""
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


def _statement(keyword: str, sub_keys: Sequence[str], values: Sequence[str]) -> str:
    """Format a keyword with its sub keys and values; long values are split over lines."""
    key = f"{keyword}({','.join(_quoted(_clean(sub_key)) for sub_key in sub_keys)})" if sub_keys else keyword
    if len(values) == 1:
        pieces = _pieces(values[0])
        return f"{key}={chr(10).join(map(_quoted, pieces))};"
    return f"{key}={(',' + chr(10)).join(_quoted(_clean(value)) for value in values)};"


def _pieces(text: str) -> list[str]:
    """Split a long text into pieces."""
    clean = _clean(text)
    if len(clean) <= _LONGEST_PIECE:
        return [clean]
    pieces = textwrap.wrap(clean, _LONGEST_PIECE, break_on_hyphens=False)
    return [*(f"{piece} " for piece in pieces[:-1]), pieces[-1]]


def _quoted(text: str) -> str:
    return f'"{text}"'


def _clean(text: str) -> str:
    """Replace quotation marks and line breaks, which PX cannot represent."""
    return re.sub(r"\s+", " ", text.replace('"', "'")).strip()


def _number(text: str) -> str:
    """Format a number without exponent."""
    return f"{Decimal(text):f}" if "e" in text else text


def _moment(manifest: Mapping[str, Any]) -> str:
    return datetime.fromisoformat(manifest["published_at"]).strftime("%Y%m%d %H:%M")
