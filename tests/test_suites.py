"""The declared suites: sound data passes every expectation, and for every expectation there is data that breaks it.

A check that nothing can break looks like a check and is none.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import duckdb
import pytest
from conftest import settings_in
from reference.rendering import deliver, neat_file
from reference.worlds import offence_row, police_row, prosecution_row
from suite_breakers import BREAKERS, NOT_JUDGED, ONLY_WARN, Breaker

from dagster_project.contract import input_contract
from dagster_project.ingestion.ingest import changed_folders, ingest
from dagster_project.publication.draft import READ_BACK, read_back, write_draft
from dagster_project.publication.release import published_parameters
from dagster_project.sample import write_sample
from dagster_project.settings import Settings
from dagster_project.state import active_deliveries
from dagster_project.transformation.build import build_marts
from dagster_project.transformation.dbt_project import mart_tables, prepare_manifest
from dagster_project.transformation.fingerprints import raw_file
from expectations.engine import CheckResult, run_suite
from expectations.suite import Declared, Suite, load_suites

YEARS = (2021, 2022, 2023, 2024)
RAW_YEAR = 2024
SCALE = 0.01  # of the country; large enough that shares are judged
SUITES = {suite.suite: suite for suite in load_suites()}
DECLARED = [(name, one) for name, suite in SUITES.items() for one in suite.expectations]
each_expectation = pytest.mark.parametrize(
    ("name", "one"), DECLARED, ids=[f"{name}.{one.name}" for name, one in DECLARED]
)
Connections = Mapping[str, duckdb.DuckDBPyConnection]


def build(settings: Settings) -> Settings:
    for folder in changed_folders(settings):
        ingest(folder, settings)
    build_marts(settings)
    return settings


def sample_warehouse(folder: Path) -> Settings:
    """A warehouse built from the sample, and one of its tables as drafted."""
    prepare_manifest()
    settings = settings_in(folder, suppress_below=5)
    write_sample(settings.landing, YEARS, SCALE, seed=1, progress=lambda _: None)
    build(settings)
    # one table is written and read back; the others would take long and say the same
    write_draft(settings, mart_tables(after_audit=False)[:1], anew=True)
    return settings


@contextmanager
def connected(warehouse: Settings) -> Iterator[Connections]:
    """By layer, a connection whose tables may be changed within a transaction."""
    tables = mart_tables(after_audit=False)
    with duckdb.connect() as raw, read_back(warehouse, tables[:1]) as served:
        for table in tables[1:]:
            served.execute(
                f"insert into {READ_BACK} select * replace ($name as table_name) from {READ_BACK} where table_name = $first",
                {"name": table, "first": tables[0]},
            )
        for (_, year), record in active_deliveries(warehouse).items():
            for file in input_contract().sources[record.source]:
                if year == RAW_YEAR:
                    path = raw_file(warehouse, record, file.name)
                    raw.execute(f"create table {file.table} as select * from read_parquet('{path}')")
        # only now, since reading back opens the warehouse too
        served.execute("detach built")
        with duckdb.connect(str(warehouse.warehouse_file)) as built:
            yield {"raw": raw, "intermediate": built, "marts": built, "published": served}


@pytest.fixture(scope="module")
def connections(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connections]:
    with connected(sample_warehouse(tmp_path_factory.mktemp("suites"))) as opened:
        yield opened


def judge(suite: Suite, connection: duckdb.DuckDBPyConnection, year: int = RAW_YEAR) -> dict[str, CheckResult]:
    """Run a suite as the audit does."""
    table = {"raw": suite.asset, "published": READ_BACK}.get(suite.layer)
    parameters = {"raw": {"year": str(year)}, "published": published_parameters()}.get(suite.layer, {})
    return {one.name: one for one in run_suite(suite, connection, table=table, parameters=parameters)}


@pytest.fixture(scope="module")
def on_sound_data(connections: Connections) -> Mapping[str, Mapping[str, CheckResult]]:
    return MappingProxyType({name: judge(suite, connections[suite.layer]) for name, suite in SUITES.items()})


@each_expectation
def test_sound_data_passes(name: str, one: Declared, on_sound_data: Mapping[str, Mapping[str, CheckResult]]) -> None:
    result = on_sound_data[name][one.name]
    expected = "not judged" if (name, one.name) in NOT_JUDGED else "passed"
    assert result.result == expected, f"{result.observed}: {result.error}"


BROKEN = [(name, one, breaker) for name, one in DECLARED for breaker in BREAKERS.get((name, one.name), [])]


@pytest.mark.parametrize(
    ("name", "one", "breaker"), BROKEN, ids=[f"{name}.{one.name}: {breaker.what}" for name, one, breaker in BROKEN]
)
def test_broken_data_fails(name: str, one: Declared, breaker: Breaker, connections: Connections) -> None:
    assert_it_notices(SUITES[name], one, breaker, connections)


def assert_it_notices(suite: Suite, one: Declared, breaker: Breaker, connections: Connections) -> None:
    suite = dataclasses.replace(suite, expectations=(one,))
    connection = connections[suite.layer]
    connection.begin()
    try:
        if breaker.given:
            connection.execute(breaker.given)
            before = judge(suite, connection)[one.name]
            assert before.result != "failed", f"before anything is broken: {before.observed}"
        connection.execute(breaker.sql)
        result = judge(suite, connection)[one.name]
    finally:
        connection.rollback()
    assert (result.result, result.error) == ("failed", None), f"{breaker.what} is not noticed: {result.observed}"


def test_every_expectation_has_data_that_breaks_it() -> None:
    assert_all_have_breakers(SUITES)


def assert_all_have_breakers(suites: Mapping[str, Suite]) -> None:
    declared = {(name, one.name) for name, suite in suites.items() for one in suite.expectations}
    assert {key for key, breakers in BREAKERS.items() if breakers} == declared


def test_what_only_warns() -> None:
    assert_only_these_warn(SUITES)


def assert_only_these_warn(suites: Mapping[str, Suite]) -> None:
    """What is to stop a publication must not turn into a remark unnoticed."""
    warning = {
        (name, one.name) for name, suite in suites.items() for one in suite.expectations if one.severity == "warn"
    }
    assert warning == ONLY_WARN


# --- what people read ------------------------------------------------------------------------------------------------


def test_the_gate_shows_the_worst_file(connections: Connections) -> None:
    suite = SUITES["int_delivery_balance"]
    connection = connections["intermediate"]
    connection.begin()
    try:
        connection.execute(
            f"""
            update {suite.table} set rows_quarantined = 501, rows_read = 100000 where source = 'prosecution' and year = 2022;
            update {suite.table} set is_complete_year = false, rows_quarantined = rows_read where year = 2021"""
        )
        result = judge(suite, connection)["quarantine_within_limit"]
    finally:
        connection.rollback()
    assert not result.passed
    assert result.rows == 1
    assert result.observed == "prosecution/2022/decisions: 0.50 % (501 of 100000 rows, limit 0.5 %)"


@each_expectation
def test_what_was_observed_is_shown(
    name: str, one: Declared, on_sound_data: Mapping[str, Mapping[str, CheckResult]]
) -> None:
    """Nothing is withheld by the engine's net for values of the data, and nothing is missing."""
    observed = on_sound_data[name][one.name].observed
    assert "withheld" not in observed
    assert observed not in ("not determined", "no value")


@each_expectation
def test_texts_are_for_people(name: str, one: Declared) -> None:
    for text in (one.reason, one.limit):
        assert not text.endswith(".")
        assert len(text) <= 120
    # only the limit is filled in by the engine
    assert "{" not in one.reason


# --- what must not be stopped ----------------------------------------------------------------------------------------


def test_a_tiny_first_year_may_be_published(tmp_path: Path) -> None:
    """Two offences of one indicator in one place: unusual, and well formed."""
    prepare_manifest()
    settings = settings_in(tmp_path)
    deliver(
        settings.landing,
        "police",
        2022,
        [
            neat_file("police", "offences", [offence_row(1), offence_row(2, kommunkod="")]),
            neat_file("police", "decisions", [police_row(1)]),
        ],
    )
    deliver(settings.landing, "prosecution", 2022, [neat_file("prosecution", "decisions", [prosecution_row(2)])])
    build(settings)
    with duckdb.connect() as connection:
        for record in active_deliveries(settings).values():
            for file in input_contract().sources[record.source]:
                path = raw_file(settings, record, file.name)
                connection.execute(f"create table {file.table} as select * from read_parquet('{path}')")
        connection.execute(f"attach '{settings.warehouse_file}' as warehouse (read_only)")
        raw = {name: judge(suite, connection, 2022) for name, suite in SUITES.items() if suite.layer == "raw"}
        connection.execute("use warehouse")
        built = {
            name: judge(suite, connection) for name, suite in SUITES.items() if suite.layer in ("intermediate", "marts")
        }
    failed = [one for results in (raw | built).values() for one in results.values() if one.result == "failed"]
    assert [(one.suite, one.name, one.observed, one.error) for one in failed] == []
