"""The draft: writes all marts to the files to be published and reads them back."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from dagster_project.sql import literal, parquet

DATABASE = "uppklarat.duckdb"
FORMATS = ("duckdb", "parquet", "csv")
_DIALECT = """header = true, delim = ',', quote = '"', escape = '"'"""
# Any DuckDB client from 1.0 on can open this version.
STORAGE_VERSION = "v1.0.0"
READ_BACK = "read_back"
# Texts that a spreadsheet would treat as a formula, also if it uses other separators.
FORMULA = r"(^|[;\t\r\n])[=+\-@\t\r]"


def begin_draft(draft: Path) -> None:
    """Remove an earlier draft and create the folders of a new one."""
    shutil.rmtree(draft, ignore_errors=True)
    for folder in (draft / "parquet", draft / "csv"):
        folder.mkdir(parents=True)


def write_draft(draft: Path, tables: Sequence[str], built: Path) -> None:
    """Write tables of a database's schema `marts` into the draft in every format."""
    with duckdb.connect() as connection:
        connection.execute(f"attach {literal(draft / DATABASE)} as draft (storage_version '{STORAGE_VERSION}')")
        connection.execute(f"attach {literal(built)} as built (read_only)")
        connection.execute("create schema if not exists draft.marts")
        for table in tables:
            drafted = f"draft.marts.{table}"
            # Sorted so that the same content gives the same files.
            connection.execute(f"create or replace table {drafted} as from built.marts.{table} order by all")
            _copy_comments(connection, table)
            as_parquet, as_csv = draft / "parquet" / f"{table}.parquet", draft / "csv" / f"{table}.csv"
            connection.execute(f"copy {drafted} to {literal(as_parquet)} (format parquet, compression zstd)")
            connection.execute(f"copy {drafted} to {literal(as_csv)} (format csv, header)")


def draft_files(tables: Sequence[str]) -> set[str]:
    """Return the relative paths of a draft's files with these tables."""
    return {DATABASE, *(f"{form}/{table}.{form}" for form in ("parquet", "csv") for table in tables)}


def reset_draft(draft: Path, keep: Collection[str]) -> None:
    """Reset a draft after an interrupted release: remove all files except `keep`.

    The catalogue lists every file in the draft, so none may be left over.
    """
    for path in sorted(draft.rglob("*"), reverse=True):
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif str(path.relative_to(draft)) not in keep:
            path.unlink()


@contextmanager
def read_back(draft: Path, tables: Sequence[str], built: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Read the draft's files and compare them with the built tables.

    Yields a connection with table `read_back`: for every table and format the number of rows built and served, rows only in
    either, and for CSV the rows with a text that a spreadsheet would treat as a formula.
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
                # DuckDB would guess the quotes from the first rows, which may have none.
                "csv": f"read_csv({literal(draft / 'csv' / f'{table}.csv')}, {_DIALECT}, columns = {{{csv_types}}})",
            }
            for form in FORMATS:
                built_rows, served_rows = (
                    f"select {columns} from built.marts.{table}",
                    f"select {columns} from {served_as[form]}",
                )
                rows_built, rows_served = _count(connection, built_rows), _count(connection, served_rows)
                # Every mart has a key, so equal numbers of rows with none missing are equal rows.
                same = rows_built == rows_served and not _count(connection, f"{built_rows} except {served_rows}")
                only_built, only_served = (
                    0 if same else _count(connection, f"{left_rows} except all {right_rows}")
                    for left_rows, right_rows in ((built_rows, served_rows), (served_rows, built_rows))
                )
                formulas = _count(connection, f"{served_rows} where {_holds_formula(types)}") if form == "csv" else 0
                connection.execute(
                    f"insert into {READ_BACK} values (?, ?, ?, ?, ?, ?, ?)",
                    [table, form, rows_built, rows_served, only_built, only_served, formulas],
                )
        yield connection


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(f"select count(*) from ({query})").fetchone()
    return int(row[0]) if row else 0


def _holds_formula(types: Sequence[tuple[str, ...]]) -> str:
    """Return a condition for rows with a text that a spreadsheet would treat as a formula; negative numbers are allowed."""
    texts = [
        f"""(regexp_matches("{name}", '{FORMULA}') and try_cast("{name}" as double) is null)"""
        for name, kind, *_ in types
        if kind == "VARCHAR"
    ]
    return " or ".join(texts) or "false"


def _copy_comments(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Copy the descriptions of the table and its columns."""
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
        target = f"table draft.marts.{table}" if column is None else f'column draft.marts.{table}."{column}"'
        text = comment.replace("'", "''")
        connection.execute(f"comment on {target} is '{text}'")
