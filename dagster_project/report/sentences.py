"""Rules that choose the messages about a figure; the wording is in the catalogues."""

from __future__ import annotations

from collections.abc import Sequence

from dagster_project.report.figures import Row

# Verdicts on the change from the year before.
RISE, FALL, WITHIN, NOT_COMPARABLE, UNKNOWN = "rise", "fall", "within", "not_comparable", "unknown"


def verdict(row: Row) -> str:
    """Return the verdict on the change from the year before."""
    if not row["comparable"]:
        return NOT_COMPARABLE
    if row["change_unrounded"] is None:
        return UNKNOWN
    if not row["significant"]:
        return WITHIN
    return RISE if row["change_unrounded"] > 0 else FALL


def messages(row: Row) -> tuple[str, ...]:
    """Return the keys of the messages about a figure, in order."""
    if row["suppression"]:
        return (f"withheld_{row['suppression']}",)
    if row["processed"] == 0:
        return ("none_processed",)
    return (*_level(row), *_change(row), *_trend(row), *_position(row))


def brief_messages(row: Row) -> tuple[str, ...]:
    """Return the messages for views of many indicators, without medians and explanations."""
    explaining = ("rounding", "before_comparable", "comparable_from")
    return tuple(name for name in messages(row) if not name.endswith("_median") and name not in explaining)


def shifts_by_rounding(row: Row) -> bool:
    """Return whether the difference of the rounded shares differs from the rounded difference."""
    return (
        row["change"] is not None
        and row["previous_pct"] is not None
        and (row["pct"] - row["previous_pct"] != row["change"])
    )


def _level(row: Row) -> Sequence[str]:
    outcome = (
        "none_cleared" if row["cleared"] == 0 else "all_cleared" if row["cleared"] == row["processed"] else "level"
    )
    return (outcome, "small") if row["small_number"] else (outcome,)


def _change(row: Row) -> Sequence[str]:
    if row["series_break"]:
        return ("break_within_year" if row["mixed_year"] else "break",)
    if not row["follows"]:
        return ("first_year",)
    if not row["comparable"]:
        return ("worked_off" if row["worked_off"] else "previous_not_comparable",)
    if row["change_unrounded"] is None:
        return ("change_unknown",)
    if row["change"] == 0:
        return ("barely_changed" if row["change_unrounded"] else "unchanged",)
    direction = "rise" if row["change_unrounded"] > 0 else "fall"
    message = f"{direction}_more_than_chance" if row["significant"] else f"{direction}_within_chance"
    return (message, "rounding") if shifts_by_rounding(row) else (message,)


def _trend(row: Row) -> Sequence[str]:
    if row["year"] < (row["first_comparable_year"] or 0):
        # `_change` already states that a year with a change within it cannot be compared.
        return ("comparable_from" if row["series_break"] and row["mixed_year"] else "before_comparable",)
    # The comparison with the year before is already in `_change`.
    if row["since"] is None or row["first_year"] == row["year"] - 1:
        return ()
    if row["since"] == 0:
        return ("since_same",)
    direction = "since_rise" if row["since"] > 0 else "since_fall"
    return (f"{direction}_{'overlapping' if row['overlaps'] else 'apart'}",)


def _position(row: Row) -> Sequence[str]:
    if row["geography_level"] == "riket":
        return ()
    messages_ = []
    if row["to_country"] is not None:
        side = _side(row["to_country"])
        messages_.append(
            f"{side}_country_{'within' if row['country_within'] else 'outside'}" if side != "as" else "as_country"
        )
        if row["country_small"]:
            messages_.append("country_small")
    messages_ += [
        f"{_side(row[f'to_{median}'])}_{median}"
        for median in ("region_median", "county_median")
        if row[f"to_{median}"] is not None
    ]
    return messages_


def _side(difference: int) -> str:
    return "above" if difference > 0 else "below" if difference < 0 else "as"
