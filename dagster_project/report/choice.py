"""A choice of area, year and victim group, and data derived from it."""

from __future__ import annotations

from dataclasses import dataclass

from dagster_project.report.figures import COUNTRY, Figures, Place, Row
from dagster_project.report.sentences import NOT_COMPARABLE, verdict

TOTAL = "total"


@dataclass(frozen=True)
class Choice:
    """A chosen area, year and victim group."""

    place: Place
    year: int
    group: str = TOTAL


def detailed_place(place: Row) -> Place:
    """Return the narrowest place that has all figures: the police region, if the place lies in one."""
    if place["region_code"]:
        return ("polisregion", place["region_code"])
    return (place["geography_level"], place["geography_code"])


def cuts(figures: Figures, indicator: str) -> list[int]:
    """Return the years that cannot be compared with the year before."""
    country = figures.cells[indicator][(*COUNTRY, TOTAL)]
    return [year for year, row in country.items() if year > figures.years[0] and verdict(row) == NOT_COMPARABLE]


def break_letters(figures: Figures, indicator: str) -> list[str]:
    """Return a letter for each break of an indicator, which refers to its reason."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return [
        letters[number] if number < len(letters) else str(number + 1)
        for number, _ in enumerate(figures.breaks[indicator])
    ]
