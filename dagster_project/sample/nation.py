"""National figures at scale 1: offences by outcome for every year, kind of offence and police region."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from dagster_project.sample import assumptions
from dagster_project.sample.arithmetic import (
    OUTCOMES,
    Vector,
    chance,
    complete,
    interpolate,
    measured,
    resolve,
    split,
    total,
)
from dagster_project.sample.offence_kinds import CONTEXT, Kind, Kinds
from dagster_project.sample.reference import TOTAL, UNKNOWN_GROUP, Official, Reference

COUNTRY, NOWHERE = "SE", ""
Figures = dict[str, Vector]
# By kind and region
Offences = dict[tuple[int, str], Vector]


class Nation:
    """Official figures where they exist, and figures between and around them elsewhere.

    Official rows are matched exactly: the regions' own first, then the rest of the country, split over the other regions. A kind of
    offence without an official row in a year lies between the years that have one.
    """

    def __init__(self, reference: Reference, kinds: Kinds) -> None:
        self.regions = (*reference.regions, NOWHERE)
        self._reference = reference
        self._kinds = {
            indicator_id: [kind for kind in kinds.all if kind.indicator_id == indicator_id]
            for indicator_id in reference.indicators
        }
        self._context = [kind for kind in kinds.all if kind.role == CONTEXT]
        self._population = _population(reference)
        rows: dict[tuple[str, int], dict[str, list[Official]]] = defaultdict(lambda: defaultdict(list))
        for row in reference.official:
            if "processed" in row.measures:
                rows[row.indicator_id, row.year][row.geography].append(row)
        self._official = {key: self._resolved(*key, found) for key, found in rows.items()}
        self._levels = self._official_levels()
        self.year = cache(self._year)

    def _year(self, year: int) -> list[tuple[Kind, Figures]]:
        """Every kind with its outcomes by region; whole numbers where official figures apply."""
        counted = [
            (kind, {region: self._offences(kind, region, year) for region in self.regions})
            for kinds in self._kinds.values()
            for kind in kinds
        ]
        return counted + list(self._context_figures(year, counted))

    def _offences(self, kind: Kind, region: str, year: int) -> Vector:
        official = self._official.get((kind.indicator_id, year), {}).get((kind.number, region))
        if official is not None:
            return official
        levels = self._levels.get((kind.number, region)) or {year: self._assumed(kind, region, year)}
        growth = assumptions.GROWTH.get(kind.indicator_id, assumptions.OTHER_GROWTH)
        return [kind.in_use(year) * level for level in interpolate(levels, year, growth)]

    def _assumed(self, kind: Kind, region: str, year: int) -> Vector:
        """The level of a kind that no official row ever covers."""
        offences = complete({"processed": assumptions.UNKNOWN_INDICATOR_OFFENCES}, kind.indicator_id, year)
        weights = enumerate(self._weights(kind.indicator_id, region))
        return [kind.share * weight * offences[outcome] for outcome, weight in weights]

    def _resolved(self, indicator_id: str, year: int, rows: Mapping[str, Sequence[Official]]) -> Offences:
        """The offences by kind and region that the official rows of a year determine."""
        found: Offences = {}
        weights = {kind.number: (kind.weight(year), kind.group == UNKNOWN_GROUP) for kind in self._kinds[indicator_id]}
        for geography in sorted(rows, key=lambda code: (code == COUNTRY, code)):
            constraints = []
            for row in rows[geography]:
                numbers = self._numbers(row)
                # the part of the country's figures that the regions' own figures do not explain
                known = total(
                    vector for (number, _), vector in found.items() if number in numbers and geography == COUNTRY
                )
                left = {measure: count - int(measured(known, measure)) for measure, count in row.measures.items()}
                constraints.append((numbers, left))
            tag = f"{geography} {year} {indicator_id}"
            for number, vector in resolve(constraints, weights, indicator_id, year, tag).items():
                if geography != COUNTRY:
                    found[number, geography] = vector
                    continue
                others = [region for region in self.regions if (number, region) not in found]
                found |= {(number, region): [] for region in others}
                shares = zip(*(self._weights(indicator_id, region) for region in others), strict=True)
                for outcome, (count, weighted) in enumerate(zip(vector, shares, strict=True)):
                    parts = split(int(count), weighted, f"{year}/{number}/{outcome}")
                    for region, part in zip(others, parts, strict=True):
                        found[number, region].append(part)
        return found

    def _official_levels(self) -> dict[tuple[int, str], dict[int, Vector]]:
        """Official offences by kind, region and year, scaled up as if the kind's codes had long been in use."""
        levels: dict[tuple[int, str], dict[int, Vector]] = defaultdict(dict)
        for (indicator_id, year), offences in self._official.items():
            for kind in self._kinds[indicator_id]:
                for region in self.regions if kind.in_use(year) else ():
                    if (kind.number, region) in offences:
                        vector = offences[kind.number, region]
                        levels[kind.number, region][year] = [count / kind.in_use(year) for count in vector]
        return levels

    def _weights(self, indicator_id: str, region: str) -> Vector:
        """A region's approximate share of the country's offences, by outcome."""
        if region == NOWHERE:
            return [assumptions.UNKNOWN_REGION_SHARE] * len(OUTCOMES)
        return [
            self._population[region]
            * (1 + assumptions.REGION_SPREAD["volume"] * _deviation("volume", indicator_id, region))
            * (1 + assumptions.REGION_SPREAD.get(measure, 0.0) * _deviation(measure, indicator_id, region))
            for measure in ("cleared", "cleared", "cleared", "", "", "dismissed", "dismissed")
        ]

    def _context_figures(self, year: int, counted: Sequence[tuple[Kind, Figures]]) -> Iterator[tuple[Kind, Figures]]:
        """Offences of the codes with role context, which no indicator counts: assaults outside close relations, and those of measures."""
        growth = assumptions.CONTEXT_GROWTH ** (year - assumptions.WOMEN_YEAR)
        close = total(
            vector
            for kind, figures in counted
            if kind.indicator_id == assumptions.ASSAULT_INDICATOR and kind.group == assumptions.WOMEN
            for vector in figures.values()
        )
        for kind in self._context:
            if kind.group == assumptions.WOMEN:
                left = 1 - sum(close) / (growth * sum(assumptions.WOMEN_ASSAULTS))
                country = [
                    max(assumptions.CONTEXT_LEAST * left * growth * assaults, growth * assaults - in_close_relations)
                    for assaults, in_close_relations in zip(assumptions.WOMEN_ASSAULTS, close, strict=True)
                ]
            else:
                of_group = assumptions.CONTEXT.get(kind.group, assumptions.OTHER_CONTEXT)
                processed, cleared, limited, dismissed = assumptions.MEASURES.get(kind.part, of_group)
                measures = {
                    "processed": processed,
                    "cleared": int(processed * cleared),
                    "limited_investigated": int(processed * limited),
                    "dismissed": int(processed * dismissed),
                }
                whole = growth * kind.weight(year) if kind.part else growth
                country = [whole * count for count in complete(measures, CONTEXT, year)]
            yield (
                kind,
                {
                    region: [
                        count * weight for count, weight in zip(country, self._weights(CONTEXT, region), strict=True)
                    ]
                    for region in self.regions
                },
            )

    def _numbers(self, row: Official) -> frozenset[int]:
        kinds = self._kinds[row.indicator_id]
        return frozenset(kind.number for kind in kinds if self._counts(kind, row.variant, row.group))

    def _counts(self, kind: Kind, variant: str, group: str) -> bool:
        counting = self._reference.variants[kind.indicator_id, variant]
        return group in (TOTAL, kind.group) and counting.counts(kind.role, kind.part, kind.relation, kind.place)


def county_weights(reference: Reference) -> dict[str, int]:
    """The weight of every county, proportional to its inhabitants."""
    return {
        county: assumptions.COUNTY_WEIGHT.get(county, assumptions.OTHER_COUNTY_WEIGHT)
        for county in reference.county_region
    }


def _population(reference: Reference) -> dict[str, float]:
    weights = county_weights(reference)
    return {
        region: sum(weight for county, weight in weights.items() if reference.county_region[county] == region)
        / sum(weights.values())
        for region in reference.regions
    }


def _deviation(*names: object) -> float:
    return 2 * chance(*names) - 1
