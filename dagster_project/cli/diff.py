"""How two publications differ, as the command `diff` tells it: as data, and as text for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import duckdb

from dagster_project.publication.comparison import COLUMNS, FIGURES, KEY, RATES
from dagster_project.publication.history import PUBLICATIONS, difference
from dagster_project.publications import Publication, active_publication, changed_files, publications
from dagster_project.rounding import half_up
from dagster_project.settings import Settings
from dagster_project.sql import literal
from dagster_project.years import format_years

_LARGEST = 10


class DamagedPublicationError(Exception):
    """A publication whose files are not what its manifest says, so that nothing can be concluded from them."""


def find_publication(settings: Settings, name: str) -> Publication:
    """A kept publication by its id, or `current` or `newest`; raises KeyError where there is none of that name."""
    kept = {one.publication_id: one for one in publications(settings)}
    if name == "newest" and kept:
        return kept[max(kept)]
    return kept[(active_publication(settings) or name) if name == "current" else name]


def describe_difference(
    settings: Settings, one: str, other: str, indicator: str | None = None, year: int | None = None
) -> dict[str, Any]:
    """All figures (of an indicator, of a year) that differ between two publications, from the earlier to the later one.

    Raises KeyError for a publication that is not kept, LookupError for an indicator or year that neither has, and
    `DamagedPublicationError`.
    """
    before, after = sorted(
        (find_publication(settings, name) for name in (one, other)), key=lambda found: found.publication_id
    )
    for publication in (before, after):
        if damaged := changed_files(publication, among=[FIGURES, PUBLICATIONS]):
            raise DamagedPublicationError(f"{publication.publication_id} is damaged: {', '.join(damaged)}")
    with duckdb.connect() as connection:
        _refuse_unknown(connection, [before, after], indicator, year)
        found = difference(connection, "found", before, after.folder / FIGURES, after.said)
        connection.execute(
            "delete from found where not (indicator_id = coalesce($indicator, indicator_id) and year = coalesce($year, year))",
            {"indicator": indicator, "year": year},
        )
        return {
            "earlier": before.publication_id,
            "later": after.publication_id,
            "changes": list(found.changes),
            "new_years": list(found.new_years),
            "not_compared": list(found.not_compared),
            "by_indicator_and_year": _rows(
                connection,
                f"select indicator_id, year, count(distinct ({', '.join(KEY)})) as figures, count(*) as values "
                "from found group by indicator_id, year order by all",
            ),
            "largest": _rows(
                connection,
                f"select {', '.join(COLUMNS)} from found where kind = 'changed' and measure not in ({', '.join(map(repr, RATES))}) "
                f"order by abs(old_value - new_value) desc, {', '.join(KEY)}, measure limit {_LARGEST}",
            ),
            "revisions": _rows(connection, f"select {', '.join(COLUMNS)} from found order by all"),
        }


def _refuse_unknown(
    connection: duckdb.DuckDBPyConnection, compared: Sequence[Publication], indicator: str | None, year: int | None
) -> None:
    """Refuse what no figure is of: a slip would read as if nothing differed."""
    files = [literal(one.folder / FIGURES) for one in compared]
    known = f"from read_parquet([{', '.join(files)}], union_by_name = true)"
    for column, wanted in (("indicator_id", indicator), ("year", year)):
        there = [value for (value,) in connection.execute(f"select distinct {column} {known} order by 1").fetchall()]
        if wanted is not None and wanted not in there:
            raise LookupError(f"neither publication has {wanted}; there are {', '.join(map(str, there))}")


def difference_as_text(said: Mapping[str, Any]) -> str:
    """The same for people."""
    lines = [f"from {said['earlier']} to {said['later']}"]
    lines += [f"differs: {text}" for text in said["changes"]]
    if said["new_years"]:
        lines.append(f"new: years {format_years(said['new_years'])}, whose figures are no revisions")
    lines += [f"not compared: {text}" for text in said["not_compared"]]
    if not said["revisions"]:
        return "\n".join([*lines, "no figure differs"])
    lines += ["", "figures that differ (values of them):"]
    lines += [
        f"  {one['indicator_id']:<40} {one['year']} {one['figures']:>7,} ({one['values']:,})"
        for one in said["by_indicator_and_year"]
    ]
    if said["largest"]:
        lines += ["", "largest changes of counts:", *(f"  {_line(one)}" for one in said["largest"])]
    lines += ["", "all:"]
    by_year = sorted(said["revisions"], key=lambda one: (one["year"], one["causes"]))
    for (year, causes), of_year in groupby(by_year, key=lambda one: (one["year"], one["causes"])):
        lines += [f"  {year}, which can come from: {causes}", *(f"    {_line(one)}" for one in of_year)]
    return "\n".join(lines)


def _line(row: Mapping[str, Any]) -> str:
    where = " ".join(str(row[name]) for name in KEY)
    if row["measure"] == "suppression":
        return f"{where}: {row['kind']}"
    old, new = (_shown(row[name], row["measure"]) for name in ("old_value", "new_value"))
    kind = "" if row["kind"] == "changed" else f" ({row['kind']})"
    return f"{where}: {row['measure']} {old} → {new}{kind}"


def _shown(value: float | None, measure: str) -> str:
    if value is None:
        return "–"
    return half_up(value, 4) if measure in RATES else f"{value:,.0f}"


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
