"""Rounds numbers for display: half up, and rates from the exact ratio of their counts instead of its nearest double."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal


def tenths_of_percent(part: int, whole: int) -> int:
    """A share in tenths of a per cent: 247 of 2000 are 124, though the double nearest to 12.35 lies below it."""
    return (2000 * part + whole) // (2 * whole)


def percentage(part: int, whole: int) -> str:
    """A share in per cent with one decimal; a share above zero is never shown as 0.0."""
    tenths = tenths_of_percent(part, whole)
    return "<0.1" if part and not tenths else f"{tenths // 10}.{tenths % 10}"


def half_up(number: float, decimals: int) -> str:
    """A number with the given number of decimals."""
    return str(Decimal(number).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))
