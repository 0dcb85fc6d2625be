"""The worked examples of CONTRIBUTING.md, followed to the letter in a copy of the repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import duckdb
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def apply(diff: str, folder: Path) -> None:
    """Make the changes of a unified diff, each of whose hunks must stand exactly once in its file."""
    for file, hunks in re.findall(r"^--- a/\S+\n\+\+\+ b/(\S+)\n(.*?)(?=^--- |\Z)", diff, re.MULTILINE | re.DOTALL):
        path = folder / file
        for hunk in re.split(r"^@@.*\n", hunks, flags=re.MULTILINE)[1:]:
            lines = hunk.splitlines()
            old, new = (
                "\n".join(line[1:] for line in lines if line[:1] in signs) for signs in ((" ", "-", ""), (" ", "+", ""))
            )
            text = path.read_text(encoding="utf-8")
            assert text.count(old) == 1, f"{file}: {old}"
            path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The code with both examples, and the folder of a warehouse that was never loaded."""
    for name in ("dagster_project", "dbt", "expectations"):
        shutil.copytree(
            REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns("target", "logs", "__pycache__")
        )
    (tmp_path / "data" / "warehouse").mkdir(parents=True)
    examples = re.findall(r"```diff\n(.*?)```", (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        apply(example, tmp_path)
    return tmp_path


def test_a_mart_column_and_a_check_are_added_as_described(clone: Path) -> None:
    built = subprocess.run(
        [str(Path(sys.executable).with_name("dbt")), "build", "--select", "+fct_report_lag_year"],
        cwd=clone / "dbt",
        env={"PATH": os.environ["PATH"], "HOME": str(clone)},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stdout
    script = """
        import duckdb
        from expectations.suites import load_suites
        from expectations.validation import validate
        (suite,) = [suite for suite in load_suites("marts") if suite.name == "fct_report_lag_year"]
        with duckdb.connect("data/warehouse/warehouse.duckdb") as warehouse:
            warehouse.execute("insert into marts.fct_report_lag_year by name select 5 as processed, 2 as cleared, 4 as not_cleared")
            for result in validate("marts", [suite], warehouse):
                if result.name == "not_cleared_is_the_rest":
                    print(result.blocks, result.observed)
    """
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=clone,
        capture_output=True,
        text=True,
        env={"HOME": str(clone)},
    )
    assert found.stdout == "True 1 row\n", found.stderr
    with duckdb.connect(str(clone / "data" / "warehouse" / "warehouse.duckdb"), read_only=True) as warehouse:
        (comment,) = warehouse.execute(
            "select comment from duckdb_columns() where table_name = 'fct_report_lag_year' and column_name = 'not_cleared'"
        ).fetchall()
    assert comment == ("Processed offences that were not cleared.",)
