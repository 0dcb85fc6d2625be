"""What is derived again, and what is kept, when deliveries, keys or codes change; `test_histories.py` holds random histories."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NoReturn

import duckdb
import pytest
from conftest import copied, settings_in
from pydantic import SecretStr
from reference.worlds import dirty_world
from warehouse import build, deliver, marts

from dagster_project import paths
from dagster_project.ingestion.ingest import changed_folders, ingest
from dagster_project.settings import Settings
from dagster_project.state import read_state
from dagster_project.transformation.build import build_marts

YEARS = (2022, 2023, 2024)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Three years, built from nothing; read-only."""
    settings = settings_in(tmp_path_factory.mktemp("built"))
    dirty_world(settings.landing, seed=31, offences_per_year=200, years=YEARS, dirt=0.02)
    build(settings)
    return settings


def built_at_once(settings: Settings, folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """The marts of a build from nothing of what lies in the landing folder."""
    at_once = settings_in(folder)
    shutil.copytree(settings.landing, at_once.landing)
    build(at_once)
    return marts(at_once.home / paths.WAREHOUSE)


def test_a_lost_key_costs_a_build_from_nothing_and_no_figure(built: Settings, settings: Settings) -> None:
    """Nothing made under the old key may meet what is made under the new one."""
    copied(built, settings)
    shutil.rmtree(settings.home / paths.RAW_STORE)
    (settings.home / paths.LEDGER).unlink()
    build(settings.model_copy(update={"key": SecretStr("another key, which is long enough too")}))
    assert marts(settings.home / paths.WAREHOUSE) == marts(built.home / paths.WAREHOUSE)
    with duckdb.connect(str(settings.home / paths.WAREHOUSE), read_only=True) as connection:
        for table in ("int_processed_offence", "int_looked_up_offence"):
            (strangers,) = connection.execute(
                f"select count(*) from intermediate.{table} anti join raw.police_offences using (diarienummer, brottsnummer)"
            ).fetchone() or (None,)
            assert strangers == 0


def test_a_model_that_is_built_alone_reads_no_stale_one(built: Settings, settings: Settings, tmp_path: Path) -> None:
    """As when somebody materializes one asset after a redelivery; the next build must not take its rows for the present ones."""
    copied(built, settings)
    other = tmp_path / "other"
    dirty_world(other, seed=32, offences_per_year=200, years=YEARS, dirt=0.02)
    for source in ("police", "prosecution"):
        deliver(other, settings.landing, source, 2024)
    for folder in changed_folders(read_state(settings)):
        ingest(folder, settings)
    stale, _ = build_marts(settings, ["int_scoped_offence"])
    assert stale == [2024]
    build(settings)
    assert marts(settings.home / paths.WAREHOUSE) == built_at_once(settings, tmp_path / "at_once")


def test_a_first_build_that_was_stopped_is_built_after_all(
    built: Settings, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have loaded none of the seeds, although its database is of the present rules."""
    copied(built, settings)
    (settings.home / paths.WAREHOUSE).unlink()

    def stopped(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("dagster_project.transformation.build.run_dbt", stopped)
        build(settings)
    build(settings)
    assert marts(settings.home / paths.WAREHOUSE) == marts(built.home / paths.WAREHOUSE)


def test_a_year_that_came_out_empty_is_emptied(built: Settings, settings: Settings, tmp_path: Path) -> None:
    """Its offences are now all of codes that no indicator counts: not one row of before may stay."""
    copied(built, settings)
    with_figures = [
        row for row in marts(settings.home / paths.WAREHOUSE)["fct_indicator_year"] if row[2] == 2023 and row[6] > 0
    ]
    folder = settings.landing / "police" / "2023"
    for path in folder.iterdir():
        path.unlink()
    (folder / "offences.csv").write_text(
        "diarienummer;brottsnummer;brottskod;lagrum;brottsantal;anmalningsdatum;brottsdatum;kommunkod;handlaggande_region;"
        "malsagande_kon;malsagande_alder\n9999-K1-23;1;0355;;1;2023-01-01;;;;;\n",
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
    assert with_figures
    assert marts(settings.home / paths.WAREHOUSE) == built_at_once(settings, tmp_path / "at_once")
