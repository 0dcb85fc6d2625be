"""The published side of an explanation: which figure is meant, what it is, how it is computed and which deliveries it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import duckdb


class UnknownFigureError(ValueError):
    """There is no such figure; the message says what there is."""


class Asked(NamedTuple):
    """The key of one figure in fct_indicator_year."""

    indicator_id: str
    variant: str
    year: int
    geography_level: str
    geography_code: str
    victim_group: str


_KEY = " and ".join(f"{column} = ${column}" for column in Asked._fields)


def ask(
    connection: duckdb.DuckDBPyConnection, indicator: str, year: int, geography: str, victim_group: str, variant: str
) -> Asked:
    """Find the figure that is meant; a place is a code, or `level/code` where a code is at several levels."""

    def known(what: str, value: object, select: str, **values: object) -> None:
        there_is = [row[0] for row in connection.execute(select, values or None).fetchall()]
        if value not in there_is:
            raise UnknownFigureError(f"there is no {what} {value}; there is {', '.join(map(str, there_is))}")

    known("indicator", indicator, "select distinct indicator_id from marts.dim_indicator order by 1")
    known("year", year, "select year from marts.dim_year order by 1")
    of_indicator = "select variant from marts.dim_indicator where indicator_id = $id order by sort_order"
    known(f"variant of {indicator}", variant, of_indicator, id=indicator)
    known("victim group", victim_group, "select victim_group from marts.dim_victim_group order by sort_order")
    asked = Asked(indicator, variant, year, *_place(connection, geography), victim_group)
    if not connection.execute(f"select 1 from marts.fct_indicator_year where {_KEY}", asked._asdict()).fetchone():
        there_is = connection.execute(
            """
            select distinct variant || ' of ' || victim_group from marts.fct_indicator_year
            where indicator_id = $indicator_id and year = $year
            and geography_level = $geography_level and geography_code = $geography_code order by 1
            """,
            {name: value for name, value in asked._asdict().items() if name not in ("variant", "victim_group")},
        ).fetchall()
        raise UnknownFigureError(
            f"{variant} of {victim_group} is not published for {asked.geography_level}/{asked.geography_code}; there is "
            + ", ".join(text for (text,) in there_is)
        )
    return asked


def _place(connection: duckdb.DuckDBPyConnection, geography: str) -> tuple[str, str]:
    level, _, code = geography.rpartition("/")
    found = connection.execute(
        "select geography_level, geography_code from marts.dim_geography "
        "where geography_code = $code and $level in ('', geography_level)",
        {"code": code, "level": level},
    ).fetchall()
    if len(found) == 1:
        return str(found[0][0]), str(found[0][1])
    if found:
        raise UnknownFigureError(f"{code} is at several levels: {' or '.join(f'{one}/{code}' for one, _ in found)}")
    larger = connection.execute(
        "select geography_code from marts.dim_geography where geography_level <> 'kommun' and geography_code <> 'okand' order by all"
    ).fetchall()
    codes = ", ".join(code for (code,) in larger)
    raise UnknownFigureError(
        f"there is no geography {geography}; there is {codes}, a municipality such as 0180, lan/okand and kommun/okand"
    )


def described(connection: duckdb.DuckDBPyConnection, asked: Asked) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is published of the figure (counts, rates, marks, breaks, labels), and what the indicator means in words."""
    row, types = _row(connection, f"select * from marts.fct_indicator_year where {_KEY}", asked)
    definition, _ = _row(
        connection,
        "select * from marts.dim_indicator where indicator_id = $indicator_id and variant = $variant",
        asked,
    )
    place, _ = _row(
        connection,
        "select name from marts.dim_geography where geography_level = $geography_level and geography_code = $geography_code",
        asked,
    )
    group, _ = _row(connection, "select name_sv from marts.dim_victim_group where victim_group = $victim_group", asked)
    breaks = connection.execute(
        "select in_force, mixed_year, cause_sv, cause_en, provision, reference from marts.series_break "
        "where indicator_id = $indicator_id and year = $year order by all",
        {"indicator_id": asked.indicator_id, "year": asked.year},
    ).fetchall()
    figure = {
        "counts": {name: row[name] for name, kind in types.items() if kind == "BIGINT"},
        "rates": {name: row[name] for name, kind in types.items() if kind == "DOUBLE"},
        "marks": {name: row[name] for name, kind in types.items() if kind == "BOOLEAN"},
        "suppression": row["suppression"],
        "breaks": [
            dict(zip(("in_force", "mixed_year", "cause_sv", "cause_en", "provision", "reference"), one, strict=True))
            for one in breaks
        ],
        "geography_sv": place["name"],
        "victim_group_sv": group["name_sv"],
    }
    return figure, definition


def formulas(connection: duckdb.DuckDBPyConnection, asked: Asked, figure: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each measure's formula, and the same with the numbers put in."""
    counts, rates = figure["counts"], figure["rates"]
    if figure["suppression"]:
        return []
    before = connection.execute(
        f"select clearance_pct from marts.fct_indicator_year where {_KEY}",
        asked._replace(year=asked.year - 1)._asdict(),
    ).fetchone()
    change = rates["clearance_change_pp"]
    # Publications of earlier code do not have the mark.
    is_comparable = figure["marks"].get("clearance_change_comparable")
    not_comparable = ", not comparable: the year before was of another kind" if is_comparable is False else ""
    whole, limited = counts["investigated"], counts["limited_investigated"]
    return [
        {
            "measure": "clearance_pct",
            "formula": "100 × cleared / processed",
            "with_numbers": _ratio(f"100 × {counts['cleared']} / {counts['processed']}", rates["clearance_pct"]),
        },
        {
            "measure": "prosecution_pct",
            "formula": "100 × cleared / (investigated − limited_investigated)",
            "with_numbers": _ratio(f"100 × {counts['cleared']} / ({whole} − {limited})", rates["prosecution_pct"]),
        },
        {
            "measure": "clearance_change_pp",
            "formula": "clearance_pct − clearance_pct of the year before",
            "with_numbers": "none: a series break, or no rate of this year or the year before"
            if change is None or not before
            else f"{rates['clearance_pct']!r} − {before[0]!r} = {change!r}{not_comparable}",
        },
    ]


def deliveries_behind(said: Mapping[str, Any], year: int) -> list[dict[str, Any]]:
    """The deliveries of the year, and the earlier police extracts in which offences that it lacks are looked up."""
    return [
        {
            "source": one["source"],
            "year": one["year"],
            "delivery_id": one["delivery_id"],
            "loaded_at": one["loaded_at"],
            "files": {file["name"]: file["sha256"] for file in one["files"].values()},
            "because": "decided this year"
            if one["year"] == year
            else "looked back to, if the year's own extract lacks an offence",
        }
        for one in sorted(said["deliveries"], key=lambda one: (-one["year"], one["source"]))
        if one["year"] == year or (one["source"] == "police" and one["year"] < year)
    ]


def _ratio(numbers: str, rate: float | None) -> str:
    return f"{numbers}: nothing to divide by, so null" if rate is None else f"{numbers} = {rate!r}"


def _row(connection: duckdb.DuckDBPyConnection, select: str, asked: Asked) -> tuple[dict[str, Any], dict[str, str]]:
    """The one row, and the type of each column."""
    cursor = connection.execute(
        select, {name: value for name, value in asked._asdict().items() if f"${name}" in select}
    )
    columns: Sequence[tuple[Any, ...]] = cursor.description or ()
    row = cursor.fetchone() or ()
    names = [str(column[0]) for column in columns]
    return dict(zip(names, row, strict=True)), {name: str(one[1]) for name, one in zip(names, columns, strict=True)}
