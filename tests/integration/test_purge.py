"""Purging: raw rows of old years go, their published figures stay as they are in every later publication."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

import duckdb
import pytest
from conftest import copied, settings_in
from deliveries import holds, rows_of_parquet
from pydantic import SecretStr
from reference.worlds import dirty_world
from test_publishing import publish
from warehouse import build, marts

from dagster_project import paths
from dagster_project.cli import main as cli
from dagster_project.cli.purge import PurgeRefusedError, delete_purged_rows, purge
from dagster_project.files import read_json, write_json
from dagster_project.ingestion.ingest import changed_folders, uncorrected_deliveries
from dagster_project.ingestion.pseudonyms import PseudonymKeyError
from dagster_project.publication.draft import DATABASE
from dagster_project.publications import Publication, publications
from dagster_project.quality.audit import read_audit
from dagster_project.settings import Settings
from dagster_project.state import read_record, read_state, withdraw

YEARS = (2022, 2023, 2024)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = settings_in(tmp_path_factory.mktemp("made"))
    dirty_world(settings.landing, seed=80, offences_per_year=300, years=YEARS, dirt=0.002, with_reports=True)
    build(settings)
    publish(settings)
    return settings


@pytest.fixture
def published(made: Settings, settings: Settings) -> Settings:
    return copied(made, settings)


def publish_again(settings: Settings) -> Publication:
    build(settings)
    publication = publish(settings)
    assert publication
    return publication


def looked_back_to(settings: Settings, before: int) -> set[tuple[UUID, int]]:
    """Purged offences that decisions of later years rest on."""
    with duckdb.connect(str(settings.home / paths.WAREHOUSE), read_only=True) as connection:
        return set(
            connection.execute(
                "select diarienummer, brottsnummer from intermediate.int_looked_up_offence "
                f"where year >= {before} and extract_year < {before}"
            ).fetchall()
        )


def raw_parquet(settings: Settings, before: int) -> list[Path]:
    return [path for path in (settings.home / paths.RAW_STORE).glob("*/*/*/*.parquet") if int(path.parts[-3]) < before]


def test_figures_stay_and_rows_go(published: Settings, made: Settings) -> None:
    kept = looked_back_to(published, 2023)
    assert kept
    names = {
        (row["diarienummer"], row["brottsnummer"])
        for path in raw_parquet(published, 2023)
        if path.name == "offences.parquet"
        for row in rows_of_parquet(path)
    }
    assert len(names) > 200
    assert purge(published, 2023) == [2022]
    assert raw_parquet(published, 2023) == []
    assert not (published.home / paths.WAREHOUSE).exists()
    publication = publish_again(published)
    assert marts(published.published / paths.CURRENT / DATABASE) == marts(made.published / paths.CURRENT / DATABASE)
    with duckdb.connect(str(published.home / paths.WAREHOUSE), read_only=True) as connection:
        left = set(
            connection.execute(
                "select diarienummer, brottsnummer from raw.police_offences where year < 2023"
            ).fetchall()
        )
    assert left == kept
    still_used = {name for name, _ in names} & {
        row["diarienummer"]
        for path in (published.home / paths.RAW_STORE).glob("*/*/*/*.parquet")
        for row in rows_of_parquet(path)
        if "diarienummer" in row
    }
    gone = {name for name, _ in names} - still_used
    assert gone
    for name in sorted(gone)[:3]:
        assert not holds(published.home, str(name))
    first, second = publications(published)
    assert publication.manifest["years"] == list(YEARS)
    assert publication.manifest["kept_from"] == first.publication_id
    sources = [
        [(one["source"], one["year"], one["delivery_id"]) for one in each.manifest["deliveries"]]
        for each in (first, second)
    ]
    assert sorted(sources[0]) == sorted(sources[1])


def test_what_lies_in_the_landing_folder_is_left_alone(published: Settings) -> None:
    purge(published, 2023)
    (published.home / paths.LANDING_INDEX).unlink()
    assert {folder.year for folder in changed_folders(read_state(published))} == {2023, 2024}
    assert {year for _, year in read_state(published).active} == {2023, 2024}


def test_what_is_known_of_the_deliveries_is_kept(published: Settings) -> None:
    before = read_state(published).active
    purge(published, 2023)
    for (source, year), record in before.items():
        (folder,) = (published.home / paths.RAW_STORE / source / str(year)).iterdir()
        assert read_record(folder) == record


def test_the_next_load_finishes_what_a_crash_left(published: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    unlink, stopped = Path.unlink, len(raw_parquet(published, 2023)) // 2

    def killed(path: Path, missing_ok: bool = False) -> None:
        if path.suffix == ".parquet" and len(raw_parquet(published, 2023)) == stopped:
            raise KeyboardInterrupt
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", killed)
    with pytest.raises(KeyboardInterrupt):
        purge(published, 2023)
    monkeypatch.undo()
    assert len(raw_parquet(published, 2023)) == stopped
    (published.home / paths.KEPT / "2022").mkdir(exist_ok=True)
    delete_purged_rows(published)
    assert raw_parquet(published, 2023) == []
    assert not (published.home / paths.WAREHOUSE).exists()
    assert [folder.name for folder in (published.home / paths.KEPT).iterdir()] == ["2023"]
    assert read_state(published).purged.before == 2023


def test_nothing_that_is_not_published_is_purged(published: Settings) -> None:
    shutil.rmtree(published.published)
    with pytest.raises(PurgeRefusedError, match="uppklarat load"):
        purge(published, 2023)
    assert raw_parquet(published, 2023)


def test_a_year_that_waits_is_not_left_without_what_it_looks_back_to(published: Settings) -> None:
    withdraw(read_state(published), "prosecution", 2024)
    write_json(
        published.home / paths.LEDGER, [{**one, "at": "2026"} for one in read_json(published.home / paths.LEDGER, [])]
    )
    with pytest.raises(PurgeRefusedError, match=r"uppklarat load|police/2024 waits"):
        purge(published, 2023)
    assert raw_parquet(published, 2023)


def test_kept_figures_outlive_a_second_purge_in_another_place(published: Settings, made: Settings) -> None:
    """What is missing for a purge is built."""
    (published.home / paths.WAREHOUSE).unlink()
    assert purge(published, 2023) == [2022]
    publish_again(published)
    moved = published.model_copy(update={"home": published.home.with_name("moved")})
    published.home.rename(moved.home)
    assert purge(moved, 2024) == [2022, 2023]
    publish_again(moved)
    audit = read_audit(moved)
    assert audit
    assert not audit.blocking
    assert [folder.name for folder in (moved.home / paths.KEPT).iterdir()] == ["2024"]
    assert marts(moved.published / paths.CURRENT / DATABASE) == marts(made.published / paths.CURRENT / DATABASE)


def test_corrections_of_purged_years_are_done_with(published: Settings) -> None:
    purge(published, 2023)
    (published.landing / paths.CORRECTIONS).write_text(
        "- {id: old-one, delivery: police/2022, file: offences, rows: {line: 2}, action: drop, reason: a test, "
        "reported_by: police, date: 2022-03-01}\n"
    )
    assert uncorrected_deliveries(read_state(published)) == {}


def test_a_year_must_be_left(published: Settings) -> None:
    with pytest.raises(PurgeRefusedError, match="2025"):
        purge(published, 2025)


def test_another_key_than_that_of_the_kept_offences_is_refused(published: Settings) -> None:
    purge(published, 2023)
    shutil.rmtree(published.home / paths.RAW_STORE)
    (published.home / paths.LEDGER).unlink()
    with pytest.raises(PseudonymKeyError, match="purged years"):
        build(published.model_copy(update={"key": SecretStr("another key, which is long enough too")}))
    build(published)


def test_a_damaged_publication_is_no_place_to_keep_figures_from(published: Settings) -> None:
    csv = published.published / paths.CURRENT / "csv" / "dim_year.csv"
    csv.chmod(0o644)
    csv.write_text("year\n")
    with pytest.raises(PurgeRefusedError, match="damaged"):
        purge(published, 2023)
    assert raw_parquet(published, 2023)


def test_the_command(published: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(cli.Settings, "from_environment", lambda: published)
    assert cli.main(["purge", "--before", "2023"]) == cli.OK
    output = capsys.readouterr().out
    assert "2022" in output
    assert str(published.landing) in output
    assert cli.main(["purge", "--before", "2022"]) == cli.OK
    write_json(published.home / paths.PURGED, {**asdict(read_state(published).purged), "before": 2022})
    shutil.rmtree(published.published)
    assert cli.main(["purge", "--before", "2023"]) == cli.FAILED
    assert "uppklarat load" in capsys.readouterr().err
