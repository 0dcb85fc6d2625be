"""What is shown of one indicator for one choice of area, year and victim group: tables, and pictures of the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dagster_project.publish.report.charts import Break, Line, Mark, Picture, Point, bars, dots, lines
from dagster_project.publish.report.figures import COUNTRY, Figures, Place, Row
from dagster_project.publish.report.sentences import NOT_COMPARABLE, verdict

TOTAL = "total"
STAGES = ("processed", "investigated", "with_suspect", "at_prosecutor", "cleared")
CLEARING = ("cleared_indictment", "cleared_penalty_order", "cleared_waiver")
OUTCOMES = (*CLEARING, "limited_investigated", "other_investigated", "limited_dismissed", "other_dismissed")
TIME_OUTCOMES = ("cleared", "not_cleared")
DAYS = ("days_p25", "days_median", "days_p75", "days_p90")
# What a column holds: a year or code as it is, a count, tenths, words (keys into the catalogue), yes or no.
YEAR, COUNT, TENTHS, WORDS, YES_NO = "y", "n", "t", "s", "b"
KINDS = {
    "year": YEAR,
    **dict.fromkeys(("processed", "cleared", "investigated", "limited_investigated", "offences"), COUNT),
    **dict.fromkeys(("p25", "median", "p75", "p90"), COUNT),
    **dict.fromkeys(("group", "place", "level", "note", "stage", "outcome", "reading"), WORDS),
    "significant": YES_NO,
}


@dataclass(frozen=True)
class Choice:
    """What is looked at."""

    place: Place
    year: int
    group: str = TOTAL

    @property
    def level(self) -> str:
        """The level of geography."""
        return self.place[0]


@dataclass(frozen=True)
class Table:
    """Rows of raw values under named columns; words are keys, several parted by a space."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]

    @property
    def kinds(self) -> list[str]:
        """What each column holds; what is not declared is a share in tenths."""
        return [KINDS.get(column, TENTHS) for column in self.columns]


def cuts(figures: Figures, indicator: str) -> list[int]:
    """The years that cannot be compared with the year before."""
    country = figures.cells[indicator][(*COUNTRY, TOTAL)]
    return [year for year, row in country.items() if year > figures.years[0] and verdict(row) == NOT_COMPARABLE]


def lettered_breaks(figures: Figures, indicator: str) -> list[Break]:
    """The breaks of an indicator in the years shown, with the letters that lead from the picture to the reasons."""
    return [
        Break(one["year"], one["mixed_year"], "abcdefghijklmnopqrstuvwxyz"[number])
        for number, one in enumerate(figures.breaks[indicator])
    ]


def series(figures: Figures, indicator: str, choice: Choice) -> dict[int, Row]:
    """The figures of the chosen area and group, by year; none where they are not published."""
    return dict(figures.cells[indicator].get((*choice.place, choice.group), {}))


def spread_level(level: str) -> str:
    """The level whose range is shown behind an area: its own, or the police regions."""
    return "lan" if level == "lan" else "polisregion"


def note(row: Row, of_year: bool = True) -> str:
    """The keys of what is to be minded about a figure; without `of_year` not what all figures of the year have in common."""
    keys = []
    if row["suppression"]:
        keys.append(row["suppression"])
    elif row["processed"] == 0:
        keys.append("none")
    elif row["small_number"]:
        keys.append("small")
    if row["series_break"] and of_year:
        keys.append("mixed" if row["mixed_year"] else "break")
    return " ".join(f"notes.{key}" for key in keys)


def why_missing(row: Row) -> str:
    """The key of why a figure has no share; nothing if it has one."""
    return "withheld_short" if row["suppression"] else "none_short" if row["pct"] is None else ""


def trend_table(figures: Figures, indicator: str, choice: Choice) -> Table:
    """The share by year, with what it is compared with."""
    compared = ["country", "region_median", *(["county_median"] if choice.level == "lan" else [])]
    columns = [
        "year",
        "processed",
        "cleared",
        "pct",
        "low",
        "high",
        "change",
        "significant",
        *compared,
        "lowest",
        "highest",
    ]
    rows = []
    for year, row in series(figures, indicator, choice).items():
        spread = figures.ranges[indicator].get((spread_level(choice.level), choice.group, year), {})
        rows.append([*(row[name] for name in columns[:-2]), spread.get("lowest"), spread.get("highest"), note(row)])
    return Table([*columns, "note"], rows)


def groups_table(figures: Figures, indicator: str, choice: Choice) -> Table:
    """The victim groups of the chosen year."""
    rows = [
        [
            f"group.{group}",
            *(row[name] for name in ("processed", "cleared", "pct", "low", "high")),
            note(row, of_year=False),
        ]
        for group in figures.groups_of(indicator)
        for year, row in figures.cells[indicator].get((*choice.place, group), {}).items()
        if year == choice.year
    ]
    return Table(["group", "processed", "cleared", "pct", "low", "high", "note"], rows)


def ranking(figures: Figures, indicator: str, choice: Choice) -> list[Row]:
    """The country, the police regions and the counties in the chosen year and group, highest share first in each."""
    found = []
    for level in ("riket", "polisregion", "lan"):
        of_level = [
            figures.cells[indicator][level, code, choice.group][choice.year]
            for of, code in figures.places
            if of == level
        ]
        found += sorted(of_level, key=lambda row: (row["pct"] is None, -(row["pct"] or 0)))
    if choice.level == "kommun" and choice.group == TOTAL:
        found.append(figures.cells[indicator][(*choice.place, choice.group)][choice.year])
    return found


def ranking_table(figures: Figures, indicator: str, choice: Choice) -> Table:
    """The ranking as a table."""
    return Table(
        ["place", "level", "processed", "cleared", "pct", "low", "high", "note"],
        [
            [
                f"place.{row['geography_level']}/{row['geography_code']}",
                f"level_names.{row['geography_level']}",
                *(row[name] for name in ("processed", "cleared", "pct", "low", "high")),
                note(row, of_year=False),
            ]
            for row in ranking(figures, indicator, choice)
        ],
    )


def measures_table(figures: Figures, indicator: str, choice: Choice) -> Table:
    """Both measures by year, with what they are shares of."""
    columns = ["year", "processed", "investigated", "limited_investigated", "cleared", "pct", "prosecution"]
    return Table(
        [*columns, "note"],
        [[*(row[name] for name in columns), note(row)] for row in series(figures, indicator, choice).values()],
    )


def flow_table(figures: Figures, indicator: str, choice: Choice) -> Table:
    """The stages of the chosen year, of all victims together."""
    stages = figures.flow[indicator].get(choice.place, {}).get(choice.year, {})
    return Table(
        ["stage", "offences", "share"],
        [
            [f"stages.{stage}", row["offences"], rounded(row["share_of_stage_before_pct"])]
            for stage, row in stages.items()
            if row["offences"] is not None
        ],
    )


def outcomes_table(figures: Figures, indicator: str, choice: Choice) -> Table:
    """What the offences of the chosen year led to."""
    row = series(figures, indicator, choice).get(choice.year)
    if row is None or row["suppression"] or not row["processed"]:
        return Table(["outcome", "offences", "share_of_processed"], [])
    return Table(
        ["outcome", "offences", "share_of_processed"],
        [[f"outcomes.{name}", row[name], _share(row[name], row["processed"])] for name in OUTCOMES],
    )


def time_table(figures: Figures, indicator: str, choice: Choice) -> Table:
    """Days to the decision by year and outcome, of all victims together."""
    rows = [
        [year, f"time_outcomes.{outcome}", row["offences"], *(row[name] for name in DAYS)]
        for year, outcomes in sorted(figures.times[indicator].get(choice.place, {}).items(), reverse=True)
        for outcome, row in ((outcome, outcomes.get(outcome)) for outcome in (*TIME_OUTCOMES, "all"))
        if row and row["offences"] is not None
    ]
    return Table(["year", "outcome", "offences", "p25", "median", "p75", "p90"], rows)


def readings_table(figures: Figures, indicator: str) -> Table:
    """The other readings of the indicator, in the country in the newest year."""
    return Table(
        ["reading", "processed", "cleared", "pct"],
        [
            [f"variant.{row['variant']}", *(row[name] for name in ("processed", "cleared", "pct"))]
            for row in figures.readings[indicator]
        ],
    )


def tables(figures: Figures, indicator: str, choice: Choice) -> dict[str, Table]:
    """All tables of a page by the name of their picture."""
    makers = {
        "trend": trend_table,
        "groups": groups_table,
        "ranking": ranking_table,
        "measures": measures_table,
        "flow": flow_table,
        "outcomes": outcomes_table,
        "time": time_table,
    }
    made = {name: make(figures, indicator, choice) for name, make in makers.items()}
    if len(figures.readings[indicator]) > 1:
        made["readings"] = readings_table(figures, indicator)
    return made


def pictures(figures: Figures, indicator: str, choice: Choice) -> dict[str, Picture]:
    """All pictures of a page, those of the victim groups by `group-<name>`."""
    years, breaks, broken = figures.years, lettered_breaks(figures, indicator), cuts(figures, indicator)
    of_place = series(figures, indicator, choice)
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
    found = {
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
        group: series(figures, indicator, Choice(choice.place, choice.year, group))
        for group in figures.groups_of(indicator)
        if group not in (TOTAL, "okand")
    }
    pairs = {
        group: [Line("country", "", _points(rows, "country")), Line("chosen", "", _points(rows))]
        for group, rows in panels.items()
    }
    for group, pair in pairs.items():
        beside = [line for pair in pairs.values() for line in pair]
        found[f"group-{group}"] = lines(pair, [], years, broken, breaks, (300, 150), 0, beside)
    found["measures"] = lines(
        [
            Line("second", "§series.prosecution§", _points(of_place, "prosecution")),
            Line("chosen", "§series.clearance§", _points(of_place)),
        ],
        [], years, broken, breaks,
    )  # fmt: skip
    ranked = ranking(figures, indicator, choice)
    country = ranked[0]["pct"]
    found["ranking"] = dots(_ranked(ranked, choice), reference=None if country is None else country / 10)
    found["flow"] = bars(
        [
            Mark(f"§{stage}§", offences, f"§n:{offences}§" + (f" (§t:{share}§ %)" if share is not None else ""))
            for stage, offences, share in flow_table(figures, indicator, choice).rows
        ]
    )
    found["outcomes"] = bars(
        [
            Mark(f"§{outcome}§", offences, f"§n:{offences}§ (§t:{share}§ %)")
            for outcome, offences, share in outcomes_table(figures, indicator, choice).rows
        ]
    )
    found["time"] = dots(_timed(time_table(figures, indicator, choice)), days=True, left=230)
    return found


def _ranked(ranked: Sequence[Row], choice: Choice) -> list[Mark]:
    marks, row, before = [], 0.0, "riket"
    for one in ranked:
        level, code = one["geography_level"], one["geography_code"]
        row += 0.6 if level != before else 0
        pct = one["pct"]
        marks.append(
            Mark(
                f"§place.{level}/{code}§",
                None if pct is None else pct / 10,
                f"§{why_missing(one)}§" if pct is None else f"§t:{pct}§",
                None if pct is None else one["low"] / 10,
                None if pct is None else one["high"] / 10,
                bold=(level, code) == choice.place,
                hollow=bool(one["small_number"]),
                row=row,
            )
        )
        row, before = row + 1, level
    return marks


def _timed(table: Table) -> list[Mark]:
    marks, row, before = [], 0.0, None
    for year, outcome, offences, p25, median, p75, p90 in table.rows:
        kind = outcome.rpartition(".")[2]
        if kind not in TIME_OUTCOMES:
            continue
        row += 0.4 if before not in (None, year) else 0
        label = f"{year} §series.{kind}§"
        marks.append(Mark(label, median, f"§n:{median}§ §days§", p25, p75, p90, kind == "cleared", offences < 30, row)
                     if median is not None else Mark(label, None, "§none_short§", row=row))  # fmt: skip
        row, before = row + 1, year
    return marks


def _points(rows: dict[int, Row], name: str = "pct") -> list[Point]:
    own = name in ("pct", "prosecution")
    return [
        Point(
            year,
            None if row[name] is None else row[name] / 10,
            row["low"] / 10 if name == "pct" and row["low"] is not None else None,
            row["high"] / 10 if name == "pct" and row["high"] is not None else None,
            bool(own and row["small_number"]),
            f"§{why_missing(row)}§" if own and why_missing(row) else "",
        )
        for year, row in rows.items()
    ]


def _share(part: int, whole: int) -> int:
    """A share in tenths of a per cent, rounded half up."""
    return (2000 * part + whole) // (2 * whole)


def rounded(share: float | None) -> int | None:
    """A share in tenths, rounded half up."""
    return None if share is None else int(share * 10 + 0.5)
