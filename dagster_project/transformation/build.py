"""Builds the marts incrementally; the result equals a full build from the active deliveries."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import duckdb

from dagster_project import paths
from dagster_project.disclosure.withheld import write_suppression_audit
from dagster_project.files import private_folder
from dagster_project.settings import Settings
from dagster_project.sql import literal
from dagster_project.state import read_state
from dagster_project.transformation.dbt_project import NodeResult, run_dbt, store_data_tests
from dagster_project.transformation.fingerprints import (
    is_built_by_present_rules,
    record_build_begins,
    record_build_ended,
    year_fingerprints,
)
from dagster_project.transformation.raw_schema import create_sources
from dagster_project.years import format_years

logger = logging.getLogger("uppklarat")


def build_marts(settings: Settings, models: Sequence[str] = ()) -> tuple[list[int], list[NodeResult]]:
    """Rebuild the stale years and all small tables, or only `models` and what they read.

    Returns the stale years and the result of every dbt node. A working database that cannot be opened, or that was built by
    other rules, is deleted and rebuilt; it contains derived data only.
    """
    warehouse = settings.home / paths.WAREHOUSE
    private_folder(settings.home)
    _delete_outdated_database(settings)
    state = read_state(settings)
    with duckdb.connect(str(warehouse)) as connection:
        create_sources(connection, state, year_fingerprints(state))
        has_seeds = record_build_begins(connection)
        stale = _stale_years(connection)
    logger.info("building %s", f"years {format_years(stale)}" if stale else "the small tables; no year is stale")
    selection = ["--select", *(f"+{model}" for model in models)] if models else []
    # Seeds change only with the rules; a killed build may not have loaded them.
    seeds = ["--exclude-resource-type", "seed"] if has_seeds else []
    results = run_dbt(settings, ["build", *selection, *seeds, "--exclude-resource-type", "unit_test"])
    if not models:
        with duckdb.connect(str(warehouse)) as connection:
            _export_quarantined_decisions(connection, settings)
            write_suppression_audit(connection, settings)
            record_build_ended(connection, state)
        store_data_tests(settings, results)
    return stale, results


def _delete_outdated_database(settings: Settings) -> None:
    """Delete the working database unless it was built by the present rules."""
    warehouse = settings.home / paths.WAREHOUSE
    try:
        if is_built_by_present_rules(settings):
            return
    except duckdb.Error as error:
        if "lock" in str(error):
            # Another process has it open.
            raise
        logger.warning("the working database cannot be opened; rebuilding it")
    warehouse.unlink(missing_ok=True)
    warehouse.with_suffix(".duckdb.wal").unlink(missing_ok=True)


def _stale_years(connection: duckdb.DuckDBPyConnection) -> list[int]:
    """Complete years whose offences are missing or were derived from other inputs."""
    exists = connection.execute("from duckdb_tables() where table_name = 'int_processed_offence'").fetchone()
    built = "select (year, year_fingerprint) from intermediate.int_processed_offence"
    condition = f"(year, year_fingerprint) not in ({built})" if exists else "true"
    return [
        year
        for (year,) in connection.execute(
            f"select year from raw.complete_year where {condition} order by year"
        ).fetchall()
    ]


def _export_quarantined_decisions(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Export the decisions that dbt quarantined, so that they can be read while the next build locks the database."""
    quarantined_decisions = settings.home / paths.QUARANTINED_DECISIONS
    new = quarantined_decisions.with_suffix(".new")
    columns = "source, year, file, reason, line"
    connection.execute(
        f"copy (select {columns} from intermediate.int_quarantined_decision) to {literal(new)} (format parquet)"
    )
    new.replace(quarantined_decisions)
