"""Running the warehouse in tests, the whole way or up to the marts, and comparing what came out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.ingestion.ingest import changed_folders, ingest
from dagster_project.ingestion.pseudonyms import KEY_VARIABLE
from dagster_project.settings import REPOSITORY, Settings
from dagster_project.transformation.build import build_marts
from dagster_project.transformation.dbt_project import mart_tables, prepare_manifest

COMMAND = Path(sys.executable).with_name("uppklarat")


def environment(settings: Settings) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        **({KEY_VARIABLE: key} if (key := os.environ.get(KEY_VARIABLE)) else {}),
        "UPPKLARAT_LANDING": str(settings.landing),
        "UPPKLARAT_HOME": str(settings.home),
        "UPPKLARAT_PUBLISHED": str(settings.published),
        "UPPKLARAT_SUPPRESS_BELOW": str(settings.suppress_below),
    }


def uppklarat(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does: a process of its own, an otherwise empty environment."""
    prepare_manifest()
    return subprocess.run(
        [str(COMMAND), *arguments],
        env=environment(settings),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
    )


def deliver(deliveries: Path, landing: Path, source: str, year: int) -> None:
    """Put one delivery of another landing folder into a landing folder."""
    target = landing / source / str(year)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(deliveries / source / str(year), target)


def build(settings: Settings) -> None:
    """Everything up to the marts, without Dagster, audit and publication."""
    prepare_manifest()
    for folder in changed_folders(settings):
        ingest(folder, settings)
    build_marts(settings)


def marts(database: Path, tables: tuple[str, ...] | None = None) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all marts that do not tell of the publication itself, sorted."""
    prepare_manifest()
    with duckdb.connect(str(database), read_only=True) as connection:
        return {
            table: connection.execute(f"select * from marts.{table} order by all").fetchall()
            for table in tables or mart_tables()
        }


def figures(database: Path, where: str = "true") -> dict[tuple[Any, ...], dict[str, Any]]:
    """Rows of fct_indicator_year by key."""
    with duckdb.connect(str(database), read_only=True) as connection:
        cursor = connection.execute(f"select * from marts.fct_indicator_year where {where}")
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    key = ("indicator_id", "variant", "year", "geography_level", "geography_code", "victim_group")
    return {tuple(row[name] for name in key): row for row in rows}


def differences(
    expected: dict[tuple[Any, ...], dict[str, Any]], got: dict[tuple[Any, ...], dict[str, Any]]
) -> list[str]:
    """Where figures are not what they should be: counts exactly, rates to 1e-9."""
    found = [f"only expected: {key}" for key in expected.keys() - got.keys()]
    found += [f"not expected: {key}" for key in got.keys() - expected.keys()]
    for key in expected.keys() & got.keys():
        for measure, should in expected[key].items():
            value = got[key][measure]
            same = abs(value - should) < 1e-9 if isinstance(should, float) and value is not None else value == should
            if not same:
                found.append(f"{key} {measure}: {value}, should be {should}")
    return found
