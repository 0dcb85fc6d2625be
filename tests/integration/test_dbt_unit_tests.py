"""Runs dbt's unit tests, which hold every counting rule to numbers worked out by hand, and its data tests on the shipped catalogue."""

from __future__ import annotations

from typing import NamedTuple

import duckdb
import pytest

from dagster_project import paths
from dagster_project.settings import Settings
from dagster_project.state import read_state
from dagster_project.transformation.dbt_project import NodeResult, run_dbt
from dagster_project.transformation.raw_schema import create_sources

UNIT_TESTS_AT_LEAST = 69
DATA_TESTS_AT_LEAST = 34


class Outcome(NamedTuple):
    settings: Settings
    build: list[NodeResult]
    unit_tests: list[NodeResult]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("warehouse")
    settings = Settings(landing=folder / "landing", home=folder / "home", published=folder / "published")
    settings.home.mkdir()
    with duckdb.connect(str(settings.home / paths.WAREHOUSE)) as connection:
        create_sources(connection, read_state(settings), year_fingerprints={})
    # A unit test takes the columns of what it replaces from the relation, so all of them are built first, empty.
    build = ["build", "--full-refresh", "--exclude-resource-type", "unit_test"]
    return Outcome(
        settings=settings,
        build=run_dbt(settings, build),
        # The hook that makes the sources of an empty database has a result too.
        unit_tests=[
            result
            for result in run_dbt(settings, ["test", "--select", "test_type:unit"])
            if result.unique_id.startswith("unit_test.")
        ],
    )


def test_every_dbt_unit_test_passes(outcome: Outcome) -> None:
    failed = [f"{result.unique_id}: {result.message}" for result in outcome.unit_tests if result.status != "pass"]
    assert not failed, "\n".join(failed)
    assert len({result.unique_id for result in outcome.unit_tests}) >= UNIT_TESTS_AT_LEAST


def test_the_shipped_catalogue_passes_dbts_data_tests(outcome: Outcome) -> None:
    failed = [result.unique_id for result in outcome.build if result.status not in ("success", "pass")]
    assert not failed
    assert sum(result.unique_id.startswith("test.") for result in outcome.build) >= DATA_TESTS_AT_LEAST


def test_a_check_that_dbt_cannot_run_does_not_keep_the_build_from_finishing(outcome: Outcome) -> None:
    """The audit lets nothing be published then, and says which check it is."""
    with duckdb.connect(str(outcome.settings.home / paths.WAREHOUSE)) as connection:
        connection.execute("alter table marts.fct_case_flow_year rename column offences to others")
    try:
        select = ["--select", "fct_case_flow_year__offences_are_those_of_the_indicators"]
        results = [one for one in run_dbt(outcome.settings, ["test", *select]) if one.tested_model]
    finally:
        with duckdb.connect(str(outcome.settings.home / paths.WAREHOUSE)) as connection:
            connection.execute("alter table marts.fct_case_flow_year rename column others to offences")
    assert [(one.tested_model, one.name, one.status) for one in results] == [
        ("fct_case_flow_year", "offences_are_those_of_the_indicators", "error")
    ]
