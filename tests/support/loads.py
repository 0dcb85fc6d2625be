"""Loads in processes of their own that cost no imports: forked from a server that has imported everything, and easily hurt.

A load is the command as people type it, with its own environment, output and process group. It may be told to die at a named
moment, to live with another clock, with less disk, or without the powers of root. Nothing of this is known to the product:
the forked process is prepared before the command begins.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatch
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

from warehouse import environment, marts

from dagster_project.files import UNFINISHED
from dagster_project.publication.draft import DATABASE
from dagster_project.publications import MANIFEST, changed_files, publications
from dagster_project.settings import REPOSITORY, Settings

# What a load imports, and what Dagster and dbt import only when they are used.
IMPORTED_ONCE = [
    "dagster_project.cli.main",
    "dagster_project.cli.load",
    "dagster_project.cli.dagster_run",
    "dagster_project.publication.formats.write",
    "dagster_project.report.follow_up",
    "expectations.suites",
    "expectations.validation",
    "great_expectations",
    "dbt.cli.main",
    "dbt.adapters.duckdb",
    "dbt.contracts.graph.manifest",
    "dagster._core.storage.event_log.sqlite",
    "dagster._core.storage.runs",
    "dagster._core.storage.schedules",
    "dagster._core.workspace.permissions",
    "alembic.command",
    "alembic.autogenerate",
    "sqlparse",
    "loads_warm",
]
# Starting a process also looks at all others, and two who look at once would take each other's answer.
_starting_or_looking = threading.Lock()
TESTS = str(Path(__file__).parent)


@dataclass(frozen=True)
class Stop:
    """A moment of a load: just before the nth rename, link or call that fits the pattern.

    Renames and links are named by their target, calls by module and name.
    """

    kind: str
    pattern: str
    nth: int = 1


@dataclass(frozen=True)
class Way:
    """How a load is to go; without anything, as it goes for a user."""

    arguments: tuple[str, ...] = ("load",)
    without_dagster: bool = False
    """The same steps in the same order, called by `load` directly: half the time, no record of a run, and the tables only."""
    dies_at: Stop | None = None
    clock: timedelta = timedelta()
    clock_jumps_when_built: timedelta = timedelta()
    largest_file: int | None = None
    as_root: bool = True
    """Without it, permissions count: the process gives up the powers that let root pass over them."""
    more: tuple[tuple[str, str], ...] = ()
    """Variables of its environment besides."""
    said: Path | None = None
    """Where its output is kept, if not beside the warehouse."""


@dataclass(frozen=True)
class Ended:
    """What came of a load."""

    returncode: int
    stdout: str
    stderr: str


class Load:
    """A running load."""

    def __init__(self, settings: Settings, way: Way, said: Path) -> None:
        said.mkdir(parents=True, exist_ok=True)
        self.said = said / f"{time.monotonic_ns()}"
        self.began = time.monotonic()
        self._process = forked(_run, (str(self.said), settings, way))

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return not has_ended(self._process)

    def kill(self) -> bool:
        """Kill it and all it started; False if it had ended by itself before."""
        with contextlib.suppress(ProcessLookupError):
            # It becomes a group of its own only a moment after it was forked.
            os.kill(self.pid, signal.SIGKILL)
            os.killpg(self.pid, signal.SIGKILL)
        self._wait_until_gone(60)
        return bool(self._process.exitcode == -signal.SIGKILL)

    def wait(self, timeout: float = 300) -> Ended:
        if not self._wait_until_gone(timeout):
            self.kill()
            raise TimeoutError(f"a load did not end within {timeout} s: {self.progress}")
        assert self._process.exitcode is not None
        return Ended(self._process.exitcode, self._read(".out"), self.progress)

    @property
    def progress(self) -> str:
        """What it has said so far on standard error."""
        return self._read(".err")

    def _read(self, suffix: str) -> str:
        path = self.said.with_suffix(suffix)
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def _wait_until_gone(self, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        while self.running:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True


def start(settings: Settings, way: Way = Way()) -> Load:
    """Start a load of this warehouse; what it says is kept beside the warehouse."""
    return Load(settings, way, way.said or settings.home.parent / "said")


def run(settings: Settings, way: Way = Way(), timeout: float = 300) -> Ended:
    """A load from its beginning to its end."""
    return start(settings, way).wait(timeout)


def forked(target: Callable[..., None], arguments: tuple[Any, ...]) -> Any:
    """Start a process that has everything imported."""
    with _starting_or_looking:
        process = _context().Process(target=target, args=arguments, daemon=True)
        process.start()
    return process


def has_ended(process: Any) -> bool:
    """Whether a forked process is gone."""
    with _starting_or_looking:
        return not process.is_alive()


def _context() -> Any:
    """The server that forks: it imports everything, and never opens a connection, so that forking it is safe."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED_ONCE)
    # It looks for what to import where we do, and what killed processes leave behind is not worth a warning.
    needed = {"PYTHONPATH": TESTS, "PYTHONWARNINGS": "ignore:resource_tracker:UserWarning"}
    before = {name: os.environ.get(name) for name in needed}
    os.environ.update(needed)
    try:
        forkserver.ensure_running()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    return context


# --- inside the forked process -----------------------------------------------------------------------------------------


def _run(said: str, settings: Settings, way: Way) -> None:
    os.setpgid(0, 0)
    for suffix, number in ((".out", 1), (".err", 2)):
        handle = os.open(f"{said}{suffix}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(handle, number)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    alone = {**environment(settings), **dict(way.more), "DO_NOT_TRACK": "1", "GX_ANALYTICS_ENABLED": "False"}
    os.environ.clear()
    os.environ.update(alone)
    os.chdir(REPOSITORY)
    sys.argv = ["uppklarat", *way.arguments]
    from dagster_project.cli import main as cli
    from dagster_project.report import follow_up

    # Drawn in seconds, and nothing that a crash could hurt depends on it.
    follow_up.write_report = lambda _: None
    if way.without_dagster:
        _without_dagster()
    if way.clock or way.clock_jumps_when_built:
        _other_clock(way.clock, way.clock_jumps_when_built)
    if way.largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (way.largest_file, way.largest_file))
    if not way.as_root and os.geteuid() == 0:
        _drop_powers()
    if way.dies_at is not None:
        _die_at(way.dies_at)
    code = 1
    try:
        code = cli.main(list(way.arguments))
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # Ending as Python ends would wait for threads that the server's imports left.
        os._exit(code)


def _without_dagster() -> None:
    import dagster_project.cli.load as loading
    from dagster_project.ingestion.ingest import changed_folders, ingest
    from dagster_project.ingestion.rejection import RejectedDeliveryError
    from dagster_project.publication.formats import write
    from dagster_project.publication.release import PublishingBlockedError, make_draft, release
    from dagster_project.quality.audit import audit_warehouse
    from dagster_project.transformation.build import build_marts

    write.write_formats = lambda *_: None

    def steps(settings: Settings, touched: Any, years: Any) -> loading.LoadOutcome:
        rejected = []
        for folder in changed_folders(settings):
            try:
                ingest(folder, settings)
            except RejectedDeliveryError as error:
                rejected.append(str(error))
        build_marts(settings)
        audit_warehouse(settings)
        try:
            make_draft(settings)
            return loading.LoadOutcome(release(settings), tuple(rejected))
        except PublishingBlockedError as error:
            return loading.LoadOutcome(None, tuple(rejected), str(error))

    loading._run = steps


def _other_clock(moved: timedelta, jump: timedelta) -> None:
    """Move what the product takes for the present; it jumps once more when the marts are built."""
    import dagster_project.transformation.build as building

    offset = moved

    class Moved(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + offset

    for module in list(sys.modules.values()):
        if (
            getattr(module, "__name__", "").startswith("dagster_project.")
            and getattr(module, "datetime", None) is datetime
        ):
            module.datetime = Moved  # type: ignore[attr-defined]
    real_time = time.time
    time.time = lambda: real_time() + offset.total_seconds()  # Dagster's and dbt's

    done = building.record_build_ended

    def built(*arguments: Any) -> None:
        nonlocal offset
        done(*arguments)
        offset = moved + jump

    building.record_build_ended = built


def _drop_powers() -> None:
    """Give up CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, with which root may open what it likes."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)()
    assert libc.capget(header, data) == 0
    for word in (0, 1):
        data[word] &= ~(0b110 | 0b1000)
    assert libc.capset(header, data) == 0


def _die_at(stop: Stop) -> None:
    seen = 0

    def count() -> None:
        nonlocal seen
        seen += 1
        if seen == stop.nth:
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)  # the signal arrives within this

    if stop.kind == "call":
        module, _, name = stop.pattern.rpartition(".")
        try:
            owner: Any = importlib.import_module(module)
        except ModuleNotFoundError:
            outer, _, inner = module.rpartition(".")
            owner = getattr(importlib.import_module(outer), inner)
        called = getattr(owner, name)

        def dying(*arguments: Any, **named: Any) -> Any:
            count()
            return called(*arguments, **named)

        setattr(owner, name, dying)
        return
    event = {"rename": "os.rename", "link": "os.symlink"}[stop.kind]

    def listen(happens: str, arguments: tuple[Any, ...]) -> None:
        if happens == event and fnmatch(os.fspath(arguments[1]), stop.pattern):
            count()

    sys.addaudithook(listen)


# --- what must be true afterwards --------------------------------------------------------------------------------------


def broken_promises(settings: Settings) -> list[str]:
    """What is wrong with what readers have, at any moment, whatever happened to a load."""
    if not settings.current.is_symlink():
        return ["current is no link"] if settings.current.exists() else []
    if not (settings.current / MANIFEST).is_file():
        return [f"current leads to {settings.current.readlink()}, which is no publication"]
    wrong = []
    for one in publications(settings):
        files = {str(path.relative_to(one.folder)) for path in one.folder.rglob("*") if path.is_file()}
        wrong += [f"{one.publication_id}: {name} is not what the manifest says" for name in changed_files(one)]
        wrong += [f"{one.publication_id}: {name} is in excess" for name in files - {*one.said["files"], MANIFEST}]
    return wrong


def leftovers(settings: Settings) -> list[str]:
    """What a load that ended has no business to leave behind."""
    found = [*settings.scratch.glob("*"), *settings.published.glob(".*"), *settings.home.rglob("*.new")]
    for folder in (settings.home, settings.audit, settings.raw, *settings.raw.rglob("*/")):
        found += folder.glob(".*")
    # Dagster has hidden files of its own there.
    found += settings.dagster_home.rglob(f".*{UNFINISHED}")
    found += list(settings.home.glob("*.wal"))
    found += [path for path in settings.raw.glob("*/*/*") if not (path / "delivery.json").is_file()]
    found += [path for path in settings.raw.glob("*/*") if not any(path.iterdir())]
    return sorted({str(path.relative_to(settings.home.parent)) for path in found})


def content(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """All figures that readers have."""
    return marts(settings.current / DATABASE)


def faults_after(settings: Settings, expected: dict[str, list[tuple[Any, ...]]], ended: Ended) -> list[str]:
    """What a load that was to mend everything left wrong: with readers, in the figures, on disk."""
    if ended.returncode != 0:
        return [f"it ended with {ended.returncode}: {ended.stderr[-600:]}"]
    wrong = [*broken_promises(settings), *(f"left behind: {name}" for name in leftovers(settings))]
    newest = publications(settings)[-1].publication_id
    if settings.current.readlink().name != newest:
        wrong.append(f"current is not the newest, {newest}")
    found = content(settings)
    return wrong + [
        f"{table} is not that of an undisturbed run" for table in expected if found[table] != expected[table]
    ]
