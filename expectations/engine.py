"""Runs declared suites with Great Expectations and says, per declared expectation, whether it holds.

The default of every doubt is *failed*: an expectation that was not evaluated, that raised, or that had nothing to
look at has not passed. What by its declaration cannot be judged (too few rows, no earlier year) is *not judged*, and
has not passed either. No row of the data leaves this module: results hold counts, aggregates and names.
"""

from __future__ import annotations

import datetime
import decimal
import importlib.util
import logging
import os
import re
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

import duckdb
import sqlalchemy as sa

from dagster_project.contract import input_contract
from expectations.duckdb_dialect import UppklaratDuckDBDialect, lend
from expectations.suite import UNEXPECTED_ROWS, Declared, Layer, Owner, Severity, Suite, is_table_name

# BASIC is the least that still counts; with 0 values asked for, not even a sample of the offending rows is read.
_RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0, "exclude_unexpected_values": True}

# They look at a column's name or type, or for nulls; a column without a value tells them all they want to know.
_INDIFFERENT_TO_VALUES = frozenset(
    {
        "expect_column_to_exist",
        "expect_column_type_to_be",
        "expect_column_values_to_be_in_type_list",
        "expect_column_values_to_be_null",
        "expect_column_values_to_be_of_type",
    }
)

_PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}")
_SQL_ERROR = re.compile(r"\(_?duckdb\.(?:\w+\.)*\w+\) (?P<message>.+?)\s*(?:\n|\[SQL|$)")
_EXCEPTION = re.compile(r"^(?:\w+\.)*(?P<name>\w+(?:Error|Exception))\b", re.MULTILINE)

# A net under the authors of `observed`, who select aggregates: case numbers, personal numbers, long identifiers.
_IDENTIFYING = re.compile(r"\d{4}-?K\d|\d{6,8}[-+]\d{4}(?!\d)|\d{10}|\b(?=\w*\d)(?=\w*[^\W\d_])\w{8,}", re.IGNORECASE)
_DATE_OR_TIME = re.compile(r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?\b")
_LONGEST_OBSERVED = 120
_MOST_UNITS_SHOWN = 12

Result = Literal["passed", "failed", "waived", "not judged"]


@dataclass(frozen=True)
class CheckResult:
    """What became of one declared expectation.

    Attributes:
        severity: What a failure does: block publishing, or warn.
        result: `waived` is a failure that somebody let pass for once; `not judged` is neither passed nor failed.
        observed: A count or an aggregate, written for people; of what was not judged, what would be needed to judge it.
        rows: Offending rows; 0 where the expectation is about an aggregate or the table itself.
        error: Why the expectation could not be evaluated, without any value of the data.
        year: The year of the delivery that was judged; the engine does not know it, its caller adds it.
        beyond: Of a measured expectation, each unit beyond the limit, with its value.
    """

    name: str
    suite: str
    layer: Layer
    asset: str
    severity: Severity
    owner: Owner
    reason: str
    result: Result
    observed: str
    limit: str
    rows: int = 0
    error: str | None = None
    year: int | None = None
    beyond: tuple[tuple[str, float], ...] = ()

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """A result as `dataclasses.asdict` gives it and JSON keeps it."""
        return cls(**{**stored, "beyond": tuple((unit, value) for unit, value in stored["beyond"])})

    @property
    def passed(self) -> bool:
        """Whether it was judged, and holds."""
        return self.result == "passed"

    @property
    def blocks(self) -> bool:
        """Whether it stops publishing."""
        return self.result == "failed" and self.severity == "block"

    @property
    def warns(self) -> bool:
        """Whether it failed without stopping publishing."""
        return self.result == "waived" or (self.result == "failed" and self.severity == "warn")

    @property
    def label(self) -> str:
        """The check as a waiver names it, with the year of the delivery that it is about."""
        return f"{self.asset}.{self.name}{f' ({self.year})' if self.year else ''}"

    @property
    def text(self) -> str:
        """What was found, what the limit is, who corrects it and why it matters, in one line."""
        found = f"could not be evaluated: {self.error}" if self.error else f"found {self.observed}"
        who = "the supplier of the delivery" if self.owner == "supplier" else "us, in our code or our limits"
        return f"{self.label}: {found}; limit: {self.limit}; to be corrected by {who}; why it matters: {self.reason}"


def run_suite(
    suite: Suite,
    connection: duckdb.DuckDBPyConnection | str | Path,
    *,
    table: str | None = None,
    parameters: Mapping[str, str] = {},
) -> list[CheckResult]:
    """Run one suite.

    Args:
        suite: What is demanded.
        connection: A connection that this process holds, or the path of a database file to open read-only.
        table: The relation to check, if not the suite's own: `name`, `schema.name` or `database.schema.name`.
        parameters: Further `{placeholders}` of the suite's SQL; inserted as they are.

    Returns:
        One result per declared expectation, in the order of declaration.

    Raises:
        ValueError: The call itself is wrong: no expectation, no relation, or not a relation's name.
    """
    return run_suites([suite], connection, tables={} if table is None else {suite.suite: table}, parameters=parameters)


def run_suites(
    suites: Iterable[Suite],
    connection: duckdb.DuckDBPyConnection | str | Path,
    *,
    tables: Mapping[str, str] = {},
    parameters: Mapping[str, str] = {},
) -> list[CheckResult]:
    """Run several suites on one connection; `tables` gives the relation by the suite's name, as in `run_suite`."""
    todo = [(suite, _relation(suite, tables.get(suite.suite))) for suite in suites]
    with lend(connection) as url:
        audit = _Audit(url, parameters)
        return [result for suite, relation in todo for result in audit.run(suite, relation)]


def _relation(suite: Suite, given: str | None) -> str:
    relation = given or suite.table
    if not suite.expectations:
        raise ValueError(f"suite {suite.suite}: no expectation is declared")
    if relation is None:
        raise ValueError(f"suite {suite.suite}: it names no table, and none was given")
    if not is_table_name(relation):
        raise ValueError(f"suite {suite.suite}: {relation!r} is not a relation's name of up to three parts")
    return relation


class _CannotJudgeError(Exception):
    """An expectation cannot be judged; the message holds no data."""


@dataclass(frozen=True)
class _NoValue:
    """Why an aggregate has no value."""

    error: str


@dataclass
class _Judgement:
    passed: bool = False
    observed: str = ""
    rows: int = 0
    error: str | None = None
    is_judged: bool = True
    beyond: tuple[tuple[str, float], ...] = ()

    @property
    def result(self) -> Result:
        if self.error is not None:
            return "failed"
        if not self.is_judged:
            return "not judged"
        return "passed" if self.passed else "failed"


class _Audit:
    """One ephemeral context of Great Expectations on one lent connection."""

    def __init__(self, url: str, parameters: Mapping[str, str]) -> None:
        self._gx = _great_expectations()
        self._engine = sa.create_engine(url)
        self._parameters = {"quarantine_limit_pct": f"{input_contract().quarantine_limit_pct:g}", **parameters}
        context = self._gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}
        self._source = context.data_sources.add_sql("audit", connection_string=url)
        self._assets = 0

    def run(self, suite: Suite, relation: str) -> list[CheckResult]:
        """Judge every declared expectation of a suite on a relation."""
        try:
            judged = self._judge(suite, relation)
        except Exception as error:
            judged = {one.name: _Judgement(error=_message(error)) for one in suite.expectations}
        not_evaluated = _Judgement(error="was declared but not evaluated")
        results = []
        for one in suite.expectations:
            judgement = judged.get(one.name, not_evaluated)
            results.append(
                CheckResult(
                    name=one.name,
                    suite=suite.suite,
                    layer=suite.layer,
                    asset=suite.asset,
                    severity=one.severity,
                    owner=one.owner,
                    reason=one.reason,
                    result=judgement.result,
                    observed=judgement.observed or "not determined",
                    limit=_fill_known(one.limit, self._parameters),
                    rows=judgement.rows,
                    error=judgement.error,
                    beyond=judgement.beyond,
                )
            )
        return results

    def _judge(self, suite: Suite, relation: str) -> dict[str, _Judgement]:
        declared: Sequence[Declared] = suite.expectations
        quoted = ".".join(f'"{part}"' for part in relation.split("."))
        names = {row[0] for row in self._rows(f"select column_name from (describe {quoted})")}
        total, filled = self._count_filled(declared, quoted, names)
        judged: dict[str, _Judgement] = {}
        if total == 0:
            error = None if suite.may_be_empty else "the table is empty"
            empty = _Judgement(observed="an empty table", error=error, is_judged=error is not None)
            judged = {one.name: empty for one in declared if error or not one.judges_an_empty_table}
            declared = [one for one in declared if one.name not in judged]
        values = self._aggregates(declared, quoted)
        runnable: dict[str, tuple[Declared, Any]] = {}
        for one in declared:
            try:
                if one.type != "expect_column_to_exist" and (unknown := _columns(one) - names):
                    raise _CannotJudgeError(f"{relation} has no column {', '.join(sorted(unknown))}")
                if one.judged_when is not None and not self._is_to_be_judged(one, values, judged):
                    continue
                if filled.get(one.name) == 0:
                    nothing = f"no value in any of {_count(total, 'row')}"
                    judged[one.name] = _Judgement(observed=nothing, rows=total, error="there is no value to judge")
                else:
                    runnable[one.name] = (one, self._expectation(one, quoted))
            except _CannotJudgeError as error:
                judged[one.name] = _Judgement(error=str(error))

        if runnable:
            batch = self._batch(relation)
            judged |= self._validate(batch, runnable)
            # Great Expectations asks for many aggregates in one query: one that raises takes its neighbours along.
            raised = [name for name in runnable if name in judged and judged[name].error is not None]
            if len(raised) > 1:
                for name in raised:
                    judged |= self._validate(batch, {name: runnable[name]})

        for one in declared:
            if one.measure is not None and judged[one.name].error is None:
                judged[one.name] = self._measured(one, quoted, judged[one.name].passed)
            elif one.observed is not None and one.name in judged and judged[one.name].is_judged:
                value = values[one.name, "observed"]
                if isinstance(value, _NoValue):
                    judged[one.name].error = judged[one.name].error or f"observed: {value.error}"
                else:
                    judged[one.name].observed = _shown(value, free_text=True)
        return judged

    @staticmethod
    def _is_to_be_judged(
        one: Declared, values: Mapping[tuple[str, str], object], judged: dict[str, _Judgement]
    ) -> bool:
        """Whether the condition of an expectation holds; if not, note that as its judgement."""
        value = values[one.name, "judged_when"]
        if isinstance(value, _NoValue):
            judged[one.name] = _Judgement(error=f"judged_when: {value.error}")
        elif not value:
            judged[one.name] = _Judgement(observed=f"too little to judge: needs {one.needs}", is_judged=False)
        return one.name not in judged

    def _measured(self, one: Declared, quoted: str, passed: bool) -> _Judgement:
        """Say of which units an expectation that passed or failed could be judged, and which are beyond a limit."""
        try:
            measured = self._rows(
                f"select * from ({_fill(one.measure or '', {**self._parameters, 'table': quoted})}\n)"
            )
            rows = [
                (str(row[0]), float(row[1]), row[2] if len(row) > 2 else row[1])
                for row in measured
                if row[1] is not None
            ]
        except Exception as error:
            return _Judgement(error=_message(error))
        noun, without = one.unit or "", len(measured) - len(rows)
        if not rows:
            return _Judgement(observed=f"too little to judge: needs {one.needs or f'a {noun}'}", is_judged=False)
        beyond = sorted((row for row in rows if one.is_beyond(row[1])), key=lambda row: row[0])
        shown = [f"{_unit(unit)}: {_shown(value, free_text=True)}" for unit, _, value in beyond[:_MOST_UNITS_SHOWN]]
        if len(beyond) > len(shown):
            shown.append(f"and {len(beyond) - len(shown):,} more")
        if not beyond:
            least, most = (pick(rows, key=lambda row: row[1]) for pick in (min, max))
            ends = dict.fromkeys(_shown(row[2], free_text=True) for row in (least, most))
            shown = [f"{' to '.join(ends)} in {_count(len(rows), noun)}"]
        if without:
            shown.append(f"{without:,} of {_count(len(measured), noun)} not judged (needs {one.needs})")
        return _Judgement(
            passed and not beyond,
            "; ".join(shown),
            len(beyond),
            beyond=tuple((_unit(unit), value) for unit, value, _ in beyond),
        )

    def _count_filled(self, declared: Sequence[Declared], quoted: str, names: set[str]) -> tuple[int, dict[str, int]]:
        """Count all rows, and per expectation on columns those in which it finds values, in one query."""
        counted = [
            (one.name, sorted(columns))
            for one in declared
            if not one.may_be_all_null
            and one.type not in _INDIFFERENT_TO_VALUES
            and (columns := _columns(one))
            and columns <= names
        ]
        filters = [" and ".join(f'"{_quote(column)}" is not null' for column in columns) for _, columns in counted]
        counts = ", ".join(["count(*)", *(f"count(*) filter (where {one})" for one in filters)])
        total, *filled = self._rows(f"select {counts} from {quoted}")[0]
        return total, dict(zip((name for name, _ in counted), filled, strict=True))

    def _expectation(self, one: Declared, quoted: str) -> Any:
        values = {**self._parameters, "table": quoted}
        if (selected := one.query or _beyond_sql(one)) is not None:
            # Great Expectations formats the query once more, where a brace of the SQL would be a placeholder
            query = _literal_colons(_fill(selected, values)).replace("{", "{{").replace("}", "}}")
            kind, kwargs = _unexpected_rows(), {"unexpected_rows_query": query}
        elif one.where is not None or one.having is not None:
            kind, kwargs = _unexpected_in_one_scan(), {"count_sql": _count_sql(one, values)}
        else:
            camel = "".join(part.capitalize() for part in one.type.split("_"))
            kind, kwargs = getattr(self._gx.expectations, camel, None), dict(one.kwargs)
            if kind is None:
                raise _CannotJudgeError(f"Great Expectations has no {one.type}")
        try:
            # the name travels along in `meta`: results come back in another order than declared
            severity = "critical" if one.severity == "block" else "warning"
            return kind(**kwargs, severity=severity, meta={"name": one.name})
        except Exception as error:
            # about the declaration, before any data are read: the message may be shown
            raise _CannotJudgeError(f"not a valid declaration: {' '.join(str(error).split())}") from error

    def _batch(self, relation: str) -> Any:
        *schema, table = relation.split(".")
        self._assets += 1
        with warnings.catch_warnings():
            # the schema is said to belong to the data source, which for a generic SQL source has no place for it
            warnings.simplefilter("ignore", DeprecationWarning)
            asset = self._source.add_table_asset(
                f"relation_{self._assets}", table_name=table, schema_name=".".join(schema) or None
            )
        return asset.add_batch_definition_whole_table("all").get_batch()

    def _validate(self, batch: Any, runnable: Mapping[str, tuple[Declared, Any]]) -> dict[str, _Judgement]:
        declared_suite = self._gx.ExpectationSuite("suite")
        for _, expectation in runnable.values():
            declared_suite.add_expectation(expectation)
        outcome = batch.validate(declared_suite, result_format=_RESULT_FORMAT)
        judged = {}
        for result in outcome.results:
            name = result.expectation_config.meta["name"]
            judged[name] = _judgement(runnable[name][0], result)
        return judged

    def _aggregates(self, declared: Sequence[Declared], quoted: str) -> dict[tuple[str, str], object]:
        """What is observed, and the conditions under which anything is judged: one query, each alone only if that one raises."""
        wanted = {
            (one.name, key): sql
            for one in declared
            for key in ("observed", "judged_when")
            if (sql := getattr(one, key))
        }
        return self._values(wanted, quoted) if wanted else {}

    def _values(self, wanted: Mapping[tuple[str, str], str], quoted: str) -> dict[tuple[str, str], object]:
        try:
            # on lines of their own, or a comment at the end would swallow the bracket
            chosen = [f"({_fill(sql, {**self._parameters, 'table': quoted})}\n)" for sql in wanted.values()]
            # with an aggregate beside it, what consists of subqueries only is one row too
            (row,) = self._rows(f"select {', '.join(['count(*)', *chosen])} from {quoted}")
        except Exception as error:
            if len(wanted) == 1:
                return dict.fromkeys(wanted, _NoValue(_message(error)))
            return {
                key: value for one, sql in wanted.items() for key, value in self._values({one: sql}, quoted).items()
            }
        several = _NoValue("it gives more than one value")
        return {
            key: several if isinstance(value, tuple | list | dict) else value
            for key, value in zip(wanted, row[1:], strict=True)
        }

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self._engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql)]


def _great_expectations() -> Any:
    """Import Great Expectations, late because it takes seconds, and quiet because nothing may leave this machine."""
    os.environ["GX_ANALYTICS_ENABLED"] = "False"
    _defer_statistics()
    import great_expectations

    # it logs whole exceptions, and some quote values; what is wrong is in the results
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL + 1)
    return great_expectations


def _defer_statistics() -> None:
    """Let `scipy.stats`, a third of what Great Expectations imports, wait for an expectation on distributions to use it."""
    import scipy  # type: ignore[import-untyped]

    name = "scipy.stats"
    if name in sys.modules or (spec := importlib.util.find_spec(name)) is None or spec.loader is None:
        return
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    # An import that found it among the modules would look at it, and so load it.
    scipy.stats = module


@cache
def _unexpected_rows() -> Any:
    """Their expectation on offending rows, which only counts them.

    The original also fetches a sample of the rows, so it runs the query twice and holds row content; and it prints a
    line about `{batch}` for each query that names its table itself.
    """
    from great_expectations.compatibility import pydantic
    from great_expectations.expectations import UnexpectedRowsExpectation

    class UppklaratUnexpectedRows(UnexpectedRowsExpectation):  # type: ignore[misc]
        metric_dependencies = ("unexpected_rows_query.row_count",)

        @pydantic.validator("unexpected_rows_query")  # type: ignore[untyped-decorator]
        def _validate_query(cls, query: str) -> str:  # noqa: N805
            # it becomes a subquery: a closing semicolon must go, a closing comment must not swallow the bracket
            return query.rstrip("; \t\r\n\v\f") + "\n"

        def _validate(self, metrics: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
            count = metrics["unexpected_rows_query.row_count"]
            return {"success": count == 0, "result": {"observed_value": count}}

    return UppklaratUnexpectedRows


@cache
def _unexpected_in_one_scan() -> Any:
    """An expectation on a number that an aggregate counts, which Great Expectations asks for with all others of the table."""
    from great_expectations.core.metric_domain_types import MetricDomainTypes
    from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine
    from great_expectations.expectations.expectation import BatchExpectation
    from great_expectations.expectations.metrics.metric_provider import metric_partial
    from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider

    class UppklaratUnexpectedCount(TableMetricProvider):  # type: ignore[misc]
        metric_name = "table.uppklarat_unexpected_count"
        value_keys = ("count_sql",)

        @metric_partial(  # type: ignore[untyped-decorator]
            engine=SqlAlchemyExecutionEngine,
            partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN,
            domain_type=MetricDomainTypes.TABLE,
        )
        def _sqlalchemy(
            cls,  # noqa: N805
            execution_engine: object,
            metric_domain_kwargs: dict[str, Any],
            metric_value_kwargs: dict[str, Any],
            metrics: object,
            runtime_configuration: object,
        ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
            return sa.literal_column(metric_value_kwargs["count_sql"]), metric_domain_kwargs, {}

    class UppklaratUnexpectedInOneScan(BatchExpectation):  # type: ignore[misc]
        count_sql: str
        metric_dependencies = (UppklaratUnexpectedCount.metric_name,)
        success_keys = UppklaratUnexpectedCount.value_keys

        def _validate(self, metrics: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
            count = metrics[UppklaratUnexpectedCount.metric_name]
            return {"success": count == 0, "result": {"observed_value": count}}

    return UppklaratUnexpectedInOneScan


def _count_sql(one: Declared, values: Mapping[str, str]) -> str:
    """How many rows are unexpected; of a condition on the whole table 1 if it holds, null if that cannot be told."""
    # the line ends before the bracket, or a comment at the end would swallow it
    if one.where is not None:
        return f"count(*) filter (where {_fill(one.where, values)}\n)"
    return f"cast(cast(({_fill(one.having or '', values)}\n) as boolean) as integer)"


def _beyond_sql(one: Declared) -> str | None:
    """The units of a measured expectation that are beyond a limit."""
    if one.measure is None:
        return None
    conditions = [
        f"value {sign} {limit!r}" for sign, limit in (("<", one.at_least), (">", one.at_most)) if limit is not None
    ]
    return f"select unit from ({one.measure}\n) where {' or '.join(conditions)}"


def _unit(name: str) -> str:
    """A unit's name, which could be a cell of the data only by a slip of the author's."""
    return "(withheld)" if len(name) > _LONGEST_OBSERVED or _IDENTIFYING.search(_DATE_OR_TIME.sub("", name)) else name


def _columns(one: Declared) -> set[str]:
    """The columns whose values an expectation compares."""
    if one.type.startswith("expect_table_"):
        return set()
    single = [one.kwargs[key] for key in ("column", "column_A", "column_B") if key in one.kwargs]
    return {column for column in (*single, *(one.kwargs.get("column_list") or ())) if isinstance(column, str)}


def _judgement(one: Declared, result: Any) -> _Judgement:
    """Take out of a result of Great Expectations what may be kept."""
    if (error := _raised(result.exception_info)) is not None:
        return _Judgement(error=error)
    found = result.result or {}
    if one.type == UNEXPECTED_ROWS:
        if found["observed_value"] is None:
            return _Judgement(error="the condition is neither true nor false")
        rows = int(found["observed_value"])
        return _Judgement(bool(result.success), _count(rows, "row"), rows)
    if one.type.startswith("expect_column_distinct_values_"):
        unexpected, missing = (int(found.get(key) or 0) for key in ("unexpected_count", "missing_count"))
        return _Judgement(bool(result.success), f"{_count(unexpected, 'unexpected value')}, {missing:,} missing")
    if "unexpected_count" in found:
        rows, of = int(found["unexpected_count"] or 0), int(found.get("element_count") or 0)
        return _Judgement(bool(result.success), f"{rows:,} of {_count(of, 'row')}", rows)
    if one.type == "expect_column_to_exist":
        return _Judgement(bool(result.success), "there" if result.success else "not there")
    return _Judgement(bool(result.success), _aggregate(one, found))


def _aggregate(one: Declared, found: Mapping[str, Any]) -> str:
    value = found.get("observed_value")
    if "type_" in one.kwargs or "type_list" in one.kwargs:
        return str(value)
    if one.type.startswith("expect_table_columns_to_match"):
        # missing columns are named in the declaration; a name that is too many may be a cell of a headless file
        wanted = [*(one.kwargs.get("column_list") or one.kwargs.get("column_set") or ())]
        missing = [name for name in wanted if name not in (value or ())]
        return _count(len(value or ()), "column") + (f", without {', '.join(missing)}" if missing else "")
    if isinstance(value, Mapping):
        pairs = zip(value.get("quantiles", ()), value.get("values", ()), strict=False)
        return "; ".join(f"{_shown(quantile)}: {_shown(at)}" for quantile, at in pairs)
    if isinstance(value, list | tuple | set):
        return _count(len(value), "value")
    return _shown(value)


def _shown(value: object, *, free_text: bool = False) -> str:
    """Write an aggregate for people; text, which could be a cell of the data, only if it was selected as text."""
    if value is None:
        return "no value"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float | decimal.Decimal):
        # enough digits that a value just beyond its limit does not look as if it met it
        return f"{value:,.10g}"
    if isinstance(value, datetime.date | datetime.time | datetime.timedelta):
        return str(value)
    text = str(value)
    if not free_text or len(text) > _LONGEST_OBSERVED or _IDENTIFYING.search(_DATE_OR_TIME.sub("", text)):
        return "text (withheld: it may quote the data)"
    return text


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _quote(name: str) -> str:
    return name.replace('"', '""')


def _fill(sql: str, values: Mapping[str, str]) -> str:
    """Replace `{name}`; braces around anything else than a name (`[0-9]{4}`, `{'a': 1}`) are SQL and stay."""
    if unknown := sorted({name for name in _PLACEHOLDER.findall(sql) if name not in values}):
        raise _CannotJudgeError(f"no value was given for {', '.join(unknown)}")
    return _fill_known(sql, values)


def _fill_known(text: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


def _literal_colons(sql: str) -> str:
    """Keep SQLAlchemy's `text()`, through which the query goes, from reading a colon as a parameter."""
    escaped = re.sub(r"(?<![:\w\\]):(?=\w+(?!:))", r"\:", sql)
    if str(sa.text(escaped).compile(dialect=UppklaratDuckDBDialect())) != sql:
        raise _CannotJudgeError("a colon or backslash in the query would be misread; write it as chr(58) or chr(92)")
    return escaped


def _raised(info: Any) -> str | None:
    """What an expectation's exceptions may say, or None if there was none."""
    flat = [info] if "raised_exception" in (info or {}) else list((info or {}).values())
    raised = [one for one in flat if isinstance(one, Mapping) and one.get("raised_exception")]
    if not raised:
        return None
    return _safe("\n".join(f"{one.get('exception_traceback')}\n{one.get('exception_message')}" for one in raised))


def _message(error: BaseException) -> str:
    if isinstance(error, _CannotJudgeError):
        return str(error)
    return _safe(f"{type(error).__name__}: {error}")


def _safe(trace: str) -> str:
    """DuckDB's message, from which the dialect has taken the data; of all other exceptions the name only."""
    if found := _SQL_ERROR.search(trace):
        return found["message"]
    names = _EXCEPTION.findall(trace)  # the first is the cause, those after it were raised on top
    return f"{names[0] if names else 'an exception'} (message withheld: it may quote the data)"
