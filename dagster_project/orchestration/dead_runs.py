"""Runs whose process was killed: Dagster takes them for running, and its queue would wait for them for ever."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import dagster as dg

PROCESS = "uppklarat/process"


def note_process(instance: dg.DagsterInstance, run_id: str) -> None:
    """Note at a run which process it is, so that others can see whether it still lives."""
    run = instance.get_run_by_id(run_id)
    if run is not None and PROCESS not in run.tags:
        instance.add_run_tags(run_id, {PROCESS: _process(os.getpid())})


def fail_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Report runs as failed whose process on this machine is gone; returns their ids."""
    dead = []
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        host, _, process = run.tags.get(PROCESS, "").partition("/")
        if host == socket.gethostname() and _process(int(process.split("/")[0])) != run.tags[PROCESS]:
            instance.report_run_failed(run, "its process was killed before it ended; the next load finishes its work")
            dead.append(run.run_id)
    return dead


def _process(pid: int) -> str:
    """Machine, number and, where the system tells it, the start of a process, since numbers are used again."""
    try:
        began = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except OSError:
        try:
            os.kill(pid, 0)
            began = ""
        except OSError:
            began = "gone"
    return f"{socket.gethostname()}/{pid}/{began}"
