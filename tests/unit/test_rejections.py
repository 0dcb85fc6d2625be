"""What a rejection leaves untouched around it, and what gets none; what rejects a delivery stands in `corpus.py`."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from deliveries import (
    CLEAN,
    PERSONAL_NUMBER,
    PERSONAL_NUMBER_12,
    YEAR,
    assert_rejected,
    csv_file,
    files_of,
    holds,
    load,
    outcome,
    pseudonym,
    put,
    put_with_manifest,
)
from reference.worlds import prosecution_row

from dagster_project import paths
from dagster_project.ingestion.landing import find_unexpected_entries
from dagster_project.settings import Settings
from dagster_project.state import read_state


def _assert_refused(
    settings: Settings, caplog: pytest.LogCaptureFixture, source: str, where: str, number: str = PERSONAL_NUMBER
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert_rejected(settings, source, where, "personal identity number", secrets=[number])
    assert number not in caplog.text
    # Nor is anything left of it in a warehouse that has never loaded anything before
    assert not holds(settings.home, number)


def test_nothing_is_left_of_a_first_delivery_that_was_refused(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [*CLEAN["prosecution", "decisions"], prosecution_row(9, misstanke_id=PERSONAL_NUMBER)]
    files = {"decisions.csv": csv_file("prosecution", "decisions", rows)}
    put_with_manifest(settings, "prosecution", files, encoding="cp1252")
    _assert_refused(settings, caplog, "prosecution", "decisions.csv, line 4, misstanke_id")
    assert not (settings.home / paths.LEDGER).exists()
    assert not (settings.home / paths.RAW_STORE).exists()


NO_PERSONAL_NUMBERS = [
    "6408233234",  # ten bare digits: serial numbers look the same
    "640823-3235",
    "641323-3230",
    "640823—3234",
    "640823 - 3234",
    f"m{PERSONAL_NUMBER}",
    f"{PERSONAL_NUMBER}x",
    f"7{PERSONAL_NUMBER}",
    f"{PERSONAL_NUMBER}7",
    f"{PERSONAL_NUMBER_12}7",
]


def test_what_only_looks_like_a_personal_number_is_loaded(settings: Settings) -> None:
    rows = [prosecution_row(number, misstanke_id=value) for number, value in enumerate(NO_PERSONAL_NUMBERS, 1)]
    put(settings, "prosecution", {"decisions.csv": csv_file("prosecution", "decisions", rows)})
    found = outcome(settings, load(settings))
    assert [row["misstanke_id"] for row in found.rows] == [
        pseudonym("misstanke_id", text) for text in NO_PERSONAL_NUMBERS
    ]


def test_a_rejected_delivery_does_not_touch_the_others(loaded: Settings) -> None:
    put(loaded, "police", files_of("police"), year=2023)
    later = load(loaded, "police", 2023)
    put(loaded, "police", files_of("police", offences=b""))
    assert_rejected(loaded, "police", "offences.csv", "empty")
    active = read_state(loaded).active
    assert set(active) == {("police", YEAR), ("prosecution", YEAR), ("police", 2023)}
    assert active["police", 2023] == later


def test_a_rejected_delivery_is_loaded_once_it_was_mended(loaded: Settings) -> None:
    better = csv_file("prosecution", "decisions", [prosecution_row(1), prosecution_row(2), prosecution_row(3)])
    put(loaded, "prosecution", {"decisions.csv": better + b"AM-1-22;\0"})
    assert_rejected(loaded, "prosecution", "decisions.csv", "NUL byte")
    put(loaded, "prosecution", {"decisions.csv": better})
    assert len(outcome(loaded, load(loaded)).rows) == 3


def test_what_lies_beside_the_deliveries_is_told_of(loaded: Settings) -> None:
    assert list(find_unexpected_entries(loaded.landing, loaded.landing / paths.CORRECTIONS)) == []
    for folder in (
        "polis/2024",
        "police/20x4",
        "police/２０２４",
        "prosecution/12345",
        f"police/{PERSONAL_NUMBER}",
        ".upload",
    ):
        (loaded.landing / folder).mkdir(parents=True)
    (loaded.landing / "police" / "2024").write_bytes(b"no folder")
    (loaded.landing / "prosecution" / "2025").symlink_to("nowhere")
    messages = list(find_unexpected_entries(loaded.landing, loaded.landing / paths.CORRECTIONS))
    names = ["polis", "police/(a personal identity number)", "police/2024", "police/20x4", "police/２０２４"]
    assert sorted(each.split(":")[0] for each in messages) == sorted([*names, "prosecution/12345", "prosecution/2025"])
    assert all("not taken for a delivery" in each for each in messages)


def test_a_file_that_an_upload_renames_meanwhile_does_not_matter(
    loaded: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = loaded.landing / "police" / str(YEAR)
    (folder / ".decisions.csv.part").write_bytes(b"half")
    list_folder = Path.iterdir

    def renamed_after_listing(path: Path) -> list[Path]:
        listed = list(list_folder(path))
        (folder / ".decisions.csv.part").unlink(missing_ok=True)
        return listed

    monkeypatch.setattr(Path, "iterdir", renamed_after_listing)
    assert load(loaded, "police") == read_state(loaded).active["police", YEAR]
