"""The job that loads, the schedule that starts it once a year, and the sensor that starts it for a new delivery."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

import dagster as dg

from dagster_project.contract import input_contract
from dagster_project.deliveries.ingest import changed_folders
from dagster_project.deliveries.landing import DeliveryFolder
from dagster_project.orchestration.common import YEARS, Places
from dagster_project.orchestration.dead_runs import fail_dead_runs

LOAD = "load"

load_job = dg.define_asset_job(
    LOAD,
    selection=dg.AssetSelection.all(),
    # DuckDB uses all cores by itself; a process per step would only add its start-up time to each.
    executor_def=dg.in_process_executor,
    description="Takes deliveries in, derives, audits and publishes; a range of years is one run.",
)


def range_tags(years: Iterable[int]) -> dict[str, str]:
    """Tags that make a run one over all years from the first to the last."""
    years = sorted(years)
    return {"dagster/asset_partition_range_start": str(years[0]), "dagster/asset_partition_range_end": str(years[-1])}


def run_config(*, complete_only: bool, years: Sequence[int] = ()) -> dict[str, Any]:
    """Configuration of a load: what the ingest of every source may take."""
    config = {"config": {"complete_only": complete_only, "years": list(years)}}
    return {"ops": {f"ingest_{source}": config for source in input_contract().sources}}


def yearly_load(cron_schedule: str) -> dg.ScheduleDefinition:
    """The schedule: loads every complete delivery that is new or changed."""

    @dg.schedule(job=load_job, cron_schedule=cron_schedule, execution_timezone="Europe/Stockholm", name="yearly_load")
    def schedule(context: dg.ScheduleEvaluationContext, places: Places) -> dg.RunRequest | dg.SkipReason:
        if context.instance_ref is not None:
            fail_dead_runs(context.instance)
        folders = [folder for folder in changed_folders(places.settings) if _is_loadable(folder)]
        if not folders:
            return dg.SkipReason("no complete delivery is new or changed")
        years = [folder.year for folder in folders]
        return dg.RunRequest(tags=range_tags(years), run_config=run_config(complete_only=True, years=years))

    return schedule


@dg.sensor(
    job=load_job,
    minimum_interval_seconds=60,
    description="Loads a delivery as soon as its manifest is there, and again when it changes; each state once.",
)
def new_delivery(context: dg.SensorEvaluationContext, places: Places) -> dg.SensorResult | dg.SkipReason:
    """Ask for one run over the years whose complete deliveries changed since the last evaluation."""
    fail_dead_runs(context.instance)
    asked_for: dict[str, str] = json.loads(context.cursor or "{}")
    states = {folder: _state(folder) for folder in changed_folders(places.settings) if _is_loadable(folder)}
    news = [folder for folder, state in states.items() if asked_for.get(folder.label) != state]
    if not news:
        return dg.SkipReason("no complete delivery is new or changed")
    years = sorted({folder.year for folder in news})
    asked_for |= {folder.label: states[folder] for folder in news}
    key = hashlib.sha256(json.dumps(asked_for, sort_keys=True).encode()).hexdigest()[:16]
    request = dg.RunRequest(run_key=key, tags=range_tags(years), run_config=run_config(complete_only=True, years=years))
    return dg.SensorResult(run_requests=[request], cursor=json.dumps(asked_for))


def _is_loadable(folder: DeliveryFolder) -> bool:
    return folder.is_complete and YEARS.has_partition_key(str(folder.year))


def _state(folder: DeliveryFolder) -> str:
    return hashlib.sha256(folder.signature().encode()).hexdigest()[:16]
