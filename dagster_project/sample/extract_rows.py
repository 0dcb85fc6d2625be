"""Generates the rows of one year from the plan in DuckDB, with pseudo-random numbers hashed from the seed, as CSV."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb

from dagster_project.contract import FileContract
from dagster_project.sample import assumptions
from dagster_project.sample.arithmetic import chance
from dagster_project.sample.nation import Nation, county_weights
from dagster_project.sample.offence_kinds import CONTEXT, Kind, Kinds, spellings
from dagster_project.sample.plan import plan
from dagster_project.sample.reference import UNKNOWN_GROUP, Reference
from dagster_project.sample.scripts import (
    OTHER_DISMISSED,
    POLICE_DECISIONS,
    PROSECUTOR_DECISIONS,
    SLOTS,
    WAIVER,
    picks,
    scripts,
)
from dagster_project.sample.statements import (
    CASES,
    CODE_SLOTS,
    COUNTRY_SLOTS,
    CRIME_SLOTS,
    FILES,
    MACROS,
    OFFENCE,
    OTHER_CRIME,
    PLANNED,
    REGION_SLOTS,
    REPORTED,
    SPELLINGS,
    SPREAD_BY,
    YEAR,
)

MEMORY = "1GB"
# The largest scale with enough case numbers for a year
MOST_SCALE = 6.0


class Rows:
    """A DuckDB connection that generates the rows of a year and writes its files."""

    def __init__(self, reference: Reference, scale: float, others: float, seed: int, spill: Path) -> None:
        self._reference, self._scale, self._others, self._seed = reference, scale, others, seed
        self._kinds = Kinds(reference)
        self._nation = Nation(reference, self._kinds)
        self._connection = duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(spill)})
        known = {int(town) for town in reference.municipality_county}
        self._unknown_places = [place for place in assumptions.UNKNOWN_MUNICIPALITIES if place not in known]
        self._generated: dict[int, str] = {}
        self._load()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._connection.close()

    def generate(self, year: int, *, reports: bool) -> None:
        """Generate all offences of the year, their decisions and, if there are to be reports, the offences reported in the year."""
        for past in [past for past in self._generated if past < year]:
            self._connection.execute(f"drop table {self._generated.pop(past)}")
        self._connection.execute(f"create or replace temp view offence as from {self._offences(year)}")
        if reports:
            tables = [self._offences(year + later) for later in range(assumptions.DECIDED_WITHIN + 1)]
            self._connection.execute(
                REPORTED.format(
                    **self._settings(year),
                    offence=", ".join(OFFENCE),
                    offences=" union all ".join(f"from {table}" for table in tables),
                )
            )

    def _offences(self, year: int) -> str:
        """The table of all offences decided in a year; each year is generated once."""
        if year in self._generated:
            return self._generated[year]
        # offences decided the year before and reopened now are generated again, unchanged
        self._plan(year - 1, "earlier")
        planned = self._plan(year, "planned")
        others = round(self._others * max(0, assumptions.OFFENCES * self._scale - planned))
        columns = ("i", "outcome", "brottsantal", "decided", "own", "reopened", *OFFENCE)
        self._connection.execute(
            YEAR.format(
                **self._settings(year),
                table=f"offence_{year}",
                first_donor=WAIVER + 1,
                last_donor=OTHER_DISMISSED + 1,
                taken=", ".join(
                    f"if(donor.i is null, taker.{column}, donor.{column}) as {column}" for column in OFFENCE
                ),
                offence=", ".join(OFFENCE),
                columns=", ".join(columns),
                other_crime=OTHER_CRIME.format(**self._settings(year), first=planned, rows=others),
            )
        )
        self._connection.execute("drop table earlier; drop table planned")
        return self._generated.setdefault(year, f"offence_{year}")

    def write(self, file: FileContract, target: Path) -> int:
        """Write one file of the generated year as CSV and return its number of rows."""
        columns, source = FILES[file.table]
        selected = ", ".join(f"{columns[column.name]} as {column.name}" for column in file.columns)
        path = str(target).replace("'", "''")
        copy = f"copy (select {selected} from {source}) to '{path}' (format csv, delimiter ';', header)"
        return int(self._value(copy))

    def reported_from(self, start: date, limit: int) -> list[tuple[str, int, date]]:
        """Some offences of the generated year reported on or after a day: case number, offence number, report date."""
        key = FILES["police_offences"][0]["diarienummer"]
        return self._connection.execute(
            f"select {key}, brottsnummer, date '1970-01-01' + reported from offence where reported >= {day(start)}"
            f" order by h, i limit {limit}"
        ).fetchall()

    def _plan(self, year: int, table: str) -> int:
        """Create a table of the planned offences of a year (those of the catalogue) and return their number."""
        cells = list(plan(self._nation, year, self._scale, self._others, self._seed))
        firsts, first = [], 0
        for cell in cells:
            firsts.append(first)
            first += cell.rows
        columns = [list(column) for column in zip(*cells, strict=True)] if cells else [[]] * 5
        self._spread("place", "area int, place_region int, kommun int", self._places(year))
        self._connection.execute(PLANNED.format(**self._settings(year), table=table), [*columns, firsts])
        return first

    def _settings(self, year: int) -> dict[str, object]:
        return {
            "assumptions": assumptions,
            "hashed": f"{self._seed}, {year}",
            "start": day(date(year, 1, 1)),
            "end": day(date(year, 12, 31)),
            "shift": int(chance(self._seed, year, "case") * CASES),
            "nowhere": len(self._reference.regions),
            "unknown": len(self._unknown_places),
            "region_slots": REGION_SLOTS,
            "country_slots": COUNTRY_SLOTS,
            "code_slots": CODE_SLOTS,
            "crime_slots": CRIME_SLOTS,
            "slots": SLOTS,
            "spellings": SPELLINGS,
            "spread_by": SPREAD_BY,
            "cases": CASES,
        }

    def _load(self) -> None:
        """Load the tables shared by all years: kinds, codes, spellings, scripts."""
        all_scripts = scripts()
        provisions = sorted({code.lagrum for code in self._kinds.codes})
        variables: dict[str, list[object]] = {
            "codes": [code.brottskod for code in self._kinds.codes],
            "provisions": [spelling for provision in provisions for spelling in spellings(provision)],
            "regions": list(self._reference.regions),
            "police": [script.police for script in all_scripts],
            "prosecutor": [script.prosecutor for script in all_scripts],
            "police_decisions": list(POLICE_DECISIONS),
            "prosecutor_decisions": list(PROSECUTOR_DECISIONS),
            "mean_days": list(assumptions.MEAN_DAYS),
            "unknown_places": list(self._unknown_places),
        }
        for macro in MACROS:
            self._connection.execute(macro)
        for name, values in variables.items():
            self._connection.execute(f"set variable {name} = ?", [values])
        self._table("pick", "outcome int, time int, slot int, script utinyint", picks(all_scripts))
        self._table(
            "kind",
            "kind int, indicator varchar, counted boolean, first_day int, last_day int, sex varchar, low int, high int,"
            " odd_sex varchar, odd_low int, odd_high int",
            map(self._kind, self._kinds.all),
        )
        self._table(
            "era",
            "kind int, opens int, closes int, slot_from int, slot_to int, code int",
            (
                (kind.number, day(era.first), day(era.last), *slots, code)
                for kind in self._kinds.all
                for era in kind.eras
                for (code, _), slots in zip(
                    era.codes, _slot_ranges([weight for _, weight in era.codes], CODE_SLOTS), strict=True
                )
            ),
        )
        self._table(
            "code",
            "code int, provision int, carries boolean, unlisted boolean, youngest int, oldest int",
            (
                (number, provisions.index(code.lagrum), bool(code.group), code.unlisted, *code.ages)
                for number, code in enumerate(self._kinds.codes)
            ),
        )
        self._load_other_crime()

    def _load_other_crime(self) -> None:
        """Load the offences that no indicator counts: their codes and outcomes."""
        crimes = self._kinds.other_crime
        slot_ranges = _slot_ranges([weight for _, weight, *_ in crimes], CRIME_SLOTS)
        self._spread(
            "crime_kind",
            "crime_kind int, code int, victims double",
            (
                (crime_kind, code, victims, *slots)
                for crime_kind, ((code, _, victims, _), slots) in enumerate(zip(crimes, slot_ranges, strict=True))
            ),
        )
        self._spread(
            "crime_outcome",
            "crime_kind int, outcome int",
            (
                (crime_kind, outcome, *slots)
                for crime_kind, (*_, shares) in enumerate(crimes)
                for outcome, slots in enumerate(_slot_ranges(_crime_classes(shares), CRIME_SLOTS))
            ),
        )

    def _table(self, name: str, columns: str, rows: Iterable[Sequence[object]]) -> None:
        """Create a small table; passing whole columns is much faster than inserting row by row."""
        values = [list(column) for column in zip(*rows, strict=True)]
        lists = ", ".join(f"unnest(?::{column.split()[1]}[])" for column in columns.split(","))
        self._connection.execute(f"create or replace table {name} ({columns})")
        self._connection.execute(f"insert into {name} select {lists}", values)

    def _spread(self, name: str, columns: str, rows: Iterable[Sequence[object]]) -> None:
        """Create a small table with each row repeated for every slot of its range, given as its last two values."""
        self._table("slot_range", f"{columns}, slot_from int, slot_to int", rows)
        self._connection.execute(
            f"create or replace table {name} as"
            " select * exclude (slot_from, slot_to), unnest(range(slot_from, slot_to))::int as slot from slot_range"
        )

    def _kind(self, kind: Kind) -> tuple[object, ...]:
        groups = self._reference.groups
        cannot = sorted(set(groups) - set(self._reference.indicators.get(kind.indicator_id, groups)))
        odd = cannot[0] if kind.group == UNKNOWN_GROUP and cannot else None
        victims = [
            (groups[group].sex, *((18, 95) if groups[group].adult else (0, 17))) if group in groups else (None, 0, 95)
            for group in (kind.group, odd)
        ]
        validity = day(kind.first), day(kind.last)
        return (kind.number, kind.indicator_id, kind.role != CONTEXT, *validity, *victims[0], *victims[1])

    def _places(self, year: int) -> Iterator[tuple[int, int, int, int, int]]:
        """The municipalities of every region, then of the country, with slots in proportion to their share that year."""
        county_of, weight_of = self._reference.municipality_county, county_weights(self._reference)
        regions = self._reference.regions
        in_county: dict[str, float] = defaultdict(float)
        for town, county in county_of.items():
            in_county[county] += _size(town)
        weights = {
            town: weight_of[county] * (0.92 + 0.16 * chance(year, county)) * _size(town) / in_county[county]
            for town, county in sorted(county_of.items())
        }
        for area in range(len(regions) + 1):
            towns = [
                town
                for town in weights
                if area == len(regions) or self._reference.county_region[county_of[town]] == regions[area]
            ]
            slots = COUNTRY_SLOTS if area == len(regions) else REGION_SLOTS
            for town, slot_range in zip(towns, _slot_ranges([weights[town] for town in towns], slots), strict=True):
                yield area, regions.index(self._reference.county_region[county_of[town]]), int(town), *slot_range

    def _value(self, statement: str) -> int:
        row = self._connection.execute(statement).fetchone()
        if row is None:
            raise RuntimeError(f"no result for: {statement}")
        return int(row[0])


def day(when: date) -> int:
    """A date as DuckDB's number of days."""
    return when.toordinal() - date(1970, 1, 1).toordinal()


def _size(town: str) -> float:
    kind = int(town[2:])
    size = (
        assumptions.CAPITAL_WEIGHT if kind == 80 else assumptions.TOWN_WEIGHT if kind > 80 else assumptions.RURAL_WEIGHT
    )
    return size * (0.6 + 0.8 * chance("size", town))


def _crime_classes(shares: Sequence[float]) -> list[float]:
    """The weights of the classes of `scripts.py`, from the per cents of `OTHER_CRIME`."""
    weights = [shares[0] * share for share in assumptions.CLEARED_SPLIT]
    for outcome, share in enumerate((*shares[1:], 100 - sum(shares)), start=3):
        weights += [share * assumptions.SUSPECT_SHARE[outcome], share * (1 - assumptions.SUSPECT_SHARE[outcome])]
    return [*weights, 0.0]


def _slot_ranges(weights: Sequence[float], slots: int) -> list[tuple[int, int]]:
    """Consecutive ranges of slots in proportion to the weights."""
    cumulated, bounds = 0.0, [0]
    for weight in weights:
        cumulated += weight
        bounds.append(round(slots * cumulated / sum(weights)))
    return list(pairwise(bounds))
