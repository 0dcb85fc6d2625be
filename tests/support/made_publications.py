"""Small publications with the real tables and invented rows, written and published by the real functions."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import duckdb

from dagster_project import paths
from dagster_project.publication.draft import begin_draft, write_draft
from dagster_project.publications import Publication, publish, seal
from dagster_project.settings import Settings
from dagster_project.transformation.dbt_project import mart_declarations

# Values that a careless copy would change.
TEXTS = ("Åmål – ”rån”", "", 'a "quoted", text; 100 %', "two\nlines", "\\.", "\\N", "null", None)
DOUBLES = (0.1 + 0.2, 1e-300, 100 / 3, float("nan"), float("inf"), -0.0, None)
INTEGERS = (0, -1, 2**31 - 1, None)
BIGINTS = (2**53 + 1, -(2**62), 0, None)
BOOLEANS = (True, False, None)


def make_publication(settings: Settings, publication_id: str, rows: int, more: str | None = None) -> Publication:
    """Publish tables with `rows` rows each; `more` adds a column."""
    warehouse = settings.home / paths.WAREHOUSE
    draft = settings.published / paths.DRAFT
    settings.home.mkdir(parents=True, exist_ok=True)
    warehouse.unlink(missing_ok=True)
    tables = mart_declarations()
    with duckdb.connect(str(warehouse)) as connection:
        connection.begin()
        connection.execute("create schema marts")
        for table, declaration in tables.items():
            columns = {name: kind for name, (kind, _) in declaration.columns.items()}
            if more and table == "dim_year":
                columns = {more: "varchar", **columns}
            declared = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            connection.execute(f"create table marts.{table} ({declared})")
            key = declaration.key
            values = [[_value(kind, number, name in key) for name, kind in columns.items()] for number in range(rows)]
            marks = ", ".join("?" for _ in columns)
            connection.executemany(f"insert into marts.{table} values ({marks})", values)
            connection.execute(f"comment on table marts.{table} is 'It''s 100 % {table}'")
            for name in columns:
                connection.execute(f"comment on column marts.{table}.\"{name}\" is 'the column {name}'")
        connection.commit()
    begin_draft(draft)
    write_draft(draft, sorted(tables), warehouse)
    seal(
        draft,
        {
            "publication_id": publication_id,
            "published_at": "2026-01-01T00:00:00+00:00",
            "basis": publication_id,
            "synthetic": True,
            "years": [2024],
            "deliveries": [],
            "code_version": "0",
            "checks": {"passed": 0, "warned": 0},
        },
    )
    return publish(settings, publication_id)


def _value(kind: str, number: int, is_key: bool) -> Any:
    if kind == "varchar":
        return f"{number:03}" if is_key else TEXTS[number % len(TEXTS)]
    if kind == "integer":
        return number if is_key else INTEGERS[number % len(INTEGERS)]
    if kind == "date":
        return date(1900, 1, 1) + timedelta(days=number * 1000)
    if kind == "timestamp":
        return datetime(2026, 1, 1, 12, 30, 15, 123456) + timedelta(seconds=number)
    choice = {"bigint": BIGINTS, "double": DOUBLES, "boolean": BOOLEANS}[kind]
    return choice[number % len(choice)]
