"""Taking a delivery back: the one before is active again, and what was withdrawn does not come back by itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from deliveries import YEAR, csv_file, files_of, load, put, put_with_manifest
from loads import Way, broken_promises, run
from reference.worlds import dirty_world, prosecution_row
from warehouse import figures

from dagster_project import paths
from dagster_project.cli import main as cli
from dagster_project.ingestion.ingest import changed_folders, validation_version
from dagster_project.publication.draft import DATABASE
from dagster_project.publications import publications
from dagster_project.settings import Settings
from dagster_project.state import read_state, withdraw

FIRST, SECOND, THIRD = (
    {"decisions.csv": csv_file("prosecution", "decisions", [prosecution_row(number)])} for number in (1, 2, 3)
)
WHAT = ("prosecution", YEAR)


def deliver(settings: Settings, files: dict[str, bytes]) -> str:
    put(settings, "prosecution", files)
    record = load(settings)
    assert record
    return record.delivery_id


def active(settings: Settings) -> str | None:
    record = read_state(settings).active.get(WHAT)
    return record.delivery_id if record else None


def test_the_one_before_is_active_again(settings: Settings) -> None:
    first, second = deliver(settings, FIRST), deliver(settings, SECOND)
    withdrawn, before = withdraw(read_state(settings), *WHAT)
    assert (withdrawn.delivery_id, before and before.delivery_id) == (second, first)
    assert active(settings) == first
    assert list(read_state(settings).withdrawn) == [(*WHAT, second)]


def test_one_after_the_other_until_none_is_left(loaded: Settings) -> None:
    put(loaded, "police", files_of("police"))
    deliver(loaded, SECOND)
    withdraw(read_state(loaded), *WHAT)
    assert read_state(loaded).complete_years == [YEAR]
    assert withdraw(read_state(loaded), *WHAT)[1] is None
    assert active(loaded) is None
    assert read_state(loaded).complete_years == []
    with pytest.raises(KeyError):
        withdraw(read_state(loaded), *WHAT)


def test_a_delivery_loaded_twice_is_withdrawn_once_and_for_all(settings: Settings) -> None:
    first, second = deliver(settings, FIRST), deliver(settings, SECOND)
    assert deliver(settings, FIRST) == first
    withdraw(read_state(settings), *WHAT)
    assert active(settings) == second
    withdraw(read_state(settings), *WHAT)
    assert active(settings) is None


def test_what_still_lies_in_the_landing_folder_stays_withdrawn(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    first = deliver(settings, FIRST)
    deliver(settings, SECOND)
    withdraw(read_state(settings), *WHAT)
    assert list(changed_folders(read_state(settings))) == []
    put(settings, "prosecution", SECOND)  # copied there again
    assert [folder.label for folder in changed_folders(read_state(settings))] == [f"prosecution/{YEAR}"]
    assert load(settings) is None
    assert "withdrawn" in caplog.text
    assert active(settings) == first
    assert list(changed_folders(read_state(settings))) == []


def test_nor_does_it_come_back_with_new_rules(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    first = deliver(settings, FIRST)
    deliver(settings, SECOND)
    withdraw(read_state(settings), *WHAT)
    monkeypatch.setattr("dagster_project.ingestion.ingest.validation_version", lambda: f"not{validation_version()}")
    assert load(settings) is None
    assert active(settings) == first


@pytest.mark.parametrize(("days", "comes_back"), [(1, True), (-1, False)])
def test_a_manifest_created_since_delivers_it_again(settings: Settings, days: int, comes_back: bool) -> None:
    first, second = deliver(settings, FIRST), deliver(settings, SECOND)
    withdraw(read_state(settings), *WHAT)
    created = datetime.now(UTC) + timedelta(days=days)
    put_with_manifest(settings, "prosecution", SECOND, created=created.isoformat())
    load(settings)
    assert active(settings) == (second if comes_back else first)
    assert bool(read_state(settings).withdrawn) != comes_back


@pytest.mark.parametrize("created", ["yesterday", 20300101, None, "2999-01-01T00:00:00"])
def test_a_manifest_that_does_not_say_when_brings_nothing_back(settings: Settings, created: object) -> None:
    deliver(settings, SECOND)
    withdraw(read_state(settings), *WHAT)
    put_with_manifest(settings, "prosecution", SECOND, created=created)
    assert load(settings) is None


def test_others_follow_as_ever(settings: Settings) -> None:
    first = deliver(settings, FIRST)
    deliver(settings, SECOND)
    withdraw(read_state(settings), *WHAT)
    third = deliver(settings, THIRD)
    assert active(settings) == third
    withdraw(read_state(settings), *WHAT)
    assert active(settings) == first


def test_a_delivery_whose_rows_were_deleted_is_not_made_active_again(settings: Settings) -> None:
    first, second = deliver(settings, FIRST), deliver(settings, SECOND)
    for path in (settings.home / paths.RAW_STORE / "prosecution" / str(YEAR)).glob(f"{first}-*/*"):
        path.unlink()
    with pytest.raises(FileNotFoundError, match="before this one was deleted"):
        withdraw(read_state(settings), *WHAT)
    assert active(settings) == second
    assert read_state(settings).withdrawn == {}


def test_the_command(loaded: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(cli.Settings, "from_environment", lambda: loaded)
    before = active(loaded)
    second = deliver(loaded, SECOND)
    assert cli.main(["withdraw", "prosecution", str(YEAR)]) == cli.OK
    output = capsys.readouterr().out
    assert f"delivery {second}" in output
    assert f"active again: delivery {before}" in output
    assert cli.main(["withdraw", "prosecution", str(YEAR)]) == cli.OK
    assert "waits for one" in capsys.readouterr().out
    assert cli.main(["withdraw", "prosecution", str(YEAR)]) == cli.USAGE
    assert f"no delivery of prosecution/{YEAR} is loaded" in capsys.readouterr().err


def test_a_year_between_others_is_withdrawn_and_delivered_again(settings: Settings) -> None:
    """The years around it are published without it, and it comes back as it was."""
    current = settings.published / paths.CURRENT
    quick = Way(without_dagster=True)
    dirty_world(settings.landing, seed=81, offences_per_year=80, years=(2022, 2023, 2024), dirt=0.0)
    assert run(settings, quick).returncode == 0
    whole = figures(current / DATABASE)
    assert {key[2] for key in whole} == {2022, 2023, 2024}

    assert run(settings, Way(("withdraw", "prosecution", "2023"))).returncode == 0
    without = run(settings, quick)
    assert without.returncode == 0, without.stderr
    shown = figures(current / DATABASE)
    assert {key[2] for key in shown} == {2022, 2024}
    changes = {"clearance_change_pp", "clearance_change_significant"}
    for key, row in shown.items():
        assert {name for name in row if row[name] != whole[key][name]} <= changes, key
    assert all(row["clearance_change_pp"] is None for row in shown.values())
    assert run(settings, Way(("load", "--expect", "2023"), without_dagster=True)).returncode == 5

    manifest = settings.landing / "prosecution" / "2023" / "manifest.json"
    output = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps({**output, "created": datetime.now(UTC).isoformat()}), encoding="utf-8")
    again = run(settings, Way(("load", "--expect", "2022-2024"), without_dagster=True))
    assert again.returncode == 0, again.stderr
    assert figures(current / DATABASE) == whole
    assert len(publications(settings)) == 3
    assert broken_promises(settings) == []
