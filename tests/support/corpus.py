"""Bad deliveries: named cases with the result that the contract requires, and a runner that checks it.

A case replaces a clean delivery that is already loaded. `CASES` holds all of them by name, `findings` runs a case and returns its
deviations, and `corpus_figures` counts how many were run and handled as the contract requires.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import hashlib
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import duckdb
import pyarrow as pa
from conftest import settings_in
from deliveries import (
    CLEAN,
    COLUMNS,
    OPTIONAL,
    PERSONAL_NUMBER,
    PERSONAL_NUMBER_12,
    YEAR,
    csv_file,
    csv_line,
    csv_text,
    delivery,
    everything_in,
    files_of,
    holds,
    load,
    long_decisions,
    manifest,
    outcome,
    parquet_columns,
    parquet_file,
    parquet_of,
    pseudonym,
    put,
    put_with_manifest,
    quoted,
    raw_folder,
    rows_of_parquet,
)
from reference.extracts import Row
from reference.worlds import offence_row, police_row, prosecution_row, report_row

from dagster_project import paths
from dagster_project.contract import input_contract
from dagster_project.ingestion import ingest as ingest_module
from dagster_project.ingestion.read import CHUNK, LONGEST_LINE, MOST_EXPANSION
from dagster_project.ingestion.rejection import RejectedDeliveryError
from dagster_project.settings import Settings
from dagster_project.state import DeliveryRecord, read_state

# --- what a case is --------------------------------------------------------------------------------------------------


class Fault(NamedTuple):
    """Patterns of the problem and the remedy in a rejection."""

    problem: str
    remedy: str


@dataclass(frozen=True)
class Rejected:
    """The delivery is rejected. `where` is the place in the message after the folder: `decisions.csv, line 4`."""

    where: str
    fault: Fault


@dataclass(frozen=True)
class Taken:
    """The file is loaded but for the rows of `quarantined`, by line; `warning` is a pattern of the warning.

    `unusable` counts the values that became missing, by column; `stored` are the values of some columns in the order of the lines.
    """

    file: str
    loaded: int
    quarantined: Mapping[int, str] = field(default_factory=dict)
    duplicates: int = 0
    warning: str | None = None
    unusable: Mapping[str, int] = field(default_factory=dict)
    stored: Mapping[str, Sequence[Any]] = field(default_factory=dict)


Meddling = Callable[[Path], AbstractContextManager[object]]


@dataclass(frozen=True)
class Case:
    """A delivery of a source, how it is written into the landing folder, and its expected result.

    No secret may be found afterwards, anywhere. `meddling` happens to the delivery's folder while it is loaded. A large case has
    the megabytes that the process which loads it may take at most. Slow ones are left to `make soak`.
    """

    name: str
    source: str
    write: Callable[[Settings], object]
    expected: Rejected | Taken
    secrets: tuple[str, ...] = ()
    year: int = YEAR
    meddling: Meddling | None = None
    most_megabytes: int | None = None
    is_slow: bool = False


# Values in the rows of nearly every case that must not occur in messages.
VALUES = ("0100-K", "AM-1-22", "BrB 6 kap")

# --- what a rejection says -------------------------------------------------------------------------------------------

MISSING_FILE = Fault("the file is missing", r"Deliver it as \w+\.csv or \w+\.csv\.gz or \w+\.parquet")
IRREGULAR = Fault("not a regular file", "Deliver the file itself")
EMPTY = Fault("the file is empty", "with a header and rows")
NO_ROWS = Fault("a header but no rows", "with its rows")
NO_GZIP = Fault("not a readable gzip file", "Deliver it again")
CUT_GZIP = Fault("the gzip file is truncated", "Deliver it again")
BOMB = Fault(f"expands to more than {MOST_EXPANSION} times its size", "Deliver it again")
NO_PARQUET = Fault("not a readable Parquet file, or a truncated one", "Deliver it again")
DAMAGED_PARQUET = Fault("its content is damaged and cannot be read|not a readable Parquet file", "[Dd]eliver it again")
CARRIAGE_RETURN = Fault("carriage return without line feed", "End lines by LF or CRLF")
ENDLESS_LINE = Fault(f"a line of more than {LONGEST_LINE} bytes", "Separate rows by line feeds")
ENDLESS_VALUE = Fault(f"a value of more than {LONGEST_LINE} bytes", "values of the contract only")
NO_HEADER = Fault("missing column aklagarnummer, diarienummer, .* of the contract", "separated by ';'")
UNREADABLE_HEADER = Fault("the header cannot be read", "Separate its names by ';'")
NUL = Fault("a NUL byte", "Export the file again as text")
NOT_UTF_8 = Fault("^not utf-8$", "name its encoding in the manifest")
CP1252 = Fault("^not utf-8; it seems to be cp1252$", "name its encoding in the manifest")
NOT_CP1252 = Fault("^not cp1252$", "name its encoding in the manifest")
UTF_8 = Fault("^not cp1252; it seems to be utf-8$", "Deliver it as UTF-8, or name its encoding in the manifest")
CHECKSUM = Fault("its checksum does not match the manifest", "Upload the file again, or correct the manifest")
ESCAPE = Fault("leads out of the landing folder", "not a link")
NOWHERE = Fault("cannot be reached", "not a link")
CHANGED = Fault("changed while it was read", "Load again when the delivery is complete")
PERSONAL = Fault("a Swedish personal identity number", "Deliver pseudonyms")
AS_DESCRIBED = "Write it as docs/input.md describes"
NO_JSON = Fault("^Invalid JSON: [A-Za-z ]+ at line 1 column [0-9]+$", AS_DESCRIBED)
NO_OBJECT = Fault("^Input should be an object$", AS_DESCRIBED)
HUGE_MANIFEST = Fault("larger than any manifest", "Write the manifest again")
VERSION = Fault("^contract: an unknown version of the contract; deliver by version 1$", AS_DESCRIBED)
OTHER_SOURCE = Fault("its source is not the folder's", "into its own folder")
OTHER_YEAR = Fault("its year is not the folder's", "into its own folder")
ENCODING = Fault("^encoding: an unknown encoding; use utf-8 or cp1252$", AS_DESCRIBED)
LISTS = Fault(
    "it lists .* but decisions.csv, offences.csv are there", "Deliver the listed files, or correct the manifest"
)
TWICE = Fault("lists a file twice", "List every file once")


def missing_column(names: str, remedy: str = "separated by ';' and with the same spelling") -> Fault:
    return Fault(rf"missing column {names} \(the \w+( \w+)? holds \d+ columns, \d+ of the contract\)", remedy)


def field_must_be(field: str, expected: str) -> Fault:
    return Fault(f"^{field}: Input should be {expected}$", AS_DESCRIBED)


def field_is_unknown(field: str) -> Fault:
    return Fault(f"^{field}: Extra inputs are not permitted \\(remove it, or correct its spelling\\)$", AS_DESCRIBED)


def field_is_missing(field: str) -> Fault:
    return Fault(f"^{field}: Field required \\(add it\\)$", AS_DESCRIBED)


def other_format(name: str, expected: str = "CSV text", remedy: str = "Export") -> Fault:
    return Fault(rf"^it is {name}, not {expected}$", remedy)


def other_delimiter(name: str) -> Fault:
    return Fault(f"^{name} between the fields$", "Separate the fields of all lines by ';'")


def low_header(line: int) -> Fault:
    return Fault(f"^the header is on line {line}, below", "Remove the lines above the header")


def doubled_column(name: str) -> Fault:
    return Fault(f"duplicate column {name}$", "Deliver every column once")


def row_count(read: int, promised: int) -> Fault:
    return Fault(
        f"it has {read} rows, the manifest declares {promised}$", "Deliver the whole file, or correct the manifest"
    )


# --- how a delivery is written ---------------------------------------------------------------------------------------

Content = bytes | Callable[[], bytes]
DECISIONS = csv_file("prosecution", "decisions")  # the header and two rows: what is put behind it is line 4
PARQUET = parquet_file("prosecution", "decisions")
GZIPPED = gzip.compress(DECISIONS)
HEADER = csv_text([], COLUMNS["prosecution", "decisions"])
ROW = csv_line(prosecution_row(2), COLUMNS["prosecution", "decisions"])
ALL_COLUMNS = [(source, name, column) for (source, name), columns in COLUMNS.items() for column in columns]
NEW_ROW: dict[tuple[str, str], Callable[..., Row]] = {
    ("police", "offences"): offence_row,
    ("police", "decisions"): police_row,
    ("police", "reports"): report_row,
    ("prosecution", "decisions"): prosecution_row,
}


def bytes_of(content: Content) -> bytes:
    return content if isinstance(content, bytes) else content()


def folder_of(source: str, files: Mapping[str, Content]) -> Callable[[Settings], object]:
    """Return a writer of exactly these files."""
    return lambda settings: put(settings, source, {name: bytes_of(content) for name, content in files.items()})


def one_file(
    name: str,
    content: Content,
    expected: Rejected | Taken | Fault,
    place: str = "",
    file: tuple[str, str] = ("prosecution", "decisions"),
    suffix: str = ".csv",
    encoding: str | None = None,
    secrets: tuple[str, ...] = (),
) -> Case:
    """Return a case with a single faulty file; a `Fault` is expected at the place."""
    source, table = file

    def write(settings: Settings) -> None:
        files = delivery(source, table, bytes_of(content), suffix)
        folder = put(settings, source, files)
        if encoding:
            # The reference cannot count rows of a wrongly encoded file; no case gets as far as the count.
            rows = dict.fromkeys(files, len(CLEAN[source, table]))
            document = manifest(source, files, rows, encoding=encoding)
            (folder / "manifest.json").write_bytes(document)

    if isinstance(expected, Fault):
        expected = Rejected(f"{table}{suffix}{place}", expected)
    return Case(name, source, write, expected, secrets)


def rows_and(file: tuple[str, str], *rows: Row | str) -> bytes:
    """Return the clean rows of a file followed by these rows."""
    return csv_file(*file, [*CLEAN[file], *rows])


# --- files -----------------------------------------------------------------------------------------------------------


def file_cases() -> Iterator[Case]:
    for source, name in (file for file in COLUMNS if file not in OPTIONAL):
        others = {file_name: content for file_name, content in files_of(source).items() if file_name != f"{name}.csv"}
        rows = {f"{file_name}.csv": len(CLEAN[source, file_name]) for of, file_name in COLUMNS if of == source}
        promise = {"manifest.json": manifest(source, files_of(source), rows)}
        missing = Rejected(name, MISSING_FILE)
        yield Case(f"{source}/{name} is missing", source, folder_of(source, others), missing)
        yield Case(
            f"{source}/{name} is missing, the manifest lists it",
            source,
            folder_of(source, {**others, **promise}),
            missing,
        )
    yield Case("an empty folder", "police", folder_of("police", {}), Rejected("offences", MISSING_FILE))
    misnamed = dict.fromkeys(
        ["Decisions.csv", "decisions.txt", "decisions", "decisions.csv.zip", "beslut.csv"], DECISIONS
    )
    yield Case(
        "files under other names",
        "prosecution",
        folder_of("prosecution", misnamed),
        Rejected("decisions", MISSING_FILE),
    )
    listed = manifest("prosecution", {"decisions.csv": DECISIONS}, {"decisions.csv": 2})
    for description, others in {
        "gzip": {"decisions.csv.gz": GZIPPED},
        "Parquet": {"decisions.parquet": PARQUET},
        "gzip and Parquet": {"decisions.csv.gz": GZIPPED, "decisions.parquet": PARQUET},
        "an empty Parquet file": {"decisions.parquet": b""},
        "Parquet, though the manifest lists CSV only": {"decisions.parquet": PARQUET, "manifest.json": listed},
    }.items():
        files = {"decisions.csv": DECISIONS, **others}
        names = " and ".join(name for name in files if name != "manifest.json")
        expected = Rejected("decisions", Fault(f"delivered more than once, as {names}$", "Leave exactly one"))
        yield Case(f"delivered as CSV and {description}", "prosecution", folder_of("prosecution", files), expected)
    without_csv = {"decisions.csv.gz": GZIPPED, "decisions.parquet": PARQUET}
    doubled = Rejected("decisions", Fault("as decisions.csv.gz and decisions.parquet$", "Leave exactly one"))
    yield Case("delivered as gzip and Parquet", "prosecution", folder_of("prosecution", without_csv), doubled)
    for description, make in {"a folder": Path.mkdir, "a pipe": os.mkfifo}.items():
        for name, problem in {"decisions.csv": IRREGULAR, "manifest.json": IRREGULAR}.items():
            yield Case(
                f"{description} in place of {name}", "prosecution", _instead(name, make), Rejected(name, problem)
            )
    too_early = Rejected("", Fault("the year lies before 2014", "Deliver later years only"))
    too_late = Rejected("", Fault("the year is not over", "each in the folder of its year"))
    for year, expected in {2013: too_early, 0: too_early, date.today().year: too_late, 9999: too_late}.items():
        yield Case(f"the year {year:04}", "prosecution", functools.partial(_in_year, year=year), expected, year=year)
    yield one_file("one bad file beside a good one", b"", EMPTY, file=("police", "decisions"))
    for description, (content, fault) in {
        "nothing.csv": (b"", EMPTY),
        "nothing.csv.gz": (b"", EMPTY),
        "nothing.parquet": (b"", EMPTY),
        "nothing, zipped.csv.gz": (gzip.compress(b""), NO_HEADER),
        "a byte order mark.csv": (b"\xef\xbb\xbf", NO_HEADER),
        "line ends.csv": (b"\n\r\n\n", NO_HEADER),
        "the header.csv": (HEADER.encode(), NO_ROWS),
        "the header without line end.csv": (HEADER.rstrip().encode(), NO_ROWS),
        "the header and blank lines.csv": ((HEADER + "\n\r\n\n").encode(), NO_ROWS),
        "the header, zipped.csv.gz": (gzip.compress(HEADER.encode()), NO_ROWS),
        "the header.parquet": (parquet_file("prosecution", "decisions", []), NO_ROWS),
    }.items():
        suffix = description[description.index(".") :]
        place = ", line 1" if fault is NO_HEADER else ""
        yield one_file(
            f"a file that holds only {description.replace('.', ' as ', 1)}", content, fault, place, suffix=suffix
        )


def _instead(name: str, make: Callable[[Path], object]) -> Callable[[Settings], object]:
    def write(settings: Settings) -> None:
        folder = put(settings, "prosecution", files_of("prosecution"))
        (folder / name).unlink(missing_ok=True)
        make(folder / name)

    return write


def _in_year(settings: Settings, year: int) -> Path:
    folder = settings.landing / "prosecution" / str(year)
    folder.mkdir(parents=True)
    (folder / "decisions.csv").write_bytes(DECISIONS)
    return folder


# --- truncated or unreadable -----------------------------------------------------------------------------------------

FIRST_MEMBER = gzip.compress(DECISIONS[:60])
TWO_MEMBERS = FIRST_MEMBER + gzip.compress(DECISIONS[60:])
FOOTER = int.from_bytes(PARQUET[-8:-4], "little")  # its length stands before the last four bytes


def _flip(content: bytes, at: int, mask: int = 1) -> bytes:
    at %= len(content)
    return content[:at] + bytes([content[at] ^ mask]) + content[at + 1 :]


def _long_and_zipped() -> bytes:
    complete_gzip = gzip.compress(long_decisions(3 * CHUNK, b"")[0], 1)
    return complete_gzip[: len(complete_gzip) // 2]


def _row_of_length(length: int, at: int) -> bytes:
    """Return a file with a row of that length at about that byte."""
    before, _line = long_decisions(at, b"")
    return before + ROW.encode().ljust(length, b"x") + b"\n" + b"\n" * 2 * CHUNK + b"x"


GZIPS: dict[str, tuple[Content, Fault]] = {
    "that is plain text": (DECISIONS, NO_GZIP),
    "that is a Parquet file": (PARQUET, other_format("Parquet", "gzip", "Name it .parquet")),
    "cut behind its first byte": (GZIPPED[:1], CUT_GZIP),
    "cut in its header": (GZIPPED[:5], CUT_GZIP),
    "cut behind its header": (GZIPPED[:10], CUT_GZIP),
    "cut in the middle": (GZIPPED[: len(GZIPPED) // 2], CUT_GZIP),
    "whose checksum is cut off": (GZIPPED[:-8], CUT_GZIP),
    "cut between checksum and length": (GZIPPED[:-4], CUT_GZIP),
    "whose last byte is cut off": (GZIPPED[:-1], CUT_GZIP),
    "with a wrong checksum": (_flip(GZIPPED, -8), NO_GZIP),
    "with a wrong length": (_flip(GZIPPED, -1), NO_GZIP),
    "with one bit off": (_flip(GZIPPED, 40, 16), NO_GZIP),
    "packed by a method that is none": (_flip(GZIPPED, 2), NO_GZIP),
    "whose second member is cut": (TWO_MEMBERS[:-9], CUT_GZIP),
    "whose second member is cut in its header": (TWO_MEMBERS[: len(FIRST_MEMBER) + 3], CUT_GZIP),
    "with something else behind it": (GZIPPED + b"something else", NO_GZIP),
    "whose beginning is cut off": (GZIPPED[10:], NO_GZIP),
    "packed twice": (gzip.compress(GZIPPED), other_format("gzip", remedy="Pack it by gzip once")),
    "made to fill the disk": (lambda: gzip.compress(DECISIONS + b"\n" * 20_000_000), BOMB),
    "of several megabytes, cut in the middle": (_long_and_zipped, CUT_GZIP),
}
PARQUETS: dict[str, tuple[Content, Fault]] = {
    "that is text": (DECISIONS, NO_PARQUET),
    "that is gzip": (GZIPPED, other_format("gzip", "Parquet", "Pack it by gzip once and name it .csv.gz")),
    "of which only the magic number came": (b"PAR1", NO_PARQUET),
    "of which only both magic numbers came": (b"PAR1PAR1", NO_PARQUET),
    "whose last byte is cut off": (PARQUET[:-1], NO_PARQUET),
    "whose magic number is cut off": (PARQUET[:-4], NO_PARQUET),
    "whose footer length is cut off": (PARQUET[:-8], NO_PARQUET),
    "cut in the middle of its footer": (PARQUET[: -8 - FOOTER // 2], NO_PARQUET),
    "cut before its footer": (PARQUET[: -8 - FOOTER], NO_PARQUET),
    "cut in its pages": (PARQUET[: (len(PARQUET) - FOOTER) // 2], NO_PARQUET),
    "whose beginning is cut off": (PARQUET[len(PARQUET) // 2 :], DAMAGED_PARQUET),
    "with a footer beyond the file": (PARQUET[:-8] + b"\xff\xff\xff\x7fPAR1", NO_PARQUET),
    "with a footer of no length": (PARQUET[:-8] + bytes(4) + b"PAR1", NO_PARQUET),
    "with an encrypted footer": (PARQUET[:-4] + b"PARE", NO_PARQUET),
    "whose footer is overwritten": (PARQUET[: -8 - FOOTER] + b"\xff" * FOOTER + PARQUET[-8:], NO_PARQUET),
    "whose pages are overwritten": (PARQUET[:4] + b"\xff" * 200 + PARQUET[204:], DAMAGED_PARQUET),
    "with something else behind it": (PARQUET + b"something else", NO_PARQUET),
    "one behind the other": (PARQUET + PARQUET[:100], NO_PARQUET),
}  # fmt: skip
CSVS: dict[str, tuple[Content, str, Fault]] = {
    "whose lines end in carriage returns": (DECISIONS.replace(b"\n", b"\r"), ", line 1", CARRIAGE_RETURN),
    "whose last line ends in a carriage return": (DECISIONS + ROW.encode() + b"\r", ", line 4", CARRIAGE_RETURN),
    "with a carriage return in a field": (DECISIONS + ROW.encode().replace(b"m1", b"m\r1"), ", line 4", CARRIAGE_RETURN),
    "with a carriage return in a quoted field": (DECISIONS + ROW.encode().replace(b"m1", b'"m\r1"'), ", line 4", CARRIAGE_RETURN),
    "with two carriage returns at a line's end": (DECISIONS.replace(b"\n", b"\r\r\n"), ", line 1", CARRIAGE_RETURN),
    "with a line of three megabytes": (lambda: DECISIONS + b"x" * 3_000_000, ", line 4", ENDLESS_LINE),
    "with a line too long by a byte, all in one piece": (lambda: DECISIONS + b"x" * (LONGEST_LINE + 1) + b"\n", ", line 4", ENDLESS_LINE), 
    **{
        f"with a row too long by a byte, {place}": (
            functools.partial(_row_of_length, LONGEST_LINE + 1, at),
            f", line {long_decisions(at, b'')[1]}",
            ENDLESS_LINE,
        )
        for place, at in {"over two pieces": 600_000, "near the end of a piece": CHUNK - 5_000, "behind a piece": CHUNK}.items()
    },
    "whose header is endless": (lambda: b"x" * 3_000_000, ", line 1", ENDLESS_LINE),
    "with mere quotes without end": (lambda: DECISIONS + b'"' * 3_000_001, ", line 4", ENDLESS_LINE),
}  # fmt: skip


def _repeated_row() -> bytes:
    return parquet_of({name: pa.repeat(value, 1_000_000) for name, value in prosecution_row().items()})


def unreadable_cases() -> Iterator[Case]:
    for description, (content, fault) in GZIPS.items():
        yield one_file(f"gzip {description}", content, fault, suffix=".csv.gz")
    for description, (content, fault) in PARQUETS.items():
        yield one_file(f"Parquet {description}", content, fault, suffix=".parquet")
    for description, (content, place, fault) in CSVS.items():
        yield one_file(f"CSV {description}", content, fault, place)
    description = "whose last line ends in a carriage return"
    content, place, fault = CSVS[description]
    assert isinstance(content, bytes)
    yield one_file(f"CSV {description}, zipped", gzip.compress(content), fault, place, suffix=".csv.gz")
    bad_text = pa.Array.from_buffers(pa.string(), 2, pa.array([b"m\xe5", b"m"], pa.binary()).buffers())
    content = parquet_of({**parquet_columns("prosecution", "decisions"), "misstanke_id": bad_text})
    yield one_file("Parquet text that is no UTF-8", content, DAMAGED_PARQUET, suffix=".parquet")
    yield one_file("Parquet with a row that is repeated without end", _repeated_row, BOMB, suffix=".parquet")
    noise = hashlib.shake_256(b"noise").hexdigest(LONGEST_LINE)
    long_value = [prosecution_row(1, misstanke_id=noise), prosecution_row(2)]
    content_of = functools.partial(parquet_file, "prosecution", "decisions", long_value)
    yield one_file("Parquet with a value of megabytes", content_of, ENDLESS_VALUE, suffix=".parquet")


# --- columns ---------------------------------------------------------------------------------------------------------

MISSPELT = [
    ("police", "offences", "anmälningsdatum", "anmalningsdatum"),
    ("police", "offences", "brotts_kod", "brottskod"),
    ("police", "offences", "brottskod (4 siffror)", "brottskod"),
    ("police", "decisions", "diarie nummer", "diarienummer"),
    ("prosecution", "decisions", "misstankeid", "misstanke_id"),
    ("prosecution", "decisions", "misstanke-id", "misstanke_id"),
    ("prosecution", "decisions", "beslutѕdatum", "beslutsdatum"),  # a Cyrillic s
    ("prosecution", "decisions", "ｂｅｓｌｕｔ", "beslut"),
    ("prosecution", "decisions", "be\u00adslut", "beslut"),  # a soft hyphen
    ("prosecution", "decisions", "", "beslut"),
]
SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in capitals": str.upper,
    "with spaces": lambda name: f" {name} ",
    "in quotes": quoted,
}


def _with_header(source: str, name: str, header: list[str]) -> bytes:
    rows = [";".join([*row.values(), *["x"] * (len(header) - len(row))]) for row in CLEAN[source, name]]
    return csv_text(rows, header).encode()


DELIMITER_NAMES = {",": "commas", "\t": "tabs", "|": "vertical bars", ":": "colons"}


def column_cases() -> Iterator[Case]:
    for source, name, column in ALL_COLUMNS:
        file = (source, name)
        content = csv_text(CLEAN[file], [other for other in COLUMNS[file] if other != column]).encode()
        yield one_file(f"{source}/{name} without column {column}", content, missing_column(column), ", line 1", file)
    for source, name, wrong, right in MISSPELT:
        header = [wrong if column == right else column for column in COLUMNS[source, name]]
        content = _with_header(source, name, header)
        yield one_file(f"column {right} misspelt {wrong!r}", content, missing_column(right), ", line 1", (source, name))
    for source, name in COLUMNS:
        for how, spell in SPELLINGS.items():
            column = COLUMNS[source, name][-1]
            content = _with_header(source, name, [*COLUMNS[source, name], spell(column)])
            case = f"{source}/{name} with column {column} again, {how}"
            yield one_file(case, content, doubled_column(column), ", line 1", (source, name))
    table = pa.table(parquet_columns("prosecution", "decisions"))
    for spelt in ("beslut", "BESLUT", " beslut"):
        content = parquet_of(table.append_column(spelt, table["beslut"]))
        yield one_file(f"Parquet with column {spelt!r} again", content, doubled_column("beslut"), suffix=".parquet")
    content = parquet_of(table.drop_columns(["misstanke_id"]))
    missing = missing_column("misstanke_id", "every column of the contract, with the same spelling")
    yield one_file("Parquet without column misstanke_id", content, missing, suffix=".parquet")
    for delimiter, named in {",": "a comma", "\t": "a tab", "|": "a bar", ":": "a colon"}.items():
        content = DECISIONS.replace(b";", delimiter.encode())
        fault = other_delimiter(DELIMITER_NAMES[delimiter])
        yield one_file(f"{named} for a delimiter", content, fault, ", line 1")
    for description, before in {
        "a blank line": b"\n",
        "a title": "Åklagarmyndighetens beslut 2022\n".encode(),
        "Excel's separator line": b"sep=;\n",
        "a second byte order mark": b"\xef\xbb\xbf\xef\xbb\xbf",
        "a comment": b"# export\n",
    }.items():
        fault = missing_column("aklagarnummer") if "mark" in description else low_header(2)
        yield one_file(f"{description} before the header", before + DECISIONS, fault, ", line 1")
    for description, header in {
        "a quote that is never closed": HEADER.replace("beslut\n", '"beslut\n'),
        "something behind a closing quote": HEADER.replace("misstanke_id", '"misstanke_id"x'),
    }.items():
        content = (header + ROW + "\n").encode()
        yield one_file(f"a header with {description}", content, UNREADABLE_HEADER, ", line 1")
    for suspect in ("pseudonym-7", PERSONAL_NUMBER, PERSONAL_NUMBER_12):
        row = prosecution_row(aklagarnummer="AM-7654321-22", diarienummer="0100-K7654321-20", misstanke_id=suspect)
        content = csv_file("prosecution", "decisions", [row, prosecution_row(2)]).split(b"\n", 1)[1]
        secrets = (suspect, "0100-K7654321-20", "AM-7654321-22")
        yield one_file(f"rows of {suspect} without a header", content, NO_HEADER, ", line 1", secrets=secrets)
    yield from _header_cases_that_reject_nothing()


def _header_cases_that_reject_nothing() -> Iterator[Case]:
    two = Taken("decisions", 2)
    malformed = Taken("decisions", 0, {2: "malformed_row", 3: "malformed_row"})
    ignored = "ignored columns outside the contract: "
    columns = COLUMNS["prosecution", "decisions"]
    rows = CLEAN["prosecution", "decisions"]
    swapped = csv_text(rows, [columns[4], columns[0], columns[5], columns[3], columns[1], columns[2]])
    lines = DECISIONS.split(b"\n")
    second = HEADER.encode("utf-8-sig") + ROW.replace(";2;", ";7;").encode()
    numbered = csv_text([{**row, PERSONAL_NUMBER: "1"} for row in rows], [*columns, PERSONAL_NUMBER]).encode()
    for description, content, expected in [
        ("columns in another order", swapped.encode(), two),
        ("columns in another order, CRLF, a byte order mark", swapped.replace("\n", "\r\n").encode("utf-8-sig"), two),
        ("a header in capitals, with spaces", HEADER.upper().replace(";", " ; ").encode() + DECISIONS[len(HEADER) :], two),
        ("a column that the contract does not name", csv_text([{**row, "enhet": "Å"} for row in rows], [*columns, "enhet"]).encode(),
         replace(two, warning=f"decisions.csv: {ignored}enhet$")),
        ("a delimiter at the end of every line", DECISIONS.replace(b"\n", b";\n"), replace(two, warning=rf"{ignored}\(no name\)$")),
        ("a delimiter at the end of the header only", DECISIONS.replace(b"\n", b";\n", 1), replace(malformed, warning=r"\(no name\)$")),
        ("a delimiter at the end of every row only", lines[0] + b"\n" + b";\n".join(lines[1:]), malformed),
        ("the header once more at the end", DECISIONS + HEADER.encode(), replace(two, quarantined={4: "invalid_value"})),
        ("a second file behind the first, with its byte order mark", DECISIONS + second,
         Taken("decisions", 3, {4: "invalid_value"})),
        ("a column named by a personal identity number", numbered,
         replace(two, warning=rf"{ignored}\(a personal identity number\)$")),
    ]:  # fmt: skip
        yield one_file(description, content, expected, secrets=(PERSONAL_NUMBER,))


# --- encoding --------------------------------------------------------------------------------------------------------

ROW_WITH = b"AM-1-22;0100-K1-20;7;m{};2022-03-01;ATAL;\n"
BEFORE = ROW_WITH.index(b"{}")
REST = DECISIONS.split(b"\n", 1)[1]
# Positions of the byte: within a chunk of the file and at every side of the border between two.
WRONG_BYTES: list[tuple[str, bytes, list[int]]] = [
    ("a letter in cp1252", b"\xe5", [2_000, 3_300_000, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 3 * CHUNK]),
    ("bytes that are never UTF-8", b"\xff\xfe", [2_000]),
    ("half a surrogate pair", b"\xed\xa0\x80", [2_000]),
    ("a character longer than it need be", b"\xc0\xaf", [2_000]),
    ("a character beyond Unicode", b"\xf4\x90\x80\x80", [2_000]),
    ("a character of three bytes, the last one wrong", b"\xe2\x82\xc3", [CHUNK - 3, CHUNK - 2, CHUNK - 1, CHUNK]),
    ("a character of four bytes, the last one wrong", b"\xf0\x9f\x98;", [2 * CHUNK - 1, 2 * CHUNK - 3]),
]
CUT_CHARACTERS: list[tuple[str, bytes, list[int]]] = [
    ("of two bytes", b"\xc3", [2_000]),
    ("of three bytes", b"\xe2\x82", [2_000_000, CHUNK - 2, CHUNK]),
    ("of four bytes", b"\xf0\x9f\x98", [CHUNK - 1, CHUNK - 2]),
]


@functools.cache
def _with_bytes(bad: bytes, at: int, cut: bool = False) -> tuple[bytes, int]:
    """A file whose byte `at` is the first of `bad`, with which it ends or does not; and the line of it."""
    content, line = long_decisions(at, ROW_WITH[:BEFORE] + bad if cut else ROW_WITH.replace(b"{}", bad), BEFORE)
    return (content if cut else content + REST), line


def _in_both(name: str, bad: bytes, at: int, cut: bool, fault: Fault, place: str) -> Iterator[Case]:
    line = _line_of(at)
    place = place.format(line=line, at=at)
    plain = functools.partial(lambda: _with_bytes(bad, at, cut)[0])
    yield one_file(name, plain, fault, place)
    yield one_file(f"{name}, zipped", lambda: gzip.compress(plain(), 1), fault, place, suffix=".csv.gz")


def _line_of(at: int) -> int:
    """Return the line of the byte in `_with_bytes`; rows of about 5,000 bytes precede it."""
    return long_decisions(at, b"", BEFORE)[1]


def encoding_cases() -> Iterator[Case]:
    for description, bad, places in WRONG_BYTES:
        for at in places:
            fault = CP1252 if description == "a letter in cp1252" else NOT_UTF_8
            yield from _in_both(f"{description} at byte {at}", bad, at, False, fault, ", line {line}, byte {at}")
    for description, bad, places in CUT_CHARACTERS:
        for at in places:
            name = f"a character {description} cut off at byte {at}"
            yield from _in_both(name, bad, at, True, NOT_UTF_8, ", line {line}, byte {at}")
    for at in (2_000, CHUNK - 1, CHUNK, 3_200_000):
        yield from _in_both(f"a NUL byte at byte {at}", b"\0", at, False, NUL, ", line {line}")
    for description, content, line in [
        ("in the header", b"\0" + DECISIONS, 1),
        ("in a short file", DECISIONS[:100] + b"\0" + DECISIONS[100:], 2),
        ("at the very end", DECISIONS + b"\0", 4),
        ("as a missing value", DECISIONS + ROW.replace("m1", "\0").encode(), 4),
        ("in a block where the disk was full", DECISIONS + bytes(5_000), 4),
    ]:
        yield one_file(f"a NUL byte {description}", content, NUL, f", line {line}")
    for at in (2_000, CHUNK - 1, CHUNK):
        # the same character of three bytes, which is UTF-8, and two letters of cp1252 before it
        for description, before, fault in [("of UTF-8", b"", UTF_8), ("of no encoding", b"\xe5\xe4", NOT_CP1252)]:
            content_of = functools.partial(
                lambda bad, at: _with_bytes(bad, at)[0], before + b"\xe5\x96\x81", at - 2 - len(before)
            )
            line = _line_of(at - 2 - len(before))
            place = f", line {line}, byte {at - 2 if fault is UTF_8 else at}"
            yield one_file(
                f"a byte {description} that cp1252 does not have at byte {at}",
                content_of,
                fault,
                place,
                encoding="cp1252",
            )
    in_header = "anmärkning;".encode("cp1252") + DECISIONS
    yield one_file("a letter in cp1252 in the header", in_header, CP1252, ", line 1, byte 3")
    broken = HEADER.encode() + b'AM-1-22;0100-K1-20;7;"m\r\n\r\nm";2022-03-01;ATAL\r\n\r\nAM-1-22;\xe5;'
    place = f", line 6, byte {len(broken) - 2}"
    yield one_file("a letter in cp1252 behind quoted line breaks and CRLF", broken, CP1252, place)
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        fault = other_format(f"text in {encoding.upper()[:6]}", remedy="Export the file again as CSV text in UTF-8")
        yield one_file(f"a file in {encoding}", DECISIONS.decode().encode(encoding), fault)
    both = DECISIONS + ROW.replace("m1", "må").encode() + b"\n" + ROW.replace("m1", "må").encode("cp1252")
    place = f", line 5, byte {both.index(bytes([0xE5]))}"
    yield one_file("UTF-8 first and cp1252 behind it", both, CP1252, place)


# --- the manifest ----------------------------------------------------------------------------------------------------

POLICE = files_of("police")
POLICE_ROWS = {name: len(CLEAN["police", name.removesuffix(".csv")]) for name in POLICE}
MANIFEST: dict[str, Any] = json.loads(manifest("police", POLICE, POLICE_ROWS))
FIRST, SECOND = MANIFEST["files"]


def _without(document: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != key}


def _first_file(**document: Any) -> dict[str, Any]:
    return {**MANIFEST, "files": [{**FIRST, **document}, SECOND]}


LIES: dict[str, tuple[dict[str, Any], Fault]] = {
    "of contract 2": ({**MANIFEST, "contract": "2"}, VERSION),
    "of contract 1.1": ({**MANIFEST, "contract": "1.1"}, VERSION),
    "of contract 1.0 as a number": ({**MANIFEST, "contract": 1.0}, VERSION),
    "without a contract": (_without(MANIFEST, "contract"), field_is_missing("contract")),
    "whose contract is null": ({**MANIFEST, "contract": None}, VERSION),
    "of the other source": ({**MANIFEST, "source": "prosecution"}, OTHER_SOURCE),
    "of a source that is none": ({**MANIFEST, "source": "polisen"}, OTHER_SOURCE),
    "whose source has a capital": ({**MANIFEST, "source": "Police"}, OTHER_SOURCE),
    "without a source": (_without(MANIFEST, "source"), field_is_missing("source")),
    "whose source is a list": ({**MANIFEST, "source": ["police"]}, field_must_be("source", "a valid string")),
    "of the year before": ({**MANIFEST, "year": YEAR - 1}, OTHER_YEAR),
    "without a year": (_without(MANIFEST, "year"), field_is_missing("year")),
    "whose year is null": ({**MANIFEST, "year": None}, field_must_be("year", "a valid integer")),
    "whose year is true": ({**MANIFEST, "year": True}, field_must_be("year", "a valid integer")),
    "whose year is text": ({**MANIFEST, "year": str(YEAR)}, field_must_be("year", "a valid integer")),
    "whose year has a fraction": ({**MANIFEST, "year": YEAR + 0.5}, field_must_be("year", "a valid integer")),
    "of an encoding that the contract lacks": ({**MANIFEST, "encoding": "mac-roman"}, ENCODING),
    "of a wide encoding": ({**MANIFEST, "encoding": "utf-16"}, ENCODING),
    "whose encoding is a number": ({**MANIFEST, "encoding": 1252}, field_must_be("encoding", "a valid string")),
    "whose encoding is null": ({**MANIFEST, "encoding": None}, field_must_be("encoding", "a valid string")),
    "without files": (_without(MANIFEST, "files"), field_is_missing("files")),
    "whose files are null": ({**MANIFEST, "files": None}, field_must_be("files", "a valid array")),
    "whose files are an object": (
        {**MANIFEST, "files": {"offences.csv": FIRST}},
        field_must_be("files", "a valid array"),
    ),
    "whose files are names": (
        {**MANIFEST, "files": ["offences.csv", "decisions.csv"]},
        Fault("^files, entry 1: Input should be an object; files, entry 2: .*$", AS_DESCRIBED),
    ),
    "that misspells what marks made-up data": ({**MANIFEST, "syntetic": {"seed": 1}}, field_is_unknown("syntetic")),
    "with a name that the contract lacks": ({**MANIFEST, "note": PERSONAL_NUMBER}, field_is_unknown("note")),
    "with a personal identity number for a name": ({**MANIFEST, PERSONAL_NUMBER: 1}, field_is_unknown("a name")),
    "that says of a file what the contract lacks": (
        _first_file(delimiter=";"),
        field_is_unknown("files, entry 1, delimiter"),
    ),
    "that lists nothing": ({**MANIFEST, "files": []}, LISTS),
    "that lists one of two files": ({**MANIFEST, "files": [FIRST]}, LISTS),
    "that lists a file twice": ({**MANIFEST, "files": [FIRST, SECOND, FIRST]}, TWICE),
    "that lists a file too many": ({**MANIFEST, "files": [FIRST, SECOND, {**FIRST, "name": "suspects.csv"}]}, LISTS),
    "of another container": (_first_file(name="offences.csv.gz"), LISTS),
    "that spells a file otherwise": (_first_file(name="Offences.csv"), LISTS),
    "that names a file by a path": (_first_file(name=f"../{YEAR}/offences.csv"), LISTS),
    "that names a file by half a character": (_first_file(name="\ud800"), NO_JSON),
    "that names a file by a personal identity number": (_first_file(name=f"{PERSONAL_NUMBER}.csv"), LISTS),
    "with a file without name": (
        {**MANIFEST, "files": [_without(FIRST, "name"), SECOND]},
        field_is_missing("files, entry 1, name"),
    ),
    "whose file name is a number": (_first_file(name=1), field_must_be("files, entry 1, name", "a valid string")),
    "with a file without rows": (
        {**MANIFEST, "files": [_without(FIRST, "rows"), SECOND]},
        field_is_missing("files, entry 1, rows"),
    ),
    "whose rows are null": (_first_file(rows=None), field_must_be("files, entry 1, rows", "a valid integer")),
    "whose rows are text": (_first_file(rows="3"), field_must_be("files, entry 1, rows", "a valid integer")),
    "whose rows are true": (_first_file(rows=True), field_must_be("files, entry 1, rows", "a valid integer")),
    "whose rows have a fraction": (
        _first_file(rows=3.5),
        field_must_be("files, entry 1, rows", "a valid integer"),
    ),
    "whose rows are infinite": (
        _first_file(rows=float("inf")),
        field_must_be("files, entry 1, rows", "a valid integer"),
    ),
    "whose rows are fewer than none": (
        _first_file(rows=-3),
        field_must_be("files, entry 1, rows", "greater than or equal to 0"),
    ),
    "with a file without checksum": (
        {**MANIFEST, "files": [_without(FIRST, "sha256"), SECOND]},
        field_is_missing("files, entry 1, sha256"),
    ),
    "whose checksum is null": (_first_file(sha256=None), field_must_be("files, entry 1, sha256", "a valid string")),
}
NO_MANIFESTS: dict[str, tuple[bytes, Fault]] = {
    "that is empty": (b"", NO_JSON),
    "that is cut": (json.dumps(MANIFEST).encode()[:-10], NO_JSON),
    "that is text": (b"complete", NO_JSON),
    "that is null": (b"null", NO_OBJECT),
    "that is a list": (json.dumps([MANIFEST]).encode(), NO_OBJECT),
    "that is JSON in a string": (json.dumps(json.dumps(MANIFEST)).encode(), NO_OBJECT),
    "that is not UTF-8": (json.dumps({**MANIFEST, "created": "måndag"}, ensure_ascii=False).encode("cp1252"), NO_JSON),
    "in UTF-16": (
        json.dumps(MANIFEST).encode("utf-16"),
        other_format("text in UTF-16", "JSON in UTF-8", "Write the manifest again"),
    ),
    "that is two": (json.dumps(MANIFEST).encode() * 2, NO_JSON),
    "in single quotes": (str(MANIFEST).encode(), NO_JSON),
    "with a comma too many": (json.dumps(MANIFEST).replace("}]", "},]").encode(), NO_JSON),
    "that is nested without end": (b"[" * 100_000, NO_JSON),
    "with a number of 5000 digits": (json.dumps(MANIFEST).replace(str(YEAR), "9" * 5_000).encode(), NO_JSON),
    "of two megabytes": (json.dumps(MANIFEST).encode().ljust(2_000_000), HUGE_MANIFEST),
}
WRONG_CHECKSUMS = {
    "of the other file": SECOND["sha256"],
    "with one digit off": FIRST["sha256"][:-1] + ("0" if FIRST["sha256"][-1] != "0" else "1"),
    "a digit short": FIRST["sha256"][:-1],
    "that is empty": "",
    "with spaces around": f" {FIRST['sha256']} ",
    "by another method": hashlib.md5(POLICE["offences.csv"]).hexdigest(),
}


def manifest_cases() -> Iterator[Case]:
    def of_police(name: str, document: bytes, expected: Rejected | Taken, **other_files: bytes) -> Case:
        files = {
            **POLICE,
            **{f"{file}.csv": content for file, content in other_files.items()},
            "manifest.json": document,
        }
        secrets = (PERSONAL_NUMBER,) if "personal" in name else ()
        return Case(name, "police", folder_of("police", files), expected, secrets)

    for description, (document, fault) in LIES.items():
        yield of_police(f"a manifest {description}", json.dumps(document).encode(), Rejected("manifest.json", fault))
    for description, (content, fault) in NO_MANIFESTS.items():
        yield of_police(f"a manifest {description}", content, Rejected("manifest.json", fault))
    for description, checksum in WRONG_CHECKSUMS.items():
        document = json.dumps(_first_file(sha256=checksum)).encode()
        yield of_police(f"a checksum {description}", document, Rejected("offences.csv", CHECKSUM))
    for name in ("offences", "decisions"):
        changed = {name: POLICE[f"{name}.csv"] + b"\n"}
        document = json.dumps(MANIFEST).encode()
        yield of_police(
            f"{name}.csv, changed after its manifest", document, Rejected(f"{name}.csv", CHECKSUM), **changed
        )
    for rows in (0, 2, 4, 3_000_000):
        wrong = Rejected("offences.csv", row_count(3, rows))
        for description, content in {
            "new": POLICE["offences.csv"] + b"\n",
            "loaded before": POLICE["offences.csv"],
        }.items():
            document = manifest("police", {**POLICE, "offences.csv": content}, {**POLICE_ROWS, "offences.csv": rows})
            yield of_police(f"a row count of {rows} instead of 3, {description}", document, wrong, offences=content)
    zipped = manifest("prosecution", {"decisions.csv.gz": DECISIONS}, {"decisions.csv.gz": 2})
    files: dict[str, Content] = {"decisions.csv.gz": GZIPPED, "manifest.json": zipped}
    unpacked = Rejected("decisions.csv.gz", CHECKSUM)
    yield Case("a checksum of the unpacked file", "prosecution", folder_of("prosecution", files), unpacked)
    for suffix, content in {".csv.gz": GZIPPED, ".parquet": PARQUET}.items():
        name = f"decisions{suffix}"
        files = {name: content, "manifest.json": manifest("prosecution", {name: content}, {name: 3})}
        counted = Rejected(name, row_count(2, 3))
        yield Case(f"a wrong row count of {suffix}", "prosecution", folder_of("prosecution", files), counted)
    swallowing = csv_file("prosecution", "decisions", [ROW, 'AM-2-22;"open', ROW, 'and closed";x', ROW])
    files = {
        "decisions.csv": swallowing,
        "manifest.json": manifest("prosecution", {"decisions.csv": swallowing}, {"decisions.csv": 5}),
    }
    kept = Taken("decisions", 1, dict.fromkeys([3, 5], "malformed_row"), duplicates=2)
    yield Case("rows between two stray quotes", "prosecution", folder_of("prosecution", files), kept)
    cut = DECISIONS[: DECISIONS.rindex(b"\n", 0, -1) + 1]
    files = {
        "decisions.csv": cut,
        "manifest.json": manifest("prosecution", {"decisions.csv": DECISIONS}, {"decisions.csv": 2}),
    }
    yield Case(
        "a file cut between two rows",
        "prosecution",
        folder_of("prosecution", files),
        Rejected("decisions.csv", CHECKSUM),
    )
    for description, document in {
        "whose contract is the number 1": {**MANIFEST, "contract": 1},
        "with an encoding in capitals": {**MANIFEST, "encoding": "UTF-8"},
        "created never": {**MANIFEST, "created": None},
    }.items():
        yield of_police(f"a manifest {description}", json.dumps(document).encode(), Taken("offences", 3))


# --- out of the landing folder ---------------------------------------------------------------------------------------


def _link(path: Path, target: str | Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def _outside(settings: Settings) -> Path:
    """Write a valid delivery outside the landing folder, in a folder whose name has the same prefix."""
    folder = settings.landing.with_name(f"{settings.landing.name}_of_others")
    folder.mkdir()
    (folder / "decisions.csv").write_bytes(DECISIONS)
    (folder / "manifest.json").write_bytes(manifest("prosecution", {"decisions.csv": DECISIONS}, {"decisions.csv": 2}))
    return folder


def link_cases() -> Iterator[Case]:
    """Return links by name and how to create them, given the delivery's folder and the one outside."""

    def escaping(name: str, lay: Callable[[Path, Path], object], of: str = "decisions.csv") -> Case:
        def write(settings: Settings) -> None:
            outside = _outside(settings)
            lay(put(settings, "prosecution", {}), outside)

        return Case(name, "prosecution", write, Rejected(of, ESCAPE))

    def through(folder: Path, outside: Path) -> None:
        _link(folder / "inner.csv", outside / "decisions.csv")
        _link(folder / "decisions.csv", "inner.csv")

    def year_folder(folder: Path, outside: Path) -> None:
        folder.rmdir()
        _link(folder, outside)

    def source_folder(folder: Path, outside: Path) -> None:
        (outside / str(YEAR)).mkdir()
        (outside / "decisions.csv").rename(outside / str(YEAR) / "decisions.csv")
        folder.rmdir()
        folder.parent.rmdir()
        _link(folder.parent, outside)

    def only_manifest(folder: Path, outside: Path) -> None:
        (folder / "decisions.csv").write_bytes(DECISIONS)
        _link(folder / "manifest.json", outside / "manifest.json")

    yield escaping(
        "a link out of the landing folder",
        lambda folder, outside: _link(folder / "decisions.csv", outside / "decisions.csv"),
    )
    yield escaping(
        "a link out by ..",
        lambda folder, outside: _link(folder / "decisions.csv", f"../../../{outside.name}/decisions.csv"),
    )
    yield escaping(
        "a link through the landing folder and out by ..",
        lambda folder, outside: _link(folder / "decisions.csv", folder / "../../../" / outside.name / "decisions.csv"),
    )
    yield escaping("a link to a link out of the landing folder", through)
    yield escaping("a linked year", year_folder)
    yield escaping("a linked source", source_folder)
    yield escaping("a linked manifest", only_manifest, "manifest.json")
    yield escaping("a link to a device", lambda folder, _outside: _link(folder / "decisions.csv", "/dev/zero"))
    for description, target, fault in [
        ("to nothing", "nowhere.csv", NOWHERE),
        ("to nothing far away", "/nowhere/decisions.csv", NOWHERE),
        ("to itself", "decisions.csv", NOWHERE),
        ("to the landing folder", "../..", IRREGULAR),
    ]:
        lay = functools.partial(_lay_dead_link, target=target)
        yield Case(f"a link {description}", "prosecution", lay, Rejected("decisions.csv", fault))
    lay = functools.partial(_lay_dead_link, target="nowhere.json", name="manifest.json")
    yield Case("a manifest that is a link to nothing", "prosecution", lay, Rejected("manifest.json", NOWHERE))


def _lay_dead_link(settings: Settings, target: str, name: str = "decisions.csv") -> None:
    folder = put(settings, "prosecution", files_of("prosecution"))
    (folder / name).unlink(missing_ok=True)
    _link(folder / name, target)


# --- Parquet types ---------------------------------------------------------------------------------------------------

INVALID = "invalid_value"


def days_since_1970(*days: int | None) -> pa.Array:
    return pa.array(days, pa.int32()).cast(pa.date32())


# The column, its values in a type that may have lost something, and what it should be
LOSSY: list[tuple[str, str, str, pa.Array]] = [
    ("police", "offences", "brottskod", pa.array([424, 424, 424], pa.int32())),
    ("police", "offences", "brottskod", pa.array([424, None, None], pa.int64())),
    ("police", "offences", "brottskod", pa.array([424.0, 424.0, 424.0])),
    ("police", "offences", "kommunkod", pa.array([180, None, 180], pa.int16())),
    ("police", "offences", "lagrum", pa.array([b"BrB", None, None], pa.binary())),
    ("police", "offences", "brottsnummer", pa.array([1.0, 2.0, 3.0])),
    ("police", "offences", "malsagande_alder", pa.array([7.5, None, None])),
    ("police", "offences", "malsagande_alder", pa.array([True, None, None])),
    ("police", "offences", "anmalningsdatum", pa.array([20200601, 20200602, 20200603])),
    ("police", "offences", "anmalningsdatum", pa.array([43983, 43984, 43985], pa.int32())),  # Excel's serial dates
    ("police", "offences", "brottsdatum", pa.array([None, 0, None], pa.timestamp("us"))),
    ("police", "decisions", "utredning", pa.array([True, False])),
    ("police", "decisions", "beslut", pa.array([["NEDLAGD"], ["OVRIGT"]])),
    ("prosecution", "decisions", "beslutsdatum", pa.array([1_646_100_000] * 2, pa.timestamp("s", "Europe/Stockholm"))),
    ("prosecution", "decisions", "beslutsdatum", pa.array([1_646_100_000] * 2, pa.timestamp("s", "UTC"))),
    ("prosecution", "decisions", "beslutsdatum", pa.array([1_646_100_000_000] * 2, pa.timestamp("ms"))),
    ("prosecution", "decisions", "beslutsdatum", pa.array([1_646_100_000, 0], pa.time64("us"))),
    ("prosecution", "decisions", "aklagarnummer", pa.array([19_000, 19_001], pa.date32())),
    ("prosecution", "decisions", "misstanke_id", pa.array([{"id": "m1"}, {"id": "m2"}])),
    ("prosecution", "decisions", "misstanke_id", pa.array([2**60, 1])),
    ("prosecution", "decisions", "brottsnummer", pa.array([Decimal("2.50"), Decimal("3.00")])),
]
# The column, its values in a type that loses nothing, and what each row gets
TYPED: list[tuple[str, str, str, pa.Array, list[str | None]]] = [
    ("police", "offences", "brottsnummer", pa.array([0, -1, 2**31, 2**63 - 1, 7]), [INVALID] * 4 + [None]),
    ("police", "offences", "brottsnummer", pa.array([0, None, 7], pa.uint8()), [INVALID, "missing_value", None]),
    ("police", "offences", "brottsantal", pa.array([0, 2**32 - 1, 7], pa.uint32()), [INVALID, INVALID, None]),
    ("police", "offences", "brottsantal", pa.array([2**64 - 1, 7], pa.uint64()), [INVALID, None]),
    # the first and the last day of the year, the days around them, and none
    ("police", "decisions", "beslutsdatum", days_since_1970(18993, 19357, 18992, 19358, None),
     [None, None, "outside_year", "outside_year", "missing_value"]),
    ("prosecution", "decisions", "misstanke_id", pa.array([None, "", " ", "m"]), ["contradiction"] * 3 + [None]),
    ("prosecution", "decisions", "misstanke_id", pa.array([None, None], pa.null()), ["contradiction"] * 2),
    ("prosecution", "decisions", "beslut", pa.array(["ATAL", "atall", None]).dictionary_encode(), [None, INVALID, "missing_value"]),
]  # fmt: skip


# Likewise, with the number of values that cannot be used
TYPED_UNUSABLE: list[tuple[str, pa.Array, int]] = [
    ("malsagande_alder", pa.array([121, -1, 0, 120, 60, 7, None], pa.int16()), 2),
    # 10000-01-01, the last day before the year 1, and the first of it
    ("anmalningsdatum", days_since_1970(2932897, -719163, -719162, 19000, 19001, 19002, None), 2),
    ("brottsdatum", days_since_1970(2932897, -719163, -719162, 0, 1, 2, None), 2),
]


def parquet_cases() -> Iterator[Case]:
    kinds = {column.name: column.type for file in input_contract().files for column in file.columns}
    for source, name, column, values in LOSSY:
        either = "text" if kinds[column] == "text" else f"text or as {kinds[column]}"
        fault = Fault(f"^stored as .*, which is not {kinds[column]}$", f"^Store it as {either}, so")
        content = parquet_of({**parquet_columns(source, name), column: values})
        case = f"Parquet {column} as {values.type}{', some null' if values.null_count else ''}"
        yield one_file(case, content, fault, f", column {column}", (source, name), ".parquet")
    for source, name, column, values, reasons in TYPED:
        rows = [NEW_ROW[source, name](diarienummer=f"0100-K1{number}-20") for number in range(len(values))]
        content = parquet_of({**parquet_columns(source, name, rows), column: values})
        quarantined = {line: reason for line, reason in enumerate(reasons, 1) if reason}
        expected = Taken(name, len(values) - len(quarantined), quarantined)
        case = f"Parquet {column} as {values.type} with {len(quarantined)} bad values"
        yield one_file(case, content, expected, file=(source, name), suffix=".parquet")
    for column, values, unusable in TYPED_UNUSABLE:
        rows = [offence_row(number) for number in range(1, len(values) + 1)]
        content = parquet_of({**parquet_columns("police", "offences", rows), column: values})
        expected = Taken("offences", len(values), unusable={column: unusable})
        case = f"Parquet {column} as {values.type} with {unusable} unusable values"
        yield one_file(case, content, expected, file=("police", "offences"), suffix=".parquet")


# --- values ----------------------------------------------------------------------------------------------------------

NUMBERS = {
    "with an exponent": "1e3",
    "in full-width digits": "１２",
    "in Arabic digits": "١٢",
    "raised": "²",
    "nought": "0",
    "minus nought": "-0",
    "negative": "-1",
    "with a plus": "+1",
    "with decimals": "1.0",
    "with a decimal comma": "1,5",
    "with a space for thousands": "1 000",
    "with a no-break space for thousands": "1\u00a0000",
    "with an underscore": "1_000",
    "in hexadecimal": "0x10",
    "one too large": "2147483648",
    "of twenty digits": "9" * 20,
    "that is no number": "NaN",
    "that is null": "null",
    "in words": "två",
    "with Excel's apostrophe": "'1",
    "as a formula": "=1+1",
    "as a fraction": "1/2",
}
DATES = {
    "that does not exist": "2024-02-30",
    "in a leap year that is none": "2023-02-29",
    "with a year of two digits": "24-02-03",
    "without dashes": "20240203",
    "with slashes": "2024/02/03",
    "with full stops": "03.02.2024",
    "as Americans write it": "02/03/2024",
    "without leading noughts": "2024-2-3",
    "as Excel's serial number": "45325",
    "as Excel's serial number with a time": "45325.5",
    "with a time": "2024-02-03T00:00:00",
    "with a time behind a space": "2024-02-03 00:00",
    "with a zone": "2024-02-03Z",
    "of week and day": "2024-W05-6",
    "of the day of the year": "2024-034",
    "in words": "3 feb 2024",
    "with en dashes": "2024–02–03",
    "with a full-width digit": "2024-02-0３",
    "of noughts": "0000-00-00",
    "of the year nought": "0000-01-01",
    "of month 13": "2024-13-01",
    "of five digits": "10000-01-01",
    "without end": "infinity",
    "as seconds since 1970": "1706918400",
}
CODES: list[tuple[str, str, str, str]] = [
    ("police", "offences", "brottskod", "424"),  # what is left of 0424
    ("police", "offences", "brottskod", "'0424"),
    ("police", "offences", "brottskod", "0424.0"),
    ("police", "offences", "diarienummer", "100-K1-20"),
    ("police", "offences", "diarienummer", "0100-K00012345678-20"),
    ("police", "decisions", "diarienummer", "0100-kk1-20"),
    ("police", "decisions", "beslut", "ned lagd"),
    ("police", "decisions", "beslut", "ovrıgt"),  # a dotless i
    ("police", "decisions", "utredning", "Ｊ"),
    ("police", "decisions", "skaligen_misstankt", "true"),
    ("prosecution", "decisions", "aklagarnummer", "AM-1-2022"),
    ("prosecution", "decisions", "beslut", "ÅTAL"),
    ("prosecution", "decisions", "beslut", "EJ ATAL"),
    ("prosecution", "decisions", "misstanke_id", "m" * 65),
    ("prosecution", "decisions", "misstanke_id", "Ö" * 65),
]
UNUSABLE: list[tuple[str, str]] = [
    ("brottsdatum", "2020-06-02"),  # the day after the report
    ("brottsdatum", "9999-12-31"),
    ("kommunkod", "180"),
    ("kommunkod", "018O"),
    ("kommunkod", "Stockholm"),
    ("handlaggande_region", "Rn08"),
    ("handlaggande_region", "Rn3"),
    ("handlaggande_region", "Region Stockholm"),
    ("malsagande_kon", "Kvinna"),
    ("malsagande_kon", "F"),
    ("malsagande_alder", "121"),
    ("malsagande_alder", "-1"),
    ("malsagande_alder", "18 år"),
    ("malsagande_alder", "17.5"),
]
FULL = {
    "brottsdatum": "2020-05-31",
    "handlaggande_region": "Rn03",
    "malsagande_kon": "K",
    "malsagande_alder": "40",
}


def value_cases() -> Iterator[Case]:
    offences, decisions = ("police", "offences"), ("prosecution", "decisions")

    def one_value(name: str, file: tuple[str, str], **values: str) -> Case:
        clean = len(CLEAN[file])
        bad = Taken(file[1], clean, {clean + 2: INVALID})
        return one_file(name, rows_and(file, NEW_ROW[file](7, **values)), bad, file=file)

    for description, value in NUMBERS.items():
        yield one_value(f"a number {description}", offences, brottsantal=value)

    def unusable(name: str, column: str, value: str, lost: int = 1) -> Case:
        """Return a case of an unusable value among usable ones."""
        rows = [offence_row(7, **{**FULL, column: value}), *(offence_row(number, **FULL) for number in range(8, 12))]
        expected = Taken("offences", len(CLEAN[offences]) + len(rows), unusable={column: lost} if lost else {})
        return one_file(name, rows_and(offences, *rows), expected, file=offences)

    for description, value in DATES.items():
        yield one_value(f"a decision date {description}", decisions, beslutsdatum=value)
        yield unusable(f"a report date {description}", "anmalningsdatum", value)
        if description in ("that does not exist", "with a year of two digits", "as Excel's serial number"):
            yield unusable(f"an offence date {description}", "brottsdatum", value)
    yield unusable("no report date", "anmalningsdatum", "", 0)
    yield unusable("a municipality that does not exist", "kommunkod", "9999", 0)
    for column, value in UNUSABLE:
        yield unusable(f"{column} {value}, which cannot be used", column, value)
    every = dict.fromkeys(
        ["anmalningsdatum", "kommunkod", "handlaggande_region", "malsagande_kon", "malsagande_alder"], "?"
    )
    lost = Taken("offences", 4, unusable={"anmalningsdatum": 1, "brottsdatum": 1} | dict.fromkeys(every, 1))
    yield one_file(
        "an offence whose optional fields are all unusable",
        rows_and(offences, offence_row(7, brottsdatum="?", **every)),
        lost,
        file=offences,
    )
    yield one_file(
        "an unusable field in a row that is quarantined",
        rows_and(offences, offence_row(7, brottskod="?", malsagande_kon="?")),
        Taken("offences", 3, {5: INVALID}),
        file=offences,
    )
    yield one_file(
        "an unusable field in a row that is there twice",
        rows_and(offences, *[offence_row(7, malsagande_kon="?")] * 2),
        Taken("offences", 4, duplicates=1, unusable={"malsagande_kon": 1}),
        file=offences,
    )
    yield one_file(
        "an unusable field beside an empty one in the same offence",
        rows_and(offences, offence_row(7, malsagande_kon="?"), offence_row(7)),
        Taken("offences", 3, dict.fromkeys([5, 6], "duplicate_conflict")),
        file=offences,
    )
    for source, name, column, value in CODES:
        yield one_value(f"{source}/{name} with {column} {value[:12]}", (source, name), **{column: value})


ROW_FAULTS: dict[str, tuple[str, str, str, Row | str]] = {
    "a required value is empty": ("police", "offences", "missing_value", offence_row(7, brottskod="")),
    "a required value is a no-break space": ("police", "offences", "missing_value", offence_row(7, brottskod="\u00a0")),
    "all values are empty": ("prosecution", "decisions", "missing_value", ";;;;;"),
    "the decision is of the year before": ("police", "decisions", "outside_year", police_row(7, beslutsdatum="2021-12-31")),
    "the decision is of the year after": ("prosecution", "decisions", "outside_year", prosecution_row(7, beslutsdatum="2023-01-01")),
    "dismissed, but investigated": ("police", "decisions", "contradiction", police_row(7, beslut="DIREKTAVSKRIVEN")),
    "cleared without a suspect": ("prosecution", "decisions", "contradiction", prosecution_row(7, misstanke_id="")),
    "a field too many": ("prosecution", "decisions", "malformed_row", f"{ROW};x"),
    "an empty field too many": ("prosecution", "decisions", "malformed_row", f"{ROW};"),
    "a field too few": ("prosecution", "decisions", "malformed_row", ROW.rsplit(";", 1)[0]),
    "a delimiter that is not quoted": ("prosecution", "decisions", "malformed_row", ROW.replace("m1", "m;1")),
    "commas for delimiters": ("prosecution", "decisions", "malformed_row", ROW.replace(";", ",")),
    "the whole row in quotes": ("prosecution", "decisions", "malformed_row", quoted(ROW)),
    "something behind a closing quote": ("prosecution", "decisions", "malformed_row", ROW.replace("m1", '"m1"x')),
    "a quote in quotes that is not doubled": ("prosecution", "decisions", "malformed_row", ROW.replace("m1", '"m "x" 1"')),
    "a blank line": ("prosecution", "decisions", "malformed_row", ""),
    "a line of spaces": ("prosecution", "decisions", "malformed_row", "   "),
    "a total below the rows": ("prosecution", "decisions", "malformed_row", "Summa rader: 2"),
    "half a row, where the export was interrupted": ("prosecution", "decisions", "malformed_row", ROW[: len(ROW) // 2]),
}  # fmt: skip


def row_cases() -> Iterator[Case]:
    for description, (source, name, reason, row) in ROW_FAULTS.items():
        clean = len(CLEAN[source, name])
        # Followed by a valid row, because blank lines at the end are ignored.
        content = rows_and((source, name), row, NEW_ROW[source, name](8))
        yield one_file(description, content, Taken(name, clean + 1, {clean + 2: reason}), file=(source, name))
    offences, first = ("police", "offences"), CLEAN["police", "offences"][0]
    both = Taken("offences", 2, dict.fromkeys([2, 5], "duplicate_conflict"))
    for description, rows, expected in [
        ("a row twice", [first], Taken("offences", 3, duplicates=1)),
        ("a row twice, with other spaces", [{**first, "lagrum": f"  {first['lagrum']}\u00a0"}], Taken("offences", 3, duplicates=1)),
        ("a row twice, its codes and numbers spelt otherwise",
         [{**first, "diarienummer": "0100-k001-20", "handlaggande_region": "RN05", "malsagande_kon": "k"}],
         Taken("offences", 3, duplicates=1)),
        ("an offence twice, its case number padded and its content other",
         [{**first, "diarienummer": "0100-K0000001-20", "brottsantal": "2"}], both),
        ("an offence twice, with other content", [{**first, "brottsantal": "2"}], both),
        ("an offence twice, its number written otherwise", [{**first, "brottsnummer": "01"}], both),
        ("a faulty row twice", [offence_row(7, brottskod="x")] * 2, Taken("offences", 3, {5: INVALID}, duplicates=1)),
    ]:  # fmt: skip
        yield one_file(description, rows_and(offences, *rows), expected, file=offences)
    only_bad = csv_file("prosecution", "decisions", ["x", "", "?"])
    yield one_file("nothing but bad rows", only_bad, Taken("decisions", 0, dict.fromkeys([2, 3, 4], "malformed_row")))
    yield from _mixed_line_ends()
    for quotes in (1, 2):
        rows_with_quotes = [
            ROW.replace("m1", 'm"1'),
            ROW.replace(";2;", ";3;"),
            *[ROW.replace("m1", 'm"2').replace(";2;", ";4;")] * (quotes - 1),
            ROW.replace("m1", '"two\nlines"'),
            ROW.replace(";2;", ";5;"),
        ]
        content = csv_file("prosecution", "decisions", rows_with_quotes)
        # A quote within a field is ordinary text.
        cut = dict.fromkeys([3 + quotes, 4 + quotes], "malformed_row")
        yield one_file(f"{quotes} quotes within fields swallow nothing", content, Taken("decisions", 2 + quotes, cut))


LINE_ENDS = {
    "one CRLF": ["\n", "\r\n", "\n", "\n"],
    "a header in LF": ["\n", "\r\n", "\r\n", "\r\n"],
    "a header in CRLF": ["\r\n", "\n", "\n", "\n"],
    "CRLF and LF by turns": ["\r\n", "\n", "\r\n", "\n"],
}


def _mixed_line_ends() -> Iterator[Case]:
    """They lose no row, whatever stands in quotes; a field over two lines makes both of them malformed."""
    header = HEADER.rstrip() + ";remark"
    for description, ends in LINE_ENDS.items():
        for remark in ("", '"quoted"', '"two\nlines"'):
            rows = [f"{ROW.replace(';2;', f';{number};')};{remark}" for number in (1, 2, 3)]
            text = "".join(line + end for line, end in zip([header, *rows], ends, strict=True))
            cut = dict.fromkeys(range(2, 8), "malformed_row") if "\n" in remark else {}
            expected = Taken("decisions", 0 if cut else 3, cut, warning="remark")
            yield one_file(f"mixed line ends, {description}, remarks {remark!r}", text.encode(), expected)


# --- spelling --------------------------------------------------------------------------------------------------------

CODE_LISTS = [
    (file.source, file.name, column.name, column.values)
    for file in input_contract().files
    for column in file.columns
    if column.values
]
CASES_OF_LETTERS: dict[str, Callable[[str], str]] = {
    "in small letters": str.lower,
    "in capitals": str.upper,
    "with small and capital letters exchanged": str.swapcase,
    "with a capital first": str.capitalize,
}
# How a case number is spelt, and what it is
CASE_NUMBERS = {
    "0100-k1-20": "0100-K1-20",
    "0100-K01-20": "0100-K1-20",
    "0100-k0000001-20": "0100-K1-20",
    "0100-K0000000001-20": "0100-K1-20",
    "0100-K0000000-20": "0100-K0-20",
    "0100-K10-20": "0100-K10-20",
    "0100-K09999999-20": "0100-K9999999-20",
}
PROSECUTORS = {"am-1-22": "AM-1-22", "Am-0012-22": "AM-12-22", "AM-000-22": "AM-0-22", "aM-100-22": "AM-100-22"}


def spelling_cases() -> Iterator[Case]:
    for source, name, column, codes in CODE_LISTS:
        file = (source, name)
        for how, spell in CASES_OF_LETTERS.items():
            # Dismissed offences are not investigated; prosecuted offences have a suspect.
            extra = {"utredning": "N"} if file == ("police", "decisions") and column == "beslut" else {}
            rows = [NEW_ROW[file](number, **{**extra, column: spell(code)}) for number, code in enumerate(codes, 1)]
            expected = Taken(name, len(rows), stored={column: codes})
            yield one_file(f"{source}/{name} {column} {how}", csv_file(*file, rows), expected, file=file)
            if how == "in small letters":
                case, content = f"{source}/{name} {column} {how}, Parquet", parquet_file(*file, rows)
                yield one_file(case, content, expected, file=file, suffix=".parquet")
    for spelt, number in CASE_NUMBERS.items():
        stored = {"diarienummer": [pseudonym("diarienummer", number)]}
        for source, name in COLUMNS:
            rows = [NEW_ROW[source, name](1, diarienummer=spelt)]
            expected = Taken(name, 1, stored=stored)
            yield one_file(f"{spelt} in {source}/{name}", csv_file(source, name, rows), expected, file=(source, name))
    for spelt, number in PROSECUTORS.items():
        expected = Taken("decisions", 1, stored={"aklagarnummer": [pseudonym("aklagarnummer", number)]})
        rows = [prosecution_row(1, aklagarnummer=spelt)]
        yield one_file(f"{spelt} as a prosecutor's number", csv_file("prosecution", "decisions", rows), expected)
    decision = prosecution_row(1)
    again = {**decision, "aklagarnummer": "am-0001-22", "diarienummer": "0100-k01-20", "beslut": "Atal"}
    twice = Taken("decisions", 1, duplicates=1, stored={"beslut": ["ATAL"]})
    text = csv_text([decision, again], COLUMNS["prosecution", "decisions"])
    for description, content, suffix in [
        ("CSV", text.encode(), ".csv"),
        ("gzip", gzip.compress(text.encode()), ".csv.gz"),
        ("CSV with CRLF and a byte order mark", text.replace("\n", "\r\n").encode("utf-8-sig"), ".csv"),
        ("quotes", text.replace("am-0001-22", '"am-0001-22"').encode(), ".csv"),
        ("Parquet", parquet_file("prosecution", "decisions", [decision, again]), ".parquet"),
    ]:
        yield one_file(f"a decision twice in two spellings, {description}", content, twice, suffix=suffix)
    yield Case(
        "a decision twice in two spellings, cp1252",
        "prosecution",
        functools.partial(
            put_with_manifest, source="prosecution", files={"decisions.csv": text.encode("cp1252")}, encoding="cp1252"
        ),
        twice,
    )
    other = {**decision, "misstanke_id": "M1"}
    yield one_file(
        "the case of a suspect's pseudonym matters",
        csv_file("prosecution", "decisions", [decision, other]),
        Taken("decisions", 2),
    )


# --- quotes ----------------------------------------------------------------------------------------------------------

QUOTES: dict[str, tuple[str, Taken]] = {
    "a file cut in a quoted field": ('AM-1-22;0100-K1-20;7;"m', Taken("decisions", 2, {4: "malformed_row"})),
    "a file cut behind an opening quote": ('AM-1-22;0100-K1-20;7;"', Taken("decisions", 2, {4: "malformed_row"})),
    "a file cut in a doubled quote": ('AM-1-22;0100-K1-20;7;"m ""', Taken("decisions", 2, {4: "malformed_row"})),
    "a file cut in a quoted field, blank lines behind": ('AM-1-22;0100-K1-20;7;"m\n\n\n', Taken("decisions", 2, {4: "malformed_row"})),
    "a file cut in a quoted field behind line breaks": (
        'AM-1-22;0100-K1-20;7;"m\n\nrow\n', Taken("decisions", 2, dict.fromkeys([4, 5, 6], "malformed_row"))),
    "a quote before a row": (f'"{ROW}\n{ROW}\n{ROW}\n', Taken("decisions", 2, {4: "malformed_row"}, duplicates=2)),
    "a line of one quote": ('"\n' + ROW, Taken("decisions", 2, {4: "malformed_row"}, duplicates=1)),
    "a line of two quotes": ('""\n' + ROW, Taken("decisions", 2, {4: "malformed_row"}, duplicates=1)),
    "a line of three quotes": ('"""\n' + ROW, Taken("decisions", 2, {4: "malformed_row"}, duplicates=1)),
    "an empty field in quotes": (ROW.replace("m1", '""').replace("ATAL", "EJ_ATAL"), Taken("decisions", 3)),
    "an empty field in quotes that must be filled": (ROW.replace(";2;", ';"";'), Taken("decisions", 2, {4: "missing_value"})),
    "a field of one quote": (ROW.replace("m1", '"'), Taken("decisions", 2, {4: "malformed_row"})),
    "a quote at the end of a row": (ROW.replace(";2;", ";7;") + '"', Taken("decisions", 2, {4: INVALID})),
    "a quote at the end of a suspect": (ROW.replace("m1", 'm1"'), Taken("decisions", 3)),
    "a quote opened and closed on another line": (
        f"{ROW.replace('m1', chr(34) + 'm1')}\n{ROW.replace(';2;', ';8;')}\n{ROW.replace('m1', 'm1' + chr(34))}",
        Taken("decisions", 4, {4: "malformed_row"})),
}  # fmt: skip


def quote_cases() -> Iterator[Case]:
    for description, (lines, expected) in QUOTES.items():
        content = DECISIONS + lines.encode()
        yield one_file(description, content, expected)
        yield one_file(f"{description}, CRLF", content.replace(b"\n", b"\r\n"), expected)
    cut = DECISIONS + QUOTES["a file cut in a quoted field"][0].encode()
    yield one_file(
        "a zipped file cut in a quoted field",
        gzip.compress(cut),
        Taken("decisions", 2, {4: "malformed_row"}),
        suffix=".csv.gz",
    )
    # Only a manifest could reveal that the rows between them are missing.
    rows = [prosecution_row(number, diarienummer="5000-K1-20") for number in range(1, 301)]
    stray = ROW.replace("m1", '"m1')
    many = csv_file("prosecution", "decisions", [stray, *rows, stray.replace(";2;", ";3;")])
    yield one_file(
        "300 rows between two stray quotes", many, Taken("decisions", 300, dict.fromkeys([2, 303], "malformed_row"))
    )
    columns = ["remark", *COLUMNS["prosecution", "decisions"]]
    ignored = csv_text([f'"first line;{ROW}', f'last line";{ROW.replace(";2;", ";7;")}', f"x;{ROW}"], columns)
    yield one_file(
        "a quoted line break in an ignored column",
        ignored.encode(),
        Taken("decisions", 2, {2: "malformed_row"}, warning="remark"),
    )


# --- personal identity numbers ---------------------------------------------------------------------------------------

UNUSABLE_COLUMNS = [
    (file.source, file.name, column.name) for file in input_contract().files for column in file.usable_or_missing
]
FORMS = {
    "with a dash": PERSONAL_NUMBER,
    "with a plus": "640823+3234",
    "with its century": f"19{PERSONAL_NUMBER}",
    "with its century and a plus": "19640823+3234",
    "in twelve digits": PERSONAL_NUMBER_12,
    "of a samordningsnummer": "640883-3231",  # the day + 60
    "of a samordningsnummer in twelve digits": "196408833231",
}
AROUND = {
    "in a sentence": "Anna ({}), Umeå",
    "twice": "{0}; {0}",
    "between quotes": '"{}"',
    "between no-break spaces": "\u00a0{}\u00a0",
    "behind a colon": "pnr:{}",
    "on a line of its own": "a\n{}\nb",
}
CONTAINERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "csv": (".csv", bytes),
    "gz": (".csv.gz", gzip.compress),
    "crlf": (".csv", lambda content: content.replace(b"\n", b"\r\n")),
}
ROWS_WITH_NUMBERS = {
    "a field too many": f"{ROW};{PERSONAL_NUMBER}",
    "fields too few": f"{PERSONAL_NUMBER};x",
    "nothing but the number": PERSONAL_NUMBER,
    "a closing quote in the middle": ROW.replace("AM-1-22", f'"AM-1-22"{PERSONAL_NUMBER}'),
    "a quoted field too many": f'{ROW};"{PERSONAL_NUMBER}"',
    "a quoted field too many, over line breaks": f'{ROW};"first\n\n{PERSONAL_NUMBER}\nlast"',
    "a value missing": ROW.replace("0100-K1-20", "").replace("m1", PERSONAL_NUMBER),
    "a value missing, the number in the date": ROW.replace("AM-1-22", "").replace("2022-03-01", PERSONAL_NUMBER),
    "an invalid code": ROW.replace("ATAL", PERSONAL_NUMBER),
    "an invalid integer": ROW.replace(";2;", f";{PERSONAL_NUMBER_12};"),
    "an invalid date": ROW.replace("2022-03-01", PERSONAL_NUMBER_12),
    "a date outside the year": ROW.replace("2022", "2021").replace("m1", PERSONAL_NUMBER),
    "a row that is there twice": "\n".join([ROW.replace("AM-1-22", PERSONAL_NUMBER)] * 2),
}


def personal_number_cases() -> Iterator[Case]:
    yield from _numbers_in_every_column()
    yield from _numbers_in_faulty_rows()
    yield from _numbers_in_parquet()
    file = ("prosecution", "decisions")
    columns = [*COLUMNS[file], "anmarkning"]
    both = (PERSONAL_NUMBER, PERSONAL_NUMBER_12)
    content = csv_text([f"{ROW};x", f"{ROW};{PERSONAL_NUMBER};x"], columns).encode()
    yield one_file(
        "a number in an ignored column of a malformed row", content, PERSONAL, ", line 3, a faulty row", secrets=both
    )
    ignored = [
        f"{ROW};{PERSONAL_NUMBER}",
        f"{ROW};{PERSONAL_NUMBER_12}",
        f"{ROW.replace('ATAL', '?')};{PERSONAL_NUMBER}",
    ]
    expected = Taken("decisions", 1, {4: INVALID}, duplicates=1, warning="anmarkning")
    yield one_file("numbers in an ignored column", csv_text(ignored, columns).encode(), expected, secrets=both)
    table = {**parquet_columns(*file), "anmarkning": pa.array(both)}
    ignored_parquet = Taken("decisions", 2, warning="anmarkning")
    yield one_file(
        "numbers in an ignored column of Parquet", parquet_of(table), ignored_parquet, suffix=".parquet", secrets=both
    )
    conflict = [offence_row(1), offence_row(1, lagrum=f"se {PERSONAL_NUMBER}")]
    content = csv_file("police", "offences", conflict)
    yield one_file(
        "a number among conflicting offences",
        content,
        PERSONAL,
        ", line 3, lagrum",
        ("police", "offences"),
        secrets=both,
    )
    for description, broken, place, fault in [
        ("before a quote that is never closed", b'x;"never closed', ", line 2, misstanke_id", PERSONAL),
        ("before a wrong byte", b"\xe5", None, NOT_UTF_8),
        ("before a NUL byte", b"\0", ", line 3", NUL),
        ("before a stray carriage return", b"x\rx", ", line 3", CARRIAGE_RETURN),
        ("before an endless line", b"x" * 3_000_000, ", line 3", ENDLESS_LINE),
    ]:
        content = HEADER.encode() + ROW.replace("m1", PERSONAL_NUMBER).encode() + b"\n" + broken
        place = place or f", line 3, byte {len(content) - 1}"
        yield one_file(f"a number {description}", content, fault, place, secrets=both)


def _numbers_in_every_column() -> Iterator[Case]:
    """Yield every column with some form in every container, and free text with every form and context."""
    free = {("police", "offences", "lagrum"), ("prosecution", "decisions", "misstanke_id")}
    named = [*free, ("police", "reports", "lagrum"), *UNUSABLE_COLUMNS]
    turns = list(FORMS)
    for position, (source, name, column) in enumerate(ALL_COLUMNS):
        file, clean = (source, name), len(CLEAN[source, name])
        place = column if (source, name, column) in named else "a faulty row"
        for turn, (container, (suffix, write)) in enumerate(CONTAINERS.items()):
            form = turns[(3 * position + turn) % len(turns)]
            content = rows_and(file, NEW_ROW[file](9, **{column: FORMS[form]}))
            case = f"a number {form} in {source}/{name} {column}, {container}"
            yield one_file(
                case, write(content), PERSONAL, f", line {clean + 2}, {place}", file, suffix, secrets=(FORMS[form],)
            )
    for source, name, column in sorted(free):
        file, clean = (source, name), len(CLEAN[source, name])
        ways = {**dict.fromkeys(FORMS, "{}"), **AROUND}
        for description, text in ways.items():
            number = FORMS.get(description, PERSONAL_NUMBER)
            # On a separate line it is a separate row.
            on_line = f"{clean + 3}, a faulty row" if "\n" in text else f"{clean + 2}, {column}"
            content = rows_and(file, NEW_ROW[file](9, **{column: text.format(number)}))
            yield one_file(
                f"a number {description} in {column}",
                content,
                PERSONAL,
                f", line {on_line}",
                file,
                secrets=(number,),
            )


def _numbers_in_faulty_rows() -> Iterator[Case]:
    both = (PERSONAL_NUMBER, PERSONAL_NUMBER_12)
    for position, (description, row) in enumerate(ROWS_WITH_NUMBERS.items()):
        content = rows_and(("prosecution", "decisions"), row)
        place = (
            ", line 6, a faulty row"
            if "\n\n" in row
            else ", line 4, "
            + (
                "misstanke_id"
                if f"{PERSONAL_NUMBER};2021" in row or f";{PERSONAL_NUMBER};2022" in row
                else "a faulty row"
            )
        )
        yield one_file(f"a number beside {description}", content, PERSONAL, place, secrets=both)
        container = list(CONTAINERS)[1 + position % 2]
        suffix, write = CONTAINERS[container]
        yield one_file(
            f"a number beside {description}, {container}", write(content), PERSONAL, place, suffix=suffix, secrets=both
        )
        if position % 3 == 0:
            yield one_file(
                f"a number beside {description}, cp1252", content, PERSONAL, place, encoding="cp1252", secrets=both
            )


def _numbers_in_parquet() -> Iterator[Case]:
    for description, column, values, number in [
        ("free text", "misstanke_id", pa.array(["m1", PERSONAL_NUMBER]), PERSONAL_NUMBER),
        ("a dictionary", "misstanke_id", pa.array(["m1", PERSONAL_NUMBER]).dictionary_encode(), PERSONAL_NUMBER),
        ("a case number", "diarienummer", pa.array(["0100-K1-20", PERSONAL_NUMBER]), PERSONAL_NUMBER),
        ("a prosecutor's number", "aklagarnummer", pa.array(["AM-1-22", PERSONAL_NUMBER]), PERSONAL_NUMBER),
        ("a code", "beslut", pa.array(["ATAL", PERSONAL_NUMBER]), PERSONAL_NUMBER),
        ("an integer as text", "brottsnummer", pa.array(["1", PERSONAL_NUMBER_12]), PERSONAL_NUMBER_12),
        ("an integer", "brottsnummer", pa.array([1, int(PERSONAL_NUMBER_12)]), PERSONAL_NUMBER_12),
        ("a date as text", "beslutsdatum", pa.array(["2022-03-01", PERSONAL_NUMBER]), PERSONAL_NUMBER),
    ]:
        content = parquet_of({**parquet_columns("prosecution", "decisions"), column: values})
        place = ", line 2, " + ("misstanke_id" if column == "misstanke_id" else "a faulty row")
        yield one_file(
            f"a number in Parquet as {description}", content, PERSONAL, place, suffix=".parquet", secrets=(number,)
        )


# --- written to while it is read -------------------------------------------------------------------------------------


def _append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\n")


def _touch(path: Path) -> None:
    os.utime(path, (1, 1))


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _other_content(path: Path) -> Path:
    other = path.with_suffix(".part")
    other.write_bytes(path.read_bytes().replace(b"ATAL", b"JATA").replace(b"NEDLAGD", b"OVRIGT!"))
    return other


def _rename_over(path: Path) -> None:
    _other_content(path).replace(path)


def _rename_over_with_its_times(path: Path) -> None:
    """Replace the content but keep size and modification time, as programs that preserve times do."""
    other, stat = _other_content(path), path.stat()
    os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    other.replace(path)


CHANGES: dict[str, Callable[[Path], None]] = {
    "appended to": _append,
    "touched": _touch,
    "cut": _cut,
    "replaced by a rename": _rename_over,
    "replaced by a rename that keeps its times": _rename_over_with_its_times,
}


def before_step(step: str, number: int, act: Callable[[Path], object]) -> Meddling:
    """Change the folder just before the n-th call of a step of ingest."""

    @contextlib.contextmanager
    def meddling(folder: Path) -> Iterator[None]:
        original = getattr(ingest_module, step)
        calls = iter(range(1, 100))

        def step_with_action(*arguments: Any) -> Any:
            if next(calls) == number:
                act(folder)
            return original(*arguments)

        with mock.patch.object(ingest_module, step, step_with_action):
            yield
        assert next(calls) > number, f"{step} was not called {number} times"

    return meddling


class _Interrupted:
    """An open file that is changed after its first chunk was read."""

    def __init__(self, file: Any, act: Callable[[], object]) -> None:
        self.file, self.act = file, iter([act])

    def read(self, size: int = -1) -> bytes:
        data: bytes = self.file.read(size)
        for act in self.act:
            act()
        return data

    def __enter__(self) -> _Interrupted:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


def within_reading(name: str, act: Callable[[Path], object]) -> Meddling:
    """Change a file of the folder after its first chunk was hashed."""

    @contextlib.contextmanager
    def meddling(folder: Path) -> Iterator[None]:
        open_file, acted = Path.open, []

        def open_and_interrupt(path: Path, mode: str = "r", *arguments: Any, **options: Any) -> Any:
            file = open_file(path, mode, *arguments, **options)
            if path != folder / name or mode != "rb" or acted:
                return file
            acted.append(path)
            return _Interrupted(file, lambda: act(path))

        with mock.patch.object(Path, "open", open_and_interrupt):
            yield
        assert acted, f"{name} was not read"

    return meddling


MOMENTS = {
    "while the other file is received": ("receive_file", 2, "offences.csv"),
    "between hashing and judging": ("validate_file", 1, "offences.csv"),
    "before its own judging": ("validate_file", 2, "decisions.csv"),
}


def meddling_cases() -> Iterator[Case]:
    gone = Fault("could not be read|cannot be read|changed while", "Load again|[Dd]eliver it again")
    for when, (step, number, name) in MOMENTS.items():
        content = POLICE[name] + b"\n\n"  # so that it was not loaded before
        write = folder_of("police", {**POLICE, name: content})
        for description, change in CHANGES.items():
            change_it = functools.partial(lambda folder, change, name: change(folder / name), change=change, name=name)
            fault = gone if description == "cut" else CHANGED
            meddling = before_step(step, number, change_it)
            yield Case(f"{description} {when}", "police", write, Rejected(name, fault), meddling=meddling)
    packed: dict[str, Callable[[bytes], bytes]] = {
        ".csv": bytes,
        ".csv.gz": lambda content: gzip.compress(content, 1),
        ".parquet": lambda _content: PARQUET,
    }
    for suffix, pack in packed.items():
        name = f"decisions{suffix}"
        content_of = functools.partial(lambda pack: pack(long_decisions(1_500_000, b"")[0]), pack)
        for description, change in CHANGES.items():
            fault = (
                Fault("changed while|truncated|not a readable", "Load again|Deliver it again")
                if description in ("cut", "appended to")
                else CHANGED
            )
            write = folder_of("prosecution", {name: content_of})
            yield Case(f"{description} while it is hashed, {suffix}", "prosecution", write, Rejected(name, fault),
                       meddling=within_reading(name, change))  # fmt: skip
    changed_decisions = folder_of("police", {**POLICE, "decisions.csv": POLICE["decisions.csv"] + b"\n"})
    gone_before = before_step("validate_file", 1, lambda folder: (folder / "decisions.csv").unlink())
    yield Case(
        "gone before it is judged", "police", changed_decisions, Rejected("decisions.csv", gone), meddling=gone_before
    )
    late = before_step("validate_file", 1, lambda folder: (folder / "manifest.json").write_bytes(b"{"))
    complete = Taken("decisions", 3, warning="no manifest, so the delivery could not be verified")
    write = folder_of("prosecution", {"decisions.csv": DECISIONS + ROW.replace(";2;", ";9;").encode()})
    yield Case("the manifest comes while the files are judged", "prosecution", write, complete, meddling=late)
    doubled = before_step("validate_file", 1, lambda folder: (folder / "decisions.parquet").write_bytes(PARQUET))
    yield Case("a second container comes while the first is judged", "prosecution", write, complete, meddling=doubled)


# --- large files -----------------------------------------------------------------------------------------------------

MEGABYTE = 1_000_000
LARGE_ROWS = 1_500_000
# Every thousandth row has one of these faults, at this place of the thousand
LARGE_FAULTS = {7: ("brottsantal", "1e3", INVALID), 11: ("handlaggande_region", "rn03", None),
                501: ("brottskod", "", "missing_value"), 997: ("brottsdatum", "2020-06-02", None)}  # fmt: skip


def _large_offences(path: Path) -> None:
    good = {**offence_row(), "lagrum": "BrB 6 kap. 10 a §", "handlaggande_region": "Rn05", "malsagande_kon": "K"}
    key = {"diarienummer": "'0100-K' || (n // 3) || '-20'", "brottsnummer": "1 + n % 3"}
    values = {column: key.get(column, f"'{value}'") for column, value in good.items()}
    for place, (column, bad, _reason) in LARGE_FAULTS.items():
        values[column] = f"case when n % 1000 = {place} then '{bad}' else {values[column]} end"
    columns = ", ".join(f"{value} as {column}" for column, value in values.items())
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select {columns} from range({LARGE_ROWS}) as r (n)) to '{path}' (delimiter ';', header)"
        )


def _large_file(settings: Settings) -> None:
    _large_offences(put(settings, "police", POLICE) / "offences.csv")


WRONG_LINE = 900_000


def _large_file_with_a_wrong_byte(settings: Settings) -> None:
    """Write rows of equal length, so that the position of the byte is known."""
    row = csv_line(prosecution_row(2, misstanke_id="m" * 40), COLUMNS["prosecution", "decisions"]).encode() + b"\n"
    with (put(settings, "prosecution", {}) / "decisions.csv").open("wb") as file:
        file.write(HEADER.encode())
        for _thousand in range(2 * WRONG_LINE // 1000):
            file.write(row * 1000)
        file.seek(_wrong_byte())
        file.write(b"\xe5")


def _wrong_byte() -> int:
    row = csv_line(prosecution_row(2, misstanke_id="m" * 40), COLUMNS["prosecution", "decisions"])
    return len(HEADER) + (WRONG_LINE - 2) * (len(row) + 1) + row.index("mm")


def _single_line(settings: Settings, before: bytes = DECISIONS) -> None:
    with (put(settings, "prosecution", {}) / "decisions.csv").open("wb") as file:
        file.write(before)
        for _megabyte in range(200):
            file.write(b"x" * MEGABYTE)


def _gzip_bomb(settings: Settings, filling: bytes) -> None:
    """Write a gigabyte compressed to a megabyte."""
    member = gzip.compress(filling * (10 * MEGABYTE // len(filling)))
    content = gzip.compress(DECISIONS) + member * 100
    put(settings, "prosecution", {"decisions.csv.gz": content})


def _long_value(settings: Settings) -> None:
    columns = parquet_columns("prosecution", "decisions", [prosecution_row(1, misstanke_id="x" * 200 * MEGABYTE)])
    put(settings, "prosecution", {"decisions.parquet": parquet_of(columns, compression="zstd")})


def large_cases() -> Iterator[Case]:
    """Return a case with a memory limit; a process that has loaded nothing large stays below 200 MB."""

    def large(
        name: str,
        source: str,
        write: Callable[[Settings], object],
        expected: Rejected | Taken,
        most: int = 250,
        slow: bool = False,
    ) -> Case:
        return Case(name, source, write, expected, most_megabytes=most, is_slow=slow)

    csv = "decisions.csv"
    yield large("a single line of 200 MB", "prosecution", _single_line, Rejected(f"{csv}, line 4", ENDLESS_LINE))
    yield large(
        "a header of 200 MB",
        "prosecution",
        lambda settings: _single_line(settings, b""),
        Rejected(f"{csv}, line 1", ENDLESS_LINE),
    )
    for description, filling, where, fault in [
        ("of blank lines", b"\n", "", BOMB),
        ("of rows", ROW.encode() + b"\n", "", BOMB),
        ("of one line", b"x", ", line 4", ENDLESS_LINE),
    ]:
        write = functools.partial(_gzip_bomb, filling=filling)
        slow = fault is BOMB
        yield large(f"a gzip bomb {description}", "prosecution", write, Rejected(f"{csv}.gz{where}", fault), slow=slow)
    yield large("a Parquet value of 200 MB", "prosecution", _long_value, Rejected("decisions.parquet", BOMB), slow=True)
    place = f"{csv}, line {WRONG_LINE}, byte {_wrong_byte()}"
    yield large(
        "a wrong byte in the middle of a large file",
        "prosecution",
        _large_file_with_a_wrong_byte,
        Rejected(place, CP1252),
    )
    reasons = {place: reason for place, (_column, _bad, reason) in LARGE_FAULTS.items() if reason}
    quarantined = {n + 2: reasons[n % 1000] for n in range(LARGE_ROWS) if n % 1000 in reasons}
    unusable = {"brottsdatum": LARGE_ROWS // 1000}
    expected = Taken("offences", LARGE_ROWS - len(quarantined), quarantined, unusable=unusable)
    yield large("faults in every thousand of 1.5 million rows", "police", _large_file, expected, 1500, slow=True)


# --- the registry ----------------------------------------------------------------------------------------------------


def _registry(groups: Iterable[Callable[[], Iterator[Case]]]) -> dict[str, Case]:
    cases = [case for group in groups for case in group()]
    by_name = {case.name: case for case in cases}
    if len(by_name) != len(cases):
        names = [case.name for case in cases]
        raise ValueError(f"two cases have one name: {sorted({name for name in names if names.count(name) > 1})}")
    return by_name


CASES = _registry(
    [
        file_cases,
        unreadable_cases,
        column_cases,
        encoding_cases,
        manifest_cases,
        link_cases,
        parquet_cases,
        value_cases,
        row_cases,
        spelling_cases,
        quote_cases,
        personal_number_cases,
        meddling_cases,
        large_cases,
    ]
)

# --- the runner ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Attempt:
    """The outcome of a load: the parts of the rejection, if any, and all output and logs."""

    rejection: dict[str, str] | None
    printed: str
    megabytes: int | None = None


def findings(case: Case, settings: Settings) -> list[str]:
    """Run a case in a warehouse with clean deliveries; return the deviations from the contract."""
    case.write(settings)
    landing, home = _checksums(settings.landing), everything_in(settings.home)
    active = read_state(settings).active
    attempt = _in_a_process(case, settings) if case.most_megabytes else _here(case, settings)
    messages = _leaks(case, settings, attempt)
    if attempt.megabytes and case.most_megabytes and attempt.megabytes > case.most_megabytes:
        messages.append(f"it took {attempt.megabytes} MB, more than {case.most_megabytes}")
    if not case.meddling and _checksums(settings.landing) != landing:
        messages.append("the landing folder is not as it was")
    if any((settings.home / paths.SCRATCH).glob("*")):
        messages.append("something is left in scratch")
    # A manifest delivered with the same bytes changes the record of the delivery.
    kept = {name: content for name, content in home.items() if name.startswith("raw/") and name.endswith(".parquet")}
    lost = [name for name, content in kept.items() if not _is(settings.home / name, content)]
    messages += [f"{name} is not as it was" for name in lost]
    if isinstance(case.expected, Rejected):
        if everything_in(settings.home) != home or read_state(settings).active != active:
            messages.append("the warehouse is not as it was")
        return messages + _wrong_in_rejection(case, case.expected, attempt)
    return messages + _wrong_in_what_was_taken(
        case, case.expected, settings, attempt, len(json.loads(home["ledger.json"]))
    )


def _wrong_in_rejection(case: Case, expected: Rejected, attempt: Attempt) -> list[str]:
    if attempt.rejection is None:
        return ["it was not rejected"]
    document = attempt.rejection
    where = f"{case.source}/{case.year}" + (f"/{expected.where}" if expected.where else "")
    wrong = []
    if document["where"] != where:
        wrong.append(f"the place is {document['where']}, not {where}")
    if not re.search(expected.fault.problem, document["problem"]):
        wrong.append(f"the problem is {document['problem']!r}, not {expected.fault.problem!r}")
    if not re.search(expected.fault.remedy, document["remedy"]):
        wrong.append(f"the remedy is {document['remedy']!r}, not {expected.fault.remedy!r}")
    if (
        document["message"]
        != f"{document['where']}: {document['problem']}. {document['remedy']}.".encode("utf-8", "replace").decode()
    ):
        wrong.append(f"the message is {document['message']!r}")
    return wrong


def _wrong_in_what_was_taken(
    case: Case, expected: Taken, settings: Settings, attempt: Attempt, activated: int
) -> list[str]:
    if attempt.rejection is not None:
        return [f"it was rejected: {attempt.rejection['message']}"]
    record = read_state(settings).active[case.source, case.year]
    file = record.files[expected.file]
    wrong = []
    if (file.rows_loaded, file.duplicates) != (expected.loaded, expected.duplicates):
        wrong.append(f"{file.rows_loaded} rows were loaded, {file.duplicates} duplicates dropped")
    # Reading a million rows into Python takes longer than loading them.
    reasons = (_quarantined if case.most_megabytes else _read_back)(settings, record, expected.file)
    if reasons != expected.quarantined:
        differing = sorted(set(reasons.items()) ^ set(expected.quarantined.items()))
        wrong.append(f"quarantined differently: {differing[:10]}")
    if file.unusable != expected.unusable:
        wrong.append(f"unusable values: {dict(file.unusable)}")
    for column, values in expected.stored.items():
        rows = outcome(settings, record, expected.file).rows
        if [row[column] for row in rows] != list(values):
            wrong.append(f"{column} is stored otherwise")
    if expected.warning and not any(re.search(expected.warning, warning) for warning in record.warnings):
        wrong.append(f"no warning like {expected.warning!r} in {record.warnings}")
    ignored = [warning for warning in record.warnings if "ignored" in warning]
    if ignored and not expected.warning:
        wrong.append(f"a warning that nothing calls for: {ignored}")
    # The same bytes are the same delivery; any other delivery was activated once.
    if len(read_state(settings).ledger) - activated != int(not _is_clean(case, settings)):
        wrong.append("it was not activated once")
    return wrong


def _read_back(settings: Settings, record: DeliveryRecord, name: str) -> dict[int, str]:
    return outcome(settings, record, name).reasons


def _quarantined(settings: Settings, record: DeliveryRecord, name: str) -> dict[int, str]:
    rows = rows_of_parquet(raw_folder(settings, record) / f"{name}_quarantine.parquet")
    return {row["line"]: row["reason"] for row in rows}


def _is_clean(case: Case, settings: Settings) -> bool:
    folder = settings.landing / case.source / str(case.year)
    return all(
        (folder / name).is_file() and (folder / name).read_bytes() == content
        for name, content in files_of(case.source).items()
    ) and not any(path for source, name in OPTIONAL if source == case.source for path in folder.glob(f"{name}.*"))


def _leaks(case: Case, settings: Settings, attempt: Attempt) -> list[str]:
    """Return where a value of a row was printed or a secret stored."""
    printed = attempt.printed.lower()
    found = [f"{value!r} was printed" for value in (*VALUES, *case.secrets) if value.lower() in printed]
    found += [f"{secret!r} is kept" for secret in case.secrets if holds(settings.home, secret)]
    return found


def _here(case: Case, settings: Settings) -> Attempt:
    meddling = case.meddling or contextlib.nullcontext
    with _everything_logged() as logged, meddling(settings.landing / case.source / str(case.year)):
        rejection, printed = _load(case.source, case.year, settings)
    return Attempt(rejection, printed + "".join(logged))


def _load(source: str, year: int, settings: Settings) -> tuple[dict[str, str] | None, str]:
    try:
        load(settings, source, year)
    except RejectedDeliveryError as error:
        printed = "".join(traceback.format_exception(error))
        return {"where": error.where, "problem": error.problem, "remedy": error.remedy, "message": str(error)}, printed
    return None, ""


@contextlib.contextmanager
def _everything_logged() -> Iterator[list[str]]:
    """Capture all logs and warnings during the block."""
    document: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: document.append(handler.format(record) + "\n")  # type: ignore[method-assign]
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield document
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


def _in_a_process(case: Case, settings: Settings) -> Attempt:
    """Load in a separate process to measure its memory."""
    places = [str(folder) for folder in (settings.landing, settings.home, settings.published)]
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("ingest_alone.py")), *places, case.source, str(case.year)],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    document = json.loads(done.stdout.splitlines()[-1])
    return Attempt(document["rejection"], document["printed"] + done.stderr, document["megabytes"])


def _checksums(folder: Path) -> dict[str, str]:
    """Return the content of a folder: files by checksum, links by target, everything else by mode."""

    def look(path: Path) -> str:
        if path.is_symlink():
            return f"-> {path.readlink()}"
        if not path.is_file():
            return oct(path.lstat().st_mode)
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    return {str(path.relative_to(folder)): look(path) for path in folder.rglob("*")}


def _is(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def corpus_figures() -> tuple[int, int]:
    """Return the number of bad deliveries and of those handled as the contract requires."""
    from corpus_diagnosis import DIAGNOSED  # imports this module

    cases = {**CASES, **DIAGNOSED}
    handled = 0
    with tempfile.TemporaryDirectory(prefix="uppklarat-corpus-") as folder:
        clean = settings_in(Path(folder) / "clean")
        for source in ("police", "prosecution"):
            put(clean, source, files_of(source))
            load(clean, source)
        for case in cases.values():
            place = Path(folder) / "case"
            shutil.copytree(Path(folder) / "clean", place)
            try:
                wrong = findings(case, settings_in(place))
            except Exception as error:
                wrong = [f"{type(error).__name__}"]
            handled += not wrong
            if wrong:
                print(f"not handled as the contract says: {case.name}: {'; '.join(wrong)}", file=sys.stderr)
            shutil.rmtree(place)
    return len(cases), handled
