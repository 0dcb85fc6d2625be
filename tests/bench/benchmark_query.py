"""Measures how fast a typical question of BI is answered by what is published: by PostgreSQL and by the DuckDB file; prints ratios.

    .venv/bin/python tests/bench/benchmark_query.py [published folder]

The question: one indicator, all years, all police regions, by victim group. It is compared with the same on a table made by hand
for nothing else: the columns asked for, one index, no view. PostgreSQL is one of the tests (see postgres_server.py).
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from postgres_server import database

from dagster_project import paths
from dagster_project.publication.draft import DATABASE
from dagster_project.publication.postgres import serve
from dagster_project.settings import Settings
from dagster_project.sql import literal

TIMES = 200
COLUMNS = "year, geography_code, victim_group, processed, cleared, clearance_pct"
WHERE = "indicator_id = 'valdtakt' and variant = 'beslutad' and geography_level = 'polisregion'"
QUESTION = f"select {COLUMNS} from {{}} where {WHERE} order by year, geography_code, victim_group"
KEYS = "indicator_id, variant, geography_level"


def milliseconds(ask: Callable[[], Any], times: int) -> list[float]:
    """How long each of so many answers took."""
    ask()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        ask()
        taken.append(1000 * (time.perf_counter() - began))
    return taken


def in_postgresql(settings: Settings) -> dict[str, list[float]]:
    with database() as db:
        began = time.perf_counter()
        serve(settings, db.settings)
        print(f"loading into PostgreSQL, compared and switched: {time.perf_counter() - began:.1f} s")
        began = time.perf_counter()
        serve(settings, db.settings)
        print(f"the same again, nothing to do: {time.perf_counter() - began:.2f} s")
        db.ask(
            f"create schema by_hand; create table by_hand.figure as select {KEYS}, {COLUMNS} from marts.fct_indicator_year;"
            f" create index on by_hand.figure ({KEYS}); analyze by_hand.figure;"
            f" grant usage on schema by_hand to public; grant select on by_hand.figure to public"
        )
        db.ask("vacuum by_hand.figure")
        with psycopg.connect(db.login, autocommit=True, prepare_threshold=None) as connection:

            def ask(table: str) -> list[Any]:
                return connection.execute(QUESTION.format(table)).fetchall()  # type: ignore[arg-type]

            assert ask("marts.fct_indicator_year") == ask("by_hand.figure") != []
            print(f"rows of the answer: {len(ask('by_hand.figure'))}\n")
            # In turns, so that a busy machine does not favour one of them.
            both: dict[str, list[float]] = {"marts.fct_indicator_year": [], "by_hand.figure": []}
            for _ in range(5):
                for table, results in both.items():
                    results.extend(milliseconds(lambda table=table: ask(table), TIMES // 5))  # type: ignore[misc]
        return {f"PostgreSQL, {table}": results for table, results in both.items()}


def in_duckdb(file: Path) -> dict[str, list[float]]:
    """The published file and a file with nothing but the table by hand, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        by_hand = Path(folder) / "by_hand.duckdb"
        with duckdb.connect(str(by_hand)) as connection:
            connection.execute(f"attach {literal(file)} as published (read_only)")
            connection.execute(
                f"create table figure as select {KEYS}, {COLUMNS} from published.marts.fct_indicator_year"
            )
        questions = {file: QUESTION.format("marts.fct_indicator_year"), by_hand: QUESTION.format("figure")}
        names = {file: "DuckDB file", by_hand: "DuckDB, a file by hand"}
        results: dict[str, list[float]] = {}

        def open_and_ask(place: Path) -> list[Any]:
            with duckdb.connect(str(place), read_only=True) as connection:
                return connection.execute(questions[place]).fetchall()

        # First, since a file that this process has open already is not opened again.
        for _ in range(5):
            for place, name in names.items():
                results.setdefault(f"{name}, open and query", []).extend(
                    milliseconds(lambda place=place: open_and_ask(place), 10)  # type: ignore[misc]
                )
        connections = {place: duckdb.connect(str(place), read_only=True) for place in names}
        for _ in range(5):
            for place, name in names.items():
                results.setdefault(f"{name}, query", []).extend(
                    milliseconds(
                        lambda place=place: connections[place].execute(questions[place]).fetchall(), TIMES // 5
                    )  # type: ignore[misc]
                )
        for connection in connections.values():
            connection.close()
        return results


def main() -> None:
    published = Path(sys.argv[1] if len(sys.argv) > 1 else "data/published").absolute()
    settings = Settings(landing=published.parent / "landing", home=published.parent / "warehouse", published=published)
    results = {**in_postgresql(settings), **in_duckdb(settings.published / paths.CURRENT / DATABASE)}
    print(f"{'':<40}{'median ms':>10}{'95 % ms':>10}")
    for name, times in results.items():
        print(f"{name:<40}{statistics.median(times):>10.2f}{sorted(times)[int(len(times) * 0.95)]:>10.2f}")
    taken = {name: statistics.median(times) for name, times in results.items()}
    view, by_hand = taken["PostgreSQL, marts.fct_indicator_year"], taken["PostgreSQL, by_hand.figure"]
    print(f"\nPostgreSQL ÷ by hand: {view / by_hand:.2f}")
    for what in ("query", "open and query"):
        ratio = taken[f"DuckDB file, {what}"] / taken[f"DuckDB, a file by hand, {what}"]
        print(f"DuckDB file ÷ by hand, {what}: {ratio:.2f}")


if __name__ == "__main__":
    main()
