"""Attackers on withheld figures, who know all that is published of an indicator and year, and the published rule.

Nothing here uses the code that decides what is withheld, except that `worlds_alike` runs it, as anyone could. Victim groups,
variants and other measures are published of the country and the regions alone; they bound no county further than its region does.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, product
from math import ceil, floor
from typing import NamedTuple

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

UNKNOWN = "okand"
SENSITIVE = range(1, 5)


class Place(NamedTuple):
    """The key of a row within an indicator and year; its victim group is `total`."""

    level: str
    code: str


COUNTRY = Place("riket", "SE")


class Map(NamedTuple):
    """What belongs to what."""

    county_of: Mapping[str, str]
    region_of: Mapping[str, str | None]


Counts = Mapping[Place, int]
"""One measure, `cleared` or `not cleared`, of every row."""
Shown = Mapping[Place, int | None]
"""The same as published; None where the row is withheld."""
Reading = Mapping[str, bool]
"""Regions that an attacker takes for the exact sums of their counties (True), or for at least these (False)."""


class Sum(NamedTuple):
    """A figure that is the sum of others, or at least that."""

    whole: Place
    terms: Sequence[Place]
    is_exact: bool = True


def sums(rows: Collection[Place], where: Map, reading: Reading) -> Iterator[Sum]:
    """Every figure that is the sum of others, or at least that."""
    counties = sorted(place for place in rows if place.level == "lan")
    yield Sum(COUNTRY, counties)
    for region, is_exact in sorted(reading.items()):
        terms = [county for county in counties if where.region_of.get(county.code) == region]
        yield Sum(Place("polisregion", region), terms, is_exact)
    for county in counties:
        yield Sum(county, [Place("kommun", code) for code, of in where.county_of.items() if of == county.code])


def true_readings(counts: Counts, where: Map) -> list[Reading]:
    """What can be known of regions at best, and what nearly everybody takes for granted."""
    regions = sorted(place.code for place in counts if place.level == "polisregion")
    at_best = {region: is_exact(region, counts, where) for region in regions}
    readings = [at_best, *([dict.fromkeys(regions, False)] if any(at_best.values()) else [])]
    return [reading for reading in readings if is_true(reading, counts, where)] or [{}]


def false_readings(counts: Counts, where: Map) -> list[Reading]:
    """All regions, or a single one, taken for the exact sums of their counties where they are not."""
    regions = sorted(place.code for place in counts if place.level == "polisregion")
    readings = [dict.fromkeys(regions, True), *({region: True} for region in regions)]
    return [reading for reading in readings if not is_true(reading, counts, where)]


def in_counties(region: str, counts: Counts, where: Map) -> int:
    """What the counties of a region count together."""
    return sum(counts[Place("lan", county)] for county, of in where.region_of.items() if of == region)


def is_exact(region: str, counts: Counts, where: Map) -> bool:
    """Whether a region counts what its counties do."""
    return counts[Place("polisregion", region)] == in_counties(region, counts, where)


def is_true(reading: Reading, counts: Counts, where: Map) -> bool:
    """Whether regions are what an attacker takes them for."""
    return all(
        is_exact(region, counts, where)
        or (not exact and counts[Place("polisregion", region)] > in_counties(region, counts, where))
        for region, exact in reading.items()
    )


class Bounds:
    """Between which values linear programming finds the withheld counts of one measure.

    Raises ValueError where no counts fit: then regions are not what they are taken for.
    """

    def __init__(self, shown: Shown, where: Map, reading: Reading) -> None:
        self.number = {place: number for number, place in enumerate(place for place in shown if shown[place] is None)}
        rows: list[tuple[dict[int, float], float]] = []
        at_most: list[tuple[dict[int, float], float]] = []
        for whole, terms, exact in sums(shown, where, reading):
            signs: dict[int, float] = defaultdict(float)
            right = 0.0
            for place, sign in ((whole, -1.0), *((term, 1.0) for term in terms)):
                if (value := shown[place]) is None:
                    signs[self.number[place]] += sign
                else:
                    right -= sign * value
            if signs:
                (rows if exact else at_most).append((signs, right))
            elif right and exact:
                raise ValueError(f"{whole} is not the sum of its terms")
        self.equal, self.at_most = self._matrix(rows), self._matrix(at_most)
        self.lowest, self.highest = np.full(len(self.number), np.inf), np.full(len(self.number), -np.inf)

    def _matrix(self, rows: Sequence[tuple[dict[int, float], float]]) -> tuple[csr_array, np.ndarray]:
        entries = [(row, column, value) for row, (signs, _) in enumerate(rows) for column, value in signs.items()]
        lines, columns, values = (list(part) for part in zip(*entries, strict=True)) if entries else ([], [], [])
        return csr_array((values, (lines, columns)), shape=(len(rows), len(self.number))), np.array(
            [r for _, r in rows]
        )

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
        (equal, right), (at_most, limits) = self.equal, self.at_most
        solved = linprog(
            goal,
            A_eq=equal,
            b_eq=right,
            A_ub=at_most if len(limits) else None,
            b_ub=limits if len(limits) else None,
            method="highs",
        )
        if solved.status != 0:
            raise ValueError("no counts fit")
        self.lowest = np.minimum(self.lowest, solved.x)
        self.highest = np.maximum(self.highest, solved.x)
        return float(sign * solved.fun)


def _whole_numbers(least: float, most: float) -> range:
    return range(ceil(least - 1e-6), floor(most + 1e-6) + 1) if least <= most else range(0)


class Revealed(NamedTuple):
    """A small count that an attacker finds to have fewer values than are promised."""

    place: Place
    measure: str
    truth: int
    values: Sequence[int]


@dataclass
class Found:
    """What attacks came to."""

    attacked: int = 0
    disclosed: list[Revealed] = field(default_factory=list)
    without_region: int = 0
    """Counts without a known place that follow from the country less the regions: a limit of what is promised."""
    undecided: int = 0
    """Counts of which too few values were found, while more worlds fit than are tried."""

    def add(self, other: Found) -> None:
        """Count another attack with this one."""
        self.attacked += other.attacked
        self.disclosed += other.disclosed
        self.without_region += other.without_region
        self.undecided += other.undecided


def leaves_room(values: Sequence[int], truth: int, whole: int) -> bool:
    """Three values and an interval as wide as the count, or as much as the region leaves."""
    return len(values) >= min(3, whole + 1) and max(values) - min(values) >= min(truth, whole)


def region_figure(counts: Counts, place: Place, where: Map, reading: Reading) -> int:
    """What the police region of a place counts, as far as an attacker knows it; all regions for an unknown place.

    Whoever takes a region for nothing is up against what its counties count.
    """
    region = where.region_of.get(county_of(place, where))
    if not region:
        return sum(count for of, count in counts.items() if of.level == "polisregion")
    return counts[Place("polisregion", region)] if region in reading else in_counties(region, counts, where)


def county_of(place: Place, where: Map) -> str:
    """The county of a county or municipality."""
    return place.code if place.level == "lan" else where.county_of[place.code]


def attack_intervals(measures: Mapping[str, Counts], hidden: Collection[Place], where: Map) -> Found:
    """Look for each withheld small count by linear programming, whatever regions are taken for.

    An interval that the truth is not in tells nothing: then those regions were something else. `processed` needs no attack of its
    own: its interval is as wide as those of its two parts together.
    """
    attacked, at_limit, disclosed = 0, set(), {}
    for measure, counts in measures.items():
        shown: Shown = {place: None if place in hidden else count for place, count in counts.items()}
        small = [place for place in hidden if counts[place] in SENSITIVE]
        attacked += len(small)

        for reading in [*true_readings(counts, where), *false_readings(counts, where)]:
            pending = small

            def has_room(
                place: Place, values: Sequence[int], counts: Counts = counts, reading: Reading = reading
            ) -> bool:
                return leaves_room(values, counts[place], region_figure(counts, place, where, reading))

            if len(reading) == 1:
                pending = [place for place in small if where.region_of.get(county_of(place, where)) in reading]
            try:
                bounds = Bounds(shown, where, reading)
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
                        if place.code == UNKNOWN and any(reading.values()):
                            at_limit.add((measure, place))
                        else:
                            disclosed[measure, place] = Revealed(place, measure, counts[place], values)
            except ValueError:
                if is_true(reading, counts, where):
                    raise
    return Found(attacked, list(disclosed.values()), len(at_limit))


class TooManyError(Exception):
    """More worlds fit than are tried."""


def fitting(shown: Shown, where: Map, reading: Reading, at_most: int) -> list[Counts]:
    """All values of the withheld rows of one measure that fit what is published."""
    # A sum before its terms.
    order = {"lan": 0, "kommun": 1}
    hidden = [place for place in shown if shown[place] is None]
    hidden.sort(key=lambda place: (order[place.level], place))
    equations = list(sums(shown, where, reading))
    as_whole = {place: [e for e, one in enumerate(equations) if one.whole == place] for place in hidden}
    as_term = {place: [e for e, one in enumerate(equations) if place in one.terms] for place in hidden}
    left = [(shown[whole] or 0) - sum(shown[term] or 0 for term in terms) for whole, terms, _ in equations]
    terms_left = [sum(shown[term] is None for term in terms) for _, terms, _ in equations]
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
        for e, (whole, _, exact) in enumerate(equations):
            is_known = shown[whole] is not None or whole in values
            if is_known and (left[e] < 0 or (exact and left[e] and not terms_left[e])):
                return
        if position == len(hidden):
            found.append(dict(values))
            return
        place = hidden[position]
        forced = [left[e] for e in as_term[place] if equations[e].is_exact and terms_left[e] == 1]
        for value in range(max([0, *forced]), min(left[e] for e in as_term[place]) + 1):
            assign(place, value, 1)
            complete({**values, place: value}, position + 1)
            assign(place, value, -1)

    complete({}, 0)
    return found


Rule = Callable[[Mapping[str, Counts]], Collection[Place]]
"""What is withheld of all counts, by measure."""


def worlds_alike(
    measures: Mapping[str, Counts],
    measure: str,
    hidden: Collection[Place],
    where: Map,
    reading: Reading,
    withheld_of: Rule,
    at_most: int,
) -> list[Counts]:
    """All counts of one measure that fit what is published and of which the rule withholds the same; the other one is known."""
    counts = measures[measure]
    shown: Shown = {place: None if place in hidden else count for place, count in counts.items()}
    worlds = [{**counts, **values} for values in fitting(shown, where, reading, at_most)]
    return [world for world in worlds if set(withheld_of({**measures, measure: world})) == set(hidden)]


def moved(
    counts: Counts, place: Place, more: int, hidden: Collection[Place], where: Map, reading: Reading
) -> Iterator[Counts]:
    """Counts that fit what is published, in which a place has more or fewer: what one or two other places have fewer or more."""
    counts = gathered(counts, place, hidden, where)

    def distance(other: Place) -> tuple[bool, bool]:
        county, here = county_of(other, where), county_of(place, where)
        return county != here, where.region_of.get(county) != where.region_of.get(here)

    # Of a withheld county all but one are without any now, and are left so.
    municipalities = sorted(one for one in hidden if one.level == "kommun")
    of_counties = {county_of(one, where): one for one in reversed(municipalities) if one != place}
    movable = [
        one
        for one in municipalities
        if one in (place, of_counties.get(county_of(one, where))) or Place("lan", county_of(one, where)) not in hidden
    ]
    own = [one for one in movable if one == place or (place.level == "lan" and county_of(one, where) == place.code)]
    others = sorted((one for one in movable if one not in own), key=distance)
    for one, other in product(own, others):
        moves = [{one: more, other: -more}]
        for third in others:
            if third != other and more > 0:
                # All, or all but one, that the other one has.
                moves += [{one: more, other: k - counts[other], third: counts[other] - k - more} for k in (0, 1)]
            elif third > other:
                moves += [{one: more, other: part, third: -more - part} for part in range(1, -more)]
        for move in moves:
            if fits(move, counts, hidden, where, reading):
                world = dict(counts)
                for municipality, change in move.items():
                    world[municipality] += change
                    world[Place("lan", county_of(municipality, where))] += change
                yield world


def gathered(counts: Counts, place: Place, hidden: Collection[Place], where: Map) -> Counts:
    """The same with all that each withheld county counts in its first municipality, except what the place counts itself."""
    world = dict(counts)
    for county in (one for one in hidden if one.level == "lan"):
        codes = sorted(code for code, of in where.county_of.items() if of == county.code and code != place.code)
        for code in codes[1:]:
            world[Place("kommun", codes[0])] += world[Place("kommun", code)]
            world[Place("kommun", code)] = 0
    return world


def fits(move: Mapping[Place, int], counts: Counts, hidden: Collection[Place], where: Map, reading: Reading) -> bool:
    """Whether changes of municipalities that sum up to nothing leave all figures as they are published."""
    if any(counts[municipality] + change < 0 for municipality, change in move.items()):
        return False
    of_county: Counter[str] = Counter()
    for municipality, change in move.items():
        of_county[county_of(municipality, where)] += change
    if any(change and Place("lan", county) not in hidden for county, change in of_county.items()):
        return False
    of_region: Counter[str | None] = Counter()
    for county, change in of_county.items():
        of_region[where.region_of[county]] += change
    return all(
        not change
        or region not in reading
        or (not reading[region] and in_counties(region, counts, where) + change <= counts[Place("polisregion", region)])
        for region, change in of_region.items()
        if region
    )


def values_found(
    measures: Mapping[str, Counts],
    measure: str,
    place: Place,
    hidden: Collection[Place],
    where: Map,
    reading: Reading,
    withheld_of: Rule,
) -> list[int]:
    """Values of a count in worlds alike, until there are enough; so many it has at least."""
    counts = measures[measure]
    whole, values = region_figure(counts, place, where, reading), [counts[place]]
    for more in sorted(range(-counts[place], 9), key=abs):
        if leaves_room(values, counts[place], whole):
            break
        worlds = moved(counts, place, more, hidden, where, reading) if more else ()
        for world in islice(worlds, 200):
            if set(withheld_of({**measures, measure: world})) == set(hidden):
                values.append(world[place])
                break
    return sorted(values)


def attack_pattern(
    measures: Mapping[str, Counts], hidden: Collection[Place], where: Map, withheld_of: Rule, at_most: int
) -> Found:
    """Look which values each withheld small count has in the worlds of which the rule withholds the same.

    This attacker even knows the other measure, and what kind of sums the regions are. Most counts have enough values in worlds
    near the true one; for others all worlds are tried.
    """
    found = Found()
    for measure, counts in measures.items():
        small = [place for place in hidden if counts[place] in SENSITIVE]
        found.attacked += len(small)
        revealed: dict[Place, Revealed] = {}
        at_limit, undecided = set(), set()
        for reading in true_readings(counts, where):
            alike: list[Counts] | None = None
            for place in small:
                truth, whole = counts[place], region_figure(counts, place, where, reading)
                values = values_found(measures, measure, place, hidden, where, reading, withheld_of)
                if leaves_room(values, truth, whole):
                    continue
                if place.code == UNKNOWN and any(reading.values()):
                    at_limit.add(place)
                    continue
                try:
                    alike = alike or worlds_alike(measures, measure, hidden, where, reading, withheld_of, at_most)
                except TooManyError:
                    undecided.add(place)
                    continue
                values = sorted({world[place] for world in alike})
                if not leaves_room(values, truth, whole):
                    revealed[place] = Revealed(place, measure, truth, values)
        found.add(Found(0, list(revealed.values()), len(at_limit), len(undecided)))
    return found
