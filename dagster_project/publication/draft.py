"""The draft: all marts written to the files that will be published, and read back from them."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from dagster_project.sql import literal, parquet

DATABASE = "uppklarat.duckdb"
FORMATS = ("duckdb", "parquet", "csv")
# Older than what DuckDB 1.5 writes by default: any client from 1.0 on opens it.
STORAGE_VERSION = "v1.0.0"
READ_BACK = "read_back"
# Where a spreadsheet begins to compute: at the start of a text, or of a piece of it if it takes other separators than ours.
FORMULA = r"(^|[;\t\r\n])[=+\-@\t\r]"


def begin_draft(draft: Path) -> None:
    """Remove what an earlier load left, and make the folders of a new draft."""
    shutil.rmtree(draft, ignore_errors=True)
    for folder in (draft / "parquet", draft / "csv"):
        folder.mkdir(parents=True)


def write_draft(draft: Path, tables: Sequence[str], built: Path) -> None:
    """Write tables of schema `marts` of a database into the draft in every format."""
    with duckdb.connect() as connection:
        connection.execute(f"attach {literal(draft / DATABASE)} as draft (storage_version '{STORAGE_VERSION}')")
        connection.execute(f"attach {literal(built)} as built (read_only)")
        connection.execute("create schema if not exists draft.marts")
        for table in tables:
            columns = _columns(connection, table)
            # Sorted by all columns, keys first, so that the same content gives the same files.
            select = f"select {', '.join(columns)} from built.marts.{table} order by all"
            connection.execute(f"create or replace table draft.marts.{table} as {select}")
            _copy_comments(connection, table)
            as_parquet, as_csv = draft / "parquet" / f"{table}.parquet", draft / "csv" / f"{table}.csv"
            connection.execute(f"copy ({select}) to {literal(as_parquet)} (format parquet, compression zstd)")
            connection.execute(f"copy ({select}) to {literal(as_csv)} (format csv, header)")


def files_of(tables: Sequence[str]) -> set[str]:
    """The files of a draft that hold these tables, by their paths in it."""
    return {DATABASE, *(f"{form}/{table}.{form}" for form in ("parquet", "csv") for table in tables)}


def undo_release(draft: Path, kept: Collection[str]) -> None:
    """Remove what an earlier attempt to release a draft wrote into it, so that the next one begins where that one did.

    The catalogue lists every file that it finds, so one that was left would be listed; and a sealed draft cannot be written to.
    """
    for path in sorted(draft.rglob("*"), reverse=True):
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif str(path.relative_to(draft)) in kept:
            path.chmod(0o644)
        else:
            path.unlink()


@contextmanager
def read_back(draft: Path, tables: Sequence[str], built: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the draft's files as a reader would and compare them with what was built.

    Gives a connection with table `read_back`: for every table and format the rows built and served, and how many rows are
    only in the one or the other; for CSV also how many hold a text that a spreadsheet would take for a formula.
    """
    with duckdb.connect() as connection:
        connection.execute(f"attach {literal(draft / DATABASE)} as served (read_only)")
        connection.execute(f"attach {literal(built)} as built (read_only)")
        connection.execute(
            f"""
            create table {READ_BACK} (
                table_name varchar, format varchar, rows_built bigint, rows_served bigint,
                rows_only_built bigint, rows_only_served bigint, formulas bigint
            )"""
        )
        for table in tables:
            types = connection.execute(f"describe built.marts.{table}").fetchall()
            columns = ", ".join(f'"{name}"' for name, *_ in types)
            csv_types = ", ".join(f"'{name}': '{kind}'" for name, kind, *_ in types)
            served_as = {
                "duckdb": f"served.marts.{table}",
                "parquet": parquet(draft / "parquet" / f"{table}.parquet"),
                "csv": f"read_csv({literal(draft / 'csv' / f'{table}.csv')}, header = true, columns = {{{csv_types}}})",
            }
            for form in FORMATS:
                made, served = f"select {columns} from built.marts.{table}", f"select {columns} from {served_as[form]}"
                rows_built, rows_served = _count(connection, made), _count(connection, served)
                # Every mart has a key, so that no row is there twice: as many rows, none of them missing, are the same rows.
                same = rows_built == rows_served and not _count(connection, f"{made} except {served}")
                only_built, only_served = (
                    0 if same else _count(connection, f"{one} except all {other}")
                    for one, other in ((made, served), (served, made))
                )
                formulas = _count(connection, f"{served} where {_holds_formula(types)}") if form == "csv" else 0
                connection.execute(
                    f"insert into {READ_BACK} values (?, ?, ?, ?, ?, ?, ?)",
                    [table, form, rows_built, rows_served, only_built, only_served, formulas],
                )
        yield connection


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(f"select count(*) from ({query})").fetchone()
    return int(row[0]) if row else 0


def _holds_formula(types: Sequence[tuple[str, ...]]) -> str:
    """A condition on rows with a text that a spreadsheet would compute; numbers may be negative."""
    texts = [
        f"""(regexp_matches("{name}", '{FORMULA}') and try_cast("{name}" as double) is null)"""
        for name, kind, *_ in types
        if kind == "VARCHAR"
    ]
    return " or ".join(texts) or "false"


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    return [f'"{name}"' for name, *_ in connection.execute(f"describe built.marts.{table}").fetchall()]


def _copy_comments(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Take the descriptions of the table and its columns along, for readers who look at the database."""
    comments = connection.execute(
        """
        select null, comment from duckdb_tables()
        where database_name = 'built' and schema_name = 'marts' and table_name = $table and comment is not null
        union all
        select column_name, comment from duckdb_columns()
        where database_name = 'built' and schema_name = 'marts' and table_name = $table and comment is not null
        """,
        {"table": table},
    ).fetchall()
    for column, comment in comments:
        what = f"table draft.marts.{table}" if column is None else f'column draft.marts.{table}."{column}"'
        text = comment.replace("'", "''")
        connection.execute(f"comment on {what} is '{text}'")
