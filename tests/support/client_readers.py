"""Runs real clients that read publications continuously in separate processes, and detects mixed reads."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
from clients_at_hand import Client, command, installed, psql
from postgres_server import Database
from psycopg.conninfo import conninfo_to_dict

from dagster_project import paths
from dagster_project.publication.draft import DATABASE
from dagster_project.publications import publications
from dagster_project.settings import Settings

# Loads have priority over readers.
NICE = ("nice", "-n", "15")
ONE_THREAD = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "ARROW_IO_THREADS": "1"}


@dataclass
class Reads:
    """The reads of a client: how often each publication and its figures were seen, and errors."""

    version: str = ""
    readers: int = 0
    reads: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)

    @property
    def publications(self) -> set[str]:
        return {read.split()[0] for read in self.seen}


def crowd_of(clients: Sequence[Client], number: int) -> list[Client]:
    """Return `number` readers, evenly distributed over the clients."""
    return [clients[number % len(clients)] for number in range(number)]


class Readers:
    """Running readers; `found` is complete when they have ended."""

    def __init__(self, settings: Settings, clients: Sequence[Client], database: Database | None) -> None:
        self.found: dict[Client, Reads] = {client: Reads() for client in clients}
        self._clients = list(clients)
        self._folder = Path(tempfile.mkdtemp(prefix="readers-"))
        self._stop_file = self._folder / "ends"
        login = conninfo_to_dict(database.login) if database else {}
        variables = {
            "host": "PGHOST",
            "port": "PGPORT",
            "user": "PGUSER",
            "password": "PGPASSWORD",
            "dbname": "PGDATABASE",
        }
        self._server = {variables[name]: str(value) for name, value in login.items()}
        self._current = settings.published / paths.CURRENT
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start all readers."""
        for number, client in enumerate(self._clients):
            with (self._folder / f"{number}.err").open("w") as err:
                self._processes.append(
                    subprocess.Popen(
                        [
                            *NICE,
                            *command(client),
                            str(self._current),
                            str(self._stop_file),
                            str(self._result_file(number)),
                        ],
                        env={
                            "PATH": os.environ["PATH"],
                            **ONE_THREAD,
                            **(self._server_environment() if client.needs_server else {}),
                        },
                        cwd=installed("node") if client.place == "node" else self._folder,
                        stdout=err,
                        stderr=err,
                        # Not a session, because Linux schedules by session before niceness.
                        process_group=0,
                    )
                )

    def _server_environment(self) -> dict[str, str]:
        return {**self._server, "READER_PSQL": psql()}

    def wait_until_all_saw(self, publication_id: str, seconds: float = 60) -> None:
        """Wait until every reader has read this publication."""
        deadline = time.monotonic() + seconds
        waiting = set(range(len(self._clients)))
        while waiting:
            waiting -= {
                number for number in waiting if publication_id in json.dumps(self._read_result(number).get("seen"))
            }
            if time.monotonic() > deadline or any(self._processes[number].poll() is not None for number in waiting):
                names = sorted({f"{self._clients[number].name}: {self._failure(number)}" for number in waiting})
                raise TimeoutError(f"not read by all: {'; '.join(names)}")
            time.sleep(0.02)

    def end(self) -> None:
        """Stop the readers and collect their results."""
        self._stop_file.touch()
        deadline = time.monotonic() + 60
        for number, (client, process) in enumerate(zip(self._clients, self._processes, strict=False)):
            try:
                process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            result, reads = self._read_result(number), self.found[client]
            reads.readers += 1
            reads.version = result.get("version", "")
            reads.reads += result.get("reads", 0)
            reads.errors.update(result.get("errors", {}))
            reads.seen.update(result.get("seen", {}))
            if process.returncode or not result:
                reads.errors[f"a reader ended with {process.returncode}: {self._failure(number)}"] += 1
        shutil.rmtree(self._folder, ignore_errors=True)

    def _result_file(self, number: int) -> Path:
        return self._folder / f"{number}.json"

    def _read_result(self, number: int) -> dict[str, dict[str, int]]:
        path = self._result_file(number)
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def _failure(self, number: int) -> str:
        return (self._folder / f"{number}.err").read_text(encoding="utf-8").strip()[-300:] or str(
            self._read_result(number)
        )


@contextmanager
def reading(settings: Settings, clients: Sequence[Client], database: Database | None = None) -> Iterator[Readers]:
    """Run a reader for each client during the block."""
    readers = Readers(settings, clients, database)
    try:
        readers.start()
        yield readers
    finally:
        readers.end()


def figures_of(folder: Path) -> str:
    """Return what a reader of this publication sees."""
    with duckdb.connect(str(folder / DATABASE), read_only=True) as connection:
        row = connection.execute(
            "select (select max(publication_id) from marts.publication), count(*), sum(processed), sum(cleared),"
            " sum(investigated) from marts.fct_indicator_year"
        ).fetchone()
    return " ".join(map(str, row or ()))


def mixed_reads(settings: Settings, seen: Counter[str]) -> dict[str, int]:
    """Return the number of reads that combine the name and figures of different publications."""
    consistent = {figures_of(publication.folder) for publication in publications(settings)}
    names = {read.split()[0] for read in consistent}
    assert names == {publication.publication_id for publication in publications(settings)}, (
        "a publication does not tell its own name"
    )
    return {read: times for read, times in seen.items() if read not in consistent}
