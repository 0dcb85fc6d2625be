"""Waivers: thresholds that somebody decided to let pass for once, with reason, role, date and expiry."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import inf, isfinite
from pathlib import Path
from typing import Any

from dagster_project.contract import input_contract
from dagster_project.ingestion.identifiers import holds_identifier
from dagster_project.settings import Settings
from dagster_project.strict_yaml import StrictLoader, read_yaml
from expectations.results import CheckResult, Layer

# A waiver of the gate is for all files of one delivery. Of all other checks that block, a waiver widens the limit for one unit of
# those that are measured, and lets up to a number of rows pass of those that report rows.
GATE = "int_delivery_balance.quarantine_within_limit"
# The yearly load asks again.
LONGEST = timedelta(days=366)
WAIVABLE_LAYERS: tuple[Layer, ...] = ("raw", "intermediate", "marts")
_REQUIRED = {"check", "reason", "decided_by", "decided", "expires"}


class WaiversError(Exception):
    """The file of waivers is not what it should be."""


@dataclass(frozen=True)
class Waiver:
    """One waiver: `check` (as `asset.name`) may fail with at most `limit`.

    For the gate, `limit` is the per cent of a file's rows of the delivery (`source` and `year`) that may be quarantined. For a
    measured expectation it is the value that the `unit` may have, in place of the expectation's own `bound` (`at_least` or `at_most`,
    which are the expectation's own otherwise).
    For any other blocking expectation it is a number of offending rows; `year` then names the delivery whose extract is checked, if
    one is.
    """

    check: str
    layer: Layer
    source: str | None
    year: int | None
    limit: float
    reason: str
    decided_by: str
    decided: date
    expires: date
    unit: str | None = None
    bound: str = "rows"
    at_least: float = -inf
    at_most: float = inf

    def has_expired(self, today: date) -> bool:
        """Whether it no longer holds; it does to the end of the day that it names."""
        return today > self.expires

    def allows(self, value: float) -> bool:
        """Whether a measured value lies within the limit."""
        limits = {"at_least": self.at_least, "at_most": self.at_most, self.bound: self.limit}
        return limits["at_least"] <= value <= limits["at_most"]

    def covers(self, unit: str | None, value: float, year: int | None) -> bool:
        """Whether it lets the value of a unit pass or, where there is no unit, that number of rows of the year's delivery."""
        if self.check == GATE:
            return unit is not None and unit.startswith(f"{self.source}/{self.year}/") and value <= self.limit
        is_within = value <= self.limit if unit is None else self.allows(value)
        return self.unit == unit and self.year in (None, year) and is_within

    @property
    def text(self) -> str:
        """What everybody shall know of it."""
        of = self.unit or "/".join(str(part) for part in (self.source, self.year) if part is not None)
        limits = {
            "limit_pct": f"{self.limit:g} % of a file's rows quarantined",
            "rows": f"{self.limit:g} offending rows",
            "at_least": f"a value of {self.limit:g} at the least",
            "at_most": f"a value of {self.limit:g} at the most",
        }
        return (
            f"{self.check}{f' ({of})' if of else ''} may have {limits[self.bound]} until {self.expires}: {self.reason} "
            f"(decided by {self.decided_by}, {self.decided})"
        )


def read_waivers(path: Path) -> list[Waiver]:
    """Read the waivers, expired ones too; none where there is no file.

    Raises `WaiversError` for anything that is not wholly understood, and for a check that does not exist or does not block.
    """
    if not path.exists():
        return []
    declared = read_yaml(path, StrictLoader, WaiversError)
    if not isinstance(declared, list):
        raise WaiversError(f"{path}: it must hold a list of waivers")
    # Great Expectations takes seconds to import, which only those pay who waive.
    from expectations.suites import load_suites

    blocking: dict[str, tuple[Layer, Any]] = {
        f"{suite.meta['asset']}.{expectation.meta['name']}": (suite.meta["layer"], expectation)
        for suite in load_suites(*WAIVABLE_LAYERS)
        for expectation in suite.expectations
        if expectation.severity == "critical"
    }
    waivers = [_waiver(f"{path}, waiver {number}", one, blocking) for number, one in enumerate(declared, 1)]
    for waiver in waivers:
        same = [
            one
            for one in waivers
            if (one.check, one.source, one.year, one.unit) == (waiver.check, waiver.source, waiver.year, waiver.unit)
        ]
        if len(same) > 1:
            raise WaiversError(f"{path}: {waiver.check} is waived twice for the same delivery or unit")
    return waivers


def describe_waivers(settings: Settings) -> list[str]:
    """What was waived, for every load to show; an expired waiver blocks publishing."""
    today = date.today()
    return [f"{'EXPIRED, ' if one.has_expired(today) else ''}{one.text}" for one in read_waivers(settings.waivers)]


def apply_waivers(results: Sequence[CheckResult], waivers: Sequence[Waiver], today: date) -> list[CheckResult]:
    """Let failed results pass that waivers cover (result `waived`), and add a result for each waiver.

    That of an expired waiver fails and blocks: somebody has to renew it or take it away.
    """
    covering = [one for one in waivers if not one.has_expired(today)]

    def judged(result: CheckResult) -> CheckResult:
        if not result.blocks or result.error or result.suite == "dbt":
            return result
        meant = [one for one in covering if one.check == f"{result.asset}.{result.name}"]
        to_cover: tuple[tuple[str | None, float], ...] = result.beyond or ((None, result.rows),)
        needed = [
            next((one for one in meant if one.covers(unit, value, result.year)), None) for unit, value in to_cover
        ]
        texts = [one.text for one in needed if one is not None]
        if len(texts) < len(needed):
            return result
        return replace(result, result="waived", reason=f"{result.reason}. Waived: {'; '.join(texts)}")

    return [*map(judged, results), *(_shown(one, today) for one in waivers)]


def _shown(waiver: Waiver, today: date) -> CheckResult:
    asset, _, name = waiver.check.partition(".")
    return CheckResult(
        name="_".join(filter(None, ["waiver_of", name, waiver.source, waiver.unit])).replace(" ", "_"),
        suite="waivers",
        layer=waiver.layer,
        asset=asset,
        severity="block",
        owner="us",
        reason=waiver.text,
        result="failed" if waiver.has_expired(today) else "passed",
        observed=f"{'expired' if waiver.has_expired(today) else 'holds until'} {waiver.expires}",
        limit="not expired",
        year=waiver.year,
    )


def _waiver(where: str, declared: Any, blocking: dict[str, tuple[Layer, Any]]) -> Waiver:
    from expectations.kinds import ExpectMeasureToBeBetween, reports_rows

    def require(condition: object, problem: str) -> None:
        if not condition:
            raise WaiversError(f"{where}: {problem}")

    require(isinstance(declared, dict), "it must be a mapping")
    check = declared.get("check")
    require(check in blocking, "check must name a blocking expectation as asset.name, as a load prints it")
    layer, expectation = blocking[check]
    is_measured = isinstance(expectation, ExpectMeasureToBeBetween)
    limits = {"at_least": expectation.min_value, "at_most": expectation.max_value} if is_measured else {}
    others: set[str]
    optional: set[str] = set()
    if check == GATE:
        bound, others = "limit_pct", {"delivery"}
    elif is_measured:
        bounds = [name for name, value in limits.items() if value is not None]
        require(
            sum(name in declared for name in bounds) == 1,
            f"the check measures a value by {expectation.unit}: it needs {' or '.join(bounds)}, and unit",
        )
        bound, others = next(name for name in bounds if name in declared), {"unit"}
    else:
        require(
            reports_rows(expectation),
            "the check reports no rows that could bound a waiver; if it should not block, change it in its suite",
        )
        bound, others = "rows", set()
        optional = {"year"} if layer == "raw" else set()
    needed = _REQUIRED | others | {bound}
    require(
        set(declared) - optional == needed,
        f"it needs {', '.join(sorted(needed))}{' and may have year' if optional else ''}, and nothing else",
    )
    source, year = None, declared.get("year")
    if check == GATE:
        source, _, of_year = str(declared["delivery"]).partition("/")
        require(
            source in input_contract().sources and re.fullmatch("[0-9]{4}", of_year),
            "delivery must be like police/2024",
        )
        year = int(of_year)
    require(year is None or type(year) is int, "year must be a year")
    limit, unit = declared[bound], declared.get("unit")
    require(type(limit) in (int, float) and isfinite(limit), f"{bound} must be a number")
    if bound == "limit_pct":
        require(0 <= limit <= 100, "limit_pct must lie between 0 and 100")
    elif bound == "rows":
        require(type(limit) is int and limit >= 1, "rows must be a number of rows, at least 1")
    else:
        require(
            not expectation.is_within(limit),
            f"{bound} must be wider than the limit of the check ({limits[bound]:g}), or it lets nothing pass",
        )
        # YAML reads a unit that is a year as a number.
        require(type(unit) in (str, int) and str(unit).strip(), "unit must name what the check prints before the value")
    for name in ("reason", "decided_by"):
        require(isinstance(declared[name], str) and declared[name].strip(), f"{name} must be filled")
    for name in ("decided", "expires"):
        require(type(declared[name]) is date, f"{name} must be a day like 2026-05-31")
    require(declared["decided"] <= date.today(), "it was decided in the future")
    require(declared["decided"] <= declared["expires"], "it expires before it was decided")
    require(declared["expires"] - declared["decided"] <= LONGEST, f"it is for longer than {LONGEST.days} days")
    require(
        not holds_identifier(declared["reason"]) and not holds_identifier(declared["decided_by"]),
        "reason and decided_by are published: no case number and no personal identity number may stand there",
    )
    return Waiver(
        check=check,
        layer=layer,
        source=source,
        year=year,
        limit=limit,
        reason=" ".join(declared["reason"].split()),
        decided_by=declared["decided_by"].strip(),
        decided=declared["decided"],
        expires=declared["expires"],
        unit=None if unit is None else str(unit).strip(),
        bound=bound,
        at_least=-inf if limits.get("at_least") is None else limits["at_least"],
        at_most=inf if limits.get("at_most") is None else limits["at_most"],
    )
