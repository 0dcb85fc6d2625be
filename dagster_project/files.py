"""Writing files so that a reader, or a load after a crash, never takes half of one for a whole one; and the writer's lock."""

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
    """Write a text file in one step: whoever reads sees the old content or the new."""
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
    """Remove what `write_text` left in a folder, or anywhere in it, when its process was killed; only for the one writer."""
    for path in folder.rglob(f".*{UNFINISHED}"):
        path.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file in one step."""
    write_text(path, json.dumps(content, ensure_ascii=False, indent=1, default=str) + "\n")


def read_json(path: Path, missing: Any) -> Any:
    """Read a JSON file; `missing` is the answer where there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else missing


def private_folder(folder: Path) -> None:
    """Make a folder that nobody else may look into; one that is there keeps its mode."""
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True)
        # The process may allow less, never more, than was asked for.
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
    """A folder for temporary files that is gone afterwards."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_held: dict[Path, TextIO] = {}


def hold_writer_lock(path: Path, waiting: Callable[[str], None], who: str | None = None) -> bool:
    """Become the only process that writes to the warehouse, until this one ends; False if it is that already.

    While another process has it, say for whom we wait through `waiting`, and wait. `who` is what others are told of us (the
    command that was typed, unless given). The operating system lets go of the lock when its process ends, however it ends.
    """
    if path in _held:
        return False
    private_folder(path.parent)
    file = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "one that has just begun"
        waiting(f"another load ({holder}) is writing to the warehouse; waiting for it to end")
        fcntl.flock(file, fcntl.LOCK_EX)
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
    file.seek(0)
    file.truncate()
    file.write(f"{who or command}, process {os.getpid()}, since {datetime.now().strftime('%Y-%m-%d %H:%M:%S')}")
    file.flush()
    _held[path] = file
    return True


def no_other_writer(path: Path) -> bool:
    """Whether no other process is the writer now: this one is, or nobody is."""
    if path in _held or not path.exists():
        return True
    with path.open("a+", encoding="utf-8") as file:
        try:
            # Closing the file lets go of it again.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def release_writer_lock(path: Path) -> None:
    """Let other processes write."""
    if file := _held.pop(path, None):
        # Whoever comes next must not be told of us.
        file.truncate(0)
        file.close()
