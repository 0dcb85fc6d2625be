"""Loads a publication into PostgreSQL: types and comments from its DuckDB file, rows from its CSV files, compared after loading."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from psycopg import sql

from dagster_project.publication.draft import DATABASE
from dagster_project.publication.postgres.connection import NotServedError
from dagster_project.publications import MANIFEST, Publication
from dagster_project.transformation.dbt_project import mart_keys

# The schema of the current publication for readers, named as in the DuckDB file.
VIEWS = "marts"
# The schema between these views and the schemas of publications.
INNER = "uppklarat"
TYPES = {
    "BIGINT": "bigint",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "DOUBLE": "double precision",
    "INTEGER": "integer",
    "TIMESTAMP": "timestamp",
    "VARCHAR": "text",
}
# Columns that BI tools filter on; indexed in tables that have all of them.
FILTERS = (
    ("indicator_id", "variant", "geography_level", "geography_code"),
    ("geography_code", "year"),
    ("year", "geography_level"),
)
_BLOCK = 2**20
_ROWS = 10_000


@dataclass(frozen=True)
class Table:
    """A published table with the DuckDB types of its columns and its comments."""

    name: str
    columns: Mapping[str, str]
    comment: str | None
    column_comments: Mapping[str, str]


def publication_schema(publication: Publication) -> str:
    """Return the schema of a publication: its id and a hash that distinguishes publications of the same second."""
    digest = hashlib.sha256((publication.folder / MANIFEST).read_bytes()).hexdigest()[:8]
    return f"uppklarat_{publication.publication_id.lower()}_{digest}"


def published_tables(publication: Publication) -> list[Table]:
    """Return the tables of a publication."""
    columns: dict[str, dict[str, tuple[str, str]]] = {}
    with duckdb.connect(str(publication.folder / DATABASE), read_only=True) as published:
        for table, column, kind, comment in published.execute(
            "select columns.table_name, column_name, data_type, columns.comment from duckdb_columns() as columns "
            "semi join duckdb_tables() as tables using (schema_name, table_name) "
            "where schema_name = 'marts' order by columns.table_name, column_index"
        ).fetchall():
            columns.setdefault(table, {})[column] = (kind, comment)
        comments = dict(
            published.execute("select table_name, comment from duckdb_tables() where schema_name = 'marts'").fetchall()
        )
    return [
        Table(
            name,
            {column: kind for column, (kind, _) in described.items()},
            comments[name],
            {column: comment for column, (_, comment) in described.items() if comment},
        )
        for name, described in columns.items()
    ]


def load_tables(connection: psycopg.Connection, publication: Publication, tables: Sequence[Table]) -> None:
    """Create the publication's schema, load its tables and compare them, in one transaction."""
    schema = publication_schema(publication)
    with (
        duckdb.connect(str(publication.folder / DATABASE), read_only=True) as published,
        connection.transaction(),
    ):
        connection.execute(sql.SQL("create schema {0}; revoke all on schema {0} from public").format(_name(schema)))
        for table in tables:
            _load_table(connection, schema, table, publication.folder / "csv" / f"{table.name}.csv")
            if not _is_same(connection, schema, published, table):
                raise NotServedError(f"table {table.name} in PostgreSQL does not hold what was published")


def comment_statements(schema: str, table: Table) -> Iterator[sql.Composed]:
    """Yield statements that set the comments of a table or view and its columns."""
    kind = sql.SQL("view" if schema == VIEWS else "table")
    place = sql.Identifier(schema, table.name)
    yield sql.SQL("comment on {} {} is {}").format(kind, place, sql.Literal(table.comment))
    for column in table.columns:
        place = sql.Identifier(schema, table.name, column)
        yield sql.SQL("comment on column {} is {}").format(place, sql.Literal(table.column_comments.get(column)))


def _load_table(connection: psycopg.Connection, schema: str, table: Table, csv: Path) -> None:
    place = sql.Identifier(schema, table.name)
    columns = [sql.SQL("{} {}").format(_name(name), sql.SQL(_type(kind))) for name, kind in table.columns.items()]
    connection.execute(sql.SQL("create table {} ({})").format(place, sql.SQL(", ").join(columns)))
    # `freeze` makes rows visible to older snapshots too, which would otherwise see empty tables.
    copy_in = sql.SQL("copy {} from stdin (format csv, header match, freeze, encoding 'UTF8')").format(place)
    with csv.open("rb") as file, connection.cursor() as cursor, cursor.copy(copy_in) as copy:
        while block := file.read(_BLOCK):
            copy.write(block)
    key = mart_keys().get(table.name, ())
    for index in (key, *FILTERS):
        if index and set(index) <= set(table.columns) and (index is key or index != key[: len(index)]):
            unique = sql.SQL("unique " if index is key else "")
            listed = sql.SQL(", ").join(map(_name, index))
            connection.execute(sql.SQL("create {}index on {} ({})").format(unique, place, listed))
    connection.execute(sql.SQL("; ").join(comment_statements(schema, table)))
    connection.execute(sql.SQL("analyze {}").format(place))


def _is_same(connection: psycopg.Connection, schema: str, published: duckdb.DuckDBPyConnection, table: Table) -> bool:
    """Return whether both tables hold the same rows, reading both completely in the same order."""
    order = [
        sql.SQL('{} collate "C"' if kind == "VARCHAR" else "{}").format(_name(name))
        for name, kind in table.columns.items()
    ]
    select = sql.SQL("select {} from {} order by {}").format(
        sql.SQL(", ").join(map(_name, table.columns)), sql.Identifier(schema, table.name), sql.SQL(", ").join(order)
    )
    columns = ", ".join(f'"{name}"' for name in table.columns)
    built = published.execute(f'select {columns} from marts."{table.name}" order by all')
    with connection.cursor(name="served") as served:
        served.execute(select, binary=True)
        blocks: Iterator[tuple[list[Any], list[Any]]] = zip_longest(_blocks(built), _blocks(served), fillvalue=[])
        # NaN is unequal to itself, but its repr is equal.
        return all(
            built_block == served_block or repr(built_block) == repr(served_block)
            for built_block, served_block in blocks
        )


def _blocks(rows: duckdb.DuckDBPyConnection | psycopg.ServerCursor) -> Iterator[list[Any]]:
    while block := rows.fetchmany(_ROWS):
        yield block


def _type(kind: str) -> str:
    if kind not in TYPES:
        raise NotServedError(f"no type of PostgreSQL is declared for {kind}")
    return TYPES[kind]


def _name(name: str) -> sql.Identifier:
    return sql.Identifier(name)
