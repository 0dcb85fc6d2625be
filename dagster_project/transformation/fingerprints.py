"""Fingerprints of the working database's inputs, to detect stale years and stale marts."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import duckdb

from dagster_project import paths
from dagster_project.memory import limit_memory
from dagster_project.settings import Settings
from dagster_project.state import DeliveryRecord, State, record_folder
from dagster_project.transformation.dbt_project import mart_tables
from dagster_project.versions import fingerprint, rules_version

# Without query parameters, for which DuckDB would import pandas; saves a third of a load with nothing new.
_TABLE_EXISTS = "from duckdb_tables() where schema_name = 'build' and table_name = '{}'"


def year_fingerprints(state: State) -> dict[int, str]:
    """The fingerprint of the inputs of each complete year, by year.

    The inputs are the year's own deliveries, the police deliveries of earlier years, in which offences are looked up, the user's
    own offence codes, and the rules.
    """
    own_codes = state.settings.home / paths.OWN_OFFENCE_CODES
    shared = [
        rules_version(),
        state.purged.before,
        fingerprint([own_codes]) if own_codes.exists() else "",
    ]
    return {
        year: _hash(
            [
                *shared,
                *(
                    # Included because another key changes the pseudonyms.
                    [record.label, record.delivery_id, record.judged_by, record.key_id]
                    for (source, delivered), record in state.active.items()
                    if delivered == year or (source == "police" and delivered < year)
                ),
            ]
        )
        for year in state.complete_years
    }


def is_built(state: State) -> bool:
    """Whether the marts are the unchanged result of a build of the active deliveries by the present rules and settings."""
    warehouse = state.settings.home / paths.WAREHOUSE
    if not warehouse.exists():
        return False
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        limit_memory(connection, state.settings)
        if not connection.execute(_TABLE_EXISTS.format("result")).fetchone():
            return False
        recorded = connection.execute("select basis, content from build.result").fetchone()
        return recorded == (_basis(state), _content(connection))


def is_built_by_present_rules(settings: Settings) -> bool:
    """Whether the present rules built the working database, so that a build can keep its years."""
    warehouse = settings.home / paths.WAREHOUSE
    if not warehouse.exists():
        return False
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        exists = connection.execute(_TABLE_EXISTS.format("rules")).fetchone()
        return bool(exists) and connection.execute("select version from build.rules").fetchone() == (rules_version(),)


def record_build_begins(connection: duckdb.DuckDBPyConnection) -> bool:
    """Record the rules of the build and that it is running.

    Returns whether the previous build ended, so that all its tables exist.
    """
    ended = connection.execute(_TABLE_EXISTS.format("result")).fetchone() is not None
    connection.execute("create schema if not exists build")
    connection.execute(f"create or replace table build.rules as select '{rules_version()}' as version")
    connection.execute("drop table if exists build.result")
    return ended


def record_build_ended(connection: duckdb.DuckDBPyConnection, state: State) -> None:
    """Record the fingerprints of the build's inputs and of its marts."""
    connection.execute("create or replace table build.result (basis varchar, content varchar)")
    connection.execute("insert into build.result values (?, ?)", [_basis(state), _content(connection)])


def raw_file(settings: Settings, record: DeliveryRecord, file: str) -> Path:
    """The path of the typed rows of a delivered file."""
    return record_folder(settings, record.source, record.year, record.delivery_id, record.judged_by) / f"{file}.parquet"


def _basis(state: State) -> str:
    derived_from = [year_fingerprints(state), asdict(state.purged), state.settings.suppress_below, rules_version()]
    population = state.settings.home / paths.POPULATION
    return _hash([*derived_from, state.official_versions, fingerprint([population]) if population.exists() else ""])


def _content(connection: duckdb.DuckDBPyConnection) -> str:
    """A fingerprint of all rows of the marts, independent of their order."""
    existing = connection.execute("select table_name from duckdb_tables() where schema_name = 'marts'").fetchall()
    return _hash(
        [
            [table, *connection.execute(f"select count(*), sum(hash(mart)) from marts.{table} as mart").fetchall()]
            for table in mart_tables()
            if (table,) in existing
        ]
    )


def _hash(content: object) -> str:
    return hashlib.sha256(json.dumps(content, default=str).encode()).hexdigest()[:16]
