"""How much memory a load may take, and what of it DuckDB gets in each stage that reads offences."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import duckdb

MEMORY_VARIABLE = "UPPKLARAT_MEMORY"
DEFAULT = "4GiB"
_MIB = {"MB": 1e6 / 2**20, "MIB": 1.0, "GB": 1e9 / 2**20, "GIB": 1024.0}
# What Python takes with dbt, Dagster, Great Expectations and the figures in it (measured: docs/performance.md).
_BESIDES_MIB = 1024
_LEAST_MIB = 512


def duckdb_memory(environment: Mapping[str, str] = os.environ) -> str:
    """DuckDB's `memory_limit`: `UPPKLARAT_MEMORY` (`4GB`, `6000MiB`; 4 GiB by default) without what is needed besides.

    Raises ValueError for a value that is no size, or one that no load can do with.
    """
    text = environment.get(MEMORY_VARIABLE) or DEFAULT
    size = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?([GM]i?B)", text.strip(), re.IGNORECASE)
    left = int(float(size[1]) * _MIB[size[2].upper()]) - _BESIDES_MIB if size else 0
    if left < _LEAST_MIB:
        raise ValueError(f"{MEMORY_VARIABLE} is {text!r}, but must be a size like 4GB, and 1.5GiB at least")
    return f"{left}MiB"


def duckdb_limits(scratch: Path) -> dict[str, str | bool | int | float | list[str]]:
    """DuckDB's configuration where it reads offences: what finds no room in memory is put aside in `scratch`, encrypted.

    DuckDB asks to be told that its own encryption (mbedtls) will do, since it calls its random numbers too weak for files that
    last. These last as long as the connection, whose key is nowhere else.
    """
    return {
        "memory_limit": duckdb_memory(),
        "temp_directory": str(scratch),
        "temp_file_encryption": True,
        "force_mbedtls_unsafe": True,
    }


def limit_memory(connection: duckdb.DuckDBPyConnection) -> None:
    """Set the limit where others of this process may have the database open, who would not get it with another configuration."""
    connection.execute(f"set memory_limit = '{duckdb_memory()}'")
