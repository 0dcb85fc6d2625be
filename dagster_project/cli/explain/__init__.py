"""Explains a published figure: formula, counts, deliveries and models, and in a private part the counted offences."""

from __future__ import annotations

from typing import Any

import duckdb

from dagster_project.cli.explain.figure import describe_figure, find_figure, formulas, list_deliveries
from dagster_project.cli.explain.lineage import lineage
from dagster_project.cli.explain.offences import explain_offences
from dagster_project.publication.draft import DATABASE
from dagster_project.publications import current_publication
from dagster_project.settings import Settings


class NothingPublishedError(Exception):
    """Nothing is published yet."""


def explain(
    settings: Settings,
    indicator: str,
    year: int,
    geography: str,
    victim_group: str = "total",
    variant: str | None = None,
) -> dict[str, Any]:
    """Explain a figure of the current publication.

    The value of `private` may only be shown to people with access to the warehouse. Raises `UnknownFigureError` and
    `NothingPublishedError`.
    """
    current = current_publication(settings)
    if current is None:
        raise NothingPublishedError("nothing is published yet: `uppklarat load` first")
    manifest = current.manifest
    with duckdb.connect(str(current.folder / DATABASE), read_only=True) as connection:
        key = find_figure(connection, indicator, year, geography, victim_group, variant)
        figure, definition = describe_figure(connection, key)
        steps = formulas(connection, key, figure)
    return {
        "question": key._asdict(),
        "publication": {
            name: manifest[name]
            for name in ("publication_id", "published_at", "synthetic", "code_version", "kept_from")
        },
        "figure": figure,
        "formulas": steps,
        "definition": definition,
        "deliveries": list_deliveries(manifest, key.year),
        "models": lineage(),
        "private": explain_offences(settings, manifest, key, figure),
    }
