"""Loads in separate processes, forked from a server that has imported everything, with injected faults.

A load is the command with its own environment, output and process group. It can be killed at a given point, or run with another
clock, a limited file size or without root's privileges. The forked process is prepared before the command starts.
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

from dagster_project import paths
from dagster_project.files import UNFINISHED
from dagster_project.publication.draft import DATABASE
from dagster_project.publications import MANIFEST, changed_files, publications
from dagster_project.settings import REPOSITORY, Settings
from dagster_project.state import read_state

# Imports of a load, including lazy imports of Dagster and dbt.
IMPORTED_ONCE = [
    "dagster_project.cli.main",
    "dagster_project.cli.load",
    "dagster_project.defs.load_run",
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
# Starting a process also polls all others, which is not thread-safe.
_starting_or_looking = threading.Lock()
TESTS = str(Path(__file__).parent)


@dataclass(frozen=True)
class Stop:
    """A point in a load: just before the nth rename, link or call that matches the pattern.

    The pattern of renames and links is their target, of calls module and name.
    """

    kind: str
    pattern: str
    nth: int = 1


@dataclass(frozen=True)
class Way:
    """Options of a load; the default is a load as a user runs it."""

    arguments: tuple[str, ...] = ("load",)
    without_dagster: bool = False
    """Call the same steps directly: half the time, no Dagster run, tables only."""
    dies_at: Stop | None = None
    clock: timedelta = timedelta()
    clock_jumps_when_built: timedelta = timedelta()
    largest_file: int | None = None
    as_root: bool = True
    """If false, the process drops the capabilities with which root ignores permissions."""
    more: tuple[tuple[str, str], ...] = ()
    """Additional environment variables."""
    output: Path | None = None
    """The folder of its output; by default beside the warehouse."""


@dataclass(frozen=True)
class Ended:
    """The outcome of a load."""

    returncode: int
    stdout: str
    stderr: str


class Load:
    """A running load."""

    def __init__(self, settings: Settings, way: Way, output: Path) -> None:
        output.mkdir(parents=True, exist_ok=True)
        self.output = output / f"{time.monotonic_ns()}"
        self.began = time.monotonic()
        self._process = forked(_run, (str(self.output), settings, way))

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return not has_ended(self._process)

    def kill(self) -> bool:
        """Kill the load and its children; return False if it had already ended."""
        with contextlib.suppress(ProcessLookupError):
            # It becomes a process group only shortly after the fork.
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
        """Its standard error so far."""
        return self._read(".err")

    def _read(self, suffix: str) -> str:
        path = self.output.with_suffix(suffix)
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def _wait_until_gone(self, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        while self.running:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True


def start(settings: Settings, way: Way = Way()) -> Load:
    """Start a load of this warehouse."""
    return Load(settings, way, way.output or settings.home.parent / "output")


def run(settings: Settings, way: Way = Way(), timeout: float = 300) -> Ended:
    """Run a load to its end."""
    return start(settings, way).wait(timeout)


def forked(target: Callable[..., None], arguments: tuple[Any, ...]) -> Any:
    """Fork a process that has imported everything."""
    with _starting_or_looking:
        process = _context().Process(target=target, args=arguments, daemon=True)
        process.start()
    return process


def has_ended(process: Any) -> bool:
    """Return whether a forked process has ended."""
    with _starting_or_looking:
        return not process.is_alive()


def _context() -> Any:
    """Return the context of the fork server, which imports everything and opens no connection, so forking is safe."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED_ONCE)
    # The server needs our path; warnings about resources of killed processes are ignored.
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


def _run(output: str, settings: Settings, way: Way) -> None:
    os.setpgid(0, 0)
    for suffix, number in ((".out", 1), (".err", 2)):
        handle = os.open(f"{output}{suffix}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
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

    # Slow, and nothing that a crash could damage depends on it.
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
        # A normal exit would wait for threads of the server's imports.
        os._exit(code)


def _without_dagster() -> None:
    import dagster_project.cli.load as loading
    from dagster_project.ingestion.ingest import changed_folders, ingest
    from dagster_project.ingestion.rejection import RejectedDeliveryError
    from dagster_project.publication.formats import write
    from dagster_project.publication.release import PublishingBlockedError, make_draft, release
    from dagster_project.quality.audit import audit_deliveries, audit_warehouse
    from dagster_project.transformation.build import build_marts

    write.write_formats = lambda *_: None

    def steps(settings: Settings, touched: Any, years: Any) -> loading.LoadOutcome:
        rejected = []
        for folder in changed_folders(read_state(settings)):
            try:
                ingest(folder, settings)
            except RejectedDeliveryError as error:
                rejected.append(str(error))
        audit = audit_deliveries(settings)
        if audit.blocking:
            return loading.LoadOutcome(None, tuple(rejected), str(PublishingBlockedError(audit.blocking)))
        build_marts(settings)
        audit_warehouse(settings)
        try:
            make_draft(settings)
            return loading.LoadOutcome(release(settings), tuple(rejected))
        except PublishingBlockedError as error:
            return loading.LoadOutcome(None, tuple(rejected), str(error))

    loading._run = steps


def _other_clock(moved: timedelta, jump: timedelta) -> None:
    """Shift the product's clock, and shift it again when the marts are built."""
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
    """Drop CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, with which root ignores permissions."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)()
    assert libc.capget(header, data) == 0
    for word in (0, 1):
        data[word] &= ~(0b110 | 0b1000)
    assert libc.capset(header, data) == 0


def _die_at(stop: Stop) -> None:
    count_so_far = 0

    def count() -> None:
        nonlocal count_so_far
        count_so_far += 1
        if count_so_far == stop.nth:
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
    """Return faults of the current publication, which must be intact at any moment."""
    current = settings.published / paths.CURRENT
    if not current.is_symlink():
        return ["current is no link"] if current.exists() else []
    if not (current / MANIFEST).is_file():
        return [f"current leads to {current.readlink()}, which is no publication"]
    wrong = []
    for publication in publications(settings):
        files = {str(path.relative_to(publication.folder)) for path in publication.folder.rglob("*") if path.is_file()}
        wrong += [
            f"{publication.publication_id}: {name} is not what the manifest says" for name in changed_files(publication)
        ]
        wrong += [
            f"{publication.publication_id}: {name} is in excess"
            for name in files - {*publication.manifest["files"], MANIFEST}
        ]
    return wrong


def leftovers(settings: Settings) -> list[str]:
    """Return the files that a load must not leave behind."""
    raw_store = settings.home / paths.RAW_STORE
    found = [*(settings.home / paths.SCRATCH).glob("*"), *settings.published.glob(".*"), *settings.home.rglob("*.new")]
    for folder in (settings.home, settings.home / paths.AUDIT, raw_store, *raw_store.rglob("*/")):
        found += folder.glob(".*")
    # Only unfinished files, because Dagster has hidden files there.
    found += (settings.home / paths.DAGSTER_HOME).rglob(f".*{UNFINISHED}")
    found += list(settings.home.glob("*.wal"))
    found += [path for path in raw_store.glob("*/*/*") if not (path / "delivery.json").is_file()]
    found += [path for path in raw_store.glob("*/*") if not any(path.iterdir())]
    return sorted({str(path.relative_to(settings.home.parent)) for path in found})


def content(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """Return all figures of the current publication."""
    return marts(settings.published / paths.CURRENT / DATABASE)


def faults_after(settings: Settings, expected: dict[str, list[tuple[Any, ...]]], ended: Ended) -> list[str]:
    """Return faults after a load that must have recovered everything: current publication, figures, files."""
    if ended.returncode != 0:
        return [f"it ended with {ended.returncode}: {ended.stderr[-600:]}"]
    wrong = [*broken_promises(settings), *(f"left behind: {name}" for name in leftovers(settings))]
    newest = publications(settings)[-1].publication_id
    if (settings.published / paths.CURRENT).readlink().name != newest:
        wrong.append(f"current is not the newest, {newest}")
    figures = content(settings)
    return wrong + [
        f"{table} is not that of an undisturbed run" for table in expected if figures[table] != expected[table]
    ]
