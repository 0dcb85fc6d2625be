"""Real clients that read what is published without pause, in processes of their own: what each saw, and whether any of it was mixed."""

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

from dagster_project.publication.draft import DATABASE
from dagster_project.publications import publications
from dagster_project.settings import Settings

# The loads have the precedence, however many readers there are.
NICE = ("nice", "-n", "15")
ONE_THREAD = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "ARROW_IO_THREADS": "1"}


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
