"""Quotes paths and names for SQL, and reads single-row queries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb


def literal(path: Path) -> str:
    """A path as a string literal."""
    return "'" + str(path).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A column's name as a quoted identifier."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def parquet(path: Path) -> str:
    """The rows of a Parquet file, without columns from folders named `name=value` in its path."""
    return f"read_parquet({literal(path)}, hive_partitioning = false)"


def one_row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """The row of a query that always returns exactly one, such as a count."""
    row = connection.execute(query).fetchone()
    if row is None:
        raise AssertionError("a query that must return a row returned none")
    return row
