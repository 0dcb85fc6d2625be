"""What a change of code or of a dependency makes again: everything that it can have decided, and nothing that it only shows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import copy_code

from dagster_project import versions
from dagster_project.ingestion.ingest import VALIDATION_CODE
from dagster_project.settings import REPOSITORY

PLACES = ("dagster_project", "dbt", "expectations")


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the code, which the fingerprints are taken of."""
    for place in PLACES:
        copy_code(REPOSITORY / place, tmp_path / place)
    monkeypatch.setattr(versions, "CODE", tmp_path / "dagster_project")
    monkeypatch.setattr(versions, "_CODE", tuple(tmp_path / place for place in PLACES))
    forget()
    yield tmp_path
    monkeypatch.undo()
    forget()


def forget() -> None:
    for function in (versions.rules_version, versions.code_version, versions.dependencies):
        function.cache_clear()


def changed(copy: Path, file: str) -> tuple[bool, bool]:
    """Whether a line more in a file changes the rules, and the code."""
    before = versions.rules_version(), versions.code_version()
    with (copy / file).open("a") as opened:
        opened.write("\n")
    forget()
    after = versions.rules_version(), versions.code_version()
    return before[0] != after[0], before[1] != after[1]


@pytest.mark.parametrize(
    "file",
    [
        "dagster_project/disclosure/suppression.py",
        "dagster_project/contract/input.yml",
        "dagster_project/disclosure/withheld.py",
        "dbt/models/marts/dim_year.sql",
        "dbt/seeds/offence_code.csv",
        "expectations/suites/fct_indicator_year.py",
    ],
)
def test_what_decides_figures_belongs_to_the_rules(copy: Path, file: str) -> None:
    assert changed(copy, file) == (True, True)


@pytest.mark.parametrize(
    "file",
    [
        "dagster_project/report/report.css",
        "dagster_project/report/charts.py",
        "dagster_project/publication/formats/px.py",
        "dagster_project/cli/main.py",
    ],
)
def test_what_only_shows_figures_is_published_again_and_nothing_else(copy: Path, file: str) -> None:
    assert changed(copy, file) == (False, True)


@pytest.mark.parametrize("dependency", ["duckdb", "dbt-core", "great-expectations"])
def test_another_version_of_a_dependency_is_another_rule(
    copy: Path, monkeypatch: pytest.MonkeyPatch, dependency: str
) -> None:
    before = versions.rules_version(), versions.code_version()
    installed = versions.version
    monkeypatch.setattr(versions, "version", lambda name: "0" if name == dependency else installed(name))
    forget()
    after = versions.rules_version(), versions.code_version()
    assert before[0] != after[0]
    assert before[1] != after[1]


def imports(path: Path) -> set[str]:
    """Modules of ours that a file imports, as paths from the repository."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in PLACES:
            module = REPOSITORY / node.module.replace(".", "/")
            # a module, a package, or a name of a package that is itself a module
            candidates = [
                module.with_suffix(".py"),
                module / "__init__.py",
                *(module / f"{n.name}.py" for n in node.names),
            ]
            found |= {str(one.relative_to(REPOSITORY)) for one in candidates if one.exists()}
    return found


def test_all_code_that_judges_rows_is_part_of_its_fingerprint() -> None:
    seen: set[str] = set()
    waiting = {str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / "dagster_project/ingestion").glob("*.py")}
    while waiting:
        file = waiting.pop()
        seen.add(file)
        waiting |= imports(REPOSITORY / file) - seen
    packages = {"dagster_project/__init__.py", "expectations/__init__.py"}
    assert {file for file in seen - packages if not file.startswith(VALIDATION_CODE)} == set()
    assert "dagster_project/sql.py" in seen
