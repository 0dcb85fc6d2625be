"""Rounding half up from the exact ratio of counts, wherever a rate is shown."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.cli.load_result import _cell
from dagster_project.rounding import half_up, percentage, tenths_of_percent


@given(st.integers(1, 10**7).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_tenths_are_those_of_the_exact_ratio(share: tuple[int, int]) -> None:
    part, whole = share
    tenths = tenths_of_percent(part, whole)
    assert tenths <= Fraction(1000 * part, whole) + Fraction(1, 2) < tenths + 1


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (247, 2000, "12.4"),  # 12.35, whose double lies below it
        (1, 2000, "0.1"),
        (46, 10000, "0.5"),
        (1, 10000, "<0.1"),
        (0, 10000, "0.0"),
        (3, 3, "100.0"),
        (2, 3, "66.7"),
    ],
)
def test_a_percentage_as_it_is_shown(part: int, whole: int, shown: str) -> None:
    assert percentage(part, whole) == shown


def test_the_summary_of_a_load_rounds_from_the_counts() -> None:
    figure = {"cleared": 247, "processed": 2000, "clearance_pct": 100 * 247 / 2000}
    assert _cell(figure) == "12.4 % (247/2000)"
    assert _cell({"cleared": 0, "processed": 0, "clearance_pct": None}) == "– (0 processed)"


def test_a_double_is_rounded_half_up() -> None:
    assert half_up(100 / 512, 6) == "0.195313"  # 0.1953125
    assert half_up(-0.00005, 4) == "-0.0001"
    assert half_up(12.5, 0) == "13"
