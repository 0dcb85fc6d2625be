"""Runs the load job in this process and derives its outcome from the run's events."""

from __future__ import annotations

from collections.abc import Collection

import dagster as dg

from dagster_project import paths
from dagster_project.defs.all_definitions import build_definitions
from dagster_project.defs.automation import LOAD, range_tags, run_config
from dagster_project.defs.dead_runs import fail_dead_runs, writer_tag
from dagster_project.defs.delivery_assets import ACCEPTED, REJECTED
from dagster_project.defs.instance import open_instance
from dagster_project.publication.outcome import LoadFailedError, LoadOutcome
from dagster_project.publication.release import PublishingBlockedError
from dagster_project.publications import publications
from dagster_project.quality.audit import read_audit
from dagster_project.settings import Settings

COMMAND_LINE = {"uppklarat/started_by": "command line"}
# Steps that fail if the audit blocks publishing; any other failure is unexpected.
GATED = ("draft", "current")
SERVING = "published__postgres"
# The error of a failed blocking check, a class that Dagster does not export.
CHECK_FAILED = "DagsterAssetCheckFailedError"


def run_load(settings: Settings, touched: Collection[int], years: Collection[int]) -> LoadOutcome:
    """Run the load job for the touched years; `years` limits the ingest (empty: all).

    Raises `LoadFailedError` if a step failed for any other reason than the audit.
    """
    before = {publication.publication_id for publication in publications(settings)}
    with open_instance(settings) as instance:
        fail_dead_runs(instance, settings.home / paths.LOCK)
        result = (
            build_definitions(settings)
            .resolve_job_def(LOAD)
            .execute_in_process(
                instance=instance,
                run_config={
                    **run_config(complete_only=False, years=sorted(years)),
                    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                },
                # `load` holds the writer lock already.
                tags={**range_tags(touched), **COMMAND_LINE, **writer_tag()},
                raise_on_error=False,
            )
        )
    rejected: dict[str, None] = {}
    for evaluation in result.get_asset_check_evaluations():
        if evaluation.check_name == ACCEPTED and not evaluation.passed:
            labels = evaluation.metadata["rejected"].value
            rejected |= dict.fromkeys(labels if isinstance(labels, list) else [str(labels)])
    blocked = not_served = None
    for event in result.filter_events(lambda event: event.is_step_failure and event.step_key != REJECTED):
        error = event.step_failure_data.error
        while error is not None and error.cause is not None:
            error = error.cause
        if error is not None and error.cls_name == CHECK_FAILED:
            audit = read_audit(settings)
            blocked = (
                str(PublishingBlockedError(audit.blocking, not_judged=len(audit.not_judged)))
                if audit
                else error.message
            )
            continue
        message = (event.step_failure_data.user_failure_data or error).__str__() if error is None else error.message
        if event.step_key not in (*GATED, SERVING) or error is None or error.cls_name != dg.Failure.__name__:
            raise LoadFailedError(f"step {event.step_key} of run {result.run_id} failed: {message.strip()}")
        data = event.step_failure_data.user_failure_data
        reason = (data.description if data else None) or message.strip()
        if event.step_key == SERVING:
            not_served = reason
        else:
            blocked = reason
    new = [publication for publication in publications(settings) if publication.publication_id not in before]
    return LoadOutcome(new[-1] if new else None, tuple(rejected), blocked, not_served, result.run_id)
