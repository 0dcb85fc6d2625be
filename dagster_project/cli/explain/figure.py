"""The published part of an explanation: the figure, its definition, formulas and deliveries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import duckdb


class UnknownFigureError(ValueError):
    """The figure does not exist; the message lists the valid values."""


class FigureKey(NamedTuple):
    """The key of a figure in fct_indicator_year."""

    indicator_id: str
    variant: str
    year: int
    geography_level: str
    geography_code: str
    victim_group: str


_KEY = " and ".join(f"{column} = ${column}" for column in FigureKey._fields)


def find_figure(
    connection: duckdb.DuckDBPyConnection,
    indicator: str,
    year: int,
    geography: str,
    victim_group: str,
    variant: str | None,
) -> FigureKey:
    """Return the key of a figure, by default of the first variant.

    `geography` is a code, or `level/code` if the code exists at several levels.
    """

    def require(noun: str, value: object, select: str, **values: object) -> list[str]:
        available = [row[0] for row in connection.execute(select, values or None).fetchall()]
        if value is not None and value not in available:
            raise UnknownFigureError(f"there is no {noun} {value}; there is {', '.join(map(str, available))}")
        return available

    require("indicator", indicator, "select distinct indicator_id from marts.dim_indicator order by 1")
    require("year", year, "select year from marts.dim_year order by 1")
    of_indicator = "select variant from marts.dim_indicator where indicator_id = $id order by sort_order"
    first, *_ = require(f"variant of {indicator}", variant, of_indicator, id=indicator)
    variant = variant or first
    require("victim group", victim_group, "select victim_group from marts.dim_victim_group order by sort_order")
    key = FigureKey(indicator, variant, year, *_place(connection, geography), victim_group)
    if not connection.execute(f"select 1 from marts.fct_indicator_year where {_KEY}", key._asdict()).fetchone():
        available = connection.execute(
            """
            select distinct variant || ' of ' || victim_group from marts.fct_indicator_year
            where indicator_id = $indicator_id and year = $year
            and geography_level = $geography_level and geography_code = $geography_code order by 1
            """,
            {name: value for name, value in key._asdict().items() if name not in ("variant", "victim_group")},
        ).fetchall()
        raise UnknownFigureError(
            f"{variant} of {victim_group} is not published for {key.geography_level}/{key.geography_code}; there is "
            + (", ".join(text for (text,) in available) or f"nothing of {indicator}")
        )
    return key


def _place(connection: duckdb.DuckDBPyConnection, geography: str) -> tuple[str, str]:
    level, _, code = geography.rpartition("/")
    matches = connection.execute(
        "select geography_level, geography_code from marts.dim_geography "
        "where geography_code = $code and $level in ('', geography_level)",
        {"code": code, "level": level},
    ).fetchall()
    if len(matches) == 1:
        return str(matches[0][0]), str(matches[0][1])
    if matches:
        raise UnknownFigureError(
            f"{code} is at several levels: {' or '.join(f'{level}/{code}' for level, _ in matches)}"
        )
    larger = connection.execute(
        "select geography_code from marts.dim_geography where geography_level <> 'kommun' and geography_code <> 'okand' order by all"
    ).fetchall()
    codes = ", ".join(code for (code,) in larger)
    raise UnknownFigureError(
        f"there is no geography {geography}; there is {codes}, a municipality such as 0180, lan/okand and kommun/okand"
    )


def describe_figure(connection: duckdb.DuckDBPyConnection, key: FigureKey) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the published figure (counts, rates, flags, breaks, labels) and the definition of its indicator."""
    row, types = _row(connection, f"select * from marts.fct_indicator_year where {_KEY}", key)
    definition, _ = _row(
        connection,
        "select * from marts.dim_indicator where indicator_id = $indicator_id and variant = $variant",
        key,
    )
    place, _ = _row(
        connection,
        "select name_sv from marts.dim_geography where geography_level = $geography_level and geography_code = $geography_code",
        key,
    )
    group, _ = _row(connection, "select name_sv from marts.dim_victim_group where victim_group = $victim_group", key)
    breaks = connection.execute(
        "select in_force, mixed_year, cause_sv, cause_en, provision, reference from marts.series_break "
        "where indicator_id = $indicator_id and year = $year order by all",
        {"indicator_id": key.indicator_id, "year": key.year},
    ).fetchall()
    figure = {
        # Measures available only for the country and the police regions.
        "not_published": []
        if row["suppression"]
        else [
            *(name for name, kind in types.items() if kind == "BIGINT" and row[name] is None),
            *(["prosecution_pct"] if row["investigated"] is None else []),
        ],
        "counts": {name: row[name] for name, kind in types.items() if kind == "BIGINT"},
        "rates": {name: row[name] for name, kind in types.items() if kind == "DOUBLE"},
        "marks": {name: row[name] for name, kind in types.items() if kind == "BOOLEAN"},
        "suppression": row["suppression"],
        "breaks": [
            dict(
                zip(
                    ("in_force", "mixed_year", "cause_sv", "cause_en", "provision", "reference"), break_row, strict=True
                )
            )
            for break_row in breaks
        ],
        "geography_sv": place["name_sv"],
        "victim_group_sv": group["name_sv"],
    }
    return figure, definition


def formulas(connection: duckdb.DuckDBPyConnection, key: FigureKey, figure: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the formula of each measure, also with numbers."""
    counts, rates = figure["counts"], figure["rates"]
    if figure["suppression"]:
        return []
    before = connection.execute(
        f"select clearance_pct from marts.fct_indicator_year where {_KEY}",
        key._replace(year=key.year - 1)._asdict(),
    ).fetchone()
    change = rates["clearance_change_pp"]
    # Older publications lack this column.
    is_comparable = figure["marks"].get("clearance_change_comparable")
    not_comparable = ", not comparable: the year before was of another kind" if is_comparable is False else ""
    investigated, limited = counts["investigated"], counts["limited_investigated"]
    return [
        {
            "measure": "clearance_pct",
            "formula": "100 × cleared / processed",
            "with_numbers": _ratio(f"100 × {counts['cleared']} / {counts['processed']}", rates["clearance_pct"]),
        },
        *(
            []
            if investigated is None
            else [
                {
                    "measure": "prosecution_pct",
                    "formula": "100 × cleared / (investigated − limited_investigated)",
                    "with_numbers": _ratio(
                        f"100 × {counts['cleared']} / ({investigated} − {limited})", rates["prosecution_pct"]
                    ),
                }
            ]
        ),
        {
            "measure": "clearance_change_pp",
            "formula": "clearance_pct − clearance_pct of the year before",
            "with_numbers": "none: a series break, or no rate of this year or the year before"
            if change is None or not before
            else f"{rates['clearance_pct']!r} − {before[0]!r} = {change!r}{not_comparable}",
        },
    ]


def list_deliveries(manifest: Mapping[str, Any], year: int) -> list[dict[str, Any]]:
    """Return the deliveries of the year and the earlier police extracts in which missing offences are looked up."""
    return [
        {
            "source": delivery["source"],
            "year": delivery["year"],
            "delivery_id": delivery["delivery_id"],
            "loaded_at": delivery["loaded_at"],
            "files": {file["name"]: file["sha256"] for file in delivery["files"].values()},
            "because": "decided this year"
            if delivery["year"] == year
            else "searched for offences that the year's own extract lacks",
        }
        for delivery in sorted(manifest["deliveries"], key=lambda delivery: (-delivery["year"], delivery["source"]))
        if delivery["year"] == year or (delivery["source"] == "police" and delivery["year"] < year)
    ]


def _ratio(numbers: str, rate: float | None) -> str:
    return f"{numbers}: nothing to divide by, so null" if rate is None else f"{numbers} = {rate!r}"


def _row(connection: duckdb.DuckDBPyConnection, select: str, key: FigureKey) -> tuple[dict[str, Any], dict[str, str]]:
    """Return a row and the type of each column."""
    cursor = connection.execute(select, {name: value for name, value in key._asdict().items() if f"${name}" in select})
    columns: Sequence[tuple[Any, ...]] = cursor.description or ()
    row = cursor.fetchone() or ()
    names = [str(column[0]) for column in columns]
    return dict(zip(names, row, strict=True)), {
        name: str(column[1]) for name, column in zip(names, columns, strict=True)
    }
