"""The ledger: every delivery ever loaded, and which one is active for each source and year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dagster_project.contract import input_contract
from dagster_project.files import read_json, write_json
from dagster_project.settings import Settings

RECORD = "delivery.json"


@dataclass(frozen=True)
class FileRecord:
    """What came of one delivered file."""

    name: str
    sha256: str
    bytes: int
    rows_read: int
    rows_loaded: int
    duplicates: int
    quarantined: Mapping[str, int]


@dataclass(frozen=True)
class DeliveryRecord:
    """The provenance of one loaded delivery; lies beside its typed Parquet in the raw store."""

    delivery_id: str
    source: str
    year: int
    loaded_at: str
    judged_by: str
    encoding: str
    complete: bool
    synthetic: Mapping[str, Any] | None
    files: Mapping[str, FileRecord]
    warnings: tuple[str, ...] = field(default_factory=tuple)

    @property
    def label(self) -> str:
        """How people call it, e.g. `police/2024`."""
        return f"{self.source}/{self.year}"


def record_folder(settings: Settings, source: str, year: int, delivery_id: str, judged_by: str) -> Path:
    """Where a delivery's typed Parquet lies, as judged by one version of the rules."""
    return settings.raw / source / str(year) / f"{delivery_id}-{judged_by}"


def write_record(folder: Path, record: DeliveryRecord) -> None:
    """Write the record into a delivery's folder."""
    write_json(folder / RECORD, asdict(record))


def read_record(folder: Path) -> DeliveryRecord | None:
    """Read the record of a delivery's folder; None where nothing was loaded."""
    said = read_json(folder / RECORD, None)
    if said is None:
        return None
    files = {name: FileRecord(**file) for name, file in said.pop("files").items()}
    return DeliveryRecord(**{**said, "files": files, "warnings": tuple(said["warnings"])})


def activate(settings: Settings, record: DeliveryRecord) -> None:
    """Note that a delivery is the active one of its source and year from now on."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    names = ("source", "year", "delivery_id", "judged_by")
    entry = {**{name: getattr(record, name) for name in names}, "at": now}
    write_json(settings.ledger, [*activations(settings), entry])


def activations(settings: Settings) -> list[dict[str, Any]]:
    """Every activation, oldest first: source, year, delivery_id, judged_by, at."""
    entries: list[dict[str, Any]] = read_json(settings.ledger, [])
    return entries


def active_deliveries(settings: Settings) -> dict[tuple[str, int], DeliveryRecord]:
    """The active delivery of every source and year, by (source, year), in the order of years."""
    latest = {(entry["source"], entry["year"]): entry for entry in activations(settings)}
    active = {}
    for (source, year), entry in sorted(latest.items(), key=lambda item: (item[0][1], item[0][0])):
        folder = record_folder(settings, source, year, entry["delivery_id"], entry["judged_by"])
        record = read_record(folder)
        if record is None:
            raise FileNotFoundError(
                f"the raw store lacks {folder.relative_to(settings.home)}, which the ledger names; "
                f"restore it from a backup, or remove {settings.ledger} and {settings.raw} and load again"
            )
        active[source, year] = record
    return active


def complete_years(active: Mapping[tuple[str, int], DeliveryRecord]) -> list[int]:
    """Years whose delivery is loaded from every source, and that are therefore derived and published."""
    sources = input_contract().sources
    return sorted({year for _, year in active if all((source, year) in active for source in sources)})
