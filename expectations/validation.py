"""Validates tables with suites: one checkpoint of Great Expectations per stage, and what it found per declared expectation.

What is in doubt has failed: an expectation that was not evaluated, that raised, or that found no value to look at has not passed.
What needs more rows or an earlier year than there is has the result `not judged`, which is not passed either.
"""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import duckdb
import great_expectations as gx
from duckdb_engine import ConnectionWrapper
from great_expectations import Checkpoint, ExpectationSuite, ValidationDefinition
from great_expectations.datasource.fluent.interfaces import TestConnectionError

from expectations.duckdb_source import DuckDBDatasource
from expectations.kinds import EMPTY_TABLE, SqlExpectation
from expectations.observed import show_count, show_error, show_value
from expectations.results import CheckResult, Result

# BASIC is the least that still counts; with 0 values asked for, not even a sample of the offending rows is read.
_RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0, "exclude_unexpected_values": True}

# It logs whole exceptions, and some quote values; what is wrong is in the results.
logging.getLogger("great_expectations").setLevel(logging.CRITICAL + 1)


def validate(
    stage: str, suites: Iterable[ExpectationSuite], connection: duckdb.DuckDBPyConnection
) -> list[CheckResult]:
    """Run the checkpoint of a stage.

    Args:
        stage: What is validated, as the checkpoint's name.
        suites: Each is validated on the table that its `meta` names.
        connection: Where the tables are. It stays open.

    Returns:
        One result per declared expectation, in the order of declaration.
    """
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_duckdb(
        stage, connection_string="duckdb://", kwargs={"creator": lambda: ConnectionWrapper(connection.cursor())}
    )
    definitions = []
    unreadable: dict[str, str] = {}
    suites = list(suites)
    for suite in suites:
        try:
            batch = _batch_of(source, suite)
        except TestConnectionError:
            unreadable[suite.name] = f"there is no table {suite.meta['table']}"
            continue
        # A suite belongs to the context that it is added to.
        added = context.suites.add(copy.deepcopy(suite))
        definition = ValidationDefinition(name=suite.name, data=batch, suite=added)
        definitions.append(context.validation_definitions.add(definition))
    found: dict[str, Mapping[str, Any]] = {}
    if definitions:
        checkpoint = Checkpoint(name=stage, validation_definitions=definitions, result_format=_RESULT_FORMAT)
        outcome = context.checkpoints.add(checkpoint).run()
        for definition, results in zip(definitions, outcome.run_results.values(), strict=True):
            found[definition.suite.name] = _evaluate_again(
                definition, {result.expectation_config.meta["name"]: result for result in results.results}
            )
    return [
        _check_result(
            suite, expectation, found.get(suite.name, {}).get(expectation.meta["name"]), unreadable.get(suite.name)
        )
        for suite in suites
        for expectation in suite.expectations
    ]


def _batch_of(source: DuckDBDatasource, suite: ExpectationSuite) -> Any:
    *schema, table = suite.meta["table"].split(".")
    with warnings.catch_warnings():
        # The schema is expected in a connection string, where DuckDB has no place for it.
        warnings.simplefilter("ignore", DeprecationWarning)
        asset = source.add_table_asset(suite.name, table_name=table, schema_name=".".join(schema) or None)
    return asset.add_batch_definition_whole_table("all")


def _evaluate_again(definition: ValidationDefinition, results: dict[str, Any]) -> dict[str, Any]:
    """Evaluate what raised once more, alone: aggregates are asked for in one query, and one that raises takes its neighbours along."""
    raised = {name for name, result in results.items() if _raised(result.exception_info)}
    if len(raised) > 1:
        batch = definition.data.get_batch()
        for expectation in definition.suite.expectations:
            if (name := expectation.meta["name"]) in raised:
                results[name] = batch.validate(expectation, result_format=_RESULT_FORMAT)
    return results


def _check_result(suite: ExpectationSuite, expectation: Any, found: Any, error: str | None) -> CheckResult:
    outcome, observed, rows, error = _outcome(suite, expectation, found, error)
    return CheckResult(
        name=expectation.meta["name"],
        suite=suite.name,
        layer=suite.meta["layer"],
        asset=suite.meta["asset"],
        severity="block" if expectation.severity == "critical" else "warn",
        owner=expectation.meta["owner"],
        reason=expectation.notes,
        result=outcome,
        observed=observed,
        limit=expectation.meta["limit"],
        rows=rows,
        error=error,
        beyond=tuple((unit, value) for unit, value in found.result.get("beyond", ())) if found else (),
    )


def _outcome(
    suite: ExpectationSuite, expectation: Any, found: Any, error: str | None
) -> tuple[Result, str, int, str | None]:
    """What became of an expectation, what was observed, the number of offending rows, and why it could not be evaluated."""
    if error is None:
        error = "was declared but not evaluated" if found is None else _raised(found.exception_info)
    if error is not None:
        return "failed", "not determined", 0, error
    result = found.result
    if result.get("element_count") == 0 or result.get("not_evaluated") == EMPTY_TABLE:
        if suite.meta.get("may_be_empty"):
            return "not judged", EMPTY_TABLE, 0, None
        return "failed", EMPTY_TABLE, 0, "the table is empty"
    if "not_evaluated" in result:
        return "not judged", result["observed_value"], 0, None
    if "element_count" in result and not expectation.meta.get("may_be_all_null"):
        total = result["element_count"]
        if result.get("missing_count") == total:
            return "failed", f"no value in any of {show_count(total, 'row')}", total, "there is no value to judge"
    observed, rows = _observed(expectation, result)
    return "passed" if found.success else "failed", observed, rows, None


def _observed(expectation: Any, result: Mapping[str, Any]) -> tuple[str, int]:
    """What a result shows, and its number of offending rows."""
    if "element_count" in result:
        rows = result["unexpected_count"]
        return f"{rows:,} of {show_count(result['element_count'], 'row')}", rows
    if "missing_count" in result:
        return (
            f"{show_count(result.get('unexpected_count', 0), 'unexpected value')}, {result['missing_count']:,} missing",
            0,
        )
    if isinstance(expectation, SqlExpectation):
        return result["observed_value"], result["unexpected_count"]
    return show_value(result["observed_value"]), 0


def _raised(info: Any) -> str | None:
    """What an expectation's exceptions may show, or None if there was none."""
    several = [info] if "raised_exception" in (info or {}) else list((info or {}).values())
    raised = [one for one in several if isinstance(one, Mapping) and one.get("raised_exception")]
    if not raised:
        return None
    return show_error("\n".join(f"{one['exception_message']}\n{one['exception_traceback']}" for one in raised))
