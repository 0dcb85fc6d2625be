"""Small random worlds for the attackers on withheld figures, a third of them without regions and a third without places."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from random import Random
from typing import NamedTuple

from attacker import COUNTRY, UNKNOWN, Counts, Found, Map, Place, Rule, attack_intervals, attack_pattern
from reference.extracts import Row
from reference.worlds import World as Deliveries
from reference.worlds import offence_row, police_row, prosecution_row

from dagster_project.disclosure.suppression import Cell, tabulate, withhold
from dagster_project.disclosure.suppression import Counts as Both
from dagster_project.settings import REPOSITORY

BELOW = 5
MEASURES = ("cleared", "not cleared")
WORLDS_TRIED = 1_500
# As deliveries are, with an empty `handlaggande_region` everywhere, and with hardly any place.
KINDS = ("as delivered", "without regions", "without places")
SIZES = ((0, 0), (0, 0), (0, 0), (1, 4), (1, 4), (1, 4), (5, 12), (13, 60))
# Of the cleared in tiny worlds, so that all counts which fit what is published can be tried.
TINY_SIZES = ((0, 0), (0, 0), (0, 0), (0, 0), (1, 2), (1, 4), (6, 12))


class Offence(NamedTuple):
    """Offences that are counted alike."""

    municipality: str
    region: str | None
    measure: str


class World(NamedTuple):
    """One indicator and year."""

    kind: str
    where: Map
    offences: Mapping[Offence, int]
    withheld_before: tuple[Place, ...] = ()
    below: int = BELOW

    def counted(self) -> dict[str, Counts]:
        """Both measures of every row, as they would be published if nothing was withheld."""
        regions = {region for region in self.where.region_of.values() if region}
        rows = [COUNTRY, *(Place("polisregion", region) for region in sorted(regions))]
        rows += [Place("lan", county) for county in sorted({*self.where.county_of.values(), UNKNOWN})]
        rows += [Place("kommun", code) for code in self.where.county_of]
        counts = {measure: Counter(dict.fromkeys(rows, 0)) for measure in MEASURES}
        for (municipality, region, measure), number in self.offences.items():
            of = counts[measure]
            for place in (
                COUNTRY,
                Place("lan", self.where.county_of[municipality]),
                Place("kommun", municipality),
                *([Place("polisregion", region)] if region else []),
            ):
                of[place] += number
        return {measure: dict(of) for measure, of in counts.items()}

    @property
    def withheld_of(self) -> Rule:
        """What the rule withholds of given counts of these places."""
        places = tabulate({}, self.where.county_of, self.where.region_of)
        before = [Cell(*place) for place in self.withheld_before]

        def withheld(measures: Mapping[str, Counts]) -> set[Place]:
            cleared, not_cleared = (measures[measure] for measure in MEASURES)
            counted = {cell: Both(cleared[Place(*cell)], not_cleared[Place(*cell)]) for cell in places.counts}
            return {Place(*cell) for cell in withhold(places._replace(counts=counted), self.below, before)}

        return withheld


def random_world(seed: int) -> World:
    """A world of the kind and size that its seed says; every second one is tiny, every third has a memory."""
    rng = Random(seed)
    kind = KINDS[seed % 3]
    is_tiny = seed % 2 == 0
    where = _places(rng, is_tiny)
    offences = _offences(rng, kind, where, is_tiny)
    world = World(kind, where, offences)
    if seed % 9 in (0, 4, 8):
        # What was published before of the same year: some counts were others.
        earlier = dict(offences)
        for offence in rng.sample(sorted(offences, key=str), min(4, len(offences))):
            earlier[offence] = max(0, earlier[offence] + rng.choice((-3, -1, 1, 2)))
        before = world._replace(offences=earlier)
        world = world._replace(withheld_before=tuple(sorted(before.withheld_of(before.counted()))))
    return world


def _places(rng: Random, is_tiny: bool) -> Map:
    """Regions of two or more counties, as all are, and municipalities."""
    county_of, region_of = {UNKNOWN: UNKNOWN}, {UNKNOWN: None}
    for region in range(1, (2 if is_tiny else rng.choice((2, 3))) + 1):
        for _ in range(rng.choice((2, 3) if is_tiny else (2, 3, 4))):
            county = f"{len(region_of):02}"
            region_of[county] = f"Rn{region:02}"
            for number in range(1, rng.choice((1, 1, 1, 2, 4) if is_tiny else (1, 2, 3, 4, 6)) + 1):
                county_of[f"{county}{number:02}"] = county
    return Map(county_of, region_of)


def _offences(rng: Random, kind: str, where: Map, is_tiny: bool) -> Mapping[Offence, int]:
    offences: Counter[Offence] = Counter()
    regions = sorted({region for region in where.region_of.values() if region})
    lost = 0.8 if kind == "without places" else 0.04
    for municipality in where.county_of:
        for measure in MEASURES:
            for _ in range(rng.randint(*rng.choice(TINY_SIZES if is_tiny and measure == "cleared" else SIZES))):
                place = UNKNOWN if rng.random() < lost else municipality
                region = where.region_of[where.county_of[place]]
                if kind != "without regions" and rng.random() < 0.9:
                    handled = where.region_of[where.county_of[municipality]]
                    region = rng.choice(regions) if rng.random() < 0.05 else handled or region
                offences[Offence(place, region, measure)] += 1
    return offences


class Attacked(NamedTuple):
    """What both attackers came to."""

    worlds: int
    intervals: Found
    pattern: Found

    def __str__(self) -> str:
        attacks = "; ".join(
            f"{name}: {found.attacked:,} small counts attacked, {len(found.disclosed)} revealed, {found.undecided} undecided, "
            f"{found.without_region} without a place that follow from the country less the regions"
            for name, found in (("bounds", self.intervals), ("pattern", self.pattern))
        )
        return f"{self.worlds} worlds; {attacks}"


def attack_random_worlds(seeds: Iterable[int]) -> dict[str, Attacked]:
    """Attack random worlds by both means; by kind."""
    found: dict[str, Attacked] = {kind: Attacked(0, Found(), Found()) for kind in KINDS}
    for seed in seeds:
        world = random_world(seed)
        counts, so_far = world.counted(), found[world.kind]
        hidden = world.withheld_of(counts)
        so_far.intervals.add(attack_intervals(counts, hidden, world.where))
        so_far.pattern.add(attack_pattern(counts, hidden, world.where, world.withheld_of, WORLDS_TRIED))
        found[world.kind] = so_far._replace(worlds=so_far.worlds + 1)
    return found


def deliveries_of(years: Mapping[int, str], offences_per_year: int, seed: int) -> Deliveries:
    """Deliveries of real places, each year of one kind; all offences are procuring."""
    rng = Random(seed)
    seeds = REPOSITORY / "dbt/seeds"
    with (seeds / "county.csv").open(encoding="utf-8", newline="") as file:
        region_of = {row["county_code"]: row["region_code"] for row in csv.DictReader(file)}
    with (seeds / "municipality.csv").open(encoding="utf-8", newline="") as file:
        places = [(row["municipality_code"], region_of[row["county_code"]]) for row in csv.DictReader(file)]
    # Few places have most of the offences.
    weights = [1 / (1 + number) for number in rng.sample(range(len(places)), len(places))]
    offences: dict[int, list[Row]] = defaultdict(list)
    police: dict[int, list[Row]] = defaultdict(list)
    prosecution: dict[int, list[Row]] = defaultdict(list)
    for year, kind in years.items():
        for number, (municipality, region) in enumerate(rng.choices(places, weights, k=offences_per_year), start=1):
            key = {"diarienummer": f"5000-K{number}-{year % 100}", "brottsnummer": "1"}
            has_place = rng.random() > (0.8 if kind == "without places" else 0.04)
            offence = offence_row(
                **key,
                brottskod="0609",
                anmalningsdatum=f"{year}-02-01",
                kommunkod=municipality if has_place else "",
                handlaggande_region="" if kind == "without regions" or rng.random() < 0.1 else region,
                malsagande_kon=rng.choice(("K", "K", "K", "M", "")),
                malsagande_alder=rng.choice(("16", "30", "30", "30", "")),
            )
            offences[year].append(offence)
            if rng.random() < 0.3:
                prosecution[year].append(prosecution_row(**key, beslutsdatum=f"{year}-06-01"))
            else:
                police[year].append(police_row(**key, beslutsdatum=f"{year}-06-01"))
    return Deliveries(offences, police, prosecution)
