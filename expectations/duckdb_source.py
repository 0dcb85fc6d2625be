"""DuckDB as a data source of Great Expectations: `context.data_sources.add_duckdb(name, connection_string="duckdb:///file")`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from great_expectations.datasource.fluent import SQLDatasource
from great_expectations.execution_engine import SqlAlchemyExecutionEngine


class DuckDBExecutionEngine(SqlAlchemyExecutionEngine):  # type: ignore[misc]
    """Fetches all rows of a result before it releases the connection.

    Great Expectations 1.24 reads rows after it released the connection, but `duckdb_engine` fetches rows lazily, so every
    expectation would end in an error (great_expectations#11579). `test_the_engine_is_still_needed` fails once that is fixed.
    """

    def execute_query(self, query: Any) -> Any:
        """Run a query and return a result with all of its rows."""
        with self.get_connection() as connection:
            return connection.execute(query).freeze()()


class DuckDBDatasource(SQLDatasource):  # type: ignore[misc]
    """A SQL data source that uses `DuckDBExecutionEngine`."""

    type: Literal["duckdb"] = "duckdb"
    execution_engine_override: ClassVar[Any] = DuckDBExecutionEngine
