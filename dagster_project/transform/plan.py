"""What has to be built: years whose deliveries are other ones than those that the working database was built from."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.deliveries.ledger import (
    DeliveryRecord,
    active_deliveries,
    complete_years,
    kept_description,
    record_folder,
)
from dagster_project.memory import limit_memory
from dagster_project.settings import Settings
from dagster_project.sql import parquet
from dagster_project.versions import fingerprint, transformation_version


@dataclass(frozen=True)
class BuildPlan:
    """Years to derive anew, years that are complete, and whether to forget everything that was built before."""

    years: tuple[int, ...]
    complete_years: tuple[int, ...]
    full_refresh: bool
    whole: Mapping[str, str]
    """What the whole build rests on: name → fingerprint."""
    by_year: Mapping[int, str]
    """What each complete year rests on."""

    @property
    def fact_years(self) -> tuple[int, ...]:
        """The years to derive and those after them, whose changes are counted from them."""
        following = {year + 1 for year in self.years} & set(self.complete_years)
        return tuple(sorted({*self.years, *following}))

    @property
    def variables(self) -> dict[str, list[int]]:
        """The plan as dbt's variables."""
        return {
            "years": list(self.years),
            "fact_years": list(self.fact_years),
            "complete_years": list(self.complete_years),
        }


def plan_build(settings: Settings) -> BuildPlan:
    """Compare the active deliveries with what the working database was built from."""
    active = active_deliveries(settings)
    years = tuple(complete_years(active))
    whole = {
        "transformation": transformation_version(),
        "purged before": str(kept_description(settings)["before"]),
        "suppress below": str(settings.suppress_below),
        "own offence codes": fingerprint([settings.own_offence_codes]) if settings.own_offence_codes.exists() else "",
        **{f"police/{year}": _name(record) for (source, year), record in active.items() if source == "police"},
    }
    by_year = {
        year: json.dumps([_name(record) for (_, of), record in sorted(active.items()) if of == year]) for year in years
    }
    built_whole, built_by_year = built_from(settings.warehouse_file)
    full_refresh = any(
        built_whole.get(name) != whole[name]
        for name in ("transformation", "purged before", "suppress below", "own offence codes")
    )
    stale = {year for year in years if full_refresh or built_by_year.get(year) != by_year[year]}
    if not full_refresh:
        changed = {
            int(name.removeprefix("police/"))
            for name in {*whole, *built_whole}
            if name.startswith("police/") and whole.get(name) != built_whole.get(name)
        }
        stale |= _years_that_look_back(settings, active, changed, set(years) - stale)
    return BuildPlan(tuple(sorted(stale)), years, full_refresh, whole, by_year)


def is_built(settings: Settings) -> bool:
    """Whether the marts are those of the active deliveries, the present code and the user's own codes."""
    plan = plan_build(settings)
    return not plan.years and not plan.full_refresh


def built_from(warehouse: Path) -> tuple[dict[str, str], dict[int, str]]:
    """What the working database was built from, as a whole and by year; empty where it is missing or unfinished."""
    if not warehouse.exists():
        return {}, {}
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        exists = connection.execute(
            "from duckdb_tables() where schema_name = 'build' and table_name = 'basis'"
        ).fetchone()
        rows = connection.execute("select name, rests_on from build.basis").fetchall() if exists else []
    by_year = {int(name): rests_on for name, rests_on in rows if name.isdigit()}
    return {name: rests_on for name, rests_on in rows if not name.isdigit()}, by_year


def note_build_begins(connection: duckdb.DuckDBPyConnection, plan: BuildPlan) -> None:
    """Forget what the years to build rest on, so that a build that is cut short is begun again."""
    connection.execute("create schema if not exists build")
    connection.execute("create table if not exists build.basis (name varchar, rests_on varchar)")
    if plan.full_refresh:
        connection.execute("delete from build.basis")
    else:
        connection.executemany("delete from build.basis where name = ?", [[str(year)] for year in plan.years] or [[""]])


def note_build_done(connection: duckdb.DuckDBPyConnection, plan: BuildPlan) -> None:
    """Note what everything rests on now."""
    connection.execute("begin")
    connection.execute("delete from build.basis")
    rows = [*plan.whole.items(), *((str(year), rests_on) for year, rests_on in plan.by_year.items())]
    connection.executemany("insert into build.basis values (?, ?)", [list(row) for row in rows])
    connection.execute("commit")


def _years_that_look_back(
    settings: Settings,
    active: Mapping[tuple[str, int], DeliveryRecord],
    changed_police_years: Collection[int],
    candidates: Collection[int],
) -> set[int]:
    """Years with a decision whose offence is found, or was found, in a police extract of an earlier year that changed."""
    looking = {year for year in candidates if any(changed < year for changed in changed_police_years)}
    if not looking:
        return set()
    with duckdb.connect(str(settings.warehouse_file), read_only=True) as connection:
        limit_memory(connection)
        found_before = connection.execute(
            "select distinct year from intermediate.int_looked_up_offence where list_contains(?, extract_year)",
            [sorted(changed_police_years)],
        ).fetchall()
        found_now = [
            row
            for changed in changed_police_years
            if ("police", changed) in active
            for row in connection.execute(
                f"""
                select distinct missing.year
                from intermediate.int_unmatched_decision as missing
                semi join {parquet(raw_file(settings, active["police", changed], "offences"))} as offence using (diarienummer, brottsnummer)
                where missing.is_missing and missing.year > ?
                """,
                [changed],
            ).fetchall()
        ]
    return looking & {year for (year,) in [*found_before, *found_now]}


def raw_file(settings: Settings, record: DeliveryRecord, file: str) -> Path:
    """Where the typed rows of one file of a delivery lie."""
    return record_folder(settings, record.source, record.year, record.delivery_id, record.judged_by) / f"{file}.parquet"


def _name(record: DeliveryRecord) -> str:
    # Under another key the same rows have other names.
    return f"{record.source}-{record.delivery_id}-{record.judged_by}-{record.key_id}"
