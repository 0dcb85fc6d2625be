"""What is audited, what an audit keeps, and what it must not pass over, with suites and results of our own."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import duckdb
import pytest
from great_expectations import ExpectationSuite

from dagster_project import paths
from dagster_project.contract import input_contract
from dagster_project.quality import audit as audit_module
from dagster_project.quality.audit import (
    Audit,
    audit_warehouse,
    leave_consequences_unjudged,
    missing_checks,
    read_audit,
    save_audit,
)
from dagster_project.settings import Settings
from dagster_project.state import DeliveryRecord, FileRecord, activate, read_state, record_folder, write_record
from dagster_project.transformation.dbt_project import (
    NodeResult,
    data_test_checks,
    data_tests,
)
from dagster_project.transformation.fingerprints import raw_file
from expectations import validation
from expectations.results import CheckResult
from expectations.suites import load_suites


def result(name: str = "a_check", **values: Any) -> CheckResult:
    given: dict[str, Any] = {
        "suite": "a_suite", "layer": "marts", "asset": "a_table", "severity": "block", "owner": "us", "reason": "because",
        "result": "passed", "observed": "0 rows", "limit": "0 rows",
    }  # fmt: skip
    return CheckResult(name=name, **{**given, **values})


def deliver(
    settings: Settings, source: str, year: int, synthetic: dict[str, Any] | None = None, *, optional: bool = False
) -> DeliveryRecord:
    """An active delivery whose typed files hold one empty row each."""
    delivered = [file for file in input_contract().sources[source] if optional or not file.optional]
    files = {file.name: FileRecord(file.name, "", 0, 1, 1, 0, {}) for file in delivered}
    record = DeliveryRecord("id", source, year, "2026-01-01", "rules", "utf-8", True, synthetic, files)
    folder = record_folder(settings, source, year, "id", "rules")
    folder.mkdir(parents=True)
    write_record(folder, record)
    for file in delivered:
        types = {"integer": "integer", "date": "date"}
        columns = ", ".join(f"cast(null as {types.get(one.type, 'varchar')}) as {one.name}" for one in file.columns)
        path = raw_file(settings, record, file.name)
        duckdb.execute(f"copy (select {columns}, cast(2 as bigint) as line) to '{path}' (format parquet)")
    activate(read_state(settings), record)
    return record


@pytest.fixture
def complete(settings: Settings) -> Settings:
    for source in ("police", "prosecution"):
        deliver(settings, source, 2022)
    deliver(settings, "police", 2023)
    return settings


def test_what_blocks_and_what_warns() -> None:
    results = [
        result("passed"),
        result("failed", result="failed"),
        result("warned", result="failed", severity="warn"),
        result("passed too", severity="warn"),
    ]
    audit = Audit("basis", tuple(results))
    assert audit.blocking == (results[1],)
    assert audit.warnings == (results[2],)


OF_CHAIN = [
    ExpectationSuite(name=name, meta={"asset": name, "follows": follows})
    for name, follows in {"first": (), "second": ("first",), "third": ("second",), "beside": ()}.items()
]


def test_what_may_follow_from_what_blocks_is_not_judged() -> None:
    results = [
        result("blocks", asset="first", result="failed"),
        result("warns", asset="first", result="failed", severity="warn"),
        result("follows", asset="second", result="failed", severity="warn", observed="3 rows"),
        result("follows_far", asset="third", result="failed"),
        result("holds", asset="third"),
        result("was_waived", asset="third", result="waived"),
        result("is_broken", asset="third", result="failed", error="no such column"),
        result("of_dbt", asset="third", suite="dbt", result="failed"),
        result("expired", asset="third", suite="waivers", result="failed"),
        result("independent", asset="beside", result="failed"),
    ]
    found = {one.name: one for one in leave_consequences_unjudged(results, OF_CHAIN)}
    changed = {name for name in found if found[name] not in results}
    assert changed == {"follows", "follows_far"}
    assert {found[name].result for name in changed} == {"not judged"}
    assert (
        found["follows"].observed == "3 rows (not judged, since it may be a consequence of a blocking failure in first)"
    )
    assert Audit("", tuple(found.values())).not_judged == (found["follows"], found["follows_far"])


@pytest.mark.parametrize(
    "reached", [{"severity": "warn", "result": "failed"}, {"result": "waived"}, {"result": "not judged"}]
)
def test_nothing_follows_from_what_does_not_block(reached: dict[str, Any]) -> None:
    results = [result("before", asset="first", **reached), result("after", asset="second", result="failed")]
    assert leave_consequences_unjudged(results, OF_CHAIN) == results


def test_an_audit_of_older_code_is_none(settings: Settings) -> None:
    save_audit(read_state(settings), Audit("a basis", (result(),)))
    kept = json.loads((settings.home / paths.AUDIT_RESULTS).read_text(encoding="utf-8"))
    older = [
        {"passed": True, **{name: value for name, value in one.items() if name not in ("result", "beyond")}}
        for one in kept["results"]
    ]
    (settings.home / paths.AUDIT_RESULTS).write_text(json.dumps({**kept, "results": older}), encoding="utf-8")
    assert read_audit(settings) is None


def test_an_audit_is_kept_as_it_was(settings: Settings) -> None:
    assert read_audit(settings) is None
    audit = Audit(
        "a basis",
        (
            result(year=2022, rows=3, error="why", beyond=(("2022", 3.5),)),
            result("other", result="failed", severity="warn"),
        ),
    )
    save_audit(read_state(settings), audit)
    assert read_audit(settings) == audit


@pytest.mark.parametrize(
    ("deliveries", "output"),
    [
        ([], "0 deliveries, years none"),
        ([("police", 2022), ("prosecution", 2022)], "2 deliveries, years 2022"),
        (
            [(source, year) for year in (2021, 2022) for source in ("police", "prosecution")] + [("police", 2023)],
            "5 deliveries, years 2021, 2022",
        ),
    ],
)
def test_the_page_says_what_it_is_of(settings: Settings, deliveries: list[tuple[str, int]], output: str) -> None:
    settings.home.mkdir(parents=True, exist_ok=True)
    for source, year in deliveries:
        deliver(settings, source, year)
    save_audit(read_state(settings), Audit("the-basis", (result(),)))
    text = (settings.home / paths.VALIDATION_PAGE).read_text(encoding="utf-8")
    plain = " ".join(re.sub(r"<[^>]*>", " ", text).split())
    assert f"Audit of {output}" in plain
    assert "Basis the-basis" in plain
    assert f"Code version {audit_module.code_version()}" in plain
    assert "synthetic" not in plain


def test_the_page_says_what_is_synthetic(settings: Settings) -> None:
    deliver(settings, "police", 2021)
    deliver(settings, "police", 2022, synthetic={"seed": 1})
    save_audit(read_state(settings), Audit("the-basis", (result(),)))
    plain = " ".join(
        re.sub(r"<[^>]*>", " ", (settings.home / paths.VALIDATION_PAGE).read_text(encoding="utf-8")).split()
    )
    assert "Data synthetic sample data" in plain


def test_without_a_complete_year_there_is_nothing_to_audit(settings: Settings) -> None:
    deliver(settings, "police", 2022)
    audit = audit_warehouse(settings)
    assert audit.results == ()
    assert audit.basis == audit_module.publication_basis(read_state(settings))
    assert not (settings.home / paths.AUDIT_RESULTS).exists()


DATA_TEST = NodeResult("test.one", "unique_x", "marts", "dim_year", "fail", 0.1, 3, "")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Suites that a stub validates; what it was called with."""
    calls: list[dict[str, Any]] = []

    def validate(stage: str, asked: list[Any], connection: duckdb.DuckDBPyConnection) -> list[CheckResult]:
        assert connection.execute("select 1").fetchall() == [(1,)]
        rows = {
            table: connection.execute(f"select count(*), any_value(year) from {table}").fetchall()
            for suite in asked
            if "." not in (table := suite.meta["table"])
        }
        calls.append({"stage": stage, "suites": [suite.name for suite in asked], "rows": rows})
        return [
            result(check.meta["name"], suite=suite.name, asset=suite.meta["asset"], limit=check.meta["limit"])
            for suite in asked
            for check in suite.expectations
        ]

    monkeypatch.setattr("expectations.validation.validate", validate)
    monkeypatch.setattr(audit_module, "read_data_tests", lambda settings: [DATA_TEST] if settings.home else [])
    return calls


def audited(settings: Settings) -> Audit:
    duckdb.connect(str(settings.home / paths.WAREHOUSE)).close()
    return audit_warehouse(settings)


def test_deliveries_of_complete_years_and_all_marts_are_audited(
    complete: Settings, quick: list[dict[str, Any]]
) -> None:
    audit = audited(complete)
    assert [(sorted(call["suites"]), call["rows"]) for call in quick[:2]] == [
        (
            ["raw_police_decisions", "raw_police_offences"],
            {"police_decisions": [(1, 2022)], "police_offences": [(1, 2022)]},
        ),
        (["raw_prosecution_decisions"], {"prosecution_decisions": [(1, 2022)]}),
    ]
    of_all = {suite.name for suite in load_suites("intermediate", "marts")}
    assert quick[2]["suites"] == ["unusable_field"]
    assert {*quick[3]["suites"]} == of_all - {"unusable_field"}
    assert len(quick) == 4
    assert read_audit(complete) == audit
    of_deliveries = [one for one in audit.results if one.suite.startswith("raw_")]
    assert {one.year for one in of_deliveries} == {2022}
    assert {one.year for one in audit.results if not one.suite.startswith("raw_")} == {None}


def test_marts_of_other_deliveries_are_stale(
    complete: Settings, quick: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert audited(complete).basis == "stale"
    monkeypatch.setattr(audit_module, "is_built", lambda settings: True)
    assert audited(complete).basis == audit_module.publication_basis(read_state(complete))


def test_a_delivery_is_audited_once(
    complete: Settings, quick: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = audited(complete)
    second = audited(complete)
    assert len(quick) == 6
    assert first.results == second.results
    kept = {
        path.relative_to(complete.home / paths.RAW_STORE).as_posix()
        for path in (complete.home / paths.RAW_STORE).rglob("audit-*.json")
    }
    name = f"audit-{audit_module.rules_version()}.json"
    assert kept == {f"police/2022/id-rules/{name}", f"prosecution/2022/id-rules/{name}"}
    monkeypatch.setattr(audit_module, "rules_version", lambda: "others")
    audited(complete)
    assert len(quick) == 10


def test_a_delivery_whose_audit_ended_in_an_error_is_audited_again(
    complete: Settings, quick: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = validation.validate
    monkeypatch.setattr(
        validation,
        "validate",
        lambda *asked, **more: [replace(one, error="no memory") for one in stub(*asked, **more)],
    )
    audited(complete)
    assert list((complete.home / paths.RAW_STORE).rglob("audit-*.json")) == []
    monkeypatch.setattr(validation, "validate", stub)
    audited(complete)
    assert len(quick) == 8


def test_what_is_kept_of_a_delivery_is_taken_at_its_word(complete: Settings, quick: list[dict[str, Any]]) -> None:
    audited(complete)
    (path,) = (complete.home / paths.RAW_STORE / "prosecution").rglob("audit-*.json")
    output = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps([{**one, "result": "failed"} for one in output]), encoding="utf-8")
    failed = [one for one in audited(complete).results if not one.passed and one.suite != "dbt"]
    assert {one.suite for one in failed} == {"raw_prosecution_decisions"}


def test_data_tests_are_results_that_block(complete: Settings, quick: list[dict[str, Any]]) -> None:
    (one,) = [one for one in audited(complete).results if one.suite == "dbt"]
    assert one == CheckResult(
        name="unique_x",
        suite="dbt",
        layer="marts",
        asset="dim_year",
        severity="block",
        owner="us",
        reason="a data test of the transformation",
        result="failed",
        observed="3 failing rows",
        limit="0 failing rows",
        rows=3,
    )


@pytest.mark.parametrize(
    ("status", "passed"), [("pass", True), ("fail", False), ("warn", False), ("error", False), ("skipped", False)]
)
def test_only_a_passed_data_test_passes(
    complete: Settings, quick: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, status: str, passed: bool
) -> None:
    test = NodeResult("test.one", "unique_x", "intermediate", "int_decision", status, 0.1, 0, "")
    without = NodeResult("test.two", "unique_y", "intermediate", None, status, 0.1, 0, "")
    monkeypatch.setattr(audit_module, "read_data_tests", lambda settings: [test, without])
    found = [one for one in audited(complete).results if one.suite == "dbt"]
    assert [(one.passed, one.layer, one.asset) for one in found] == [
        (passed, "intermediate", "int_decision"),
        (passed, "intermediate", ""),
    ]


CHECK = ("fct_case_flow_year", "offences_are_those_of_the_indicators")


@pytest.mark.parametrize(
    ("status", "failures", "expected"),
    [
        ("pass", 0, {"result": "passed", "observed": "0 rows", "rows": 0}),
        ("warn", 1, {"result": "failed", "observed": "1 row", "rows": 1}),
        (
            "error",
            0,
            {"result": "failed", "observed": "not determined", "error": "dbt could not run it; dbt.log says why"},
        ),
    ],
)
def test_a_data_test_with_a_limit_is_a_check_of_its_suite(status: str, failures: int, expected: dict[str, Any]) -> None:
    model, check = CHECK
    with duckdb.connect() as connection:
        connection.execute(f"create schema marts; create table marts.{model} as select 1 as year")
        test = NodeResult("test.one", check, "", model, status, 0.1, failures, "")
        (found,) = audit_module.data_test_results([test], connection)
    assert found == result(
        check,
        suite=model,
        layer="marts",
        asset=model,
        owner="us",
        severity="block",
        reason="both tables count the same offences",
        limit="the same number as in fct_indicator_year at every stage, for the country and every region with offences",
        **expected,
    )


@pytest.mark.parametrize("checked", [True, False])
def test_a_data_test_with_a_limit_is_about_an_empty_table_only_if_it_says_so(
    monkeypatch: pytest.MonkeyPatch, checked: bool
) -> None:
    model, check = CHECK
    meta = {**data_test_checks()[CHECK], "evaluates_an_empty_table": checked}
    monkeypatch.setattr(audit_module, "data_test_checks", lambda: {CHECK: meta})
    with duckdb.connect() as connection:
        connection.execute(f"create schema marts; create table marts.{model} (year integer)")
        test = NodeResult("test.one", check, "", model, "pass", 0.1, 0, "")
        (found,) = audit_module.data_test_results([test], connection)
    assert (found.result, found.observed) == (("passed", "0 rows") if checked else ("not judged", "an empty table"))


def test_every_data_test_with_a_limit_is_declared_whole() -> None:
    suites = {suite.meta["asset"]: suite for suite in load_suites("intermediate", "marts")}
    for (model, check), meta in data_test_checks().items():
        assert {*meta} - {"evaluates_an_empty_table"} == {"owner", "limit", "reason"}, check
        assert check not in {expectation.meta["name"] for expectation in suites[model].expectations}


def test_every_declared_check_must_have_a_result(complete: Settings, quick: list[dict[str, Any]]) -> None:
    audit = audited(complete)
    tests = tuple(result(test, suite="dbt", asset=model) for model, test in data_tests())
    whole = Audit(audit.basis, (*audit.results, *tests))
    assert missing_checks(read_state(complete), whole) == []
    for gone in (
        next(one for one in whole.results if one.asset == "prosecution_decisions"),
        next(one for one in whole.results if one.asset == "int_processed_offence" and one.suite != "dbt"),
        next(one for one in whole.results if one.asset == "fct_indicator_year" and one.suite != "dbt"),
        tests[0],
    ):
        left = Audit("basis", tuple(one for one in whole.results if one is not gone))
        year = f" ({gone.year})" if gone.year else ""
        assert missing_checks(read_state(complete), left) == [f"{gone.asset}.{gone.name}{year}"]


def test_an_optional_file_is_audited_where_it_was_delivered(settings: Settings, quick: list[dict[str, Any]]) -> None:
    for year in (2022, 2023):
        deliver(settings, "police", year, optional=year == 2023)
        deliver(settings, "prosecution", year)
    audit = audited(settings)
    of_reports = {(one.name, one.year) for one in audit.results if one.asset == "police_reports"}
    assert {year for _, year in of_reports} == {2023}
    without = Audit("basis", tuple(one for one in audit.results if one.asset != "police_reports"))
    missing = [one for one in missing_checks(read_state(settings), without) if one.startswith("police_reports")]
    assert missing == sorted(f"police_reports.{name} ({year})" for name, year in of_reports)


def test_checks_of_another_year_do_not_count(complete: Settings, quick: list[dict[str, Any]]) -> None:
    audit = audited(complete)
    deliver(complete, "prosecution", 2023)
    missing = missing_checks(read_state(complete), audit)
    of_deliveries = [one for one in missing if one.endswith(")")]
    declared = {
        f"{suite.meta['asset']}.{check.meta['name']} (2023)"
        for suite in load_suites("raw")
        for check in suite.expectations
        if suite.meta["asset"] != "police_reports"
    }
    assert set(of_deliveries) == declared
    assert missing == sorted(missing)


def test_the_published_files_are_not_part_of_the_audit(complete: Settings, quick: list[dict[str, Any]]) -> None:
    assert not any("current." in one for one in missing_checks(read_state(complete), Audit("basis", ())))


def test_it_is_said_what_was_audited(
    complete: Settings, quick: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "uppklarat")
    audit = audited(complete)
    of = {source: sum(one.asset.startswith(source) for one in audit.results) for source in ("police", "prosecution")}
    assert caplog.messages == [
        f"police/2022: {of['police']} checks of the typed extract",
        f"prosecution/2022: {of['prosecution']} checks of the typed extract",
    ]


def test_marts_are_audited_while_somebody_else_reads(complete: Settings, quick: list[dict[str, Any]]) -> None:
    audited(complete)
    with duckdb.connect(str(complete.home / paths.WAREHOUSE), read_only=True):
        assert audit_warehouse(complete).results
