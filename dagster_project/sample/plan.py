"""The plan of one year: the number of rows in the deliveries by kind, region, outcome and weight."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dagster_project.sample import assumptions
from dagster_project.sample.arithmetic import Rounding
from dagster_project.sample.nation import Nation
from dagster_project.sample.offence_kinds import CONTEXT
from dagster_project.sample.scripts import PENDING, WAIVER


class Cell(NamedTuple):
    """A number of similar rows; `region` is an index into the nation's regions, `outcome` a class of `scripts.py`."""

    kind: int
    region: int
    outcome: int
    brottsantal: int
    rows: int


def plan(nation: Nation, year: int, scale: float, others: float, seed: int) -> Iterator[Cell]:
    """The cells of a year: national figures, scaled and rounded without bias, then split by suspect and weight.

    Of offences that never count, only the share `others` is planned.
    """
    sampled = Rounding(seed, year, "offences")
    pending = Rounding(seed, year, "pending")
    several = {weight: Rounding(seed, year, "weight", weight) for weight in assumptions.SEVERAL_SHARE}
    suspects = {outcome: Rounding(seed, year, "suspect", outcome) for outcome in assumptions.SUSPECT_SHARE}
    for kind, figures in nation.year(year):
        share = scale * others if kind.role == CONTEXT else scale
        for outcome in range(7):
            for region, vector in enumerate(figures.values()):
                offences = sampled.take(vector[outcome] * share)
                if not offences:
                    continue
                if outcome <= WAIVER:
                    classes = [(outcome, offences)]
                else:
                    known = min(offences, suspects[outcome].take(offences * assumptions.SUSPECT_SHARE[outcome]))
                    with_suspect = 2 * outcome - 3
                    classes = [(with_suspect, known), (with_suspect + 1, offences - known)]
                if kind.role != CONTEXT:
                    classes.append((PENDING, pending.take(offences * assumptions.PENDING_SHARE)))
                for number, count in classes:
                    for weight, rows in _weights(count, several):
                        yield Cell(kind.number, region, number, weight, rows)


def _weights(offences: int, several: dict[int, Rounding]) -> Iterator[tuple[int, int]]:
    """Rows of weight 1, and a few of higher weight, that add up to the offences."""
    left = offences
    for weight, rounding in several.items():
        rows = min(rounding.take(offences * assumptions.SEVERAL_SHARE[weight]), left // weight)
        left -= rows * weight
        if rows:
            yield weight, rows
    if left:
        yield 1, left
