"""Runs the warehouse in tests, completely or up to the marts, and compares the results."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from dagster_project import paths
from dagster_project.files import private_folder
from dagster_project.ingestion.ingest import changed_folders, ingest
from dagster_project.ingestion.pseudonyms import KEY_VARIABLE
from dagster_project.settings import Settings
from dagster_project.state import read_state
from dagster_project.transformation.build import build_marts
from dagster_project.transformation.dbt_project import mart_keys, mart_tables, prepare_manifest

if TYPE_CHECKING:
    from loads import Ended

COMMAND = Path(sys.executable).with_name("uppklarat")


def share_parsed_project(home: Path) -> None:
    """Give a warehouse the dbt project as this process parsed it: parsing takes seconds, in each warehouse."""
    private_folder(home)
    if not (home / paths.PARSED).exists():
        (home / paths.PARSED).symlink_to(prepare_manifest().parents[1])


def environment(settings: Settings) -> dict[str, str]:
    share_parsed_project(settings.home)
    return {
        "PATH": os.environ["PATH"],
        **({KEY_VARIABLE: key} if (key := os.environ.get(KEY_VARIABLE)) else {}),
        "UPPKLARAT_LANDING": str(settings.landing),
        "UPPKLARAT_HOME": str(settings.home),
        "UPPKLARAT_PUBLISHED": str(settings.published),
        "UPPKLARAT_SUPPRESS_BELOW": str(settings.suppress_below),
    }


def uppklarat(settings: Settings, *arguments: str) -> Ended:
    """Run the command in a separate process, whose modules are imported already, with an otherwise empty environment."""
    from loads import Way, run

    return run(settings, Way(arguments))


def deliver(deliveries: Path, landing: Path, source: str, year: int) -> None:
    """Copy a delivery from another landing folder."""
    target = landing / source / str(year)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(deliveries / source / str(year), target)


def build(settings: Settings) -> None:
    """Ingest and build the marts, without Dagster, audit and publication."""
    for folder in changed_folders(read_state(settings)):
        ingest(folder, settings)
    build_marts(settings)


def marts(database: Path, tables: tuple[str, ...] | None = None) -> dict[str, list[tuple[Any, ...]]]:
    """Return all sorted rows of the marts, except the tables about the publication."""
    with duckdb.connect(str(database), read_only=True) as connection:
        return {
            table: connection.execute(f"select * from marts.{table} order by all").fetchall()
            for table in tables or mart_tables()
        }


def figures(database: Path, where: str = "true") -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return rows of fct_indicator_year by key."""
    return rows_by_key(database, "fct_indicator_year", where)


def rows_by_key(database: Path, table: str, where: str = "true") -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return rows of a published table by key."""
    with duckdb.connect(str(database), read_only=True) as connection:
        cursor = connection.execute(f"select * from marts.{table} where {where}")
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {tuple(row[name] for name in mart_keys()[table]): row for row in rows}


def differences(
    expected: dict[tuple[Any, ...], dict[str, Any]], got: dict[tuple[Any, ...], dict[str, Any]]
) -> list[str]:
    """Return the differences of figures: counts exactly, rates to 1e-9."""
    messages = [f"only expected: {key}" for key in expected.keys() - got.keys()]
    messages += [f"not expected: {key}" for key in got.keys() - expected.keys()]
    for key in expected.keys() & got.keys():
        for measure, wanted in expected[key].items():
            value = got[key][measure]
            same = abs(value - wanted) < 1e-9 if isinstance(wanted, float) and value is not None else value == wanted
            if not same:
                messages.append(f"{key} {measure}: {value}, should be {wanted}")
    return messages
