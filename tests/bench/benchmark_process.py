"""Measures a command as a process: wall and CPU seconds, memory of all its processes together, and what it wrote."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SAMPLED_EVERY = 0.05
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Measured:
    """What a process and all those below it took: seconds, bytes.

    `memory` is the largest sum of resident sets seen; pages that two processes share count twice. `written` counts what went to
    files, temporary ones too, unless they were gone before the system had written them.
    """

    wall: float
    cpu: float
    memory: int
    written: int


def measured(command: Sequence[str], environment: Mapping[str, str]) -> Measured:
    """Run a command; exits with the command's output if it fails."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        began = time.monotonic()
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=errors)
        memory = _MemoryOf(process.pid)
        # Not reaped yet, so that the system still tells what it wrote.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        wall = time.monotonic() - began
        written = _written(process.pid)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {errors.read()[-2000:]}")
    return Measured(wall, used.ru_utime + used.ru_stime, memory.peak(), written)


def tree_memory(pid: int) -> int:
    """Bytes that a process and all those below it have in memory now; 0 when it is gone."""
    try:
        own = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]) * _PAGE
        children = [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text(encoding="utf-8").split()
        ]
    except (OSError, IndexError):
        return 0
    return own + sum(map(tree_memory, children))


class _MemoryOf:
    """Looks at a process's memory until it ends, in a thread of its own."""

    def __init__(self, pid: int) -> None:
        self._pid, self._peak = pid, 0
        self._ended = threading.Event()
        self._looking = threading.Thread(target=self._look, daemon=True)
        self._looking.start()

    def peak(self) -> int:
        self._ended.set()
        self._looking.join()
        return self._peak

    def _look(self) -> None:
        while not self._ended.wait(SAMPLED_EVERY):
            # The system itself remembers the peak of the one process, between two looks too.
            self._peak = max(self._peak, tree_memory(self._pid), _high_water(self._pid))


def _high_water(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0)


def _written(pid: int) -> int:
    fields = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text(encoding="utf-8").splitlines())
    return int(fields["write_bytes"]) - int(fields["cancelled_write_bytes"])
