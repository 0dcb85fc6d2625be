"""The warehouse against the plain reference, on small worlds that Hypothesis looks for."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import settings_in
from hypothesis import HealthCheck, given, settings
from reference import rules
from reference.worlds import World, offence_row, police_row, prosecution_row, report_row, small_worlds, write_world
from warehouse import build, differences, figures, marts, rows_by_key

from dagster_project import paths
from dagster_project.settings import Settings
from dagster_project.state import read_state, withdraw

ALL_CHECKS = list(HealthCheck)


@settings(max_examples=3, deadline=None, suppress_health_check=ALL_CHECKS, derandomize=True)
@given(world=small_worlds(faults=True))
def test_small_worlds_count_as_the_rules_say(world: World) -> None:
    assert_counted(world)


@pytest.mark.soak
@settings(max_examples=20, deadline=None, suppress_health_check=ALL_CHECKS, database=None, print_blob=True)
@given(world=small_worlds(faults=True))
def test_other_small_worlds_count_as_the_rules_say(world: World) -> None:
    assert_counted(world)


def assert_counted(world: World) -> None:
    with tempfile.TemporaryDirectory() as folder:
        places = settings_in(Path(folder))
        write_world(places.landing, world)
        build(places)
        expected = rules.as_published(rules.nonzero_counts(places.landing))
        warehouse = places.home / paths.WAREHOUSE
        assert differences(expected, figures(warehouse, "processed > 0")) == []
        times = rules.expected_processing_times(places.landing)
        assert differences(times, rows_by_key(warehouse, "fct_processing_time_year")) == []
        suspicions = rules.expected_prosecutions(places.landing)
        assert differences(suspicions, rows_by_key(warehouse, "fct_prosecution_year", "suspicions_decided > 0")) == []
        cohorts = rules.expected_cohorts(places.landing)
        assert differences(cohorts, rows_by_key(warehouse, "fct_reported_year")) == []


def table(places: Settings, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(places.home / paths.WAREHOUSE), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_offences_without_a_report_date_count_and_have_no_processing_time(tmp_path: Path) -> None:
    places = settings_in(tmp_path)
    dated, undated = range(1, 4), range(4, 9)
    write_world(
        places.landing,
        World(
            offences={
                2022: [
                    *(offence_row(number, anmalningsdatum="2022-02-01") for number in dated),
                    *(offence_row(number, anmalningsdatum="") for number in undated),
                ]
            },
            police={2022: [police_row(number) for number in (*dated, *undated)]},
            prosecution={2022: [prosecution_row(4, beslutsdatum="2022-01-01")]},
        ),
    )
    build(places)
    where = "where geography_level = 'riket' and variant = 'beslutad'"
    counted = f"select victim_group, processed, cleared from marts.fct_indicator_year {where} and processed > 0"
    assert sorted(table(places, counted)) == [("kvinna", 8, 1), ("total", 8, 1)]
    lags = table(places, f"select lag, processed, cleared from marts.fct_report_lag_year {where} order by lag")
    assert lags == [("0", 3, 0), ("1", 0, 0), ("2", 0, 0), ("3+", 0, 0), ("okand", 5, 1)]
    times = table(places, f"select outcome, offences, days_median from marts.fct_processing_time_year {where}")
    assert sorted(times) == [("all", 3, 28), ("not_cleared", 3, 28)]
    assert table(places, "select count(*) from intermediate.int_quarantined_decision") == [(0,)]


def test_a_cohort_is_followed_from_the_day_its_year_is_complete(tmp_path: Path) -> None:
    """Also by decisions of a later year that was derived before; and without its file all other tables are the same."""
    places = settings_in(tmp_path)
    world = World(
        offences={2021: [offence_row(1, anmalningsdatum="2021-02-01")], 2022: []},
        police={2021: [police_row(1, beslutsdatum="2021-03-01", beslut="OVERLAMNAD")], 2022: []},
        prosecution={2022: [prosecution_row(1, beslutsdatum="2022-05-01")]},
        reports={2021: [report_row(1, anmalningsdatum="2021-02-01")]},
    )
    figures_of = (
        "select year, by_year, reported, decided, cleared from marts.fct_reported_year"
        " where geography_level = 'riket' and variant = 'beslutad' and reported > 0 order by all"
    )
    write_world(places.landing, world)
    build(places)
    assert table(places, figures_of) == []
    write_world(places.landing, replace(world, prosecution={**world.prosecution, 2021: []}))
    build(places)
    assert table(places, figures_of) == [(2021, 2021, 1, 0, 0), (2021, 2022, 1, 1, 1)]
    with_reports = marts(places.home / paths.WAREHOUSE)
    shutil.rmtree(places.landing / "police")
    write_world(places.landing, replace(world, reports={}))
    build(places)
    without = marts(places.home / paths.WAREHOUSE)
    assert without.pop("fct_reported_year") == []
    del with_reports["fct_reported_year"]
    for of_deliveries in (with_reports, without):
        del of_deliveries["dim_year"]
    assert without == with_reports


def test_a_cohort_ends_before_a_year_that_was_withdrawn(tmp_path: Path) -> None:
    """Decisions of that year are missing, so a share by the end of a later year would be too low."""
    places = settings_in(tmp_path)
    reported = {"anmalningsdatum": "2021-02-01"}
    world = World(
        offences={2021: [offence_row(number, **reported) for number in (1, 2, 3)], 2022: [], 2023: []},
        police={2021: [], 2022: [], 2023: []},
        prosecution={
            year: [prosecution_row(number, beslutsdatum=f"{year}-05-01")]
            for number, year in enumerate((2021, 2022, 2023), 1)
        },
        reports={2021: [report_row(number, **reported) for number in (1, 2, 3)]},
    )
    figures_of = (
        "select by_year, reported, decided, cleared from marts.fct_reported_year"
        " where geography_level = 'riket' and variant = 'beslutad' and reported > 0 order by all"
    )
    write_world(places.landing, world)
    build(places)
    assert table(places, figures_of) == [(2021, 3, 1, 1), (2022, 3, 2, 2), (2023, 3, 3, 3)]
    withdraw(read_state(places), "prosecution", 2022)
    build(places)
    assert table(places, figures_of) == [(2021, 3, 1, 1)]
    assert table(places, "select year from marts.dim_year order by year") == [(2021,), (2023,)]
