"""Attackers on withheld figures, who know all that is published of an indicator and year, and the published rule.

Nothing here uses the code that decides what is withheld, except that `worlds_alike` runs it, as anyone could.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import ceil, floor
from typing import NamedTuple

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

TOTAL = "total"
UNKNOWN = "okand"
COUNTRY = "SE"
SENSITIVE = range(1, 5)


class Place(NamedTuple):
    """The key of a row within an indicator and year."""

    level: str
    code: str
    group: str = TOTAL


class Map(NamedTuple):
    """What belongs to what."""

    county_of: Mapping[str, str]
    region_of: Mapping[str, str | None]


Counts = Mapping[Place, int]
"""One measure, `cleared` or `not cleared`, of every row."""
Shown = Mapping[Place, int | None]
"""The same as published; None where the row is withheld."""


class Sum(NamedTuple):
    """A figure that is the sum of others, or at least that."""

    whole: Place
    terms: Sequence[Place]


def sums(rows: Collection[Place], where: Map, exact: Collection[str]) -> Iterator[Sum]:
    """Every figure that is the sum of others; police regions are where they are `exact`."""
    counties = sorted({place.code for place in rows if place.level == "lan"})
    groups = sorted({place.group for place in rows if place.level == "riket"})
    for group in groups:
        yield Sum(Place("riket", COUNTRY, group), [Place("lan", county, group) for county in counties])
        for region in sorted(exact):
            terms = [Place("lan", county, group) for county in counties if where.region_of.get(county) == region]
            yield Sum(Place("polisregion", region, group), terms)
    for county in counties:
        yield Sum(Place("lan", county), [Place("kommun", code) for code, of in where.county_of.items() if of == county])
        yield Sum(Place("lan", county), [Place("lan", county, group) for group in groups if group != TOTAL])


def least_of(place: Place, shown: Shown) -> int:
    """The country less all regions, all of them shown: so many offences at least have no known place either."""
    if place.code != UNKNOWN:
        return 0
    figures = {of: count or 0 for of, count in shown.items() if of.group == place.group}
    regions = sum(count for of, count in figures.items() if of.level == "polisregion")
    return max(0, figures[Place("riket", COUNTRY, place.group)] - regions)


def regions_of(rows: Collection[Place]) -> list[str]:
    """The police regions that are published."""
    return sorted({place.code for place in rows if place.level == "polisregion"})


def ways_to_read_regions(counts: Counts, where: Map) -> list[Sequence[str] | None]:
    """Which regions an attacker takes for the exact sums of their counties; None without any region.

    All, none, a single one, or, by luck, those that are. Whoever takes fewer of these for exact knows less.
    """
    regions = regions_of(counts)
    are_exact = [region for region in regions if is_exact(region, counts, where)]
    if are_exact == regions:
        return [None, regions]
    return [None, regions, [], are_exact, *([region] for region in regions if region not in are_exact)]


def is_exact(region: str, counts: Counts, where: Map) -> bool:
    """Whether a region counts what its counties do."""
    return all(
        counts[whole] == sum(counts[term] for term in terms)
        for whole, terms in sums(counts, where, [region])
        if whole.level == "polisregion"
    )


class Bounds:
    """Between which values linear programming finds the withheld counts of one measure.

    Raises ValueError where no counts fit: then the regions are not the sums of their counties.
    """

    def __init__(self, shown: Shown, where: Map, exact: Collection[str] | None) -> None:
        self.number = {place: number for number, place in enumerate(place for place in shown if shown[place] is None)}
        rows: list[dict[int, float]] = []
        right_sides: list[float] = []
        for whole, terms in sums(shown, where, exact or ()):
            signs: dict[int, float] = defaultdict(float)
            right = 0.0
            for place, sign in ((whole, -1.0), *((term, 1.0) for term in terms)):
                if (value := shown[place]) is None:
                    signs[self.number[place]] += sign
                else:
                    right -= sign * value
            if signs:
                rows.append(signs)
                right_sides.append(right)
            elif right:
                raise ValueError(f"{whole} is not the sum of its terms")
        entries = [(row, column, value) for row, signs in enumerate(rows) for column, value in signs.items()]
        lines, columns, values = (list(part) for part in zip(*entries, strict=True)) if entries else ([], [], [])
        self.matrix = csr_array((values, (lines, columns)), shape=(len(rows), len(self.number)))
        self.right_sides = np.array(right_sides)
        least = [least_of(place, shown) if exact is not None else 0 for place in self.number]
        self.limits = [(low, None) for low in least]
        self.lowest, self.highest = np.full(len(least), np.inf), np.full(len(least), -np.inf)

    def seen(self, place: Place) -> range:
        """The values of this count in the solutions that were found so far: its interval is at least as wide."""
        number = self.number[place]
        return _whole_numbers(self.lowest[number], self.highest[number])

    def look(self, places: Collection[Place]) -> None:
        """Find solutions in which many of these counts are low, and in which many are high."""
        for sign in (1.0, -1.0):
            self._end([self.number[place] for place in places], sign)

    def interval(self, place: Place) -> range:
        """Every value that this count can have."""
        least, most = (self._end([self.number[place]], sign) for sign in (1.0, -1.0))
        return _whole_numbers(least, most)

    def _end(self, numbers: Sequence[int], sign: float) -> float:
        goal = np.zeros(len(self.number))
        goal[numbers] = sign
        solved = linprog(goal, A_eq=self.matrix, b_eq=self.right_sides, bounds=self.limits, method="highs")
        if solved.status != 0:
            raise ValueError("no counts fit")
        self.lowest = np.minimum(self.lowest, solved.x)
        self.highest = np.maximum(self.highest, solved.x)
        return float(sign * solved.fun)


def _whole_numbers(least: float, most: float) -> range:
    return range(ceil(least - 1e-6), floor(most + 1e-6) + 1) if least <= most else range(0)


class Told(NamedTuple):
    """A small count that an attacker finds to have fewer values than are promised."""

    place: Place
    measure: str
    truth: int
    values: Sequence[int]


@dataclass
class Found:
    """What attacks came to."""

    attacked: int = 0
    disclosed: list[Told] = field(default_factory=list)
    without_region: int = 0
    """Counts without a known place that are told by the country less the regions: a limit of what is promised."""

    def add(self, other: Found) -> None:
        """Count another attack with this one."""
        self.attacked += other.attacked
        self.disclosed += other.disclosed
        self.without_region += other.without_region


def leaves_room(values: Sequence[int], truth: int, whole: int) -> bool:
    """Three values and an interval as wide as the count, or as much as the region's own figure leaves."""
    return len(values) >= min(3, whole + 1) and max(values) - min(values) >= min(truth, whole)


def region_figure(counts: Counts, place: Place, where: Map) -> int:
    """What the police region of a place counts, which is published; the country for an unknown place."""
    region = where.region_of.get(county_of(place, where))
    return counts[Place("polisregion", region, place.group) if region else Place("riket", COUNTRY, place.group)]


def attack_intervals(measures: Mapping[str, Counts], hidden: Collection[Place], where: Map) -> Found:
    """Look for each withheld small count by linear programming, whichever regions are taken for exact sums.

    An interval that the truth is not in tells nothing: then those regions were no exact sums. `processed` needs no attack of its
    own: its interval is as wide as those of its two parts together.
    """
    attacked, at_limit, disclosed = 0, set(), {}
    for measure, counts in measures.items():
        shown: Shown = {place: None if place in hidden else count for place, count in counts.items()}
        small = [place for place in hidden if counts[place] in SENSITIVE]
        attacked += len(small)

        def has_room(place: Place, values: Sequence[int], counts: Counts = counts) -> bool:
            return leaves_room(values, counts[place], region_figure(counts, place, where))

        for exact in ways_to_read_regions(counts, where):
            wanted = small
            if exact is None:
                wanted = [place for place in small if place.code == UNKNOWN]
            elif len(exact) == 1 and not is_exact(exact[0], counts, where):
                wanted = [place for place in small if where.region_of.get(county_of(place, where)) == exact[0]]
            try:
                bounds = Bounds(shown, where, exact)
                pending = wanted
                while pending:
                    # Most have room in some solution that is found for all.
                    bounds.look(pending)
                    without_room = [place for place in pending if not has_room(place, bounds.seen(place))]
                    if len(without_room) == len(pending):
                        break
                    pending = without_room
                for place in pending:
                    values = bounds.interval(place)
                    if counts[place] in values and not has_room(place, values):
                        if place.code == UNKNOWN and exact is not None:
                            at_limit.add((measure, place))
                        else:
                            disclosed[measure, place] = Told(place, measure, counts[place], values)
            except ValueError:
                # No counts fit where regions are taken for exact that are not.
                if all(is_exact(region, counts, where) for region in exact or ()):
                    raise
    return Found(attacked, list(disclosed.values()), len(at_limit))


def county_of(place: Place, where: Map) -> str:
    """The county of a county or municipality."""
    return place.code if place.level == "lan" else where.county_of[place.code]


class TooManyError(Exception):
    """More worlds fit than are tried."""


def fitting(shown: Shown, where: Map, exact: Collection[str], at_most: int) -> list[Counts]:
    """All values of the withheld rows of one measure that fit what is published."""
    # A sum before its terms.
    order = {"lan": 0, "kommun": 1}
    hidden = [place for place in shown if shown[place] is None]
    hidden.sort(key=lambda place: (place.group != TOTAL, order[place.level], place))
    equations = list(sums(shown, where, exact))
    as_whole = {place: [e for e, one in enumerate(equations) if one.whole == place] for place in hidden}
    as_term = {place: [e for e, one in enumerate(equations) if place in one.terms] for place in hidden}
    left = [(shown[whole] or 0) - sum(shown[term] or 0 for term in terms) for whole, terms in equations]
    terms_left = [sum(shown[term] is None for term in terms) for _, terms in equations]
    found: list[Counts] = []
    tried = 0

    def assign(place: Place, value: int, sign: int) -> None:
        for e in as_whole[place]:
            left[e] += sign * value
        for e in as_term[place]:
            left[e] -= sign * value
            terms_left[e] -= sign

    def complete(values: dict[Place, int], position: int) -> None:
        nonlocal tried
        tried += 1
        if len(found) > at_most or tried > 20 * at_most:
            raise TooManyError
        for e, (whole, _) in enumerate(equations):
            is_known = shown[whole] is not None or whole in values
            if is_known and (left[e] < 0 or (left[e] and not terms_left[e])):
                return
        if position == len(hidden):
            found.append(dict(values))
            return
        place = hidden[position]
        least = max([least_of(place, shown), *(left[e] for e in as_term[place] if terms_left[e] == 1)])
        for value in range(least, min(left[e] for e in as_term[place]) + 1):
            assign(place, value, 1)
            complete({**values, place: value}, position + 1)
            assign(place, value, -1)

    complete({}, 0)
    return found


def worlds_alike(
    measures: Mapping[str, Counts],
    hidden: Collection[Place],
    where: Map,
    exact: Collection[str],
    withheld_of: Callable[[Mapping[str, Counts]], Collection[Place]],
    at_most: int,
) -> list[Mapping[str, Counts]]:
    """All worlds that fit what is published and of which the rule withholds the same."""
    of_measures = []
    for counts in measures.values():
        shown: Shown = {place: None if place in hidden else count for place, count in counts.items()}
        of_measures.append([{**counts, **values} for values in fitting(shown, where, exact, at_most)])
        at_most //= len(of_measures[-1])
    worlds = [dict(zip(measures, world, strict=True)) for world in product(*of_measures)]
    return [world for world in worlds if set(withheld_of(world)) == set(hidden)]


def attack_pattern(
    measures: Mapping[str, Counts],
    hidden: Collection[Place],
    where: Map,
    exact: Collection[str],
    withheld_of: Callable[[Mapping[str, Counts]], Collection[Place]],
    at_most: int,
) -> Found | None:
    """Look which values each withheld small count has in the worlds alike; None if there are too many to try."""
    try:
        alike = worlds_alike(measures, hidden, where, exact, withheld_of, at_most)
    except TooManyError:
        return None
    attacked, at_limit, disclosed = 0, 0, []
    for measure, counts in measures.items():
        for place in hidden:
            if (truth := counts[place]) not in SENSITIVE:
                continue
            attacked += 1
            values = sorted({world[measure][place] for world in alike})
            if not leaves_room(values, truth, region_figure(counts, place, where)):
                if place.code == UNKNOWN:
                    at_limit += 1
                else:
                    disclosed.append(Told(place, measure, truth, values))
    return Found(attacked, disclosed, at_limit)
