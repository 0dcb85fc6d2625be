"""Reads the seeds for the sample: codes, provisions, variants, geography and official figures."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dagster_project.settings import SEEDS

ALWAYS, FOREVER = date(1900, 1, 1), date(2999, 12, 31)
UNKNOWN_GROUP, TOTAL = "okand", "total"


@dataclass(frozen=True)
class Code:
    """An offence code of the catalogue."""

    brottskod: str
    description: str
    lagrum: str
    indicator_id: str
    role: str
    part: str
    group: str
    ages: tuple[int, int]
    relation: str
    place: str
    stage: str
    valid_from: date
    valid_to: date


@dataclass(frozen=True)
class Provision:
    """A legal provision that belongs to exactly one indicator."""

    lagrum: str
    indicator_id: str
    part: str


@dataclass(frozen=True)
class Variant:
    """The codes that a variant of an indicator counts."""

    indicator_id: str
    name: str
    conditions: Mapping[tuple[str, bool], frozenset[str]]
    """Values by attribute of a code, and whether these or all others count."""

    def counts(self, role: str, part: str, relation: str, place: str) -> bool:
        """Whether a code with these attributes counts in this variant."""
        code = {"role": role, "part": part, "relation": relation, "place": place}
        return all((code[attribute] in values) == counts for (attribute, counts), values in self.conditions.items())

    def asks_for(self, attribute: str) -> bool:
        """Whether this variant counts only some values of an attribute."""
        return (attribute, True) in self.conditions


@dataclass(frozen=True)
class Group:
    """A victim group: sex as in the extract, and whether adult."""

    sex: str
    adult: bool


@dataclass(frozen=True)
class Official:
    """A published official figure; `measures` contains the published measures only."""

    year: int
    geography: str
    indicator_id: str
    variant: str
    group: str
    measures: dict[str, int]


@dataclass(frozen=True)
class Reference:
    """All reference facts from which the sample is generated, with the victim groups of indicators and supporting measures."""

    indicators: dict[str, tuple[str, ...]]
    measures: dict[str, tuple[str, ...]]
    measure_codes: dict[str, frozenset[str]]
    variants: dict[tuple[str, str], Variant]
    codes: tuple[Code, ...]
    provisions: tuple[Provision, ...]
    regions: tuple[str, ...]
    county_region: dict[str, str]
    municipality_county: dict[str, str]
    groups: dict[str, Group]
    official: tuple[Official, ...]


MEASURES = (
    "processed",
    "investigated",
    "dismissed",
    "cleared",
    "cleared_indictment",
    "cleared_penalty_order",
    "cleared_waiver",
    "limited_investigated",
    "limited_dismissed",
)


def read_reference(seeds: Path = SEEDS) -> Reference:
    """Read the seeds; the latest version of an official figure applies."""
    rows = sorted(_rows(seeds, "indicator"), key=lambda row: int(row["number"]))
    decided = [row["indicator_id"] for row in rows if row["kind"] == "decided"]
    measures = [row["indicator_id"] for row in rows if row["kind"] != "decided"]
    return Reference(
        indicators={indicator_id: _groups(seeds, indicator_id) for indicator_id in decided},
        measures={measure: _groups(seeds, measure) for measure in measures},
        measure_codes={
            measure: frozenset(
                row["brottskod"] for row in _rows(seeds, "measure_code") if row["indicator_id"] == measure
            )
            for measure in measures
        },
        variants={
            (row["indicator_id"], row["variant"]): Variant(
                indicator_id=row["indicator_id"],
                name=row["variant"],
                conditions=_conditions(seeds, row["indicator_id"], row["variant"]),
            )
            for row in _rows(seeds, "indicator_variant")
        },
        codes=_codes(seeds),
        provisions=tuple(
            Provision(f"{row['law']} {row['chapter']}:{row['section']}", row["indicator_id"], row["part"])
            for row in _rows(seeds, "legal_provision")
        ),
        regions=tuple(sorted(row["region_code"] for row in _rows(seeds, "police_region"))),
        county_region={row["county_code"]: row["region_code"] for row in _rows(seeds, "county")},
        municipality_county={row["municipality_code"]: row["county_code"] for row in _rows(seeds, "municipality")},
        groups={
            row["victim_group"]: Group(row["sex"], row["is_adult"].lower() == "true")
            for row in _rows(seeds, "victim_group")
            if row["sex"]
        },
        official=_official_figures(seeds, decided),
    )


def _codes(seeds: Path) -> tuple[Code, ...]:
    """The offence codes, in their order."""
    return tuple(
        Code(
            brottskod=row["brottskod"],
            description=row["description_sv"],
            lagrum=row["legal_reference"],
            indicator_id=row["indicator_id"],
            role=row["role"],
            part=row["part"],
            group=row["victim_group"],
            ages=_ages(row["victim_age"]),
            relation=row["relation"],
            place=row["place"],
            stage=row["stage"],
            valid_from=_date(row["valid_from"], ALWAYS),
            valid_to=_date(row["valid_to"], FOREVER),
        )
        for row in sorted(_rows(seeds, "offence_code"), key=lambda row: row["brottskod"])
    )


def _official_figures(seeds: Path, indicators: Collection[str]) -> tuple[Official, ...]:
    """The official figures of these indicators for the country and police regions, each in its latest version."""
    official = {
        (row["year"], row["geography_code"], row["indicator_id"], row["variant"], row["victim_group"]): Official(
            year=int(row["year"]),
            geography=row["geography_code"],
            indicator_id=row["indicator_id"],
            variant=row["variant"],
            group=row["victim_group"],
            measures={measure: int(row[measure]) for measure in MEASURES if row[measure]},
        )
        for row in sorted(_rows(seeds, "official_figure"), key=lambda row: row["source_version"])
        if row["geography_level"] in ("riket", "polisregion") and row["indicator_id"] in indicators
    }
    return tuple(official[key] for key in sorted(official))


def _rows(seeds: Path, name: str) -> Iterator[dict[str, str]]:
    with (seeds / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield {column: (value or "").strip() for column, value in row.items()}


def _groups(seeds: Path, indicator_id: str) -> tuple[str, ...]:
    possible = (row for row in _rows(seeds, "indicator_victim_group") if row["indicator_id"] == indicator_id)
    return tuple(sorted(row["victim_group"] for row in possible))


def _conditions(seeds: Path, indicator_id: str, variant: str) -> dict[tuple[str, bool], frozenset[str]]:
    conditions: dict[tuple[str, bool], frozenset[str]] = defaultdict(frozenset)
    for row in _rows(seeds, "variant_condition"):
        if (row["indicator_id"], row["variant"]) == (indicator_id, variant):
            conditions[row["attribute"], row["counts"] == "true"] |= {row["value"]}
    return dict(conditions)


def _date(text: str, empty: date) -> date:
    return date.fromisoformat(text) if text else empty


def _ages(text: str) -> tuple[int, int]:
    span = re.match(r"(\d+)\s*(?:[-–]\s*(\d+)|\+)", text)
    if span is None:
        return (0, 95)
    return (int(span[1]), int(span[2] or 95))
