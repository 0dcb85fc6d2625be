"""The result of an expectation, as the audit stores, shows and publishes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

Layer = Literal["raw", "intermediate", "marts", "published"]
Severity = Literal["block", "warn"]
Owner = Literal["us", "supplier"]
Result = Literal["passed", "failed", "waived", "not judged"]


@dataclass(frozen=True)
class CheckResult:
    """The result of an expectation.

    Attributes:
        severity: Whether a failure blocks publishing or warns.
        result: `waived` is a failure that a waiver covers; `not judged` is neither passed nor failed.
        observed: A count or an aggregate in words; if not judged, what is needed to judge it.
        rows: Unexpected rows; 0 if the expectation concerns an aggregate or the whole table.
        error: The error that prevented the evaluation, without values of the data.
        year: The year of the validated delivery; set by the audit.
        beyond: The units beyond the limit with their values, for expectations by unit.
    """

    name: str
    suite: str
    layer: Layer
    asset: str
    severity: Severity
    owner: Owner
    reason: str
    result: Result
    observed: str
    limit: str
    rows: int = 0
    error: str | None = None
    year: int | None = None
    beyond: tuple[tuple[str, float], ...] = ()

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Create a result from JSON as `dataclasses.asdict` produces it."""
        return cls(**{**stored, "beyond": tuple((unit, value) for unit, value in stored["beyond"])})

    @property
    def passed(self) -> bool:
        """Whether the expectation was evaluated and met."""
        return self.result == "passed"

    @property
    def blocks(self) -> bool:
        """Whether the result blocks publishing."""
        return self.result == "failed" and self.severity == "block"

    @property
    def warns(self) -> bool:
        """Whether the check failed without blocking publishing."""
        return self.result == "waived" or (self.result == "failed" and self.severity == "warn")

    @property
    def label(self) -> str:
        """The check as a waiver names it, with the delivery's year."""
        return f"{self.asset}.{self.name}{f' ({self.year})' if self.year else ''}"

    @property
    def text(self) -> str:
        """The finding, limit, owner and reason in one line."""
        observed = f"could not be evaluated: {self.error}" if self.error else f"found {self.observed}"
        owner = "the supplier of the delivery" if self.owner == "supplier" else "us, in our code or our limits"
        return (
            f"{self.label}: {observed}; limit: {self.limit}; to be corrected by {owner}; why it matters: {self.reason}"
        )
