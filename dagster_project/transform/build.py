"""Building the marts: brings the working database to what a build from nothing of the active deliveries would give."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import duckdb

from dagster_project.deliveries.ledger import active_deliveries
from dagster_project.files import private_folder
from dagster_project.settings import Settings
from dagster_project.sql import literal
from dagster_project.transform.dbt_project import NodeResult, TransformationFailedError, keep_data_tests, run_dbt
from dagster_project.transform.kept_figures import put_back_kept_figures
from dagster_project.transform.plan import BuildPlan, note_build_begins, note_build_done, plan_build
from dagster_project.transform.raw_schema import prepare_raw_schema
from dagster_project.transform.withheld import write_suppression_audit
from dagster_project.years import spell_years

logger = logging.getLogger("uppklarat")

AFTER_AUDIT = "tag:after_audit"


def build_marts(settings: Settings, models: Sequence[str] = ()) -> tuple[BuildPlan, list[NodeResult]]:
    """Derive what is stale and all that is small; with `models`, build only these and leave the rest stale.

    Returns the plan and what became of every dbt node. A working database that cannot be opened is thrown away and built
    anew: everything in it is derived.
    """
    plan = _plan(settings)
    with duckdb.connect(str(settings.warehouse_file)) as connection:
        prepare_raw_schema(connection, settings, active_deliveries(settings), plan.complete_years)
        note_build_begins(connection, plan)
    logger.info(
        "building %s", f"years {spell_years(plan.years)}" if plan.years else "the small tables; no year is stale"
    )
    selection = ["--select", *models] if models else ["--exclude", AFTER_AUDIT]
    refresh = ["--full-refresh"] if plan.full_refresh else ["--exclude-resource-type", "seed"]
    results = run_dbt(settings, ["build", *selection, *refresh, "--exclude-resource-type", "unit_test"], plan.variables)
    if not models:
        with duckdb.connect(str(settings.warehouse_file)) as connection:
            put_back_kept_figures(connection, settings)
            note_build_done(connection, plan)
            _keep_quarantined_decisions(connection, settings)
            write_suppression_audit(connection, settings)
        keep_data_tests(settings, results)
    return plan, results


def build_after_audit(settings: Settings) -> list[NodeResult]:
    """Build the tables that tell of the audit and the publications, which exist only when the marts are audited.

    Raises `TransformationFailedError` for a failing data test too, since no audit comes after them that could see it.
    """
    results = run_dbt(
        settings,
        ["build", "--select", AFTER_AUDIT, "--exclude-resource-type", "unit_test"],
        plan_build(settings).variables,
    )
    if failed := [one.unique_id for one in results if one.tested_model and one.status != "pass"]:
        raise TransformationFailedError(f"what the draft tells of itself fails {', '.join(failed)}")
    return results


def _keep_quarantined_decisions(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Keep what linking quarantined where it can be read while the next build has the working database."""
    new = settings.quarantined_decisions.with_suffix(".new")
    columns = "source, year, file, reason, line"
    connection.execute(
        f"copy (select {columns} from intermediate.int_quarantined_decision) to {literal(new)} (format parquet)"
    )
    new.replace(settings.quarantined_decisions)


def _plan(settings: Settings) -> BuildPlan:
    private_folder(settings.home)
    try:
        return plan_build(settings)
    except duckdb.Error as error:
        if "lock" in str(error):
            # Somebody has it open; it is not broken.
            raise
        logger.warning("the working database cannot be opened; it is built anew")
        settings.warehouse_file.unlink(missing_ok=True)
        settings.warehouse_file.with_suffix(".duckdb.wal").unlink(missing_ok=True)
        return plan_build(settings)
