"""The overview page: a card for each indicator and a summary of all, for the chosen area and year."""

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

# Keys of the texts for figures that are withheld, without offences or small.
STATES = ("withheld", "none", "small")


@dataclass(frozen=True)
class Card:
    """An indicator on the overview page: figures in words and the verdict on its change (empty without a share)."""

    indicator: Row
    name: str
    state: str
    level: str
    counts: str
    verdict: str
    facts: Sequence[str]


def state(row: Row) -> str:
    """Return the state of a figure, one of `STATES`, or an empty text."""
    if row["suppression"]:
        return "withheld"
    return "none" if row["pct"] is None else "small" if row["small_number"] else ""


def cards(figures: Figures, choice: Choice, language: str) -> list[Card]:
    """Return a card for each indicator, in the strategy's order."""
    words: Mapping[str, Any] = translations.catalogue(language)
    texts = words["card"]
    cards = []
    for indicator in figures.indicators:
        row = series(figures, indicator["indicator_id"], choice)[choice.year]
        values = {**row, "previous": choice.year - 1, "first": row["first_year"]}

        def fact(key: str, column: str, row: Row = row, values: Mapping[str, Any] = values) -> list[str]:
            return [] if row[column] is None else [translations.fill(texts[key], values, language)]

        shown = row["pct"] is not None
        share = (
            translations.fill(texts["level"], values, language)
            if shown
            else texts["withheld" if row["suppression"] else "none"]
        )
        counts = translations.fill(texts["counts"], values, language) if shown else ""
        # Of few offences the count says more than the share.
        level, beside = (counts, share) if state(row) == "small" else (share, counts)
        cards.append(
            Card(
                indicator,
                indicator[f"name_{language}"],
                state(row),
                level,
                beside,
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
    return cards


def summary(figures: Figures, choice: Choice, language: str) -> list[str]:
    """Return sentences about all indicators together."""
    texts = translations.catalogue(language)["summaries"]
    rows = {
        indicator["indicator_id"]: series(figures, indicator["indicator_id"], choice)[choice.year]
        for indicator in figures.indicators
    }
    names = {indicator["indicator_id"]: indicator[f"name_{language}"] for indicator in figures.indicators}
    values = {"year": choice.year, "previous": choice.year - 1}
    shown = {name: row for name, row in rows.items() if row["pct"] is not None}

    def sentence(key: str, listed: Sequence[str]) -> list[str]:
        listing = ", ".join(names[name] for name in listed)
        return [translations.fill(texts[key], {**values, "list": listing}, language)] if listed else []

    sentences = []
    if choice.year == figures.years[0]:
        sentences.append(translations.fill(texts["no_previous"], values, language))
    else:
        for kind in VERDICTS:
            sentences += sentence(kind, [name for name, row in shown.items() if verdict(row) == kind])
        verdicts = {verdict(row) for row in shown.values()}
        if verdicts & {RISE, FALL}:
            sentences.append(texts["chance"])
        elif WITHIN in verdicts:
            sentences.insert(0, translations.fill(texts["none_significant"], values, language))
    for kind in reversed(STATES):
        sentences += sentence(kind, [name for name, row in rows.items() if state(row) == kind])
    return sentences


def build_sparklines(figures: Figures, choice: Choice) -> dict[str, Picture]:
    """Build a sparkline for each indicator, with the country's for comparison."""
    sparklines = {}
    for indicator in figures.indicators:
        name = indicator["indicator_id"]
        rows = series(figures, name, choice)
        country = [Line("country", "", _points(rows, "country"))] if choice.level != "riket" else []
        sparklines[name] = lines(
            [*country, Line("chosen", "", _points(rows, "pct"))],
            [], figures.years, cuts(figures, name), [], (220, 64), 0,
        )  # fmt: skip
    return sparklines


def _points(rows: Mapping[int, Row], column: str) -> list[Point]:
    """Return the points of a line without intervals."""
    return [
        Point(year, None if row[column] is None else row[column] / 10, small=rests_on_few(row, column))
        for year, row in rows.items()
    ]
