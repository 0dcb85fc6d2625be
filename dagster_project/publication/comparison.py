"""Compares the figures of two publications by their published Parquet files, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.publication.causes import Cause, describe_causes
from dagster_project.sql import parquet

FIGURES = "parquet/fct_indicator_year.parquet"
KEY = ("indicator_id", "variant", "year", "geography_level", "geography_code", "victim_group")
# Rate → its denominator.
RATES = {"clearance_pct": "processed", "prosecution_pct": "investigated"}
SUPPRESSION = "suppression"
COLUMNS = {
    **dict.fromkeys(KEY, "varchar"),
    "year": "integer",
    "measure": "varchar",
    "kind": "varchar",
    "old_value": "double",
    "new_value": "double",
    "causes": "varchar",
}
# Tolerance for the last bits of rates that other code computed from the same counts.
_NO_DIFFERENCE = 1e-9
_INTEGERS = {"BIGINT", "INTEGER"}


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison: years published for the first time, and texts on what could not be compared."""

    new_years: tuple[int, ...]
    not_compared: tuple[str, ...]


def compare_figures(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    before: Path,
    after: Path,
    *,
    published_years: Collection[int],
    causes: Collection[Cause],
) -> Comparison:
    """Create a table of every figure (`COLUMNS`) that differs between two files of `fct_indicator_year`.

    Measures are all counts and the two rates. Years of `after` that are not in `published_years` are new and not revisions. A
    figure withheld in either file only has measure `suppression`, without values. Columns of only one file are listed in
    `not_compared`, and so are measures that a level has in only one file.
    """
    old, new = _types(connection, before), _types(connection, after)
    problems = [f"{name} is only in the {'later' if name in new else 'earlier'} one" for name in _one_sided(old, new)]
    empty = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
    connection.execute(f"create or replace temp table {table} ({empty})")
    if missing := [name for name in KEY if name not in old or name not in new]:
        return Comparison((), (*problems, f"no figure, since {', '.join(missing)} is part of a figure's key"))
    years = sorted(_years(connection, after) - _years(connection, before) - set(published_years))
    _create_causes(connection, causes, _years(connection, after) | _years(connection, before))
    measures = [name for name in new if name in old and _is_measure(name, new)]
    gone, added = lacking_measures(connection, after), lacking_measures(connection, before)
    problems += _one_sided_measures(gone, added, measures)
    differences = _differences(_figures(before, old, measures), _figures(after, new, measures), measures)
    unlike = ["/".join(one) for one in gone ^ added]
    connection.execute(f"insert into {table} {differences}", [years, unlike])
    connection.execute("drop table _cause")
    return Comparison(tuple(years), tuple(problems))


def _differences(before: str, after: str, measures: Collection[str]) -> str:
    """The query of every figure that differs; its parameters are new years, and measures that one file lacks, by level."""
    values = ", ".join(
        f"{{'measure': '{name}', 'old_value': before.\"{name}\"::double, 'new_value': after.\"{name}\"::double}}"
        for name in measures
    )
    return f"""
        with before as ({before}),
        after as ({after}),
        cell as (
            select
                {", ".join(KEY)},
                before.is_there is not null as was_there,
                after.is_there is not null as is_there,
                before.suppression is not null as was_withheld,
                after.suppression is not null as is_withheld,
                unnest([{{'measure': '{SUPPRESSION}', 'old_value': null::double, 'new_value': null::double}}, {values}], recursive := true)
            from before full join after using ({", ".join(KEY)})
            where not list_contains(?::integer[], year)
        ),
        classified as (
            select
                *,
                case
                    when measure = '{SUPPRESSION}' then case
                        when was_withheld and not is_there then 'removed'
                        when is_withheld and not was_there then 'appeared'
                        when is_withheld and not was_withheld then 'withheld'
                        when was_withheld and not is_withheld then 'shown'
                    end
                    when was_withheld or is_withheld or list_contains(?::varchar[], geography_level || '/' || measure) then null
                    when not is_there then case when old_value <> 0 then 'removed' end
                    when not was_there then case when new_value <> 0 then 'appeared' end
                    when abs(old_value - new_value) > {_NO_DIFFERENCE} or (old_value is null) <> (new_value is null) then 'changed'
                end as kind
            from cell
        )
        select {", ".join(f"{'classified.' if name == 'year' else ''}{name}" for name in COLUMNS)}
        from classified
        inner join _cause on classified.year = _cause.year and (classified.measure = '{SUPPRESSION}') = _cause.of_suppression
        where kind is not null
    """


def _one_sided_measures(
    gone: Collection[tuple[str, str]], added: Collection[tuple[str, str]], measures: Collection[str]
) -> list[str]:
    """The measures that a level has in only one file; `gone` is missing in the later one, `added` in the earlier one."""
    problems = []
    for where, lacking in (("earlier", set(gone) - set(added)), ("later", set(added) - set(gone))):
        for level in sorted({level for level, _ in lacking}):
            names = sorted(measure for of_level, measure in lacking if of_level == level and measure in measures)
            problems += [f"{', '.join(names)} of {level} is only in the {where} one"] if names else []
    return problems


def lacking_measures(connection: duckdb.DuckDBPyConnection, file: Path) -> set[tuple[str, str]]:
    """Return the levels and measures that no shown figure of a file of `fct_indicator_year` has."""
    types = _types(connection, file)
    # A rate may be null for want of offences, but its denominator may not.
    shown_by = {name: RATES.get(name, name) for name in types if _is_measure(name, types)}
    found = {name: shown for name, shown in shown_by.items() if shown in types}
    if not found or "geography_level" not in types:
        return set()
    withheld = f"where {SUPPRESSION} is null" if SUPPRESSION in types else ""
    counted = ", ".join(f'count("{shown}")' for shown in found.values())
    rows = connection.execute(
        f"select geography_level, {counted} from {parquet(file)} {withheld} group by all"
    ).fetchall()
    return {(level, name) for level, *counts in rows for name, count in zip(found, counts, strict=True) if not count}


def _create_causes(connection: duckdb.DuckDBPyConnection, causes: Collection[Cause], years: Collection[int]) -> None:
    """Create the table of each year's possible causes, separately for values and suppression."""
    connection.execute("create or replace temp table _cause (year integer, of_suppression boolean, causes varchar)")
    connection.executemany(
        "insert into _cause values (?, ?, ?)",
        [
            [year, of_suppression, describe_causes(causes, year, of_suppression=of_suppression)]
            for year in years
            for of_suppression in (True, False)
        ]
        or [[None, None, None]],
    )


def _types(connection: duckdb.DuckDBPyConnection, file: Path) -> dict[str, str]:
    return {name: kind for name, kind, *_ in connection.execute(f"describe select * from {parquet(file)}").fetchall()}


def _years(connection: duckdb.DuckDBPyConnection, file: Path) -> set[int]:
    return {year for (year,) in connection.execute(f"select distinct year::integer from {parquet(file)}").fetchall()}


def _is_measure(name: str, types: Mapping[str, str]) -> bool:
    return name in RATES or (types[name] in _INTEGERS and name not in KEY)


def _one_sided(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Return the keys, measures and the suppression column that only one file has."""
    wanted = {name for types in (old, new) for name in types if name in (*KEY, SUPPRESSION) or _is_measure(name, types)}
    return sorted(name for name in wanted if (name in old) != (name in new))


def _figures(file: Path, types: Mapping[str, str], measures: Collection[str]) -> str:
    columns = ", ".join(f'"{name}"' for name in (*KEY, *measures))
    suppression = SUPPRESSION if SUPPRESSION in types else "null::varchar"
    return f"select {columns}, {suppression} as suppression, true as is_there from {parquet(file)}"
