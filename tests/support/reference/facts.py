"""Reads the reference data of the rules (codes, provisions, indicators, places, law changes) from the product's seeds."""

import csv
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path

from .provisions import Provision, parse_provision

SEEDS = Path(__file__).resolve().parents[3] / "dbt" / "seeds"
REGIONS = ("Rn01", "Rn02", "Rn03", "Rn04", "Rn05", "Rn06", "Rn07")
UNKNOWN = "okand"
TOTAL = "total"


@dataclass(frozen=True)
class Classification:
    """The classification of an offence by its code or legal provision."""

    indicator_id: str
    role: str
    part: str = ""
    victim_group: str = ""
    relation: str = ""
    place: str = ""


@dataclass(frozen=True)
class Variant:
    """A variant of an indicator: by attribute of a class, which values count or do not."""

    indicator_id: str
    variant: str
    counted: dict[str, set[str]]
    not_counted: dict[str, set[str]]

    def includes(self, offence: Classification) -> bool:
        """Return whether the variant counts an offence with this classification."""
        return (
            offence.indicator_id == self.indicator_id
            and all(getattr(offence, attribute) in values for attribute, values in self.counted.items())
            and not any(getattr(offence, attribute) in values for attribute, values in self.not_counted.items())
        )


@dataclass(frozen=True)
class Facts:
    """All reference data of the rules."""

    groups: dict[str, tuple[str, ...]]  # indicator -> the victim groups it can have, total and okand among them
    variants: tuple[Variant, ...]
    decided: frozenset[str]  # the indicators that are no supporting measures
    codes: dict[str, Classification]
    measures: dict[str, tuple[Classification, ...]]  # code -> how each measure that counts it does
    provisions: dict[Provision, Classification]
    county_of: dict[str, str]  # municipality -> county
    region_of: dict[str, str]  # county -> police region
    breaks: frozenset[tuple[str, date]]  # (indicator or "all", in force) of every law change that breaks a series
    worked_off_until: dict[str, int]  # indicator -> the last year in which old codes were worked off

    def series_break(self, indicator_id: str, year: int) -> bool:
        """Whether a break of this indicator (or of all) came into force this year."""
        return any(who in (indicator_id, "all") and day.year == year for who, day in self.breaks)

    def mixed_year(self, indicator_id: str, year: int) -> bool:
        """Whether one of this year's breaks came after 1 January, so that the year holds both sides of it."""
        return any(
            who in (indicator_id, "all") and day.year == year and day > date(year, 1, 1) for who, day in self.breaks
        )

    def comparable_with_year_before(self, indicator_id: str, year: int) -> bool:
        """Return whether no break, mixed previous year or old codes separate the two years."""
        return not (
            self.series_break(indicator_id, year)
            or self.mixed_year(indicator_id, year - 1)
            or self.worked_off_until.get(indicator_id) == year - 1
        )


@cache
def facts() -> Facts:
    """Read the seeds once."""
    indicators = _seed("indicator")
    codes = {
        row["brottskod"]: Classification(
            indicator_id=row["indicator_id"],
            role=row["role"],
            part=row["part"],
            victim_group=row["victim_group"],
            relation=row["relation"],
            place=row["place"],
        )
        for row in _seed("offence_code")
    }
    measures: dict[str, tuple[Classification, ...]] = defaultdict(tuple)
    for row in _seed("measure_code"):
        code = codes[row["brottskod"]]
        measures[row["brottskod"]] += (replace(code, indicator_id=row["indicator_id"], role="core"),)
    possible = [(row["indicator_id"], row["victim_group"]) for row in _seed("indicator_victim_group")]
    return Facts(
        groups={
            row["indicator_id"]: (
                TOTAL,
                *(group for indicator, group in possible if indicator == row["indicator_id"]),
                UNKNOWN,
            )
            for row in indicators
        },
        variants=tuple(
            Variant(
                indicator_id=row["indicator_id"],
                variant=row["variant"],
                counted=_conditions(row, counts="true"),
                not_counted=_conditions(row, counts="false"),
            )
            for row in _seed("indicator_variant")
        ),
        decided=frozenset(row["indicator_id"] for row in indicators if row["kind"] == "decided"),
        codes=codes,
        measures=dict(measures),
        provisions={
            _provision(row["provision"]): Classification(row["indicator_id"], role="core", part=row["part"])
            for row in _seed("legal_provision")
        },
        county_of={row["municipality_code"]: row["county_code"] for row in _seed("municipality")},
        region_of={row["county_code"]: row["region_code"] for row in _seed("county")},
        breaks=frozenset(
            (row["indicator_id"], date.fromisoformat(row["in_force"]))
            for row in _seed("law_change")
            if row["series_break"] == "yes"
        ),
        worked_off_until={
            row["indicator_id"]: int(row["worked_off_until"]) for row in indicators if row["worked_off_until"]
        },
    )


def _seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _conditions(variant: dict[str, str], counts: str) -> dict[str, set[str]]:
    values: dict[str, set[str]] = defaultdict(set)
    for row in _seed("variant_condition"):
        same = all(row[key] == variant[key] for key in ("indicator_id", "variant"))
        if same and row["counts"] == counts:
            values[row["attribute"]].add(row["value"])
    return dict(values)


def _provision(text: str) -> Provision:
    provision = parse_provision(text)
    assert provision is not None, f"the seed legal_provision.csv holds something else: {text}"
    return provision
