"""Serves the current publication from PostgreSQL: loads it if necessary, switches the views and drops old publications."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import errors, sql

from dagster_project.publication.postgres.connection import NotServedError, connect, reason
from dagster_project.publication.postgres.switch import show
from dagster_project.publication.postgres.tables import (
    INNER,
    VIEWS,
    load_tables,
    publication_schema,
    published_tables,
)
from dagster_project.publications import Publication, changed_files, current_publication
from dagster_project.settings import PostgresSettings, Settings

__all__ = ["NotServedError", "Served", "serve"]

logger = logging.getLogger("uppklarat")

# Key of the advisory lock for loads ("uppk").
_LOCK = 0x7570706B
_WAIT_FOR_OTHER_LOAD = "2min"
_SCHEMAS = r"^uppklarat_\d{8}t\d{6}z_[0-9a-f]{8}$"


@dataclass(frozen=True)
class Served:
    """The publication that PostgreSQL serves; rows of each table are counted only if it `changed`."""

    publication_id: str
    schema: str
    rows: Mapping[str, int]
    changed: bool


def serve(settings: Settings, postgres: PostgresSettings) -> Served | None:
    """Make PostgreSQL serve the current publication; return None if nothing is published.

    Completes an interrupted attempt and does nothing if PostgreSQL is up to date. If it raises `NotServedError`, PostgreSQL
    serves the same publication as before.
    """
    publication = current_publication(settings)
    if publication is None:
        return None
    step, why = "connecting", ""
    try:
        with connect(postgres) as connection:
            step = "waiting for another load"
            connection.execute(f"set lock_timeout = '{_WAIT_FOR_OTHER_LOAD}'")
            connection.execute("select pg_advisory_lock(%s)", [_LOCK])
            schema = publication_schema(publication)
            if changed := not _is_shown(connection, schema, postgres.reader):
                step = f"preparing the role {postgres.reader}"
                _prepare_reader(connection, postgres.reader)
                tables = published_tables(publication)
                if schema not in _schemas(connection):
                    step = "loading the tables"
                    logger.info("loading %s into PostgreSQL", publication.publication_id)
                    _refuse_damaged(publication)
                    load_tables(connection, publication, tables)
                step = "replacing the views"
                show(connection, schema, tables, postgres.reader, publication.publication_id)
                logger.info("PostgreSQL serves %s", publication.publication_id)
            step = "dropping old publications"
            _drop_old(connection, schema, postgres.keep)
            return Served(publication.publication_id, schema, _rows(connection, schema) if changed else {}, changed)
    except psycopg.Error as error:
        why = reason(error)
    except NotServedError as error:
        why = str(error)
    # Raised outside the handlers, so that no traceback contains an error with hosts and users.
    raise NotServedError(
        f"PostgreSQL does not serve {publication.publication_id} yet ({step}: {why}); it serves what it served before, "
        "and the next load tries again"
    )


def _is_shown(connection: psycopg.Connection, schema: str, reader: str) -> bool:
    """Return whether the views show exactly the tables of the schema and the reader role may use them."""
    tables = {(name, schema) for name in _tables(connection, schema)}
    shown = connection.execute(
        """
        select distinct seen.relname, held_in.nspname
        from pg_catalog.pg_class as seen
        join pg_catalog.pg_rewrite as rule on rule.ev_class = seen.oid
        join pg_catalog.pg_depend as needs
            on needs.classid = 'pg_catalog.pg_rewrite'::regclass and needs.objid = rule.oid
            and needs.refclassid = 'pg_catalog.pg_class'::regclass
        join pg_catalog.pg_class as held on held.oid = needs.refobjid
        join pg_catalog.pg_namespace as held_in on held_in.oid = held.relnamespace
        where seen.relnamespace = to_regnamespace(%s) and held_in.nspname ~ %s
            and to_regclass(format('%%I.%%I', %s::text, seen.relname)) is not null
        """,
        [INNER, _SCHEMAS, VIEWS],
    ).fetchall()
    let_in = connection.execute(
        "select has_schema_privilege(oid, to_regnamespace(%s), 'usage') from pg_catalog.pg_roles where rolname = %s",
        [VIEWS, reader],
    ).fetchone()
    return bool(tables) and set(shown) == tables and let_in == (True,)


def _prepare_reader(connection: psycopg.Connection, reader: str) -> None:
    """Create the reader role if it is missing; refuse a role with the privileges of the loading account."""
    role = connection.execute(
        "select rolsuper or pg_has_role(oid, current_user, 'member') from pg_catalog.pg_roles where rolname = %s",
        [reader],
    ).fetchone()
    if role == (True,):
        raise NotServedError("it may do whatever the loading account may; name another by UPPKLARAT_POSTGRES_READER")
    if role is None:
        try:
            connection.execute(sql.SQL("create role {} nologin").format(sql.Identifier(reader)))
        except errors.InsufficientPrivilege:
            raise NotServedError(
                f"it is missing and we may not make it; let an administrator run: create role {reader} nologin"
            ) from None
        except (errors.DuplicateObject, errors.UniqueViolation):
            pass  # Created by a load into another database of the server.


def _refuse_damaged(publication: Publication) -> None:
    if damaged := changed_files(publication):
        raise NotServedError(f"the publication is damaged: {', '.join(damaged)}")


def _schemas(connection: psycopg.Connection) -> list[str]:
    """Return the schemas of publications, newest first."""
    rows = connection.execute(
        "select nspname from pg_catalog.pg_namespace where nspname ~ %s order by 1 desc", [_SCHEMAS]
    )
    return [name for (name,) in rows]


def _tables(connection: psycopg.Connection, schema: str) -> list[str]:
    rows = connection.execute(
        "select relname from pg_catalog.pg_class where relnamespace = to_regnamespace(%s) and relkind = 'r' order by 1",
        [schema],
    )
    return [name for (name,) in rows]


def _rows(connection: psycopg.Connection, schema: str) -> dict[str, int]:
    counted = {}
    for table in _tables(connection, schema):
        row = connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(schema, table))).fetchone()
        counted[table] = int(row[0]) if row else 0
    return counted


def _drop_old(connection: psycopg.Connection, current: str, keep: int) -> None:
    """Drop the oldest publications beyond the number to keep; those in use are left for the next load."""
    old = [schema for schema in _schemas(connection) if schema != current]
    for schema in old[keep - 1 :]:
        try:
            with connection.transaction():
                connection.execute("set local lock_timeout = '1s'")
                # Without `cascade`, so that no dependent object is dropped.
                for table in _tables(connection, schema):
                    connection.execute(sql.SQL("drop table {}").format(sql.Identifier(schema, table)))
                connection.execute(sql.SQL("drop schema {}").format(sql.Identifier(schema)))
        except psycopg.Error as error:
            logger.warning(
                "PostgreSQL still holds the old schema %s: %s; the next load tries again", schema, reason(error)
            )
