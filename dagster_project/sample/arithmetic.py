"""Pure arithmetic on offences by outcome: completing a published row, splitting whole numbers, interpolating, rounding."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import floor

from dagster_project.sample import assumptions as given

OUTCOMES = (
    "cleared_indictment",
    "cleared_penalty_order",
    "cleared_waiver",
    "limited_investigated",
    "other_investigated",
    "limited_dismissed",
    "other_dismissed",
)
Vector = list[float]
# Which outcomes a published measure is the sum of
SUM_OF: dict[str, tuple[int, ...]] = {
    "processed": (0, 1, 2, 3, 4, 5, 6),
    "investigated": (0, 1, 2, 3, 4),
    "dismissed": (5, 6),
    "cleared": (0, 1, 2),
    "cleared_indictment": (0,),
    "cleared_penalty_order": (1,),
    "cleared_waiver": (2,),
    "limited_investigated": (3,),
    "limited_dismissed": (5,),
}
Constraint = tuple[frozenset[int], Mapping[str, int]]


def measured(vector: Sequence[float], measure: str) -> float:
    """A published measure of offences by outcome."""
    return sum(vector[outcome] for outcome in SUM_OF[measure])


def total(vectors: Iterable[Sequence[float]]) -> Vector:
    """Sum of offences by outcome."""
    return [sum(column) for column in zip([0.0] * len(OUTCOMES), *vectors, strict=True)]


def complete(measures: Mapping[str, int], indicator_id: str, year: int) -> list[int]:
    """Offences by outcome that agree with the measures published; what these leave free follows the assumptions."""
    processed = measures["processed"]
    if "dismissed" in measures:
        dismissed = measures["dismissed"]
    elif "investigated" in measures:
        dismissed = processed - measures["investigated"]
    else:
        dismissed = round(processed * given.DISMISSED_SHARE)
    investigated = processed - dismissed
    cleared = measures.get("cleared", min(investigated, round(processed * given.CLEARED_SHARE)))
    limited = min(investigated - cleared, round(investigated * given.LIMITED_SHARE))
    limited = measures.get("limited_investigated", limited)
    fined = indicator_id == given.FINED_INDICATOR and year <= given.FINED_UNTIL
    penalty = round(cleared * (given.FINED_SHARE if fined else given.PENALTY_ORDER_SHARE))
    penalty = measures.get("cleared_penalty_order", penalty)
    waiver = measures.get("cleared_waiver", min(cleared - penalty, round(cleared * given.WAIVER_SHARE)))
    unlimited = dismissed - measures.get("limited_dismissed", round(dismissed * given.LIMITED_DISMISSED_SHARE))
    return [
        cleared - penalty - waiver,
        penalty,
        waiver,
        limited,
        investigated - cleared - limited,
        dismissed - unlimited,
        unlimited,
    ]


def resolve(
    constraints: Iterable[Constraint], weights: Mapping[int, tuple[float, bool]], indicator_id: str, year: int, tag: str
) -> dict[int, Vector]:
    """Whole numbers for every kind that the published rows cover, such that each row holds exactly.

    The row of the fewest kinds comes first; what a larger row has beyond them falls on its other kinds by weight, or if
    none has any, on those whose victim group is unknown (the flag beside the weight).
    """
    found: dict[int, Vector] = {}
    for numbers, measures in sorted(constraints, key=lambda row: (len(row[0]), sorted(row[0]))):
        known = total(found[number] for number in numbers if number in found)
        left = {measure: count - int(measured(known, measure)) for measure, count in measures.items()}
        vector = complete(left, indicator_id, year)
        free = sorted(number for number in numbers if number not in found)
        takers = [number for number in free if weights[number][0] > 0] or [n for n in free if weights[n][1]]
        if min(vector) < 0 or (any(vector) and not takers):
            raise ValueError(f"official figures contradict each other: {tag} {dict(measures)}, left over {vector}")
        found |= {number: [0.0] * len(OUTCOMES) for number in free}
        for outcome, count in enumerate(vector if takers else []):
            shares = [weights[number][0] or 1.0 for number in takers]
            for number, part in zip(takers, split(count, shares, f"{tag}/{len(numbers)}/{outcome}"), strict=True):
                found[number][outcome] = part
    return found


def split(count: int, weights: Sequence[float], tag: str) -> list[int]:
    """Split a whole number by weights, without bias: each part is its exact share rounded up or down."""
    phase, passed, all_ = chance(tag), 0.0, sum(weights)
    bounds = [0]
    for weight in weights:
        passed += weight
        bounds.append(floor(count * passed / all_ + phase))
    bounds[-1] = count
    return [upper - lower for lower, upper in pairwise(bounds)]


def interpolate(series: Mapping[int, Sequence[float]], year: int, growth: float) -> Vector:
    """The series in a year: a straight line between known years, slow growth outside them."""
    before = max((known for known in series if known <= year), default=None)
    after = min((known for known in series if known >= year), default=None)
    if before is None or after is None:
        known = next(one for one in (before, after) if one is not None)
        years = max(-given.GROWTH_YEARS, min(given.GROWTH_YEARS, year - known))
        return [level * growth**years for level in series[known]]
    if before == after:
        return list(series[before])
    share = (year - before) / (after - before)
    return [(1 - share) * one + share * other for one, other in zip(series[before], series[after], strict=True)]


def chance(*names: object) -> float:
    """An even number from 0 to below 1 that depends on nothing but the names."""
    digest = hashlib.blake2b("/".join(map(str, names)).encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 256**6


class Rounding:
    """Rounds a run of amounts so that the sum of any stretch of it is off by less than one, without bias."""

    def __init__(self, *names: object) -> None:
        self._carried = chance(*names)

    def take(self, amount: float) -> int:
        """The next amount as a whole number; one that is whole already stays as it is."""
        if amount == int(amount):
            return int(amount)
        self._carried += amount
        whole = floor(self._carried)
        self._carried -= whole
        return whole
