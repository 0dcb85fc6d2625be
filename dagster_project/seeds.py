"""The rows of dbt's seeds, for code that derives from them."""

from __future__ import annotations

import csv

from dagster_project.settings import SEEDS


def decided_indicators() -> list[dict[str, str]]:
    """Return the rows of the strategy's own indicators, without supporting measures."""
    return [row for row in seed_rows("indicator") if row["kind"] == "decided"]


def seed_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a seed in their order; an empty cell is an empty text."""
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
