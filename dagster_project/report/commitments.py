"""What the page of commitments and tips shows beside its words: the newest figures of the measures that follow them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from dagster_project.report import content, translations
from dagster_project.report.choice import TOTAL, Choice, detailed_place
from dagster_project.report.data import overview_data
from dagster_project.report.figures import COUNTRY, Figures, Place, Row
from dagster_project.report.wording import changes
from dagster_project.rounding import tenths_of_percent

# Below it the marts call a number of offences small; the mart of times does not say.
SMALL_NUMBER = 30
# A text, and whether it is a share of few offences.
Cell = tuple[str, bool]


class Followed:
    """The figures of the narrowest place that has them, and of the country beside it."""

    def __init__(self, figures: Figures, language: str, choice: Choice) -> None:
        self._figures, self._language = figures, language
        self._columns = translations.catalogue(language)["columns"]
        self.place: Place = detailed_place(figures.places[choice.place])
        self.year = choice.year
        self._areas = list(dict.fromkeys((self.place, COUNTRY)))
        self._measures = {one["indicator_id"]: one for one in figures.measures}
        self._measured = {one["indicator_id"]: one for one in (*figures.indicators, *figures.measures)}
        data = overview_data(figures, language, Choice(self.place, choice.year), figures.measures)
        self._cards = {card["id"]: card for card in content.content(data)["cards"]}

    def commitments(self) -> Iterator[dict[str, Any]]:
        """Yield what the goal names, each with the figures of what follows it."""
        for one in translations.commitments():
            measures = [id_ for id_ in one["indicators"] if id_ in self._measures]
            suspected = [id_ for id_ in one.get("suspicions", ()) if id_ in self._measured]
            yield {
                **one,
                "decided": [
                    self._measured[id_] for id_ in one["indicators"] if id_ in self._measured and id_ not in measures
                ],
                "cards": [self._cards[id_] for id_ in measures],
                "definitions": [self._definition(id_) for id_ in measures],
                "measures": self._table(measures, ("processed", "cleared", "pct", "change"), self._clearance),
                "suspicions": self._table(suspected, ("suspicions", "prosecuted"), self._suspicions),
            }

    def within_90_days(self) -> dict[str, Any]:
        """Return the table of what was decided within 90 days of the report, of all indicators and measures."""
        return self._table(list(self._measured), ("offences", "within_90", "within_90_pct"), self._within_90_days)

    def reported(self) -> list[dict[str, Any]]:
        """Return a table of the newest cohort and one of the oldest that is still followed; none without the file of reports."""
        cohorts = self._figures.cohorts
        return [
            {
                **self._table(list(self._measured), ("reported", "decided_pct", "cleared_pct"), self._cohort(year)),
                "year": year,
            }
            for year in dict.fromkeys((max(cohorts), min(cohorts)) if cohorts else ())
        ]

    def _table(
        self, ids: Sequence[str], columns: Sequence[str], cells: Callable[[str, Place], Sequence[Cell]]
    ) -> dict[str, Any]:
        return {
            "year": self.year,
            "areas": [self._figures.places[area][f"name_{self._language}"] for area in self._areas],
            "columns": [self._columns[column] for column in columns],
            "rows": [
                (
                    id_,
                    self._measured[id_][f"name_{self._language}"],
                    [cell for area in self._areas for cell in cells(id_, area)],
                )
                for id_ in ids
            ],
        }

    def _clearance(self, id_: str, area: Place) -> Sequence[Cell]:
        row = self._figures.cells[id_].get((*area, TOTAL), {}).get(self.year, {})
        return (
            self._count(row.get("processed")),
            self._count(row.get("cleared")),
            (self._tenths(row.get("pct")), bool(row.get("processed") and row["small_number"])),
            (self._tenths(row.get("change"), signed=True), False),
        )

    def _suspicions(self, id_: str, area: Place) -> Sequence[Cell]:
        row: Mapping[str, Any] = self._figures.suspicions[id_].get(area, {})
        return self._count(row.get("suspicions_decided")), self._count(row.get("suspicions_prosecuted"))

    def _within_90_days(self, id_: str, area: Place) -> Sequence[Cell]:
        row = self._figures.times[id_].get(area, {}).get(self.year, {}).get("all", {})
        offences = row.get("offences")
        share = tenths_of_percent(row["decided_within_90_days"], offences) if offences else None
        return (
            self._count(offences),
            self._count(row.get("decided_within_90_days")),
            (self._tenths(share), bool(offences and offences < SMALL_NUMBER)),
        )

    def _cohort(self, year: int) -> Callable[[str, Place], Sequence[Cell]]:
        def cells(id_: str, area: Place) -> Sequence[Cell]:
            row: Mapping[str, Any] = self._figures.cohorts[year].get((id_, area), {})
            reported = row.get("reported")
            shares = [tenths_of_percent(row[what], reported) if reported else None for what in ("decided", "cleared")]
            is_small = bool(reported and reported < SMALL_NUMBER)
            return self._count(reported), *((self._tenths(share), is_small) for share in shares)

        return cells

    def _definition(self, id_: str) -> dict[str, Any]:
        row: Row = self._measures[id_]
        return {
            **{key: row[f"{key}_{self._language}"] for key in ("name", "includes", "excludes")},
            "breaks": changes(self._figures, id_, self._language),
        }

    def _count(self, value: int | None) -> Cell:
        return translations.count(value, self._language), False

    def _tenths(self, value: int | None, signed: bool = False) -> str:
        if value is None:
            return str(translations.catalogue(self._language)["not_applicable"])
        return translations.fill("{value:d}" if signed else "{value:t}", {"value": value}, self._language)
