"""An attacker who derives withheld counts from all published figures with a solver.

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
    """A count that the attacker wants to derive."""

    place: Place
    measure: str


Row = Mapping[str, int | None]


@dataclass
class Knowledge:
    """The attacker's knowledge as linear equations and inequalities over the unknown counts."""

    index: dict[tuple[Place, str], int]
    equations: list[tuple[dict[int, float], float]] = field(default_factory=list)
    at_most: list[tuple[dict[int, float], float]] = field(default_factory=list)

    def objective(self, wanted: Wanted, size: int) -> np.ndarray:
        coefficients = np.zeros(size)
        coefficients[[self.index[wanted.place, part] for part in MEASURES[wanted.measure]]] = 1.0
        return coefficients


def learn(rows: Mapping[Place, Row], county_of: Mapping[str, str], primary: Iterable[Place]) -> Knowledge:
    """Derive the knowledge from all rows of an indicator and year; `primary` are the rows with that label."""
    hidden = [place for place, row in rows.items() if row["processed"] is None]
    knowledge = Knowledge(
        {unknown: n for n, unknown in enumerate((place, column) for place in hidden for column in COLUMNS)}
    )
    for total_place, parts in _sums(rows, county_of):
        for column in COLUMNS:
            left: dict[int, float] = {}
            right = 0.0
            for place, sign in ((total_place, -1.0), *((part, 1.0) for part in parts)):
                value = rows[place][column]
                if value is None:
                    left[knowledge.index[place, column]] = left.get(knowledge.index[place, column], 0.0) + sign
                else:
                    right -= sign * value
            if left:
                knowledge.equations.append((left, right))
            else:
                assert right == 0, f"{total_place} is not the sum of its parts"
    for place in hidden:
        suspect = knowledge.index[place, "with_suspect"]
        knowledge.at_most.append(({**{knowledge.index[place, part]: 1.0 for part in CLEARED}, suspect: -1.0}, 0.0))
        knowledge.at_most.append(({**{knowledge.index[place, part]: -1.0 for part in PARTS}, suspect: 1.0}, 0.0))
    for place in primary:
        knowledge.at_most.append(({knowledge.index[place, part]: -1.0 for part in PARTS}, -1.0))
    return knowledge


def bounds(knowledge: Knowledge, wanted: Sequence[Wanted]) -> dict[Wanted, int]:
    """Count the integers between the bounds of each wanted count by linear programming; exact only below 3."""
    a_eq, b_eq = _matrix(knowledge.equations, len(knowledge.index))
    a_ub, b_ub = _matrix(knowledge.at_most, len(knowledge.index))

    def solve(objective: np.ndarray) -> np.ndarray:
        solution = linprog(objective, A_ub=a_ub, b_ub=b_ub, A_eq=a_eq, b_eq=b_eq, method="highs")
        assert solution.status == 0, solution.message
        return solution.x  # type: ignore[no-any-return]

    objectives = {count: knowledge.objective(count, len(knowledge.index)) for count in wanted}
    low, high = dict.fromkeys(objectives, math.inf), dict.fromkeys(objectives, -math.inf)

    def update_bounds(point: np.ndarray) -> None:
        for count, objective in objectives.items():
            value = float(objective @ point)
            low[count], high[count] = min(low[count], value), max(high[count], value)

    def values(count: Wanted) -> int:
        if not math.isfinite(low[count]):
            return 0
        return math.floor(high[count] + 1e-6) - math.ceil(low[count] - 1e-6) + 1

    # Random directions bound many counts at once; counts that stay narrow are solved one by one.
    random = np.random.default_rng(1)
    for _ in range(DIRECTIONS if objectives else 0):
        update_bounds(solve(random.normal(size=len(knowledge.index))))
    for count, objective in objectives.items():
        for direction in (1.0, -1.0):
            if values(count) < ENOUGH:
                update_bounds(solve(direction * objective))
    return {count: values(count) for count in objectives}


def possible_values(
    knowledge: Knowledge, wanted: Wanted, truth: int, primary: Sequence[Place], below: int
) -> Iterator[int]:
    """Yield every value within 2 of the truth that an integer world with the same labels could have; exact but slow."""
    size, largest = len(knowledge.index), 10_000
    binaries = {(place, measure): size + n for n, (place, measure) in enumerate(_halves(primary))}
    lines: list[tuple[dict[int, float], float, float]] = [(left, right, right) for left, right in knowledge.equations]
    lines += [(left, -np.inf, right) for left, right in knowledge.at_most]
    for (place, measure), small in binaries.items():
        parts = {knowledge.index[place, part]: 1.0 for part in MEASURES[measure]}
        lines.append(({**parts, small: -1.0}, 0.0, np.inf))
        lines.append(({**parts, small: float(largest)}, -np.inf, largest + below - 1.0))
    for place in primary:
        lines.append(({binaries[place, "cleared"]: 1.0, binaries[place, "not cleared"]: 1.0}, 1.0, 2.0))
    total = size + len(binaries)
    matrix, _ = _matrix([(left, 0.0) for left, _, _ in lines], total)
    constraint = LinearConstraint(matrix, [low for _, low, _ in lines], [high for _, _, high in lines])
    upper = np.where(np.arange(total) < size, np.inf, 1.0)
    objective = knowledge.objective(wanted, total)
    for value in range(max(0, truth - 2), truth + 3):
        solution = milp(
            np.zeros(total),
            constraints=[constraint, LinearConstraint(csr_matrix(objective), value, value)],
            integrality=np.ones(total),
            bounds=Bounds(0, upper),
        )
        assert solution.status in (0, 2), solution.message
        if solution.status == 0:
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
        municipalities = [
            Place("kommun", code, "total") for code, county_code in county_of.items() if county_code == county
        ]
        yield Place("lan", county, "total"), municipalities


def _matrix(lines: Sequence[tuple[Mapping[int, float], float]], size: int) -> tuple[csr_matrix, list[float]]:
    entries = [(n, column, factor) for n, (left, _) in enumerate(lines) for column, factor in left.items()]
    n, column, factor = zip(*entries, strict=True) if entries else ((), (), ())
    return csr_matrix((factor, (n, column)), shape=(len(lines), size)), [right for _, right in lines]
