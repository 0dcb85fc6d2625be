"""Validation: what passes, what fails, what is not judged, what may be shown, and how Great Expectations is used for it."""

from __future__ import annotations

import dataclasses
import json
import logging
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import great_expectations as gx
import pytest
import sqlalchemy as sa
from great_expectations import ExpectationSuite
from great_expectations import expectations as gxe
from great_expectations.execution_engine import SqlAlchemyExecutionEngine

from expectations.kinds import (
    ExpectAggregateToBeBetween,
    ExpectMeasureToBeBetween,
    ExpectNoRows,
    ExpectNoRowsWhere,
    ExpectShareOfRowsToBeBetween,
)
from expectations.observed import in_brief
from expectations.results import CheckResult
from expectations.suites import check_suites, load_suites
from expectations.validation import validate

# The form of a case number: it stands for all that may never leave the warehouse.
MARKER = "2200-K1276-14"


def about(name: str, **more: Any) -> dict[str, Any]:
    severity = more.pop("severity", "critical")
    meta = {"name": name, "owner": "us", "limit": "a limit", **more}
    return {"severity": severity, "notes": "because", "meta": meta}


def suite(*expectations: Any, table: str = "marts.figures", **meta: Any) -> ExpectationSuite:
    meta = {"layer": "marts", "asset": "figures", "table": table, **meta}
    return ExpectationSuite(name="figures", meta=meta, expectations=list(expectations))


def evaluate(connection: duckdb.DuckDBPyConnection, *expectations: Any, **given: Any) -> dict[str, CheckResult]:
    return {result.name: result for result in validate("test", [suite(*expectations, **given)], connection)}


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as held:
        held.execute("create schema marts")
        held.execute(
            """
            create table marts.figures as
            select range::int as id, 2015 + range::int % 10 as year, range::int % 5 as part, 1 + range::int % 5 as whole,
                'Rn0' || (1 + range % 3) as region, date '2020-01-01' + range::int as decided, range / 8.0::double as pct,
                null::int as nothing, if(range = 7, null, range)::int as gaps, 'åäö' as word
            from range(100)
            """
        )
        yield held


# -- what passes and what fails ---------------------------------------------------------------------------------------


def test_observed_and_rows_are_counts(connection: duckdb.DuckDBPyConnection) -> None:
    results = evaluate(
        connection,
        gxe.ExpectColumnValuesToBeBetween(column="part", max_value=3, **about("bound")),
        gxe.ExpectColumnDistinctValuesToEqualSet(column="part", value_set=[0, 9], **about("set")),
        gxe.ExpectTableRowCountToEqual(value=101, **about("count")),
        ExpectNoRows(query="select * from marts.figures where part = 4", **about("rows")),
        ExpectNoRows(query="select * from marts.figures where id = 4", **about("one")),
        ExpectNoRowsWhere(condition="part = 4", **about("where")),
        ExpectAggregateToBeBetween(expression="sum(part)", max_value=1, **about("sum")),
        ExpectAggregateToBeBetween(
            expression="max(part)", max_value=3, shown="max(part) || ' at most'", **about("shown")
        ),
        ExpectShareOfRowsToBeBetween(
            condition="part = 4", max_value=19.9, only_if="true", needs="rows", **about("share")
        ),
    )
    assert {name: (result.result, result.observed, result.rows) for name, result in results.items()} == {
        "bound": ("failed", "20 of 100 rows", 20),
        "set": ("failed", "4 unexpected values, 1 missing", 0),
        "count": ("failed", "100", 0),
        "rows": ("failed", "20 rows", 20),
        "one": ("failed", "1 row", 1),
        "where": ("failed", "20 rows", 20),
        "sum": ("failed", "200", 1),
        "shown": ("failed", "4 at most", 1),
        "share": ("failed", "20.0 %", 1),
    }


def test_results_keep_what_was_declared_and_its_order(connection: duckdb.DuckDBPyConnection) -> None:
    warned, blocked, passed = evaluate(
        connection,
        ExpectAggregateToBeBetween(
            expression="max(part)", max_value=1, **about("z", severity="warning", owner="supplier")
        ),
        ExpectNoRows(query="select 1 from marts.figures where year = 2015", **about("a")),
        gxe.ExpectColumnValuesToBeUnique(column="id", **about("m")),
    ).values()
    assert [warned.name, blocked.name, passed.name] == ["z", "a", "m"]
    assert (warned.severity, warned.owner, warned.result) == ("warn", "supplier", "failed")
    assert (blocked.severity, blocked.limit, blocked.reason) == ("block", "a limit", "because")
    assert (passed.suite, passed.layer, passed.asset, passed.passed) == ("figures", "marts", "figures", True)


@pytest.mark.parametrize(
    "condition",
    [
        "not regexp_full_match(region, 'Rn[0-9]{2}')",
        "region not like 'Rn%' or part % 5 <> part",
        "{'a':1, 'b':2}['a'] <> 1",
        "decided < '2020-01-01 12:30:00'::timestamp - interval 1 day",
        "region[:2] <> 'Rn' or ' :x' <> ' ' || ':x'",
        "part > 4 -- a closing comment",
    ],
)
def test_sql_arrives_as_it_was_written(connection: duckdb.DuckDBPyConnection, condition: str) -> None:
    results = evaluate(
        connection,
        ExpectNoRows(query=f"select * from marts.figures where {condition}", **about("query")),
        ExpectNoRowsWhere(condition=condition, **about("where")),
        ExpectAggregateToBeBetween(
            expression=f"count(*) filter (where {condition}\n)", max_value=0, **about("aggregate")
        ),
    )
    assert [(result.result, result.error) for result in results.values()] == [("passed", None)] * 3


def test_a_row_of_which_a_condition_is_unknown_is_expected(connection: duckdb.DuckDBPyConnection) -> None:
    assert evaluate(connection, ExpectNoRowsWhere(condition="nothing > 3", **about("a")))["a"].passed


def test_what_is_measured_names_the_units_beyond_the_limit(connection: duckdb.DuckDBPyConnection) -> None:
    def measured(name: str, value: str, **given: Any) -> ExpectMeasureToBeBetween:
        query = f"select 'part ' || part as unit, {value} from marts.figures group by part"
        return ExpectMeasureToBeBetween(query=query, unit="part", **given, **about(name))

    large = "case when part > 2 then sum(whole) end as value"
    results = evaluate(
        connection,
        measured("sound", "sum(whole) as value", min_value=20, max_value=100),
        measured(
            "shown_as",
            "sum(whole) as value",
            max_value=100,
            shown="concat(count(*) filter (part > 2), ' of ', count(*))",
        ),
        measured("above", "sum(whole) as value", max_value=79),
        measured("below", "sum(whole) as value", min_value=41),
        measured("both", "sum(whole) as value, sum(whole) || ' wholes' as shown", min_value=21, max_value=99),
        measured("some", large, max_value=99, needs="a large part"),
        measured("none", large.replace("2", "5"), max_value=99, needs="a large part"),
        measured("broken", "sum(wholes) as value", max_value=99),
    )
    assert {name: (one.result, one.observed, one.rows, one.beyond) for name, one in results.items()} == {
        "sound": ("passed", "20 to 100 in 5 parts", 0, ()),
        "shown_as": ("passed", "40 of 100", 0, ()),
        "above": ("failed", "part 3: 80; part 4: 100", 2, (("part 3", 80.0), ("part 4", 100.0))),
        "below": ("failed", "part 0: 20; part 1: 40", 2, (("part 0", 20.0), ("part 1", 40.0))),
        "both": ("failed", "part 0: 20 wholes; part 4: 100 wholes", 2, (("part 0", 20.0), ("part 4", 100.0))),
        "some": ("failed", "part 4: 100; 3 of 5 parts not judged (needs a large part)", 1, (("part 4", 100.0),)),
        "none": ("not judged", "not enough data: needs a large part", 0, ()),
        "broken": ("failed", "not determined", 0, ()),
    }
    assert "Binder Error" in str(results["broken"].error)


# -- what must not pass in silence ------------------------------------------------------------------------------------


def on_any_table() -> list[Any]:
    others = "select id from marts.figures where id not in (select id from marts.none)"
    return [
        gxe.ExpectColumnValuesToNotBeNull(column="id", **about("column", severity="warning")),
        gxe.ExpectColumnValuesToBeBetween(column="nothing", max_value=1, **about("nulls", may_be_all_null=True)),
        ExpectNoRows(query="select * from marts.none", **about("rows")),
        ExpectNoRows(query=others, evaluates_an_empty_table=True, **about("elsewhere")),
        ExpectNoRows(query=f"{others} limit 0", evaluates_an_empty_table=True, **about("sound")),
    ]


@pytest.mark.parametrize(
    ("may_be_empty", "expected"),
    [(False, ("failed", "an empty table", "the table is empty")), (True, ("not judged", "an empty table", None))],
)
def test_an_empty_table_passes_nothing(
    connection: duckdb.DuckDBPyConnection, may_be_empty: bool, expected: tuple[str, str, str | None]
) -> None:
    connection.execute("create view marts.none as select * from marts.figures where false")
    results = evaluate(connection, *on_any_table(), table="marts.none", may_be_empty=may_be_empty)
    assert [(result.result, result.observed, result.error) for result in results.values()] == [
        *[expected] * 3,
        ("failed", "100 rows", None),
        ("passed", "0 rows", None),
    ]


def test_an_all_null_column_fails_unless_declared(connection: duckdb.DuckDBPyConnection) -> None:
    results = evaluate(
        connection,
        gxe.ExpectColumnValuesToBeBetween(column="nothing", max_value=1, **about("silent")),
        gxe.ExpectColumnValuesToBeBetween(column="nothing", min_value=1, **about("expected", may_be_all_null=True)),
        gxe.ExpectColumnValuesToBeInSet(column="nothing", value_set=[1], **about("set")),
        gxe.ExpectCompoundColumnsToBeUnique(column_list=["nothing", "gaps"], **about("compound")),
        gxe.ExpectColumnDistinctValuesToEqualSet(column="nothing", value_set=[1], **about("distinct")),
        gxe.ExpectColumnValuesToBeBetween(column="gaps", min_value=0, **about("partly")),
    )
    assert {name for name, result in results.items() if result.passed} == {"expected", "partly", "compound"}
    assert (results["silent"].observed, results["silent"].rows) == ("no value in any of 100 rows", 100)
    assert results["silent"].error == "there is no value to evaluate"


def test_nothing_is_evaluated_without_its_condition(connection: duckdb.DuckDBPyConnection) -> None:
    def only_if(name: str, condition: str) -> dict[str, Any]:
        return {"only_if": condition, "needs": "a hundred rows", **about(name)}

    results = evaluate(
        connection,
        ExpectAggregateToBeBetween(expression="max(part)", max_value=3, **only_if("enough", "count(*) >= 100")),
        ExpectNoRowsWhere(condition="part > 9", **only_if("enough_and_sound", "count(*) >= 100")),
        ExpectAggregateToBeBetween(expression="max(part)", max_value=3, **only_if("too_few", "count(*) > 100")),
        ExpectNoRows(query="select * from marts.figures", **only_if("too_few_rows", "count(*) > 100")),
        ExpectNoRowsWhere(condition="part > 3", **only_if("unknown", "max(nothing) > 3")),
        ExpectNoRowsWhere(condition="part > 3", **only_if("by_query", "select count(*) > 100 from marts.figures")),
        ExpectNoRowsWhere(condition="part > 9", **only_if("broken", "parts > 3")),
    )
    assert {name: result.result for name, result in results.items()} == {
        "enough": "failed",
        "enough_and_sound": "passed",
        "too_few": "not judged",
        "too_few_rows": "not judged",
        "unknown": "not judged",
        "by_query": "not judged",
        "broken": "failed",
    }
    assert results["too_few"].observed == "not enough data: needs a hundred rows"
    assert "Binder Error" in str(results["broken"].error)


def test_what_cannot_be_evaluated_fails_and_says_why_and_its_neighbours_do_not(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    results = evaluate(
        connection,
        gxe.ExpectColumnValuesToNotBeNull(column="parts", **about("column")),
        ExpectNoRows(query="selec * from marts.figures", **about("grammar")),
        ExpectNoRows(query="select * from marts.figures where parts = 1", **about("name")),
        ExpectNoRows(query="select * from marts.nothing", **about("table")),
        ExpectNoRowsWhere(condition="parts = 1", **about("where")),
        ExpectNoRowsWhere(condition="part = 9", shown="select id from marts.figures", **about("several")),
        ExpectAggregateToBeBetween(expression="max(nothing)", max_value=1, **about("unknown")),
        ExpectAggregateToBeBetween(expression="max(region)", max_value=1, **about("text")),
        gxe.ExpectColumnValuesToNotBeNull(column="id", **about("fine")),
        ExpectNoRowsWhere(condition="part = 9", shown="'all ' || count(id)", **about("fine_too")),
    )
    assert {name for name, result in results.items() if result.passed} == {"fine", "fine_too"}
    assert results["fine_too"].observed == "all 100"
    for name, part in {
        "grammar": "Parser Error: syntax error",
        "name": 'Binder Error: Referenced column "parts" not found',
        "table": "Catalog Error: Table with name nothing does not exist!",
        "where": 'Binder Error: Referenced column "parts" not found',
        "several": "InvalidInputException (message withheld",
        "unknown": "ValueError (message withheld",
        "text": "ValueError (message withheld",
    }.items():
        assert part in str(results[name].error)
    assert results["column"].error is not None


def test_a_missing_table_fails_every_expectation(connection: duckdb.DuckDBPyConnection) -> None:
    results = evaluate(connection, *on_any_table(), table="marts.nowhere")
    assert {(result.result, result.error) for result in results.values()} == {
        ("failed", "there is no table marts.nowhere")
    }


def test_an_expectation_that_was_dropped_fails(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("expectations.validation._evaluate_again", lambda definition, results: {})
    result = evaluate(connection, ExpectNoRowsWhere(condition="part > 9", **about("a")))["a"]
    assert (result.result, result.error) == ("failed", "was declared but not evaluated")


@pytest.mark.parametrize(
    ("kind", "given", "problem"),
    [
        (ExpectAggregateToBeBetween, {"expression": "1"}, "it would pass whatever the data"),
        (ExpectMeasureToBeBetween, {"query": "select 1", "unit": "a"}, "it would pass whatever the data"),
        (ExpectNoRowsWhere, {"condition": "true", "only_if": "true"}, "only_if needs `needs`"),
        (ExpectNoRowsWhere, {"condition": "true", "typo": 1}, "extra fields not permitted"),
        (ExpectNoRowsWhere, {}, "field required"),
    ],
)
def test_a_slip_in_a_declaration_is_named(kind: Any, given: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        kind(**given, **about("a"))


def test_a_suite_that_would_check_less_than_it_seems_is_refused() -> None:
    sound = ExpectNoRowsWhere(condition="part > 9", **about("a"))
    nameless = ExpectNoRowsWhere(condition="part > 8", severity="critical", notes="because", meta={"owner": "us"})
    mild = ExpectNoRowsWhere(condition="part > 8", **about("b", severity="info"))
    vacuous = gxe.ExpectColumnDistinctValuesToBeInSet(column="part", value_set=[1], **about("b"))
    check_suites([suite(sound)])
    for suites, problem in (
        ([], "there is no suite"),
        ([suite()], "figures: no expectation"),
        ([suite(sound, ExpectNoRowsWhere(condition="part > 8", **about("a")))], "figures.a is declared twice"),
        ([suite(sound), suite(sound)], "figures.a is declared twice"),
        ([suite(nameless)], "figures: an expectation lacks name, limit"),
        ([suite(mild)], "figures.b: its severity must be critical or warning"),
        ([suite(vacuous)], "figures.b: ExpectColumnDistinctValuesToBeInSet passes on an empty column"),
        ([suite(sound, follows=["nothing"])], "figures follows nothing, of which there is no suite"),
    ):
        with pytest.raises(ValueError, match=problem):
            check_suites(suites)


# -- what a result means ----------------------------------------------------------------------------------------------


def result(**changes: Any) -> CheckResult:
    given: dict[str, Any] = {"severity": "block", "owner": "us", "reason": "because", "limit": "a limit"}
    given |= {"result": "failed", "observed": "2 rows", "beyond": (("2022", 3.5),), **changes}
    return CheckResult("name", "figures", "marts", "figures", **given)


def test_a_result_is_kept_as_json() -> None:
    assert CheckResult.from_json(json.loads(json.dumps(dataclasses.asdict(result())))) == result()


@pytest.mark.parametrize("severity", ["block", "warn"])
@pytest.mark.parametrize("found", ["passed", "failed", "waived", "not judged"])
def test_what_a_result_means_for_publishing(severity: str, found: str) -> None:
    of = result(severity=severity, result=found)
    assert of.passed == (found == "passed")
    assert of.blocks == (found == "failed" and severity == "block")
    assert of.warns == (found == "waived" or (found == "failed" and severity == "warn"))


def test_a_failure_says_what_who_and_why() -> None:
    assert result(owner="supplier", year=2024).text == (
        "figures.name (2024): found 2 rows; limit: a limit; to be corrected by the supplier of the delivery; "
        "why it matters: because"
    )
    assert result(error="no such table").text.startswith("figures.name: could not be evaluated: no such table; limit:")
    assert "to be corrected by us, in our code or our limits" in result().text


# -- what may not leave -----------------------------------------------------------------------------------------------


def test_no_value_of_the_data_leaves(
    connection: duckdb.DuckDBPyConnection, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    connection.execute(
        f"create or replace table marts.figures as select '{MARKER}' as case_number, range::int as part from range(30)"
    )
    where = "select * from marts.figures where"
    results = evaluate(
        connection,
        ExpectNoRows(query="select * from marts.figures", **about("rows")),
        ExpectNoRows(query=f"{where} case_number::int > 1", **about("cast")),
        ExpectNoRows(query=f"{where} error(case_number) is null", **about("raised")),
        ExpectNoRowsWhere(condition="part > 1", shown="max(case_number)", **about("shown")),
        ExpectAggregateToBeBetween(expression="max(case_number)", max_value=1, **about("aggregate")),
        ExpectMeasureToBeBetween(
            query="select case_number as unit, 2 as value from marts.figures limit 1",
            max_value=1,
            unit="case",
            **about("unit"),
        ),
        gxe.ExpectColumnValuesToBeUnique(column="case_number", **about("unique")),
        gxe.ExpectCompoundColumnsToBeUnique(column_list=["case_number", "case_number"], **about("compound")),
        gxe.ExpectColumnValuesToBeNull(column="case_number", **about("nulls")),
        gxe.ExpectColumnValuesToBeInSet(column="case_number", value_set=["x"], **about("set")),
        gxe.ExpectColumnDistinctValuesToEqualSet(column="case_number", value_set=["x"], **about("distinct")),
        gxe.ExpectColumnMostCommonValueToBeInSet(column="case_number", value_set=["x"], **about("common")),
        gxe.ExpectColumnMinToBeBetween(column="case_number", min_value=1, **about("minimum")),
        gxe.ExpectColumnMeanToBeBetween(column="case_number", min_value=1, **about("mean")),
        gxe.ExpectColumnValuesToBeInSet(column="case_number", value_set=[1], **about("sets")),
    )
    assert not any(result.passed for result in results.values())
    captured = capfd.readouterr()
    for place in (repr(results), captured.out, captured.err, caplog.text):
        assert MARKER not in place
        assert "K1276" not in place
    assert captured.out == captured.err == ""  # no progress bars either
    assert results["cast"].error == "ConversionException (message withheld: it may quote the data)"
    assert (results["unit"].observed, results["unit"].beyond) == ("(withheld): 2", (("(withheld)", 2.0),))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("'0–100'", "0–100"),
        ("'2019–2025, 3 of 12 regions'", "2019–2025, 3 of 12 regions"),
        ("timestamp '2026-03-02 06:10:00'::varchar", "2026-03-02 06:10:00"),
        ("100.0000001::double", "100.0000001"),
        ("1234567", "1,234,567"),
        ("null", "no value"),
        ("true", "yes"),
        ("'850101-1234'", "withheld"),
        ("'0123-K77-25'", "withheld"),
        ("'9f86d081884c7d65'", "withheld"),
        ("repeat('word ', 40)", "withheld"),
    ],
)
def test_text_is_shown_unless_it_looks_like_a_person_or_case(
    connection: duckdb.DuckDBPyConnection, value: str, shown: str
) -> None:
    observed = evaluate(connection, ExpectNoRowsWhere(condition="false", shown=value, **about("a")))["a"].observed
    assert shown in observed
    assert ("withheld" in observed) == (shown == "withheld")


def test_only_some_units_are_shown(connection: duckdb.DuckDBPyConnection) -> None:
    query = "select 'id ' || lpad(id::varchar, 2, '0') as unit, id as value from marts.figures"
    many = ExpectMeasureToBeBetween(query=query, max_value=0, unit="id", **about("many"))
    observed = evaluate(connection, many)["many"].observed
    assert observed.startswith("id 01: 1; id 02: 2; ")
    assert observed.endswith("id 12: 12; and 87 more")


def test_nothing_is_sent_anywhere_and_dagster_is_not_needed(tmp_path: Path) -> None:
    script = """
        import socket, sys
        def refuse(*_, **__):
            raise AssertionError("a connection was tried")
        socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
        import duckdb
        from expectations.suites import load_suites
        from expectations.validation import validate
        (suite,) = [suite for suite in load_suites() if suite.name == "dim_victim_group"]
        connection = duckdb.connect()
        connection.execute("create schema marts; create table marts.dim_victim_group (victim_group varchar, sort_order int)")
        assert {result.error for result in validate("s", [suite], connection)}
        assert "dagster" not in sys.modules
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        env={"HOME": str(tmp_path)},
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert list(tmp_path.iterdir()) == []


# -- as someone who knows Great Expectations uses it ------------------------------------------------------------------


def test_the_suites_are_listed_and_run_with_great_expectations_alone(tmp_path: Path) -> None:
    file = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(file)) as warehouse:
        warehouse.execute("create schema marts")
        warehouse.execute(
            "create table marts.dim_victim_group as select victim_group, row_number() over () as sort_order, "
            "'x' as name_sv, 'x' as name_en from unnest(['total', 'kvinna', 'man', 'flicka', 'pojke']) as t (victim_group)"
        )
    context = gx.get_context(mode="ephemeral")
    for suite in load_suites():
        context.suites.add(ExpectationSuite(**suite.to_json_dict() | {"id": None}))
    assert {suite.name for suite in context.suites.all()} >= {"dim_year", "raw_police_offences", "published_files"}
    source = context.data_sources.add_duckdb("warehouse", connection_string=f"duckdb:///{file}")
    asset = source.add_table_asset("groups", table_name="dim_victim_group", schema_name="marts")
    batch = asset.add_batch_definition_whole_table("all").get_batch()
    outcome = batch.validate(context.suites.get("dim_victim_group"))
    failed = [found.expectation_config.meta["name"] for found in outcome.results if not found.success]
    assert failed == ["groups_are_the_six"]


def test_an_expectation_that_is_added_in_one_place_blocks(connection: duckdb.DuckDBPyConnection) -> None:
    before = ExpectNoRowsWhere(condition="part > 9", **about("before"))
    added = gxe.ExpectColumnValuesToBeInSet(column="region", value_set=["Rn01"], **about("added"))
    results = evaluate(connection, before, added)
    assert (results["before"].passed, results["added"].blocks) == (True, True)


def test_the_engine_is_still_needed(connection: duckdb.DuckDBPyConnection) -> None:
    stock = SqlAlchemyExecutionEngine(connection_string="duckdb://")
    try:
        rows = stock.execute_query(sa.text("select 42")).fetchall()
    except (duckdb.Error, sa.exc.DBAPIError, IndexError):
        rows = []
    assert rows == [], "Great Expectations reads its results in time now: remove expectations/duckdb_source.py"


def test_a_line_names_the_first_places_only() -> None:
    places = [f"police/{year}/offences: 2 %" for year in range(2001, 2013)]
    rest = ["and 1,000 more", "1 of 9 files not judged (needs at least 1,000 rows)"]
    text = "found {}; limit: at most 1 %"
    shown = in_brief(text.format("; ".join([*places, *rest])), "; ".join([*places, *rest]))
    assert shown == text.format("; ".join([*places[:5], "and 1,007 more", rest[1]]))
    assert in_brief(text.format("; ".join(places[:5])), "; ".join(places[:5])) == text.format("; ".join(places[:5]))
