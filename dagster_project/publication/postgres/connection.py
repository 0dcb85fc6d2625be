"""The connection to PostgreSQL, and texts of its errors without parts of the connection string."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from dagster_project.settings import DSN_VARIABLE, PostgresSettings

# Limits the wait for a server that does not answer.
_PATIENCE = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
    "application_name": "uppklarat",
}
# Overrides settings of server or account that would break a long load or change name resolution.
_SESSION = """
    set search_path = '';
    set statement_timeout = 0;
    set idle_in_transaction_session_timeout = 0;
"""
# Failed connections have no SQLSTATE, and their messages contain host and user; libpq phrases identify the cause.
_PHRASES = {
    "Connection refused": "the server does not answer",
    "No such file": "the server does not answer",
    "timeout": "the server does not answer in time",
    "could not translate": "the server's name cannot be resolved",
    "resolve host": "the server's name cannot be resolved",
    "authentication failed": "the server refused the user or the password",
    "no password supplied": "the server wants a password",
    "no pg_hba.conf entry": "the server lets nobody in from here as that user",
    "too many": "the server has no connection left",
    "starting up": "the server is starting up",
    "shutting down": "the server is shutting down",
    "certificate": "the server's certificate was refused",
    "database": "the database is not there or may not be opened",
    "role": "the user is not known",
    "closed": "the connection was lost",
    "terminat": "the connection was lost",
}


class NotServedError(Exception):
    """PostgreSQL could not serve the current publication; the message contains no host, user, password or value."""


@contextmanager
def connect(postgres: PostgresSettings) -> Iterator[psycopg.Connection]:
    """Open a connection with autocommit and an empty search path."""
    # psycopg's warnings contain host and user.
    logging.getLogger("psycopg").setLevel(logging.CRITICAL + 1)
    dsn = postgres.dsn.get_secret_value()
    try:
        configured = conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        raise NotServedError(f"{DSN_VARIABLE} is no connection string that PostgreSQL understands") from None
    defaults = {name: value for name, value in _PATIENCE.items() if name not in configured}
    with psycopg.connect(make_conninfo(dsn, **defaults), autocommit=True) as connection:
        connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        connection.execute(_SESSION)
        yield connection


def reason(error: psycopg.Error) -> str:
    """Return a text for an error without its message, which may contain hosts, users and values."""
    if error.sqlstate:
        return f"{type(error).__name__} (SQLSTATE {error.sqlstate})"
    return next((text for phrase, text in _PHRASES.items() if phrase in str(error)), f"{type(error).__name__}")
