"""Dagster's daemon and the run that it launched are killed together: what was delivered is loaded in the end, without a person."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from crowd import answers, dagster_dev, start_dagster_dev, turn_on_sensor, wait_until
from loads import broken_promises
from reference.worlds import dirty_world
from warehouse import figures

from dagster_project import paths
from dagster_project.defs.dead_runs import WRITER
from dagster_project.defs.instance import open_instance
from dagster_project.publication.draft import DATABASE
from dagster_project.settings import Settings

# What Dagster waits for a run to start, how often it looks, and the sensor's and our own waiting; then the load.
LONGEST = 600


def kill_session(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and all that it and its children started, wherever they put themselves, at once."""
    members = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            session = int(status.read_text().rpartition(")")[2].split()[3])
        except OSError:
            continue
        if session == process.pid:
            members.append(int(status.parent.name))
    assert len(members) > 2
    for member in members:
        os.kill(member, signal.SIGKILL)
    process.wait()


def is_starting(run: dg.DagsterRun) -> bool:
    return run.status is dg.DagsterRunStatus.STARTING


def is_writing(run: dg.DagsterRun) -> bool:
    return run.status is dg.DagsterRunStatus.STARTED and WRITER in run.tags


@pytest.mark.soak
@pytest.mark.parametrize("moment", [is_starting, is_writing])
def test_what_was_delivered_is_loaded_in_the_end(settings: Settings, moment: Callable[[dg.DagsterRun], bool]) -> None:
    settings.landing.mkdir()
    process, port = start_dagster_dev(settings)
    try:
        wait_until(lambda: answers(port), 120)
        turn_on_sensor(port)
        dirty_world(settings.landing, seed=80, offences_per_year=60, years=(2023,), dirt=0.0)
        with open_instance(settings) as instance:
            wait_until(lambda: any(moment(run) for run in instance.get_runs()), 180)
        time.sleep(0.5)
    finally:
        kill_session(process)
    with open_instance(settings) as instance:
        (killed,) = instance.get_runs()
        assert not killed.is_finished
        with dagster_dev(settings):
            wait_until(lambda: any(run.is_success for run in instance.get_runs()), LONGEST)
        after = {run.run_id: run.status.value for run in instance.get_runs()}
    assert after.pop(killed.run_id) == "FAILURE"
    assert list(after.values()) == ["SUCCESS"]
    assert broken_promises(settings) == []
    assert {key[2] for key in figures(settings.published / paths.CURRENT / DATABASE)} == {2023}
