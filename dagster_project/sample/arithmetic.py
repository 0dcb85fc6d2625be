"""Arithmetic on offences by outcome: completing a published row, splitting whole numbers, interpolating, rounding."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise, permutations
from math import floor

from dagster_project.sample import assumptions

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
# The outcomes that a published measure adds up
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
    """The value of a published measure."""
    return sum(vector[outcome] for outcome in SUM_OF[measure])


def total(vectors: Iterable[Sequence[float]]) -> Vector:
    """The sum of offences by outcome."""
    return [sum(column) for column in zip([0.0] * len(OUTCOMES), *vectors, strict=True)]


def complete(measures: Mapping[str, int], indicator_id: str, year: int) -> list[int]:
    """Offences by outcome that match the published measures; the rest follows the assumptions."""
    processed = measures["processed"]
    if "dismissed" in measures:
        dismissed = measures["dismissed"]
    elif "investigated" in measures:
        dismissed = processed - measures["investigated"]
    else:
        dismissed = round(processed * assumptions.DISMISSED_SHARE)
    investigated = processed - dismissed
    cleared = measures.get("cleared", min(investigated, round(processed * assumptions.CLEARED_SHARE)))
    limited = min(investigated - cleared, round(investigated * assumptions.LIMITED_SHARE))
    limited = measures.get("limited_investigated", limited)
    fined = indicator_id == assumptions.FINED_INDICATOR and year <= assumptions.FINED_UNTIL
    penalty = round(cleared * (assumptions.FINED_SHARE if fined else assumptions.PENALTY_ORDER_SHARE))
    penalty = measures.get("cleared_penalty_order", penalty)
    waiver = measures.get("cleared_waiver", min(cleared - penalty, round(cleared * assumptions.WAIVER_SHARE)))
    unlimited = dismissed - measures.get("limited_dismissed", round(dismissed * assumptions.LIMITED_DISMISSED_SHARE))
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
    constraints: Sequence[Constraint], weights: Mapping[int, tuple[float, bool]], indicator_id: str, year: int, tag: str
) -> dict[int, Vector]:
    """Whole numbers for every kind that the published rows cover, so that each row is matched exactly.

    The smallest rows come first; the rest of a larger row is split over its other kinds by weight, or, if none has a weight, over
    those whose victim group is unknown (the flag beside the weight).
    """
    found: dict[int, Vector] = {}
    rows = [*constraints, *_differences(constraints)]
    for numbers, measures in sorted(
        rows, key=lambda row: (row[1]["processed"], len(row[0]), sorted(row[0]), -len(row[1]))
    ):
        known = total(found[number] for number in numbers if number in found)
        left = {measure: count - int(measured(known, measure)) for measure, count in measures.items()}
        vector = complete(left, indicator_id, year)
        free = sorted(number for number in numbers if number not in found)
        receivers = [number for number in free if weights[number][0] > 0] or [
            number for number in free if weights[number][1]
        ]
        if min(vector) < 0 or (any(vector) and not receivers):
            raise ValueError(f"official figures contradict each other: {tag} {dict(measures)}, left over {vector}")
        found |= {number: [0.0] * len(OUTCOMES) for number in free}
        for outcome, count in enumerate(vector if receivers else []):
            shares = [weights[number][0] or 1.0 for number in receivers]
            for number, part in zip(receivers, split(count, shares, f"{tag}/{len(numbers)}/{outcome}"), strict=True):
                found[number][outcome] = part
    return found


def _differences(constraints: Sequence[Constraint]) -> Iterator[Constraint]:
    """What each row contains beyond another row that is part of it; negligent rape, for example, is rape less rape without it."""
    for (part, less), (whole, more) in permutations(constraints, 2):
        if part < whole:
            yield whole - part, {measure: more[measure] - less[measure] for measure in more if measure in less}


def split(count: int, weights: Sequence[float], tag: str) -> list[int]:
    """Split a whole number by weights, without bias: each part is its exact share rounded up or down."""
    phase, cumulated, total_weight = chance(tag), 0.0, sum(weights)
    bounds = [0]
    for weight in weights:
        cumulated += weight
        bounds.append(floor(count * cumulated / total_weight + phase))
    bounds[-1] = count
    return [upper - lower for lower, upper in pairwise(bounds)]


def interpolate(series: Mapping[int, Sequence[float]], year: int, growth: float) -> Vector:
    """The series' value in a year: its sum grows at one rate between known years, and slowly outside them."""
    before = max((known for known in series if known <= year), default=None)
    after = min((known for known in series if known >= year), default=None)
    if before is None or after is None:
        known = next(nearest for nearest in (before, after) if nearest is not None)
        years = max(-assumptions.GROWTH_YEARS, min(assumptions.GROWTH_YEARS, year - known))
        return [level * growth**years for level in series[known]]
    if before == after:
        return list(series[before])
    share = (year - before) / (after - before)
    first, last = sum(series[before]), sum(series[after])
    if first and last and first != last:
        share = ((last / first) ** share - 1) / (last / first - 1)
    return [(1 - share) * early + share * late for early, late in zip(series[before], series[after], strict=True)]


def chance(*names: object) -> float:
    """A uniform number from 0 to below 1 that depends only on the names."""
    digest = hashlib.blake2b("/".join(map(str, names)).encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 256**6


class Rounding:
    """Rounds a sequence of amounts without bias, so that the sum of any part of it is off by less than one."""

    def __init__(self, *names: object) -> None:
        self._remainder = chance(*names)

    def take(self, amount: float) -> int:
        """The next amount as a whole number; whole amounts stay unchanged."""
        if amount == int(amount):
            return int(amount)
        self._remainder += amount
        whole = floor(self._remainder)
        self._remainder -= whole
        return whole
