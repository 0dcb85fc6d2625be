"""What a load did."""

from __future__ import annotations

from dataclasses import dataclass

from dagster_project.publications import Publication


class LoadFailedError(Exception):
    """A load that failed unexpectedly; the message names the step and the Dagster run."""


@dataclass(frozen=True)
class LoadOutcome:
    """What a load did.

    `publication` is the new one, None where there was nothing new or it was not allowed; `rejected` and `blocked` say why in
    words; `not_served` why PostgreSQL does not serve what is published; `run_id` names the Dagster run; `missing` which expected
    years readers do not have, and why.
    """

    publication: Publication | None = None
    rejected: tuple[str, ...] = ()
    blocked: str | None = None
    not_served: str | None = None
    run_id: str | None = None
    missing: tuple[str, ...] = ()
