"""Measures loads against a plain DuckDB script on the same generated deliveries; `make bench`.

It prints the tables of docs/performance.md; `--write` keeps them there (`make bench` does). Nothing is asserted: a target that is not
reached is a line that says so. `--only` names cases, `--runs` says how often each is measured (fewer where one takes minutes), `--scale`
makes everything smaller, for those who change the benchmark. Generated deliveries stay in the temporary folder for the next time.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmark_process import Measured, measured
from benchmark_tables import (
    FIRST,
    IMPORTS,
    LARGE,
    LOAD,
    MANY,
    NATIONAL,
    NOTHING,
    PLAIN,
    TINY,
    TWELFTH,
    YEARS,
    Profile,
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
    large_deliveries,
    load,
    plain_script,
    profile,
    remove,
    world_in,
)

from dagster_project.transformation.dbt_project import prepare_manifest

ALL_YEARS = tuple(range(2014, 2026))
YEAR = ALL_YEARS[-1]
IMPORT_ALL = "import dagster, dagster_dbt, dbt.cli.main, great_expectations"
# What takes so many seconds is not repeated more often than this.
LONG, REPEATED = 60, 2


class Bench:
    """The cases, and what was measured."""

    def __init__(self, folder: Path, scale: float, runs: int) -> None:
        self.folder, self.scale, self.runs = folder, scale, runs
        self.results: Results = {}
        self.profiles: list[Profile] = []

    def volumes(self) -> None:
        """One year from nothing at several volumes."""
        for case, volume in (TINY, NATIONAL, MANY):
            self._one_year(case, deliveries(volume * self.scale, 1, [YEAR]), self.runs)

    def large(self) -> None:
        """A year of more rows than any country of Europe records, once."""
        case, volume = LARGE
        of = large_deliveries(MANY[1] * self.scale, 1, YEAR, times=round(volume / MANY[1]))
        self._one_year(case, of, runs=1)

    def years(self) -> None:
        """All years from nothing, and the last of them into a warehouse that holds the others."""
        of, one = deliveries(self.scale, 1, ALL_YEARS), deliveries(self.scale, 1, [YEAR])
        world = world_in(self.folder / "years", of)
        with_eleven = world_in(self.folder / "eleven", of)
        load(emptied(with_eleven), "--years", f"{ALL_YEARS[0]}-{ALL_YEARS[-2]}")
        keep(with_eleven)
        steps = {
            PLAIN: partial(plain_script, of, self.folder / "counts.csv"),
            LOAD: lambda: load(emptied(world)),
            # Beside the load that it is compared with, since a machine may change its speed within the hour.
            FIRST: lambda: load(emptied(world_in(self.folder / "first", one))),
            TWELFTH: lambda: load(gone_back(with_eleven)),
            NOTHING: lambda: load(with_eleven),
        }
        self._in_turns(YEARS, steps, self.runs)

    def profile(self) -> None:
        """Where the time of loads goes, in runs of their own."""
        for (case, volume), years in ((TINY, [YEAR]), (NATIONAL, [YEAR]), ((YEARS, 1.0), ALL_YEARS)):
            world = world_in(self.folder / "profiled", deliveries(volume * self.scale, 1, years))
            self.profiles.append(Profile(case, profile(emptied(world))))
            self._say("profile", case, self.profiles[-1].wall)

    def _one_year(self, case: str, of: Deliveries, runs: int) -> None:
        world = world_in(self.folder / "year", of)
        steps: dict[str, Callable[[], Measured]] = {
            PLAIN: partial(plain_script, of, self.folder / "counts.csv"),
            LOAD: lambda: load(emptied(world)),
        }
        if case == TINY[0]:
            steps |= {IMPORTS: partial(measured, [sys.executable, "-c", IMPORT_ALL], os.environ)}
            steps |= {NOTHING: lambda: load(world)}
        self._in_turns(case, steps, runs)
        remove(world.home.parent)

    def _in_turns(self, case: str, steps: dict[str, Callable[[], Measured]], runs: int) -> None:
        """Measure the steps one after the other, again and again, so that a busy machine favours none of them."""
        taken = self.results.setdefault(case, {what: [] for what in steps})
        for _ in range(runs):
            for what, step in steps.items():
                if len(taken[what]) < REPEATED or taken[what][-1].wall < LONG:
                    taken[what].append(step())
                    self._say(case, what, taken[what][-1].wall)

    def _say(self, case: str, what: str, wall: float) -> None:
        print(f"{time.strftime('%H:%M:%S')}  {case:<18} {what:<34}{wall:>9.2f} s", file=sys.stderr, flush=True)


def main() -> int:
    """Generate, measure, print, keep; what was measured before a case failed is printed too."""
    names = ["volumes", "years", "profile", "large"]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    prepare_manifest()
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="uppklarat-bench-"))
    bench = Bench(folder, options.scale, options.runs)
    failed = []
    try:
        for name in options.only:
            try:
                getattr(bench, name)()
            except RuntimeError as error:
                failed.append(f"{name}: {error}")
    finally:
        remove(folder)
    output = page(bench.results, bench.profiles, options.scale, time.monotonic() - began)
    print("\n\n".join([output, *failed]))
    # Tables that lack something, or are of other volumes, are not for the page.
    if options.write and not failed and options.only == names and options.scale == 1:
        keep_in_page(output)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
