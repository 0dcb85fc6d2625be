"""Shared by all assets: years as partitions, settings as a resource, the pool, and the retry policy."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import duckdb

from dagster_project import paths
from dagster_project.contract import input_contract
from dagster_project.defs.dead_runs import note_writer
from dagster_project.defs.instance import show_on_timeline
from dagster_project.files import hold_writer_lock
from dagster_project.ingestion.corrections import CorrectionsError
from dagster_project.ingestion.landing import UnreadableLandingError
from dagster_project.ingestion.pseudonyms import PseudonymKeyError
from dagster_project.ingestion.rejection import RejectedDeliveryError
from dagster_project.publication.release import PublishingBlockedError
from dagster_project.quality.waivers import WaiversError
from dagster_project.settings import Settings
from dagster_project.state import clear_temporary_files
from dagster_project.transformation.dbt_project import TransformationFailedError

# From the contract's first year to the last year that has ended.
TIMEZONE = "Europe/Stockholm"
YEARS = dg.TimeWindowPartitionsDefinition(
    start=str(input_contract().first_year),
    cron_schedule="0 0 1 1 *",
    fmt="%Y",
    timezone=TIMEZONE,
)
WAREHOUSE_POOL = "warehouse"
TRIES_AGAIN = 3
SECONDS_TO_WAIT = 5
# Errors that a retry cannot resolve; their messages are written for people.
PERMANENT = (
    RejectedDeliveryError,
    CorrectionsError,
    UnreadableLandingError,
    PseudonymKeyError,
    WaiversError,
    PublishingBlockedError,
    TransformationFailedError,
)


class Places(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The settings as a Dagster resource."""

    landing: str
    home: str
    published: str
    suppress_below: int

    @property
    def settings(self) -> Settings:
        """The settings in the domain's type."""
        return Settings(
            landing=Path(self.landing),
            home=Path(self.home),
            published=Path(self.published),
            suppress_below=self.suppress_below,
        )


@contextmanager
def one_writer(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext, settings: Settings) -> Iterator[None]:
    """Hold the writer lock, and retry only transient failures: a locked file or an interrupted system call.

    Every other failure ends the step immediately, with its reason.
    """
    run_id = context.op_execution_context.run_id
    try:
        if hold_writer_lock(settings.home / paths.LOCK, context.log.warning, f"Dagster run {run_id}"):
            clear_temporary_files(settings)
        # Only after acquiring the lock: `fail_dead_runs` considers a run with this tag dead if no process holds the lock.
        if (run := context.instance.get_run_by_id(run_id)) is not None:
            show_on_timeline(context.instance, run)
            note_writer(context.instance, run)
        yield
    except PERMANENT as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    except (duckdb.IOException, BlockingIOError, InterruptedError) as error:
        raise dg.RetryRequested(max_retries=TRIES_AGAIN, seconds_to_wait=SECONDS_TO_WAIT) from error
