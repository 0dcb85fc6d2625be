"""Published figures of purged years: what the build knows of them, and how they come back into the marts."""

from __future__ import annotations

from pathlib import Path

import duckdb

from dagster_project.deliveries.ledger import kept_description
from dagster_project.settings import Settings
from dagster_project.sql import parquet
from dagster_project.transform.dbt_project import mart_tables

KEPT_OFFENCES = "police_offences"
_COUNTED = "fct_indicator_year"


def kept_file(settings: Settings, before: int, table: str) -> Path:
    """Where the rows of a table that a purge of years before `before` kept lie."""
    return settings.kept / str(before) / f"{table}.parquet"


def offer_kept_figures(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Create the tables about purged years that the dbt project declares as source `raw`."""
    said = kept_description(settings)
    connection.execute("create or replace table raw.kept_year (year integer, publication_id varchar)")
    for year in said["years"]:
        connection.execute("insert into raw.kept_year values (?, ?)", [year, said["publication_id"]])
    keys = "indicator_id, variant, geography_level, geography_code, victim_group, year, processed, cleared"
    kept = kept_file(settings, said["before"], _COUNTED)
    connection.execute(
        f"create or replace view raw.kept_indicator_year as select {keys} from {parquet(kept)}"
        if kept.exists()
        else "create or replace view raw.kept_indicator_year as select null::varchar as indicator_id, null::varchar as variant, "
        "null::varchar as geography_level, null::varchar as geography_code, null::varchar as victim_group, null::integer as year, "
        "null::bigint as processed, null::bigint as cleared where false"
    )


def put_back_kept_figures(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Add the kept rows to the marts that were built without those years."""
    before = kept_description(settings)["before"]
    for table in mart_tables(after_audit=False):
        if (kept := kept_file(settings, before, table)).exists():
            connection.execute(
                f"insert into marts.{table} by name select * from {parquet(kept)} where year not in (select year from marts.{table})"
            )
