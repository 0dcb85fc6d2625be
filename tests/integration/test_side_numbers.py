"""Numbers beside the tables: checks, manifest, report and messages tell nothing of a withheld figure.

Worlds that differ only in what is withheld must have the same side numbers. Of offences without a place, where the checks have to
say something, every side number leaves at least three values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from copy import deepcopy
from itertools import combinations
from math import ceil, floor
from typing import NamedTuple

import duckdb
import pytest
from conftest import settings_in
from reference.worlds import World, write_world
from small_worlds import BELOW, deliveries_of
from test_publishing import publish
from warehouse import build

from dagster_project import paths
from dagster_project.settings import Settings

YEAR = 2023
TABLES = "select table_name from information_schema.tables where table_schema = 'marts' order by 1"
# What differs between any two publications, and hashes, which nobody can compute without the rows.
VOLATILE = re.compile(
    r"\d{8}T\d{6}Z|\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?[.\d]*(\+00:00|Z)?|\b[0-9a-f]{12,64}\b|\"bytes\": \d+|\d+,\d+ (kB|MB)"
)


class Published(NamedTuple):
    """A world, published."""

    deliveries: World
    settings: Settings

    def query(self, sql: str) -> list[tuple[object, ...]]:
        with duckdb.connect(str(self.settings.home / paths.WAREHOUSE), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def tables(self) -> dict[str, list[tuple[object, ...]]]:
        """All that the figures' tables show."""
        return {
            str(name): self.query(f"from marts.{name} order by all")
            for (name,) in self.query(TABLES)
            if str(name).startswith(("fct_", "indicator_report"))
        }

    def side_texts(self) -> dict[str, str]:
        """The manifest, the checks, the validation page and Dagster's numbers of rows, without what differs in any case.

        The report and the other formats are made of the tables and of these checks alone.
        """
        texts = {
            file.name: file.read_text("utf-8")
            for file in (
                self.settings.published / paths.CURRENT / "manifest.json",
                self.settings.home / paths.VALIDATION_PAGE,
            )
        }
        checks = self.settings.published / paths.CURRENT / "parquet" / "quality_check.parquet"
        # What Dagster shows of each table.
        texts["rows"] = str(
            self.query("select schema_name, table_name, estimated_size from duckdb_tables() order by all")
        )
        texts[checks.name] = str(self.query(f"select * from '{checks}' order by all"))
        return {name: VOLATILE.sub("…", text) for name, text in texts.items()}

    def observed(self) -> dict[tuple[str, str], str]:
        """What each check says that it found."""
        manifest = json.loads((self.settings.published / paths.CURRENT / "manifest.json").read_text("utf-8"))
        return {(check["suite"], check["name"]): check["observed"] for check in manifest["checks"]["results"]}


def published(deliveries: World, factory: pytest.TempPathFactory, name: str) -> Published:
    made = settings_in(factory.mktemp(name), suppress_below=BELOW)
    write_world(made.landing, deliveries)
    build(made)
    assert publish(made)
    return Published(deliveries, made)


def moved(deliveries: World, moves: Collection[tuple[str, str]]) -> World:
    """The same deliveries with one uncleared offence of each first municipality in the second one; its region stays."""
    deliveries = deepcopy(deliveries)
    cleared = {row["diarienummer"] for row in deliveries.prosecution[YEAR]}
    for old, new in moves:
        offence = next(
            one
            for one in deliveries.offences[YEAR]
            if one["kommunkod"] == old and one["handlaggande_region"] and one["diarienummer"] not in cleared
        )
        offence["kommunkod"] = new
    return deliveries


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Published:
    # Enough rows for every check to be judged.
    return published(deliveries_of({YEAR: "as delivered"}, offences_per_year=1500, seed=3), tmp_path_factory, "world")


def moves_that_no_table_shows(world: Published) -> list[tuple[str, str]]:
    """Between municipalities of a withheld county, and between two withheld counties of a region, both far from the threshold."""
    large = world.query(
        """
        select place.region_code, place.county_code, place.geography_code
        from marts.dim_geography as place
        inner join intermediate.int_figure_year as county
            on place.county_code = county.geography_code and county.geography_level = 'lan' and county.victim_group = 'total'
        inner join intermediate.int_figure_year as counted
            on place.geography_code = counted.geography_code and counted.geography_level = 'kommun'
        semi join (from marts.fct_indicator_year where geography_level = 'lan' and suppression is not null) as hidden
            on place.county_code = hidden.geography_code and hidden.victim_group = 'total'
        where
            place.geography_level = 'kommun' and counted.processed - counted.cleared > 2
            and county.processed - county.cleared > 9
            and counted.indicator_id = 'koppleri' and county.indicator_id = 'koppleri'
            and counted.variant = 'beslutad' and county.variant = 'beslutad'
        order by all"""
    )
    pairs = [(one, other) for one, other in combinations(large, 2) if one[0] == other[0]]
    within = next((str(one[2]), str(other[2])) for one, other in pairs if one[1] == other[1])
    between = next((str(one[2]), str(other[2])) for one, other in pairs if one[1] != other[1])
    return [within, between]


def test_worlds_that_no_table_tells_apart_have_the_same_side_numbers(
    world: Published, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = published(moved(world.deliveries, moves_that_no_table_shows(world)), tmp_path_factory, "other")
    assert other.query("from intermediate.int_offence_count order by all") != world.query(
        "from intermediate.int_offence_count order by all"
    )
    assert other.tables() == world.tables()
    assert other.side_texts() == world.side_texts()


def values_of(observed: str, of: int) -> Iterator[range]:
    """The counts that each number of a check's words leaves, if it is a count, or if it is a share of `of`."""
    for low, high in re.findall(r"(\d+)–(\d+) %", observed):
        yield range(ceil(of * int(low) / 100), ceil(of * int(high) / 100))
    rest = re.sub(r"\d+–\d+ %", "", observed).replace(",", "")
    for number, decimals, percent in re.findall(r"(\d+(?:\.(\d+))?)( %)?", rest):
        if percent:
            half = 0.5 / 10 ** len(decimals)
            yield range(ceil(of * (float(number) - half) / 100), floor(of * (float(number) + half) / 100) + 1)
        elif not decimals:
            yield range(int(number), int(number) + 1)


@pytest.mark.soak
def test_side_numbers_leave_three_values_of_offences_without_a_place(
    world: Published, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Multiplied with everything that is published of the country and the deliveries."""
    (here,) = world.query(
        "select geography_code from intermediate.int_figure_year where geography_level = 'kommun' and variant = 'beslutad' "
        "and geography_code <> 'okand' order by processed - cleared desc limit 1"
    )
    without = moved(world.deliveries, [(str(*here), "")] * 40)
    other = published(without, tmp_path_factory, "without")
    publics = {1500, 1501} | {
        int(str(count))
        for counts in world.query(
            "select processed, cleared, processed - cleared from marts.fct_indicator_year where geography_level = 'riket'"
        )
        for count in counts
    }
    ((truth,),) = world.query(
        "select processed from intermediate.int_figure_year where geography_level = 'lan' and geography_code = 'okand' "
        "and victim_group = 'total' and variant = 'beslutad' and indicator_id = 'koppleri'"
    )
    before, after = world.observed(), other.observed()
    touching = {check: found for check, found in before.items() if after[check] != found}
    print(f"checks that say something of offences without a place: {touching}; they are {truth}")
    disclosed = {
        check: (found, of, values)
        for check, found in touching.items()
        for of in publics
        for values in values_of(found, of)
        if truth in values and len(values) < 3
    }
    assert disclosed == {}
