"""Switches the views of schema `marts` to another publication atomically, without errors or long waits for readers.

A reader's view is permanent. It selects from the table `door` and from a view of the same name in schema `uppklarat`, which
selects from the table of a publication. PostgreSQL locks them in this order until the transaction ends. A transaction with an
exclusive lock on `door` can therefore replace all inner views: no reader is in the middle of a transaction, and new readers wait
for `door`. Locking the readers' views instead could deadlock with transactions that read several views.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import psycopg
from psycopg import errors, sql

from dagster_project.publication.postgres.connection import NotServedError
from dagster_project.publication.postgres.tables import INNER, VIEWS, Table, comment_statements

# Milliseconds that an attempt may block readers; less than deadlock_timeout, so that no reader is cancelled by a deadlock.
LONGEST_WAIT = 400
# Seconds of retries, and seconds of pause between attempts, in which waiting readers proceed.
PATIENCE = 60.0
_PAUSE, _LONGEST_PAUSE = 0.2, 3.0

_GATE = sql.Identifier(INNER, "door")
_SETUP = f"""
    create schema if not exists {VIEWS};
    create schema if not exists {INNER};
    revoke all on schema {INNER} from public;
    create table if not exists {INNER}.door (is_open boolean primary key check (is_open));
    insert into {INNER}.door values (true) on conflict do nothing;
    create table if not exists {INNER}.view_made (view_name text primary key, statement text not null);
    comment on schema {INNER} is 'Internal to Uppklarat: views that select from the current publication';
    comment on table {INNER}.door is 'One row that every reader locks; replacing the views waits for this lock';
    comment on column {INNER}.door.is_open is 'Always true';
    comment on table {INNER}.view_made is 'The statement of each view of schema {VIEWS}; unchanged views are not recreated';
    comment on column {INNER}.view_made.view_name is 'Name of the view';
    comment on column {INNER}.view_made.statement is 'Its create statement';
    analyze {INNER}.door;
"""


def show(
    connection: psycopg.Connection, schema: str, tables: Sequence[Table], reader: str, publication_id: str
) -> None:
    """Make the views of schema `marts` show the tables of `schema` to the reader role.

    Waits for transactions that have read one of them, so that each transaction sees one publication. Raises `NotServedError` if
    readers never release their locks.
    """
    connection.execute(_SETUP)
    outer = {table.name: _create_outer_view(table) for table in tables}
    statement_texts = {name: statement.as_string(connection) for name, statement in outer.items()}
    existing_statements: dict[str, str] = dict(
        connection.execute(f"select view_name, statement from {INNER}.view_made").fetchall()
    )
    present, inner = _views_in(connection, VIEWS), _views_in(connection, INNER)
    # Unchanged views are kept, because other objects may depend on them.
    stale = [
        name
        for name in present
        if name not in statement_texts or statement_texts[name] != existing_statements.get(name)
    ]
    recreate_all = False
    end, pause = time.monotonic() + PATIENCE, _PAUSE
    while True:
        dropped, dropped_inner = (present, inner) if recreate_all else (stale, [])
        recreated = {name: outer[name] for name in outer if name in dropped or name not in present}
        statements = [
            *_drop_statements(VIEWS, dropped),
            *_drop_statements(INNER, dropped_inner),
            *(_create_inner_view(schema, table) for table in tables),
            *recreated.values(),
            sql.SQL("delete from {}.view_made").format(sql.Identifier(INNER)),
            *(_insert_view_statement(name, text) for name, text in statement_texts.items()),
            *(statement for table in tables for statement in comment_statements(VIEWS, table)),
            *_grant_statements(tables, reader),
            sql.SQL("comment on schema {} is {}").format(
                sql.Identifier(VIEWS), sql.Literal(f"Uppklarat, publication {publication_id}")
            ),
        ]
        try:
            with connection.transaction():
                _lock(connection, [*(sql.Identifier(VIEWS, name) for name in dropped), _GATE])
                # On separate lines, because a statement may end with a comment.
                connection.execute(sql.SQL("\n;\n").join(statements))
            return
        except (errors.InvalidTableDefinition, errors.DependentObjectsStillExist):
            if recreate_all:
                raise
            recreate_all = True  # Columns changed.
            continue
        except (errors.QueryCanceled, errors.LockNotAvailable, errors.DeadlockDetected):
            pass
        if time.monotonic() > end:
            raise NotServedError(
                f"a transaction that read {VIEWS} before has been open for more than {PATIENCE:.0f} seconds"
            )
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _lock(connection: psycopg.Connection, relations: Sequence[sql.Identifier]) -> None:
    """Lock relations exclusively, with a short timeout."""
    connection.execute(
        "select set_config(timeout, least(%s, setting::int / 2)::text, true) from pg_catalog.pg_settings,"
        " unnest(array['statement_timeout', 'lock_timeout']) as timeout where name = 'deadlock_timeout'",
        [LONGEST_WAIT],
    )
    connection.execute(sql.SQL("lock table {} in access exclusive mode").format(sql.SQL(", ").join(relations)))
    connection.execute("set local statement_timeout = 0")


def _views_in(connection: psycopg.Connection, schema: str) -> list[str]:
    rows = connection.execute(
        "select relname from pg_catalog.pg_class where relnamespace = %s::regnamespace and relkind = 'v'"
        " and pg_catalog.pg_get_userbyid(relowner) = current_user order by 1",
        [schema],
    )
    return [name for (name,) in rows]


def _create_inner_view(schema: str, table: Table) -> sql.Composed:
    return sql.SQL("create or replace view {} as select {} from {}").format(
        sql.Identifier(INNER, table.name), _columns(table), sql.Identifier(schema, table.name)
    )


def _create_outer_view(table: Table) -> sql.Composed:
    place = sql.Identifier(VIEWS, table.name)
    # The gate is first, because locks are taken in this order.
    return sql.SQL("create view {} as select {} from {} cross join {} as held").format(
        place, _columns(table), _GATE, sql.Identifier(INNER, table.name)
    )


def _columns(table: Table) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, table.columns))


def _insert_view_statement(name: str, text: str) -> sql.Composed:
    return sql.SQL("insert into {}.view_made values ({}, {})").format(
        sql.Identifier(INNER), sql.Literal(name), sql.Literal(text)
    )


def _grant_statements(tables: Sequence[Table], reader: str) -> list[sql.Composed]:
    views = sql.SQL(", ").join(sql.Identifier(VIEWS, table.name) for table in tables)
    schema, role = sql.Identifier(VIEWS), sql.Identifier(reader)
    return [
        sql.SQL("revoke all on schema {} from public, {}").format(schema, role),
        sql.SQL("revoke all on {} from public, {}").format(views, role),
        sql.SQL("grant usage on schema {} to {}").format(schema, role),
        sql.SQL("grant select on {} to {}").format(views, role),
    ]


def _drop_statements(schema: str, names: Sequence[str]) -> list[sql.Composed]:
    listed = sql.SQL(", ").join(sql.Identifier(schema, name) for name in names)
    return [sql.SQL("drop view {}").format(listed)] if names else []
