"""The declared checks: sound data passes each, and for each there is data that breaks it.

These are the expectations of the suites, and the data tests of dbt that declare a limit.

A check that nothing can break looks like a check and is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

import duckdb
import pytest
from conftest import settings_in
from great_expectations import ExpectationSuite
from reference.rendering import deliver, neat_file
from reference.worlds import offence_row, police_row, prosecution_row, report_row
from suite_breakers import BREAKERS, NOT_JUDGED, OF_THE_WHOLE_COUNTRY, ONLY_WARN, Breaker

from dagster_project import paths
from dagster_project.contract import input_contract
from dagster_project.ingestion.ingest import changed_folders, ingest
from dagster_project.publication.draft import READ_BACK, begin_draft, read_back, write_draft
from dagster_project.quality.audit import data_test_results
from dagster_project.sample import write_sample
from dagster_project.settings import DBT_PROJECT, REPOSITORY, Settings
from dagster_project.state import read_state
from dagster_project.transformation.build import build_marts
from dagster_project.transformation.dbt_project import (
    NodeResult,
    data_test_checks,
    invoke_parsed,
    mart_tables,
    model_and_check,
)
from dagster_project.transformation.fingerprints import raw_file
from expectations.results import CheckResult
from expectations.suites import load_suites
from expectations.validation import validate

YEARS = (2021, 2022, 2023, 2024)
RAW_YEAR = 2024
SCALE = 0.01  # of the country; large enough that shares are judged
SUITES = {suite.name: suite for suite in load_suites()}
DECLARED = [(name, check) for name, suite in SUITES.items() for check in suite.expectations]
each_expectation = pytest.mark.parametrize(
    ("name", "check"), DECLARED, ids=[f"{name}.{check.meta['name']}" for name, check in DECLARED]
)
DATA_TESTS = sorted(data_test_checks())
each_data_test = pytest.mark.parametrize(
    ("model", "check"), DATA_TESTS, ids=[f"{model}.{check}" for model, check in DATA_TESTS]
)
Connections = Mapping[str, duckdb.DuckDBPyConnection]
# The SQL of a data test, by model and check
CompiledTests = Mapping[tuple[str, str], str]


def build(settings: Settings) -> Settings:
    for folder in changed_folders(read_state(settings)):
        ingest(folder, settings)
    build_marts(settings)
    return settings


def sample_warehouse(folder: Path) -> Settings:
    """A warehouse built from the sample, and one of its tables as drafted."""
    settings = settings_in(folder, suppress_below=5)
    write_sample(settings.landing, YEARS, SCALE, seed=1, progress=lambda _: None)
    build(settings)
    # one table is written and read back; the others would take long and say the same
    begin_draft(settings.published / paths.DRAFT)
    write_draft(settings.published / paths.DRAFT, mart_tables()[:1], settings.home / paths.WAREHOUSE)
    return settings


@contextmanager
def connected(warehouse: Settings) -> Iterator[Connections]:
    """By layer, a connection whose tables may be changed within a transaction."""
    tables = mart_tables()
    with (
        duckdb.connect() as raw,
        read_back(warehouse.published / paths.DRAFT, tables[:1], warehouse.home / paths.WAREHOUSE) as served,
    ):
        for table in tables[1:]:
            served.execute(
                f"insert into {READ_BACK} select * replace ($name as table_name) from {READ_BACK} where table_name = $first",
                {"name": table, "first": tables[0]},
            )
        for (_, year), record in read_state(warehouse).active.items():
            for file in input_contract().sources[record.source]:
                if year == RAW_YEAR and file.name in record.files:
                    path = raw_file(warehouse, record, file.name)
                    raw.execute(f"create table {file.table} as select *, {year} as year from read_parquet('{path}')")
        # only now, since reading back opens the warehouse too
        served.execute("detach built")
        with duckdb.connect(str(warehouse.home / paths.WAREHOUSE)) as built:
            yield {"raw": raw, "intermediate": built, "marts": built, "published": served}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return sample_warehouse(tmp_path_factory.mktemp("suites"))


@pytest.fixture(scope="module")
def compiled(warehouse: Settings) -> CompiledTests:
    """dbt's data tests as they ran in the build of the warehouse, whose place dbt still has."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    places = ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
    try:
        with TemporaryDirectory() as folder:
            places += ["--target-path", folder, "--log-path", folder]
            outcome = invoke_parsed(["compile", "--select", "resource_type:test", *places])
    finally:
        DuckDBConnectionManager.close_all_connections()
    return {
        model_and_check(result.node.name, getattr(result.node, "attached_node", None)): result.node.compiled_code
        for result in outcome.result
    }


@pytest.fixture(scope="module")
def connections(warehouse: Settings, compiled: CompiledTests) -> Iterator[Connections]:
    # dbt opens the warehouse to compile, so this comes after it.
    with connected(warehouse) as opened:
        yield opened


class InTransaction:
    """A connection whose open transaction nobody ends who is given it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def cursor(self) -> InTransaction:
        return self

    def begin(self) -> None:
        """Nothing: it has begun."""

    commit = rollback = close = begin


def evaluate(suite: ExpectationSuite, connection: duckdb.DuckDBPyConnection) -> dict[str, CheckResult]:
    """Validate as the audit does."""
    return {result.name: result for result in validate("test", [suite], InTransaction(connection))}  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def on_sound_data(connections: Connections) -> Mapping[str, Mapping[str, CheckResult]]:
    return MappingProxyType({name: evaluate(suite, connections[suite.meta["layer"]]) for name, suite in SUITES.items()})


@each_expectation
def test_sound_data_passes(name: str, check: Any, on_sound_data: Mapping[str, Mapping[str, CheckResult]]) -> None:
    result = on_sound_data[name][check.meta["name"]]
    key = name, check.meta["name"]
    expected = "not judged" if key in NOT_JUDGED else "failed" if key in OF_THE_WHOLE_COUNTRY else "passed"
    assert result.result == expected, f"{result.observed}: {result.error}"


BROKEN = [
    (name, check, breaker) for name, check in DECLARED for breaker in BREAKERS.get((name, check.meta["name"]), [])
]


@pytest.mark.parametrize(
    ("name", "check", "breaker"),
    BROKEN,
    ids=[f"{name}.{check.meta['name']}: {breaker.what}" for name, check, breaker in BROKEN],
)
def test_broken_data_fails(name: str, check: Any, breaker: Breaker, connections: Connections) -> None:
    assert_it_notices(SUITES[name], check, breaker, connections)


def assert_it_notices(suite: ExpectationSuite, check: Any, breaker: Breaker, connections: Connections) -> None:
    suite = ExpectationSuite(name=suite.name, meta=suite.meta, expectations=[check.copy()])
    connection = connections[suite.meta["layer"]]
    assert_noticed(lambda: evaluate(suite, connection)[check.meta["name"]], breaker, connection)


def assert_noticed(judge: Callable[[], CheckResult], breaker: Breaker, connection: duckdb.DuckDBPyConnection) -> None:
    connection.begin()
    try:
        if breaker.given:
            connection.execute(breaker.given)
            before = judge()
            assert before.result != "failed", f"before anything is broken: {before.observed}"
        connection.execute(breaker.sql)
        result = judge()
    finally:
        connection.rollback()
    assert (result.result, result.error) == ("failed", None), f"{breaker.what} is not noticed: {result.observed}"


def test_every_expectation_has_data_that_breaks_it() -> None:
    assert_all_have_breakers(SUITES)


def assert_all_have_breakers(suites: Mapping[str, ExpectationSuite]) -> None:
    declared = {(name, check.meta["name"]) for name, suite in suites.items() for check in suite.expectations}
    assert declared.isdisjoint(DATA_TESTS)
    assert {key for key, breakers in BREAKERS.items() if breakers} == declared | {*DATA_TESTS}


def test_what_only_warns() -> None:
    assert_only_these_warn(SUITES)


def assert_only_these_warn(suites: Mapping[str, ExpectationSuite]) -> None:
    """What is to stop a publication must not turn into a remark unnoticed."""
    warning = {
        (name, check.meta["name"])
        for name, suite in suites.items()
        for check in suite.expectations
        if check.severity == "warning"
    }
    assert warning == ONLY_WARN


# --- data tests of dbt that declare a limit ---------------------------------------------------------------------------


def evaluate_data_test(
    model: str, check: str, compiled: CompiledTests, connection: duckdb.DuckDBPyConnection
) -> CheckResult:
    """The result as the audit has it, of a test that ran as dbt runs it."""
    ((failures,),) = connection.execute(f"select count(*) from ({compiled[model, check]})").fetchall()
    ran = NodeResult("test.one", check, "", model, "warn" if failures else "pass", 0.1, failures, "")
    (result,) = data_test_results([ran], connection)
    return result


@each_data_test
def test_sound_data_passes_the_data_tests(
    model: str, check: str, compiled: CompiledTests, connections: Connections
) -> None:
    result = evaluate_data_test(model, check, compiled, connections["marts"])
    assert (result.result, result.observed, result.error) == ("passed", "0 rows", None)
    assert (result.suite, result.asset, result.name, result.severity) == (model, model, check, "block")
    assert result.layer == SUITES[model].meta["layer"]


@pytest.mark.parametrize(
    ("model", "check", "breaker"),
    [(*key, breaker) for key in DATA_TESTS for breaker in BREAKERS.get(key, [])],
    ids=[f"{'.'.join(key)}: {breaker.what}" for key in DATA_TESTS for breaker in BREAKERS.get(key, [])],
)
def test_broken_data_fails_the_data_tests(
    model: str, check: str, breaker: Breaker, compiled: CompiledTests, connections: Connections
) -> None:
    connection = connections["marts"]
    assert_noticed(lambda: evaluate_data_test(model, check, compiled, connection), breaker, connection)


@each_data_test
def test_the_data_tests_on_an_empty_table(
    model: str, check: str, compiled: CompiledTests, connections: Connections
) -> None:
    """Where there is nothing to look at, nothing has passed, unless the test is about that too."""
    suite, connection = SUITES[model], connections["marts"]
    connection.begin()
    try:
        connection.execute(f"delete from {suite.meta['table']}")
        result = evaluate_data_test(model, check, compiled, connection)
    finally:
        connection.rollback()
    if data_test_checks()[model, check].get("evaluates_an_empty_table"):
        expected = "passed" if result.rows == 0 else "failed"
    else:
        expected = "not judged" if suite.meta.get("may_be_empty") else "failed"
        assert result.observed == "an empty table"
    assert result.result == expected


@each_data_test
def test_texts_of_data_tests_are_for_people(model: str, check: str) -> None:
    meta = data_test_checks()[model, check]
    assert meta["owner"] == "us"
    for text in (meta["limit"], meta["reason"]):
        assert not text.endswith(".")
        assert len(text) <= 120


# --- what people read ------------------------------------------------------------------------------------------------


def test_the_gate_shows_the_worst_file(connections: Connections) -> None:
    suite = SUITES["int_delivery_balance"]
    connection, table = connections["intermediate"], suite.meta["table"]
    connection.begin()
    try:
        connection.execute(
            f"""
            update {table} set rows_quarantined = 501, rows_read = 100000 where source = 'prosecution' and year = 2022;
            update {table} set is_complete_year = false, rows_quarantined = rows_read where year = 2021"""
        )
        result = evaluate(suite, connection)["quarantine_within_limit"]
    finally:
        connection.rollback()
    assert not result.passed
    assert result.rows == 1
    assert result.observed == "prosecution/2022/decisions: 0.50 % (501 of 100000 rows, limit 0.5 %)"


@each_expectation
def test_what_was_observed_is_shown(
    name: str, check: Any, on_sound_data: Mapping[str, Mapping[str, CheckResult]]
) -> None:
    """Nothing is withheld by the engine's net for values of the data, and nothing is missing."""
    observed = on_sound_data[name][check.meta["name"]].observed
    assert "withheld" not in observed
    assert observed not in ("not determined", "no value")


@each_expectation
def test_texts_are_for_people(name: str, check: Any) -> None:
    for text in (check.notes, check.meta["limit"]):
        assert not text.endswith(".")
        assert len(text) <= 120
    # only the year of a delivery is filled in, into the limit
    assert "{" not in check.notes


# --- what must not be stopped ----------------------------------------------------------------------------------------


def test_a_tiny_first_year_may_be_published(tmp_path: Path) -> None:
    """Two offences of one indicator in one place: unusual, and well formed."""
    settings = settings_in(tmp_path)
    deliver(
        settings.landing,
        "police",
        2022,
        [
            neat_file("police", "offences", [offence_row(1), offence_row(2, kommunkod="")]),
            neat_file("police", "decisions", [police_row(1)]),
            neat_file("police", "reports", [report_row(1), report_row(3)]),
        ],
    )
    deliver(settings.landing, "prosecution", 2022, [neat_file("prosecution", "decisions", [prosecution_row(2)])])
    build(settings)
    with duckdb.connect() as connection:
        for record in read_state(settings).active.values():
            for file in input_contract().sources[record.source]:
                path = raw_file(settings, record, file.name)
                connection.execute(f"create table {file.table} as select *, 2022 as year from read_parquet('{path}')")
        connection.execute(f"attach '{settings.home / paths.WAREHOUSE}' as warehouse (read_only)")
        raw = {suite.name: evaluate(suite, connection) for suite in load_suites("raw")}
        connection.execute("use warehouse")
        built = {suite.name: evaluate(suite, connection) for suite in load_suites("intermediate", "marts")}
    failed = [one for results in (raw | built).values() for one in results.values() if one.result == "failed"]
    assert [(one.suite, one.name, one.observed, one.error) for one in failed] == []


def test_a_suite_runs_by_great_expectations_own_api(
    published_world: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """As docs/first-hour.md shows."""
    page = (REPOSITORY / "docs" / "first-hour.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(snippet.replace("data/warehouse/warehouse.duckdb", str(published_world.home / paths.WAREHOUSE)), {})
    printed = capsys.readouterr().out.splitlines()
    assert "fct_indicator_year" in printed[0]
    declared = [one for suite in load_suites("intermediate", "marts") for one in suite.expectations]
    assert len(printed) == 1 + len(declared)
    assert "True withheld_rows_show_nothing" in printed
