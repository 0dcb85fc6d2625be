"""The load job, the schedule that starts it once a year, and the sensor that starts it for a new delivery."""

import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import dagster as dg

from dagster_project import paths
from dagster_project.contract import input_contract
from dagster_project.defs.common import TIMEZONE, YEARS, Places
from dagster_project.defs.dead_runs import fail_dead_runs
from dagster_project.defs.delivery_assets import EXPECTED_YEARS
from dagster_project.ingestion.ingest import changed_folders, known_rejections
from dagster_project.ingestion.landing import OFFICIAL, DeliveryFolder, OfficialFile, UnreadableLandingError
from dagster_project.ingestion.official import changed_official_files
from dagster_project.notification import Problem, notify
from dagster_project.publications import YearsMissingError, years_not_published
from dagster_project.state import read_state

LOAD = "load"
LONGEST_WAIT = 24 * 60 * 60

load_job = dg.define_asset_job(
    LOAD,
    selection=dg.AssetSelection.all(),
    # DuckDB uses all cores by itself; a process per step would only add start-up time.
    executor_def=dg.in_process_executor,
    description="Ingests deliveries, builds the marts, audits and publishes; a range of years is one run.",
)


def range_tags(years: Iterable[int]) -> dict[str, str]:
    """Tags that let one run cover all years from the first to the last."""
    years = sorted(years)
    return {"dagster/asset_partition_range_start": str(years[0]), "dagster/asset_partition_range_end": str(years[-1])}


def run_config(*, complete_only: bool, years: Sequence[int] = (), expected: Sequence[int] = ()) -> dict[str, Any]:
    """Configuration of a load: the deliveries to ingest from every source, and the years that must be complete afterwards."""
    config = {"config": {"complete_only": complete_only, "years": list(years)}}
    ingests = {f"ingest_{source}": config for source in (*input_contract().sources, OFFICIAL)}
    return {"ops": {**ingests, EXPECTED_YEARS: {"config": {"years": list(expected)}}}}


def yearly_load(cron_schedule: str) -> dg.ScheduleDefinition:
    """The schedule: loads every complete delivery that is new or changed, and fails if the last ended year is missing."""

    @dg.schedule(job=load_job, cron_schedule=cron_schedule, execution_timezone=TIMEZONE, name="yearly_load")
    def schedule(context: dg.ScheduleEvaluationContext, places: Places) -> dg.RunRequest | dg.SkipReason:
        last_ended = context.scheduled_execution_time.astimezone(ZoneInfo(TIMEZONE)).year - 1
        try:
            folders = _loadable(places)
        except UnreadableLandingError as error:
            # No run fails because of this, so nothing else would report it.
            _report(context, places, Problem("landing_unreadable", str(error)))
            raise
        if folders:
            years = [folder.year for folder in folders]
            return dg.RunRequest(
                tags={**range_tags(years), **{_tag(folder): _state(folder) for folder in folders}},
                run_config=run_config(complete_only=True, years=years, expected=[last_ended]),
            )
        if missing := years_not_published(read_state(places.settings), [last_ended]):
            _report(context, places, *(Problem("missing", text) for text in missing))
            raise YearsMissingError(f"no complete delivery is new or changed, and {'; '.join(missing)}")
        return dg.SkipReason("no complete delivery is new or changed")

    return schedule


def _report(context: dg.ScheduleEvaluationContext, places: Places, *problems: Problem) -> None:
    if not_notified := notify(places.settings, problems):
        context.log.error(not_notified)


@dg.sensor(
    job=load_job,
    minimum_interval_seconds=60,
    description="Loads a delivery when its manifest arrives, and again when it changes; failed runs are retried.",
)
def new_delivery(context: dg.SensorEvaluationContext, places: Places) -> dg.RunRequest | dg.SkipReason:
    """Request one run for the years with complete, changed deliveries that no run is loading or has loaded."""
    fail_dead_runs(context.instance, places.settings.home / paths.LOCK)
    loadable = _loadable(places)
    rejected = known_rejections(places.settings, loadable)
    attempts = {folder: _attempts(context.instance, folder) for folder in loadable if folder not in rejected}
    due = {folder: _state(folder) for folder, attempt in attempts.items() if attempt.is_due}
    if not due:
        return dg.SkipReason("no complete delivery is new or changed")
    years = sorted({folder.year for folder in due})
    tags = {_tag(folder): state for folder, state in due.items()}
    key = json.dumps([tags, [attempts[folder].failed for folder in due]], sort_keys=True)
    return dg.RunRequest(
        run_key=hashlib.sha256(key.encode()).hexdigest()[:16],
        tags={**range_tags(years), **tags},
        run_config=run_config(complete_only=True, years=years),
    )


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Fails runs whose process was killed, so that queued runs can start.",
)
def dead_runs(context: dg.SensorEvaluationContext, places: Places) -> dg.SkipReason:
    """Free the queue, even if the other automation is turned off."""
    ended = fail_dead_runs(context.instance, places.settings.home / paths.LOCK)
    return dg.SkipReason(f"ended {', '.join(ended)}" if ended else "no dead runs")


class Attempts(NamedTuple):
    """The runs requested for a delivery in its present state, and their outcome."""

    failed: int
    is_due: bool
    """Whether another run should be requested."""


def _attempts(instance: dg.DagsterInstance, folder: DeliveryFolder | OfficialFile) -> Attempts:
    """Read the runs' status, since a requested run may have failed or been killed.

    Canceled runs are not retried. A failed run is retried after a minute, and then after intervals that double up to a day,
    because its cause may need a person.
    """
    records = instance.get_run_records(dg.RunsFilter(tags={_tag(folder): _state(folder)}))
    failed = [record for record in records if record.dagster_run.status is dg.DagsterRunStatus.FAILURE]
    ended = max((record.end_time or record.update_timestamp.timestamp() for record in failed), default=0.0)
    wait = 0 if not failed else min(60 * 2 ** (len(failed) - 1), LONGEST_WAIT)
    return Attempts(len(failed), len(failed) == len(records) and time.time() - ended >= wait)


def _loadable(places: Places) -> list[DeliveryFolder | OfficialFile]:
    """Complete deliveries and files from Brå that are new or changed."""
    state = read_state(places.settings)
    loadable: list[DeliveryFolder | OfficialFile] = [folder for folder in changed_folders(state) if folder.is_complete]
    loadable += changed_official_files(state)
    return [one for one in loadable if YEARS.has_partition_key(str(one.year))]


def _tag(folder: DeliveryFolder | OfficialFile) -> str:
    """The run tag with the state of the delivery to load."""
    return f"uppklarat/{folder.source.replace('/', '-')}-{folder.year}"


def _state(folder: DeliveryFolder | OfficialFile) -> str:
    return hashlib.sha256(folder.signature().encode()).hexdigest()[:16]
