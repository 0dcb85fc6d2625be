"""Retention: raw rows of old years are purged, while the figures published of them are carried on in every later publication."""

from __future__ import annotations

import logging
import shutil

import duckdb

from dagster_project.files import private_folder, sync_folder, write_json
from dagster_project.ingestion.pseudonyms import key_id, pseudonym_key
from dagster_project.publication.draft import DATABASE
from dagster_project.publication.release import nothing_to_publish
from dagster_project.publications import changed_files, publications
from dagster_project.settings import Settings
from dagster_project.sql import literal
from dagster_project.state import active_deliveries, complete_years, kept_description
from dagster_project.transformation.build import build_marts
from dagster_project.transformation.dbt_project import kept_tables
from dagster_project.transformation.fingerprints import is_built, year_fingerprints
from dagster_project.transformation.kept_figures import KEPT_OFFENCES, kept_file
from dagster_project.transformation.raw_schema import create_sources

logger = logging.getLogger("uppklarat")


class PurgeRefusedError(Exception):
    """Purging now would lose figures, or rows that later figures rest on."""


def purge(settings: Settings, before: int) -> list[int]:
    """Remove all raw rows of deliveries of years before `before`; returns the years whose published figures are carried on.

    Offences of those years that decisions of later years look back to are kept, since later figures rest on them. Raises
    `PurgeRefusedError` where the present deliveries are not all published, or no year would be left to derive.
    """
    if before <= kept_description(settings)["before"]:
        delete_purged_rows(settings)
        return list(kept_description(settings)["years"])
    active = active_deliveries(settings)
    complete = complete_years(active)
    if not nothing_to_publish(settings):
        raise PurgeRefusedError(
            "the loaded deliveries are not published as they are: `uppklarat load` first, then purge"
        )
    if waiting := [record.label for record in active.values() if record.year not in complete]:
        raise PurgeRefusedError(
            f"{', '.join(waiting)} waits for the other source: its decisions may look back to purged years, and figures of purged "
            "years must be published. Load what is missing first, or withdraw it"
        )
    if not any(year >= before for year in complete):
        raise PurgeRefusedError(f"no complete year from {before} on is loaded, so nothing could be published any more")
    newest = publications(settings)[-1]
    if damaged := changed_files(newest):
        raise PurgeRefusedError(
            f"publication {newest.publication_id} is damaged ({', '.join(damaged)}): its figures cannot be kept"
        )
    if not is_built(settings):
        build_marts(settings)
    private_folder(settings.kept)
    shutil.rmtree(settings.kept / str(before), ignore_errors=True)
    private_folder(settings.kept / str(before))
    with duckdb.connect(str(newest.folder / DATABASE), read_only=True) as connection:
        for table in kept_tables():
            rows = f"select * from marts.{table} where year < {before}"
            connection.execute(
                f"copy ({rows}) to {literal(kept_file(settings, before, table))} (format parquet, compression zstd)"
            )
    _keep_looked_up_offences(settings, before)
    sync_folder(settings.kept / str(before))
    said = newest.said
    write_json(
        settings.kept_description,
        {
            "before": before,
            "key_id": key_id(pseudonym_key(settings)),
            "publication_id": newest.publication_id,
            "years": [year for year in said["years"] if year < before],
            "deliveries": [one for one in said["deliveries"] if one["year"] < before],
        },
    )
    delete_purged_rows(settings)
    return list(kept_description(settings)["years"])


def delete_purged_rows(settings: Settings) -> None:
    """Delete what `purge` decided to; again after a crash, until nothing is left."""
    before = kept_description(settings)["before"]
    doomed = [
        path
        for path in settings.raw.glob("*/*/*/*.parquet")
        if path.parts[-3].isdigit() and int(path.parts[-3]) < before
    ]
    if doomed:
        # First, so that a crash leaves something that is doomed: freed pages of the database still hold rows.
        settings.warehouse_file.unlink(missing_ok=True)
        settings.warehouse_file.with_suffix(".duckdb.wal").unlink(missing_ok=True)
        settings.quarantined_decisions.unlink(missing_ok=True)
    for path in doomed:
        path.unlink()
    for folder in settings.kept.glob("*"):
        if folder.name != str(before):
            shutil.rmtree(folder)
    if doomed:
        logger.info("deleted %s files with rows of years before %s", len(doomed), before)


def _keep_looked_up_offences(settings: Settings, before: int) -> None:
    active = active_deliveries(settings)
    with duckdb.connect(str(settings.warehouse_file)) as connection:
        # Its views name files by where the warehouse lay when it was built.
        create_sources(connection, settings, active, year_fingerprints(settings, active))
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
