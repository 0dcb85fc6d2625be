"""Waivers: temporary exceptions from thresholds, each with its reason, deciding role, date and expiry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from math import inf
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BeforeValidator,
    Field,
    FiniteFloat,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from dagster_project import paths
from dagster_project.contract import DeliveryLabel
from dagster_project.declared_files import DeclaredModel, StrictLoader, describe_errors, read_yaml
from dagster_project.ingestion.identifiers import PublicText
from dagster_project.settings import Settings
from dagster_project.transformation.dbt_project import data_test_checks
from expectations.results import CheckResult, Layer

# A waiver of the gate covers all files of one delivery. For other blocking checks, a waiver widens the limit of one unit if the
# check measures a value, and allows up to a number of offending rows if the check reports rows.
GATE = "int_delivery_balance.quarantine_within_limit"
# Each yearly load requires a new decision.
LONGEST = timedelta(days=366)
WAIVABLE_LAYERS: tuple[Layer, ...] = ("raw", "intermediate", "marts")
_LIMITS = ("limit_pct", "rows", "at_least", "at_most")
_FOR_WHAT = ("delivery", "year", "unit")


class WaiversError(Exception):
    """The waivers file is invalid."""


class Waiver(DeclaredModel):
    """One waiver: `check` (as `asset.name`) may fail, within a limit.

    For the gate, `limit_pct` is the percentage of a file's rows of the `delivery` that may be quarantined. For a measured
    expectation, `at_least` or `at_most` replaces the expectation's own bound for the `unit`. For any other blocking expectation,
    `rows` is the allowed number of offending rows, and `year` is that of the delivery if the check validates an extract.
    """

    check: str
    reason: PublicText
    decided_by: PublicText
    decided: date
    expires: date
    delivery: DeliveryLabel | None = None
    year: int | None = None
    # YAML parses a unit that is a year as a number.
    unit: Annotated[
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] | None,
        BeforeValidator(lambda unit: str(unit) if type(unit) is int else unit),
    ] = None
    limit_pct: Annotated[float, Field(ge=0, le=100)] | None = None
    rows: Annotated[int, Field(ge=1)] | None = None
    at_least: FiniteFloat | None = None
    at_most: FiniteFloat | None = None
    _layer: Layer
    _own_bounds: dict[str, float]

    @model_validator(mode="after")
    def _is_for_a_year_at_most(self) -> Self:
        if self.decided > date.today():
            raise ValueError("it was decided in the future")
        if self.expires < self.decided:
            raise ValueError("it expires before it was decided")
        if self.expires - self.decided > LONGEST:
            raise ValueError(f"it is valid for more than {LONGEST.days} days")
        return self

    @model_validator(mode="after")
    def _fits_its_check(self, info: ValidationInfo) -> Self:
        from expectations.kinds import ExpectMeasureToBeBetween, reports_rows

        blocking: Mapping[str, tuple[Layer, Any]] = info.context or {}
        if self.check not in blocking:
            raise ValueError("check must name a blocking expectation as asset.name, as a load prints it")
        self._layer, expectation = blocking[self.check]
        is_measured = isinstance(expectation, ExpectMeasureToBeBetween)
        own = {"at_least": expectation.min_value, "at_most": expectation.max_value} if is_measured else {}
        self._own_bounds = {name: value for name, value in own.items() if value is not None}
        if self.check == GATE:
            choices = [{"delivery", "limit_pct"}]
        elif is_measured:
            choices = [{"unit", bound} for bound in self._own_bounds]
        elif expectation is None or reports_rows(expectation):
            choices = [{"rows"}, {"rows", "year"}] if self._layer == "raw" else [{"rows"}]
        else:
            raise ValueError(
                "the check reports no rows, so a waiver cannot be limited; change it in its suite if it should not block"
            )
        if {name for name in (*_LIMITS, *_FOR_WHAT) if getattr(self, name) is not None} not in choices:
            needed = ", or ".join(" and ".join(sorted(choice)) for choice in choices)
            raise ValueError(
                f"besides check, reason, decided_by, decided and expires it needs {needed}; and nothing else"
            )
        if self.unit is not None and expectation.is_within(self.limit):
            raise ValueError(
                f"{self._bound} must be wider than the limit of the check ({own[self._bound]:g}), or it lets nothing pass"
            )
        return self

    @property
    def layer(self) -> Layer:
        """The layer of its check."""
        return self._layer

    @property
    def _bound(self) -> str:
        return next(name for name in _LIMITS if getattr(self, name) is not None)

    @property
    def limit(self) -> float:
        """The limit that the waiver sets."""
        return float(getattr(self, self._bound))

    def has_expired(self, today: date) -> bool:
        """Whether the waiver has expired; it is valid until the end of its expiry date."""
        return today > self.expires

    def allows(self, value: float) -> bool:
        """Whether a measured value lies within the limit."""
        limits = {"at_least": -inf, "at_most": inf, **self._own_bounds, self._bound: self.limit}
        return limits["at_least"] <= value <= limits["at_most"]

    def covers(self, unit: str | None, value: float, year: int | None) -> bool:
        """Whether the waiver covers the value of a unit or, without a unit, this number of rows of the year's delivery."""
        if self.check == GATE:
            return unit is not None and unit.startswith(f"{self.delivery}/") and value <= self.limit
        is_within = value <= self.limit if unit is None else self.allows(value)
        return self.unit == unit and self.year in (None, year) and is_within

    @property
    def text(self) -> str:
        """The public description."""
        of = self.unit or self.delivery or self.year
        limits = {
            "limit_pct": f"{self.limit:g} % of a file's rows quarantined",
            "rows": f"{self.limit:g} offending rows",
            "at_least": f"a value of {self.limit:g} at the least",
            "at_most": f"a value of {self.limit:g} at the most",
        }
        return (
            f"{self.check}{f' ({of})' if of else ''} may have {limits[self._bound]} until {self.expires}: {self.reason} "
            f"(decided by {self.decided_by}, {self.decided})"
        )


def read_waivers(path: Path) -> list[Waiver]:
    """Read the waivers, including expired ones; without a file there are none.

    Raises `WaiversError` for anything unknown or invalid, and for a check that does not exist or does not block.
    """
    if not path.exists():
        return []
    declared = read_yaml(path, StrictLoader, WaiversError)
    # Imported only if there are waivers, because Great Expectations takes seconds to import.
    from expectations.suites import load_suites

    suites = load_suites(*WAIVABLE_LAYERS)
    blocking: dict[str, tuple[Layer, Any]] = {
        f"{suite.meta['asset']}.{expectation.meta['name']}": (suite.meta["layer"], expectation)
        for suite in suites
        for expectation in suite.expectations
        if expectation.severity == "critical"
    }
    layers = {suite.meta["asset"]: suite.meta["layer"] for suite in suites}
    # dbt's data tests are not expectations; they report rows.
    blocking |= {f"{model}.{check}": (layers[model], None) for model, check in data_test_checks()}
    try:
        waivers = TypeAdapter(list[Waiver]).validate_python(declared, context=blocking)
    except ValidationError as error:
        raise WaiversError(f"{path}: {describe_errors(error)}") from None
    waived = [(one.check, one.delivery, one.year, one.unit) for one in waivers]
    for waiver, what in zip(waivers, waived, strict=True):
        if waived.count(what) > 1:
            raise WaiversError(f"{path}: {waiver.check} is waived twice for the same delivery or unit")
    return waivers


def describe_waivers(settings: Settings) -> list[str]:
    """The waivers as text, shown by every load; an expired waiver blocks publishing."""
    today = date.today()
    return [
        f"{'EXPIRED, ' if one.has_expired(today) else ''}{one.text}"
        for one in read_waivers(settings.home / paths.WAIVERS)
    ]


def apply_waivers(results: Sequence[CheckResult], waivers: Sequence[Waiver], today: date) -> list[CheckResult]:
    """Change failed results that waivers cover to `waived`, and add a result for each waiver.

    The result of an expired waiver fails and blocks, so that the waiver is renewed or removed.
    """
    covering = [one for one in waivers if not one.has_expired(today)]

    def waived(result: CheckResult) -> CheckResult:
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

    return [*map(waived, results), *(_shown(one, today) for one in waivers)]


def _shown(waiver: Waiver, today: date) -> CheckResult:
    asset, _, name = waiver.check.partition(".")
    source, _, year = (waiver.delivery or "").partition("/")
    return CheckResult(
        name="_".join(filter(None, ["waiver_of", name, source, waiver.unit])).replace(" ", "_"),
        suite="waivers",
        layer=waiver.layer,
        asset=asset,
        severity="block",
        owner="us",
        reason=waiver.text,
        result="failed" if waiver.has_expired(today) else "passed",
        observed=f"{'expired' if waiver.has_expired(today) else 'holds until'} {waiver.expires}",
        limit="not expired",
        year=int(year) if year else waiver.year,
    )
