"""What is derived again, and what is kept, when deliveries, keys or codes change; `test_histories.py` holds random histories."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NoReturn

import duckdb
import pytest
from conftest import settings_in
from pydantic import SecretStr
from reference.worlds import dirty_world
from warehouse import build, deliver, marts

from dagster_project import paths
from dagster_project.ingestion.ingest import changed_folders, ingest
from dagster_project.state import read_state
from dagster_project.transformation.build import build_marts

FOLDERS = [(source, year) for year in (2022, 2023, 2024) for source in ("police", "prosecution")]


@pytest.fixture(scope="module")
def three_years(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A landing folder to deliver from."""
    landing = tmp_path_factory.mktemp("three_years")
    dirty_world(landing, seed=31, offences_per_year=400, dirt=0.02)
    return landing


def test_a_lost_key_costs_a_build_from_nothing_and_no_figure(three_years: Path, tmp_path: Path) -> None:
    """Nothing made under the old key may meet what is made under the new one."""
    settings = settings_in(tmp_path)
    for folder in FOLDERS:
        deliver(three_years, settings.landing, *folder)
    build(settings)
    before = marts(settings.home / paths.WAREHOUSE)
    shutil.rmtree(settings.home / paths.RAW_STORE)
    (settings.home / paths.LEDGER).unlink()
    build(settings.model_copy(update={"key": SecretStr("another key, which is long enough too")}))
    assert marts(settings.home / paths.WAREHOUSE) == before
    with duckdb.connect(str(settings.home / paths.WAREHOUSE), read_only=True) as connection:
        for table in ("int_processed_offence", "int_looked_up_offence"):
            (strangers,) = connection.execute(
                f"select count(*) from intermediate.{table} anti join raw.police_offences using (diarienummer, brottsnummer)"
            ).fetchone() or (None,)
            assert strangers == 0


def test_a_new_year_leaves_the_others_alone(three_years: Path, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    for source, year in FOLDERS[:4]:
        deliver(three_years, settings.landing, source, year)
    build(settings)
    for source, year in FOLDERS[4:]:
        deliver(three_years, settings.landing, source, year)
    for folder in changed_folders(read_state(settings)):
        ingest(folder, settings)
    stale, _ = build_marts(settings)
    assert stale == [2024]


def test_a_model_that_is_built_alone_reads_no_stale_one(three_years: Path, tmp_path: Path) -> None:
    """As when somebody materializes one asset after a redelivery; the next build must not take its rows for the present ones."""
    settings = settings_in(tmp_path / "stepwise")
    shutil.copytree(three_years, settings.landing)
    build(settings)
    other = tmp_path / "other"
    dirty_world(other, seed=32, offences_per_year=400, dirt=0.02)
    for source in ("police", "prosecution"):
        deliver(other, settings.landing, source, 2023)
    for folder in changed_folders(read_state(settings)):
        ingest(folder, settings)
    build_marts(settings, ["int_scoped_offence"])
    build(settings)
    at_once = settings_in(tmp_path / "at_once")
    shutil.copytree(settings.landing, at_once.landing)
    build(at_once)
    assert marts(settings.home / paths.WAREHOUSE) == marts(at_once.home / paths.WAREHOUSE)


def test_a_first_build_that_was_stopped_is_built_after_all(
    three_years: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have loaded none of the seeds, although its database is of the present rules."""
    settings = settings_in(tmp_path / "stopped")
    shutil.copytree(three_years, settings.landing)

    def stopped(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("dagster_project.transformation.build.run_dbt", stopped)
        build(settings)
    build(settings)
    at_once = settings_in(tmp_path / "at_once")
    shutil.copytree(three_years, at_once.landing)
    build(at_once)
    assert marts(settings.home / paths.WAREHOUSE) == marts(at_once.home / paths.WAREHOUSE)


def test_a_year_that_came_out_empty_is_emptied(three_years: Path, tmp_path: Path) -> None:
    """Its offences are now all of codes that no indicator counts: not one row of before may stay."""
    settings = settings_in(tmp_path)
    for source, year in FOLDERS:
        deliver(three_years, settings.landing, source, year)
    # before the first build: other own codes would build everything from nothing, and nothing would have to be emptied
    settings.home.mkdir()
    (settings.home / paths.OWN_OFFENCE_CODES).write_text("brottskod,role\n9999,context\n", encoding="utf-8")
    build(settings)
    with_figures = [
        row for row in marts(settings.home / paths.WAREHOUSE)["fct_indicator_year"] if row[2] == 2023 and row[6] > 0
    ]
    folder = settings.landing / "police" / "2023"
    for path in folder.iterdir():
        path.unlink()
    (folder / "offences.csv").write_text(
        "diarienummer;brottsnummer;brottskod;lagrum;brottsantal;anmalningsdatum;brottsdatum;kommunkod;handlaggande_region;"
        "malsagande_kon;malsagande_alder\n9999-K1-23;1;9999;;1;2023-01-01;;;;;\n",
        encoding="utf-8",
    )
    (folder / "decisions.csv").write_text(
        "diarienummer;brottsnummer;beslutsdatum;beslut;utredning;skaligen_misstankt\n9999-K1-23;1;2023-02-01;NEDLAGD;J;N\n",
        encoding="utf-8",
    )
    for changed in changed_folders(read_state(settings)):
        ingest(changed, settings)
    stale, _ = build_marts(settings)
    # 2022 does not look back to 2023, and 2024 may.
    assert stale == [2023, 2024]
    at_once = settings_in(tmp_path / "at_once")
    shutil.copytree(settings.landing, at_once.landing)
    at_once.home.mkdir()
    shutil.copy(settings.home / paths.OWN_OFFENCE_CODES, at_once.home / paths.OWN_OFFENCE_CODES)
    build(at_once)
    assert with_figures
    assert marts(settings.home / paths.WAREHOUSE) == marts(at_once.home / paths.WAREHOUSE)
