"""Reads the deliveries in a landing folder and judges every row, as the input contract says."""

import csv
import gzip
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from .facts import REGIONS

Row = dict[str, str]  # the contract's columns, trimmed; an empty text is a missing value
Key = tuple[str, int]  # diarienummer and brottsnummer: the offence

CLEARING = ("ATAL", "STRAFFORELAGGANDE", "ATALSUNDERLATELSE")
LARGEST_INTEGER = 2**31 - 1


# --- what a value must look like ------------------------------------------------------------------------------------


def text(_value: str) -> bool:
    return True


def pattern(regex: str) -> Callable[[str], bool]:
    return lambda value: re.fullmatch(regex, value) is not None


def one_of(*values: str) -> Callable[[str], bool]:
    return lambda value: value in values


def at_most(length: int) -> Callable[[str], bool]:
    return lambda value: len(value) <= length


def integer(lowest: int, highest: int = LARGEST_INTEGER) -> Callable[[str], bool]:
    return lambda value: re.fullmatch("[0-9]+", value) is not None and lowest <= int(value) <= highest


def calendar_date(value: str) -> bool:
    if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Column:
    """A column of the contract."""

    is_valid: Callable[[str], bool]
    required: bool = False


OFFENCE_KEY = {
    "diarienummer": Column(pattern("[0-9]{4}-K[0-9]{1,7}-[0-9]{2}"), required=True),
    "brottsnummer": Column(integer(1), required=True),
}

CONTRACT: dict[tuple[str, str], dict[str, Column]] = {
    ("police", "offences"): {
        **OFFENCE_KEY,
        "brottskod": Column(pattern("[0-9]{4}"), required=True),
        "lagrum": Column(text),
        "brottsantal": Column(integer(1), required=True),
        "anmalningsdatum": Column(calendar_date),
        "brottsdatum": Column(calendar_date),
        "kommunkod": Column(pattern("[0-9]{4}")),
        "handlaggande_region": Column(one_of(*REGIONS)),
        "malsagande_kon": Column(one_of("K", "M")),
        "malsagande_alder": Column(integer(0, 120)),
    },
    ("police", "decisions"): {
        **OFFENCE_KEY,
        "beslutsdatum": Column(calendar_date, required=True),
        "beslut": Column(
            one_of("DIREKTAVSKRIVEN", "NEDLAGD", "FU_BEGRANSAD", "OVRIGT", "OVERLAMNAD", "ATERUPPTAGEN"), required=True
        ),
        "utredning": Column(one_of("J", "N"), required=True),
        "skaligen_misstankt": Column(one_of("J", "N"), required=True),
    },
    ("prosecution", "decisions"): {
        "aklagarnummer": Column(pattern("AM-[0-9]{1,7}-[0-9]{2}"), required=True),
        **OFFENCE_KEY,
        "misstanke_id": Column(at_most(64)),
        "beslutsdatum": Column(calendar_date, required=True),
        "beslut": Column(
            one_of(*CLEARING, "FU_BEGRANSAD", "NEDLAGD", "EJ_ATAL", "OVRIGT", "ATERUPPTAGEN"), required=True
        ),
    },
}


# --- what the rules work on ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Offence:
    """A registered offence, as one police extract describes it."""

    key: Key
    code: str
    provision: str
    number_of_offences: int
    reported: date | None
    municipality: str
    handling_region: str
    victim_sex: str
    victim_age: int | None


@dataclass(frozen=True)
class Decision:
    """A decision on one offence, whoever took it."""

    key: Key
    day: date
    kind: str
    by_prosecutor: bool
    shows_investigation: bool
    shows_suspect: bool


@dataclass
class File:
    """One delivered file after judgement: rows_read = len(loaded) + len(quarantined) + duplicates."""

    source: str
    year: int
    name: str  # offences or decisions
    rows_read: int = 0
    duplicates: int = 0
    loaded: list[tuple[int, Row]] = field(default_factory=list)  # (line, row)
    quarantined: list[tuple[int, str]] = field(default_factory=list)  # (line, reason)


@dataclass
class Landing:
    """All deliveries of a landing folder, judged."""

    files: list[File]
    complete_years: list[int]
    offences: dict[int, dict[Key, Offence]]  # by the year of the police extract

    def offence(self, key: Key, year: int) -> Offence | None:
        """The offence as the extract of the decision year has it, else as the nearest earlier year's has it."""
        for extract_year in sorted(self.offences, reverse=True):
            if extract_year <= year and key in self.offences[extract_year]:
                return self.offences[extract_year][key]
        return None

    def decisions(self, year: int) -> list[Decision]:
        """All decisions of the year that are loaded, from both sources."""
        files = [file for file in self.files if file.year == year and file.name == "decisions"]
        return [_decision(file.source, row) for file in files for _line, row in file.loaded]


def read_landing(landing: Path) -> Landing:
    """Read and judge everything that is delivered."""
    files = [
        judge_rows(source, year, name, read_rows(landing / source / str(year), name, columns))
        for (source, name), columns in CONTRACT.items()
        for year in _delivered_years(landing, source)
    ]
    years = {source: set(_delivered_years(landing, source)) for source in ("police", "prosecution")}
    result = Landing(
        files=files,
        complete_years=sorted(years["police"] & years["prosecution"]),
        offences={
            file.year: {_key(row): _offence(row) for _line, row in file.loaded}
            for file in files
            if file.name == "offences"
        },
    )
    # A year that still waits for its other half is not derived, so nothing in it is looked up yet.
    for file in files:
        if file.name == "decisions" and file.year in result.complete_years:
            _judge_links(file, result)
    return result


# --- reading -------------------------------------------------------------------------------------------------------


def read_rows(folder: Path, name: str, columns: Iterable[str]) -> Iterator[tuple[int, Row | None]]:
    """The line and the contract's columns of every data row; None for a row with the wrong number of fields."""
    if (folder / f"{name}.parquet").exists():
        table = pq.read_table(folder / f"{name}.parquet")
        titles = table.column_names
        records = [
            (number, [_as_text(value) for value in row.values()]) for number, row in enumerate(table.to_pylist(), 1)
        ]
    else:
        (_line, titles), *records = _csv_records(folder, name)
    for line, fields in records:
        if len(fields) == len(titles):
            row = {title.strip().lower(): value.strip() for title, value in zip(titles, fields, strict=True)}
            yield line, {column: row[column] for column in columns}
        else:
            yield line, None


def _csv_records(folder: Path, name: str) -> list[tuple[int, list[str]]]:
    """Every record with the line it begins on; blank lines at the end of the file are no records."""
    plain, zipped = folder / f"{name}.csv", folder / f"{name}.csv.gz"
    content = plain.read_bytes() if plain.exists() else gzip.decompress(zipped.read_bytes())
    encoding = _encoding(folder)
    reader = csv.reader(
        io.StringIO(content.decode("utf-8-sig" if encoding == "utf-8" else encoding), newline=""), delimiter=";"
    )
    records = []
    last_line = 0
    for fields in reader:
        records.append((last_line + 1, fields))
        last_line = reader.line_num
    while records[-1][1] == []:
        records.pop()
    return records


def _encoding(folder: Path) -> str:
    manifest = folder / "manifest.json"
    return json.loads(manifest.read_text("utf-8")).get("encoding", "utf-8") if manifest.exists() else "utf-8"


def _as_text(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value)


def _delivered_years(landing: Path, source: str) -> list[int]:
    folder = landing / source
    if not folder.exists():
        return []
    return sorted(int(year.name) for year in folder.iterdir() if re.fullmatch("[0-9]{4}", year.name))


# --- judging -------------------------------------------------------------------------------------------------------


def judge_rows(source: str, year: int, name: str, rows: Iterable[tuple[int, Row | None]]) -> File:
    """Put every row of a file through the checks that need no other file."""
    file = File(source, year, name)
    seen: set[tuple[str, ...]] = set()
    for line, row in rows:
        file.rows_read += 1
        if row is None:
            file.quarantined.append((line, "malformed_row"))
        elif tuple(row.values()) in seen:
            file.duplicates += 1
        else:
            seen.add(tuple(row.values()))
            reason = first_fault(source, year, name, row)
            if reason:
                file.quarantined.append((line, reason))
            else:
                file.loaded.append((line, row))
    if name == "offences":
        rows_of = Counter(_key(row) for _line, row in file.loaded)
        _quarantine(file, lambda row: "duplicate_conflict" if rows_of[_key(row)] > 1 else None)
    return file


def first_fault(source: str, year: int, name: str, row: Row) -> str | None:
    """The first check that the row fails by itself."""
    columns = CONTRACT[source, name]
    if any(column.required and row[title] == "" for title, column in columns.items()):
        return "missing_value"
    if any(row[title] != "" and not column.is_valid(row[title]) for title, column in columns.items()):
        return "invalid_value"
    if name == "offences":
        # Dates of this form stand in the same order as their texts
        return "date_order" if row["anmalningsdatum"] and row["brottsdatum"] > row["anmalningsdatum"] else None
    if date.fromisoformat(row["beslutsdatum"]).year != year:
        return "outside_year"
    if source == "police" and row["beslut"] == "DIREKTAVSKRIVEN" and row["utredning"] == "J":
        return "contradiction"
    if source == "prosecution" and row["beslut"] in CLEARING and row["misstanke_id"] == "":
        return "contradiction"
    return None


def _judge_links(file: File, landing: Landing) -> None:
    """Put the decisions of a complete year through the checks that need their offences."""

    def fault(row: Row) -> str | None:
        offence = landing.offence(_key(row), file.year)
        if offence is None:
            return "orphan"
        is_before = offence.reported is not None and date.fromisoformat(row["beslutsdatum"]) < offence.reported
        return "date_order" if is_before else None

    _quarantine(file, fault)


def _quarantine(file: File, fault: Callable[[Row], str | None]) -> None:
    """Move the loaded rows that have the fault into quarantine."""
    loaded, file.loaded = file.loaded, []
    for line, row in loaded:
        reason = fault(row)
        if reason:
            file.quarantined.append((line, reason))
        else:
            file.loaded.append((line, row))


def _key(row: Row) -> Key:
    return row["diarienummer"], int(row["brottsnummer"])


def _offence(row: Row) -> Offence:
    return Offence(
        key=_key(row),
        code=row["brottskod"],
        provision=row["lagrum"],
        number_of_offences=int(row["brottsantal"]),
        reported=date.fromisoformat(row["anmalningsdatum"]) if row["anmalningsdatum"] else None,
        municipality=row["kommunkod"],
        handling_region=row["handlaggande_region"],
        victim_sex=row["malsagande_kon"],
        victim_age=int(row["malsagande_alder"]) if row["malsagande_alder"] else None,
    )


def _decision(source: str, row: Row) -> Decision:
    by_prosecutor = source == "prosecution"
    return Decision(
        key=_key(row),
        day=date.fromisoformat(row["beslutsdatum"]),
        kind=row["beslut"],
        by_prosecutor=by_prosecutor,
        shows_investigation=by_prosecutor or row["utredning"] == "J",
        shows_suspect=row["misstanke_id"] != "" if by_prosecutor else row["skaligen_misstankt"] == "J",
    )
