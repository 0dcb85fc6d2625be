"""The landing index: what was last loaded from each folder or file, so that only changed ones are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dagster_project import paths
from dagster_project.files import read_json, write_json
from dagster_project.ingestion.landing import DeliveryFolder, OfficialFile
from dagster_project.settings import Settings
from dagster_project.state import State


def read_index(settings: Settings) -> Mapping[str, Any]:
    """The signature, id and rules of what was loaded, by label."""
    index: Mapping[str, Any] = read_json(settings.home / paths.LANDING_INDEX, {})
    return index


def is_known(state: State, index: Mapping[str, Any], item: DeliveryFolder | OfficialFile, judged_by: str) -> bool:
    """Whether it is unchanged since it was loaded by these rules, and the loaded version is still active or was withdrawn."""
    seen = index.get(item.label, {})
    delivery_id = seen.get("delivery_id")
    active = state.active_record(item.source, item.year)
    if (active is None or active.delivery_id != delivery_id) and (
        item.source, item.year, delivery_id
    ) not in state.withdrawn:  # fmt: skip
        return False
    return (seen["signature"], seen["judged_by"]) == (item.signature(), judged_by)


def remember(settings: Settings, label: str, signature: str, delivery_id: str, judged_by: str) -> None:
    """Record what was loaded from a folder or file."""
    seen = {"signature": signature, "delivery_id": delivery_id, "judged_by": judged_by}
    write_json(settings.home / paths.LANDING_INDEX, {**read_index(settings), label: seen})
