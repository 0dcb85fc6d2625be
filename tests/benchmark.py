"""Measures a national year from CSV to published against a plain DuckDB script on the same files; prints ratios.

`make bench` runs it. The plain script is the shortest honest way to the country's eleven indicators: one pass, no checks, no
quarantine, no victim groups or places, nothing kept. What the ratio buys is listed in docs/performance.md.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from dagster_project.orchestration.instance import open_instance
from dagster_project.sample import write_sample
from dagster_project.settings import SEEDS, Settings

YEAR = 2024


def plain(landing: Path, year: int) -> list[tuple[object, ...]]:
    """Count the country's indicators of a year straight from its three CSV files."""
    police, prosecution = landing / "police" / str(year), landing / "prosecution" / str(year)
    read = "delim = ';', header = true, ignore_errors = true"
    return duckdb.sql(
        f"""
        with offence as (
            select o.diarienummer, o.brottsnummer, o.brottsantal, o.anmalningsdatum, c.indicator_id
            from read_csv('{police}/offences.csv', {read}, types = {{'brottskod': 'VARCHAR', 'brottsnummer': 'INTEGER'}}) as o
            join read_csv('{SEEDS}/offence_code.csv', all_varchar = true) as c using (brottskod)
            where c.role = 'core'
        ),
        decision as (
            select diarienummer, brottsnummer, beslutsdatum, beslut, utredning = 'J' as investigated, 2 as authority
            from read_csv('{police}/decisions.csv', {read}, types = {{'brottsnummer': 'INTEGER'}})
            union all
            select diarienummer, brottsnummer, beslutsdatum, beslut, true, 1
            from read_csv('{prosecution}/decisions.csv', {read}, types = {{'brottsnummer': 'INTEGER'}})
        ),
        joined as (
            select o.*, d.beslutsdatum, d.beslut, d.beslut in ('ATAL', 'STRAFFORELAGGANDE', 'ATALSUNDERLATELSE') as clears,
                max(case when d.beslut = 'ATERUPPTAGEN' then d.beslutsdatum end) over (
                    partition by o.diarienummer, o.brottsnummer
                ) as reopened
            from offence as o join decision as d
                on o.diarienummer = d.diarienummer and o.brottsnummer = d.brottsnummer and d.beslutsdatum >= o.anmalningsdatum
        ),
        processed as (
            select indicator_id, diarienummer, brottsnummer, any_value(brottsantal) as weight, bool_or(clears) as cleared
            from joined
            where beslut not in ('OVERLAMNAD', 'ATERUPPTAGEN') and (clears or reopened is null or beslutsdatum >= reopened)
            group by all
        )
        select indicator_id, sum(weight) as processed, sum(case when cleared then weight else 0 end) as cleared,
            100.0 * sum(case when cleared then weight else 0 end) / sum(weight) as pct
        from processed group by indicator_id order by indicator_id
        """
    ).fetchall()


def measured(command: list[str], environment: dict[str, str]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak memory (GiB, largest process) of a command."""
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, used = os.wait4(process.pid, 0)
        if status != 0:
            errors.seek(0)
            raise SystemExit(errors.read())
    return time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20


def main() -> None:
    """Generate, measure both, print."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(Path(folder) / "landing", Path(folder) / "home", Path(folder) / "published")
        print(f"generating one national year ({YEAR}) …", flush=True)
        write_sample(settings.landing, [YEAR], 1.0, 1, lambda text: None)
        size = sum(path.stat().st_size for path in settings.landing.rglob("*.csv")) / 2**20
        environment = {
            **os.environ,
            "UPPKLARAT_LANDING": str(settings.landing),
            "UPPKLARAT_HOME": str(settings.home),
            "UPPKLARAT_PUBLISHED": str(settings.published),
        }
        script = [sys.executable, __file__, "plain", str(settings.landing)]
        plain_runs = sorted(measured(script, environment) for _ in range(3))
        command = str(Path(sys.executable).with_name("uppklarat"))
        load = measured([command, "load"], environment)
        nothing = measured([command, "load"], environment)
        with open_instance(settings) as instance:
            (run,) = instance.get_runs()
            steps = sorted(instance.get_run_step_stats(run.run_id), key=lambda step: step.start_time or 0)
        reference = plain_runs[1]
        print(f"\n{size:,.0f} MiB of CSV, {os.cpu_count()} cores\n")
        print(f"{'':<34}{'wall s':>9}{'CPU s':>9}{'peak GiB':>10}{'÷ plain':>9}")
        for name, (wall, cpu, memory) in (
            ("plain DuckDB script (median of 3)", reference),
            ("uppklarat load", load),
            ("uppklarat load, nothing new", nothing),
        ):
            print(f"{name:<34}{wall:>9.1f}{cpu:>9.1f}{memory:>10.2f}{wall / reference[0]:>9.1f}")
        print("\nwhat the load is made of")
        accounted = 0.0
        for step in steps:
            seconds = (step.end_time or 0) - (step.start_time or 0)
            accounted += seconds
            print(f"  {step.step_key:<32}{seconds:>9.1f}")
        print(f"  {'imports, planning, the rest':<32}{load[0] - accounted:>9.1f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["plain"]:
        for row in plain(Path(sys.argv[2]), YEAR):
            print(*row)
    else:
        main()
