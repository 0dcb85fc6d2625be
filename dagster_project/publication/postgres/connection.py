"""The connection to PostgreSQL, and what may be told of its errors: nothing that the connection string holds."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from dagster_project.settings import DSN_VARIABLE, PostgresSettings

# A server that does not answer must not hold up a load for the hours that TCP would.
_PATIENCE = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
    "application_name": "uppklarat",
}
# What a server or an account may have preset, and would break a long load or change what names mean.
_SESSION = """
    set search_path = '';
    set statement_timeout = 0;
    set idle_in_transaction_session_timeout = 0;
"""
# A failed connection has no code, only words with host and user in them; these phrases of libpq tell what is wrong.
_PHRASES = {
    "Connection refused": "the server does not answer",
    "No such file": "the server does not answer",
    "timeout": "the server does not answer in time",
    "could not translate": "the server's name is not known",
    "resolve host": "the server's name is not known",
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
    """PostgreSQL could not be brought to what is published; the message holds no host, user, password or value."""


@contextmanager
def connected(postgres: PostgresSettings) -> Iterator[psycopg.Connection]:
    """A connection for loading: every statement by itself unless in a transaction, and no name found by search path."""
    # Its warnings name host and user.
    logging.getLogger("psycopg").setLevel(logging.CRITICAL + 1)
    try:
        asked_for = conninfo_to_dict(postgres.dsn)
    except psycopg.ProgrammingError:
        raise NotServedError(f"{DSN_VARIABLE} is no connection string that PostgreSQL understands") from None
    preset = {name: value for name, value in _PATIENCE.items() if name not in asked_for}
    with psycopg.connect(make_conninfo(postgres.dsn, **preset), autocommit=True) as connection:
        connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        connection.execute(_SESSION)
        yield connection


def reason(error: psycopg.Error) -> str:
    """What went wrong, by the kind of error alone: PostgreSQL's own sentences may name hosts, users and values."""
    if error.sqlstate:
        return f"{type(error).__name__} (SQLSTATE {error.sqlstate})"
    return next((ours for phrase, ours in _PHRASES.items() if phrase in str(error)), f"{type(error).__name__}")
