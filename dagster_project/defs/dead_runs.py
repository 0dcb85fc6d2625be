"""Runs whose process was killed: Dagster takes them for running, and its queue would wait for them for ever."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import dagster as dg

from dagster_project.files import no_other_writer

WRITER = "uppklarat/writer"
# Between the start of a run and its first step lies less than a second.
SECONDS_TO_FIRST_STEP = 180


def writer_tag() -> dict[str, str]:
    """The tag of a run whose process is the writer of the warehouse, which it stays until the run ends."""
    return {WRITER: f"{socket.gethostname()}, process {os.getpid()}"}


def note_writer(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Tag a run whose process has become the writer of the warehouse."""
    if WRITER not in run.tags:
        instance.add_run_tags(run.run_id, writer_tag())


def fail_dead_runs(instance: dg.DagsterInstance, lock: Path) -> list[str]:
    """Report started runs as failed whose process is gone, on whatever host it ran; returns their ids.

    The process of a run is the writer from the first step to the end, and the operating system frees the lock of a process that
    is killed. So a run that was the writer is dead when nobody is, and so is one that never became it. Not to be called by a
    process while it executes a run. A run that was killed before it started is left to Dagster's run monitoring
    (dagster.yaml).
    """
    started = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
    suspects = [
        record.dagster_run.run_id
        for record in instance.get_run_records(started)
        if WRITER in record.dagster_run.tags or time.time() - (record.start_time or 0) > SECONDS_TO_FIRST_STEP
    ]
    if not suspects or not no_other_writer(lock):
        return []
    # A run that has ended meanwhile is no longer among them.
    dead = instance.get_runs(dg.RunsFilter(run_ids=suspects, statuses=[dg.DagsterRunStatus.STARTED]))
    for run in dead:
        instance.report_run_failed(run, "its process was killed before it ended; the next load finishes its work")
    return [run.run_id for run in dead]
