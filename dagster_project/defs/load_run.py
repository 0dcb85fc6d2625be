"""Runs the load job in this process and derives its outcome from the run's events."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from dagster_project import paths
from dagster_project.defs.alerts import COMMAND_LINE, outcome_of_failures
from dagster_project.defs.all_definitions import build_definitions
from dagster_project.defs.automation import LOAD, range_tags, run_config
from dagster_project.defs.dead_runs import fail_dead_runs, writer_tag
from dagster_project.defs.delivery_assets import ACCEPTED, REJECTED
from dagster_project.defs.instance import open_instance
from dagster_project.publication.outcome import LoadFailedError, LoadOutcome
from dagster_project.publications import publications
from dagster_project.settings import Settings


def run_load(settings: Settings, touched: Collection[int], years: Collection[int]) -> LoadOutcome:
    """Run the load job for the touched years; `years` limits the ingest (empty: all).

    Raises `LoadFailedError` if a step failed for a reason other than the audit.
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
                # `load` already holds the writer lock.
                tags={**range_tags(touched), **COMMAND_LINE, **writer_tag()},
                raise_on_error=False,
            )
        )
    rejected: dict[str, None] = {}
    for evaluation in result.get_asset_check_evaluations():
        if evaluation.check_name == ACCEPTED and not evaluation.passed:
            labels = evaluation.metadata["rejected"].value
            rejected |= dict.fromkeys(labels if isinstance(labels, list) else [str(labels)])
    failures = result.filter_events(lambda event: event.is_step_failure and event.step_key != REJECTED)
    outcome, failed = outcome_of_failures(settings, failures)
    for step, message in failed.items():
        raise LoadFailedError(f"step {step} of run {result.run_id} failed: {message}")
    new = [publication for publication in publications(settings) if publication.publication_id not in before]
    return replace(outcome, publication=new[-1] if new else None, rejected=tuple(rejected), run_id=result.run_id)
