"""How a published figure came about: formula, counts, deliveries and models, and privately the offences that were counted."""

from __future__ import annotations

from typing import Any

import duckdb

from dagster_project.cli.explain.figure import ask, deliveries_behind, described, formulas
from dagster_project.cli.explain.lineage import lineage
from dagster_project.cli.explain.offences import account
from dagster_project.publication.draft import DATABASE
from dagster_project.publications import active_publication, publications
from dagster_project.settings import Settings


class NothingPublishedError(Exception):
    """There is no figure to explain yet."""


def explain(
    settings: Settings,
    indicator: str,
    year: int,
    geography: str,
    victim_group: str = "total",
    variant: str = "beslutad",
) -> dict[str, Any]:
    """Explain a figure of the publication that readers open.

    Gives question, publication, figure, formulas, definition, deliveries, models and, under `private`, what only those may
    see who may see the warehouse. Raises `UnknownFigureError` for a figure that there is not, and `NothingPublishedError`.
    """
    current = active_publication(settings)
    found = [one for one in publications(settings) if one.publication_id == current]
    if not found:
        raise NothingPublishedError("nothing is published yet: `uppklarat load` first")
    said = found[0].said
    with duckdb.connect(str(found[0].folder / DATABASE), read_only=True) as connection:
        asked = ask(connection, indicator, year, geography, victim_group, variant)
        figure, definition = described(connection, asked)
        steps = formulas(connection, asked, figure)
    return {
        "question": asked._asdict(),
        "publication": {
            name: said[name] for name in ("publication_id", "published_at", "synthetic", "code_version", "kept_from")
        },
        "figure": figure,
        "formulas": steps,
        "definition": definition,
        "deliveries": deliveries_behind(said, asked.year),
        "models": lineage(),
        "private": account(settings, said, asked, figure),
    }
