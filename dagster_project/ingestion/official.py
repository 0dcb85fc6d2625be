"""Loads Brå's own tables; they are stored like deliveries, each new file of an area and year as a new version."""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import duckdb

from dagster_project import paths
from dagster_project.files import private_folder, scratch_folder
from dagster_project.ingestion.landing import OfficialFile, find_official_files
from dagster_project.ingestion.landing_index import is_known, read_index, remember
from dagster_project.ingestion.official_tables import COUNTS, OfficialTable, read_official_table
from dagster_project.ingestion.rejection import RejectedDeliveryError, cannot_be_read
from dagster_project.settings import SEEDS, Settings
from dagster_project.sql import literal
from dagster_project.state import (
    DeliveryRecord,
    FileRecord,
    State,
    activate,
    read_record,
    read_state,
    record_folder,
    store_record,
)
from dagster_project.versions import version_of

logger = logging.getLogger("uppklarat")

TABLE = "table_300"
"""The Parquet file of a version in the raw store; grain: one declared row of the file."""


def changed_official_files(state: State) -> list[OfficialFile]:
    """Files that are new, or that changed since the last load."""
    index = read_index(state.settings)
    return [
        file
        for file in find_official_files(state.settings.landing)
        if not is_known(state, index, file, _reader_version())
    ]


def ingest_official(file: OfficialFile, settings: Settings) -> DeliveryRecord | None:
    """Load a file and make it the active version of its area and year; loading the same bytes again changes nothing.

    Returns None for a withdrawn version, unless the file was written after the withdrawal. Raises `RejectedDeliveryError` if the
    file is rejected; the previous version then remains active.
    """
    private_folder(settings.home)
    content, signature, written_at = _read(file, settings)
    sha256 = hashlib.sha256(content).hexdigest()
    state, delivery_id = read_state(settings), sha256[:16]
    if (at := state.withdrawn.get((file.source, file.year, delivery_id))) and written_at <= datetime.fromisoformat(at):
        logger.warning("%s: %s", file.label, describe_ignored_file(at))
        remember(settings, file.label, signature, delivery_id, _reader_version())
        return None
    record = read_record(record_folder(settings, file.source, file.year, delivery_id, _reader_version()))
    if record is None:
        table = read_official_table(content, file.label, file.year, file.area)
        record = DeliveryRecord(
            delivery_id=delivery_id,
            source=file.source,
            year=file.year,
            loaded_at=datetime.now(UTC).isoformat(timespec="seconds"),
            judged_by=_reader_version(),
            encoding="",
            complete=True,
            synthetic=None,
            files={TABLE: FileRecord(file.path.name, sha256, len(content), len(table.rows), len(table.rows), 0, {})},
        )
        _store(settings, record, table)
    logger.info("%s: %s rows loaded", file.label, record.files[TABLE].rows_loaded)
    activate(state, record)
    remember(settings, file.label, signature, delivery_id, _reader_version())
    return record


def ignored_official_files(state: State) -> list[tuple[OfficialFile, str]]:
    """Files whose version in the landing folder was withdrawn, with the time of withdrawal."""
    index = read_index(state.settings)
    return [
        (file, state.withdrawn[withdrawn])
        for file in find_official_files(state.settings.landing)
        if (withdrawn := (file.source, file.year, index.get(file.label, {}).get("delivery_id"))) in state.withdrawn
    ]


def describe_ignored_file(withdrawn_at: str) -> str:
    """The message about a withdrawn version in the landing folder."""
    return (
        f"this version was withdrawn on {withdrawn_at[:10]} and is ignored; replace it, or, to load it again, copy the file "
        "there again"
    )


def official_file(settings: Settings, record: DeliveryRecord) -> Path:
    """The path of the rows of a version."""
    return (
        record_folder(settings, record.source, record.year, record.delivery_id, record.judged_by) / f"{TABLE}.parquet"
    )


@cache
def _reader_version() -> str:
    """Fingerprint of the code and declarations for reading files; when it changes, files are read again."""
    seeds = [SEEDS / f"{name}.csv" for name in ("official_cell", "police_region")]
    return version_of([Path(__file__).with_name("official_tables.py"), *seeds])


def _read(file: OfficialFile, settings: Settings) -> tuple[bytes, str, datetime]:
    """The file's content, signature and modification time."""
    try:
        if not file.path.resolve(strict=True).is_relative_to(settings.landing.resolve()):
            raise RejectedDeliveryError(
                file.label, "it leads out of the landing folder", "Deliver the file itself, not a link to it"
            )
        signature = file.signature()
        content = file.path.read_bytes()
        if file.signature() != signature:
            raise RejectedDeliveryError(file.label, "it changed while it was read", "Load again when it is whole")
        return content, signature, datetime.fromtimestamp(file.path.stat().st_ctime, UTC)
    except FileNotFoundError:
        raise RejectedDeliveryError(file.label, "the file is gone", "Deliver it again") from None
    except PermissionError as error:
        raise cannot_be_read(file.label, error) from None


def _store(settings: Settings, record: DeliveryRecord, table: OfficialTable) -> None:
    rows = [[table.corrected_on, row.lagrum_label, row.row_path, *row.counts.values()] for row in table.rows]
    counts = ", ".join(f"{name} bigint" for name in COUNTS)
    with scratch_folder(settings.home / paths.SCRATCH) as scratch, duckdb.connect() as connection:
        prepared = scratch / "prepared"
        prepared.mkdir()
        connection.execute(f"create table rows (corrected_on date, lagrum_label varchar, row_path varchar, {counts})")
        connection.executemany(f"insert into rows values (?, ?, ?{', ?' * len(COUNTS)})", rows)
        connection.execute(f"copy rows to {literal(prepared / f'{TABLE}.parquet')} (format parquet)")
        store_record(settings, prepared, record)
