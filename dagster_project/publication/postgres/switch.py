"""The switch: what readers know as schema `marts` shows another publication from one moment on, without an error or a long wait.

A reader's view is permanent and leads through the table `door` to a view of the same name in schema `uppklarat`, and that one to
the table of a publication. PostgreSQL locks them in this order and keeps the locks until the transaction ends. So who holds the
door alone may replace all inner views at once: nobody is half-way, and whoever comes waits before the door. Locking the readers'
own views instead would wait in circles with transactions that read one view after the other.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import psycopg
from psycopg import errors, sql

from dagster_project.publication.postgres.connection import NotServedError
from dagster_project.publication.postgres.tables import INNER, VIEWS, Relation, commented

# How long an attempt may make readers wait for us while we wait for other readers, in milliseconds; below the time after which
# PostgreSQL looks for deadlocks, so that no reader is ever the victim of one.
LONGEST_WAIT = 400
# Seconds for which it is tried again; in the pauses between two attempts, also seconds, whoever waited gets through.
PATIENCE = 60.0
_PAUSE, _LONGEST_PAUSE = 0.2, 3.0

_DOOR = sql.Identifier(INNER, "door")
_PREPARED = f"""
    create schema if not exists {VIEWS};
    create schema if not exists {INNER};
    revoke all on schema {INNER} from public;
    create table if not exists {INNER}.door (is_open boolean primary key check (is_open));
    insert into {INNER}.door values (true) on conflict do nothing;
    create table if not exists {INNER}.view_made (view_name text primary key, statement text not null);
    comment on schema {INNER} is 'Of Uppklarat: what leads from the views of schema {VIEWS} to the current publication';
    comment on table {INNER}.door is 'One row; every reader passes here, and replacing what they see waits for them here';
    comment on column {INNER}.door.is_open is 'Always true';
    comment on table {INNER}.view_made is 'How each view of schema {VIEWS} was made; one that is to be the same is left alone';
    comment on column {INNER}.view_made.view_name is 'The view';
    comment on column {INNER}.view_made.statement is 'What made it';
    analyze {INNER}.door;
"""


def show(
    connection: psycopg.Connection, schema: str, relations: Sequence[Relation], reader: str, publication_id: str
) -> None:
    """Make the views of schema `marts` show the tables of `schema`, to the reader role only.

    Waits for every transaction that has read one of them, so that such a transaction sees one publication to its end. Raises
    `NotServedError` when readers leave no moment for it.
    """
    connection.execute(_PREPARED)
    outer = {relation.name: _outer(relation) for relation in relations}
    texts = {name: statement.as_string(connection) for name, statement in outer.items()}
    made_by: dict[str, str] = dict(connection.execute(f"select view_name, statement from {INNER}.view_made").fetchall())
    present, inner = _views_in(connection, VIEWS), _views_in(connection, INNER)
    # Views that stay the same are not touched, and others may build on them.
    stale = [name for name in present if name not in texts or texts[name] != made_by.get(name)]
    all_stale = False
    end, pause = time.monotonic() + PATIENCE, _PAUSE
    while True:
        dropped, dropped_inner = (present, inner) if all_stale else (stale, [])
        remade = {name: outer[name] for name in outer if name in dropped or name not in present}
        statements = [
            *_dropped(VIEWS, dropped),
            *_dropped(INNER, dropped_inner),
            *(_inner(schema, relation) for relation in relations if relation.select is None),
            *remade.values(),
            sql.SQL("delete from {}.view_made").format(sql.Identifier(INNER)),
            *(_noted(name, text) for name, text in texts.items()),
            *(statement for relation in relations for statement in commented(VIEWS, relation)),
            *_granted(relations, reader),
            sql.SQL("comment on schema {} is {}").format(
                sql.Identifier(VIEWS), sql.Literal(f"Uppklarat, publication {publication_id}")
            ),
        ]
        try:
            with connection.transaction():
                _hold(connection, [*(sql.Identifier(VIEWS, name) for name in dropped), _DOOR])
                # By lines, since a statement may end with a remark.
                connection.execute(sql.SQL("\n;\n").join(statements))
            return
        except (errors.InvalidTableDefinition, errors.DependentObjectsStillExist):
            if all_stale:
                raise
            all_stale = True  # Columns are no longer what they were: all views are made again.
            continue
        except (errors.QueryCanceled, errors.LockNotAvailable, errors.DeadlockDetected):
            pass
        if time.monotonic() > end:
            raise NotServedError(
                f"a transaction that read {VIEWS} before has been open for more than {PATIENCE:.0f} seconds"
            )
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _hold(connection: psycopg.Connection, relations: Sequence[sql.Identifier]) -> None:
    """Lock relations for this transaction alone, or fail before anybody has waited for long."""
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


def _inner(schema: str, relation: Relation) -> sql.Composed:
    return sql.SQL("create or replace view {} as select {} from {}").format(
        sql.Identifier(INNER, relation.name), _columns(relation), sql.Identifier(schema, relation.name)
    )


def _outer(relation: Relation) -> sql.Composed:
    place = sql.Identifier(VIEWS, relation.name)
    if relation.select is not None:
        return sql.SQL("create view {} as {}").format(place, sql.SQL(relation.select))
    # The door stands first: locks are taken in this order.
    return sql.SQL("create view {} as select {} from {} cross join {} as held").format(
        place, _columns(relation), _DOOR, sql.Identifier(INNER, relation.name)
    )


def _columns(relation: Relation) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, relation.columns))


def _noted(name: str, text: str) -> sql.Composed:
    return sql.SQL("insert into {}.view_made values ({}, {})").format(
        sql.Identifier(INNER), sql.Literal(name), sql.Literal(text)
    )


def _granted(relations: Sequence[Relation], reader: str) -> list[sql.Composed]:
    views = sql.SQL(", ").join(sql.Identifier(VIEWS, relation.name) for relation in relations)
    schema, role = sql.Identifier(VIEWS), sql.Identifier(reader)
    return [
        sql.SQL("revoke all on schema {} from public, {}").format(schema, role),
        sql.SQL("revoke all on {} from public, {}").format(views, role),
        sql.SQL("grant usage on schema {} to {}").format(schema, role),
        sql.SQL("grant select on {} to {}").format(views, role),
    ]


def _dropped(schema: str, names: Sequence[str]) -> list[sql.Composed]:
    listed = sql.SQL(", ").join(sql.Identifier(schema, name) for name in names)
    return [sql.SQL("drop view {}").format(listed)] if names else []
