"""Inhabitants are the user's own file: rates per 100,000 with it, nulls without, and no sum of an incomplete year."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import duckdb
import pytest
from conftest import copied, settings_in

from dagster_project import paths
from dagster_project.seeds import seed_rows
from dagster_project.settings import Settings
from dagster_project.state import read_state
from dagster_project.transformation.build import build_marts
from dagster_project.transformation.fingerprints import is_built

INHABITANTS = {row["municipality_code"]: 1000 + int(row["municipality_code"]) for row in seed_rows("municipality")}


def write(settings: Settings, *rows: tuple[object, ...]) -> None:
    lines = [("municipality_code", "year", "population"), *rows]
    (settings.home / paths.POPULATION).write_text(
        "\n".join(",".join(map(str, line)) for line in lines), encoding="utf-8"
    )


def test_rates_per_inhabitant(published_world: Settings, tmp_path: Path) -> None:
    settings = copied(published_world, settings_in(tmp_path, suppress_below=5))
    write(settings, *((code, 2024, count) for code, count in INHABITANTS.items()))
    assert not is_built(read_state(settings))
    stale, _ = build_marts(settings)
    assert stale == []
    expected: Counter[tuple[str, str]] = Counter({("kommun", code): count for code, count in INHABITANTS.items()})
    regions = {row["county_code"]: row["region_code"] for row in seed_rows("county")}
    for code, count in INHABITANTS.items():
        for place in (("lan", code[:2]), ("polisregion", regions[code[:2]]), ("riket", "SE")):
            expected[place] += count
    with duckdb.connect(str(settings.home / paths.WAREHOUSE), read_only=True) as connection:
        rows = connection.execute(
            "select year, geography_level, geography_code, processed, population, processed_per_100000 "
            "from marts.indicator_report"
        ).fetchall()
    assert {(level, code) for _, level, code, *_ in rows} - expected.keys() == {("lan", "okand"), ("kommun", "okand")}
    for year, level, code, processed, population, rate in rows:
        assert population == (expected.get((level, code)) if year == 2024 else None)
        assert rate == (None if None in (processed, population) else pytest.approx(100_000 * processed / population))


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([(code, 2024, count) for code, count in list(INHABITANTS.items())[1:]], "2024 needs each of the 290"),
        ([*((code, 2024, 1) for code in INHABITANTS), ("0180", 2024, 1)], "2024 needs each of the 290"),
        ([(code, 2024, 0) for code in INHABITANTS], "2024 needs each of the 290"),
        ([("180", 2024, 1)], "not in the catalogue: 180"),
        ([("0180", 2024, "many")], "needs whole numbers"),
        ([("0180", 2024, "50.123")], "needs whole numbers"),
        ([("0180", "2024.6", 1)], "needs whole numbers"),
        ([("0180", 2024, -5)], "needs whole numbers"),
        ([(code, 2024, "" if code == "0180" else 1) for code in INHABITANTS], "needs whole numbers"),
        ([("0180" if code == "0114" else code, 2024, 1) for code in INHABITANTS], "2024 needs each of the 290"),
    ],
)
def test_an_incomplete_year_stops_the_build(
    published_world: Settings, tmp_path: Path, rows: list[tuple[object, ...]], problem: str
) -> None:
    settings = copied(published_world, settings_in(tmp_path, suppress_below=5))
    write(settings, *rows)
    with pytest.raises(ValueError, match=problem):
        build_marts(settings)
