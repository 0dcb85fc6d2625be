"""The first screen: what the eleven indicators say in the chosen area and year, each and together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dagster_project.report import translations
from dagster_project.report.charts import Picture
from dagster_project.report.figures import Figures, Row
from dagster_project.report.line_chart import Line, Point, lines
from dagster_project.report.page_tables import Choice, cuts, rests_on_few, series
from dagster_project.report.sentences import FALL, RISE, VERDICTS, WITHIN, verdict

# Of a figure without a share, the key of what is said instead.
STATES = ("withheld", "none", "small")


@dataclass(frozen=True)
class Card:
    """One indicator on the first screen: figures in words, and what its change is (a verdict, or none without a share)."""

    indicator: Row
    name: str
    level: str
    counts: str
    verdict: str
    facts: Sequence[str]


def state(row: Row) -> str:
    """Whether a figure is withheld, has no offences, has few, or none of it (an empty text)."""
    if row["suppression"]:
        return "withheld"
    return "none" if row["pct"] is None else "small" if row["small_number"] else ""


def cards(figures: Figures, choice: Choice, language: str) -> list[Card]:
    """A card for each indicator, in the strategy's order."""
    words: Mapping[str, Any] = translations.catalogue(language)
    said = words["card"]
    found = []
    for one in figures.indicators:
        row = series(figures, one["indicator_id"], choice)[choice.year]
        values = {**row, "previous": choice.year - 1, "first": row["first_year"]}

        def fact(key: str, column: str, row: Row = row, values: Mapping[str, Any] = values) -> list[str]:
            return [] if row[column] is None else [translations.fill(said[key], values, language)]

        shown = row["pct"] is not None
        found.append(
            Card(
                one,
                one[f"name_{language}"],
                translations.fill(said["level"], values, language)
                if shown
                else said["withheld" if row["suppression"] else "none"],
                translations.fill(said["counts"], values, language) if shown else "",
                verdict(row) if shown else "",
                [
                    *fact("change", "change"),
                    *(fact("since", "since") if row["first_year"] != choice.year - 1 else []),
                    *(
                        fact("country_small" if row["country_small"] else "country", "country")
                        if choice.level != "riket"
                        else []
                    ),
                    *fact("region_median", "region_median"),
                    *fact("county_median", "county_median"),
                ],
            )
        )
    return found


def summary(figures: Figures, choice: Choice, language: str) -> list[str]:
    """Sentences on all indicators together."""
    said = translations.catalogue(language)["summaries"]
    rows = {
        one["indicator_id"]: series(figures, one["indicator_id"], choice)[choice.year] for one in figures.indicators
    }
    names = {one["indicator_id"]: one[f"name_{language}"] for one in figures.indicators}
    values = {"year": choice.year, "previous": choice.year - 1}
    shown = {name: row for name, row in rows.items() if row["pct"] is not None}

    def told(key: str, listed: Sequence[str]) -> list[str]:
        listing = ", ".join(names[name] for name in listed)
        return [translations.fill(said[key], {**values, "list": listing}, language)] if listed else []

    sentences = []
    if choice.year == figures.years[0]:
        sentences.append(translations.fill(said["no_previous"], values, language))
    else:
        for one in VERDICTS:
            sentences += told(one, [name for name, row in shown.items() if verdict(row) == one])
        found = {verdict(row) for row in shown.values()}
        if found & {RISE, FALL}:
            sentences.append(said["chance"])
        elif WITHIN in found:
            sentences.insert(0, translations.fill(said["none_significant"], values, language))
    for one in reversed(STATES):
        sentences += told(one, [name for name, row in rows.items() if state(row) == one])
    return sentences


def sparks(figures: Figures, choice: Choice) -> dict[str, Picture]:
    """A small line for each indicator, beside the country's."""
    found = {}
    for one in figures.indicators:
        name = one["indicator_id"]
        rows = series(figures, name, choice)
        country = [Line("country", "", spark_points(rows, "country"))] if choice.level != "riket" else []
        found[name] = lines(
            [*country, Line("chosen", "", spark_points(rows, "pct"))],
            [], figures.years, cuts(figures, name), [], (220, 64), 0,
        )  # fmt: skip
    return found


def spark_points(rows: Mapping[int, Row], column: str) -> list[Point]:
    """A line's points without intervals, which a small picture has no room for."""
    return [
        Point(year, None if row[column] is None else row[column] / 10, small=rests_on_few(row, column))
        for year, row in rows.items()
    ]
