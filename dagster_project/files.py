"""Atomic file writes, so that a crash leaves no partial files, and the writer lock."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

UNFINISHED = ".unfinished"


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically: readers see the old content or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=UNFINISHED)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def remove_unfinished(folder: Path) -> None:
    """Remove the temporary files of killed `write_text` calls from a folder tree; only the writer may call this."""
    for path in folder.rglob(f".*{UNFINISHED}"):
        path.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file atomically."""
    write_text(path, json.dumps(content, ensure_ascii=False, indent=1, default=str) + "\n")


def read_json(path: Path, missing: Any) -> Any:
    """Read a JSON file; return `missing` if it does not exist."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else missing


def private_folder(folder: Path) -> None:
    """Create a folder that only its owner can access; an existing folder keeps its mode."""
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True)
        # mkdir's mode is subject to the umask.
        folder.chmod(0o700)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """A temporary folder, deleted on exit."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_held: dict[Path, TextIO] = {}


def hold_writer_lock(path: Path, report: Callable[[str], None], holder: str | None = None) -> bool:
    """Acquire the writer lock of the warehouse for this process; return False if the process holds it already.

    If another process holds it, call `report` with a message about that process and wait. `holder` describes this process in
    such messages (default: its command line). The operating system releases the lock when the process ends.
    """
    if path in _held:
        return False
    private_folder(path.parent)
    file = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        other = file.read().strip() or "just started"
        report(f"another load ({other}) is writing to the warehouse; waiting for it to end")
        fcntl.flock(file, fcntl.LOCK_EX)
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
    file.seek(0)
    file.truncate()
    file.write(f"{holder or command}, process {os.getpid()}, since {datetime.now().strftime('%Y-%m-%d %H:%M:%S')}")
    file.flush()
    _held[path] = file
    return True


def no_other_writer(path: Path) -> bool:
    """Whether no other process holds the writer lock."""
    if path in _held or not path.exists():
        return True
    with path.open("a+", encoding="utf-8") as file:
        try:
            # Closing the file releases the lock again.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def release_writer_lock(path: Path) -> None:
    """Release the writer lock."""
    if file := _held.pop(path, None):
        # The next holder must not see this process as the current one.
        file.truncate(0)
        file.close()
