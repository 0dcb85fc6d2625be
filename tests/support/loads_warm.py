"""Imported last by the server that forks loads: prepares shared state once. Opens no connection and starts no thread."""

from __future__ import annotations

import gc
import os
import threading
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy
from dagster._core.storage.runs.sqlite import sqlite_run_storage

from dagster_project.defs.all_definitions import build_definitions
from dagster_project.settings import Settings
from dagster_project.transformation.dbt_project import data_tests, described_tables, mart_tables


@cache
def _engine(url: str, **options: Any) -> sqlalchemy.Engine:
    return sqlalchemy.create_engine(url, **options)


def create_engine(url: str, connect_args: dict[str, Any] | None = None, **options: Any) -> sqlalchemy.Engine:
    """Return one engine per database, so that SQLAlchemy compiles statements once; connections are still opened per query."""
    return _engine(url, **options)


mart_tables()
described_tables()
data_tests()
build_definitions(Settings(landing=Path("landing"), home=Path("home"), published=Path("published"))).resolve_job_def(
    "load"
)
sqlite_run_storage.create_engine = create_engine  # type: ignore[attr-defined]
assert threading.active_count() == 1, f"forking {os.getpid()} is not safe: {threading.enumerate()}"
gc.collect()
gc.freeze()
