"""Reads Brå's table 300 (processed offences) as downloaded, and rejects a file whose rows differ from the declared ones.

Seed `official_cell` declares the rows to read by year. A row is identified by its path: all headings above it, in order.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from typing import Any, NamedTuple

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, WorksheetNotFound, ZipError

from dagster_project.ingestion.rejection import RejectedDeliveryError
from dagster_project.seeds import seed_rows

COUNTS = (
    "processed", "investigated", "dismissed", "cleared", "cleared_indictment", "cleared_penalty_order", "cleared_waiver",
    "limited_investigated", "other_investigated", "limited_dismissed", "other_dismissed",
)  # fmt: skip
RATES = ("prosecution_pct", "clearance_pct")
# Totals and their parts, which are equal by Brå's definitions.
IDENTITIES = {
    "processed": ("investigated", "dismissed"),
    "investigated": ("cleared", "limited_investigated", "other_investigated"),
    "cleared": ("cleared_indictment", "cleared_penalty_order", "cleared_waiver"),
    "dismissed": ("limited_dismissed", "other_dismissed"),
}
DECLARED_IN = "dbt/seeds/official_cell.csv"
_LARGEST_FILE = 20 << 20
# The files print eight decimals or more.
_RATE_TOLERANCE = 5e-7
_FIRST_ROW = "SAMTLIGA BROTT"
_OFFENCE = 4
"""The position of the offence in a row's path; above it are chapters of the law, below it kinds of victims."""
# How similar two labels or provisions must be (0 to 1) to count as variants of the same text.
_ALIKE = 0.6
_DASHES = {"-", "–", "−", "—"}
_DOWNLOAD = "Download it again from Brå"
_KEEP_THE_NAME = "Keep the name that the file has at Brå"
_REDECLARE = f"{_DOWNLOAD}; if Brå has changed the table, declare its rows in {DECLARED_IN}"
_REPORT = f"{_DOWNLOAD}; if Brå has changed the table, this version does not know its layout: report it in an issue"


class _Sheet(NamedTuple):
    """A sheet of a layout: the number of columns that name the row, and the value columns with a part of their heading."""

    name: str
    labels: int
    columns: Mapping[str, str]


_RATES_LAST = {"prosecution_pct": "lagföringsprocent", "clearance_pct": "personuppklaringsprocent"}


def _three_sheets(labels: int) -> tuple[_Sheet, ...]:
    totals = {"processed": "handlagdabrott,totalt", "investigated": "utreddabrott", "dismissed": "direktavskrivnabrott"}
    investigated = {
        "investigated": "utreddabrott,totalt", "cleared": "personuppklarats", "cleared_indictment": "åtalväckt",
        "cleared_penalty_order": "strafföreläggande", "cleared_waiver": "åtalsunderlåtelse",
        "limited_investigated": "begränsats", "other_investigated": "övrigabeslut",
    }  # fmt: skip
    dismissed = {
        "dismissed": "direktavskrivnabrott,totalt", "limited_dismissed": "begränsats", "other_dismissed": "övrigabeslut",
    }  # fmt: skip
    return (
        _Sheet("Samtliga handlagda brott", labels, totals | _RATES_LAST),
        _Sheet("Utredda brott", labels, investigated),
        _Sheet("Direktavskrivna brott", labels, dismissed),
    )


_ONE_SHEET = _Sheet(
    "Tabell 300",
    1,
    {
        "processed": "handlagdabrott", "investigated": "utreddabrott", "cleared": "personuppklarade",
        "cleared_indictment": "åtalväckt", "cleared_penalty_order": "strafföreläggande", "cleared_waiver": "åtalsunderlåtelse",
        "prosecution_pct": "lagföringsprocent", "limited_investigated": "begränsade", "other_investigated": "övrigautredda",
        "dismissed": "direktavskrivnabrott", "limited_dismissed": "begränsade", "other_dismissed": "övrigadirektavskrivna",
        "clearance_pct": "personuppklaringsprocent",
    },
)  # fmt: skip
_LAYOUTS = {
    "2014-2019 .xls": (_ONE_SHEET,),
    "2020-2021 .xlsx": _three_sheets(1),
    "2022- .xlsx": _three_sheets(2),
}


@dataclass(frozen=True)
class OfficialRow:
    """A declared row read from a file: its lagrum (empty in layouts without this column), its path and its counts."""

    lagrum_label: str
    row_path: str
    counts: Mapping[str, int]


@dataclass(frozen=True)
class OfficialTable:
    """The declared rows of a file, and the date of Brå's last correction as stated in the file."""

    rows: tuple[OfficialRow, ...]
    corrected_on: date | None


class _Line(NamedTuple):
    """A row of a sheet: its number, lagrum, label, and values by column."""

    number: int
    lagrum: str
    label: str
    values: Mapping[str, float]


@dataclass(frozen=True)
class _Declared:
    """A row to find: its path and, if declared, which occurrence of its label within the offence it is."""

    lagrum: str
    path: tuple[str, ...]
    nth: int | None
    layout: str = field(compare=False)


def read_official_table(content: bytes, where: str, year: int, area: str) -> OfficialTable:
    """Read a file of one year and area (`La`: the country, or a police region).

    Raises `RejectedDeliveryError` if the file differs from the declaration or contradicts itself.
    """
    declared = _declared_rows(where, year)
    layout = declared[0].layout
    if not where.endswith(layout.rpartition(" ")[2]):
        raise RejectedDeliveryError(where, f"the table of {year} is known in layout {layout} only", _REPORT)
    workbook = _open(content, where)
    sheets = _LAYOUTS[layout]
    names = [sheet.name for sheet in sheets]
    if workbook.sheet_names[: len(names)] != names:
        found = ", ".join(workbook.sheet_names) or "none"
        raise RejectedDeliveryError(
            where, f"its first sheets are not {', '.join(names)}, as in layout {layout}, but {found}", _REPORT
        )
    values: list[dict[str, float]] = [{} for _ in declared]
    for sheet in sheets:
        at = f"{where}, sheet {sheet.name}"
        cells = workbook.get_sheet_by_name(sheet.name).to_python(skip_empty_area=False)
        lines = _lines(cells, sheet, at, year, area)
        for merged, line in zip(values, _find_all(lines, declared, at), strict=True):
            for name, value in line.values.items():
                if merged.setdefault(name, value) != value:
                    raise RejectedDeliveryError(
                        f"{at}, row {line.number}",
                        f"{name} is {value:g} here, but {merged[name]:g} in sheet {sheets[0].name}",
                        _DOWNLOAD,
                    )
    for one, merged in zip(declared, values, strict=True):
        _check_rates(merged, f"{where}, sheet {sheets[0].name}, row “{one.path[-1]}”")
    rows = (
        OfficialRow(one.lagrum, " > ".join(one.path), {name: int(merged[name]) for name in COUNTS})
        for one, merged in zip(declared, values, strict=True)
    )
    return OfficialTable(tuple(rows), _corrected_on(workbook))


def _declared_rows(where: str, year: int) -> list[_Declared]:
    """The distinct rows of a year's table; several cells may read the same row."""
    rows = [
        row
        for row in seed_rows("official_cell")
        # Cells without a path have a shipped figure only.
        if int(row["from_year"]) <= year <= int(row["to_year"]) and row["row_path"]
    ]
    if not rows:
        raise RejectedDeliveryError(
            where, f"no row of the table of {year} is declared", f"Declare them in {DECLARED_IN}"
        )
    declared = (
        _Declared(
            row["lagrum_label"], tuple(row["row_path"].split(" > ")), _number(row["nth_occurrence"]), row["layout"]
        )
        for row in rows
    )
    return list(dict.fromkeys(declared))


def _number(text: str) -> int | None:
    return int(text) if text else None


def _open(content: bytes, where: str) -> CalamineWorkbook:
    if len(content) > _LARGEST_FILE:
        raise RejectedDeliveryError(where, "it is far larger than any table 300", _DOWNLOAD)
    try:
        return CalamineWorkbook.from_filelike(BytesIO(content))
    except (CalamineError, PasswordError, WorksheetNotFound, ZipError, OSError):
        raise RejectedDeliveryError(where, "it cannot be read as an Excel workbook", _DOWNLOAD) from None


def _lines(cells: Sequence[Sequence[Any]], sheet: _Sheet, where: str, year: int, area: str) -> list[_Line]:
    """The rows with figures, after checking the headings above them."""
    first = next((number for number, row in enumerate(cells) if _label(row[0]).rstrip("*") == _FIRST_ROW), None)
    if first is None:
        raise RejectedDeliveryError(where, f"row “{_FIRST_ROW}”, with which the figures begin, is missing", _REPORT)
    _check_title(" ".join(str(cell) for row in cells[:first] for cell in row[:1]), where, year, area)
    for column, (name, heading) in enumerate(sheet.columns.items(), sheet.labels):
        text = "".join(str(row[column]) for row in cells[:first] if column < len(row))
        if heading not in re.sub(r"[\s\d-]", "", text).lower():
            raise RejectedDeliveryError(
                f"{where}, column {column + 1}", f"its heading is not that of {name} ({heading})", _REPORT
            )
    lines = []
    for number, row in enumerate(cells[first:], first + 1):
        values = row[sheet.labels : sheet.labels + len(sheet.columns)]
        # Only notes and the first line of a wrapped label have no value.
        if any(value != "" for value in values):
            at = f"{where}, row {number}"
            read = {name: _value(value, name, at) for name, value in zip(sheet.columns, values, strict=True)}
            _check_identities(read, at)
            lines.append(_Line(number, _label(row[0]) if sheet.labels > 1 else "", _label(row[sheet.labels - 1]), read))
    return lines


def _check_title(title: str, where: str, year: int, area: str) -> None:
    """Reject a table whose year or place differs from the file's name."""
    if not re.search(rf"\b{year}\b", title):
        raise RejectedDeliveryError(where, f"its title does not name {year}", _KEEP_THE_NAME)
    areas = {"La": "hela landet"}
    # The titles write "region" or "polisregion".
    areas |= {
        row["region_code"]: row["region_name"].lower().removeprefix("polis") for row in seed_rows("police_region")
    }
    # The first match, since notes below the title may name other places.
    named = re.search(rf"({'|'.join(areas.values())})\b", title.lower())
    if named is None or named[1] != areas[area]:
        place = f"“{named[1]}”" if named else "neither the country nor a police region"
        raise RejectedDeliveryError(where, f"its title names {place}, its file name “{areas[area]}”", _KEEP_THE_NAME)


def _label(cell: object) -> str:
    """A label without a footnote number, which the files append to it."""
    return re.sub(r"(?<=[a-zåäöé§)])\d{1,2}$", "", " ".join(str(cell).split()))


def _value(cell: Any, name: str, where: str) -> float:
    if isinstance(cell, str) and cell.strip() in _DASHES:
        return 0
    if isinstance(cell, (int, float)) and cell >= 0 and (name in RATES or cell == int(cell)):
        return cell
    kind = "a rate" if name in RATES else "a whole number"
    raise RejectedDeliveryError(where, f"{name} is not {kind}", _DOWNLOAD)


def _check_identities(values: Mapping[str, float], where: str) -> None:
    for total, parts in IDENTITIES.items():
        if {total, *parts} <= values.keys() and values[total] != sum(values[part] for part in parts):
            summed = " + ".join(f"{values[part]:g}" for part in parts)
            raise RejectedDeliveryError(
                where, f"{total} {values[total]:g} is not {' + '.join(parts)} ({summed})", _DOWNLOAD
            )


def _check_rates(values: Mapping[str, float], where: str) -> None:
    # Brå prints 0 where the denominator is 0.
    denominators = (values["investigated"] - values["limited_investigated"], values["processed"])
    for name, denominator in zip(RATES, denominators, strict=True):
        rate = 100 * values["cleared"] / denominator if denominator else 0
        if abs(values[name] - rate) > _RATE_TOLERANCE:
            raise RejectedDeliveryError(where, f"{name} is {values[name]:g}, its counts give {rate:g}", _DOWNLOAD)


def _find_all(lines: Sequence[_Line], declared: Sequence[_Declared], where: str) -> list[_Line]:
    """The line of each declared row; if two rows are found on the same line, one is missing."""
    known = {text for one in declared for text in (one.lagrum, *one.path)}
    inner = {label for one in declared for label in one.path[_OFFENCE + 1 :]}
    found: dict[int, _Declared] = {}
    for one in declared:
        at = _find(lines, one, known, inner, where)
        if at in found:
            raise _missing(lines, one, len(one.path) - 1, known, where)
        found[at] = one
    return [lines[at] for at in found]


def _find(lines: Sequence[_Line], one: _Declared, known: set[str], inner: set[str], where: str) -> int:
    """The line of a row: below its headings, and within its offence."""
    at, start, end, last = -1, 0, len(lines), len(one.path) - 1
    for depth, label in enumerate(one.path):
        fitting = (
            number
            for number in range(at + 1, end)
            if lines[number].label.rstrip("*") == label and (depth < last or lines[number].lagrum == one.lagrum)
        )
        above, at = at, next(fitting, -1)
        if at < 0:
            raise _missing(lines[above + 1 : end], one, depth, known, where)
        if depth == _OFFENCE:
            start, end = at, _end_of_offence(lines, at, inner)
    same = [
        number
        for number in range(start, end)
        if (lines[number].lagrum, lines[number].label) == (one.lagrum, one.path[-1])
    ]
    if one.nth and (len(same) < one.nth or same[one.nth - 1] != at):
        raise _missing(lines[start:end], one, last, known, where)
    if any(lines[at].values[name] > lines[start].values[name] for name in lines[at].values if name not in RATES):
        raise RejectedDeliveryError(
            f"{where}, row {lines[at].number}",
            f"“{one.path[-1]}” is more than “{lines[start].label}” as a whole",
            _REDECLARE,
        )
    return at


def _end_of_offence(lines: Sequence[_Line], start: int, inner: set[str]) -> int:
    """The next row that names a provision or chapter and is not a kind of victim; with a lagrum column, the end."""
    if lines[start].lagrum:
        return len(lines)
    for number in range(start + 1, len(lines)):
        label = lines[number].label
        if re.search(r"§|\bkap\.|^Brott mot ", label) and not label.startswith(("Mot ", "Med ")) and label not in inner:
            return number
    return len(lines)


def _missing(lines: Sequence[_Line], one: _Declared, depth: int, known: set[str], where: str) -> RejectedDeliveryError:
    """The rejection of a file that lacks a row or one of its headings; names a similar row, which may be the missing one."""
    label, is_heading = one.path[depth], depth < len(one.path) - 1

    def alike(line: _Line) -> float:
        if line.label not in known and (is_heading or line.lagrum == one.lagrum):
            return difflib.SequenceMatcher(None, line.label, label).ratio()
        # Rows of undeclared offences may have the same label.
        if not is_heading and line.label.rstrip("*") == label and line.lagrum not in known:
            return difflib.SequenceMatcher(None, line.lagrum, one.lagrum).ratio()
        return 0

    like = ""
    if (best := max(lines, key=alike, default=None)) and alike(best) >= _ALIKE:
        if best.label not in known:
            like = f"; row {best.number}, “{best.label}”, is the most like it"
        else:
            like = f"; row {best.number} has this label, but provision “{best.lagrum}” instead of “{one.lagrum}”"
    below = f", below “{one.path[depth - 1]}”" if depth else ""
    return RejectedDeliveryError(where, f"row “{label}” is not where it belongs{below}{like}", _REDECLARE)


def _corrected_on(workbook: CalamineWorkbook) -> date | None:
    """The latest correction date in the first sheet's header or the information sheet."""
    names = [workbook.sheet_names[0], *(name for name in workbook.sheet_names if name == "Information")]
    text = " ".join(
        str(cell) for name in names for row in workbook.get_sheet_by_name(name).to_python()[:40] for cell in row[:1]
    )
    days = re.findall(r"korriger\w+ (\d{4}-\d{2}-\d{2})", text)
    return max(map(date.fromisoformat, days), default=None)
