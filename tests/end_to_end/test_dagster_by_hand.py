"""Someone who knows Dagster only uses its own commands, after `make setup`, with no variable set."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
from warehouse import share_parsed_project

from dagster_project.settings import REPOSITORY, Settings


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


def test_one_year_is_materialised(published_world: Settings, tmp_path: Path) -> None:
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    shutil.copytree(published_world.landing, tmp_path / "data" / "landing")
    share_parsed_project(tmp_path / "data" / "warehouse")
    # As of a folder that was moved here, with a line of its user's.
    (tmp_path / ".env").write_text("DAGSTER_HOME=/nowhere\nOWN=1\n")
    run(tmp_path, "python", "-m", "dagster_project.defs.instance")
    assert (tmp_path / ".env").read_text() == f"OWN=1\nDAGSTER_HOME={tmp_path}/data/warehouse/dagster\n"
    delivery = "raw/police_offences,raw/police_decisions,raw/police_reports"
    module = ("-m", "dagster_project.definitions")
    printed = run(tmp_path, "dagster", "asset", "materialize", "--select", delivery, "--partition", "2024", *module)
    # The step that validates every delivery reports only the checks of the selected assets.
    assert "which is not selected" not in printed
    with dg.DagsterInstance.from_config(str(tmp_path / "data" / "warehouse" / "dagster")) as instance:
        (by_hand,) = instance.get_runs()
    assert (by_hand.tags["dagster/partition"], by_hand.status) == ("2024", dg.DagsterRunStatus.SUCCESS)
    # Of the same code location as the runs that `dagster dev` launches: its first page shows both.
    assert by_hand.remote_job_origin is not None
    assert by_hand.remote_job_origin.repository_origin.get_label() == "__repository__@dagster_project.definitions"
