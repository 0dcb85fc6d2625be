"""Small deliveries for tests of ingestion, written as a supplier writes them, and their results."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import re
import shutil
import traceback
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from reference.extracts import CONTRACT, OPTIONAL, Row, read_rows
from reference.rendering import DATES, INTEGERS
from reference.worlds import offence_row, police_row, prosecution_row, report_row

from dagster_project import paths
from dagster_project.ingestion.ingest import ingest
from dagster_project.ingestion.landing import DeliveryFolder
from dagster_project.ingestion.rejection import RejectedDeliveryError
from dagster_project.settings import Settings
from dagster_project.state import DeliveryRecord, read_state, record_folder

YEAR = 2022
KEY = "a key that only the tests have, long enough"
IDENTIFYING = ("diarienummer", "aklagarnummer", "misstanke_id")
COLUMNS = {file: list(columns) for file, columns in CONTRACT.items()}
CLEAN: dict[tuple[str, str], list[Row]] = {
    ("police", "offences"): [
        offence_row(
            1, lagrum="BrB 6 kap. 10 a §", handlaggande_region="Rn05", malsagande_kon="K", malsagande_alder="7"
        ),
        offence_row(2, brottsdatum="2020-05-31", brottsantal="17"),
        offence_row(3, kommunkod=""),
    ],
    ("police", "decisions"): [police_row(1), police_row(2, beslut="OVERLAMNAD", skaligen_misstankt="J")],
    ("police", "reports"): [report_row(1), report_row(2, brottsantal="17"), report_row(3, kommunkod="")],
    ("prosecution", "decisions"): [prosecution_row(2), prosecution_row(3, beslut="EJ_ATAL", misstanke_id="")],
}
# An invented person; the check digit is correct.
PERSONAL_NUMBER = "640823-3234"
PERSONAL_NUMBER_12 = "196408233234"


# --- writing ---------------------------------------------------------------------------------------------------------


def csv_text(rows: Iterable[Row | str], columns: Sequence[str], newline: str = "\n") -> str:
    """Write header and rows, quoted only if necessary; a text among the rows is a raw line."""
    lines = [";".join(columns), *(row if isinstance(row, str) else csv_line(row, columns) for row in rows)]
    return newline.join(lines) + newline


def csv_line(row: Row, columns: Sequence[str]) -> str:
    values = [row.get(column, "") for column in columns]
    return ";".join(quoted(value) if re.search('[;"\r\n]', value) else value for value in values)


def quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def csv_file(source: str, name: str, rows: Iterable[Row | str] | None = None, encoding: str = "utf-8") -> bytes:
    """Write a CSV file of the contract's columns, by default with the clean rows."""
    return csv_text(CLEAN[source, name] if rows is None else rows, COLUMNS[source, name]).encode(encoding)


def parquet_file(
    source: str, name: str, rows: Iterable[Row] | None = None, types: Mapping[str, pa.DataType] | None = None
) -> bytes:
    """Write a Parquet file of the contract's columns, as text unless `types` declares another type; empty text is null."""
    return parquet_of(parquet_columns(source, name, rows, types))


def parquet_columns(
    source: str, name: str, rows: Iterable[Row] | None = None, types: Mapping[str, pa.DataType] | None = None
) -> dict[str, pa.Array]:
    row_list = CLEAN[source, name] if rows is None else list(rows)
    return {
        column: parquet_column([row[column] for row in row_list], (types or {}).get(column, pa.string()))
        for column in COLUMNS[source, name]
    }


def parquet_column(values: Iterable[str], to_type: pa.DataType) -> pa.Array:
    filled = [value or None for value in values]
    if pa.types.is_temporal(to_type):
        return pa.array([value and date.fromisoformat(value) for value in filled], pa.date32()).cast(to_type)
    if pa.types.is_integer(to_type):
        return pa.array([value and int(value) for value in filled], to_type)
    return pa.array(filled, pa.string()).cast(to_type)


def parquet_of(columns: Mapping[str, pa.Array] | pa.Table, **options: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(dict(columns)), buffer, **options)
    return buffer.getvalue()


def files_of(source: str, **contents: bytes) -> dict[str, bytes]:
    """Return a delivery's CSV files by name, clean except for `contents`, as in `files_of("police", offences=b"")`.

    Optional files are left out unless given.
    """
    return {
        f"{name}.csv": contents.get(name, csv_file(source, name))
        for source_, name in CONTRACT
        if source_ == source and ((source, name) not in OPTIONAL or name in contents)
    }


def delivery(source: str, name: str, content: bytes, suffix: str = ".csv", encoding: str = "utf-8") -> dict[str, bytes]:
    """Return a delivery with a given file in any container; the others are clean CSV."""
    clean = {
        f"{file_name}.csv": csv_file(source, file_name, encoding=encoding)
        for source_, file_name in CONTRACT
        if source_ == source and file_name != name and (source, file_name) not in OPTIONAL
    }
    return {f"{name}{suffix}": content, **clean}


def put(settings: Settings, source: str, files: Mapping[str, bytes], year: int = YEAR) -> Path:
    """Replace a delivery folder by one with these files."""
    folder = settings.landing / source / str(year)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def manifest(source: str, files: Mapping[str, bytes], rows: Mapping[str, int], **overrides: Any) -> bytes:
    """Return the manifest of these files with overrides."""
    content = {
        "contract": "1",
        "source": source,
        "year": YEAR,
        "created": f"{YEAR + 1}-02-03T08:00:00+01:00",
        "encoding": "utf-8",
        "files": [
            {"name": name, "rows": rows[name], "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in files.items()
        ],
    }
    return json.dumps({**content, **overrides}).encode()


def put_with_manifest(settings: Settings, source: str, files: Mapping[str, bytes], **overrides: Any) -> Path:
    """Replace a delivery folder by one with its manifest; the reference counts the rows."""
    folder = put(settings, source, files)
    # The reference reads the encoding from the manifest.
    (folder / "manifest.json").write_text(json.dumps(overrides))
    rows = {name: len(list(read_rows(folder, name.split(".")[0], []))) for name in files}
    (folder / "manifest.json").write_bytes(manifest(source, files, rows, **overrides))
    return folder


def long_decisions(at: int, line: bytes, position: int = 0) -> tuple[bytes, int]:
    """Return a long prosecution file with an additional column that ends in `line`, and that line's number.

    Byte `position` of the line is byte `at` of the file (counted from 0). The rows before it are valid.
    """
    columns = [*COLUMNS["prosecution", "decisions"], "anmarkning"]
    lines = [";".join(columns)]
    size = len(lines[0]) + 1
    start = at - position
    # Long rows, for speed
    while size < start - 12_000:
        lines.append(csv_line(prosecution_row(1000 + len(lines), anmarkning="i" * 5_000), columns))
        size += len(lines[-1]) + 1
    shortest = csv_line(prosecution_row(1), columns)
    lines.append(shortest + "i" * (start - size - len(shortest) - 1))
    content = ("\n".join(lines) + "\n").encode()
    assert len(content) == start
    return content + line, len(lines) + 1


# --- loading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """The result of a file: typed rows, and quarantined (reason, original row) and (reason, column, shape), by line."""

    rows_read: int
    duplicates: int
    loaded: dict[int, dict[str, Any]]
    quarantined: dict[int, tuple[str, str]]
    warnings: tuple[str, ...]
    shapes: dict[int, tuple[str, str | None, str | None]]
    unusable: Mapping[str, int]

    @property
    def reasons(self) -> dict[int, str]:
        return {line: reason for line, (reason, _row) in self.quarantined.items()}

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The loaded rows in file order."""
        return [self.loaded[line] for line in sorted(self.loaded)]


def load(settings: Settings, source: str = "prosecution", year: int = YEAR) -> DeliveryRecord:
    return ingest(DeliveryFolder(settings.landing, source, year), settings)


def load_file(
    settings: Settings, source: str, name: str, content: bytes, suffix: str = ".csv", encoding: str = "utf-8"
) -> Outcome:
    """Load a delivery with a given file, with a manifest only if the encoding requires it."""
    files = delivery(source, name, content, suffix, encoding)
    if encoding == "utf-8":
        put(settings, source, files)
    else:
        put_with_manifest(settings, source, files, encoding=encoding)
    return outcome(settings, load(settings, source), name)


def outcome(settings: Settings, record: DeliveryRecord, name: str = "decisions") -> Outcome:
    """Read the result of a file and check its row balance."""
    file = record.files[name]
    loaded = rows_of_parquet(raw_folder(settings, record) / f"{name}.parquet")
    quarantined = rows_of_parquet(raw_folder(settings, record) / f"{name}_quarantine.parquet")
    result = Outcome(
        rows_read=file.rows_read,
        duplicates=file.duplicates,
        loaded={row.pop("line"): row for row in loaded},
        quarantined={row["line"]: (row["reason"], row["row"]) for row in quarantined},
        warnings=record.warnings,
        shapes={row["line"]: (row["reason"], row["column_name"], row["shape"]) for row in quarantined},
        unusable=file.unusable,
    )
    assert {row["file"] for row in quarantined} <= {file.name}
    assert len(result.loaded) == len(loaded) == file.rows_loaded
    assert len(result.quarantined) == len(quarantined) == sum(file.quarantined.values())
    assert file.rows_read == file.rows_loaded + sum(file.quarantined.values()) + file.duplicates
    reasons = list(result.reasons.values())
    assert file.quarantined == {reason: reasons.count(reason) for reason in set(reasons)}
    return result


def raw_folder(settings: Settings, record: DeliveryRecord) -> Path:
    return record_folder(settings, record.source, record.year, record.delivery_id, record.judged_by)


def rows_of_parquet(path: Path) -> list[dict[str, Any]]:
    # Opened as a file, because pyarrow derives columns from folder names.
    with path.open("rb") as file:
        rows: list[dict[str, Any]] = pq.ParquetFile(file).read().to_pylist()
    return rows


def pseudonym(column: str, value: str) -> uuid.UUID:
    """Return the expected pseudonym: one block of AES if the column has a pattern and the value fits, otherwise a keyed hash."""

    def derived(purpose: str) -> bytes:
        return hmac.new(KEY.encode(), f"uppklarat:{purpose} {column}".encode(), hashlib.sha256).digest()

    text = value.encode()
    if column in ("diarienummer", "aklagarnummer") and len(text) <= 16:
        encryptor = Cipher(algorithms.AES(derived("block")), modes.CBC(bytes(16))).encryptor()
        return uuid.UUID(bytes=encryptor.update(text.ljust(16, b"\xff")))
    return uuid.UUID(bytes=hashlib.blake2b(text, digest_size=16, key=derived("hash")).digest())


def kept_line(line: str, codes: str = "ATAL|NEDLAGD|EJ_ATAL|J|N|K|M") -> str:
    """Return the expected stored form of a malformed line: codes, dates and small numbers, otherwise pseudonyms."""
    harmless = rf"\s*([0-9]{{0,4}}|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}|{codes})\s*"
    return ";".join(
        field if re.fullmatch(harmless, field) else str(pseudonym("line", field)) for field in line.split(";")
    )


def kept(row: Row) -> dict[str, str | None]:
    """Return the expected stored form of an invalid row, by column."""
    trimmed = {column: value.strip() or None for column, value in row.items()}
    return {
        column: str(pseudonym(column, value)) if value and column in IDENTIFYING else value
        for column, value in trimmed.items()
    }


def typed(row: Row) -> dict[str, Any]:
    """Return a valid row as it must be loaded."""

    def value(column: str, text: str) -> Any:
        if text == "":
            return None
        if column in IDENTIFYING:
            return pseudonym(column, text)
        if column in INTEGERS:
            return int(text)
        return date.fromisoformat(text) if column in DATES else text

    return {column: value(column, text) for column, text in row.items()}


# --- refusing --------------------------------------------------------------------------------------------------------


def everything_in(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def holds(folder: Path, text: str) -> bool:
    """Return whether any file below a folder contains the text, also decoded from Parquet."""
    sought = text.encode()
    for path in folder.rglob("*"):
        if path.is_file() and sought in path.read_bytes():
            return True
        if path.suffix == ".parquet" and text in json.dumps(rows_of_parquet(path), ensure_ascii=False, default=str):
            return True
    return False


def assert_rejected(
    settings: Settings,
    source: str,
    where: str,
    problem: str,
    secrets: Iterable[str] = (),
    year: int = YEAR,
) -> RejectedDeliveryError:
    """Assert that the delivery is rejected and that nothing else changed.

    `where` is a part of the message and `problem` a pattern; no secret may occur in the message, its traceback or the warehouse.
    """
    landing, home = everything_in(settings.landing), everything_in(settings.home)
    active = read_state(settings).active
    with pytest.raises(RejectedDeliveryError) as caught:
        load(settings, source, year)
    error = caught.value
    message = str(error)
    assert where in message
    assert re.search(problem, error.problem, re.IGNORECASE), message
    assert error.remedy
    assert error.remedy in message
    message.encode()
    printed = "".join(traceback.format_exception(error))
    for secret in secrets:
        assert secret.lower() not in printed.lower()
        assert not holds(settings.home, secret)
    assert everything_in(settings.home) == home
    assert not any((settings.home / paths.SCRATCH).glob("*"))
    assert read_state(settings).active == active
    assert everything_in(settings.landing) == landing
    return error
