"""The tables that tell of the publication itself are made as they are declared, and fail the checks that are about them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from dagster_project.publication.described import create_described_tables, failed_checks_of_described_tables
from dagster_project.transformation.dbt_project import described_tables, mart_declarations

FIGURE = ("indicator_id", "variant", "year", "geography_level", "geography_code", "victim_group")
FIGURES = {"shown": "null", "hidden": "'primary'"}
# What a history tells, as figure, old and new value, and whether any of its rows tells what is withheld
HISTORIES = {
    "nothing_told": ([], False),
    "only_what_is_shown": ([("shown", 1, 2), ("shown", "null", 2)], False),
    "that_it_is_withheld": ([("hidden", "null", "null")], False),
    "of_what_is_gone": ([("gone", 1, "null")], False),
    "an_old_value": ([("hidden", 1, "null"), ("shown", 1, 2)], True),
    "a_new_value": ([("hidden", "null", 2)], True),
    "both": ([("hidden", 1, 2)], True),
}


def figure(code: str) -> str:
    """A key of which one part tells which figure it is."""
    values = {"geography_code": f"'{code}'", "year": "2024"}
    return ", ".join(f"{values.get(name, repr(''))} as {name}" for name in FIGURE)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        create_described_tables(connection)
        yield connection


@pytest.fixture
def figures(tmp_path: Path) -> Path:
    file = tmp_path / "figures.parquet"
    rows = " union all ".join(f"select {figure(name)}, {reason} as suppression" for name, reason in FIGURES.items())
    duckdb.execute(f"copy ({rows}) to '{file}'")
    return file


def test_tables_are_made_as_declared(connection: duckdb.DuckDBPyConnection) -> None:
    assert described_tables() == ("publication", "quality_check", "revision")
    for table in described_tables():
        declared = mart_declarations()[table]
        made = connection.execute(
            "select column_name, lower(data_type), comment from duckdb_columns() where table_name = ? order by column_index",
            [table],
        ).fetchall()
        assert made == [(name, kind, meaning) for name, (kind, meaning) in declared.columns.items()]
        comment = connection.execute("select comment from duckdb_tables() where table_name = ?", [table]).fetchone()
        assert comment == (declared.description,)
        assert set(declared.key) <= set(declared.columns)


@pytest.mark.parametrize("table", ["publication", "revision", "quality_check"])
def test_two_rows_of_one_key_fail(connection: duckdb.DuckDBPyConnection, figures: Path, table: str) -> None:
    first = mart_declarations()[table].key[0]
    for value, failed in (("a", []), ("b", []), ("a", [f"unique_combination_{table}"])):
        connection.execute(f"insert into marts.{table} ({first}) values (?)", [value])
        assert failed_checks_of_described_tables(connection, figures) == failed


@pytest.mark.parametrize("history", HISTORIES)
def test_values_of_withheld_figures_fail(connection: duckdb.DuckDBPyConnection, figures: Path, history: str) -> None:
    rows, tells = HISTORIES[history]
    for number, (of, old, new) in enumerate(rows):
        connection.execute(
            f"insert into marts.revision by name select 'p{number}' as publication_id, {figure(of)}, "
            f"{old} as old_value, {new} as new_value"
        )
    assert failed_checks_of_described_tables(connection, figures) == (
        ["tells_nothing_withheld_revision"] if tells else []
    )
