"""The state between loads: every delivery that was loaded, withdrawn or purged, and which one is active."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from dagster_project import paths
from dagster_project.contract import input_contract
from dagster_project.files import private_folder, read_json, remove_unfinished, sync_folder, write_json
from dagster_project.settings import Settings

RECORD = "delivery.json"


@dataclass(frozen=True)
class FileRecord:
    """The row balance of one delivered file."""

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
    """The provenance of one loaded delivery; stored beside its typed Parquet in the raw store.

    `judged_by` identifies the rules and corrections that validated it, `key_id` the key of its pseudonyms. After a purge,
    only the record remains.
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
        """The name shown to people, e.g. `police/2024`."""
        return f"{self.source}/{self.year}"


@dataclass(frozen=True)
class Purged:
    """Purged years (before `before`), and the years and deliveries whose figures are kept from a publication."""

    before: int = 0
    key_id: str = ""
    publication_id: str = ""
    years: tuple[int, ...] = ()
    deliveries: tuple[Mapping[str, Any], ...] = ()


_RECORD, _PURGED = TypeAdapter(DeliveryRecord), TypeAdapter(Purged)


@dataclass(frozen=True)
class State:
    """The settings and the state of all deliveries; each command, or step of a load, reads it once."""

    settings: Settings
    ledger: tuple[Mapping[str, Any], ...]
    """Every event, oldest first: event (loaded, withdrawn), source, year, delivery_id, judged_by, at."""
    purged: Purged
    active: Mapping[tuple[str, int], DeliveryRecord]
    """The active delivery of each source and year, in the order of years; purged years have none."""
    official: Mapping[tuple[str, int], tuple[DeliveryRecord, ...]] = field(default_factory=dict)
    """Brå's table of each area (`official/La`) and year: the active version and the previous one, if any."""

    @cached_property
    def complete_years(self) -> list[int]:
        """Years with an active delivery of every source, which are therefore derived and published."""
        sources = input_contract().sources
        return sorted({year for _, year in self.active if all((source, year) in self.active for source in sources)})

    def active_record(self, source: str, year: int) -> DeliveryRecord | None:
        """The active delivery, or version of Brå's table, of a source and year."""
        versions = self.official.get((source, year))
        return versions[0] if versions else self.active.get((source, year))

    @property
    def official_versions(self) -> list[list[str]]:
        """The versions of Brå's tables that are read, for fingerprints of derived results."""
        return [[one.label, one.delivery_id, one.judged_by] for versions in self.official.values() for one in versions]

    @cached_property
    def withdrawn(self) -> dict[tuple[str, int, str], str]:
        """When deliveries were withdrawn, unless they were loaded again since, by (source, year, delivery_id)."""
        withdrawn: dict[tuple[str, int, str], str] = {}
        for entry in self.ledger:
            delivery = (entry["source"], entry["year"], entry["delivery_id"])
            if entry["event"] == "withdrawn":
                withdrawn[delivery] = entry["at"]
            else:
                withdrawn.pop(delivery, None)
        return withdrawn


def read_state(settings: Settings) -> State:
    """Read the state; raise FileNotFoundError if the raw store lacks an active delivery."""
    ledger = [{"event": "loaded", **entry} for entry in read_json(settings.home / paths.LEDGER, [])]
    purged = read_purged(settings)
    active, official = {}, {}
    for (source, year), entries in sorted(_loaded(ledger).items(), key=lambda item: (item[0][1], item[0][0])):
        *_, before, newest = None, *entries
        if source not in input_contract().sources:
            # Never purged, because they contain no personal data.
            former = before and read_record(_folder(settings, before))
            official[source, year] = (_read_stored(settings, newest), *((former,) if former else ()))
        elif year >= purged.before:
            active[source, year] = _read_stored(settings, newest)
    return State(settings, tuple(ledger), purged, active, official)


def _read_stored(settings: Settings, entry: Mapping[str, Any]) -> DeliveryRecord:
    folder = _folder(settings, entry)
    record = read_record(folder)
    if record is None:
        raise FileNotFoundError(
            f"the raw store lacks {folder.relative_to(settings.home)}, which the ledger names; restore it from a backup, or "
            f"remove {settings.home / paths.LEDGER} and {settings.home / paths.RAW_STORE} and load again"
        )
    return record


def _folder(settings: Settings, entry: Mapping[str, Any]) -> Path:
    return record_folder(settings, entry["source"], entry["year"], entry["delivery_id"], entry["judged_by"])


def read_purged(settings: Settings) -> Purged:
    """Read which years were purged; an interrupted purge must be finished before the rest can be read."""
    return _PURGED.validate_python(read_json(settings.home / paths.PURGED, {}))


def activate(state: State, record: DeliveryRecord) -> None:
    """Record a delivery as the active one of its source and year, unless it already is."""
    active = state.active_record(record.source, record.year)
    if active and (active.delivery_id, active.judged_by) == (record.delivery_id, record.judged_by):
        return
    write_json(state.settings.home / paths.LEDGER, [*state.ledger, _entry(record, "loaded")])


def withdraw(state: State, source: str, year: int) -> tuple[DeliveryRecord, DeliveryRecord | None]:
    """Withdraw the active delivery of a source and year; the previous one, if any, becomes active again.

    Returns both. Raises KeyError if none is active, and FileNotFoundError, without any change, if the rows of the previous one
    are no longer in the raw store.
    """
    record = state.active_record(source, year)
    if record is None:
        raise KeyError((source, year))
    entries = [*state.ledger, _entry(record, "withdrawn")]
    before = _loaded(entries).get((source, year), [])[-1:]
    former = None
    if before:
        folder = _folder(state.settings, before[0])
        former = read_record(folder)
        if former is None or not all((folder / f"{name}.parquet").exists() for name in former.files):
            raise FileNotFoundError(
                f"the delivery of {record.label} before this one was deleted from {folder.parent}: deliver another instead"
            )
    write_json(state.settings.home / paths.LEDGER, entries)
    return record, former


def years_not_complete(state: State, expected: Collection[int]) -> dict[int, str]:
    """The expected years that are incomplete, with what they lack."""
    lacking = {
        year: [source for source in input_contract().sources if (source, year) not in state.active]
        for year in sorted(expected)
        if year not in state.purged.years
    }
    return {
        year: f"{year} is not complete: no delivery of {' or '.join(sources)} is loaded"
        for year, sources in lacking.items()
        if sources
    }


def record_folder(settings: Settings, source: str, year: int, delivery_id: str, judged_by: str) -> Path:
    """The folder of a delivery's typed Parquet, as validated by one version of the rules."""
    return settings.home / paths.RAW_STORE / source / str(year) / f"{delivery_id}-{judged_by}"


def write_record(folder: Path, record: DeliveryRecord) -> None:
    """Write a delivery's record into its folder."""
    write_json(folder / RECORD, asdict(record))


def store_record(settings: Settings, prepared: Path, record: DeliveryRecord) -> None:
    """Move the folder of a delivery's typed Parquet into the raw store, with its record, in one step."""
    destination = record_folder(settings, record.source, record.year, record.delivery_id, record.judged_by)
    write_record(prepared, record)
    private_folder(settings.home / paths.RAW_STORE)
    destination.parent.mkdir(parents=True, exist_ok=True)
    prepared.replace(destination)
    sync_folder(destination.parent)


def read_record(folder: Path) -> DeliveryRecord | None:
    """Read the record in a delivery's folder; None if nothing was loaded into it."""
    record = read_json(folder / RECORD, None)
    return None if record is None else _RECORD.validate_python(record)


def clear_temporary_files(settings: Settings) -> None:
    """Remove temporary files of an interrupted load; only the writer may call this, when it starts."""
    shutil.rmtree(settings.home / paths.SCRATCH, ignore_errors=True)
    remove_unfinished(settings.home)


def _loaded(entries: Iterable[Mapping[str, Any]]) -> dict[tuple[str, int], list[Mapping[str, Any]]]:
    """Ledger entries of the loaded deliveries, the active one last, by (source, year)."""
    loaded: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for entry in entries:
        of_year = loaded.setdefault((entry["source"], entry["year"]), [])
        # When a delivery is loaded again, by newer rules or after others, its new entry replaces the earlier one.
        of_year[:] = [one for one in of_year if one["delivery_id"] != entry["delivery_id"]]
        if entry["event"] == "loaded":
            of_year.append(entry)
    return {key: of_year for key, of_year in loaded.items() if of_year}


def _entry(record: DeliveryRecord, event: str) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    names = ("source", "year", "delivery_id", "judged_by")
    return {"event": event, **{name: getattr(record, name) for name in names}, "at": now}
