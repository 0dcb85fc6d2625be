"""The published tables about the publication itself, created and checked as the dbt project declares them."""

from __future__ import annotations

from pathlib import Path

import duckdb

from dagster_project.publication.comparison import KEY
from dagster_project.sql import identifier, parquet
from dagster_project.transformation.dbt_project import described_tables, mart_declarations


def create_described_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the empty tables in schema `marts` with the declared columns, types and descriptions."""
    connection.execute("create schema marts")
    for table in described_tables():
        declared = mart_declarations()[table]
        columns = ", ".join(f"{identifier(name)} {kind}" for name, (kind, _) in declared.columns.items())
        connection.execute(f"create table marts.{table} ({columns})")
        connection.execute(f"comment on table marts.{table} is {_text(declared.description)}")
        for name, (_, meaning) in declared.columns.items():
            connection.execute(f"comment on column marts.{table}.{identifier(name)} is {_text(meaning)}")


def failed_checks_of_described_tables(connection: duckdb.DuckDBPyConnection, figures: Path) -> list[str]:
    """Return the names of failed checks, given the draft's file of `fct_indicator_year`.

    `unique_combination`: no two rows have the same key. `tells_nothing_withheld`: withheld figures have no values, because the
    history of a number would reveal it.
    """
    queries = {
        f"unique_combination_{table}": (
            f"select 1 from marts.{table} group by {', '.join(map(identifier, mart_declarations()[table].key))} having count(*) > 1"
        )
        for table in described_tables()
    }
    queries["tells_nothing_withheld_revision"] = (
        f"select 1 from marts.revision as revision inner join {parquet(figures)} as figure using ({', '.join(KEY)}) "
        "where figure.suppression is not null and (revision.old_value is not null or revision.new_value is not null)"
    )
    return [name for name, query in queries.items() if connection.execute(f"{query} limit 1").fetchone()]


def _text(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"
