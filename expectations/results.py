"""What became of one expectation, in the form that the audit keeps, shows and publishes."""

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
    """What became of one expectation.

    Attributes:
        severity: What a failure does: block publishing, or warn.
        result: `waived` is a failure that somebody let pass for once; `not judged` is neither passed nor failed.
        observed: A count or an aggregate, written for people; of what was not judged, what would be needed to judge it.
        rows: Offending rows; 0 where the expectation is about an aggregate or the table itself.
        error: Why the expectation could not be evaluated, without any value of the data.
        year: The year of the delivery that was validated; only the audit knows it.
        beyond: Of a measured expectation, each unit beyond the limit, with its value.
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
        """A result as `dataclasses.asdict` gives it and JSON keeps it."""
        return cls(**{**stored, "beyond": tuple((unit, value) for unit, value in stored["beyond"])})

    @property
    def passed(self) -> bool:
        """Whether it was evaluated, and holds."""
        return self.result == "passed"

    @property
    def blocks(self) -> bool:
        """Whether it stops publishing."""
        return self.result == "failed" and self.severity == "block"

    @property
    def warns(self) -> bool:
        """Whether it failed without stopping publishing."""
        return self.result == "waived" or (self.result == "failed" and self.severity == "warn")

    @property
    def label(self) -> str:
        """The check as a waiver names it, with the year of the delivery that it is about."""
        return f"{self.asset}.{self.name}{f' ({self.year})' if self.year else ''}"

    @property
    def text(self) -> str:
        """What was found, what the limit is, who corrects it and why it matters, in one line."""
        found = f"could not be evaluated: {self.error}" if self.error else f"found {self.observed}"
        who = "the supplier of the delivery" if self.owner == "supplier" else "us, in our code or our limits"
        return f"{self.label}: {found}; limit: {self.limit}; to be corrected by {who}; why it matters: {self.reason}"
