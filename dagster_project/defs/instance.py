"""The Dagster instance, kept in the private warehouse."""

from __future__ import annotations

import json
import os
import sqlite3
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
from sqlalchemy import event
from sqlalchemy.engine import Engine

from dagster_project import paths
from dagster_project.files import private_folder, write_text
from dagster_project.settings import Settings

CONFIGURATION = Path(__file__).with_name("dagster.yaml")
# Dagster's stored origin of job `load` in the code location defined by `[tool.dagster]` in pyproject.toml.
_JOB_ORIGIN = {
    "__class__": "ExternalPipelineOrigin",
    "external_repository_origin": {
        "__class__": "ExternalRepositoryOrigin",
        "repository_location_origin": {
            "__class__": "RegisteredRepositoryLocationOrigin",
            "location_name": "dagster_project.definitions",
        },
        "repository_name": "__repository__",
    },
}


def prepare_instance_folder(settings: Settings) -> Path:
    """Create the instance's folder with our configuration and set it as Dagster's home."""
    folder = settings.home / paths.DAGSTER_HOME
    private_folder(settings.home)
    private_folder(folder)
    needed = {
        folder / "dagster.yaml": CONFIGURATION.read_text(encoding="utf-8"),
        # Otherwise the page first asks for an e-mail address.
        folder / ".nux" / "nux.yaml": "seen: 1\n",
    }
    for path, text in needed.items():
        # The web page runs this without the writer lock, so it writes only when necessary.
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_text(path, text)
    os.environ["DAGSTER_HOME"] = str(folder)
    relax_synchronous_writes()
    return folder


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """Open the instance that `dagster dev` also shows."""
    return dg.DagsterInstance.from_config(str(prepare_instance_folder(settings)))


def show_on_timeline(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Set the code location of a run that was not launched from one; Dagster's overview page omits runs without it.

    `uppklarat load` and `dagster asset materialize` start such runs. `dagster run migrate-repository` sets the code location of
    earlier runs in the same way; launching a load through the code location would take about 15 s longer. Must be called before
    `run` gets more tags or another status, because this overwrites them.
    """
    if run.remote_job_origin is None:
        origin: Any = dg.deserialize_value(json.dumps(_JOB_ORIGIN | {"pipeline_name": run.job_name}))
        instance.run_storage.replace_job_origin(run, origin)


@cache
def relax_synchronous_writes() -> None:
    """Let SQLite store Dagster's records without waiting for the disk each time.

    `synchronous = normal` cannot corrupt a database in WAL mode; a power failure loses the last events at most. Where Dagster
    opens a connection per query, closing the last one would trigger a checkpoint and wait, so one connection stays open.
    """
    kept_open: dict[str, sqlite3.Connection] = {}

    @event.listens_for(Engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        if not isinstance(connection, sqlite3.Connection):
            return
        connection.execute("pragma synchronous = normal")
        file = connection.execute("pragma database_list").fetchone()[2]
        in_wal_mode = connection.execute("pragma journal_mode").fetchone()[0] == "wal"
        if file and in_wal_mode and file not in kept_open:
            kept_open[file] = sqlite3.connect(file, check_same_thread=False)
            kept_open[file].execute("select count(*) from sqlite_master").fetchone()


def name_instance(env_file: Path, folder: Path) -> None:
    """Set the instance's folder in a file that Dagster's own commands read; other lines remain unchanged."""
    earlier = env_file.read_text(encoding="utf-8").splitlines() if env_file.exists() else []
    lines = [line for line in earlier if not line.startswith("DAGSTER_HOME=")]
    named = [*lines, f"DAGSTER_HOME={folder}"]
    if sorted(named) != sorted(earlier):
        write_text(env_file, "\n".join(named) + "\n")


if __name__ == "__main__":
    name_instance(Path(".env"), prepare_instance_folder(Settings.from_environment()))
