"""Killed at any moment, a load harms nothing: the next one finishes the work with the content of an undisturbed run."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import settings_in
from reference.worlds import dirty_world
from warehouse import COMMAND, environment, marts, uppklarat

from dagster_project.publish.draft import DATABASE
from dagster_project.publish.publications import changed_files, publications
from dagster_project.settings import REPOSITORY, Settings

# What lies on disk at a stage of the load, in the order in which it comes to lie there.
STAGES: dict[str, Callable[[Settings], bool]] = {
    "a delivery is judged": lambda at: any(at.scratch.glob("*/prepared/*.parquet")),
    "some deliveries are active": lambda at: at.ledger.exists(),
    "the build has begun": lambda at: at.warehouse_file.exists(),
    "the build is done": lambda at: at.data_tests.exists(),
    "the audit is done": lambda at: at.audit_results.exists(),
    "a draft is begun": lambda at: at.draft.exists(),
    "half of the draft is written": lambda at: (at.draft / "csv" / "fct_case_flow_year.csv").exists(),
    "the draft is described": lambda at: at.draft_description.exists(),
    "the draft is sealed": lambda at: (at.draft / "manifest.json").exists(),
    "it is renamed but not pointed to": lambda at: any(at.published.glob("2*/manifest.json")),
}
IN_THE_SUITE = ["some deliveries are active", "the build has begun", "the draft is sealed"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = settings_in(tmp_path_factory.mktemp("undisturbed"))
    dirty_world(settings.landing, seed=40, offences_per_year=500, years=(2023, 2024), dirt=0.002)
    assert uppklarat(settings, "load").returncode == 0
    return settings


def kill_when(settings: Settings, condition: Callable[[], bool]) -> bool:
    """Start a load and kill it when the condition holds; False if it ended before."""
    command = [str(COMMAND), "load"]
    quiet = subprocess.DEVNULL
    load = subprocess.Popen(command, env=environment(settings), cwd=REPOSITORY, stdout=quiet, stderr=quiet)
    deadline = time.monotonic() + 120
    while load.poll() is None:
        if condition() or time.monotonic() > deadline:
            load.send_signal(signal.SIGKILL)
            load.wait()
            return True
        time.sleep(0.001)
    return False


def assert_recovers(settings: Settings, undisturbed: Settings) -> None:
    if settings.current.exists():
        assert all(changed_files(publication) == [] for publication in publications(settings))
    again = uppklarat(settings, "load")
    assert again.returncode == 0, again.stderr
    assert marts(settings.current / DATABASE) == marts(undisturbed.current / DATABASE)
    assert settings.current.readlink().name == publications(settings)[-1].publication_id
    assert changed_files(publications(settings)[-1]) == []
    assert not settings.draft.exists()
    assert not any(settings.scratch.glob("*"))
    assert "nothing new" in uppklarat(settings, "load").stdout


@pytest.mark.parametrize("stage", IN_THE_SUITE)
def test_killed_at_a_stage(undisturbed: Settings, tmp_path: Path, stage: str) -> None:
    settings = settings_in(tmp_path)
    shutil.copytree(undisturbed.landing, settings.landing)
    kill_when(settings, lambda: STAGES[stage](settings))
    assert_recovers(settings, undisturbed)


@pytest.mark.soak
@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage not in IN_THE_SUITE])
def test_killed_at_every_other_stage(undisturbed: Settings, tmp_path: Path, stage: str) -> None:
    test_killed_at_a_stage(undisturbed, tmp_path, stage)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_killed_at_a_random_moment(undisturbed: Settings, tmp_path: Path, seed: int) -> None:
    settings = settings_in(tmp_path)
    shutil.copytree(undisturbed.landing, settings.landing)
    moment = time.monotonic() + random.Random(seed).uniform(2, 18)
    kill_when(settings, lambda: time.monotonic() > moment)
    assert_recovers(settings, undisturbed)


def test_a_publication_that_was_not_pointed_to_is(undisturbed: Settings, tmp_path: Path) -> None:
    """Unless somebody went back on purpose."""
    settings = settings_in(tmp_path)
    shutil.copytree(undisturbed.landing, settings.landing, copy_function=shutil.copy2)
    shutil.copytree(undisturbed.home, settings.home, symlinks=True)
    shutil.copytree(undisturbed.published, settings.published, symlinks=True)
    (first,) = publications(settings)
    later = settings.published / "29990101T000000Z"
    shutil.copytree(first.folder, later)
    assert settings.current.readlink().name == first.publication_id
    assert uppklarat(settings, "load").returncode == 0
    assert settings.current.readlink().name == later.name
    assert uppklarat(settings, "publications", "--activate", first.publication_id).returncode == 0
    assert uppklarat(settings, "load").returncode == 0
    assert settings.current.readlink().name == first.publication_id
