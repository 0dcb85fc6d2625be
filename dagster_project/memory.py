"""The memory limit of a load, and DuckDB's part of it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import duckdb

MEMORY_VARIABLE = "UPPKLARAT_MEMORY"
DEFAULT = "4GiB"
_MIB = {"MB": 1e6 / 2**20, "MIB": 1.0, "GB": 1e9 / 2**20, "GIB": 1024.0}
# Python with dbt, Dagster, Great Expectations and the figures (measured: docs/performance.md).
_PYTHON_MIB = 1024
_DUCKDB_MINIMUM_MIB = 512


def duckdb_memory(environment: Mapping[str, str] = os.environ) -> str:
    """DuckDB's `memory_limit`: `UPPKLARAT_MEMORY` (`4GB`, `6000MiB`; default 4 GiB) minus the memory for Python.

    Raises ValueError for an invalid or too small size.
    """
    text = environment.get(MEMORY_VARIABLE) or DEFAULT
    size = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?([GM]i?B)", text.strip(), re.IGNORECASE)
    limit = int(float(size[1]) * _MIB[size[2].upper()]) - _PYTHON_MIB if size else 0
    if limit < _DUCKDB_MINIMUM_MIB:
        raise ValueError(f"{MEMORY_VARIABLE} is {text!r}, but must be a size like 4GB, at least 1.5GiB")
    return f"{limit}MiB"


def duckdb_limits(scratch: Path) -> dict[str, str | bool | int | float | list[str]]:
    """DuckDB's configuration for reading offences: it spills to encrypted files in `scratch`.

    DuckDB requires `force_mbedtls_unsafe` for its built-in encryption, whose random numbers it considers too weak for permanent
    files. Spill files exist only as long as the connection that has the key.
    """
    return {
        "memory_limit": duckdb_memory(),
        "temp_directory": str(scratch),
        "temp_file_encryption": True,
        "force_mbedtls_unsafe": True,
    }


def limit_memory(connection: duckdb.DuckDBPyConnection) -> None:
    """Set the memory limit on a connection; DuckDB rejects a different configuration if the process has the database open."""
    connection.execute(f"set memory_limit = '{duckdb_memory()}'")
