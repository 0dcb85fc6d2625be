"""Proves that our own generic dbt tests fail on what they are there to find, and on nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dagster_project.settings import DBT_PROJECT

# What a model holds, and how many combinations of its columns `a` and `b` more than one row has
MODELS = {
    "no_rows": ("select 1 as a, 'x' as b where false", 0),
    "all_different": ("from (values (1, 'x'), (1, 'y'), (2, 'x')) as row (a, b)", 0),
    "alike_in_another_column": ("from (values (1, 'x', 1), (1, 'y', 1)) as row (a, b, c)", 0),
    "one_twice": ("from (values (1, 'x', 1), (1, 'x', 2), (2, 'x', 1)) as row (a, b, c)", 1),
    "one_thrice_and_another_twice": (
        "from (values (1, 'x'), (1, 'x'), (1, 'x'), (2, 'y'), (2, 'y'), (3, 'z')) as row (a, b)",
        2,
    ),
    "missing_values_alike": ("from (values (null, 'x'), (null, 'x')) as row (a, b)", 1),
    "missing_values_not_alike": ("from (values (null, 'x'), (null, 'y'), (1, null), (2, null)) as row (a, b)", 0),
}


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """Build a throwaway project with the very file of our test; how many failures dbt found in each model."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    project = tmp_path_factory.mktemp("throwaway")
    shutil.copytree(DBT_PROJECT / "tests" / "generic", project / "tests" / "generic")
    write_project(project)
    places = ["--project-dir", "--profiles-dir", "--target-path", "--log-path"]
    try:
        outcome = dbtRunner().invoke(
            ["build", "--log-level", "none", *(word for place in places for word in (place, str(project)))]
        )
    finally:
        DuckDBConnectionManager.close_all_connections()
    assert outcome.exception is None
    tests = [result for result in outcome.result if result.node.resource_type == "test"]
    assert all(result.status == ("fail" if result.failures else "pass") for result in tests)
    return {result.node.attached_node.removeprefix("model.throwaway."): result.failures for result in tests}


def write_project(project: Path) -> None:
    (project / "models").mkdir()
    models = {name: rows for name, (rows, _) in MODELS.items()}
    for name, rows in models.items():
        (project / "models" / f"{name}.sql").write_text(rows, encoding="utf-8")
    unique = [{"unique_combination": {"arguments": {"columns": ["a", "b"]}}}]
    database = {"type": "duckdb", "path": str(project / "throwaway.duckdb")}
    files = {
        "models/models.yml": {
            "models": [{"name": name, "data_tests": unique} for name in MODELS],
        },
        "dbt_project.yml": {
            "name": "throwaway",
            "profile": "throwaway",
            "flags": {"send_anonymous_usage_stats": False, "version_check": False},
        },
        "profiles.yml": {"throwaway": {"target": "here", "outputs": {"here": database}}},
    }
    for path, content in files.items():
        (project / path).write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize(("model", "expected"), [(name, expected) for name, (_, expected) in MODELS.items()])
def test_unique_combination(failures: dict[str, int], model: str, expected: int) -> None:
    assert failures[model] == expected
