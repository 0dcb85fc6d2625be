"""Someone who knows dbt only runs it on the warehouse of a load, and gets the marts of the load."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from conftest import copied, copy_code
from warehouse import marts

from dagster_project import paths
from dagster_project.cli.load import load
from dagster_project.settings import DBT_PROJECT, Settings
from dagster_project.state import read_state
from dagster_project.transformation.dbt_project import prepare_manifest
from dagster_project.transformation.fingerprints import is_built

# In the order in which a newcomer may try them; each ends with what it reads being there.
COMMANDS = (("compile",), ("build",), ("docs", "generate"))


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dbt project as in a fresh clone, parsed once by dbt."""
    copy = copy_code(DBT_PROJECT, tmp_path_factory.mktemp("parsed") / "dbt")
    assert dbt(copy, "parse").returncode == 0
    return copy


@pytest.fixture
def project(parsed: Path, tmp_path: Path) -> Path:
    """The dbt project, with a warehouse, if there is one, at the default places."""
    return shutil.copytree(parsed, tmp_path / "clone" / "dbt")


@pytest.fixture
def published(published_world: Settings, project: Path) -> Settings:
    """A loaded and published warehouse at the default places."""
    data = project.parent / "data"
    places = published_world.model_copy(
        update={"landing": data / "landing", "home": data / "warehouse", "published": data / "published"}
    )
    return copied(published_world, places)


def dbt(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run dbt as its users do: in the project's folder, with no variable set."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("dbt")), *arguments],
        cwd=project,
        env={"PATH": "/usr/bin:/bin", "HOME": str(project.parent / "home")},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_every_command_runs_where_nothing_was_loaded(project: Path) -> None:
    (project.parent / "data" / "warehouse").mkdir(parents=True)
    output = {}
    for command in COMMANDS:
        done = dbt(project, *command)
        assert done.returncode == 0, f"{command}: {done.stdout}"
        output[command[0]] = done.stdout
    assert "creating empty sources" in output["compile"]
    assert "creating empty sources" not in output["build"]
    assert (project / "target" / "catalog.json").exists()


def test_a_build_by_hand_changes_no_mart_of_a_load(project: Path, published: Settings) -> None:
    before = marts(published.home / paths.WAREHOUSE)
    assert before["fct_indicator_year"]
    done = dbt(project, "build", "--full-refresh")
    assert done.returncode == 0, done.stdout
    assert marts(published.home / paths.WAREHOUSE) == before
    assert "WARN=0" in done.stdout
    assert is_built(read_state(published))


def test_a_data_test_that_fails_by_hand_is_an_error(project: Path, published: Settings) -> None:
    with duckdb.connect(str(published.home / paths.WAREHOUSE)) as connection:
        connection.execute("delete from marts.fct_indicator_year where geography_level = 'riket'")
    done = dbt(project, "test", "--select", "fct_indicator_year")
    assert done.returncode == 1
    assert "Failure in test fct_indicator_year__every_figure_is_a_row" in done.stdout


def test_a_source_that_is_missing_among_others_is_no_empty_one(project: Path, published: Settings) -> None:
    with duckdb.connect(str(published.home / paths.WAREHOUSE)) as connection:
        connection.execute("drop table raw.complete_year")
    done = dbt(project, "run", "--select", "int_processed_offence")
    assert done.returncode == 1
    assert "does not exist" in done.stdout


def test_a_missing_warehouse_of_loaded_deliveries_is_not_built_empty(project: Path, published: Settings) -> None:
    (published.home / paths.WAREHOUSE).unlink()
    for _ in range(2):
        done = dbt(project, "run")
        assert done.returncode != 0
        assert "deliveries are loaded: `uppklarat load` rebuilds it" in done.stdout


def test_no_model_is_built_of_stale_ones_after_a_load_that_was_stopped(project: Path, published: Settings) -> None:
    with duckdb.connect(str(published.home / paths.WAREHOUSE)) as connection:
        connection.execute("drop table build.result")
    done = dbt(project, "run", "--select", "int_scoped_offence")
    assert done.returncode != 0
    assert "select +int_scoped_offence" in done.stdout
    assert dbt(project, "run", "--select", "+int_scoped_offence").returncode == 0


def test_a_changed_model_derives_every_year_again(project: Path, published: Settings) -> None:
    """And so does the load after the change was taken back, although every delivery is the same."""
    before = marts(published.home / paths.WAREHOUSE)
    model = project / "models" / "intermediate" / "int_processed_offence.sql"
    rules = model.read_text(encoding="utf-8")
    assert "standing.is_clearing as is_cleared" in rules
    model.write_text(rules.replace("standing.is_clearing as is_cleared", "true as is_cleared"), encoding="utf-8")
    done = dbt(project, "run")
    assert done.returncode == 0, done.stdout
    with duckdb.connect(str(published.home / paths.WAREHOUSE), read_only=True) as connection:
        uncleared = connection.execute("select count(*) from intermediate.int_processed_offence where not is_cleared")
        assert uncleared.fetchall() == [(0,)]
    load(published)
    assert marts(published.home / paths.WAREHOUSE) == before
    assert is_built(read_state(published))


def test_what_a_load_parsed_is_apart_from_what_dbt_writes_by_hand() -> None:
    assert prepare_manifest().is_relative_to(Settings().home)


def test_a_load_repairs_marts_that_are_not_as_it_built_them(published: Settings) -> None:
    """And writes nothing into the code."""

    def written() -> set[tuple[str, int]]:
        return {(str(path), path.stat().st_mtime_ns) for path in DBT_PROJECT.rglob("*")}

    warehouse, code = published.home / paths.WAREHOUSE, written()
    before = marts(warehouse)
    for meddling in (
        "drop table marts.dim_year",
        "update marts.fct_indicator_year set cleared = cleared + 1 where geography_level = 'riket' and year = 2024",
    ):
        with duckdb.connect(str(warehouse)) as connection:
            connection.execute(meddling)
        assert not is_built(read_state(published))
    outcome = load(published)
    assert (outcome.publication, outcome.rejected, outcome.blocked) == (None, (), None)
    assert marts(warehouse) == before
    assert is_built(read_state(published))
    assert written() == code
