"""Delivering again: the same bytes change nothing, other bytes replace the year whole, and nothing ever loaded is lost."""

from __future__ import annotations

import gzip
import os
import shutil
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from deliveries import (
    YEAR,
    assert_rejected,
    csv_file,
    everything_in,
    files_of,
    load,
    manifest,
    outcome,
    parquet_file,
    pseudonym,
    put,
    put_with_manifest,
    raw_folder,
)
from reference.worlds import prosecution_row

from dagster_project import files as files_module
from dagster_project import paths
from dagster_project.contract import CONTRACT_FILE
from dagster_project.files import scratch_folder, write_json, write_text
from dagster_project.ingestion import ingest as ingest_module
from dagster_project.ingestion import validate as validate_module
from dagster_project.ingestion.ingest import changed_folders, validation_version
from dagster_project.ingestion.rejection import RejectedDeliveryError
from dagster_project.settings import Settings
from dagster_project.state import read_record, read_state

FIRST = csv_file("prosecution", "decisions", [prosecution_row(1), prosecution_row(2, beslut="?"), prosecution_row(1)])
SECOND = csv_file("prosecution", "decisions", [prosecution_row(3), prosecution_row(4)])


def labels(settings: Settings) -> list[str]:
    return [folder.label for folder in changed_folders(read_state(settings))]


# --- the same bytes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["police", "prosecution"])
def test_the_same_bytes_change_nothing(loaded: Settings, source: str) -> None:
    before = everything_in(loaded.home)
    record = load(loaded, source)
    assert record == read_state(loaded).active[source, YEAR]
    after = everything_in(loaded.home)
    # the folder was copied by the fixture, so only its times may have been noted again
    del before["landing_index.json"], after["landing_index.json"]
    assert after == before
    assert [entry["source"] for entry in read_state(loaded).ledger] == ["police", "prosecution"]


def test_the_raw_store_is_not_even_written(loaded: Settings) -> None:
    before = {path: path.stat().st_mtime_ns for path in (loaded.home / paths.RAW_STORE).rglob("*")}
    load(loaded)
    assert {path: path.stat().st_mtime_ns for path in (loaded.home / paths.RAW_STORE).rglob("*")} == before


def test_a_touched_file_changes_nothing(settings: Settings) -> None:
    folder = put(settings, "prosecution", {"decisions.csv": FIRST})
    record = load(settings)
    assert labels(settings) == []
    os.utime(folder / "decisions.csv", (1, 1))
    assert labels(settings) == [f"prosecution/{YEAR}"]
    assert load(settings) == record
    assert len(read_state(settings).ledger) == 1
    assert labels(settings) == []


def test_a_file_written_again_with_the_same_bytes_changes_nothing(settings: Settings) -> None:
    put(settings, "prosecution", {"decisions.csv": FIRST})
    record = load(settings)
    put(settings, "prosecution", {"decisions.csv": FIRST, "a note.txt": b"x"})
    assert labels(settings) == [f"prosecution/{YEAR}"]
    assert load(settings) == record
    assert len(read_state(settings).ledger) == 1


# --- other bytes -----------------------------------------------------------------------------------------------------


def test_changed_content_replaces_the_year(settings: Settings) -> None:
    put(settings, "prosecution", {"decisions.csv": FIRST})
    first = load(settings)
    put(settings, "prosecution", {"decisions.csv": SECOND})
    assert labels(settings) == [f"prosecution/{YEAR}"]
    second = load(settings)
    assert second.delivery_id != first.delivery_id
    assert read_state(settings).active == {("prosecution", YEAR): second}
    assert [row["brottsnummer"] for row in outcome(settings, second).rows] == [3, 4]
    assert labels(settings) == []


def test_what_was_replaced_is_kept_with_its_quarantine(settings: Settings) -> None:
    put(settings, "prosecution", {"decisions.csv": FIRST})
    first = load(settings)
    kept = everything_in(raw_folder(settings, first))
    put(settings, "prosecution", {"decisions.csv": SECOND})
    load(settings)
    assert everything_in(raw_folder(settings, first)) == kept
    assert read_record(raw_folder(settings, first)) == first
    assert outcome(settings, first).reasons == {3: "invalid_value"}
    assert read_state(settings).ledger[0]["delivery_id"] == first.delivery_id


def test_the_first_bytes_again_become_active_again(settings: Settings) -> None:
    records = []
    for content in (FIRST, SECOND, FIRST):
        put(settings, "prosecution", {"decisions.csv": content})
        records.append(load(settings))
    assert records[2] == records[0]
    assert read_state(settings).active == {("prosecution", YEAR): records[0]}
    ids = [entry["delivery_id"] for entry in read_state(settings).ledger]
    assert ids == [record.delivery_id for record in records]
    assert ids[0] == ids[2] != ids[1]


@pytest.mark.parametrize("suffix", [".csv.gz", ".parquet"])
def test_the_same_rows_in_another_container_are_another_delivery(settings: Settings, suffix: str) -> None:
    put(settings, "prosecution", {"decisions.csv": SECOND})
    first = load(settings)
    rows = [prosecution_row(3), prosecution_row(4)]
    packed = {".csv.gz": gzip.compress(SECOND), ".parquet": parquet_file("prosecution", "decisions", rows)}
    put(settings, "prosecution", {f"decisions{suffix}": packed[suffix]})
    second = load(settings)
    assert second.delivery_id != first.delivery_id
    assert outcome(settings, second).rows == outcome(settings, first).rows


def test_one_of_two_files_changed(loaded: Settings) -> None:
    before = read_state(loaded).active["police", YEAR]
    content = csv_file("police", "decisions").replace(b"NEDLAGD", b"OVRIGT")
    put(loaded, "police", files_of("police", decisions=content))
    record = load(loaded, "police")
    assert record.delivery_id != before.delivery_id
    assert outcome(loaded, record, "decisions").rows[0]["beslut"] == "OVRIGT"
    assert outcome(loaded, record, "offences").rows == outcome(loaded, before, "offences").rows


def test_years_and_sources_are_replaced_each_for_itself(loaded: Settings) -> None:
    put(loaded, "prosecution", {"decisions.csv": FIRST}, year=2023)
    load(loaded, year=2023)
    before = read_state(loaded).active
    put(loaded, "prosecution", {"decisions.csv": SECOND})
    record = load(loaded)
    after = read_state(loaded).active
    assert after.pop(("prosecution", YEAR)) == record
    del before["prosecution", YEAR]
    assert after == before


def test_the_same_bytes_of_another_year_are_another_delivery(settings: Settings) -> None:
    records = []
    for year in (YEAR, YEAR + 1):
        put(settings, "prosecution", {"decisions.csv": SECOND}, year=year)
        records.append(load(settings, year=year))
    assert records[0].delivery_id != records[1].delivery_id
    assert [len(outcome(settings, record).rows) for record in records] == [2, 0]


def test_a_year_is_complete_with_both_its_deliveries(settings: Settings) -> None:
    for source, year, expected in [
        ("police", YEAR, []),
        ("prosecution", YEAR + 1, []),
        ("prosecution", YEAR, [YEAR]),
        ("police", YEAR + 1, [YEAR, YEAR + 1]),
    ]:
        put(settings, source, files_of(source), year=year)
        load(settings, source, year)
        assert read_state(settings).complete_years == expected


def test_new_folders_are_listed_by_year_until_they_are_loaded(settings: Settings) -> None:
    for source, year in [("prosecution", 2023), ("prosecution", 2022), ("police", 2023), ("police", 2021)]:
        put(settings, source, files_of(source), year=year)
    (settings.landing / "police" / "notes").mkdir()
    (settings.landing / "police" / "20222").mkdir()
    (settings.landing / "prosecution" / "2024.csv").write_bytes(b"x")
    assert labels(settings) == ["police/2021", "prosecution/2022", "police/2023", "prosecution/2023"]
    load(settings, "police", 2021)
    assert labels(settings) == ["prosecution/2022", "police/2023", "prosecution/2023"]


def test_a_rejected_redelivery_is_looked_at_again(loaded: Settings) -> None:
    put(loaded, "prosecution", {"decisions.csv": b""})
    assert_rejected(loaded, "prosecution", "decisions.csv", "empty")
    assert f"prosecution/{YEAR}" in labels(loaded)


def test_a_dead_link_in_one_folder_does_not_hide_the_others(loaded: Settings) -> None:
    put(loaded, "police", files_of("police"), year=2023)
    (put(loaded, "prosecution", {}) / "decisions.csv").symlink_to("nowhere.csv")
    assert {"police/2023", f"prosecution/{YEAR}"} <= set(labels(loaded))


# --- the manifest ----------------------------------------------------------------------------------------------------


def test_a_manifest_that_comes_later_marks_the_delivery_complete(settings: Settings) -> None:
    put(settings, "prosecution", {"decisions.csv": FIRST})
    before = load(settings)
    assert not before.complete
    put_with_manifest(settings, "prosecution", {"decisions.csv": FIRST}, synthetic={"seed": 7})
    assert labels(settings) == [f"prosecution/{YEAR}"]
    after = load(settings)
    assert (after.complete, after.synthetic, after.warnings) == (True, {"seed": 7}, ())
    assert (after.delivery_id, after.loaded_at, after.files) == (before.delivery_id, before.loaded_at, before.files)
    assert read_state(settings).active["prosecution", YEAR] == after
    assert len(read_state(settings).ledger) == 1
    assert labels(settings) == []


@pytest.mark.parametrize(
    ("output", "problem"), [({"decisions.csv": 4}, "rows"), ({"decisions.csv": 0}, "rows")], ids=str
)
def test_a_wrong_manifest_that_comes_later(settings: Settings, output: dict[str, int], problem: str) -> None:
    folder = put(settings, "prosecution", {"decisions.csv": FIRST})
    load(settings)
    (folder / "manifest.json").write_bytes(manifest("prosecution", {"decisions.csv": FIRST}, output))
    assert_rejected(settings, "prosecution", f"prosecution/{YEAR}/decisions.csv", problem)
    assert not read_state(settings).active["prosecution", YEAR].complete


def test_a_manifest_that_comes_later_and_names_another_encoding_is_refused(settings: Settings) -> None:
    # Å in UTF-8 is also cp1252, for Ã and …
    content = csv_file("prosecution", "decisions", [prosecution_row(1, misstanke_id="Å")])
    put(settings, "prosecution", {"decisions.csv": content})
    assert outcome(settings, load(settings)).rows[0]["misstanke_id"] == pseudonym("misstanke_id", "Å")
    put_with_manifest(settings, "prosecution", {"decisions.csv": content}, encoding="cp1252")
    assert_rejected(settings, "prosecution", "decisions.csv", "not cp1252; it seems to be utf-8")
    assert len(read_state(settings).ledger) == 1


# --- a folder that changes while it is read --------------------------------------------------------------------------


@pytest.fixture
def when_called(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int, Callable[[], object]], None]:
    """Do something just before the n-th call of a step of ingest."""

    def arrange(step: str, number: int, action: Callable[[], object]) -> None:
        original = getattr(ingest_module, step)
        calls = iter(range(1, 100))

        def step_with_action(*arguments: Any) -> Any:
            if next(calls) == number:
                action()
            return original(*arguments)

        monkeypatch.setattr(ingest_module, step, step_with_action)

    return arrange


def test_a_folder_that_changed_after_it_was_read_is_looked_at_again(settings: Settings, when_called: Any) -> None:
    folder = put(settings, "prosecution", {"decisions.csv": FIRST})
    when_called("activate", 1, lambda: (folder / "decisions.csv").write_bytes(SECOND))
    load(settings)
    assert labels(settings) == [f"prosecution/{YEAR}"]
    assert [row["brottsnummer"] for row in outcome(settings, load(settings)).rows] == [3, 4]


# --- other rules -----------------------------------------------------------------------------------------------------


def test_deliveries_are_judged_again_by_other_rules(loaded: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    load(loaded, "police")
    first = load(loaded)
    assert labels(loaded) == []
    monkeypatch.setattr(ingest_module, "validation_version", lambda: "other0rules0")
    assert labels(loaded) == [f"police/{YEAR}", f"prosecution/{YEAR}"]
    second = load(loaded)
    assert (second.delivery_id, second.judged_by) == (first.delivery_id, "other0rules0")
    assert read_state(loaded).active["prosecution", YEAR] == second
    assert labels(loaded) == [f"police/{YEAR}"]
    assert read_record(raw_folder(loaded, first)) == first
    assert outcome(loaded, second).rows == outcome(loaded, first).rows
    assert len(read_state(loaded).ledger) == 3
    assert load(loaded) == second
    assert len(read_state(loaded).ledger) == 3


def test_other_rules_may_reject_what_others_took(loaded: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def stricter(*_: object) -> None:
        raise RejectedDeliveryError(f"prosecution/{YEAR}/decisions.csv", "against the new rules", "Ask")

    monkeypatch.setattr(ingest_module, "validation_version", lambda: "other0rules0")
    monkeypatch.setattr(ingest_module, "validate_file", stricter)
    assert_rejected(loaded, "prosecution", "decisions.csv", "new rules")


def test_an_error_of_a_later_step_is_not_blamed_on_the_delivery(
    loaded: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise duckdb.InvalidInputException("5000-K1-25")

    monkeypatch.setattr(validate_module, "_find_faults", fail)
    put(loaded, "prosecution", {"decisions.csv": SECOND})
    with pytest.raises(RuntimeError, match="DuckDB could not validate it") as raised:
        load(loaded)
    assert "5000-K1-25" not in "".join(traceback.format_exception(raised.value))
    assert f"prosecution/{YEAR}" in labels(loaded)


@pytest.fixture
def fresh_version() -> Iterator[None]:
    validation_version.cache_clear()
    yield
    validation_version.cache_clear()


def test_the_contract_is_part_of_the_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh_version: None
) -> None:
    ours = validation_version()
    validation_version.cache_clear()
    assert validation_version() == ours
    changed = tmp_path / "input.yml"
    changed.write_text(CONTRACT_FILE.read_text("utf-8").replace("max: 120", "max: 121"), "utf-8")
    assert changed.read_bytes() != CONTRACT_FILE.read_bytes()
    monkeypatch.setattr(ingest_module, "CONTRACT_FILE", changed)
    validation_version.cache_clear()
    assert validation_version() != ours


# --- crashes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "step",
    [
        "ingestion.ingest.receive_file",
        "ingestion.ingest.validate_file",
        "state.write_record",
        "ingestion.ingest.activate",
        "ingestion.landing_index.write_json",
    ],
)
def test_a_load_that_was_cut_off_is_made_good_by_the_next(
    loaded: Settings, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before = read_state(loaded).active["prosecution", YEAR]

    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    put(loaded, "prosecution", {"decisions.csv": SECOND})
    with monkeypatch.context() as patch:
        patch.setattr(f"dagster_project.{step}", cut_off)
        with pytest.raises(KeyboardInterrupt):
            load(loaded)
    active = read_state(loaded).active["prosecution", YEAR]
    assert active == before or [row["brottsnummer"] for row in outcome(loaded, active).rows] == [3, 4]
    assert f"prosecution/{YEAR}" in labels(loaded)
    assert [row["brottsnummer"] for row in outcome(loaded, load(loaded)).rows] == [3, 4]
    assert [entry["source"] for entry in read_state(loaded).ledger] == ["police", "prosecution", "prosecution"]
    assert not any((loaded.home / paths.SCRATCH).iterdir())


def test_a_raw_store_that_lacks_a_delivery_is_said_to(loaded: Settings) -> None:
    shutil.rmtree(raw_folder(loaded, read_state(loaded).active["police", YEAR]))
    with pytest.raises(FileNotFoundError, match=f"raw/police/{YEAR}/.*restore"):
        read_state(loaded)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "folder" / "ledger.json"
    write_json(path, {"namn": "Åsa"})
    old = path.read_text("utf-8")
    assert "Åsa" in old

    def no_space_left(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files_module.os, "fsync", no_space_left)
        with pytest.raises(OSError, match="No space"):
            write_text(path, "new")
    assert path.read_text("utf-8") == old
    assert list(path.parent.iterdir()) == [path]


def test_scratch_is_gone_whatever_happens(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), scratch_folder(tmp_path / "scratch") as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "file").write_bytes(b"x")
        raise KeyboardInterrupt
    assert list((tmp_path / "scratch").iterdir()) == []
