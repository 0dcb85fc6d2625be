"""National figures at scale 1: offences by outcome for every year, kind of offence and police region."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from dagster_project.sample import assumptions
from dagster_project.sample.arithmetic import (
    SUM_OF,
    Constraint,
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

COUNTRY, NOWHERE, DECIDED = "SE", "", "beslutad"
Figures = dict[str, Vector]


class Nation:
    """Official figures where they exist, and plausible ones elsewhere.

    Official rows are matched exactly and split over kinds by weight. The region with the most official rows leads: its other
    years are interpolated, and the other regions follow it.
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
        rows: dict[tuple[str, int, str], list[Official]] = defaultdict(list)
        for row in reference.official:
            if "processed" in row.measures:
                rows[row.geography, row.year, row.indicator_id].append(row)
        self._country_rows = {key[1:]: found for key, found in rows.items() if key[0] == COUNTRY}
        self._resolved = {
            key: self._resolve([(self._numbers(row), row.measures) for row in found], *key)
            for key, found in rows.items()
            if key[0] != COUNTRY
        }
        named = [key[0] for key in self._resolved]
        self._lead = max(reference.regions, key=named.count)
        self._levels = self._official_levels()
        self._shares = cache(self._region_shares)
        self.year = cache(self._year)

    def _year(self, year: int) -> list[tuple[Kind, Figures]]:
        """Every kind with its outcomes by region; whole numbers where official figures apply."""
        counted = [pair for indicator_id in self._kinds for pair in self._indicator(indicator_id, year)]
        return counted + list(self._context_figures(year, counted))

    def _indicator(self, indicator_id: str, year: int) -> Iterator[tuple[Kind, Figures]]:
        official = {region: self._resolved.get((region, year, indicator_id), {}) for region in self.regions}
        rest = self._rest_of_country(indicator_id, year, official)
        shares = self._shares(indicator_id)
        for kind in self._kinds[indicator_id]:
            lead = self._expected(kind, year)
            others = [region for region in self.regions if kind.number not in official[region]]
            figures = {
                region: list(official[region][kind.number])
                if region not in others
                else self._follow(lead, region, indicator_id, shares[region] / shares[self._lead])
                for region in self.regions
            }
            for outcome, count in enumerate(rest.get(kind.number, [])):
                weights = [shares[region] * self._factor(region, indicator_id, outcome) for region in others]
                parts = split(int(count), weights, f"{year}/{kind.number}/{outcome}")
                for region, part in zip(others, parts, strict=True):
                    figures[region][outcome] = part
            yield kind, figures

    def _expected(self, kind: Kind, year: int) -> Vector:
        """The leading region's outcomes where no official row applies."""
        levels = self._levels.get((kind.indicator_id, kind.group)) or self._levels.get((kind.indicator_id, TOTAL))
        if not levels:
            levels = {year: complete({"processed": assumptions.UNKNOWN_INDICATOR_OFFENCES}, kind.indicator_id, year)}
        growth = assumptions.GROWTH.get(kind.indicator_id, assumptions.OTHER_GROWTH)
        return [kind.weight(year) * level for level in interpolate(levels, year, growth)]

    def _official_levels(self) -> dict[tuple[str, str], dict[int, Sequence[float]]]:
        """Outcomes per unit of the kinds' weight, by indicator and victim group, for each official year."""
        levels: dict[tuple[str, str], dict[int, Sequence[float]]] = defaultdict(dict)
        for (region, year, indicator_id), figures in self._resolved.items():
            if region != self._lead:
                continue
            kinds = [kind for kind in self._kinds[indicator_id] if self._counts(kind, DECIDED, TOTAL)]
            for group in [TOTAL, *sorted({kind.group for kind in kinds})]:
                members = [kind for kind in kinds if group in (TOTAL, kind.group) and kind.weight(year) > 0]
                weight = sum(kind.weight(year) for kind in members)
                if weight > assumptions.PHASED_OUT_WEIGHT and all(kind.number in figures for kind in members):
                    outcomes = total(figures[kind.number] for kind in members)
                    levels[indicator_id, group][year] = [count / weight for count in outcomes]
        return levels

    def _rest_of_country(
        self, indicator_id: str, year: int, official: Mapping[str, Mapping[int, Vector]]
    ) -> dict[int, Vector]:
        """The country's rows minus those of the regions, for the regions without rows of their own."""
        constraints = []
        for row in self._country_rows.get((year, indicator_id), []):
            numbers = self._numbers(row)
            known = total(kinds[number] for kinds in official.values() for number in numbers if number in kinds)
            left = {measure: count - int(measured(known, measure)) for measure, count in row.measures.items()}
            constraints.append((numbers, left))
        return self._resolve(constraints, COUNTRY, year, indicator_id)

    def _resolve(
        self, constraints: Sequence[Constraint], geography: str, year: int, indicator_id: str
    ) -> dict[int, Vector]:
        weights = {kind.number: (kind.weight(year), kind.group == UNKNOWN_GROUP) for kind in self._kinds[indicator_id]}
        return resolve(constraints, weights, indicator_id, year, f"{geography} {year} {indicator_id}")

    def _region_shares(self, indicator_id: str) -> dict[str, float]:
        """Each region's share of an indicator's offences: official where known, else by population."""
        ratios = []
        for (year, of_indicator), rows in self._country_rows.items():
            known = self._resolved.get((self._lead, year, indicator_id), {})
            for row in rows if of_indicator == indicator_id else []:
                numbers = self._numbers(row)
                if row.group == TOTAL and numbers <= known.keys() and row.measures["processed"]:
                    lead = sum(measured(known[number], "processed") for number in numbers)
                    ratios.append(lead / row.measures["processed"])
        spread = {
            region: share * (1 + assumptions.REGION_SPREAD["volume"] * _deviation("volume", indicator_id, region))
            for region, share in self._population.items()
            if region != self._lead
        }
        lead_share = sum(ratios) / len(ratios) if ratios else self._population[self._lead]
        left = (1 - lead_share - assumptions.UNKNOWN_REGION_SHARE) / sum(spread.values())
        return {
            **{region: left * share for region, share in spread.items()},
            self._lead: lead_share,
            NOWHERE: assumptions.UNKNOWN_REGION_SHARE,
        }

    def _factor(self, region: str, indicator_id: str, outcome: int) -> float:
        if region == self._lead or outcome in (3, 4):
            return 1.0
        measure = "cleared" if outcome in SUM_OF["cleared"] else "dismissed"
        return 1 + assumptions.REGION_SPREAD[measure] * _deviation(measure, indicator_id, region)

    def _follow(self, lead: Vector, region: str, indicator_id: str, ratio: float) -> Vector:
        """Another region's offences, derived from the leading region's by its share and its factor per outcome."""
        figures = [ratio * count * self._factor(region, indicator_id, outcome) for outcome, count in enumerate(lead)]
        rest = ratio * sum(lead) - sum(figures) + figures[4]
        return [*figures[:4], max(0.2 * ratio * lead[4], rest), *figures[5:]]

    def _context_figures(self, year: int, counted: Sequence[tuple[Kind, Figures]]) -> Iterator[tuple[Kind, Figures]]:
        """The codes of role context, which never count: assaults outside close relations and similar offences."""
        growth = assumptions.CONTEXT_GROWTH ** (year - assumptions.WOMEN_YEAR)
        close = total(
            vector
            for kind, figures in counted
            if kind.indicator_id == assumptions.ASSAULT_INDICATOR and kind.group == assumptions.WOMEN
            for vector in figures.values()
        )
        shares = self._shares(CONTEXT)
        for kind in self._context:
            if kind.group == assumptions.WOMEN:
                left = 1 - sum(close) / (growth * sum(assumptions.WOMEN_ASSAULTS))
                country = [
                    max(assumptions.CONTEXT_LEAST * left * growth * assaults, growth * assaults - in_close_relations)
                    for assaults, in_close_relations in zip(assumptions.WOMEN_ASSAULTS, close, strict=True)
                ]
            else:
                processed, cleared, limited, dismissed = assumptions.CONTEXT.get(kind.group, assumptions.OTHER_CONTEXT)
                measures = {
                    "processed": processed,
                    "cleared": int(processed * cleared),
                    "limited_investigated": int(processed * limited),
                    "dismissed": int(processed * dismissed),
                }
                country = [growth * count for count in complete(measures, CONTEXT, year)]
            yield kind, {region: self._follow(country, region, CONTEXT, shares[region]) for region in self.regions}

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
