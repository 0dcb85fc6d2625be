"""An attacker who has everything that is published and a solver, and wants to know what a withheld count was.

They know the counts and labels of fct_indicator_year, that a county is the sum of its municipalities and of its victim groups, the
country the sum of its counties, and how the columns of a row add up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_matrix

CLEARED = ("cleared_indictment", "cleared_penalty_order", "cleared_waiver")
NOT_CLEARED = ("limited_investigated", "other_investigated", "limited_dismissed", "other_dismissed")
# Every offence is one of these; with_suspect overlaps with them.
PARTS = (*CLEARED, *NOT_CLEARED)
COLUMNS = (*PARTS, "with_suspect")
MEASURES = {"cleared": CLEARED, "not cleared": NOT_CLEARED, "processed": PARTS}
ENOUGH = 3
DIRECTIONS = 12


class Place(NamedTuple):
    """A row of one indicator, variant and year."""

    level: str
    code: str
    group: str


class Wanted(NamedTuple):
    """A count that the attacker is after."""

    place: Place
    measure: str


Row = Mapping[str, int | None]


@dataclass
class Knowledge:
    """What the attacker knows, as linear equations and inequalities (at most) over the counts that they do not know."""

    index: dict[tuple[Place, str], int]
    equations: list[tuple[dict[int, float], float]] = field(default_factory=list)
    at_most: list[tuple[dict[int, float], float]] = field(default_factory=list)

    def objective(self, wanted: Wanted, size: int) -> np.ndarray:
        ones = np.zeros(size)
        ones[[self.index[wanted.place, part] for part in MEASURES[wanted.measure]]] = 1.0
        return ones


def learn(rows: Mapping[Place, Row], county_of: Mapping[str, str], primary: Iterable[Place]) -> Knowledge:
    """What all rows of an indicator and year tell; `primary` are those that say so of themselves."""
    hidden = [place for place, row in rows.items() if row["processed"] is None]
    known = Knowledge({one: n for n, one in enumerate((place, column) for place in hidden for column in COLUMNS)})
    for whole, parts in _sums(rows, county_of):
        for column in COLUMNS:
            left: dict[int, float] = {}
            right = 0.0
            for place, sign in ((whole, -1.0), *((part, 1.0) for part in parts)):
                value = rows[place][column]
                if value is None:
                    left[known.index[place, column]] = left.get(known.index[place, column], 0.0) + sign
                else:
                    right -= sign * value
            if left:
                known.equations.append((left, right))
            else:
                assert right == 0, f"{whole} is not the sum of its parts"
    for place in hidden:
        suspect = known.index[place, "with_suspect"]
        known.at_most.append(({**{known.index[place, part]: 1.0 for part in CLEARED}, suspect: -1.0}, 0.0))
        known.at_most.append(({**{known.index[place, part]: -1.0 for part in PARTS}, suspect: 1.0}, 0.0))
    for place in primary:
        known.at_most.append(({known.index[place, part]: -1.0 for part in PARTS}, -1.0))
    return known


def bounds(known: Knowledge, wanted: Sequence[Wanted]) -> dict[Wanted, int]:
    """How many whole numbers lie between the bounds that linear programming gives each wanted count; exact from below 3 only."""
    a_eq, b_eq = _matrix(known.equations, len(known.index))
    a_ub, b_ub = _matrix(known.at_most, len(known.index))

    def solve(objective: np.ndarray) -> np.ndarray:
        found = linprog(objective, A_ub=a_ub, b_ub=b_ub, A_eq=a_eq, b_eq=b_eq, method="highs")
        assert found.status == 0, found.message
        return found.x  # type: ignore[no-any-return]

    objectives = {one: known.objective(one, len(known.index)) for one in wanted}
    low, high = dict.fromkeys(objectives, math.inf), dict.fromkeys(objectives, -math.inf)

    def look_at(point: np.ndarray) -> None:
        for one, objective in objectives.items():
            value = float(objective @ point)
            low[one], high[one] = min(low[one], value), max(high[one], value)

    def values(one: Wanted) -> int:
        if not math.isfinite(low[one]):
            return 0
        return math.floor(high[one] + 1e-6) - math.ceil(low[one] - 1e-6) + 1

    # Corners of what is possible tell of many counts at once; those that they leave narrow are asked for one by one.
    chance = np.random.default_rng(1)
    for _ in range(DIRECTIONS if objectives else 0):
        look_at(solve(chance.normal(size=len(known.index))))
    for one, objective in objectives.items():
        for direction in (1.0, -1.0):
            if values(one) < ENOUGH:
                look_at(solve(direction * objective))
    return {one: values(one) for one in objectives}


def possible_values(
    known: Knowledge, wanted: Wanted, truth: int, primary: Sequence[Place], below: int
) -> Iterator[int]:
    """Every value within 2 of the truth that a whole-numbered world could have, all labels true; exact, and dear."""
    size, largest = len(known.index), 10_000
    binaries = {(place, measure): size + n for n, (place, measure) in enumerate(_halves(primary))}
    lines: list[tuple[dict[int, float], float, float]] = [(left, right, right) for left, right in known.equations]
    lines += [(left, -np.inf, right) for left, right in known.at_most]
    for (place, measure), small in binaries.items():
        parts = {known.index[place, part]: 1.0 for part in MEASURES[measure]}
        lines.append(({**parts, small: -1.0}, 0.0, np.inf))
        lines.append(({**parts, small: float(largest)}, -np.inf, largest + below - 1.0))
    for place in primary:
        lines.append(({binaries[place, "cleared"]: 1.0, binaries[place, "not cleared"]: 1.0}, 1.0, 2.0))
    total = size + len(binaries)
    matrix, _ = _matrix([(left, 0.0) for left, _, _ in lines], total)
    constraint = LinearConstraint(matrix, [low for _, low, _ in lines], [high for _, _, high in lines])
    upper = np.where(np.arange(total) < size, np.inf, 1.0)
    objective = known.objective(wanted, total)
    for value in range(max(0, truth - 2), truth + 3):
        found = milp(
            np.zeros(total),
            constraints=[constraint, LinearConstraint(csr_matrix(objective), value, value)],
            integrality=np.ones(total),
            bounds=Bounds(0, upper),
        )
        assert found.status in (0, 2), found.message
        if found.status == 0:
            yield value


def _halves(primary: Iterable[Place]) -> Iterator[tuple[Place, str]]:
    for place in primary:
        yield place, "cleared"
        yield place, "not cleared"


def _sums(rows: Mapping[Place, Row], county_of: Mapping[str, str]) -> Iterator[tuple[Place, Sequence[Place]]]:
    counties = sorted({place.code for place in rows if place.level == "lan"})
    groups = sorted({place.group for place in rows if place.level == "lan"} - {"total"})
    for group in ("total", *groups):
        yield Place("riket", "SE", group), [Place("lan", county, group) for county in counties]
    for county in counties:
        yield Place("lan", county, "total"), [Place("lan", county, group) for group in groups]
        municipalities = [Place("kommun", code, "total") for code, lies_in in county_of.items() if lies_in == county]
        yield Place("lan", county, "total"), municipalities


def _matrix(lines: Sequence[tuple[Mapping[int, float], float]], size: int) -> tuple[csr_matrix, list[float]]:
    entries = [(n, column, factor) for n, (left, _) in enumerate(lines) for column, factor in left.items()]
    n, column, factor = zip(*entries, strict=True) if entries else ((), (), ())
    return csr_matrix((factor, (n, column)), shape=(len(lines), size)), [right for _, right in lines]
