"""Custom expectations: SQL rules whose results contain counts and aggregates, never rows.

The stock `UnexpectedRowsExpectation` runs its query twice and fetches a sample of the rows.

Parameters of all expectations:

* `only_if`: SQL on aggregates or a subquery that must be true for the expectation to be evaluated; `needs` describes it in words.
  Otherwise the result is not successful and `not_evaluated` contains the reason.
* `evaluates_an_empty_table`: whether the expectation is evaluated on an empty table.
* `shown`: SQL on aggregates or a subquery that replaces the observed number.

Great Expectations computes all conditions and aggregates of a table in one query.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import sqlalchemy as sa
from great_expectations.compatibility import pydantic
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import (
    BatchExpectation,
    ColumnMapExpectation,
    ColumnPairMapExpectation,
    MulticolumnMapExpectation,
)
from great_expectations.expectations.metrics.metric_provider import metric_partial, metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
from great_expectations.validator.metric_configuration import MetricConfiguration

from expectations.observed import show_count, show_unit, show_value

EMPTY_TABLE = "an empty table"
_MOST_UNITS_SHOWN = 12


class _SqlAggregate(TableMetricProvider):  # type: ignore[misc]
    """An aggregate over all rows of the table."""

    metric_name = "table.sql_aggregate"
    value_keys = ("sql",)

    @metric_partial(  # type: ignore[untyped-decorator]
        engine=SqlAlchemyExecutionEngine,
        partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN,
        domain_type=MetricDomainTypes.TABLE,
    )
    def _sqlalchemy(cls, metric_domain_kwargs: Any, metric_value_kwargs: Any, **_: Any) -> Any:  # noqa: N805
        return sa.literal_column(f"({metric_value_kwargs['sql']}\n)"), metric_domain_kwargs, {}


class _SqlRows(TableMetricProvider):  # type: ignore[misc]
    """The rows of a query."""

    metric_name = "table.sql_rows"
    value_keys = ("sql",)

    @metric_value(engine=SqlAlchemyExecutionEngine)  # type: ignore[untyped-decorator]
    def _sqlalchemy(cls, execution_engine: Any, metric_value_kwargs: Any, **_: Any) -> list[tuple[Any, ...]]:  # noqa: N805
        # Not `sa.text`, which treats a colon as a parameter.
        with execution_engine.get_connection() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(metric_value_kwargs["sql"])]


class SqlExpectation(BatchExpectation):  # type: ignore[misc]
    """Base class: `_metrics` returns the SQL and `_evaluate` the result."""

    shown: str | None = None
    only_if: str | None = None
    needs: str | None = None
    evaluates_an_empty_table: bool = False

    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.row_count",)

    @pydantic.root_validator  # type: ignore[untyped-decorator]
    def _require_both(cls, values: dict[str, Any]) -> dict[str, Any]:  # noqa: N805
        if values.get("only_if") and not values.get("needs"):
            raise ValueError("only_if needs `needs`: the condition in words")
        return values

    def _metrics(self) -> Mapping[str, tuple[str, str]]:
        """Return the metric and SQL of each name."""
        raise NotImplementedError

    def _evaluate(self, metrics: Mapping[str, Any]) -> dict[str, Any]:
        """Return the result in the format of Great Expectations."""
        raise NotImplementedError

    def get_validation_dependencies(self, *args: Any, **kwargs: Any) -> Any:
        """Add the metrics of this expectation to the row count."""
        dependencies = super().get_validation_dependencies(*args, **kwargs)
        domain = dependencies.get_metric_configuration("table.row_count").metric_domain_kwargs
        metrics = dict(self._metrics())
        metrics |= {
            name: (_SqlAggregate.metric_name, sql)
            for name, sql in (("shown", self.shown), ("only_if", self.only_if))
            if sql is not None
        }
        for name, (metric, sql) in metrics.items():
            dependencies.set_metric_configuration(
                metric_name=name, metric_configuration=MetricConfiguration(metric, domain, {"sql": sql})
            )
        return dependencies

    def _validate(self, metrics: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
        if metrics["table.row_count"] == 0 and not self.evaluates_an_empty_table:
            return _not_evaluated(EMPTY_TABLE)
        if self.only_if is not None and not metrics["only_if"]:
            return _not_evaluated(f"not enough data: needs {self.needs}")
        return self._evaluate(metrics)

    def _shown(self, metrics: Mapping[str, Any], otherwise: str) -> str:
        return otherwise if self.shown is None else show_value(metrics["shown"], is_text_allowed=True)


class ExpectNoRows(SqlExpectation):
    """Expect a query to return no rows. Use it for grouped or joined rows; it needs a scan of its own."""

    query: str

    def _metrics(self) -> Mapping[str, tuple[str, str]]:
        return {"rows": (_SqlRows.metric_name, f"select count(*) from ({self.query}\n)")}

    def _evaluate(self, metrics: Mapping[str, Any]) -> dict[str, Any]:
        return _rows_found(metrics["rows"][0][0], self, metrics)


class ExpectNoRowsWhere(SqlExpectation):
    """Expect no row to meet a condition. Null counts as not met."""

    condition: str

    def _metrics(self) -> Mapping[str, tuple[str, str]]:
        return {"rows": (_SqlAggregate.metric_name, f"count(*) filter (where {self.condition}\n)")}

    def _evaluate(self, metrics: Mapping[str, Any]) -> dict[str, Any]:
        return _rows_found(metrics["rows"], self, metrics)


class _Bounded(SqlExpectation):
    """Base class of expectations with at least one inclusive bound."""

    min_value: float | None = None
    max_value: float | None = None

    @pydantic.root_validator  # type: ignore[untyped-decorator]
    def _require_a_bound(cls, values: dict[str, Any]) -> dict[str, Any]:  # noqa: N805
        if values.get("min_value") is None and values.get("max_value") is None:
            raise ValueError("without min_value and max_value it would pass whatever the data")
        return values

    def is_within(self, value: float) -> bool:
        """Return whether a value lies between the bounds."""
        return (self.min_value is None or value >= self.min_value) and (
            self.max_value is None or value <= self.max_value
        )


class ExpectAggregateToBeBetween(_Bounded):
    """Expect an aggregate over all rows to be between bounds. Null is an error."""

    expression: str

    def _metrics(self) -> Mapping[str, tuple[str, str]]:
        return {"value": (_SqlAggregate.metric_name, self.expression)}

    def _evaluate(self, metrics: Mapping[str, Any]) -> dict[str, Any]:
        value = metrics["value"]
        if value is None:
            raise ValueError("the aggregate has no value")
        is_within = self.is_within(float(value))
        return {
            "success": is_within,
            "result": {
                "observed_value": self._shown(metrics, self._show(value)),
                "unexpected_count": int(not is_within),
            },
        }

    def _show(self, value: Any) -> str:
        return show_value(value)


class ExpectShareOfRowsToBeBetween(ExpectAggregateToBeBetween):
    """Expect the percentage of rows that meet a condition to be between bounds, in a table of at least 1,000 rows."""

    condition: str
    expression: str = ""
    only_if: str | None = "count(*) >= 1000"
    needs: str | None = "at least 1,000 rows"

    def _metrics(self) -> Mapping[str, tuple[str, str]]:
        share = f"100.0 * count(*) filter (where {self.condition}\n) / count(*)"
        return {"value": (_SqlAggregate.metric_name, share)}

    def _show(self, value: Any) -> str:
        return f"{round(float(value), 4)} %"


class ExpectMeasureToBeBetween(_Bounded):
    """Expect a value to be between bounds for each unit, such as a year, file or code.

    The query selects `unit`, `value` and optionally `shown`, the display text of the value. Units with a null value are not evaluated.
    Units are public: results display and publish them, and waivers name them.
    """

    query: str
    unit: str

    def _metrics(self) -> Mapping[str, tuple[str, str]]:
        return {"rows": (_SqlRows.metric_name, f"select * from ({self.query}\n)")}

    def _evaluate(self, metrics: Mapping[str, Any]) -> dict[str, Any]:
        measured = metrics["rows"]
        rows = [(str(row[0]), float(row[1]), row[-1]) for row in measured if row[1] is not None]
        if not rows:
            return _not_evaluated(f"not enough data: needs {self.needs or f'a {self.unit}'}")
        beyond = sorted((row for row in rows if not self.is_within(row[1])), key=lambda row: row[0])
        texts = [
            f"{show_unit(unit)}: {show_value(shown, is_text_allowed=True)}"
            for unit, _, shown in beyond[:_MOST_UNITS_SHOWN]
        ]
        if len(beyond) > len(texts):
            texts.append(f"and {len(beyond) - len(texts):,} more")
        if not beyond:
            least, most = (pick(rows, key=lambda row: row[1]) for pick in (min, max))
            ends = dict.fromkeys(show_value(row[2], is_text_allowed=True) for row in (least, most))
            texts = [self._shown(metrics, f"{' to '.join(ends)} in {show_count(len(rows), self.unit)}")]
        if without := len(measured) - len(rows):
            texts.append(f"{without:,} of {show_count(len(measured), self.unit)} not judged (needs {self.needs})")
        return {
            "success": not beyond,
            "result": {
                "observed_value": "; ".join(texts),
                "unexpected_count": len(beyond),
                "beyond": [[show_unit(unit), value] for unit, value, _ in beyond],
            },
        }


def reports_rows(expectation: BatchExpectation) -> bool:
    """Return whether the result counts unexpected rows, which lets a waiver limit their number."""
    of_rows = (
        ExpectNoRows,
        ExpectNoRowsWhere,
        ColumnMapExpectation,
        ColumnPairMapExpectation,
        MulticolumnMapExpectation,
    )
    return isinstance(expectation, of_rows)


def _not_evaluated(why: str) -> dict[str, Any]:
    return {"success": False, "result": {"observed_value": why, "unexpected_count": 0, "not_evaluated": why}}


def _rows_found(rows: int, expectation: SqlExpectation, metrics: Mapping[str, Any]) -> dict[str, Any]:
    shown = expectation._shown(metrics, show_count(rows, "row"))
    return {"success": rows == 0, "result": {"observed_value": shown, "unexpected_count": rows}}
