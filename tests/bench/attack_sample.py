"""Attacks random worlds and the whole sample by `tests/support/attacker.py`, and says what withholding costs; `make attack` runs it."""

from __future__ import annotations

import argparse
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import duckdb
from attacker import Found
from conftest import settings_in
from small_worlds import BELOW, Attacked, attack_random_worlds
from test_disclosure import attack_warehouse
from warehouse import build

from dagster_project import paths
from dagster_project.sample import write_sample
from dagster_project.years import parse_years

LOSS = """
    with figure as (
        select
            geography_level as level, indicator_id, counted.processed > 0 as counts_any, suppression is not null as is_withheld,
            counted.processed
        from marts.fct_indicator_year
        inner join intermediate.int_figure_year as counted
            using (indicator_id, variant, year, geography_level, geography_code, victim_group)
        where geography_level in ('lan', 'kommun')
    )
    select
        level, coalesce(indicator_id, 'all') as indicator,
        count(*) filter (counts_any) as "rows not zero",
        count(*) filter (counts_any and is_withheld) as withheld,
        round(100.0 * withheld / nullif("rows not zero", 0), 1) as "%",
        sum(processed) as offences,
        coalesce(sum(processed) filter (is_withheld), 0) as "withheld offences",
        round(100.0 * "withheld offences" / offences, 1) as "% of offences"
    from figure group by grouping sets ((1), (1, indicator_id)) order by level desc, indicator_id nulls first"""


def attack_year(warehouse: Path, year: int) -> Attacked:
    """Attack all that is published of a year."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return attack_warehouse(connection, [year])


def main() -> int:
    """Build, attack, print; 1 if any small count could be revealed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=0.2)
    parser.add_argument("--years", type=parse_years, default=parse_years("2014-2025"))
    parser.add_argument("--worlds", type=int, default=1000)
    options = parser.parse_args()
    disclosed, whole = [], Attacked(0, Found(), Found())
    for kind, attacked in attack_random_worlds(range(options.worlds)).items():
        print(f"random worlds {kind}: {attacked}", flush=True)
        disclosed += [*attacked.intervals.disclosed, *attacked.pattern.disclosed]
    with tempfile.TemporaryDirectory(prefix="uppklarat-attack-") as folder:
        settings = settings_in(Path(folder), suppress_below=BELOW)
        write_sample(settings.landing, options.years, options.scale, seed=1, progress=lambda _: None)
        build(settings)
        with duckdb.connect(str(settings.home / paths.WAREHOUSE), read_only=True) as connection:
            lost = connection.sql(LOSS)
            print(" | ".join(lost.columns))
            for row in lost.fetchall():
                print(" | ".join(map(str, row)))
        # The processes share nothing; a year takes minutes.
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as processes:
            attacks = processes.map(attack_year, repeat(settings.home / paths.WAREHOUSE), options.years)
            for year, found in zip(options.years, attacks, strict=True):
                print(f"sample, {year}: {found}", flush=True)
                whole.intervals.add(found.intervals)
                whole.pattern.add(found.pattern)
    print(f"sample: {whole}")
    disclosed += [*whole.intervals.disclosed, *whole.pattern.disclosed]
    for one in disclosed:
        print(f"TOLD: {one}")
    return 1 if disclosed else 0


if __name__ == "__main__":
    sys.exit(main())
