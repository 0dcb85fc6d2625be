"""Ingest: takes a delivery folder into the raw store as a whole, or rejects it as a whole."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.contract import CONTRACT_FILE, FileContract, input_contract
from dagster_project.deliveries.judge import JudgedFile, judge_file
from dagster_project.deliveries.landing import Delivery, DeliveryFolder, find_delivery_folders, open_delivery
from dagster_project.deliveries.ledger import (
    DeliveryRecord,
    FileRecord,
    activate,
    active_deliveries,
    read_record,
    record_folder,
    write_record,
)
from dagster_project.deliveries.receive import ReceivedFile, check_unchanged, receive_file
from dagster_project.deliveries.rejection import RejectedDeliveryError
from dagster_project.files import read_json, scratch_folder, sync_folder, write_json
from dagster_project.settings import Settings

logger = logging.getLogger("uppklarat")

PREPARED = "prepared"


def changed_folders(settings: Settings) -> list[DeliveryFolder]:
    """Delivery folders that are new, or whose files were touched, since they were last loaded."""
    index = read_json(settings.landing_index, {})
    judged_by = judging_version()
    active = active_deliveries(settings)

    def is_known(folder: DeliveryFolder) -> bool:
        record = active.get((folder.source, folder.year))
        return record is not None and record.judged_by == judged_by and index.get(folder.label) == folder.signature()

    return [folder for folder in find_delivery_folders(settings.landing) if not is_known(folder)]


def ingest(folder: DeliveryFolder, settings: Settings) -> DeliveryRecord:
    """Load a delivery and make it the active one of its source and year; the same bytes again change nothing.

    Raises `RejectedDeliveryError`; then nothing of the delivery is kept.
    """
    signature = folder.signature()
    delivery = open_delivery(folder)
    with scratch_folder(settings.scratch) as scratch:
        encoding = delivery.manifest.encoding if delivery.manifest else input_contract().encodings[0]
        received = {
            file.name: _receive(
                file, delivery.files[file.name], f"{folder.label}/{delivery.files[file.name].name}", encoding, scratch
            )
            for file in input_contract().sources[folder.source]
        }
        _check_hashes(delivery, received)
        delivery_id = _delivery_id(folder, received, encoding)
        destination = record_folder(settings, folder.source, folder.year, delivery_id, judging_version())
        record = read_record(destination)
        if record is None:
            judged = _judge(delivery, received, scratch)
            record = _record(delivery, received, judged, delivery_id, encoding)
            write_record(scratch / PREPARED, record)
            destination.parent.mkdir(parents=True, exist_ok=True)
            (scratch / PREPARED).replace(destination)
            sync_folder(destination.parent)
        else:
            _check_row_counts(delivery, {name: file.rows_read for name, file in record.files.items()})
            # The same bytes, but the manifest may have come since.
            now = replace(record, **_what_the_manifest_says(delivery), warnings=tuple(_warnings(delivery, received)))
            if now != record:
                write_record(destination, now)
                record = now
    for warning in record.warnings:
        logger.warning("%s", warning)
    before = active_deliveries(settings).get((folder.source, folder.year))
    if before is None or (before.delivery_id, before.judged_by) != (record.delivery_id, record.judged_by):
        activate(settings, record)
    write_json(settings.landing_index, {**read_json(settings.landing_index, {}), folder.label: signature})
    return record


def _receive(contract: FileContract, path: Path, where: str, encoding: str, scratch: Path) -> ReceivedFile:
    try:
        return receive_file(contract, path, where, encoding, scratch)
    except OSError as error:
        raise RejectedDeliveryError(where, f"the file cannot be read ({error.strerror})", "Deliver it again") from None


@cache
def judging_version() -> str:
    """Fingerprint of the rules by which rows are judged: deliveries judged by other rules are judged again."""
    digest = hashlib.sha256()
    for path in (CONTRACT_FILE, *sorted(Path(__file__).parent.glob("*.py"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _judge(delivery: Delivery, received: Mapping[str, ReceivedFile], scratch: Path) -> dict[str, JudgedFile]:
    """Judge the delivery's files; their typed Parquet is prepared in `scratch`."""
    prepared = scratch / PREPARED
    prepared.mkdir()
    judged: dict[str, JudgedFile] = {}
    for name, file in received.items():
        with duckdb.connect(config={"temp_directory": str(scratch)}) as connection:
            try:
                judged[name] = judge_file(
                    file,
                    delivery.folder.year,
                    prepared / f"{name}.parquet",
                    prepared / f"{name}_quarantine.parquet",
                    connection,
                )
            except duckdb.Error as error:
                # The cause may quote a value; it stays out of the message, and out of the chain that logs print.
                raise RejectedDeliveryError(
                    file.where, f"the file could not be read ({type(error).__name__})", "Check it and deliver it again"
                ) from None
        check_unchanged(file.path, file.where, file.size, file.modified_ns)
        read, loaded = f"{judged[name].rows_read:,}", f"{judged[name].rows_loaded:,}"
        logger.info("%s: %s rows read, %s loaded", file.where, read, loaded)
    _check_row_counts(delivery, {name: file.rows_read for name, file in judged.items()})
    return judged


def _record(
    delivery: Delivery,
    received: Mapping[str, ReceivedFile],
    judged: Mapping[str, JudgedFile],
    delivery_id: str,
    encoding: str,
) -> DeliveryRecord:
    return DeliveryRecord(
        delivery_id=delivery_id,
        source=delivery.folder.source,
        year=delivery.folder.year,
        loaded_at=datetime.now(UTC).isoformat(timespec="seconds"),
        judged_by=judging_version(),
        encoding=encoding,
        **_what_the_manifest_says(delivery),
        files={
            name: FileRecord(name=file.path.name, sha256=file.sha256, bytes=file.size, **asdict(judged[name]))
            for name, file in received.items()
        },
        warnings=tuple(_warnings(delivery, received)),
    )


def _what_the_manifest_says(delivery: Delivery) -> dict[str, Any]:
    manifest = delivery.manifest
    return {"complete": manifest is not None, "synthetic": manifest.synthetic if manifest else None}


def _warnings(delivery: Delivery, received: Mapping[str, ReceivedFile]) -> list[str]:
    warnings = [
        f"{file.where}: ignored columns that the contract does not name: {', '.join(name or '(no name)' for name in file.ignored_columns)}"
        for file in received.values()
        if file.ignored_columns
    ]
    if delivery.manifest is None:
        warnings.append(
            f"{delivery.folder.label}: no manifest, so it could not be verified that the delivery is complete"
        )
    return warnings


def _check_hashes(delivery: Delivery, received: Mapping[str, ReceivedFile]) -> None:
    if delivery.manifest is None:
        return
    for file in received.values():
        _, promised = delivery.manifest.files[file.path.name]
        if promised != file.sha256:
            raise RejectedDeliveryError(
                file.where, "its checksum is not the manifest's", "Upload the file again, or correct the manifest"
            )


def _check_row_counts(delivery: Delivery, rows_read: Mapping[str, int]) -> None:
    if delivery.manifest is None:
        return
    for name, path in delivery.files.items():
        promised, _ = delivery.manifest.files[path.name]
        if promised != rows_read[name]:
            raise RejectedDeliveryError(
                f"{delivery.folder.label}/{path.name}",
                f"it holds {rows_read[name]} rows, the manifest says {promised}",
                "Deliver the whole file, or correct the manifest",
            )


def _delivery_id(folder: DeliveryFolder, received: Mapping[str, ReceivedFile], encoding: str) -> str:
    """Name a delivery by its content, so that the same bytes are the same delivery."""
    content = [folder.source, folder.year, encoding, {name: file.sha256 for name, file in received.items()}]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
