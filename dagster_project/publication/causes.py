"""What differs between what two publications rest on, as their manifests tell it, and which figures that can have changed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from dagster_project.settings import Settings
from dagster_project.state import ledger_entries, withdrawals
from dagster_project.versions import fingerprint

Manifest: TypeAlias = Mapping[str, Any]
Delivery: TypeAlias = Mapping[str, Any]
What: TypeAlias = tuple[str, int]
UNDETERMINED = "undetermined"
# Offences are looked up in the police deliveries of earlier years too.
_LOOKED_BACK_TO = "police"
# What a manifest tells of the ground it stands on, besides its deliveries, and how people call it where it changed.
_GROUNDS = {
    "code_version": "code",
    "own_offence_codes": "own_offence_codes",
    "suppress_below": "suppress_below",
    "kept_from": "purge",
}


@dataclass(frozen=True)
class Cause:
    """One thing that differs; `year` is the year of a delivery, None for what all figures rest on."""

    text: str
    year: int | None = None
    reaches_later_years: bool = False
    only_of_suppression: bool = False

    def can_have_changed(self, year: int, *, of_suppression: bool) -> bool:
        """Whether a figure of this year rests on it."""
        if self.only_of_suppression and not of_suppression:
            return False
        return self.year in (None, year) or (self.reaches_later_years and self.year is not None and self.year < year)


def grounds(settings: Settings) -> dict[str, Any]:
    """What a manifest tells for later comparison, besides deliveries and the version of the code."""
    own = settings.own_offence_codes
    return {
        "suppress_below": settings.suppress_below,
        "own_offence_codes": fingerprint([own]) if own.exists() else None,
        "withdrawn": [
            {"source": source, "year": year, "delivery_id": delivery_id, "at": at}
            for (source, year, delivery_id), at in withdrawals(settings).items()
        ],
    }


def last_loaded(settings: Settings) -> dict[tuple[str, int, str], str]:
    """When each delivery was loaded for the last time, by (source, year, delivery_id)."""
    return {
        (entry["source"], entry["year"], entry["delivery_id"]): entry["at"]
        for entry in ledger_entries(settings)
        if entry["event"] == "loaded"
    }


def causes_between(before: Manifest, after: Manifest) -> list[Cause]:
    """All that differs between what two publications rest on, the earlier one first."""
    return [
        *_changed_deliveries(before, after),
        *(
            Cause(name, only_of_suppression=ground == "suppress_below")
            for ground, name in _GROUNDS.items()
            if ground in before and ground in after and before[ground] != after[ground]
        ),
    ]


def causes_not_described(before: Manifest, after: Manifest) -> list[str]:
    """Grounds that one of the manifests, written by older code, does not tell, so that a change of them is not seen."""
    return [
        f"whether {name} changed, which the {'earlier' if ground not in before else 'later'} manifest does not tell"
        for ground, name in _GROUNDS.items()
        if ground not in before or ground not in after
    ]


def describe_causes(causes: Collection[Cause], year: int, *, of_suppression: bool) -> str:
    """All causes that can have changed a figure of a year, comma-separated."""
    possible = [one.text for one in causes if one.can_have_changed(year, of_suppression=of_suppression)]
    return ", ".join(possible) or UNDETERMINED


def _changed_deliveries(before: Manifest, after: Manifest) -> Iterator[Cause]:
    old, new = _by_source_and_year(before), _by_source_and_year(after)
    withdrawn_at = {
        (one["source"], one["year"], one["delivery_id"]): str(one["at"]) for one in after.get("withdrawn", ())
    }
    for what in sorted({*old, *new}, key=lambda one: (one[1], one[0])):
        for word, delivery in _events(old.get(what), new.get(what), withdrawn_at):
            source, year = what
            yield Cause(f"{word} {source}/{year}:{delivery['delivery_id']}", year, source == _LOOKED_BACK_TO)


def _events(
    old: Delivery | None, new: Delivery | None, withdrawn_at: Mapping[tuple[str, int, str], str]
) -> Iterator[tuple[str, Delivery]]:
    """What happened to the delivery of one source and year, each time with the delivery that did it."""
    if old and new and old["delivery_id"] == new["delivery_id"]:
        rules, corrections = _judged_otherwise(old, new)
        if rules:
            yield "judged_anew", new
        if corrections:
            yield "corrected", new
        return
    taken_back = withdrawn_at.get((old["source"], old["year"], old["delivery_id"])) if old else None
    if old and taken_back:
        yield "withdrawn", old
    elif old and new is None:
        # Of a year that another delivery's withdrawal left incomplete, or of a ledger that was begun again.
        yield "left_out", old
    # After a withdrawal an earlier delivery is active again, which nobody delivered.
    if new and not (taken_back and str(new.get("loaded_last", "")) <= taken_back):
        yield ("redelivered" if old else "added"), new


def _judged_otherwise(old: Delivery, new: Delivery) -> tuple[bool, bool]:
    """Whether the rules, and whether the corrections by which the same bytes were judged are others."""
    if "judged_by" in old and "judged_by" in new:
        (rules, _, corrections), (other_rules, _, others) = (one["judged_by"].partition("-") for one in (old, new))
        return rules != other_rules, corrections != others
    # A manifest of older code tells only how many rows each correction touched.
    touched, others = ([file.get("corrected") for file in one["files"].values()] for one in (old, new))
    return False, touched != others


def _by_source_and_year(manifest: Manifest) -> dict[What, Delivery]:
    return {(one["source"], one["year"]): one for one in manifest["deliveries"]}
