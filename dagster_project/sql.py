"""How paths and names are written into SQL, and how a query's one row is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb


def literal(path: Path) -> str:
    """A path as a string literal."""
    return "'" + str(path).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A column's name, whatever stands in it."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def parquet(path: Path) -> str:
    """The rows of a Parquet file; folders called `name=value` above it are no columns of it."""
    return f"read_parquet({literal(path)}, hive_partitioning = false)"


def one_row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """The row of a query that always gives one, such as one that counts."""
    row = connection.execute(query).fetchone()
    if row is None:
        raise AssertionError("a query that must give a row gave none")
    return row
