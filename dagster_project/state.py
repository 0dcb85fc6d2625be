"""The ledger: every delivery ever loaded, taken back or purged, and which one is active for each source and year."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dagster_project.contract import input_contract
from dagster_project.files import read_json, remove_unfinished, write_json
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
    corrected: Mapping[str, int] = field(default_factory=dict)
    unusable: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class DeliveryRecord:
    """The provenance of one loaded delivery; lies beside its typed Parquet in the raw store.

    `judged_by` names the rules and the corrections that it was judged by, `key_id` the key of its pseudonyms. Of a purged
    delivery only the record is left.
    """

    delivery_id: str
    source: str
    year: int
    loaded_at: str
    judged_by: str
    encoding: str
    complete: bool
    synthetic: Mapping[str, Any] | None
    files: Mapping[str, FileRecord]
    key_id: str = ""
    corrections: tuple[Mapping[str, str], ...] = ()
    warnings: tuple[str, ...] = ()

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
    tuples = {name: tuple(said[name]) for name in ("corrections", "warnings") if name in said}
    return DeliveryRecord(**{**said, **tuples, "files": files})


def activate(settings: Settings, record: DeliveryRecord) -> None:
    """Note that a delivery is the active one of its source and year from now on."""
    write_json(settings.ledger, [*ledger_entries(settings), _entry(record, "loaded")])


def take_back(settings: Settings, source: str, year: int) -> tuple[DeliveryRecord, DeliveryRecord | None]:
    """Take the active delivery of a source and year back: the one that was active before it is active again.

    Returns both; there may have been none before. Raises KeyError where nothing is active, and FileNotFoundError, with nothing
    changed, where the rows of the one before are no longer in the raw store.
    """
    record = active_deliveries(settings)[source, year]
    entries = [*ledger_entries(settings), _entry(record, "withdrawn")]
    before = _latest(entries).get((source, year))
    if before:
        folder = record_folder(settings, source, year, before["delivery_id"], before["judged_by"])
        former = read_record(folder)
        if former is None or not all((folder / f"{name}.parquet").exists() for name in former.files):
            raise FileNotFoundError(
                f"the delivery of {record.label} before this one was deleted from {folder.parent}: deliver another instead"
            )
    write_json(settings.ledger, entries)
    return record, active_deliveries(settings).get((source, year))


def withdrawals(settings: Settings) -> dict[tuple[str, int, str], str]:
    """Deliveries that were taken back and not loaded since, by (source, year, delivery_id), and the time when they were."""
    withdrawn: dict[tuple[str, int, str], str] = {}
    for entry in ledger_entries(settings):
        what = (entry["source"], entry["year"], entry["delivery_id"])
        if entry["event"] == "withdrawn":
            withdrawn[what] = entry["at"]
        else:
            withdrawn.pop(what, None)
    return withdrawn


def ledger_entries(settings: Settings) -> list[dict[str, Any]]:
    """Everything noted, oldest first: event (loaded, withdrawn), source, year, delivery_id, judged_by, at."""
    entries: list[dict[str, Any]] = read_json(settings.ledger, [])
    return [{"event": "loaded", **entry} for entry in entries]


def active_deliveries(settings: Settings) -> dict[tuple[str, int], DeliveryRecord]:
    """The active delivery of every source and year, by (source, year), in the order of years; purged years have none."""
    purged_before = kept_description(settings)["before"]
    latest = _latest([one for one in ledger_entries(settings) if one["year"] >= purged_before])
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


def kept_description(settings: Settings) -> dict[str, Any]:
    """What was purged and kept: before (a year; 0 for nothing), key_id, and publication_id, years and deliveries of the figures."""
    said: dict[str, Any] = read_json(
        settings.kept_description, {"before": 0, "key_id": "", "publication_id": "", "years": [], "deliveries": []}
    )
    return said


def _latest(entries: Sequence[dict[str, Any]]) -> dict[tuple[str, int], dict[str, Any]]:
    """The entry of the delivery that is active by these entries, by (source, year)."""
    loaded: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for entry in entries:
        of_year = loaded.setdefault((entry["source"], entry["year"]), [])
        # A delivery that is loaded again, as judged by newer rules or after others, was not there twice.
        of_year[:] = [one for one in of_year if one["delivery_id"] != entry["delivery_id"]]
        if entry["event"] == "loaded":
            of_year.append(entry)
    return {what: loaded_entries[-1] for what, loaded_entries in loaded.items() if loaded_entries}


def _entry(record: DeliveryRecord, event: str) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    names = ("source", "year", "delivery_id", "judged_by")
    return {"event": event, **{name: getattr(record, name) for name in names}, "at": now}


def complete_years(active: Mapping[tuple[str, int], DeliveryRecord]) -> list[int]:
    """Years whose delivery is loaded from every source, and that are therefore derived and published."""
    sources = input_contract().sources
    return sorted({year for _, year in active if all((source, year) in active for source in sources)})


def years_not_complete(settings: Settings, expected: Collection[int]) -> dict[int, str]:
    """Which expected years are not complete, and what they lack."""
    active, kept = active_deliveries(settings), kept_description(settings)["years"]
    lacking = {
        year: [source for source in input_contract().sources if (source, year) not in active]
        for year in sorted(expected)
        if year not in kept
    }
    return {
        year: f"{year} is not complete: no delivery of {' or '.join(sources)} is loaded"
        for year, sources in lacking.items()
        if sources
    }


def clear_temporary_files(settings: Settings) -> None:
    """Remove the temporary files that a load left behind when it was cut short; only for the one writer, when it begins."""
    shutil.rmtree(settings.scratch, ignore_errors=True)
    remove_unfinished(settings.home)
