"""Validates tables with suites: one checkpoint of Great Expectations per stage and one result per declared expectation.

An expectation that was not evaluated, raised an exception or had no values has failed. If it needs more rows or an earlier year
than there are, its result is `not judged`.
"""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import great_expectations as gx
from duckdb_engine import ConnectionWrapper
from great_expectations import Checkpoint, ExpectationSuite, ValidationDefinition
from great_expectations.data_context import EphemeralDataContext
from great_expectations.datasource.fluent.interfaces import TestConnectionError

from expectations.duckdb_source import DuckDBDatasource
from expectations.kinds import EMPTY_TABLE, SqlExpectation
from expectations.observed import show_count, show_error, show_value
from expectations.results import CheckResult, Result
from expectations.suites import load_suites

# BASIC with 0 values returns counts only, without a sample of the unexpected rows.
_RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0, "exclude_unexpected_values": True}

# Great Expectations logs whole exceptions, which may quote values; the results hold the errors.
logging.getLogger("great_expectations").setLevel(logging.CRITICAL + 1)


def validate(
    stage: str, suites: Iterable[ExpectationSuite], connection: duckdb.DuckDBPyConnection
) -> list[CheckResult]:
    """Run the checkpoint of a stage.

    Args:
        stage: The checkpoint's name.
        suites: The suites; each names its table in `meta`.
        connection: The database with the tables. It stays open.

    Returns:
        One result per declared expectation, in the order of declaration.
    """
    suites = list(suites)
    context, unreadable = build_context(
        stage, suites, "duckdb://", creator=lambda: ConnectionWrapper(connection.cursor())
    )
    evaluated: dict[str, Mapping[str, Any]] = {}
    if len(unreadable) < len(suites):
        checkpoint = context.checkpoints.get(stage)
        outcome = checkpoint.run()
        for definition, results in zip(checkpoint.validation_definitions, outcome.run_results.values(), strict=True):
            evaluated[definition.suite.name] = _evaluate_again(
                definition, {result.expectation_config.meta["name"]: result for result in results.results}
            )
    return [
        _check_result(
            suite, expectation, evaluated.get(suite.name, {}).get(expectation.meta["name"]), unreadable.get(suite.name)
        )
        for suite in suites
        for expectation in suite.expectations
    ]


def build_context(
    stage: str, suites: Iterable[ExpectationSuite], connection_string: str, **engine: Any
) -> tuple[EphemeralDataContext, dict[str, str]]:
    """Build a context of Great Expectations with the suites, a validation definition of each and the checkpoint of the stage.

    Also returns which suites it left out, since their table is missing, and why. `engine` are options of SQLAlchemy's engine.
    """
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_duckdb(stage, connection_string=connection_string, kwargs=engine)
    definitions = []
    unreadable: dict[str, str] = {}
    for suite in suites:
        try:
            batch = _batch_of(source, suite)
        except TestConnectionError:
            unreadable[suite.name] = f"there is no table {suite.meta['table']}"
            continue
        # Copied, because adding a suite binds it to this context.
        added = context.suites.add(copy.deepcopy(suite))
        definition = ValidationDefinition(name=suite.name, data=batch, suite=added)
        definitions.append(context.validation_definitions.add(definition))
    if definitions:
        context.checkpoints.add(
            Checkpoint(name=stage, validation_definitions=definitions, result_format=_RESULT_FORMAT)
        )
    return context, unreadable


def open_warehouse(path: Path) -> EphemeralDataContext:
    """Open a warehouse as Great Expectations does: a context with all suites of its tables, and the checkpoint `marts`.

    Suites of layers `raw` and `published` are not in it: their tables are the typed files of one delivery and the files of a
    publication, which are opened while a load audits them. `load_suites("raw", "published")` lists them.
    """
    return build_context("marts", load_suites("intermediate", "marts"), f"duckdb:///{path}")[0]


def _batch_of(source: DuckDBDatasource, suite: ExpectationSuite) -> Any:
    *schema, table = suite.meta["table"].split(".")
    with warnings.catch_warnings():
        # `schema_name` is deprecated in favour of the connection string, which cannot hold it for DuckDB.
        warnings.simplefilter("ignore", DeprecationWarning)
        asset = source.add_table_asset(suite.name, table_name=table, schema_name=".".join(schema) or None)
    return asset.add_batch_definition_whole_table("all")


def _evaluate_again(definition: ValidationDefinition, results: dict[str, Any]) -> dict[str, Any]:
    """Evaluate expectations that raised again, one by one: they share a query, so an error in one fails them all."""
    raised = {name for name, result in results.items() if _exception_text(result.exception_info)}
    if len(raised) > 1:
        batch = definition.data.get_batch()
        for expectation in definition.suite.expectations:
            if (name := expectation.meta["name"]) in raised:
                results[name] = batch.validate(expectation, result_format=_RESULT_FORMAT)
    return results


def _check_result(suite: ExpectationSuite, expectation: Any, evaluated: Any, error: str | None) -> CheckResult:
    outcome, observed, rows, error = _outcome(suite, expectation, evaluated, error)
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
        beyond=tuple((unit, value) for unit, value in evaluated.result.get("beyond", ())) if evaluated else (),
    )


def _outcome(
    suite: ExpectationSuite, expectation: Any, evaluated: Any, error: str | None
) -> tuple[Result, str, int, str | None]:
    """Return result, observed value, number of unexpected rows and error of an expectation."""
    if error is None:
        error = "was declared but not evaluated" if evaluated is None else _exception_text(evaluated.exception_info)
    if error is not None:
        return "failed", "not determined", 0, error
    result = evaluated.result
    if result.get("element_count") == 0 or result.get("not_evaluated") == EMPTY_TABLE:
        return outcome_on_an_empty_table(suite)
    if "not_evaluated" in result:
        return "not judged", result["observed_value"], 0, None
    if "element_count" in result and not expectation.meta.get("may_be_all_null"):
        total = result["element_count"]
        if result.get("missing_count") == total:
            return "failed", f"no value in any of {show_count(total, 'row')}", total, "there is no value to evaluate"
    observed, rows = _observed(expectation, result)
    return "passed" if evaluated.success else "failed", observed, rows, None


def outcome_on_an_empty_table(suite: ExpectationSuite) -> tuple[Result, str, int, str | None]:
    """What becomes of the checks of an empty table, and what else `_outcome` gives."""
    if suite.meta.get("may_be_empty"):
        return "not judged", EMPTY_TABLE, 0, None
    return "failed", EMPTY_TABLE, 0, "the table is empty"


def _observed(expectation: Any, result: Mapping[str, Any]) -> tuple[str, int]:
    """Return the observed value in words and the number of unexpected rows."""
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


def _exception_text(info: Any) -> str | None:
    """Return the text of an expectation's exceptions without values of the data, or None."""
    exceptions = [info] if "raised_exception" in (info or {}) else list((info or {}).values())
    raised = [
        exception for exception in exceptions if isinstance(exception, Mapping) and exception.get("raised_exception")
    ]
    if not raised:
        return None
    return show_error(
        "\n".join(f"{exception['exception_message']}\n{exception['exception_traceback']}" for exception in raised)
    )
