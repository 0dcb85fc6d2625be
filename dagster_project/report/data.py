"""The data embedded in the pages for content.js: the figures of every choice, with their messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from dagster_project.report import translations
from dagster_project.report.choice import TOTAL, Choice, break_letters, cuts, detailed_place
from dagster_project.report.figures import COUNTRY, Figures, Row
from dagster_project.report.sentences import UNKNOWN, messages, state, verdict
from dagster_project.report.wording import changes
from dagster_project.rounding import tenths_of_percent

STAGES = ("processed", "investigated", "with_suspect", "at_prosecutor", "cleared")
OUTCOMES = (
    "cleared_indictment", "cleared_penalty_order", "cleared_waiver",
    "limited_investigated", "other_investigated", "limited_dismissed", "other_dismissed",
)  # fmt: skip
TIME_OUTCOMES = ("cleared", "not_cleared", "all")
DAYS = ("days_p25", "days_median", "days_p75", "days_p90")
# A figure with a share is stored as the fields of its level, its `_code` and the index of its note and messages. To keep pages
# small, the script computes sums and shares from counts, and differences from rounded shares and their rounding shifts.
_SHARES = ("low", "high", "change")
FIELDS = (*OUTCOMES, *_SHARES)
# Of counties and municipalities.
FEWER_FIELDS = ("processed", "cleared", *_SHARES)
DIFFERENCES = (("since", "first_pct"), ("to_country", "country"), ("to_region_median", "region_median"),
               ("to_county_median", "county_median"))  # fmt: skip
# Keys of the catalogue that the script uses.
_SCRIPT_TEXTS = (
    "messages", "columns", "notes", "stages", "outcomes", "time_outcomes", "series", "place_kinds", "spread",
    "withheld_short", "none_short", "gap_withheld", "gap_none", "said_yes", "said_no", "not_applicable", "not_published", "days", "copied",
    "charts", "chart_notes", "summaries", "every", "breaks",
    "of_region", "formula_text", "formula_none", "formula_prosecution", "formula_prosecution_none",
)  # fmt: skip


def indicator_data(
    figures: Figures, indicator: str, language: str, choice: Choice, words: Mapping[str, str]
) -> dict[str, Any]:
    """Return the data of an indicator's page."""
    notes = _Index()
    cells = {
        "/".join(key): [_cell(row, notes) for row in rows.values()]
        for key, rows in figures.cells[indicator].items()
        if (key[0], key[1]) in figures.places
    }
    groups = figures.groups_of(indicator)
    catalogue = translations.catalogue(language)
    return {
        **_frame(figures, language, choice, [TOTAL, *(group for group in groups if group != TOTAL)]),
        "page": indicator,
        "places": _places(figures, language, ("riket", "polisregion", "lan", "kommun")),
        "fields": [FIELDS, FEWER_FIELDS],
        "cells": cells,
        "messages": notes.known,
        "common": {group: _common(figures, indicator, group) for group in groups},
        "cuts": cuts(figures, indicator),
        "changed": changes(figures, indicator, language),
        "breaks": [
            [row["year"], int(row["mixed_year"]), letter]
            for row, letter in zip(figures.breaks[indicator], break_letters(figures, indicator), strict=True)
        ],
        "first": next(iter(figures.cells[indicator][(*COUNTRY, TOTAL)].values()))["first_year"]
        or next(row["first_comparable_year"] for row in figures.indicators if row["indicator_id"] == indicator),
        "stages": STAGES,
        "flow": {
            "/".join(place): [_flow(by_year.get(year)) for year in figures.years]
            for place, by_year in figures.flow[indicator].items()
            if place in figures.places
        },
        "times": {
            "/".join(place): [_times(by_year.get(year, {})) for year in figures.years]
            for place, by_year in figures.times[indicator].items()
            if place in figures.places
        },
        "readings": [
            [words[f"variant.{row['variant']}"], row["processed"], row["cleared"], row["pct"]]
            for row in figures.readings[indicator]
        ],
        "words": {
            **{key: catalogue[key] for key in _SCRIPT_TEXTS},
            "group": {group: words[f"group.{group}"] for group in groups},
        },
    }


def overview_data(figures: Figures, language: str, choice: Choice, indicators: Sequence[Row]) -> dict[str, Any]:
    """Return the data of cards, one for each of some indicators or measures."""
    catalogue = translations.catalogue(language)
    return {
        **_frame(figures, language, choice, [TOTAL]),
        "page": "",
        "places": _places(figures, language, ("riket", "polisregion", "lan")),
        "indicators": {
            indicator["indicator_id"]: {
                "name": indicator[f"name_{language}"],
                "cuts": cuts(figures, indicator["indicator_id"]),
                "first": next(iter(figures.cells[indicator["indicator_id"]][(*COUNTRY, TOTAL)].values()))["first_year"],
                "common": _common(figures, indicator["indicator_id"], TOTAL),
                "cells": {
                    f"{level}/{code}": [_brief(rows.get(year)) for year in figures.years]
                    for (level, code, group), rows in figures.cells[indicator["indicator_id"]].items()
                    if group == TOTAL and level != "kommun" and (level, code) in figures.places
                },
            }
            for indicator in indicators
        },
        "words": {key: catalogue[key] for key in ("card", "summaries", "verdicts")},
    }


class _Index:
    """Values that occur many times, each stored once."""

    def __init__(self) -> None:
        self.known: list[Any] = []
        self._numbers: dict[Any, int] = {}

    def number(self, value: Any) -> int:
        if value not in self._numbers:
            self._numbers[value] = len(self.known)
            self.known.append(value)
        return self._numbers[value]


def _brief(row: Row | None) -> list[Any]:
    """State, verdict and the figures of a card; a purged year may be older than a measure and lack it."""
    if row is None:
        return ["none", UNKNOWN]
    known = () if row["pct"] is None else ("processed", "cleared", "pct", "change", "since")
    return [state(row), verdict(row), *(row[name] for name in known)]


def _cell(row: Row, notes: _Index) -> list[Any]:
    number = notes.number((_note(row), messages(row)))
    if row["suppression"]:
        return ["s", number]
    if not row["processed"]:
        return [0, number]
    fields = FEWER_FIELDS if row["investigated"] is None else FIELDS
    return [*(row[name] for name in fields), _code(row), number]


def _code(row: Row) -> int:
    """Encode significance and the rounding shift of each difference as the digits of a number in base 3."""
    ended = 0 if row["investigated"] is None else row["investigated"] - row["limited_investigated"]
    computed = tuple(tenths_of_percent(row["cleared"], total) if total else None for total in (row["processed"], ended))
    if computed != (row["pct"], row["prosecution"]):
        raise ValueError(f"the shares are not those of the counts: {row}")
    digits = [2 if row["significant"] is None else int(row["significant"])]
    for difference, compared in DIFFERENCES:
        shift = 0 if row[difference] is None else row[difference] - (row["pct"] - row[compared])
        if shift not in (-1, 0, 1):
            raise ValueError(f"{difference} is not the difference of its parts: {row}")
        digits.append(shift + 1)
    return sum(digit * 3**place for place, digit in enumerate(digits))


def _note(row: Row) -> str:
    """Return the keys of the notes on a figure."""
    keys = []
    if row["suppression"]:
        keys.append(row["suppression"])
    elif row["processed"] == 0:
        keys.append("none")
    elif row["small_number"]:
        keys.append("small")
    if row["series_break"]:
        keys.append("mixed" if row["mixed_year"] else "break")
    return " ".join(f"notes.{key}" for key in keys)


def _flow(stages: Mapping[str, Row] | None) -> list[list[int | None]] | None:
    """Offences and their share of the previous stage in tenths, by stage; None if withheld or nothing was processed."""
    offences = [stages[stage]["offences"] for stage in STAGES if stage in stages] if stages else []
    if not offences or offences[0] is None:
        return None
    shares = [tenths_of_percent(current, before) if before else None for before, current in pairwise(offences)]
    return [list(stage) for stage in zip(offences, [None, *shares], strict=True)]


def _times(outcomes: Mapping[str, Row]) -> list[list[Any] | None]:
    """Offences and days by outcome; None if withheld or without offences."""
    return [
        [row["offences"], *(row[name] for name in DAYS)]
        if (row := outcomes.get(outcome)) and row["offences"] is not None
        else None
        for outcome in TIME_OUTCOMES
    ]


def _common(figures: Figures, indicator: str, group: str) -> list[list[int | None]]:
    """Country, medians, and ranges of police regions and counties, by year."""
    country = figures.cells[indicator][(*COUNTRY, group)]
    median = next(
        (
            rows
            for (level, code, victim_group), rows in figures.cells[indicator].items()
            if level == "lan" and victim_group == group and (level, code) in figures.places
        ),
        {},
    )
    common = []
    for year in figures.years:
        row = country.get(year, {})
        ranges = [figures.ranges[indicator].get((level, group, year), {}) for level in ("polisregion", "lan")]
        common.append(
            [
                row.get("country"),
                row.get("region_median"),
                median[year]["county_median"] if year in median else None,
                *(range_.get(edge) for range_ in ranges for edge in ("lowest", "highest")),
            ]
        )
    return common


def _frame(figures: Figures, language: str, choice: Choice, groups: Sequence[str]) -> dict[str, Any]:
    catalogue = translations.catalogue(language)
    return {
        "language": language,
        "years": figures.years,
        "groups": groups,
        "choice": {"place": "/".join(choice.place), "year": choice.year, "group": choice.group},
        "levels": catalogue["level_names"],
        "write": {key: catalogue[key] for key in ("decimal", "thousands", "minus", "percent")},
    }


def _places(figures: Figures, language: str, levels: Sequence[str]) -> list[list[str]]:
    """Ids and names, and of a county or municipality the id of the place whose detailed figures are shown."""
    return [
        ["/".join(place), row[f"name_{language}"], *(["/".join(wide)] if wide != place else [])]
        for place, row in figures.places.items()
        if place[0] in levels
        for wide in [detailed_place(row)]
    ]
