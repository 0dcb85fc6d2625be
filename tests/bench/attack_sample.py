"""Attacks the figures of the whole sample as `tests/support/attacker.py` does, and says what withholding cost; `make attack` runs it."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import duckdb
from conftest import settings_in
from test_disclosure import BELOW, attack_warehouse
from warehouse import build

from dagster_project import paths
from dagster_project.sample import write_sample
from dagster_project.years import parse_years

LOSS = """
    select
        case when figure.geography_level = 'kommun' then 'municipalities' when figure.victim_group = 'total' then 'counties'
            else 'victim groups of counties' end as "of",
        count(*) as "rows",
        round(100.0 * count(figure.suppression) / count(*), 1) as "rows withheld, %",
        round(100.0 * count(figure.suppression) / count(*) filter (counted.processed > 0), 1) as "of rows not zero, %",
        round(100.0 * sum(counted.processed) filter (figure.suppression is not null) / sum(counted.processed), 1)
            as "offences withheld, %"
    from marts.fct_indicator_year as figure
    inner join intermediate.int_figure_year as counted
        using (indicator_id, variant, year, geography_level, geography_code, victim_group)
    where figure.geography_level in ('lan', 'kommun')
    group by 1 order by 1"""


def main() -> int:
    """Build, attack, print; 1 if any small count could be told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=0.2)
    parser.add_argument("--years", type=parse_years, default=parse_years("2014-2025"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="uppklarat-attack-") as folder:
        settings = settings_in(Path(folder), suppress_below=BELOW)
        write_sample(settings.landing, options.years, options.scale, seed=1, progress=lambda _: None)
        build(settings)
        with duckdb.connect(str(settings.home / paths.WAREHOUSE), read_only=True) as connection:
            connection.sql(LOSS).show()
            attacked, told = attack_warehouse(connection)
    print(f"small counts attacked: {attacked:,}; told to within fewer than three values: {len(told)}")
    for one in told:
        print(f"TOLD: {one}")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
