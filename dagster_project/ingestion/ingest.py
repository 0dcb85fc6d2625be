"""Loads a delivery folder into the raw store as a whole, or rejects it as a whole."""

from __future__ import annotations

import errno
import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from secrets import token_hex
from typing import Any

import duckdb

from dagster_project import paths
from dagster_project.contract import CONTRACT_FILE, FileContract, input_contract
from dagster_project.files import private_folder, read_json, scratch_folder, write_json
from dagster_project.ingestion.corrections import (
    Correction,
    corrections_of,
    corrections_version,
    read_corrections,
)
from dagster_project.ingestion.landing import (
    Delivery,
    DeliveryFolder,
    OfficialFile,
    find_delivery_folders,
    open_delivery,
)
from dagster_project.ingestion.landing_index import is_known, read_index, remember
from dagster_project.ingestion.pseudonyms import key_id, pseudonym_key
from dagster_project.ingestion.read import ReceivedFile, check_unchanged, receive_file
from dagster_project.ingestion.rejection import RejectedDeliveryError, cannot_be_read
from dagster_project.ingestion.validate import ValidatedFile, validate_file
from dagster_project.memory import duckdb_limits
from dagster_project.settings import REPOSITORY, Settings
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
    write_record,
)
from dagster_project.versions import version_of

logger = logging.getLogger("uppklarat")

PREPARED = "prepared"
NOT_VERIFIED = "no manifest, so the delivery could not be verified as complete"
# A national year has 1.5 million; the rows of larger files would spill, and smaller files are validated faster in memory.
MOST_LINES_IN_MEMORY = 2_000_000
# All code that takes part in validating a row; a test compares it with the imports.
VALIDATION_CODE = tuple(
    f"dagster_project/{place}"
    for place in (
        "contract", "ingestion", "declared_files.py", "files.py", "memory.py", "paths.py", "seeds.py", "settings.py", "sql.py",
        "state.py", "versions.py",
    )
)  # fmt: skip
# Errors of this machine, not of the delivered file; the last two are temporary, and Dagster retries.
_SYSTEM_ERRORS = {
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EINTR,
}  # fmt: skip


def changed_folders(state: State) -> list[DeliveryFolder]:
    """Delivery folders that are new, or whose files or corrections changed since the last load."""
    index = read_index(state.settings)
    corrections = read_corrections(state.settings.landing / paths.CORRECTIONS)
    return [
        folder
        for folder in find_delivery_folders(state.settings.landing)
        if folder.year >= state.purged.before
        and not is_known(
            state, index, folder, _judged_by(state, corrections_of(corrections, folder.source, folder.year))
        )
    ]


def ingest(folder: DeliveryFolder, settings: Settings) -> DeliveryRecord | None:
    """Load a delivery and make it the active one of its source and year; loading the same bytes again changes nothing.

    Returns None for a withdrawn delivery, unless its manifest was created after the withdrawal. Raises `RejectedDeliveryError`
    if the delivery is rejected; nothing of it is kept.
    """
    private_folder(settings.home)
    try:
        signature = folder.signature()
    except FileNotFoundError:
        raise RejectedDeliveryError(folder.label, "the folder is gone", "Deliver it again") from None
    state = read_state(settings)
    key = pseudonym_key(state)
    corrections = corrections_of(read_corrections(settings.landing / paths.CORRECTIONS), folder.source, folder.year)
    judged_by = _judged_by(state, corrections)
    delivery = open_delivery(folder)
    with scratch_folder(settings.home / paths.SCRATCH) as scratch:
        encoding = delivery.manifest.encoding if delivery.manifest else input_contract().encodings[0]
        received = _receive_all(delivery, encoding, scratch)
        delivery_id = _delivery_id(folder, received, encoding)
        if (at := state.withdrawn.get((folder.source, folder.year, delivery_id))) and not _is_newer(delivery, at):
            logger.warning("%s: %s", folder.label, describe_ignored_delivery(at))
            remember(settings, folder.label, signature, delivery_id, judged_by)
            return None
        destination = record_folder(settings, folder.source, folder.year, delivery_id, judged_by)
        record = read_record(destination)
        if record is None:
            validated = _validate(settings, delivery, received, corrections, key, scratch)
            record = DeliveryRecord(
                delivery_id=delivery_id,
                source=folder.source,
                year=folder.year,
                loaded_at=datetime.now(UTC).isoformat(timespec="seconds"),
                judged_by=judged_by,
                key_id=key_id(key),
                encoding=encoding,
                **_manifest_fields(delivery),
                files={
                    name: FileRecord(
                        name=file.path.name, sha256=file.sha256, bytes=file.size, **asdict(validated[name])
                    )
                    for name, file in received.items()
                },
                corrections=tuple(correction.public_fields for correction in corrections),
                warnings=tuple(_warnings(delivery, received)),
            )
            store_record(settings, scratch / PREPARED, record)
        else:
            record = _renew_record(destination, record, delivery, received)
    for warning in record.warnings:
        logger.warning("%s", warning)
    activate(state, record)
    remember(settings, folder.label, signature, delivery_id, judged_by)
    return record


def _receive_all(delivery: Delivery, encoding: str, scratch: Path) -> dict[str, ReceivedFile]:
    """Receive the delivered files and compare them with the manifest's checksums."""
    folder = delivery.folder
    received = {
        file.name: _receive(file, path, f"{folder.label}/{path.name}", encoding, scratch)
        for file in input_contract().sources[folder.source]
        if (path := delivery.files.get(file.name))
    }
    _check_hashes(delivery, received)
    return received


def _renew_record(
    destination: Path, record: DeliveryRecord, delivery: Delivery, received: Mapping[str, ReceivedFile]
) -> DeliveryRecord:
    """The record of a delivery that was validated before; its manifest may have been added or changed."""
    _check_row_counts(delivery, {name: file.rows_read for name, file in record.files.items()})
    renewed = replace(record, **_manifest_fields(delivery), warnings=tuple(_warnings(delivery, received)))
    if renewed != record:
        write_record(destination, renewed)
    return renewed


def record_rejection(settings: Settings, folder: DeliveryFolder | OfficialFile, why: str) -> None:
    """Record why the folder in its present state was rejected, unless it no longer exists."""
    rejections_file = settings.home / paths.REJECTIONS
    try:
        signature = folder.signature()
    except FileNotFoundError:
        return
    rejections = read_json(rejections_file, {})
    write_json(rejections_file, {**rejections, folder.label: {"signature": signature, "why": why}})


def known_rejections(
    settings: Settings, folders: Iterable[DeliveryFolder | OfficialFile]
) -> dict[DeliveryFolder | OfficialFile, str]:
    """The reasons of rejected folders that have not changed since."""
    rejections = read_json(settings.home / paths.REJECTIONS, {})
    return {
        folder: str(rejection["why"])
        for folder in folders
        if (rejection := rejections.get(folder.label)) and rejection["signature"] == folder.signature()
    }


def describe_ignored_delivery(withdrawn_at: str) -> str:
    """The message about a withdrawn delivery in the landing folder."""
    return (
        f"the delivery in the landing folder was withdrawn on {withdrawn_at[:10]} and is ignored; replace it, or, to load it "
        "again, add a manifest created since"
    )


def uncorrected_deliveries(state: State) -> dict[str, str]:
    """Deliveries (as `source/year`) loaded without the declared corrections, with the remedy; pending ones are left out."""
    corrections_file = state.settings.landing / paths.CORRECTIONS
    active = {record.label: record for record in state.active.values()}
    declared: dict[str, list[Correction]] = {}
    for correction in read_corrections(corrections_file):
        if correction.year >= state.purged.before:
            declared.setdefault(f"{correction.source}/{correction.year}", []).append(correction)
    file = corrections_file.name
    problems = {
        label: f"{file}, {corrections[0].label}: no such delivery is loaded. Remove the correction, or deliver"
        for label, corrections in declared.items()
        if label not in active
    }
    problems |= {
        label: f"{label}: loaded with other corrections than {file} declares now. Put its files into the landing folder and load, "
        "or undo the change of the corrections"
        for label, record in active.items()
        if record.judged_by.partition("-")[2] != _corrections_version(state, declared.get(label, []))
    }
    pending = {folder.label for folder in changed_folders(state)}
    return {label: text for label, text in sorted(problems.items()) if label not in pending}


def validated_by_earlier_rules(state: State) -> list[str]:
    """Active deliveries that were validated by earlier rules only, because their files no longer exist."""
    return [
        f"{record.label}: validated by the rules of an earlier version; deliver it again to apply the present ones"
        for record in state.active.values()
        if record.judged_by.partition("-")[0] != validation_version()
    ]


def _judged_by(state: State, corrections: Sequence[Correction]) -> str:
    """The versions of the rules and the corrections, for a record's `judged_by`."""
    return "-".join(filter(None, [validation_version(), _corrections_version(state, corrections)]))


def _corrections_version(state: State, corrections: Sequence[Correction]) -> str:
    # Without corrections the key is not needed and may be missing.
    return corrections_version(corrections, pseudonym_key(state)) if corrections else ""


def _is_newer(delivery: Delivery, moment: str) -> bool:
    created = delivery.manifest.created if delivery.manifest else None
    return created is not None and created > datetime.fromisoformat(moment)


def _receive(contract: FileContract, path: Path, where: str, encoding: str, scratch: Path) -> ReceivedFile:
    try:
        return receive_file(contract, path, where, encoding, scratch)
    except OSError as error:
        if error.errno in _SYSTEM_ERRORS:
            raise
        raise cannot_be_read(where, error) from None


@cache
def validation_version() -> str:
    """Fingerprint of the code that validates rows; when it changes, deliveries are validated again.

    It is narrower than `rules_version`, since a delivery whose files are gone cannot be validated again.
    """
    return version_of([CONTRACT_FILE, *(REPOSITORY / place for place in VALIDATION_CODE)])


def _validate(
    settings: Settings,
    delivery: Delivery,
    received: Mapping[str, ReceivedFile],
    corrections: Sequence[Correction],
    key: bytes,
    scratch: Path,
) -> dict[str, ValidatedFile]:
    """Validate the delivery's files and write their typed Parquet to `scratch`."""
    for correction in corrections:
        if correction.file not in received:
            raise RejectedDeliveryError(
                f"{delivery.folder.label}/{correction.file}, {correction.label}",
                "its file was not delivered",
                "Deliver the file, or remove the correction",
            )
    prepared = scratch / PREPARED
    prepared.mkdir()
    validated: dict[str, ValidatedFile] = {}
    for name, file in received.items():
        file_corrections = [correction for correction in corrections if correction.file == name]
        with duckdb.connect(config=duckdb_limits(settings, scratch)) as connection:
            try:
                if file.lines > MOST_LINES_IN_MEMORY:
                    _keep_tables_in_file(scratch / f"{name}.duckdb", connection)
                validated[name] = validate_file(
                    file,
                    delivery.folder.year,
                    file_corrections,
                    key,
                    prepared / f"{name}.parquet",
                    prepared / f"{name}_quarantine.parquet",
                    prepared / f"{name}_unusable.parquet",
                    connection,
                )
            except duckdb.OutOfMemoryException:
                raise MemoryError(f"{file.where}: validation needs more memory than UPPKLARAT_MEMORY allows") from None
            except duckdb.Error as error:
                if isinstance(error, duckdb.IOException) and str(scratch) in str(error):
                    # Writing failed; DuckDB gives the cause after the last colon.
                    raise OSError(f"{file.where}: its rows cannot be written:{str(error).rpartition(':')[2]}") from None
                # DuckDB's message may quote a value, so it is neither repeated nor chained.
                raise RuntimeError(f"{file.where}: DuckDB could not validate it ({type(error).__name__})") from None
        check_unchanged(file.path, file.where, file.size, file.modified_ns)
        for correction in file_corrections:
            if not validated[name].corrected[correction.id]:
                raise RejectedDeliveryError(
                    f"{file.where}, {correction.label}",
                    "it no longer matches any row",
                    "Remove or update the correction",
                )
        read, loaded = f"{validated[name].rows_read:,}", f"{validated[name].rows_loaded:,}"
        logger.info("%s: %s rows read, %s loaded", file.where, read, loaded)
    _check_row_counts(delivery, {name: file.rows_read for name, file in validated.items()})
    return validated


def _keep_tables_in_file(path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    """Let DuckDB keep tables in an encrypted file, where it compresses them to a tenth."""
    options = f"encryption_key '{token_hex(32)}', recovery_mode 'no_wal_writes'"
    connection.execute(f"attach {literal(path)} as rows ({options}); use rows")
    # The file is never opened again; a checkpoint after an update would compress all rows once more.
    connection.execute("set checkpoint_threshold = '1TB'")


def _manifest_fields(delivery: Delivery) -> dict[str, Any]:
    manifest = delivery.manifest
    return {"complete": manifest is not None, "synthetic": manifest.synthetic if manifest else None}


def _warnings(delivery: Delivery, received: Mapping[str, ReceivedFile]) -> list[str]:
    warnings = [
        f"{file.where}: ignored columns outside the contract: {', '.join(name or '(no name)' for name in file.ignored_columns)}"
        for file in received.values()
        if file.ignored_columns
    ]
    if delivery.manifest is None:
        warnings.append(f"{delivery.folder.label}: {NOT_VERIFIED}")
        warnings += [
            f"{file.where}: the last line has no line end; the file may be truncated"
            for file in received.values()
            if file.ends_within_line
        ]
    return warnings


def _check_hashes(delivery: Delivery, received: Mapping[str, ReceivedFile]) -> None:
    if delivery.manifest is None:
        return
    for file in received.values():
        if delivery.manifest.promised(file.path.name).sha256 != file.sha256:
            raise RejectedDeliveryError(
                file.where, "its checksum does not match the manifest", "Upload the file again, or correct the manifest"
            )


def _check_row_counts(delivery: Delivery, rows_read: Mapping[str, int]) -> None:
    if delivery.manifest is None:
        return
    for name, path in delivery.files.items():
        expected = delivery.manifest.promised(path.name).rows
        if expected != rows_read[name]:
            raise RejectedDeliveryError(
                f"{delivery.folder.label}/{path.name}",
                f"it has {rows_read[name]} rows, the manifest declares {expected}",
                "Deliver the whole file, or correct the manifest",
            )


def _delivery_id(folder: DeliveryFolder, received: Mapping[str, ReceivedFile], encoding: str) -> str:
    """A delivery's id from its content, so that the same bytes are the same delivery."""
    content = [folder.source, folder.year, encoding, {name: file.sha256 for name, file in received.items()}]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
