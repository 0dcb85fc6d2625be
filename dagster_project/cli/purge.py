"""Retention: purges raw rows of old years; their published figures are kept for later publications."""

from __future__ import annotations

import logging
import shutil
from dataclasses import asdict

import duckdb

from dagster_project import paths
from dagster_project.files import private_folder, sync_folder, write_json
from dagster_project.ingestion.pseudonyms import key_id, pseudonym_key
from dagster_project.publication.draft import DATABASE
from dagster_project.publication.release import nothing_to_publish
from dagster_project.publications import changed_files, publications
from dagster_project.settings import Settings
from dagster_project.sql import literal
from dagster_project.state import Purged, State, read_purged, read_state
from dagster_project.transformation.build import build_marts
from dagster_project.transformation.dbt_project import kept_tables
from dagster_project.transformation.fingerprints import is_built, year_fingerprints
from dagster_project.transformation.kept_figures import KEPT_HANDOVERS, KEPT_OFFENCES, kept_file
from dagster_project.transformation.raw_schema import create_sources

logger = logging.getLogger("uppklarat")


class PurgeRefusedError(Exception):
    """Purging now would lose figures or rows that later figures need."""


def purge(settings: Settings, before: int) -> list[int]:
    """Remove all raw rows of years before `before`; return the years whose published figures are kept.

    Offences to which decisions of later years refer are kept, and so are the handover dates of offences that were decided later.
    Raises `PurgeRefusedError` if active deliveries are not published or no complete year would remain.
    """
    kept = settings.home / paths.KEPT
    state = read_state(settings)
    if before <= state.purged.before:
        delete_purged_rows(settings)
        return list(state.purged.years)
    complete = state.complete_years
    if not nothing_to_publish(state):
        raise PurgeRefusedError(
            "the loaded deliveries are not published as they are: `uppklarat load` first, then purge"
        )
    if waiting := [record.label for record in state.active.values() if record.year not in complete]:
        raise PurgeRefusedError(
            f"{', '.join(waiting)} waits for the other source: its decisions may look back to purged years, and figures of purged "
            "years must be published. Load what is missing first, or withdraw it"
        )
    if not any(year >= before for year in complete):
        raise PurgeRefusedError(
            f"no complete year from {before} on is loaded, so nothing could be published after the purge"
        )
    newest = publications(settings)[-1]
    if damaged := changed_files(newest):
        raise PurgeRefusedError(
            f"publication {newest.publication_id} is damaged ({', '.join(damaged)}): its figures cannot be kept"
        )
    if not is_built(state):
        build_marts(settings)
    private_folder(kept)
    shutil.rmtree(kept / str(before), ignore_errors=True)
    private_folder(kept / str(before))
    with duckdb.connect(str(newest.folder / DATABASE), read_only=True) as connection:
        for table in kept_tables():
            rows = f"select * from marts.{table} where year < {before}"
            connection.execute(
                f"copy ({rows}) to {literal(kept_file(settings, before, table))} (format parquet, compression zstd)"
            )
    _keep_what_later_years_look_up(state, before)
    sync_folder(kept / str(before))
    manifest = newest.manifest
    purged = Purged(
        before=before,
        key_id=key_id(pseudonym_key(state)),
        publication_id=newest.publication_id,
        years=tuple(year for year in manifest["years"] if year < before),
        deliveries=tuple(delivery for delivery in manifest["deliveries"] if delivery["year"] < before),
    )
    write_json(settings.home / paths.PURGED, asdict(purged))
    delete_purged_rows(settings)
    return list(purged.years)


def delete_purged_rows(settings: Settings) -> None:
    """Delete the rows of purged years; repeated after a crash until nothing is left."""
    warehouse = settings.home / paths.WAREHOUSE
    before = read_purged(settings).before
    purged_files = [
        path
        for path in (settings.home / paths.RAW_STORE).glob("*/*/*/*.parquet")
        if path.parts[-3].isdigit() and int(path.parts[-3]) < before
    ]
    if purged_files:
        # Deleted first, because its freed pages still hold rows; a crash leaves files to purge, so this is repeated.
        warehouse.unlink(missing_ok=True)
        warehouse.with_suffix(".duckdb.wal").unlink(missing_ok=True)
        (settings.home / paths.QUARANTINED_DECISIONS).unlink(missing_ok=True)
    for path in purged_files:
        path.unlink()
    for folder in (settings.home / paths.KEPT).glob("*"):
        if folder.name != str(before):
            shutil.rmtree(folder)
    if purged_files:
        logger.info("deleted %s files with rows of years before %s", len(purged_files), before)


def _keep_what_later_years_look_up(state: State, before: int) -> None:
    settings = state.settings
    with duckdb.connect(str(settings.home / paths.WAREHOUSE)) as connection:
        # The views contain absolute paths, so they are recreated in case the warehouse was moved.
        create_sources(connection, state, year_fingerprints(state))
        connection.execute(
            f"""
            copy (
                select offence.* from raw.police_offences as offence
                semi join (
                    select extract_year as year, diarienummer, brottsnummer from intermediate.int_looked_up_offence
                    where year >= {before} and extract_year < {before}
                ) using (year, diarienummer, brottsnummer)
            ) to {literal(kept_file(settings, before, KEPT_OFFENCES))} (format parquet, compression zstd)"""
        )
        connection.execute(
            f"""
            copy (
                select year, diarienummer, brottsnummer, handed_over_date from intermediate.int_handover
                semi join (
                    select diarienummer, brottsnummer from intermediate.int_processed_offence where year >= {before}
                ) using (diarienummer, brottsnummer)
                where year < {before}
            ) to {literal(kept_file(settings, before, KEPT_HANDOVERS))} (format parquet, compression zstd)"""
        )
