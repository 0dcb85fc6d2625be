"""The causes of revisions: differences between the manifests of two publications, and the figures they can change."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from dagster_project import paths
from dagster_project.state import State
from dagster_project.versions import fingerprint

Manifest: TypeAlias = Mapping[str, Any]
Delivery: TypeAlias = Mapping[str, Any]
DeliveryKey: TypeAlias = tuple[str, int]
UNDETERMINED = "undetermined"
# Offences are also looked up in the police deliveries of earlier years.
_LOOKED_BACK_TO = "police"
# Fields of a manifest, other than deliveries, that figures depend on, and the names of their changes.
_BASIS_NAMES = {
    "code_version": "code",
    "own_offence_codes": "own_offence_codes",
    "suppress_below": "suppress_below",
    "kept_from": "purge",
}


@dataclass(frozen=True)
class Cause:
    """A difference; `year` is the year of a delivery, or None if all figures depend on it."""

    text: str
    year: int | None = None
    reaches_later_years: bool = False
    only_of_suppression: bool = False

    def can_have_changed(self, year: int, *, of_suppression: bool) -> bool:
        """Return whether this can have changed a figure of the year."""
        if self.only_of_suppression and not of_suppression:
            return False
        return self.year in (None, year) or (self.reaches_later_years and self.year is not None and self.year < year)


def comparison_basis(state: State) -> dict[str, Any]:
    """Return the fields of a manifest for later comparison, except deliveries and code version."""
    own = state.settings.home / paths.OWN_OFFENCE_CODES
    return {
        "suppress_below": state.settings.suppress_below,
        "own_offence_codes": fingerprint([own]) if own.exists() else None,
        "withdrawn": [
            {"source": source, "year": year, "delivery_id": delivery_id, "at": at}
            for (source, year, delivery_id), at in state.withdrawn.items()
        ],
    }


def last_loaded(state: State) -> dict[tuple[str, int, str], str]:
    """Return when each delivery was last loaded, by (source, year, delivery_id)."""
    return {
        (entry["source"], entry["year"], entry["delivery_id"]): entry["at"]
        for entry in state.ledger
        if entry["event"] == "loaded"
    }


def causes_between(before: Manifest, after: Manifest) -> list[Cause]:
    """Return all differences between the inputs of two publications, the earlier first."""
    return [
        *_changed_deliveries(before, after),
        *(
            Cause(name, only_of_suppression=field == "suppress_below")
            for field, name in _BASIS_NAMES.items()
            if field in before and field in after and before[field] != after[field]
        ),
    ]


def causes_not_described(before: Manifest, after: Manifest) -> list[str]:
    """Return the fields that one of the manifests, written by older code, lacks, so that changes cannot be detected."""
    return [
        f"whether {name} changed, which the {'earlier' if field not in before else 'later'} manifest does not tell"
        for field, name in _BASIS_NAMES.items()
        if field not in before or field not in after
    ]


def describe_causes(causes: Collection[Cause], year: int, *, of_suppression: bool) -> str:
    """Return all causes that can have changed a figure of a year, comma-separated."""
    possible = [cause.text for cause in causes if cause.can_have_changed(year, of_suppression=of_suppression)]
    return ", ".join(possible) or UNDETERMINED


def _changed_deliveries(before: Manifest, after: Manifest) -> Iterator[Cause]:
    old, new = _by_source_and_year(before), _by_source_and_year(after)
    withdrawn_at = {
        (entry["source"], entry["year"], entry["delivery_id"]): str(entry["at"]) for entry in after.get("withdrawn", ())
    }
    for key in sorted({*old, *new}, key=lambda key: (key[1], key[0])):
        for word, delivery in _events(old.get(key), new.get(key), withdrawn_at):
            source, year = key
            yield Cause(f"{word} {source}/{year}:{delivery['delivery_id']}", year, source == _LOOKED_BACK_TO)


def _events(
    old: Delivery | None, new: Delivery | None, withdrawn_at: Mapping[tuple[str, int, str], str]
) -> Iterator[tuple[str, Delivery]]:
    """Yield the events of a source and year with the delivery concerned."""
    if old and new and old["delivery_id"] == new["delivery_id"]:
        rules, corrections = _validation_changes(old, new)
        if rules:
            yield "revalidated", new
        if corrections:
            yield "corrected", new
        return
    taken_back = withdrawn_at.get((old["source"], old["year"], old["delivery_id"])) if old else None
    if old and taken_back:
        yield "withdrawn", old
    elif old and new is None:
        # Another withdrawal left the year incomplete, or the ledger was recreated.
        yield "left_out", old
    # After a withdrawal an earlier delivery is active again without having been delivered.
    if new and not (taken_back and str(new.get("loaded_last", "")) <= taken_back):
        yield ("redelivered" if old else "added"), new


def _validation_changes(old: Delivery, new: Delivery) -> tuple[bool, bool]:
    """Return whether the rules and whether the corrections changed by which the same bytes were validated."""
    if "judged_by" in old and "judged_by" in new:
        (old_rules, _, old_corrections), (new_rules, _, new_corrections) = (
            delivery["judged_by"].partition("-") for delivery in (old, new)
        )
        return old_rules != new_rules, old_corrections != new_corrections
    # Manifests of older code only hold the number of rows of each correction.
    old_rows, new_rows = ([file.get("corrected") for file in delivery["files"].values()] for delivery in (old, new))
    return False, old_rows != new_rows


def _by_source_and_year(manifest: Manifest) -> dict[DeliveryKey, Delivery]:
    return {(delivery["source"], delivery["year"]): delivery for delivery in manifest["deliveries"]}
