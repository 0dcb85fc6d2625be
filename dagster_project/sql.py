"""How paths and names are written into SQL."""

from __future__ import annotations

from pathlib import Path


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
