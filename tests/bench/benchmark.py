"""Measures loads against a plain DuckDB script on the same generated deliveries; `make bench`.

It prints the tables of docs/performance.md; `--write` keeps them there (`make bench` does). Nothing is asserted: a target that is not
reached is a line that says so. `--only` names cases, `--runs` says how often each is measured (fewer where one takes minutes), `--scale`
makes everything smaller, for those who change the benchmark. Generated deliveries stay in the temporary folder for the next time.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
from benchmark_process import Measured
from benchmark_tables import (
    FIRST,
    LITTLE,
    LITTLE_MEMORY,
    LOAD,
    NOTHING,
    ONE_YEAR,
    PLAIN,
    REDELIVERED,
    TWELFTH,
    YEARS,
    Agreement,
    Profiled,
    Results,
    keep_in_page,
    page,
)
from benchmark_worlds import (
    Deliveries,
    deliveries,
    emptied,
    gone_back,
    keep,
    load,
    plain_script,
    profile,
    remove,
    world_in,
)

from dagster_project import paths
from dagster_project.settings import Settings
from dagster_project.sql import literal, parquet
from dagster_project.transformation.dbt_project import prepare_manifest

ALL_YEARS = tuple(range(2014, 2026))
YEAR = ALL_YEARS[-1]
# Shares of the national volume, 1.5 million offences a year.
VOLUMES = (0.01, 0.1, 1.0, 5.0)
# What takes so many seconds is not repeated more often than this.
LONG, REPEATED = 75, 2


@dataclass
class Bench:
    """The cases, and what was measured."""

    folder: Path
    scale: float
    runs: int
    results: Results = field(default_factory=dict)
    profiles: list[Profiled] = field(default_factory=list)
    agreements: list[Agreement] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def volumes(self) -> None:
        """One year from nothing at several volumes, by everything; the national one is also delivered again."""
        for volume in VOLUMES:
            of = deliveries(volume * self.scale, 1, [YEAR])
            world = world_in(self.folder / "year", of)
            steps = {
                PLAIN: partial(plain_script, of, self._counts),
                LOAD: partial(self._first, f"{volume:g} × one year", world),
            }
            if volume == ONE_YEAR:
                again = world.model_copy(update={"landing": deliveries(volume * self.scale, 2, [YEAR]).landing})
                steps |= {REDELIVERED: partial(load, again), NOTHING: partial(load, again)}
            self._in_turns(f"{volume:g}", steps)

    def years(self) -> None:
        """All years from nothing, and the last of them into a warehouse that holds the others."""
        of, one = deliveries(self.scale, 1, ALL_YEARS), deliveries(self.scale, 1, [YEAR])
        with_eleven = self._with_eleven(of)
        world = world_in(self.folder / "years", of)
        steps = {
            PLAIN: partial(plain_script, of, self._counts),
            LOAD: partial(self._first, YEARS, world),
            # Beside the load that it is compared with, since a machine may change its speed within the hour.
            FIRST: lambda: load(emptied(world_in(self.folder / "first", one))),
            TWELFTH: lambda: load(gone_back(with_eleven)),
            NOTHING: lambda: load(with_eleven),
        }
        little = load(emptied(world), memory=LITTLE_MEMORY)
        self.results[YEARS] = {LITTLE: [little]}
        self._say(YEARS, LITTLE, little.wall)
        self._in_turns(YEARS, steps)

    def profile(self) -> None:
        """Where the time of loads goes, in runs of their own; the largest cost of a tiny load and of a year's from within."""
        tiny, one, five = (deliveries(volume * self.scale, 1, [YEAR]) for volume in (VOLUMES[0], ONE_YEAR, VOLUMES[-1]))
        all_years = deliveries(self.scale, 1, ALL_YEARS)
        with_eleven = self._with_eleven(all_years)

        def from_nothing(of: Deliveries, inside: str = "") -> dict[str, Any]:
            return profile(emptied(world_in(self.folder / "profiled", of)), inside=inside)

        cases: list[tuple[str, Callable[[], dict[str, Any]]]] = [
            (f"{VOLUMES[0]:g} × one year", lambda: from_nothing(tiny)),
            ("one year", lambda: from_nothing(one)),
            (f"{VOLUMES[-1]:g} × one year", lambda: from_nothing(five)),
            ("twelfth year", lambda: profile(gone_back(with_eleven))),
            ("nothing new", lambda: profile(with_eleven)),
            (YEARS, lambda: from_nothing(all_years)),
        ]
        for name, run in cases:
            self.profiles.append(Profiled(name, run()))
            self._say("profile", name, self.profiles[-1].wall)
        for one_of, of in ((self.profiles[0], tiny), (self.profiles[1], one)):
            one_of.inside = from_nothing(of, one_of.largest)["functions"]

    def _with_eleven(self, of: Deliveries) -> Settings:
        """A warehouse that holds all years but the last; made once."""
        world = world_in(self.folder / "eleven", of)
        if not world.home.exists():
            took = load(emptied(world), "--years", f"{ALL_YEARS[0]}-{ALL_YEARS[-2]}")
            self._say("prepared", "eleven years", took.wall)
            keep(world)
        return world

    def _first(self, case: str, world: Settings) -> Measured:
        """A load from nothing; once a case, what it published is compared with what the scripts before it counted."""
        took = load(emptied(world))
        if case not in {one.case for one in self.agreements}:
            self._compare(case, world)
        return took

    @property
    def _counts(self) -> Path:
        return self.folder / "counts.csv"

    def _in_turns(self, case: str, steps: dict[str, Callable[[], Measured]]) -> None:
        """Measure the steps one after the other, again and again, so that a busy machine favours none of them."""
        taken = self.results.setdefault(case, {})
        taken |= {what: [] for what in steps}
        for _ in range(self.runs):
            for what, step in steps.items():
                if len(taken[what]) < REPEATED or taken[what][-1].wall < LONG:
                    taken[what].append(step())
                    self._say(case, what, taken[what][-1].wall)

    def _compare(self, case: str, world: Settings) -> None:
        """Compare what the plain script counts with what was published."""
        figures = parquet(world.published / paths.CURRENT / "parquet" / "fct_indicator_year.parquet")
        with duckdb.connect() as connection:
            counts = f"read_csv({literal(self._counts)}, types = {{'geography_code': 'VARCHAR'}})"
            (cells, different, processed, more, cleared, more_cleared) = (
                connection.execute(
                    f"""
                select count(*), count(*) filter (p.processed is distinct from f.processed or p.cleared is distinct from f.cleared),
                    sum(f.processed) filter (level = 'riket'), sum(p.processed - f.processed) filter (level = 'riket'),
                    sum(f.cleared) filter (level = 'riket'), sum(p.cleared - f.cleared) filter (level = 'riket')
                from (
                    select *, geography_level as level from {figures}
                    where variant = 'beslutad' and victim_group = 'total' and processed is not null and cleared is not null
                ) as f
                left join (from {counts}) as script using (year, indicator_id, geography_level, geography_code),
                lateral (select coalesce(script.processed, 0) as processed, coalesce(script.cleared, 0) as cleared) as p
                """
                ).fetchone()
                or (0,) * 6
            )
        self.agreements.append(Agreement(case, cells, different, processed, more, cleared, more_cleared))

    def _say(self, case: str, what: str, wall: float) -> None:
        print(f"{time.strftime('%H:%M:%S')}  {case:<10} {what:<34}{wall:>9.2f} s", file=sys.stderr, flush=True)


def run(bench: Bench, cases: Sequence[str]) -> None:
    """Run the cases; one that fails does not cost the figures of the others."""
    for name in cases:
        case: Callable[[], None] = getattr(bench, name)
        try:
            case()
        except Exception as error:
            bench.wrong.append(f"{name}: {type(error).__name__}: {error}")
            print(f"WRONG: {bench.wrong[-1]}", file=sys.stderr, flush=True)


def main() -> int:
    """Generate, measure, print, keep."""
    names = ["volumes", "profile", "years"]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    # A terminated benchmark also removes its files, and prints what it measured.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    prepare_manifest()
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="uppklarat-bench-"))
    bench = Bench(folder, options.scale, options.runs)
    try:
        run(bench, options.only)
    except SystemExit:
        bench.wrong.append("it was terminated before all was measured")
    finally:
        remove(folder)
    output = page(bench.results, bench.profiles, bench.agreements, options.scale, time.monotonic() - began)
    print(output)
    for fault in bench.wrong:
        print(f"WRONG: {fault}")
    # Tables that lack something, or are of other volumes, are not for the page.
    if options.write and not bench.wrong and options.only == names and options.scale == 1:
        keep_in_page(output)
    return 1 if bench.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
