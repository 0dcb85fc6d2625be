"""Slips in a suite that would make a check of nothing: each is refused, in so many words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from expectations.suite import load_suite

ROWS = {"type": "unexpected_rows", "query": "select * from {table}"}
MEASURED = {
    "type": "unexpected_rows",
    "measure": "select a as unit, b as value from {table}",
    "at_most": 2,
    "unit": "year",
}
SET = "expect_column_distinct_values_to_equal_set"
BETWEEN = "expect_column_max_to_be_between"


def suite(**values: Any) -> dict[str, Any]:
    one = {"name": "one", "severity": "block", "owner": "us", "reason": "because", "limit": "none", **values}
    one = {key: value for key, value in one.items() if value is not ...}
    return {"suite": "s", "layer": "marts", "asset": "a", "table": "marts.a", "expectations": [one]}


def load(folder: Path, content: object) -> Any:
    path = folder / "s.yml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return load_suite(path)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"type": "unexpected_rows"},
            "unexpected_rows takes one of where, having, query, measure, and neither kwargs nor may_be_all_null",
        ),
        (
            {**ROWS, "kwargs": {"a": 1}},
            "unexpected_rows takes one of where, having, query, measure, and neither kwargs nor may_be_all_null",
        ),
        (
            {**ROWS, "may_be_all_null": True},
            "unexpected_rows takes one of where, having, query, measure, and neither kwargs nor may_be_all_null",
        ),
        (
            {**ROWS, "where": "true"},
            "unexpected_rows takes one of where, having, query, measure, and neither kwargs nor may_be_all_null",
        ),
        ({**ROWS, "query": "select 1"}, "the query does not read {table}"),
        ({**MEASURED, "measure": "select 1"}, "the measure does not read {table}"),
        ({**MEASURED, "unit": ...}, "measure needs at_least or at_most, and unit"),
        ({**MEASURED, "at_most": ...}, "measure needs at_least or at_most, and unit"),
        ({**MEASURED, "at_most": "2"}, "at_most must be a number"),
        ({**MEASURED, "at_most": True}, "at_most must be a number"),
        (
            {**MEASURED, "observed": "count(*)"},
            "with measure, judged_when and observed follow from the values",
        ),
        (
            {**MEASURED, "judged_when": "true", "needs": "rows"},
            "with measure, judged_when and observed follow from the values",
        ),
        ({**ROWS, "at_most": 2}, "at_least, at_most, unit belong to measure only"),
        ({**ROWS, "unit": "year"}, "at_least, at_most, unit belong to measure only"),
        (
            {**ROWS, "judged_when": "count(*) > 9"},
            "judged_when and needs belong together: the condition in SQL and in words",
        ),
        (
            {**ROWS, "needs": "ten rows"},
            "judged_when and needs belong together: the condition in SQL and in words",
        ),
        (
            {**ROWS, "query": "select a, b from {table}\nwhere a > b"},
            "the query only chooses rows; with `where` they cost no scan of their own",
        ),
        ({"type": BETWEEN, "query": "select * from {table}"}, "query belongs to unexpected_rows only"),
        ({"type": BETWEEN, "having": "true"}, "having belongs to unexpected_rows only"),
        ({"type": BETWEEN, "kwargs": {"meta": 1, "id": 2}}, "kwargs may not set id, meta"),
        ({"type": BETWEEN}, "neither min_value nor max_value is given: it would pass whatever the data"),
        ({"type": SET}, "the set is empty: it would pass whatever the data"),
        ({"type": SET, "kwargs": {"value_set": []}}, "the set is empty: it would pass whatever the data"),
        (
            {"type": BETWEEN, "kwargs": {"min_value": 1, "mostly": 0}},
            "mostly is 0: it would pass whatever the data",
        ),
        ({"type": BETWEEN, "kwargs": [1]}, "kwargs must be a mapping of names to values"),
        ({"type": BETWEEN, "kwargs": {1: 2}}, "kwargs must be a mapping of names to values"),
        ({**ROWS, "b": 1, "a": 2}, "unknown key a, b"),
    ],
)
def test_a_check_of_nothing_is_refused(tmp_path: Path, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as refused:
        load(tmp_path, suite(**given))
    assert str(refused.value) == f"s.yml: one: {said}"


@pytest.mark.parametrize(
    "given",
    [
        ROWS,
        MEASURED,
        {**MEASURED, "at_most": ..., "at_least": 0},
        {**MEASURED, "needs": "a year before"},
        {**ROWS, "judged_when": "count(*) > 9", "needs": "ten rows"},
        {"type": "unexpected_rows", "where": "å < 0"},
        {"type": "unexpected_rows", "query": "select a from {table} where a > (select max(b) from {table})"},
        {"type": "unexpected_rows", "query": "select a from {table} where a > 1 group by a having count(*) > 1"},
        {"type": "unexpected_rows", "having": "max(å) < 0"},
        {"type": BETWEEN, "kwargs": {"column": "å", "min_value": 0}},
        {"type": BETWEEN, "kwargs": {"column": "å", "max_value": 0}},
        {"type": BETWEEN, "kwargs": {"column": "å", "max_value": 0, "mostly": 0.5}},
        {"type": "expect_column_quantile_values_to_be_between", "kwargs": {"quantile_ranges": {"quantiles": [0.5]}}},
        {"type": SET, "kwargs": {"column": "å", "value_set": ["å"]}},
        {"type": "expect_column_pair_values_to_be_in_set", "kwargs": {"value_pairs_set": [["a", "b"]]}},
        {"type": "expect_table_columns_to_match_set", "kwargs": {"column_set": ["å"]}},
    ],
)
def test_a_check_of_something_is_taken(tmp_path: Path, given: dict[str, Any]) -> None:
    (one,) = load(tmp_path, suite(**given)).expectations
    assert one.type == given["type"]
    assert one.kwargs == given.get("kwargs", {})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (["a list"], "s.yml: must be a mapping"),
        ({**suite(**ROWS), "expectations": ["a text"]}, "s.yml: expectation 1: must be a mapping"),
        ({**suite(**ROWS), "layer": "none"}, "s.yml: layer 'none' is not one of raw, intermediate, marts, published"),
        (
            suite(type="expect_column_values_to_match_regex"),
            "s.yml: one: type 'expect_column_values_to_match_regex' is not one of unexpected_rows",
        ),
        (suite(type="other"), "s.yml: one: type 'other' is not one of unexpected_rows"),
    ],
)
def test_a_slip_is_named(tmp_path: Path, content: object, said: str) -> None:
    with pytest.raises(ValueError) as refused:
        load(tmp_path, content)
    assert str(refused.value).startswith(said)
    advised = str(refused.value).endswith("; use unexpected_rows")
    assert advised is ("match_regex" in said)
    assert "XX" not in str(refused.value)


def test_a_key_given_twice_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "s.yml"
    path.write_text("suite: s\nlayer: raw\nlayer: marts\n", encoding="utf-8")
    with pytest.raises(
        ValueError, match=r"^s\.yml: not readable as YAML: (?s:.)*'layer' is given twice\n(?s:.)*line 1, column 1"
    ):
        load_suite(path)
