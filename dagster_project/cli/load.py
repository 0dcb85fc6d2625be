"""A load from the command line: determines the work, runs the Dagster job and returns the outcome."""

from __future__ import annotations

import atexit
import gc
import logging
import shutil
from collections.abc import Collection
from dataclasses import replace
from datetime import date

from dagster_project import paths
from dagster_project.cli.purge import delete_purged_rows
from dagster_project.files import hold_writer_lock, release_writer_lock
from dagster_project.ingestion.ingest import changed_folders, uncorrected_deliveries, validated_by_earlier_rules
from dagster_project.ingestion.landing import check_year, find_delivery_folders, find_unexpected_entries
from dagster_project.ingestion.official import changed_official_files
from dagster_project.ingestion.pseudonyms import pseudonym_key
from dagster_project.ingestion.rejection import RejectedDeliveryError
from dagster_project.publication.formats.catalogue import read_catalogue
from dagster_project.publication.outcome import LoadOutcome
from dagster_project.publication.release import nothing_to_publish, published_but_withdrawn
from dagster_project.publications import (
    active_publication,
    finish_interrupted_publishing,
    years_not_published,
)
from dagster_project.quality.waivers import describe_waivers
from dagster_project.settings import Settings
from dagster_project.state import clear_temporary_files, read_state
from dagster_project.transformation.fingerprints import is_built

logger = logging.getLogger("uppklarat")


STILL_PUBLISHED = (
    "no year is complete, so no replacement can be published: the current publication is based on withdrawn deliveries "
    "({}). Deliver again or activate an earlier publication (`uppklarat publications`)"
)


def load(settings: Settings, years: Collection[int] = (), expected: Collection[int] = ()) -> LoadOutcome:
    """Ingest every new or changed delivery (of the given years), build, audit and publish.

    Raises `UnreadableLandingError` if the landing folder cannot be read, and the error of a run that failed for any other reason
    than a rejected delivery or a blocking check.
    """
    # Raises before anything else if the folder is unreadable, which must not look like an empty folder.
    find_delivery_folders(settings.landing)
    _acquire_writer_lock(settings)
    try:
        clear_temporary_files(settings)
        _clear_draft(settings)
        delete_purged_rows(settings)
        if settings.home.stat().st_mode & 0o077:
            logger.warning("other users can read the private warehouse: chmod 700 %s", settings.home)
        for text in describe_waivers(settings):
            logger.warning("waiver: %s", text)
        # Validated here so that an error is reported before the build.
        read_catalogue(settings.home / paths.CATALOGUE)
        # Nothing can be loaded without the key.
        state = read_state(settings)
        pseudonym_key(state)
        changed, rejected = [], []
        for folder in changed_folders(state):
            if not years or folder.year in years:
                try:
                    check_year(folder)
                    changed.append(folder)
                except RejectedDeliveryError as error:
                    rejected.append(str(error))
        official = [file for file in changed_official_files(state) if not years or file.year in years]
        outcome = LoadOutcome(rejected=tuple(rejected))
        if changed or official or (state.complete_years and not (nothing_to_publish(state) and is_built(state))):
            touched = (
                # Official figures have no partitions: any year runs their ingest.
                {folder.year for folder in changed} or set(state.complete_years) or {date.today().year - 1}
            )
            ran = _run(settings, touched, years)
            outcome = replace(ran, rejected=(*rejected, *ran.rejected))
            state = read_state(settings)
        if not state.complete_years and (labels := published_but_withdrawn(state)):
            outcome = replace(outcome, blocked=STILL_PUBLISHED.format(", ".join(labels)))
        outcome = replace(outcome, missing=tuple(years_not_published(state, expected)))
        if settings.postgres.dsn and not outcome.not_served:
            outcome = replace(outcome, not_served=_serve_postgres(settings))
        for text in [
            *find_unexpected_entries(settings.landing, settings.landing / paths.CORRECTIONS),
            *validated_by_earlier_rules(state),
        ]:
            logger.warning("%s", text)
        # The run may have reported the same deliveries.
        return replace(
            outcome, rejected=tuple(dict.fromkeys([*outcome.rejected, *uncorrected_deliveries(state).values()]))
        )
    finally:
        release_writer_lock(settings.home / paths.LOCK)


def _run(settings: Settings, touched: Collection[int], years: Collection[int]) -> LoadOutcome:
    """Run the load job in this process, recorded in the instance that `dagster dev` shows."""
    logger.info("starting Dagster")
    # Nearly all objects live until the end; garbage collection took a tenth of a small load's time, and a twentieth at exit.
    gc.set_threshold(100_000, 50, 100)
    atexit.register(gc.freeze)
    # Imported here to save seconds if there is nothing to load.
    from dagster_project.defs.load_run import run_load

    return run_load(settings, touched, years)


def _serve_postgres(settings: Settings) -> str | None:
    """Load the current publication into PostgreSQL unless it is there already; return the reason of a failure."""
    from dagster_project.publication.postgres import NotServedError, serve

    try:
        serve(settings, settings.postgres)
    except NotServedError as error:
        return str(error)
    return None


def _acquire_writer_lock(settings: Settings) -> None:
    """Wait for another writer and log what it published, since there may be nothing left to load."""
    before = active_publication(settings)
    waited = False

    def waiting(text: str) -> None:
        nonlocal waited
        waited = True
        logger.warning("%s", text)

    hold_writer_lock(settings.home / paths.LOCK, waiting)
    if waited and (now := active_publication(settings)) != before:
        logger.warning("the other load ended; it published %s", now)


def _clear_draft(settings: Settings) -> None:
    """Remove the draft of an interrupted load and finish its switch of the current publication."""
    if settings.published.is_dir():
        for name in (paths.DRAFT, paths.NEXT_CURRENT):
            for path in settings.published.glob(str(name)):
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() and not path.is_symlink() else path.unlink()
    finish_interrupted_publishing(settings)
