"""Someone who knows dbt only runs it on the warehouse of a load, and gets the marts of the load."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from conftest import copied, settings_in
from warehouse import marts

from dagster_project.cli.load import load
from dagster_project.settings import DBT_PROJECT, Settings
from dagster_project.transformation.fingerprints import is_built


@pytest.fixture
def published(published_world: Settings, tmp_path: Path) -> Settings:
    return copied(published_world, settings_in(tmp_path, published_world.suppress_below))


def dbt(settings: Settings, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run dbt as its users do, in the project's folder; what it writes is kept out of the code's."""
    return subprocess.run(
        [
            str(Path(sys.executable).with_name("dbt")),
            *arguments,
            "--target-path",
            str(folder),
            "--log-path",
            str(folder),
        ],
        cwd=DBT_PROJECT,
        env={"PATH": os.environ["PATH"], "UPPKLARAT_WAREHOUSE_FILE": str(settings.warehouse_file)},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_a_build_by_hand_changes_no_mart(published: Settings, tmp_path: Path) -> None:
    before = marts(published.warehouse_file)
    done = dbt(published, tmp_path / "target", "build", "--exclude-resource-type", "unit_test")
    assert done.returncode == 0, done.stdout
    assert marts(published.warehouse_file) == before
    assert before["fct_indicator_year"]
    assert is_built(published)


def test_a_full_refresh_by_hand_changes_no_mart(published: Settings, tmp_path: Path) -> None:
    before = marts(published.warehouse_file)
    done = dbt(published, tmp_path / "target", "run", "--full-refresh")
    assert done.returncode == 0, done.stdout
    assert marts(published.warehouse_file) == before


def test_a_database_without_sources_is_refused(settings: Settings, tmp_path: Path) -> None:
    settings.home.mkdir()
    done = dbt(settings, tmp_path / "target", "build", "--exclude-resource-type", "unit_test")
    assert done.returncode == 1
    assert "does not exist" in done.stdout


@pytest.mark.parametrize(
    "meddling",
    [
        "delete from marts.fct_indicator_year where year = 2023",
        "update marts.fct_indicator_year set cleared = cleared + 1 where geography_level = 'riket' and year = 2024",
        "drop table marts.dim_year",
    ],
)
def test_a_load_notices_marts_that_are_not_as_it_built_them(published: Settings, meddling: str) -> None:
    before = marts(published.warehouse_file)
    with duckdb.connect(str(published.warehouse_file)) as connection:
        connection.execute(meddling)
    assert not is_built(published)
    outcome = load(published)
    assert (outcome.publication, outcome.rejected, outcome.blocked) == (None, (), None)
    assert marts(published.warehouse_file) == before
    assert is_built(published)
