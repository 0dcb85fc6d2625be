"""Published figures of purged years: the build reads them as sources, and the marts hold them as they were published."""

from __future__ import annotations

from pathlib import Path

import duckdb

from dagster_project.settings import Settings
from dagster_project.sql import parquet
from dagster_project.state import kept_description
from dagster_project.transformation.dbt_project import kept_tables, mart_declarations

KEPT_OFFENCES = "police_offences"


def kept_file(settings: Settings, before: int, table: str) -> Path:
    """Where the rows of a table that a purge of years before `before` kept lie."""
    return settings.kept / str(before) / f"{table}.parquet"


def create_kept_sources(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Create the tables about purged years that the dbt project declares as source `raw`.

    A column that a mart did not have when the years were purged is null.
    """
    description = kept_description(settings)
    connection.execute("create or replace table raw.kept_year (year integer, publication_id varchar)")
    for year in description["years"]:
        connection.execute("insert into raw.kept_year values (?, ?)", [year, description["publication_id"]])
    for table in kept_tables():
        columns = mart_declarations()[table].columns
        definition = ", ".join(f"{name} {sql_type}" for name, (sql_type, _) in columns.items())
        connection.execute(f"create or replace table raw.kept_{table} ({definition})")
        if (kept := kept_file(settings, description["before"], table)).exists():
            there = {name for name, *_ in connection.execute(f"describe from {parquet(kept)}").fetchall()}
            shared = ", ".join(name for name in columns if name in there)
            connection.execute(f"insert into raw.kept_{table} by name select {shared} from {parquet(kept)}")
