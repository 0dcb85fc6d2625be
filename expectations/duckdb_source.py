"""DuckDB as a data source of Great Expectations: `context.data_sources.add_duckdb(name, connection_string="duckdb:///file")`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from great_expectations.datasource.fluent import SQLDatasource
from great_expectations.execution_engine import SqlAlchemyExecutionEngine


class DuckDBExecutionEngine(SqlAlchemyExecutionEngine):  # type: ignore[misc]
    """Reads a result before it gives the connection back.

    `duckdb_engine` fetches rows when they are asked for. Great Expectations 1.24 asks for them after it gave the connection
    back, so that every expectation would end in an error (great_expectations#11579). `test_the_engine_is_still_needed` fails
    once that is mended.
    """

    def execute_query(self, query: Any) -> Any:
        """Run a query and return a result that holds all of its rows."""
        with self.get_connection() as connection:
            return connection.execute(query).freeze()()


class DuckDBDatasource(SQLDatasource):  # type: ignore[misc]
    """The SQL data source with the engine above."""

    type: Literal["duckdb"] = "duckdb"
    execution_engine_override: ClassVar[Any] = DuckDBExecutionEngine
