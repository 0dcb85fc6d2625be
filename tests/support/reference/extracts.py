"""Reads the deliveries in a landing folder and validates every row as the input contract requires."""

import gzip
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


def as_written(value: str) -> str:
    return value


def upper(value: str) -> str:
    """Convert to capitals, unless the text has letters that no code or case number has."""
    return value.upper() if value.isascii() else value


def code_of(*codes: str) -> Callable[[str], str]:
    return lambda value: next((code for code in codes if upper(code) == upper(value)), value)


def numbered(before: str) -> Callable[[str], str]:
    """Convert to capitals, without leading zeros after the prefix."""

    def normal(value: str) -> str:
        front, found, serial = upper(value).partition(before)
        digits = len(serial) - len(serial.lstrip("0123456789"))
        return front + found + (serial[:digits].lstrip("0") or serial[: min(digits, 1)]) + serial[digits:]

    return normal


@dataclass(frozen=True)
class Column:
    """A column of the contract; an invalid value is missing if it `can_be_unusable`, otherwise the row is invalid."""

    is_valid: Callable[[str], bool]
    required: bool = False
    normal: Callable[[str], str] = as_written
    can_be_unusable: bool = False


def code_list(*codes: str, required: bool = False, can_be_unusable: bool = False) -> Column:
    return Column(one_of(*codes), required, code_of(*codes), can_be_unusable)


OFFENCE_KEY = {
    "diarienummer": Column(pattern("[0-9]{4}-K[0-9]{1,7}-[0-9]{2}"), required=True, normal=numbered("-K")),
    "brottsnummer": Column(integer(1), required=True),
}

CONTRACT: dict[tuple[str, str], dict[str, Column]] = {
    ("police", "offences"): {
        **OFFENCE_KEY,
        "brottskod": Column(pattern("[0-9]{4}"), required=True),
        "lagrum": Column(text),
        "brottsantal": Column(integer(1), required=True),
        "anmalningsdatum": Column(calendar_date, can_be_unusable=True),
        "brottsdatum": Column(calendar_date, can_be_unusable=True),
        "kommunkod": Column(pattern("[0-9]{4}"), can_be_unusable=True),
        "handlaggande_region": code_list(*REGIONS, can_be_unusable=True),
        "malsagande_kon": code_list("K", "M", can_be_unusable=True),
        "malsagande_alder": Column(integer(0, 120), can_be_unusable=True),
    },
    ("police", "decisions"): {
        **OFFENCE_KEY,
        "beslutsdatum": Column(calendar_date, required=True),
        "beslut": code_list(
            "DIREKTAVSKRIVEN", "NEDLAGD", "FU_BEGRANSAD", "OVRIGT", "OVERLAMNAD", "ATERUPPTAGEN", required=True
        ),
        "utredning": code_list("J", "N", required=True),
        "skaligen_misstankt": code_list("J", "N", required=True),
    },
    ("police", "reports"): {
        **OFFENCE_KEY,
        "brottskod": Column(pattern("[0-9]{4}"), required=True),
        "lagrum": Column(text),
        "brottsantal": Column(integer(1), required=True),
        "anmalningsdatum": Column(calendar_date, required=True),
        "kommunkod": Column(pattern("[0-9]{4}"), can_be_unusable=True),
        "handlaggande_region": code_list(*REGIONS, can_be_unusable=True),
    },
    ("prosecution", "decisions"): {
        "aklagarnummer": Column(pattern("AM-[0-9]{1,7}-[0-9]{2}"), required=True, normal=numbered("AM-")),
        **OFFENCE_KEY,
        "misstanke_id": Column(at_most(64)),
        "beslutsdatum": Column(calendar_date, required=True),
        "beslut": code_list(*CLEARING, "FU_BEGRANSAD", "NEDLAGD", "EJ_ATAL", "OVRIGT", "ATERUPPTAGEN", required=True),
    },
}


OPTIONAL = [("police", "reports")]  # files that a delivery may lack


# --- what the rules work on ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Offence:
    """A registered offence in a police extract."""

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
    """A decision on an offence by police or prosecutor."""

    key: Key
    day: date
    kind: str
    by_prosecutor: bool
    shows_investigation: bool
    shows_suspect: bool
    suspicion: str  # misstanke_id; empty if none


@dataclass
class File:
    """A validated file: rows_read = len(loaded) + len(quarantined) + duplicates."""

    source: str
    year: int
    name: str  # offences, decisions or reports
    rows_read: int = 0
    duplicates: int = 0
    loaded: list[tuple[int, Row]] = field(default_factory=list)  # (line, row)
    quarantined: list[tuple[int, str]] = field(default_factory=list)  # (line, reason)
    unusable: Counter[str] = field(default_factory=Counter)  # loaded rows by column whose value became missing


@dataclass
class Landing:
    """All validated deliveries of a landing folder."""

    files: list[File]
    complete_years: list[int]
    offences: dict[int, dict[Key, Offence]]  # by the year of the police extract
    reports: dict[int, dict[Key, Offence]]  # reported offences, by the year of their report

    def offence(self, key: Key, year: int) -> Offence | None:
        """Return the offence from the extract of the decision year, otherwise from the nearest earlier one."""
        for extract_year in sorted(self.offences, reverse=True):
            if extract_year <= year and key in self.offences[extract_year]:
                return self.offences[extract_year][key]
        return None

    def decisions(self, year: int) -> list[Decision]:
        """All decisions of the year that are loaded, from both sources."""
        files = [file for file in self.files if file.year == year and file.name == "decisions"]
        return [_decision(file.source, row) for file in files for _line, row in file.loaded]


def read_landing(landing: Path) -> Landing:
    """Read and validate all deliveries."""
    files = [
        judge_rows(source, year, name, read_rows(landing / source / str(year), name, columns))
        for (source, name), columns in CONTRACT.items()
        for year in _delivered_years(landing, source)
        if (source, name) not in OPTIONAL or any((landing / source / str(year)).glob(f"{name}.*"))
    ]
    years = {source: set(_delivered_years(landing, source)) for source in ("police", "prosecution")}
    result = Landing(
        files=files,
        complete_years=sorted(years["police"] & years["prosecution"]),
        offences=_offences_of(files, "offences"),
        reports=_offences_of(files, "reports"),
    )
    # Incomplete years are not derived, so nothing is looked up for them.
    for file in files:
        if file.name == "decisions" and file.year in result.complete_years:
            _judge_links(file, result)
    return result


def _offences_of(files: list[File], name: str) -> dict[int, dict[Key, Offence]]:
    return {file.year: {_key(row): _offence(row) for _line, row in file.loaded} for file in files if file.name == name}


# --- reading -------------------------------------------------------------------------------------------------------


def read_rows(folder: Path, name: str, columns: Iterable[str]) -> Iterator[tuple[int, Row | None]]:
    """Yield line and columns of every data row; None for a row with the wrong number of fields."""
    if (folder / f"{name}.parquet").exists():
        table = pq.read_table(folder / f"{name}.parquet")
        titles = table.column_names
        records = [
            (number, [_as_text(value) for value in row.values()]) for number, row in enumerate(table.to_pylist(), 1)
        ]
    else:
        (_line, header), *records = _csv_records(folder, name)
        titles = header or []
    for line, fields in records:
        if fields is not None and len(fields) == len(titles):
            row = {title.strip().lower(): value.strip() for title, value in zip(titles, fields, strict=True)}
            yield line, {column: row[column] for column in columns}
        else:
            yield line, None


def _csv_records(folder: Path, name: str) -> list[tuple[int, list[str] | None]]:
    """Yield the fields of every line, None if malformed; blank lines at the end of the file are ignored."""
    plain, zipped = folder / f"{name}.csv", folder / f"{name}.csv.gz"
    content = plain.read_bytes() if plain.exists() else gzip.decompress(zipped.read_bytes())
    encoding = _encoding(folder)
    text = content.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    while lines[-1] == "":
        lines.pop()
    return [(number, split_line(line)) for number, line in enumerate(lines, 1)]


def split_line(line: str) -> list[str] | None:
    """Return the fields of a line; None if a quoted field does not end before the next `;` or the line is empty."""
    fields = []
    rest: str | None = line if line else None
    while rest is not None:
        if rest.startswith('"'):
            end = 1
            while rest[end : end + 1] != '"' or rest[end : end + 2] == '""':
                if end >= len(rest):
                    return None
                end += 2 if rest[end] == '"' else 1
            fields.append(rest[1:end].replace('""', '"'))
            if rest[end + 1 : end + 2] not in ("", ";"):
                return None
            rest = rest[end + 2 :] if rest[end + 1 :] else None
        else:
            value, separator, behind = rest.partition(";")
            fields.append(value)
            rest = behind if separator else None
    return fields or None


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
    """Validate every row of a file with the checks that need no other file."""
    file = File(source, year, name)
    seen: set[tuple[str, ...]] = set()
    for line, row in rows:
        file.rows_read += 1
        if row is None:
            file.quarantined.append((line, "malformed_row"))
            continue
        columns = CONTRACT[source, name]
        normal = {title: columns[title].normal(value) for title, value in row.items()}
        if tuple(normal.values()) in seen:
            file.duplicates += 1
        else:
            seen.add(tuple(normal.values()))
            reason = first_fault(source, year, name, normal)
            if reason:
                file.quarantined.append((line, reason))
            else:
                file.loaded.append((line, normal))
    if name != "decisions":
        rows_of = Counter(_key(row) for _line, row in file.loaded)
        _quarantine(file, lambda row: "duplicate_conflict" if rows_of[_key(row)] > 1 else None)
    for position, (line, row) in enumerate(file.loaded):
        unusable = unusable_columns(source, name, row)
        file.unusable.update(unusable)
        file.loaded[position] = (line, {**row, **dict.fromkeys(unusable, "")})
    return file


def unusable_columns(source: str, name: str, row: Row) -> list[str]:
    """Return the columns whose value becomes missing."""
    unusable = [
        title
        for title, column in CONTRACT[source, name].items()
        if column.can_be_unusable and row[title] != "" and not column.is_valid(row[title])
    ]
    if name == "offences" and not {"brottsdatum", "anmalningsdatum"} & set(unusable) and row["anmalningsdatum"] != "":
        # ISO dates sort like their texts.
        unusable += ["brottsdatum"] * (row["brottsdatum"] > row["anmalningsdatum"])
    return unusable


def first_fault(source: str, year: int, name: str, row: Row) -> str | None:
    """Return the first check that the row fails."""
    columns = CONTRACT[source, name]
    if any(column.required and row[title] == "" for title, column in columns.items()):
        return "missing_value"
    judged = {title: column for title, column in columns.items() if not column.can_be_unusable}
    if any(row[title] != "" and not column.is_valid(row[title]) for title, column in judged.items()):
        return "invalid_value"
    if name == "offences":
        return None
    if date.fromisoformat(row["anmalningsdatum" if name == "reports" else "beslutsdatum"]).year != year:
        return "outside_year"
    if name == "reports":
        return None
    if source == "police" and row["beslut"] == "DIREKTAVSKRIVEN" and row["utredning"] == "J":
        return "contradiction"
    if source == "prosecution" and row["beslut"] in CLEARING and row["misstanke_id"] == "":
        return "contradiction"
    return None


def _judge_links(file: File, landing: Landing) -> None:
    """Validate the decisions of a complete year with the checks that need their offences."""

    def fault(row: Row) -> str | None:
        offence = landing.offence(_key(row), file.year)
        if offence is None:
            return "orphan"
        is_too_early = offence.reported and date.fromisoformat(row["beslutsdatum"]) < offence.reported
        return "date_order" if is_too_early else None

    _quarantine(file, fault)


def _quarantine(file: File, fault: Callable[[Row], str | None]) -> None:
    """Quarantine the loaded rows that have the fault."""
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
        victim_sex=row.get("malsagande_kon", ""),
        victim_age=int(row["malsagande_alder"]) if row.get("malsagande_alder") else None,
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
        suspicion=row["misstanke_id"] if by_prosecutor else "",
    )
