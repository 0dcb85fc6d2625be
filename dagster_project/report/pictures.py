"""Builds the charts of an indicator for a choice of area, year and victim group, from the same rows as its tables."""

from __future__ import annotations

from collections.abc import Sequence

from dagster_project.report.charts import Mark, Picture, bars, dots
from dagster_project.report.figures import Figures, Row
from dagster_project.report.line_chart import Break, Line, Point, lines
from dagster_project.report.page_tables import (
    TIME_OUTCOMES,
    TOTAL,
    Choice,
    Table,
    cuts,
    detailed,
    flow_table,
    outcomes_table,
    ranking,
    rests_on_few,
    series,
    spread_level,
    time_table,
    why_missing,
)

# Line charts show signs instead of words; the chart's note explains them.
GAPS = {"withheld_short": "gap_withheld", "none_short": "gap_none"}


def lettered_breaks(figures: Figures, indicator: str) -> list[Break]:
    """Return the breaks of an indicator with the letters that refer to their reasons."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return [
        Break(row["year"], row["mixed_year"], letters[number] if number < len(letters) else str(number + 1))
        for number, row in enumerate(figures.breaks[indicator])
    ]


def pictures(figures: Figures, indicator: str, choice: Choice) -> dict[str, Picture]:
    """Return all charts of a page by name, those of the victim groups as `group-<name>`."""
    years, breaks, broken = figures.years, lettered_breaks(figures, indicator), cuts(figures, indicator)
    of_place = series(figures, indicator, choice)
    wide = detailed(figures, choice)
    of_wide = series(figures, indicator, wide)
    compared = [
        Line("median", "§series.region_median§", _points(of_place, "region_median")),
        *(
            [Line("median", "§series.county_median§", _points(of_place, "county_median"))]
            if choice.level == "lan"
            else []
        ),
        Line("country", "§series.country§", _points(of_place, "country")),
    ]
    chosen = Line("chosen", "§place§", _points(of_place))
    charts = {
        "trend": lines(
            [*(compared if choice.level != "riket" else compared[:1]), chosen],
            [
                (year, row["lowest"] / 10, row["highest"] / 10)
                for year in years
                if (row := figures.ranges[indicator].get((spread_level(choice.level), choice.group, year)))
            ],
            years,
            broken,
            breaks,
        )
    }
    panels = {
        group: series(figures, indicator, Choice(wide.place, choice.year, group))
        for group in figures.groups_of(indicator)
        if group not in (TOTAL, "okand")
    }
    pairs = {
        group: [Line("country", "", _points(rows, "country")), Line("chosen", "", _points(rows))]
        for group, rows in panels.items()
    }
    for group, pair in pairs.items():
        beside = [line for pair in pairs.values() for line in pair]
        charts[f"group-{group}"] = lines(pair, [], years, broken, breaks, (300, 150), 0, beside)
    charts["measures"] = lines(
        [
            Line("second", "§series.prosecution§", _points(of_wide, "prosecution")),
            Line("chosen", "§series.clearance§", _points(of_wide)),
        ],
        [], years, broken, breaks,
    )  # fmt: skip
    ranked = ranking(figures, indicator, choice)
    country = ranked[0]["pct"]
    charts["ranking"] = dots(_ranked(ranked, choice), reference=None if country is None else country / 10)
    charts["flow"] = bars(
        [
            Mark(f"§{stage}§", offences, f"§n:{offences}§" + (f" (§t:{share}§§percent§)" if share is not None else ""))
            for stage, offences, share in flow_table(figures, indicator, wide).rows
        ]
    )
    charts["outcomes"] = bars(
        [
            Mark(f"§{outcome}§", offences, f"§n:{offences}§ (§t:{share}§§percent§)")
            for outcome, offences, share in outcomes_table(figures, indicator, wide).rows
        ]
    )
    charts["time"] = dots(_timed(time_table(figures, indicator, wide)), days=True, left=230)
    return charts


def _ranked(ranked: Sequence[Row], choice: Choice) -> list[Mark]:
    marks, row, previous_level = [], 0.0, "riket"
    for ranked_row in ranked:
        level, code = ranked_row["geography_level"], ranked_row["geography_code"]
        row += 0.6 if level != previous_level else 0
        pct = ranked_row["pct"]
        marks.append(
            Mark(
                f"§place.{level}/{code}§",
                None if pct is None else pct / 10,
                f"§{why_missing(ranked_row)}§" if pct is None else f"§t:{pct}§",
                None if pct is None else ranked_row["low"] / 10,
                None if pct is None else ranked_row["high"] / 10,
                bold=(level, code) == choice.place,
                hollow=bool(ranked_row["small_number"]),
                row=row,
            )
        )
        row, previous_level = row + 1, level
    return marks


def _timed(table: Table) -> list[Mark]:
    marks, row, previous_year = [], 0.0, None
    for year, outcome, offences, p25, median, p75, p90 in table.rows:
        kind = outcome.rpartition(".")[2]
        if kind not in TIME_OUTCOMES:
            continue
        row += 0.4 if previous_year not in (None, year) else 0
        label = f"{year} §series.{kind}§"
        marks.append(Mark(label, median, f"§n:{median}§ §days§", p25, p75, p90, kind == "cleared", offences < 30, row)
                     if median is not None else Mark(label, None, "§none_short§", row=row))  # fmt: skip
        row, previous_year = row + 1, year
    return marks


def _points(rows: dict[int, Row], name: str = "pct") -> list[Point]:
    own = name in ("pct", "prosecution")
    return [
        Point(
            year,
            None if row[name] is None else row[name] / 10,
            row["low"] / 10 if name == "pct" and row["low"] is not None else None,
            row["high"] / 10 if name == "pct" and row["high"] is not None else None,
            rests_on_few(row, name),
            f"§{GAPS[why_missing(row)]}§" if own and why_missing(row) else "",
        )
        for year, row in rows.items()
    ]
