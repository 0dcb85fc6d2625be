"""The data embedded in the pages for content.js: the figures of every choice, with their messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from dagster_project.report import translations
from dagster_project.report.choice import TOTAL, Choice, break_letters, cuts, detailed_place
from dagster_project.report.figures import COUNTRY, Figures, Place, Row
from dagster_project.report.sentences import brief_messages, messages, verdict
from dagster_project.report.wording import changes
from dagster_project.rounding import tenths_of_percent
from dagster_project.transformation.dbt_project import variable

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
# Keys of the catalogue that the script uses: on every page, on the page of an indicator, and on those of several.
_TEXTS = (
    "charts", "series", "breaks", "gap_withheld", "gap_none", "not_applicable", "card", "and", "country_is_a_word",
)  # fmt: skip
_INDICATOR_TEXTS = (
    "messages", "columns", "notes", "stages", "outcomes", "time_outcomes", "place_kinds", "spread",
    "withheld_short", "none_short", "said_yes", "said_no", "not_published", "not_published_group", "days", "copied",
    "chart_notes", "summaries", "every",
    "of_region", "formula_text", "formula_none", "formula_prosecution", "formula_prosecution_none",
)  # fmt: skip
_OVERVIEW_TEXTS = ("brief", "of_county", "headline", "headline_none", "summaries", "verdicts")
_COMMITMENTS_TEXTS = ("columns", "verdicts", "commitments_page")


def indicator_data(
    figures: Figures, indicator: str, language: str, choice: Choice, words: Mapping[str, str]
) -> dict[str, Any]:
    """Return the data of an indicator's page."""
    groups = figures.groups_of(indicator)
    data = _frame(figures, language, choice, "indicator", _INDICATOR_TEXTS)
    notes = _Index()
    return {
        **data,
        **_measure(figures, indicator, language, groups, notes),
        "messages": notes.known,
        "page": indicator,
        "places": _places(figures, language),
        "groups": [TOTAL, *(group for group in groups if group != TOTAL)],
        "stages": STAGES,
        "flow": _by_place(figures, figures.flow[indicator], _flow),
        "times": _by_place(figures, figures.times[indicator], _times),
        "readings": [
            [words[f"variant.{row['variant']}"], row["processed"], row["cleared"], row["pct"]]
            for row in figures.readings[indicator]
        ],
        "words": {**data["words"], "group": {group: words[f"group.{group}"] for group in groups}},
    }


def overview_data(figures: Figures, language: str, choice: Choice) -> dict[str, Any]:
    """Return the data of the first screen, which shows the county of a municipality."""
    return {
        **_frame(figures, language, choice, "overview", _OVERVIEW_TEXTS),
        "places": _places(figures, language, _county),
        **_measures(figures, language, figures.indicators, ("riket", "polisregion", "lan")),
    }


def commitments_data(
    figures: Figures, language: str, choice: Choice, followed: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the data of the page about commitments: `followed` are those of `followed_commitments`."""
    measured = {one["indicator_id"]: one[f"name_{language}"] for one in (*figures.indicators, *figures.measures)}
    return {
        **_frame(figures, language, choice, "commitments", _COMMITMENTS_TEXTS),
        "places": _places(figures, language),
        **_measures(figures, language, figures.measures, ("riket", "polisregion")),
        "names": measured,
        "followed": [{key: one[key] for key in ("what", "measures", "suspicions")} for one in followed],
        "suspicions": {
            id_: _by_place(figures, figures.suspicions[id_], _suspicions)
            for one in followed
            for id_ in one["suspicions"]
        },
        "soon": {id_: _by_place(figures, figures.times[id_], _soon) for id_ in measured},
        "cohorts": _cohorts(figures),
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


def _measures(figures: Figures, language: str, measured: Sequence[Row], levels: Sequence[str]) -> dict[str, Any]:
    notes = _Index()
    return {
        "indicators": {
            one["indicator_id"]: {
                "number": one["indicator_number"],
                "name": one[f"name_{language}"],
                **_measure(figures, one["indicator_id"], language, [TOTAL], notes, levels),
            }
            for one in measured
        },
        "messages": notes.known,
    }


def _measure(
    figures: Figures, indicator: str, language: str, groups: Sequence[str], notes: _Index, brief: Sequence[str] = ()
) -> dict[str, Any]:
    """The figures of an indicator or measure with all data of their sentences and charts; `brief`, if given, limits the levels."""
    return {
        "cells": {
            "/".join(key): [_cell(rows.get(year), notes, bool(brief)) for year in figures.years]
            for key, rows in figures.cells[indicator].items()
            if key[:2] in figures.places and key[2] in groups and (not brief or key[0] in brief)
        },
        "common": {group: _common(figures, indicator, group) for group in groups},
        "cuts": cuts(figures, indicator),
        "changed": {} if brief else changes(figures, indicator, language),
        "breaks": [
            [row["year"], int(row["mixed_year"]), letter]
            for row, letter in zip(figures.breaks[indicator], break_letters(figures, indicator), strict=True)
        ],
        "first": next(iter(figures.cells[indicator][(*COUNTRY, TOTAL)].values()))["first_year"]
        or next(
            row["first_comparable_year"]
            for row in (*figures.indicators, *figures.measures)
            if row["indicator_id"] == indicator
        ),
    }


def _by_place(
    figures: Figures, by_place: Mapping[Place, Mapping[int, Any]], encode: Callable[[Any], Any]
) -> dict[str, list[Any]]:
    return {
        "/".join(place): [encode(by_year.get(year, {})) for year in figures.years]
        for place, by_year in by_place.items()
        if place in figures.places
    }


def _cell(row: Row | None, notes: _Index, brief: bool) -> list[Any] | None:
    # A purged year may be older than a measure and lack it.
    if row is None:
        return None
    number = notes.number((_note(row), verdict(row), (brief_messages if brief else messages)(row)))
    if row["suppression"]:
        return ["s", number]
    if not row["processed"]:
        return [0, number]
    fields = FEWER_FIELDS if brief or row["investigated"] is None else FIELDS
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
    elif row["worked_off"]:
        keys.append("worked_off")
    return " ".join(f"notes.{key}" for key in keys)


def _flow(stages: Mapping[str, Row]) -> list[list[int | None]] | None:
    """Offences and their share of the previous stage in tenths, by stage; None if withheld or nothing was processed."""
    offences = [stages[stage]["offences"] for stage in STAGES if stage in stages]
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


def _soon(outcomes: Mapping[str, Row]) -> list[int | None]:
    """Offences, and those decided within 90 days."""
    row = outcomes.get("all", {})
    return [row.get("offences"), row.get("decided_within_90_days")]


def _suspicions(row: Row) -> list[int | None]:
    return [row.get("suspicions_decided"), row.get("suspicions_prosecuted")]


def _cohorts(figures: Figures) -> list[list[Any]]:
    """Year of report and counts of the newest cohort and the oldest one still followed; empty without the file of reports."""
    cohorts = figures.cohorts
    return [
        [
            year,
            {
                "/".join((id_, *place)): [row["reported"], row["decided"], row["cleared"]]
                for (id_, place), row in cohorts[year].items()
            },
        ]
        for year in dict.fromkeys((max(cohorts), min(cohorts)) if cohorts else ())
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


def _frame(figures: Figures, language: str, choice: Choice, view: str, texts: Sequence[str]) -> dict[str, Any]:
    catalogue = translations.catalogue(language)
    return {
        "view": view,
        "page": "",
        "language": language,
        "years": figures.years,
        "groups": [TOTAL],
        "choice": {"place": "/".join(choice.place), "year": choice.year, "group": choice.group},
        "levels": catalogue["level_names"],
        "fields": [FIELDS, FEWER_FIELDS],
        "small_number": variable("small_number"),
        "write": {key: catalogue[key] for key in ("decimal", "thousands", "minus", "percent")},
        "words": {key: catalogue[key] for key in (*_TEXTS, *texts)},
    }


def _county(place: Row) -> Place:
    """The county of a municipality, and the narrowest place with detailed figures of others."""
    return ("lan", place["county_code"]) if place["geography_level"] == "kommun" else detailed_place(place)


def _places(figures: Figures, language: str, wider: Callable[[Row], Place] = detailed_place) -> list[list[str]]:
    """Ids and names, and of a county or municipality the id of the wider place that is shown in its stead."""
    return [
        ["/".join(place), row[f"name_{language}"], *(["/".join(wide)] if wide != place else [])]
        for place, row in figures.places.items()
        for wide in [wider(row)]
    ]
