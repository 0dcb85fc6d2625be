"""How paths are written into SQL."""

from __future__ import annotations

from pathlib import Path


def literal(path: Path) -> str:
    """A path as a string literal."""
    return "'" + str(path).replace("'", "''") + "'"


def parquet(path: Path) -> str:
    """The rows of a Parquet file; folders called `name=value` above it are no columns of it."""
    return f"read_parquet({literal(path)}, hive_partitioning = false)"
