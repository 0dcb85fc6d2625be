"""What the pages carry for their script: figures of all that can be chosen, with the messages that the rules chose for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dagster_project.report import translations
from dagster_project.report.figures import COUNTRY, Figures, Row
from dagster_project.report.overview import state
from dagster_project.report.page_tables import (
    DAYS,
    KINDS,
    OUTCOMES,
    STAGES,
    TIME_OUTCOMES,
    TOTAL,
    Choice,
    cuts,
    note,
    stage_shares,
)
from dagster_project.report.pictures import lettered_breaks
from dagster_project.report.sentences import messages, verdict
from dagster_project.rounding import tenths_of_percent

# A figure with a share is carried as these, then its `_code`, then the number of its note and messages. The script works out
# shares from the counts, and differences from the rounded shares and from what rounding made of them: pages stay small.
FIELDS = (*OUTCOMES, "low", "high", "change")
DIFFERENCES = (("since", "first_pct"), ("to_country", "country"), ("to_region_median", "region_median"),
               ("to_county_median", "county_median"))  # fmt: skip
# What the script says, of the catalogue.
_SAID = (
    "messages", "columns", "notes", "stages", "outcomes", "time_outcomes", "series", "place_kinds", "spread",
    "withheld_short", "none_short", "gap_withheld", "gap_none", "said_yes", "said_no", "not_applicable", "not_published", "days", "copied",
    "formula_text", "formula_none", "formula_prosecution", "formula_prosecution_none",
)  # fmt: skip


def indicator_data(
    figures: Figures, indicator: str, language: str, choice: Choice, words: Mapping[str, str]
) -> dict[str, Any]:
    """What the script of an indicator's page needs to show another choice."""
    said = _Numbered()
    cells = {
        "/".join(key): [_cell(row, said) for row in rows.values()]
        for key, rows in figures.cells[indicator].items()
        if (key[0], key[1]) in figures.places
    }
    groups = figures.groups_of(indicator)
    catalogue = translations.catalogue(language)
    return {
        **_frame(figures, language, choice, [TOTAL, *(group for group in groups if group != TOTAL)]),
        "page": indicator,
        "places": _places(figures, language, ("riket", "polisregion", "lan", "kommun")),
        "fields": FIELDS,
        "cells": cells,
        "said": said.known,
        "common": {group: _common(figures, indicator, group) for group in groups},
        "cuts": cuts(figures, indicator),
        "breaks": [[one.year, int(one.mixed), one.letter] for one in lettered_breaks(figures, indicator)],
        "first": next(iter(figures.cells[indicator][(*COUNTRY, TOTAL)].values()))["first_year"]
        or next(one["first_comparable_year"] for one in figures.indicators if one["indicator_id"] == indicator),
        "stages": STAGES,
        "flow": {
            "/".join(place): [_flow(of.get(year)) for year in figures.years]
            for place, of in figures.flow[indicator].items()
            if place in figures.places
        },
        "times": {
            "/".join(place): [_times(of.get(year, {})) for year in figures.years]
            for place, of in figures.times[indicator].items()
            if place in figures.places
        },
        "words": {
            **{key: catalogue[key] for key in _SAID},
            "trend_note": catalogue["chart_notes"]["trend"],
            "group": {group: words[f"group.{group}"] for group in groups},
        },
        "kinds": KINDS,
    }


def overview_data(figures: Figures, language: str, choice: Choice, words: Mapping[str, str]) -> dict[str, Any]:
    """What the script of the first screen needs to show another area or year."""
    catalogue = translations.catalogue(language)
    return {
        **_frame(figures, language, choice, [TOTAL]),
        "page": "",
        "places": _places(figures, language, ("riket", "polisregion", "lan")),
        "indicators": {
            one["indicator_id"]: {
                "name": one[f"name_{language}"],
                "cuts": cuts(figures, one["indicator_id"]),
                "first": figures.cells[one["indicator_id"]][(*COUNTRY, TOTAL)][figures.years[0]]["first_year"],
                "common": _common(figures, one["indicator_id"], TOTAL),
                "cells": {
                    f"{level}/{code}": [
                        [state(row), verdict(row)]
                        if row["pct"] is None
                        else [
                            state(row),
                            verdict(row),
                            *(row[name] for name in ("processed", "cleared", "pct", "change", "since")),
                        ]
                        for row in rows.values()
                    ]
                    for (level, code, group), rows in figures.cells[one["indicator_id"]].items()
                    if group == TOTAL and level != "kommun" and (level, code) in figures.places
                },
            }
            for one in figures.indicators
        },
        "words": {key: catalogue[key] for key in ("card", "summaries", "verdicts")},
    }


class _Numbered:
    """Texts that occur many times, each told once."""

    def __init__(self) -> None:
        self.known: list[Any] = []
        self._numbers: dict[Any, int] = {}

    def number(self, one: Any) -> int:
        if one not in self._numbers:
            self._numbers[one] = len(self.known)
            self.known.append(one)
        return self._numbers[one]


def _cell(row: Row, said: _Numbered) -> list[Any]:
    number = said.number((note(row), messages(row)))
    if row["suppression"]:
        return ["s", number]
    if not row["processed"]:
        return [0, number]
    return [*(row[name] for name in FIELDS), _code(row), number]


def _code(row: Row) -> int:
    """One number, of digits to the base 3, for whether the change is significant and how each difference was rounded."""
    ended = row["investigated"] - row["limited_investigated"]
    computed = tuple(tenths_of_percent(row["cleared"], whole) if whole else None for whole in (row["processed"], ended))
    if computed != (row["pct"], row["prosecution"]):
        raise ValueError(f"the shares are not those of the counts: {row}")
    digits = [2 if row["significant"] is None else int(row["significant"])]
    for difference, other in DIFFERENCES:
        shift = 0 if row[difference] is None else row[difference] - (row["pct"] - row[other])
        if shift not in (-1, 0, 1):
            raise ValueError(f"{difference} is not the difference of its parts: {row}")
        digits.append(shift + 1)
    return sum(digit * 3**place for place, digit in enumerate(digits))


def _flow(stages: Mapping[str, Row] | None) -> list[Any] | None:
    """Offences, and their share of the stage before in tenths, by stage; None where withheld or nothing was processed."""
    return [list(stage) for stage in stage_shares(stages)] or None if stages else None


def _times(outcomes: Mapping[str, Row]) -> list[list[Any] | None]:
    """Offences and days by outcome; None where withheld or nothing had that outcome."""
    return [
        [row["offences"], *(row[name] for name in DAYS)]
        if (row := outcomes.get(one)) and row["offences"] is not None
        else None
        for one in (*TIME_OUTCOMES, "all")
    ]


def _common(figures: Figures, indicator: str, group: str) -> list[list[int | None]]:
    """By year: the country, the medians, and the range of the regions and of the counties."""
    country = figures.cells[indicator][(*COUNTRY, group)]
    median = next(
        (
            rows
            for (level, code, of), rows in figures.cells[indicator].items()
            if level == "lan" and of == group and (level, code) in figures.places
        ),
        {},
    )
    found = []
    for year, row in country.items():
        ranges = [figures.ranges[indicator].get((level, group, year), {}) for level in ("polisregion", "lan")]
        found.append(
            [
                row["country"],
                row["region_median"],
                median[year]["county_median"] if year in median else None,
                *(one.get(edge) for one in ranges for edge in ("lowest", "highest")),
            ]
        )
    return found


def _frame(figures: Figures, language: str, choice: Choice, groups: Sequence[str]) -> dict[str, Any]:
    catalogue = translations.catalogue(language)
    return {
        "language": language,
        "years": figures.years,
        "groups": groups,
        "choice": ["/".join(choice.place), choice.year, choice.group],
        "levels": catalogue["level_names"],
        "write": {key: catalogue[key] for key in ("decimal", "thousands", "minus", "percent")},
    }


def _places(figures: Figures, language: str, levels: Sequence[str]) -> list[list[str]]:
    return [
        [f"{level}/{code}", row[f"name_{language}"]] for (level, code), row in figures.places.items() if level in levels
    ]
