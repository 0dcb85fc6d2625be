"""Attackers on withheld figures, who know all that is published of an indicator and year, and the published rule.

Nothing here uses the code that decides what is withheld, except that `worlds_alike` runs it, as anyone could.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import ceil, floor
from typing import NamedTuple

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

TOTAL = "total"
MEASURES = ("cleared", "not cleared", "processed")


class Place(NamedTuple):
    """The key of a row within an indicator and year."""

    level: str
    code: str
    group: str = TOTAL


class Map(NamedTuple):
    """What belongs to what."""

    county_of: Mapping[str, str]
    region_of: Mapping[str, str | None]


def sums(rows: Mapping[Place, object], where: Map, regions_are_exact: bool) -> Iterator[tuple[Place, list[Place]]]:
    """Every figure that is the sum of others, and these."""
    counties = sorted({place.code for place in rows if place.level == "lan"})
    groups = sorted({place.group for place in rows if place.level == "riket"})
    for group in groups:
        yield Place("riket", "SE", group), [Place("lan", county, group) for county in counties]
        if regions_are_exact:
            regions = defaultdict(list)
            for county in counties:
                regions[where.region_of.get(county)].append(Place("lan", county, group))
            for region, terms in regions.items():
                if region and Place("polisregion", region, group) in rows:
                    yield Place("polisregion", region, group), terms
    for county in counties:
        yield (
            Place("lan", county),
            [Place("kommun", code) for code, of in where.county_of.items() if of == county],
        )
        yield Place("lan", county), [Place("lan", county, group) for group in groups if group != TOTAL]


def intervals(
    shown: Mapping[Place, int | None], where: Map, wanted: Iterable[Place], regions_are_exact: bool
) -> dict[Place, tuple[int, int]]:
    """Between which values linear programming finds withheld counts of one measure; `shown` has None for them.

    Raises ValueError where no counts fit: then the regions are not the sums of their counties.
    """
    hidden = {place: number for number, place in enumerate(place for place in shown if shown[place] is None)}
    lines: list[tuple[dict[int, float], float]] = []
    for whole, terms in sums(shown, where, regions_are_exact):
        signs: dict[int, float] = defaultdict(float)
        right = 0.0
        for place, sign in ((whole, -1.0), *((term, 1.0) for term in terms)):
            value = shown[place]
            if value is None:
                signs[hidden[place]] += sign
            else:
                right -= sign * value
        if signs:
            lines.append((dict(signs), right))
        elif right:
            raise ValueError(f"{whole} is not the sum of its terms")
    entries = [(row, column, value) for row, (signs, _) in enumerate(lines) for column, value in signs.items()]
    rows, columns, values = (list(part) for part in zip(*entries, strict=True))
    matrix = csr_array((values, (rows, columns)), shape=(len(lines), len(hidden)))
    right_sides = np.array([right for _, right in lines])
    found = {}
    for place in wanted:
        ends = []
        for sign in (1.0, -1.0):
            goal = np.zeros(len(hidden))
            goal[hidden[place]] = sign
            solved = linprog(goal, A_eq=matrix, b_eq=right_sides, bounds=(0, None), method="highs")
            if solved.status == 3:
                ends.append(sign * -1e9)
            elif solved.status != 0:
                raise ValueError("no counts fit")
            else:
                ends.append(sign * solved.fun)
        found[place] = (ceil(ends[0] - 1e-6), floor(ends[1] + 1e-6))
    return found


def worlds_alike(
    real: Sequence[Sequence[int]], publication: Callable[[Sequence[Sequence[int]]], object]
) -> Iterator[Sequence[Sequence[int]]]:
    """All worlds with the sums of columns of the real one, which are published, that the rule publishes just as the real one."""
    published = publication(real)
    for columns in _worlds([sum(column) for column in zip(*real, strict=True)], len(real)):
        world = list(zip(*columns, strict=True))
        if publication(world) == published:
            yield world


def _worlds(of_columns: Sequence[int], rows: int) -> Iterator[list[tuple[int, ...]]]:
    """All tables with these sums of columns, column by column."""
    if not of_columns:
        yield []
        return
    for rest in _worlds(of_columns[1:], rows):
        for column in _split(of_columns[0], rows):
            yield [column, *rest]


def _split(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _split(total - first, parts - 1):
            yield (first, *rest)
