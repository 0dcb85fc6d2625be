"""The memory limit of a load, and DuckDB's part of it."""

from __future__ import annotations

from pathlib import Path

import duckdb

from dagster_project.settings import PYTHON_MEMORY, Settings


def duckdb_memory(settings: Settings) -> str:
    """DuckDB's `memory_limit`: the memory of a load minus that for Python."""
    return f"{(settings.memory - PYTHON_MEMORY) >> 20}MiB"


def duckdb_limits(settings: Settings, scratch: Path) -> dict[str, str | bool | int | float | list[str]]:
    """DuckDB's configuration for reading offences: it spills to encrypted files in `scratch`.

    DuckDB requires `force_mbedtls_unsafe` for its built-in encryption, whose random numbers it considers too weak for permanent
    files. Spill files exist only as long as the connection that has the key.
    """
    return {
        "memory_limit": duckdb_memory(settings),
        "temp_directory": str(scratch),
        "temp_file_encryption": True,
        "force_mbedtls_unsafe": True,
    }


def limit_memory(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Set the memory limit on a connection; DuckDB rejects a different configuration if the process has the database open."""
    connection.execute(f"set memory_limit = '{duckdb_memory(settings)}'")
