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

FIGURE = ("indicator_id", "variant", "year", "geography_level", "geography_code", "victim_group")
FIGURES = {"shown": "null", "hidden": "'primary'"}
# What a history tells, as figure, old and new value, and how many of its rows tell what is withheld
HISTORIES = {
    "nothing_told": ([], 0),
    "only_what_is_shown": ([("shown", 1, 2), ("shown", "null", 2)], 0),
    "that_it_is_withheld": ([("hidden", "null", "null")], 0),
    "of_what_is_gone": ([("gone", 1, "null")], 0),
    "an_old_value": ([("hidden", 1, "null"), ("shown", 1, 2)], 1),
    "a_new_value_and_both": ([("hidden", "null", 2), ("hidden", 1, 2)], 2),
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
    models["figures"] = " union all ".join(
        f"select {figure(name)}, {reason} as suppression" for name, reason in FIGURES.items()
    )
    for name, (rows, _) in HISTORIES.items():
        none = f"select {figure('')}, null::double as old_value, null::double as new_value where false"
        told = (f"select {figure(of)}, {old} as old_value, {new} as new_value" for of, old, new in rows)
        models[name] = " union all ".join([none, *told])
    for name, rows in models.items():
        (project / "models" / f"{name}.sql").write_text(rows, encoding="utf-8")
    unique = [{"unique_combination": {"arguments": {"columns": ["a", "b"]}}}]
    silent = [{"tells_nothing_withheld": {"arguments": {"figures": "ref('figures')"}}}]
    database = {"type": "duckdb", "path": str(project / "throwaway.duckdb")}
    files = {
        "models/models.yml": {
            "models": [
                *({"name": name, "data_tests": unique} for name in MODELS),
                *({"name": name, "data_tests": silent} for name in HISTORIES),
            ]
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


def figure(code: str) -> str:
    """A key of which one part tells which figure it is."""
    return ", ".join(f"'{code if name == 'geography_code' else ''}' as {name}" for name in FIGURE)


@pytest.mark.parametrize(("model", "expected"), [(name, expected) for name, (_, expected) in MODELS.items()])
def test_unique_combination(failures: dict[str, int], model: str, expected: int) -> None:
    assert failures[model] == expected


@pytest.mark.parametrize(("model", "expected"), [(name, expected) for name, (_, expected) in HISTORIES.items()])
def test_tells_nothing_withheld(failures: dict[str, int], model: str, expected: int) -> None:
    assert failures[model] == expected
