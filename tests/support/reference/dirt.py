"""All reasons for quarantine with several variants: a `Shape` creates a small group of invalid rows."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import cycle
from random import Random

from .extracts import CONTRACT, Key, Row
from .rendering import Record, Style


@dataclass
class Year:
    """Information about a year for shapes."""

    year: int
    new_key: Callable[[], Row]  # diarienummer and brottsnummer that nothing else has
    reported: dict[Key, date | None] = field(default_factory=dict)  # report dates as seen from this year
    later_keys: list[Row] = field(default_factory=list)  # offences that only later extracts hold
    seen_before: list[Row] = field(default_factory=list)  # this year's rows of offences that earlier extracts hold too
    quarantined_keys: list[Row] = field(default_factory=list)  # offences that stand only in quarantined rows


Shape = Callable[[Random, Row, Year], list[Record] | None]  # None: impossible with this row, try another

DAMAGES = (
    "one_field_more",
    "one_field_less",
    "blank",
    "semicolon_at_end",
    "semicolon_not_quoted",
    "first_half",
    "only_spaces",
    "one_text",
    "stray_quote",
)

BAD_KEY = {
    "diarienummer": ["2200-K12345678-14", "2200-1276-14", "2200-kk276-14", "2２00-K1276-14", "220-K1276-14", "K1276"],
    "brottsnummer": ["0", "-0", "-1", "1e3", "1.0", "１", "2147483648", "+1", "1_0", "ett", "1 0"],
}
BAD_DATES = [
    "2024-02-30",
    "24-02-03",
    "20240203",
    "2024/02/03",
    "2024-2-3",
    "0000-01-01",
    "2024-13-01",
    "2023-02-29",
    "2024-02-03T00:00:00",
    "2024-02-0３",
    "2024-00-10",
    "10000-01-01",
    "2024-W05-1",
    "3 feb 2024",
]
BAD_OFFENCE = {
    **BAD_KEY,
    "brottskod": ["373", "93733", "93A3", "９373", "93 73"],
    "brottsantal": ["0", "1e3", "-0", "1,5", "2147483648", "٣", "-2"],
}
BAD_VALUES: dict[tuple[str, str], dict[str, list[str]]] = {
    ("police", "offences"): BAD_OFFENCE,
    ("police", "decisions"): {
        **BAD_KEY,
        "beslutsdatum": BAD_DATES,
        "beslut": ["nedlagda", "ATAL", "FU-BEGRANSAD", "FU_BEGRÄNSAD", "DIREKT AVSKRIVEN"],
        "utredning": ["ja", "JA", "1", "NJ"],
        "skaligen_misstankt": ["nn", "NEJ", "0"],
    },
    ("police", "reports"): {**BAD_OFFENCE, "anmalningsdatum": BAD_DATES},
    ("prosecution", "decisions"): {
        "aklagarnummer": ["AM-12345678-24", "AM-1234-2024", "amm-12-24", "AM--24", "1234-24"],
        **BAD_KEY,
        "misstanke_id": ["x" * 65, "å" * 70],
        "beslutsdatum": BAD_DATES,
        "beslut": ["åtal", "ÅTAL", "OVERLAMNAD", "DIREKTAVSKRIVEN", "EJ ATAL"],
    },
}


# Invalid values of these columns; the row is loaded without them.
UNUSABLE: dict[str, list[str]] = {
    "anmalningsdatum": BAD_DATES,
    "brottsdatum": [*BAD_DATES, "2999-01-01"],
    "kommunkod": ["180", "01800", "018O", "０180", "Stockholm"],
    "handlaggande_region": ["Rn08", "Rn3", "Rn00", "Syd", "Rń03"],
    "malsagande_kon": ["F", "kvinna", "KM", "Ｋ"],
    "malsagande_alder": ["121", "-1", "-0", "18 år", "17.5", "1e1", "１８", "99999999999"],
}
CODE_LISTS = ("beslut", "utredning", "skaligen_misstankt", "malsagande_kon", "handlaggande_region")
SERIAL_AFTER = {"diarienummer": "-K", "aklagarnummer": "AM-"}


def unusable_here_and_there(rng: Random, row: Row, share: float) -> Row:
    """Return the offence, in a share of all rows with an unreadable value or without a report date."""
    spoilt = {column: rng.choice(values) for column, values in UNUSABLE.items() if rng.random() < share}
    return {**row, **spoilt, **({"anmalningsdatum": ""} if rng.random() < share else {})}


def respelt(rng: Random, row: Row) -> Row:
    """Return the row in another spelling: codes and case numbers in any case, zeros before the serial."""
    spelt = dict(row)
    for column in (each for each in row if each in (*CODE_LISTS, *SERIAL_AFTER)):
        if (before := SERIAL_AFTER.get(column)) and rng.random() < 0.5:
            spelt[column] = re.sub(f"{before}(?=[0-9])", before + "0" * rng.randint(1, 9), row[column])
        spelt[column] = rng.choice([str, str.lower, str.upper, str.swapcase])(spelt[column])
    return spelt


def dirty_records(
    rng: Random, shapes: dict[str, Iterator[Shape]], clean: list[Row], year: Year, style: Style, budget: int
) -> list[Record]:
    """Return at most `budget` invalid rows for a file, with a shape of every reason in turn."""
    records: list[Record] = []
    reasons = list(shapes)
    rng.shuffle(reasons)
    idle_turns = 0
    while idle_turns < len(reasons):
        idle_turns += 1
        reason = reasons.pop(0)
        reasons.append(reason)
        group = _one_group(rng, shapes[reason], clean, year, style)
        if group and len(records) + len(group) <= budget:
            records += group
            idle_turns = 0
    return records


def _one_group(rng: Random, shapes: Iterator[Shape], clean: list[Row], year: Year, style: Style) -> list[Record] | None:
    for _attempt in range(40):
        group = next(shapes)(rng, dict(rng.choice(clean)), year)
        if group and all(style.can_write(record.row) for record in group):
            return group
    return None


def shapes_of(rng: Random, source: str, name: str, style: Style) -> dict[str, Iterator[Shape]]:
    """Return an endless shuffled cycle of shapes for every reason that the file can have."""
    shapes = {
        "missing_value": _missing_values(source, name),
        "invalid_value": [
            _replaced(column, value) for column, values in BAD_VALUES[source, name].items() for value in values
        ],
    }
    if style.container != "parquet":
        shapes["malformed_row"] = [_damaged(damage) for damage in DAMAGES]
    if name == "offences":
        conflicts = [_conflict(rows, column) for rows in (2, 3) for column in CONFLICTING]
        shapes["duplicate_conflict"] = [*conflicts, _conflict_of_known_offence, _conflict_of_known_offence]
    else:
        shapes["outside_year"] = [_outside_year(shift) for shift in ("year_before", "year_after", "long_ago")]
        shapes["contradiction"] = CONTRADICTIONS[source]
        shapes["orphan"] = [_unknown_offence, _offence_of_later_year, _quarantined_offence]
        shapes["date_order"] = [_decided_before_report(days) for days in (1, 20, 366)]
    return {reason: cycle(rng.sample(group, len(group))) for reason, group in shapes.items()}


# --- the shapes ------------------------------------------------------------------------------------------------------


def _damaged(damage: str) -> Shape:
    return lambda _rng, row, _year: [Record(row, damage)]


def _missing_values(source: str, name: str) -> list[Shape]:
    required = [column for column, facts in CONTRACT[source, name].items() if facts.required]
    single = [_replaced(column, value) for column in required for value in ("", "   ")]
    # An empty field comes before a bad value, whatever their order in the row
    return [*single, _replaced_many(dict.fromkeys(required, "")), _replaced_many({required[-1]: "", required[0]: "?"})]


def _replaced(column: str, value: str) -> Shape:
    return _replaced_many({column: value})


def _replaced_many(values: Row) -> Shape:
    """Half of these keep the key of a valid row, which must not be affected."""

    def shape(rng: Random, row: Row, year: Year) -> list[Record]:
        key = year.new_key() if rng.random() < 0.5 else {}
        return [Record({**row, **key, **values})]

    return shape


CONFLICTING: dict[str, Callable[[int], str]] = {
    "brottsantal": lambda number: str(90 + number),
    "lagrum": lambda number: f"BrB {number}:1",
    "malsagande_alder": lambda number: str(number),
    "brottsnummer": lambda number: "0" * number + "1",  # the same number, written differently
}


def _conflict(rows: int, column: str) -> Shape:
    def shape(_rng: Random, row: Row, year: Year) -> list[Record]:
        base = {**row, **year.new_key(), "brottsnummer": "1"}
        year.quarantined_keys.append(_key_columns(base))
        return [Record({**base, column: CONFLICTING[column](number)}) for number in range(rows)]

    return shape


def _conflict_of_known_offence(rng: Random, _row: Row, year: Year) -> list[Record] | None:
    """A valid row gets a conflicting row, so that its decisions use the earlier extract instead of being orphans."""
    if not year.seen_before:
        return None
    row = rng.choice(year.seen_before)
    # The unchanged copy is an exact duplicate; it replaces the valid row, which is quarantined with the conflicting row.
    return [Record(row), Record({**row, "brottsantal": "91"})]


def _outside_year(shift: str) -> Shape:
    def shape(_rng: Random, row: Row, year: Year) -> list[Record]:
        day = {
            "year_before": f"{year.year - 1}-12-31",
            "year_after": f"{year.year + 1}-01-01",
            "long_ago": "0001-01-01",
        }[shift]
        return [Record({**row, "beslutsdatum": day})]

    return shape


CONTRADICTIONS: dict[str, list[Shape]] = {
    "police": [
        _replaced_many({"beslut": "DIREKTAVSKRIVEN", "utredning": "J", "skaligen_misstankt": suspect})
        for suspect in ("J", "N")
    ],
    "prosecution": [
        _replaced_many({"beslut": kind, "misstanke_id": nobody})
        for kind in ("ATAL", "STRAFFORELAGGANDE", "ATALSUNDERLATELSE")
        for nobody in ("", "  ")
    ],
}


def _unknown_offence(_rng: Random, row: Row, year: Year) -> list[Record]:
    return [Record({**row, **year.new_key()})]


def _offence_of_later_year(rng: Random, row: Row, year: Year) -> list[Record] | None:
    return [Record({**row, **rng.choice(year.later_keys)})] if year.later_keys else None


def _quarantined_offence(rng: Random, row: Row, year: Year) -> list[Record] | None:
    return [Record({**row, **rng.choice(year.quarantined_keys)})] if year.quarantined_keys else None


def _decided_before_report(days: int) -> Shape:
    def shape(_rng: Random, row: Row, year: Year) -> list[Record] | None:
        reported = year.reported.get((row["diarienummer"], int(row["brottsnummer"])))
        first_day = date(year.year, 1, 1)
        if reported is None or reported <= first_day:
            return None
        early = max(first_day, reported - timedelta(days))
        return [Record({**row, "beslutsdatum": early.isoformat()})]

    return shape


def _key_columns(row: Row) -> Row:
    return {"diarienummer": row["diarienummer"], "brottsnummer": row["brottsnummer"]}
