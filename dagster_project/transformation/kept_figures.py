"""The rows kept of purged years, which the build reads as sources so that the marts do not change."""

from __future__ import annotations

from pathlib import Path

import duckdb

from dagster_project import paths
from dagster_project.settings import Settings
from dagster_project.sql import parquet
from dagster_project.state import State
from dagster_project.transformation.dbt_project import kept_tables, mart_declarations

KEPT_OFFENCES = "police_offences"
KEPT_HANDOVERS = "handover"
_HANDOVER = {"year": "integer", "diarienummer": "uuid", "brottsnummer": "integer", "handed_over_date": "date"}


def kept_file(settings: Settings, before: int, table: str) -> Path:
    """The path of a table's rows kept by the purge of years before `before`."""
    return settings.home / paths.KEPT / str(before) / f"{table}.parquet"


def create_kept_sources(connection: duckdb.DuckDBPyConnection, state: State) -> None:
    """Create the tables of purged years in source `raw`; columns added since the purge are null."""
    purged = state.purged
    connection.execute("create or replace table raw.kept_year (year integer, publication_id varchar)")
    for year in purged.years:
        connection.execute("insert into raw.kept_year values (?, ?)", [year, purged.publication_id])
    definitions = {
        table: {name: sql_type for name, (sql_type, _) in mart_declarations()[table].columns.items()}
        for table in kept_tables()
    }
    for table, columns in {**definitions, KEPT_HANDOVERS: _HANDOVER}.items():
        definition = ", ".join(f"{name} {sql_type}" for name, sql_type in columns.items())
        connection.execute(f"create or replace table raw.kept_{table} ({definition})")
        if (kept := kept_file(state.settings, purged.before, table)).exists():
            existing = {name for name, *_ in connection.execute(f"describe from {parquet(kept)}").fetchall()}
            shared = ", ".join(name for name in columns if name in existing)
            connection.execute(f"insert into raw.kept_{table} by name select {shared} from {parquet(kept)}")
