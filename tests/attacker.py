"""An attacker who has everything that is published and a linear solver, and wants to know what a withheld count was."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

CLEARED = ("cleared_indictment", "cleared_penalty_order", "cleared_waiver")
NOT_CLEARED = ("limited_investigated", "other_investigated", "limited_dismissed", "other_dismissed")
# Every offence is one of these; with_suspect overlaps with them.
PARTS = (*CLEARED, *NOT_CLEARED)
COLUMNS = (*PARTS, "with_suspect")
MEASURES = {"cleared": CLEARED, "not cleared": NOT_CLEARED, "processed": PARTS}
DIRECTIONS = 12


class Place(NamedTuple):
    """A row of one indicator, variant and year."""

    level: str
    code: str
    group: str


type_of_rows = Mapping[Place, Mapping[str, int | None]]


class Found(NamedTuple):
    """What the attacker knows of a withheld count: it lies between two whole numbers."""

    place: Place
    measure: str
    low: int
    high: int

    @property
    def values(self) -> int:
        return self.high - self.low + 1


def attack(
    rows: type_of_rows,
    county_of: Mapping[str, str],
    wanted: Iterable[tuple[Place, str]],
    at_least_one: Iterable[Place] = (),
) -> list[Found]:
    """The bounds of the wanted measures of withheld rows, given all rows of an indicator and year.

    `at_least_one` are rows that the attacker knows not to be empty, for instance from their label.
    """
    hidden = [place for place, row in rows.items() if row["processed"] is None]
    index = {(place, column): n for n, (place, column) in enumerate((p, c) for p in hidden for c in COLUMNS)}
    equations: list[tuple[dict[int, float], float]] = []
    inequalities: list[tuple[dict[int, float], float]] = []
    for whole, parts in _sums(rows, county_of):
        for column in COLUMNS:
            left: dict[int, float] = {}
            right = 0.0
            for place, sign in ((whole, -1.0), *((part, 1.0) for part in parts)):
                value = rows[place][column]
                if value is None:
                    left[index[place, column]] = left.get(index[place, column], 0.0) + sign
                else:
                    right -= sign * value
            if left:
                equations.append((left, right))
            else:
                assert right == 0, f"{whole} is not the sum of its parts"
    for place in hidden:
        suspect = index[place, "with_suspect"]
        inequalities.append(({**{index[place, part]: 1.0 for part in CLEARED}, suspect: -1.0}, 0.0))
        inequalities.append(({**{index[place, part]: -1.0 for part in PARTS}, suspect: 1.0}, 0.0))
    for place in set(at_least_one) & set(hidden):
        inequalities.append(({index[place, part]: -1.0 for part in PARTS}, -1.0))
    solve = _solver(len(index), equations, inequalities)
    objectives = {one: _objective(len(index), [index[one[0], part] for part in MEASURES[one[1]]]) for one in wanted}
    low, high = dict.fromkeys(objectives, math.inf), dict.fromkeys(objectives, -math.inf)

    def look_at(point: np.ndarray) -> None:
        for one, objective in objectives.items():
            value = float(objective @ point)
            low[one], high[one] = min(low[one], value), max(high[one], value)

    # Corners of what is possible tell of many counts at once; those that they leave narrow are asked for one by one.
    chance = np.random.default_rng(1)
    for _ in range(DIRECTIONS if objectives else 0):
        look_at(solve(chance.normal(size=len(index))))
    for one, objective in objectives.items():
        for direction in (1.0, -1.0):
            if _values(low[one], high[one]) < 3:
                look_at(solve(direction * objective))
    return [Found(*one, *_whole(low[one], high[one])) for one in objectives]


def _sums(rows: type_of_rows, county_of: Mapping[str, str]) -> Iterable[tuple[Place, Sequence[Place]]]:
    counties = sorted({place.code for place in rows if place.level == "lan"})
    groups = sorted({place.group for place in rows if place.level == "lan"} - {"total"})
    for group in ("total", *groups):
        yield Place("riket", "SE", group), [Place("lan", county, group) for county in counties]
    for county in counties:
        yield Place("lan", county, "total"), [Place("lan", county, group) for group in groups]
        municipalities = [Place("kommun", code, "total") for code, lies_in in county_of.items() if lies_in == county]
        yield Place("lan", county, "total"), municipalities


def _objective(size: int, ones: Iterable[int]) -> np.ndarray:
    objective = np.zeros(size)
    objective[list(ones)] = 1.0
    return objective


def _solver(size: int, equations, inequalities):  # type: ignore[no-untyped-def]
    def matrix(lines):  # type: ignore[no-untyped-def]
        entries = [(n, column, factor) for n, (left, _) in enumerate(lines) for column, factor in left.items()]
        n, column, factor = zip(*entries, strict=True) if entries else ((), (), ())
        return csr_matrix((factor, (n, column)), shape=(len(lines), size)), [right for _, right in lines]

    a_eq, b_eq = matrix(equations)
    a_ub, b_ub = matrix(inequalities)

    def solve(objective: np.ndarray) -> np.ndarray:
        found = linprog(objective, A_ub=a_ub, b_ub=b_ub, A_eq=a_eq, b_eq=b_eq, method="highs")
        assert found.status == 0, found.message
        return found.x  # type: ignore[no-any-return]

    return solve


def _whole(low: float, high: float) -> tuple[int, int]:
    return math.ceil(low - 1e-6), math.floor(high + 1e-6)


def _values(low: float, high: float) -> int:
    low_one, high_one = _whole(low, high) if math.isfinite(low) else (0, -1)
    return high_one - low_one + 1
