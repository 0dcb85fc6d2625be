"""Building the marts: brings the working database to what a build from nothing of the active deliveries would give."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import duckdb

from dagster_project.disclosure.withheld import write_suppression_audit
from dagster_project.files import private_folder
from dagster_project.settings import Settings
from dagster_project.sql import literal
from dagster_project.state import active_deliveries
from dagster_project.transformation.dbt_project import NodeResult, keep_data_tests, run_dbt
from dagster_project.transformation.fingerprints import (
    is_built_by_present_rules,
    record_build_begins,
    record_build_ended,
    year_fingerprints,
)
from dagster_project.transformation.raw_schema import create_sources
from dagster_project.years import spell_years

logger = logging.getLogger("uppklarat")


def build_marts(settings: Settings, models: Sequence[str] = ()) -> tuple[list[int], list[NodeResult]]:
    """Derive the stale years and all that is small; with `models`, build only these.

    Returns the years whose offences were stale, and the result of every dbt node. Everything in the working database is
    derived: one that cannot be opened, or that other rules made, is deleted and built from nothing.
    """
    private_folder(settings.home)
    _delete_what_cannot_be_kept(settings)
    active = active_deliveries(settings)
    with duckdb.connect(str(settings.warehouse_file)) as connection:
        create_sources(connection, settings, active, year_fingerprints(settings, active))
        has_seeds = record_build_begins(connection)
        stale = _stale_years(connection)
    logger.info("building %s", f"years {spell_years(stale)}" if stale else "the small tables; no year is stale")
    selection = ["--select", *models] if models else []
    # Seeds belong to the rules, which are those of the last build; one that was killed may not have loaded them.
    seeds = ["--exclude-resource-type", "seed"] if has_seeds else []
    results = run_dbt(settings, ["build", *selection, *seeds, "--exclude-resource-type", "unit_test"])
    if not models:
        with duckdb.connect(str(settings.warehouse_file)) as connection:
            _keep_quarantined_decisions(connection, settings)
            write_suppression_audit(connection, settings)
            record_build_ended(connection, settings)
        keep_data_tests(settings, results)
    return stale, results


def _delete_what_cannot_be_kept(settings: Settings) -> None:
    """Delete the working database unless the present rules made it, so that a build may keep the years in it."""
    try:
        if is_built_by_present_rules(settings):
            return
    except duckdb.Error as error:
        if "lock" in str(error):
            # Another process has it open; it is not broken.
            raise
        logger.warning("the working database cannot be opened; it is built from nothing")
    settings.warehouse_file.unlink(missing_ok=True)
    settings.warehouse_file.with_suffix(".duckdb.wal").unlink(missing_ok=True)


def _stale_years(connection: duckdb.DuckDBPyConnection) -> list[int]:
    """Complete years whose offences are missing, or were derived from something else."""
    exists = connection.execute("from duckdb_tables() where table_name = 'int_processed_offence'").fetchone()
    derived = "select (year, year_fingerprint) from intermediate.int_processed_offence"
    condition = f"(year, year_fingerprint) not in ({derived})" if exists else "true"
    return [
        year
        for (year,) in connection.execute(
            f"select year from raw.complete_year where {condition} order by year"
        ).fetchall()
    ]


def _keep_quarantined_decisions(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Keep what linking quarantined where it can be read while the next build has the working database."""
    new = settings.quarantined_decisions.with_suffix(".new")
    columns = "source, year, file, reason, line"
    connection.execute(
        f"copy (select {columns} from intermediate.int_quarantined_decision) to {literal(new)} (format parquet)"
    )
    new.replace(settings.quarantined_decisions)
