"""Supporting measures: counted beside the indicators, for the country and police regions, and never among the eleven.

That rows in seeds are enough for one more is a worked example of CONTRIBUTING.md, followed by `test_contributing.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import settings_in
from reference import rules
from reference.worlds import World, offence_row, police_row, prosecution_row, write_world
from warehouse import build, differences, figures

from dagster_project import paths
from dagster_project.settings import Settings

PARTNER, KIN, CHILD, KNOWN_CHILD, PORNOGRAPHY, GROOMING = "9357", "9373", "9301", "9302", "1616", "BrB 6:10 a"


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """One offence each of codes that count in an indicator, in a measure, in both and in neither; partner assault is cleared."""
    places = settings_in(tmp_path_factory.mktemp("measures"))
    codes = (PARTNER, KIN, CHILD, KNOWN_CHILD, PORNOGRAPHY)
    offences = [offence_row(number, brottskod=code) for number, code in enumerate(codes, 1)]
    offences[4] = offence_row(5, brottskod=PORNOGRAPHY, lagrum=GROOMING)
    offences += [
        offence_row(6, brottskod="9999", lagrum="BrB 16:10 a"),
        offence_row(7, brottskod="9999", lagrum=GROOMING),
    ]
    write_world(
        places.landing,
        World({2022: offences}, {2022: [police_row(number) for number in range(1, 8)]}, {2022: [prosecution_row(1)]}),
    )
    build(places)
    return places


def read(database: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_an_offence_counts_in_its_indicator_and_in_every_measure_of_its_code(counted: Settings) -> None:
    rows = read(
        counted.home / paths.WAREHOUSE,
        "select kind, indicator_id, variant, processed, cleared from marts.fct_indicator_year "
        "inner join marts.dim_indicator using (indicator_id, variant) "
        "where geography_level = 'riket' and victim_group = 'total' and processed > 0 order by all",
    )
    assert rows == [
        ("commitment", "barnpornografibrott", "egen", 1, 0),
        ("commitment", "misshandel_barn", "bekant", 1, 0),
        ("commitment", "misshandel_barn", "egen", 2, 0),
        ("commitment", "misshandel_par_slakt_familj", "egen", 2, 1),
        # The code decides before the provision; where it is unknown, provisions tell no measure.
        ("decided", "kontakt_barn_sexuellt_syfte", "beslutad", 1, 0),
        ("decided", "misshandel_nara_relation", "beslutad", 1, 1),
        ("decided", "misshandel_nara_relation", "bred", 2, 1),
    ]


def test_measures_are_counted_as_the_rules_say(counted: Settings) -> None:
    expected = rules.as_published(rules.nonzero_counts(counted.landing))
    assert {key[0] for key in expected} >= {"barnpornografibrott", "misshandel_barn", "misshandel_par_slakt_familj"}
    assert differences(expected, figures(counted.home / paths.WAREHOUSE, "processed > 0")) == []


def test_measures_are_of_the_country_and_police_regions_only(published_world: Settings) -> None:
    """In every table that has places."""
    database = published_world.published / paths.CURRENT / "uppklarat.duckdb"
    tables = read(database, "select table_name from duckdb_columns() where column_name = 'geography_level'")
    with_indicators = read(database, "select table_name from duckdb_columns() where column_name = 'indicator_id'")
    # Without reports.csv there is nothing in the table of reported offences.
    shown = sorted({*tables} & {*with_indicators} - {("revision",), ("fct_reported_year",)})
    assert len(shown) >= 6
    for (table,) in shown:
        levels = read(
            database,
            f"select distinct geography_level from marts.{table} "
            "where indicator_id in (select indicator_id from marts.dim_indicator where kind <> 'decided')",
        )
        assert {level for (level,) in levels} == {"riket", "polisregion"}, table


def test_assault_by_a_partner_or_kin_is_the_wide_variant_of_indicator_1(published_world: Settings) -> None:
    columns = ", ".join(("year", "geography_code", "victim_group", *rules.MEASURES, "clearance_pct", "prosecution_pct"))
    database = published_world.published / paths.CURRENT / "uppklarat.duckdb"
    measure, wide = (
        read(database, f"select {columns} from marts.fct_indicator_year where {which} order by all")
        for which in (
            "indicator_id = 'misshandel_par_slakt_familj'",
            "indicator_id = 'misshandel_nara_relation' and variant = 'bred'",
        )
    )
    assert measure == wide
    assert sum(row[3] for row in measure) > 100
