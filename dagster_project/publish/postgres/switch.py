"""The switch: all views that readers know are replaced in one transaction, without an error or a long wait for anybody."""

from __future__ import annotations

import time
from collections.abc import Sequence

import psycopg
from psycopg import errors, sql

from dagster_project.publish.postgres.connection import NotServedError
from dagster_project.publish.postgres.tables import VIEWS, Relation, commented

# How long an attempt may make readers wait for us while we wait for other readers, in milliseconds; always well below the time
# after which PostgreSQL looks for deadlocks, so that no reader is ever the victim of one.
LONGEST_WAIT = 400
# Seconds for which it is tried again; pauses between two attempts, in which whoever waited gets through.
PATIENCE = 60.0
_PAUSE, _LONGEST_PAUSE = 0.2, 3.0


def show(
    connection: psycopg.Connection, schema: str, relations: Sequence[Relation], reader: str, publication_id: str
) -> None:
    """Make the views of schema `marts` those over `schema`, readable for the reader role only.

    Every view is locked before any is changed. So this waits for each transaction that has read one of them, and such a
    transaction sees one publication to its end. Raises `NotServedError` when readers leave no moment for it.
    """
    connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(VIEWS)))
    present = [
        name
        for (name,) in connection.execute(
            "select relname from pg_catalog.pg_class where relnamespace = %s::regnamespace and relkind = 'v'"
            " and pg_catalog.pg_get_userbyid(relowner) = current_user order by 1",
            [VIEWS],
        )
    ]
    gone = [name for name in present if name not in {relation.name for relation in relations}]
    made = sql.SQL("; ").join(
        [
            *(_dropped(gone) if gone else []),
            *(_view(schema, relation) for relation in relations),
            *(statement for relation in relations for statement in commented(VIEWS, relation)),
            *_granted(relations, reader),
            sql.SQL("comment on schema {} is {}").format(
                sql.Identifier(VIEWS), sql.Literal(f"Uppklarat, publication {publication_id}")
            ),
        ]
    )
    end, pause = time.monotonic() + PATIENCE, _PAUSE
    while not _replace(connection, present, made):
        if time.monotonic() > end:
            raise NotServedError(
                f"a transaction that read {VIEWS} before has been open for more than {PATIENCE:.0f} seconds"
            )
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _replace(connection: psycopg.Connection, present: Sequence[str], made: sql.Composed) -> bool:
    """One attempt; False where readers hold a view for longer than others may wait."""
    try:
        with connection.transaction():
            if present:
                connection.execute(
                    "select set_config(timeout, least(%s, setting::int / 2)::text, true) from pg_catalog.pg_settings,"
                    " unnest(array['statement_timeout', 'lock_timeout']) as timeout where name = 'deadlock_timeout'",
                    [LONGEST_WAIT],
                )
                connection.execute(
                    sql.SQL("lock table {} in access exclusive mode").format(
                        sql.SQL(", ").join(map(_view_name, present))
                    )
                )
                connection.execute("set local statement_timeout = 0")
            try:
                with connection.transaction():
                    connection.execute(made)
            except errors.InvalidTableDefinition:
                # Columns are no longer what they were. Otherwise views stay the same objects, and others may build on them.
                connection.execute(sql.SQL("; ").join([*_dropped(present), made]))
    except (errors.QueryCanceled, errors.LockNotAvailable, errors.DeadlockDetected):
        return False
    return True


def _view(schema: str, relation: Relation) -> sql.Composed:
    if relation.select is not None:
        return sql.SQL("create or replace view {} as {}").format(
            _view_name(relation.name),
            sql.SQL(relation.select),
        )
    columns = sql.SQL(", ").join(map(sql.Identifier, relation.columns))
    return sql.SQL("create or replace view {} as select {} from {}").format(
        _view_name(relation.name), columns, sql.Identifier(schema, relation.name)
    )


def _granted(relations: Sequence[Relation], reader: str) -> list[sql.Composed]:
    views = sql.SQL(", ").join(_view_name(relation.name) for relation in relations)
    schema, role = sql.Identifier(VIEWS), sql.Identifier(reader)
    return [
        sql.SQL("revoke all on schema {} from public, {}").format(schema, role),
        sql.SQL("revoke all on {} from public, {}").format(views, role),
        sql.SQL("grant usage on schema {} to {}").format(schema, role),
        sql.SQL("grant select on {} to {}").format(views, role),
    ]


def _dropped(names: Sequence[str]) -> list[sql.Composed]:
    return [sql.SQL("drop view if exists {}").format(sql.SQL(", ").join(map(_view_name, names)))]


def _view_name(name: str) -> sql.Identifier:
    return sql.Identifier(VIEWS, name)
