"""Someone who knows Dagster only uses its own commands, after `make setup` and a load, with no variable set."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.settings import REPOSITORY, Settings


@pytest.fixture(scope="module")
def clone(published_world: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the repository's configuration, a landing folder, and what a load by the command line made of it."""
    folder = tmp_path_factory.mktemp("clone")
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    shutil.copytree(published_world.landing, folder / "data" / "landing")
    run(folder, "python", "-m", "dagster_project.defs.instance")
    run(folder, "uppklarat", "load")
    return folder


def run(folder: Path, command: str, *arguments: str) -> str:
    """Run a command as in a new shell; gives what it printed."""
    ended = subprocess.run(
        [str(Path(sys.executable).with_name(command)), *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def runs(folder: Path) -> list[dg.DagsterRun]:
    with dg.DagsterInstance.from_config(str(folder / "data" / "warehouse" / "dagster")) as instance:
        return list(instance.get_runs())


def test_a_load_is_a_run_and_one_year_is_materialised(clone: Path) -> None:
    run(clone, "dagster", "definitions", "validate")
    (load,) = runs(clone)
    assert (load.job_name, load.status) == ("load", dg.DagsterRunStatus.SUCCESS)
    assert load.run_id in run(clone, "dagster", "run", "list")
    module = ("-m", "dagster_project.definitions")
    delivery = "raw/police_offences,raw/police_decisions"
    run(clone, "dagster", "asset", "materialize", "--select", delivery, "--partition", "2024", *module)
    by_hand, _ = runs(clone)
    assert (by_hand.tags["dagster/partition"], by_hand.status) == ("2024", dg.DagsterRunStatus.SUCCESS)
