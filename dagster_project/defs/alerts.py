"""Problems reported by a run's failed steps, and the sensor that notifies a person."""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg

from dagster_project.defs.common import Places
from dagster_project.defs.delivery_assets import EXPECTED_YEARS, REJECTED
from dagster_project.notification import FAILED, Problem, notify
from dagster_project.publication.outcome import LoadOutcome
from dagster_project.publication.release import PublishingBlockedError
from dagster_project.quality.audit import read_audit
from dagster_project.settings import Settings

COMMAND_LINE = {"uppklarat/started_by": "command line"}
# Steps that fail if the audit blocks publishing; any other failure is unexpected.
GATED = ("draft", "current")
SERVING = "published__postgres"
# The error of a failed blocking check; Dagster does not export the class.
CHECK_FAILED = "DagsterAssetCheckFailedError"


def outcome_of_failures(settings: Settings, events: Iterable[dg.DagsterEvent]) -> tuple[LoadOutcome, dict[str, str]]:
    """The known problems of a load, and the message of each step that failed unexpectedly, which may quote data."""
    blocked = not_served = None
    missing, rejected = [], []
    failed = {}
    for event in events:
        failure = event.step_failure_data
        error = failure.error
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
        data = failure.user_failure_data
        message = error.message if error is not None else str(data)
        reason = (data.description if data else None) or message.strip()
        is_told = error is not None and error.cls_name == dg.Failure.__name__
        if is_told and event.step_key == SERVING:
            not_served = reason
        elif is_told and event.step_key in GATED:
            blocked = reason
        elif is_told and event.step_key == REJECTED:
            rejected.append(reason)
        elif is_told and event.step_key == EXPECTED_YEARS:
            missing.append(reason)
        else:
            failed[str(event.step_key)] = message.strip()
    return LoadOutcome(None, tuple(rejected), blocked, not_served, missing=tuple(missing)), failed


@dg.run_failure_sensor(
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    description="Notifies the recipient in UPPKLARAT_NOTIFY of a failed run; the command line does so for its own runs.",
)
def failed_run(context: dg.RunFailureSensorContext, places: Places) -> None:
    """Send the problems; a message that cannot be sent fails this tick only."""
    run = context.dagster_run
    if COMMAND_LINE.items() <= run.tags.items():
        return
    outcome, failed = outcome_of_failures(places.settings, context.get_step_failure_events())
    problems = outcome.problems
    if failed or not problems:
        problems = [Problem("failed", FAILED.format(f"run {run.run_id}")), *problems]
    if not_notified := notify(places.settings, problems, run.run_id):
        raise RuntimeError(not_notified)
