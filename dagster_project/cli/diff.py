"""The command `diff`: differences between two publications, as data and as text."""

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
    """The files of a publication do not match its manifest."""


def find_publication(settings: Settings, name: str) -> Publication:
    """Return a publication by its id, `current` or `newest`; raises KeyError if it does not exist."""
    by_id = {publication.publication_id: publication for publication in publications(settings)}
    if name == "newest" and by_id:
        return by_id[max(by_id)]
    return by_id[(active_publication(settings) or name) if name == "current" else name]


def describe_difference(
    settings: Settings, first: str, second: str, indicator: str | None = None, year: int | None = None
) -> dict[str, Any]:
    """Return the figures (of an indicator, of a year) that differ between two publications, from the earlier to the later.

    Raises KeyError for an unknown publication, LookupError for an unknown indicator or year, and `DamagedPublicationError`.
    """
    before, after = sorted(
        (find_publication(settings, name) for name in (first, second)),
        key=lambda publication: publication.publication_id,
    )
    for publication in (before, after):
        if damaged := changed_files(publication, among=[FIGURES, PUBLICATIONS]):
            raise DamagedPublicationError(f"{publication.publication_id} is damaged: {', '.join(damaged)}")
    with duckdb.connect() as connection:
        _refuse_unknown(connection, [before, after], indicator, year)
        compared = difference(connection, "found", before, after.folder / FIGURES, after.manifest)
        connection.execute(
            "delete from found where not (indicator_id = coalesce($indicator, indicator_id) and year = coalesce($year, year))",
            {"indicator": indicator, "year": year},
        )
        return {
            "earlier": before.publication_id,
            "later": after.publication_id,
            "changes": list(compared.changes),
            "new_years": list(compared.new_years),
            "not_compared": list(compared.not_compared),
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
    """Raise LookupError for an indicator or year without figures, because the result would read as if nothing differed."""
    files = [literal(publication.folder / FIGURES) for publication in compared]
    figures = f"from read_parquet([{', '.join(files)}], union_by_name = true)"
    for column, wanted in (("indicator_id", indicator), ("year", year)):
        available = [
            value for (value,) in connection.execute(f"select distinct {column} {figures} order by 1").fetchall()
        ]
        if wanted is not None and wanted not in available:
            raise LookupError(f"neither publication has {wanted}; there are {', '.join(map(str, available))}")


def difference_as_text(description: Mapping[str, Any]) -> str:
    """Format a difference as text."""
    lines = [f"from {description['earlier']} to {description['later']}"]
    lines += [f"differs: {text}" for text in description["changes"]]
    if description["new_years"]:
        lines.append(f"new: years {format_years(description['new_years'])}, whose figures are no revisions")
    lines += [f"not compared: {text}" for text in description["not_compared"]]
    if not description["revisions"]:
        return "\n".join([*lines, "no figure differs"])
    lines += ["", "figures that differ (values of them):"]
    lines += [
        f"  {row['indicator_id']:<40} {row['year']} {row['figures']:>7,} ({row['values']:,})"
        for row in description["by_indicator_and_year"]
    ]
    if description["largest"]:
        lines += ["", "largest changes of counts:", *(f"  {_line(row)}" for row in description["largest"])]
    lines += ["", "all:"]
    by_year = sorted(description["revisions"], key=lambda row: (row["year"], row["causes"]))
    for (year, causes), of_year in groupby(by_year, key=lambda row: (row["year"], row["causes"])):
        lines += [f"  {year}, which can come from: {causes}", *(f"    {_line(row)}" for row in of_year)]
    return "\n".join(lines)


def _line(row: Mapping[str, Any]) -> str:
    where = " ".join(str(row[name]) for name in KEY)
    if row["measure"] == "suppression":
        return f"{where}: {row['kind']}"
    old, new = (_format(row[name], row["measure"]) for name in ("old_value", "new_value"))
    kind = "" if row["kind"] == "changed" else f" ({row['kind']})"
    return f"{where}: {row['measure']} {old} → {new}{kind}"


def _format(value: float | None, measure: str) -> str:
    if value is None:
        return "–"
    return half_up(value, 4) if measure in RATES else f"{value:,.0f}"


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
