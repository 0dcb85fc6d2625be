"""The worked examples of CONTRIBUTING.md, followed to the letter in a copy of the repository."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import copy_code

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


# Runs in the copy: a synthetic year, a year by hand, the marts, and the suites on what the examples changed.
SCRIPT = """
    import json
    from pathlib import Path

    import duckdb
    from reference.worlds import World, offence_row, police_row, prosecution_row, write_world
    from warehouse import build

    from dagster_project import paths
    from dagster_project.sample.deliveries import write_sample
    from dagster_project.settings import REPOSITORY, Settings
    from expectations.suites import load_suites
    from expectations.validation import validate

    assert REPOSITORY == Path.cwd()
    settings = Settings()
    write_sample(settings.landing, [2023], scale=0.001, seed=1, progress=lambda line: None)
    woman, man, another = (
        {"brottskod": code, "anmalningsdatum": "2024-02-01", "malsagande_id": victim}
        for code, victim in (("0437", "first victim"), ("0438", "second victim"), ("0424", "x" * 65))
    )
    write_world(
        settings.landing,
        World(
            {2024: [offence_row(1, **woman), offence_row(2, **woman), offence_row(3, **man), offence_row(4, **another)]},
            {2024: [police_row(number, beslutsdatum="2024-03-01") for number in (1, 2, 3)]},
            {2024: [prosecution_row(2, beslutsdatum="2024-04-01")]},
        ),
    )
    build(settings)
    suites = [suite for suite in load_suites("marts") if suite.name in ("dim_indicator", "fct_report_lag_year")]
    with duckdb.connect(str(settings.home / paths.WAREHOUSE)) as warehouse:
        before = validate("marts", suites, warehouse)
        warehouse.execute("insert into marts.fct_report_lag_year by name select 5 as processed, 2 as cleared, 4 as not_cleared")
        after = validate("marts", suites, warehouse)
    failed = [[[result.name, result.observed, result.blocks] for result in results if result.blocks] for results in (before, after)]
    Path("failed.json").write_text(json.dumps(failed))
"""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code with all examples, after a load of its own."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("dagster_project", "dbt", "expectations", "tests/support"):
        copy_code(REPOSITORY / name, folder / name)
    examples = re.findall(r"```diff\n(.*?)```", (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == 5
    for example in examples:
        apply(example, folder)
    loaded = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT)],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": f"{folder}:{folder / 'tests' / 'support'}"},
        capture_output=True,
        text=True,
    )
    assert loaded.returncode == 0, loaded.stderr
    return folder


def rows(clone: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(clone / "data" / "warehouse" / "warehouse.duckdb"), read_only=True) as warehouse:
        return warehouse.execute(query).fetchall()


def test_a_mart_column_is_added_as_described(clone: Path) -> None:
    (comment,) = rows(
        clone,
        "select comment from duckdb_columns() where table_name = 'fct_report_lag_year' and column_name = 'not_cleared'",
    )
    assert comment == ("Processed offences that were not cleared.",)


def test_a_check_is_added_as_described(clone: Path) -> None:
    before, after = json.loads((clone / "failed.json").read_text())
    assert "not_cleared_is_the_rest" not in [name for name, *_ in before]
    assert ["not_cleared_is_the_rest", "1 row", True] in after


def test_an_indicator_is_added_as_described(clone: Path) -> None:
    counted = rows(
        clone,
        """
        select victim_group, processed, cleared from marts.fct_indicator_year
        where indicator_id = 'hedersfortryck' and year = 2024 and geography_level = 'riket' and processed > 0
        order by processed
        """,
    )
    assert counted == [("man", 1, 0), ("kvinna", 2, 1), ("total", 3, 1)]
    (failed_before, _) = json.loads((clone / "failed.json").read_text())
    assert failed_before == []


def test_a_supporting_measure_is_added_as_described(clone: Path) -> None:
    counted = rows(
        clone,
        """
        select geography_level, victim_group, processed, cleared
        from marts.fct_indicator_year inner join marts.dim_indicator using (indicator_id, variant)
        where kind = 'tip' and indicator_id = 'hedersfortryck_vuxna' and year = 2024 and processed > 0
        order by all
        """,
    )
    assert counted == [
        (level, *of_group)
        for level in ("polisregion", "riket")
        for of_group in (("kvinna", 2, 1), ("man", 1, 0), ("total", 3, 1))
    ]
    (kinds,) = rows(clone, "select list(distinct kind order by kind) from marts.dim_indicator")
    assert kinds == (["commitment", "decided", "tip"],)


def test_a_source_column_is_added_as_described(clone: Path) -> None:
    of_indicator = (
        "from staging.stg_police_offences where year = 2024 and brottskod in ('0437', '0438') order by brottsnummer"
    )
    first, second, third = (victim for (victim,) in rows(clone, f"select malsagande_id {of_indicator}"))
    assert first == second != third
    (pseudonyms,) = rows(clone, "select bool_and(typeof(malsagande_id) = 'UUID') from staging.stg_police_offences")
    assert pseudonyms == (True,)
    assert rows(
        clone, "select count(*) > 100 from staging.stg_police_offences where year = 2023 and malsagande_id is not null"
    ) == [(True,)]
    quarantined = clone / "data" / "warehouse" / "raw" / "police" / "2024"
    assert rows(clone, f"select reason, column_name from '{quarantined}/*/offences_quarantine.parquet'") == [
        ("invalid_value", "malsagande_id")
    ]
