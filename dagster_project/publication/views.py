"""The published views: their SQL from the dbt project, created in the draft's database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import duckdb

from dagster_project import paths
from dagster_project.publication.draft import DATABASE
from dagster_project.settings import Settings
from dagster_project.sql import literal
from dagster_project.transformation.dbt_project import mart_views, prepare_manifest


@cache
def published_views() -> Mapping[str, str]:
    """Return the select statement of each view, with tables as `marts.<table>`, for DuckDB (1.0 or later) and PostgreSQL.

    It is what dbt compiled at set-up, without the name of the database.
    """
    return MappingProxyType(
        {name: node["compiled_code"].replace('"warehouse".', "").strip() for name, node in _views().items()}
    )


def column_comments(view: str) -> dict[str, str]:
    """Return the descriptions of a view's columns."""
    return {name: str(column["description"]).strip() for name, column in _views()[view]["columns"].items()}


def write_views(settings: Settings) -> None:
    """Create the views with their descriptions in the draft's database."""
    with duckdb.connect(str(settings.published / paths.DRAFT / DATABASE)) as connection:
        for view, statement in published_views().items():
            connection.execute(f"create or replace view marts.{view} as {statement}")
            connection.execute(f"comment on view marts.{view} is {_text(_views()[view]['description'])}")
            for column, comment in column_comments(view).items():
                connection.execute(f'comment on column marts.{view}."{column}" is {_text(comment)}')


def changed_views(settings: Settings) -> list[str]:
    """Return the views of the draft whose rows differ from their statement on the built tables."""
    changed = []
    with duckdb.connect() as connection:
        connection.execute(f"attach {literal(settings.published / paths.DRAFT / DATABASE)} as served (read_only)")
        connection.execute(f"attach {literal(settings.home / paths.WAREHOUSE)} as built (read_only)")
        for view, statement in published_views().items():
            # Tables of a view are resolved in the current database.
            for database, rows in (("served", f"select * from marts.{view}"), ("built", statement)):
                connection.execute(f"use {database}")
                connection.execute(f"create temp table {view}_{database} as {rows}")
            same = connection.execute(
                f"""
                select
                    (select count(*) from {view}_served) = (select count(*) from {view}_built),
                    (select count(*) from (from {view}_built except from {view}_served))
                """
            ).fetchone()
            if same != (True, 0):
                changed.append(view)
    return changed


def _views() -> dict[str, dict[str, Any]]:
    nodes = json.loads(prepare_manifest().read_text(encoding="utf-8"))["nodes"].values()
    return {node["name"]: node for node in nodes if node["resource_type"] == "model" and node["name"] in mart_views()}


def _text(words: str) -> str:
    return "'" + " ".join(words.split()).replace("'", "''") + "'"
