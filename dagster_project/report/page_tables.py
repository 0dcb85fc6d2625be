"""Builds the tables of an indicator for a choice of area, year and victim group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from dagster_project.report.figures import COUNTRY, Figures, Place, Row
from dagster_project.report.sentences import NOT_COMPARABLE, verdict
from dagster_project.rounding import tenths_of_percent

TOTAL = "total"
STAGES = ("processed", "investigated", "with_suspect", "at_prosecutor", "cleared")
CLEARING = ("cleared_indictment", "cleared_penalty_order", "cleared_waiver")
# The tables of figures that only the country and the police regions have.
DETAILED = ("groups", "measures", "flow", "outcomes", "time")
OUTCOMES = (*CLEARING, "limited_investigated", "other_investigated", "limited_dismissed", "other_dismissed")
TIME_OUTCOMES = ("cleared", "not_cleared")
DAYS = ("days_p25", "days_median", "days_p75", "days_p90")
# Kinds of column: year or code, count, tenths, words (keys of the catalogue), yes or no.
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
    """A chosen area, year and victim group."""

    place: Place
    year: int
    group: str = TOTAL

    @property
    def level(self) -> str:
        """The level of geography."""
        return self.place[0]


def detailed(figures: Figures, choice: Choice) -> Choice:
    """Return the choice for the tables `DETAILED`: for a county or municipality its police region."""
    return replace(choice, place=detailed_place(figures.places[choice.place]))


def detailed_place(place: Row) -> Place:
    """Return the narrowest place that has all figures: the police region of a place that lies in one."""
    if place["region_code"]:
        return ("polisregion", place["region_code"])
    return (place["geography_level"], place["geography_code"])


@dataclass(frozen=True)
class Table:
    """Rows of raw values; words are space-separated keys of the catalogue."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]

    @property
    def kinds(self) -> list[str]:
        """The kind of each column; the default is a share in tenths."""
        return [KINDS.get(column, TENTHS) for column in self.columns]


def cuts(figures: Figures, indicator: str) -> list[int]:
    """Return the years that cannot be compared with the year before."""
    country = figures.cells[indicator][(*COUNTRY, TOTAL)]
    return [year for year, row in country.items() if year > figures.years[0] and verdict(row) == NOT_COMPARABLE]


def series(figures: Figures, indicator: str, choice: Choice) -> dict[int, Row]:
    """Return the published figures of the chosen area and group, by year."""
    return dict(figures.cells[indicator].get((*choice.place, choice.group), {}))


def spread_level(level: str) -> str:
    """Return the level whose range is shown behind an area: counties for a county, otherwise police regions."""
    return "lan" if level == "lan" else "polisregion"


def note(row: Row, of_year: bool = True) -> str:
    """Return the keys of the notes on a figure; without `of_year`, only notes that do not apply to the whole year."""
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


def rests_on_few(row: Row, column: str) -> bool:
    """Return whether a share rests on fewer than 30 offences; always false for a median."""
    few = row["country_small"] if column == "country" else column in ("pct", "prosecution") and row["small_number"]
    return bool(few)


def why_missing(row: Row) -> str:
    """Return the key of the reason why a figure has no share, or an empty text."""
    return "withheld_short" if row["suppression"] else "none_short" if row["pct"] is None else ""


def trend_table(figures: Figures, indicator: str, choice: Choice) -> Table:
    """Build the table of the share by year with comparison values."""
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
    """Build the table of victim groups of the chosen year."""
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
    """Return the country, police regions and counties of the chosen year and group, each level by descending share."""
    ranked = []
    for level in ("riket", "polisregion", "lan"):
        of_level = [
            figures.cells[indicator][level, code, choice.group][choice.year]
            for place_level, code in figures.places
            if place_level == level and (level, code, choice.group) in figures.cells[indicator]
        ]
        ranked += sorted(of_level, key=lambda row: (row["pct"] is None, -(row["pct"] or 0)))
    if choice.level == "kommun" and choice.group == TOTAL:
        ranked.append(figures.cells[indicator][(*choice.place, choice.group)][choice.year])
    return ranked


def ranking_table(figures: Figures, indicator: str, choice: Choice) -> Table:
    """Build the table of the ranking."""
    return Table(
        ["place", "level", "processed", "cleared", "pct", "low", "high", "note"],
        [
            [
                f"place.{row['geography_level']}/{row['geography_code']}",
                f"place_kinds.{row['geography_level']}",
                *(row[name] for name in ("processed", "cleared", "pct", "low", "high")),
                note(row, of_year=False),
            ]
            for row in ranking(figures, indicator, choice)
        ],
    )


def measures_table(figures: Figures, indicator: str, choice: Choice) -> Table:
    """Build the table of both measures by year with their denominators."""
    columns = ["year", "processed", "investigated", "limited_investigated", "cleared", "pct", "prosecution"]
    return Table(
        [*columns, "note"],
        [[*(row[name] for name in columns), note(row)] for row in series(figures, indicator, choice).values()],
    )


def flow_table(figures: Figures, indicator: str, choice: Choice) -> Table:
    """Build the table of stages of the chosen year, all victims."""
    stages = figures.flow[indicator].get(choice.place, {}).get(choice.year, {})
    return Table(
        ["stage", "offences", "share"],
        [
            [f"stages.{stage}", offences, of_stage_before]
            for stage, (offences, of_stage_before) in zip(STAGES, stage_shares(stages), strict=False)
        ],
    )


def outcomes_table(figures: Figures, indicator: str, choice: Choice) -> Table:
    """Build the table of outcomes of the chosen year."""
    row = series(figures, indicator, choice).get(choice.year)
    if row is None or row["suppression"] or not row["processed"]:
        return Table(["outcome", "offences", "share_of_processed"], [])
    return Table(
        ["outcome", "offences", "share_of_processed"],
        [[f"outcomes.{name}", row[name], tenths_of_percent(row[name], row["processed"])] for name in OUTCOMES],
    )


def time_table(figures: Figures, indicator: str, choice: Choice) -> Table:
    """Build the table of days to the decision by year and outcome, all victims."""
    rows = [
        [year, f"time_outcomes.{outcome}", row["offences"], *(row[name] for name in DAYS)]
        for year, outcomes in sorted(figures.times[indicator].get(choice.place, {}).items(), reverse=True)
        for outcome, row in ((outcome, outcomes.get(outcome)) for outcome in (*TIME_OUTCOMES, "all"))
        if row and row["offences"] is not None
    ]
    return Table(["year", "outcome", "offences", "p25", "median", "p75", "p90"], rows)


def readings_table(figures: Figures, indicator: str) -> Table:
    """Build the table of all variants in the country in the newest year."""
    return Table(
        ["reading", "processed", "cleared", "pct"],
        [
            [f"variant.{row['variant']}", *(row[name] for name in ("processed", "cleared", "pct"))]
            for row in figures.readings[indicator]
        ],
    )


def tables(figures: Figures, indicator: str, choice: Choice) -> dict[str, Table]:
    """Return all tables of a page by the name of their chart."""
    makers = {
        "trend": trend_table,
        "groups": groups_table,
        "ranking": ranking_table,
        "measures": measures_table,
        "flow": flow_table,
        "outcomes": outcomes_table,
        "time": time_table,
    }
    wide = detailed(figures, choice)
    tables_by_name = {
        name: make(figures, indicator, wide if name in DETAILED else choice) for name, make in makers.items()
    }
    if len(figures.readings[indicator]) > 1:
        tables_by_name["readings"] = readings_table(figures, indicator)
    return tables_by_name


def stage_shares(stages: Mapping[str, Row]) -> list[tuple[int, int | None]]:
    """Return offences by stage and their share of the previous stage in tenths; empty if withheld or nothing was processed."""
    offences = [stages[stage]["offences"] for stage in STAGES if stage in stages]
    if not offences or offences[0] is None:
        return []
    shares = [tenths_of_percent(current, before) if before else None for before, current in pairwise(offences)]
    return list(zip(offences, [None, *shares], strict=True))
