"""The rows of one year, drawn by DuckDB from the plan: set work over numbers that hash from the seed, written as CSV."""

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
from dagster_project.sample import assumptions as given
from dagster_project.sample.arithmetic import chance
from dagster_project.sample.kinds import CONTEXT, Kind, Kinds, spellings
from dagster_project.sample.nation import Nation, county_weights
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
    SPELLINGS,
    SPREAD_BY,
    YEAR,
)

MEMORY = "1GB"
# Above this the case numbers of a year run out
MOST_SCALE = 6.0


class Rows:
    """One DuckDB connection in which the rows of a year are drawn and from which its files are written."""

    def __init__(self, reference: Reference, scale: float, seed: int, spill: Path) -> None:
        self._reference, self._scale, self._seed = reference, scale, seed
        self._kinds = Kinds(reference)
        self._nation = Nation(reference, self._kinds)
        self._connection = duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(spill)})
        known = {int(town) for town in reference.municipality_county}
        self._unknown_places = [place for place in given.UNKNOWN_MUNICIPALITIES if place not in known]
        self._load()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._connection.close()

    def draw(self, year: int) -> None:
        """Draw all offences of the year, and with them the decisions that were taken on them."""
        # what was decided the year before and is reopened now is drawn again as it was then
        self._plan(year - 1, "earlier")
        planned = self._plan(year, "planned")
        others = max(0, round(given.OFFENCES * self._scale) - planned)
        columns = ("i", "outcome", "brottsantal", "decided", "own", "reopened", *OFFENCE)
        self._connection.execute(
            YEAR.format(
                **self._settings(year),
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

    def write(self, file: FileContract, target: Path) -> int:
        """Write one file of the drawn year as CSV and return its number of rows."""
        columns, source = FILES[file.table]
        chosen = ", ".join(f"{columns[column.name]} as {column.name}" for column in file.columns)
        path = str(target).replace("'", "''")
        copy = f"copy (select {chosen} from {source}) to '{path}' (format csv, delimiter ';', header)"
        return int(self._one(copy))

    def reported_from(self, start: date, limit: int) -> list[tuple[str, int, date]]:
        """Some offences of the drawn year that were reported from a day on: case number, offence number, report date."""
        key = FILES["police_offences"][0]["diarienummer"]
        return self._connection.execute(
            f"select {key}, brottsnummer, date '1970-01-01' + reported from offence where reported >= {day(start)}"
            f" order by h, i limit {limit}"
        ).fetchall()

    def _plan(self, year: int, table: str) -> int:
        """Draw the planned offences of a year, those of the catalogue, into a table and return their number."""
        cells = list(plan(self._nation, year, self._scale, self._seed))
        firsts, first = [], 0
        for cell in cells:
            firsts.append(first)
            first += cell.rows
        columns = [list(column) for column in zip(*cells, strict=True)] if cells else [[]] * 5
        self._deal("place", "area int, place_region int, kommun int", self._places(year))
        self._connection.execute(PLANNED.format(**self._settings(year), table=table), [*columns, firsts])
        return first

    def _settings(self, year: int) -> dict[str, object]:
        return {
            "given": given,
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
        """What all years have in common: kinds, codes, spellings, scripts."""
        plays = scripts()
        provisions = sorted({code.lagrum for code in self._kinds.codes})
        variables: dict[str, list[object]] = {
            "codes": [code.brottskod for code in self._kinds.codes],
            "provisions": [spelling for provision in provisions for spelling in spellings(provision)],
            "regions": list(self._reference.regions),
            "police": [play.police for play in plays],
            "prosecutor": [play.prosecutor for play in plays],
            "police_decisions": list(POLICE_DECISIONS),
            "prosecutor_decisions": list(PROSECUTOR_DECISIONS),
            "mean_days": list(given.MEAN_DAYS),
            "unknown_places": list(self._unknown_places),
        }
        for macro in MACROS:
            self._connection.execute(macro)
        for name, values in variables.items():
            self._connection.execute(f"set variable {name} = ?", [values])
        self._table("pick", "outcome int, time int, slot int, script utinyint", picks(plays))
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
                    era.codes, _stretches([weight for _, weight in era.codes], CODE_SLOTS), strict=True
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
        crimes = self._kinds.other_crime
        stretches = _stretches([weight for _, weight, *_ in crimes], CRIME_SLOTS)
        self._deal(
            "what",
            "what int, code int, victims double",
            (
                (what, code, victims, *slots)
                for what, ((code, _, victims, _), slots) in enumerate(zip(crimes, stretches, strict=True))
            ),
        )
        self._deal(
            "crime_outcome",
            "what int, outcome int",
            (
                (what, outcome, *slots)
                for what, (*_, shares) in enumerate(crimes)
                for outcome, slots in enumerate(_stretches(_crime_classes(shares), CRIME_SLOTS))
            ),
        )

    def _table(self, name: str, columns: str, rows: Iterable[Sequence[object]]) -> None:
        """Create a small table; whole columns are handed over, which is much faster than row by row."""
        values = [list(column) for column in zip(*rows, strict=True)]
        lists = ", ".join(f"unnest(?::{column.split()[1]}[])" for column in columns.split(","))
        self._connection.execute(f"create or replace table {name} ({columns})")
        self._connection.execute(f"insert into {name} select {lists}", values)

    def _deal(self, name: str, columns: str, rows: Iterable[Sequence[object]]) -> None:
        """Create a small table with a row for each slot of the stretch that ends a row given."""
        self._table("stretch", f"{columns}, slot_from int, slot_to int", rows)
        self._connection.execute(
            f"create or replace table {name} as"
            " select * exclude (slot_from, slot_to), unnest(range(slot_from, slot_to))::int as slot from stretch"
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
        """The municipalities of every region, then of the country, with as many slots as their shares that year."""
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
            here = [
                town
                for town in weights
                if area == len(regions) or self._reference.county_region[county_of[town]] == regions[area]
            ]
            slots = COUNTRY_SLOTS if area == len(regions) else REGION_SLOTS
            for town, stretch in zip(here, _stretches([weights[town] for town in here], slots), strict=True):
                yield area, regions.index(self._reference.county_region[county_of[town]]), int(town), *stretch

    def _one(self, statement: str) -> int:
        found = self._connection.execute(statement).fetchone()
        if found is None:
            raise RuntimeError(f"no answer to: {statement}")
        return int(found[0])


def day(when: date) -> int:
    """A date as DuckDB counts days."""
    return when.toordinal() - date(1970, 1, 1).toordinal()


def _size(town: str) -> float:
    kind = int(town[2:])
    size = given.CAPITAL_WEIGHT if kind == 80 else given.TOWN_WEIGHT if kind > 80 else given.RURAL_WEIGHT
    return size * (0.6 + 0.8 * chance("size", town))


def _crime_classes(shares: Sequence[float]) -> list[float]:
    """The classes of `scripts.py` by weight, from the per cents of `OTHER_CRIME`."""
    weights = [shares[0] * share for share in given.CLEARED_SPLIT]
    for outcome, share in enumerate((*shares[1:], 100 - sum(shares)), start=3):
        weights += [share * given.SUSPECT_SHARE[outcome], share * (1 - given.SUSPECT_SHARE[outcome])]
    return [*weights, 0.0]


def _stretches(weights: Sequence[float], slots: int) -> list[tuple[int, int]]:
    """Neighbouring stretches of slots, as long as the weights."""
    passed, bounds = 0.0, [0]
    for weight in weights:
        passed += weight
        bounds.append(round(slots * passed / sum(weights)))
    return list(pairwise(bounds))
