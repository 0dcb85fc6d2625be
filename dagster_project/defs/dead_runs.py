"""Fails runs whose process was killed; Dagster considers them running, and its queue would wait for them forever."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import dagster as dg

from dagster_project.files import no_other_writer

WRITER = "uppklarat/writer"
# A run reaches its first step within a second of its start.
SECONDS_TO_FIRST_STEP = 180


def writer_tag() -> dict[str, str]:
    """The tag of a run whose process became the writer of the warehouse, and stays so until the run ends."""
    return {WRITER: f"{socket.gethostname()}, process {os.getpid()}"}


def note_writer(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Tag a run whose process has become the writer of the warehouse."""
    if WRITER not in run.tags:
        instance.add_run_tags(run.run_id, writer_tag())


def fail_dead_runs(instance: dg.DagsterInstance, lock: Path) -> list[str]:
    """Report started runs whose process no longer exists, on any host, as failed; return their ids.

    A run's process holds the writer lock from its first step to its end, and the operating system releases the lock of a killed
    process. If no process holds the lock, a run that held it is dead, and so is one that never acquired it. A process must not
    call this while it executes a run. Dagster's run monitoring (dagster.yaml) handles runs that were killed before they started.
    """
    started = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
    suspects = [
        record.dagster_run.run_id
        for record in instance.get_run_records(started)
        if WRITER in record.dagster_run.tags or time.time() - (record.start_time or 0) > SECONDS_TO_FIRST_STEP
    ]
    if not suspects or not no_other_writer(lock):
        return []
    # Excludes runs that have ended in the meantime.
    dead = instance.get_runs(dg.RunsFilter(run_ids=suspects, statuses=[dg.DagsterRunStatus.STARTED]))
    for run in dead:
        instance.report_run_failed(run, "the process of the run was killed; the next load finishes its work")
    return [run.run_id for run in dead]
