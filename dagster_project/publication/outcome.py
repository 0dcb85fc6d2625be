"""The outcome of a load."""

from __future__ import annotations

from dataclasses import dataclass

from dagster_project.notification import Problem
from dagster_project.publications import Publication


class LoadFailedError(Exception):
    """A load that failed unexpectedly; the message names the step and the Dagster run."""


@dataclass(frozen=True)
class LoadOutcome:
    """The outcome of a load.

    Attributes:
        publication: The new publication; None if there was nothing new or it was blocked.
        rejected: Reasons of rejected deliveries.
        blocked: Why nothing was published.
        not_served: Why PostgreSQL does not serve the current publication.
        run_id: The Dagster run.
        missing: Expected years that are not published, with reasons.
    """

    publication: Publication | None = None
    rejected: tuple[str, ...] = ()
    blocked: str | None = None
    not_served: str | None = None
    run_id: str | None = None
    missing: tuple[str, ...] = ()

    @property
    def problems(self) -> list[Problem]:
        """The problems that need a person's attention, most severe first."""
        found = {
            "blocked": [self.blocked],
            "missing": self.missing,
            "not_served": [self.not_served],
            "rejected": self.rejected,
        }
        return [Problem(event, text) for event, texts in found.items() for text in texts if text]
