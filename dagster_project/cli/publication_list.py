"""The kept publications, as data and as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dagster_project.publications import active_publication, publications
from dagster_project.settings import Settings
from dagster_project.years import format_years


def list_publications(settings: Settings) -> list[dict[str, Any]]:
    """Return the kept publications, oldest first."""
    current = active_publication(settings)
    return [
        {
            "publication_id": publication.publication_id,
            "current": publication.publication_id == current,
            "published_at": publication.manifest["published_at"],
            "synthetic": publication.manifest["synthetic"],
            "years": publication.manifest["years"],
            "code_version": publication.manifest["code_version"],
            "checks_passed": publication.manifest["checks"]["passed"],
            "checks_warned": publication.manifest["checks"]["warned"],
            # Not counted by older code.
            "checks_not_judged": publication.manifest["checks"].get("not_judged"),
            "waivers": publication.manifest.get("waivers", []),
            # Not recorded by older code.
            "revisions": publication.manifest.get("revisions"),
            "folder": str(publication.folder),
        }
        for publication in publications(settings)
    ]


def publications_as_text(summaries: Sequence[Mapping[str, Any]]) -> str:
    """Format the publications."""
    if not summaries:
        return "nothing is published yet"
    return "\n".join(line for summary in summaries for line in _publication_lines(summary))


def _publication_lines(summary: Mapping[str, Any]) -> list[str]:
    revised = summary["revisions"] or {}
    against = f"{revised['values']:,} values revised since {before}" if (before := revised.get("predecessor")) else ""
    fields = [
        f"{'→' if summary['current'] else ' '} {summary['publication_id']}  {summary['published_at'][:16].replace('T', ' ')} UTC",
        f"years {format_years(summary['years'])}",
        f"{summary['checks_passed']} checks passed, {summary['checks_warned']} warned"
        + ("" if summary["checks_not_judged"] is None else f", {summary['checks_not_judged']} not judged"),
        against,
        "synthetic" if summary["synthetic"] else "",
    ]
    return [
        "  ".join(filter(None, fields)),
        *(f"    differs: {text}" for text in revised.get("changes", ())),
        *(f"    not compared: {text}" for text in revised.get("not_compared", ())),
        *(f"    waiver: {text}" for text in summary["waivers"]),
    ]
