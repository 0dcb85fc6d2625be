"""The audit: which suites look at what, and whether the results together let the figures be published.

What is expected is declared in `expectations/suites/`; `expectations.validation` evaluates it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import duckdb

from dagster_project.contract import input_contract
from dagster_project.files import read_json, write_json
from dagster_project.memory import duckdb_limits, limit_memory
from dagster_project.quality.audit_basis import publication_basis
from dagster_project.quality.waivers import apply_waivers, read_waivers
from dagster_project.settings import Settings
from dagster_project.sql import parquet
from dagster_project.state import DeliveryRecord, active_deliveries, complete_years, record_folder
from dagster_project.transformation.dbt_project import NodeResult, data_tests, mart_tables, mart_views, read_data_tests
from dagster_project.transformation.fingerprints import is_built, raw_file
from dagster_project.versions import code_version, rules_version
from expectations.page import render_page
from expectations.results import CheckResult

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite

logger = logging.getLogger("uppklarat")


@dataclass(frozen=True)
class Audit:
    """All results of an audit, and the fingerprint of what was audited."""

    basis: str
    results: tuple[CheckResult, ...]

    @property
    def blocking(self) -> tuple[CheckResult, ...]:
        """The failed checks that stop publishing."""
        return tuple(result for result in self.results if result.blocks)

    @property
    def warnings(self) -> tuple[CheckResult, ...]:
        """The failed checks that only warn, or that somebody let pass."""
        return tuple(result for result in self.results if result.warns)

    @property
    def not_judged(self) -> tuple[CheckResult, ...]:
        """The checks that could not be judged: too few rows, no earlier year, or a failure before them."""
        return tuple(result for result in self.results if result.result == "not judged")


def audit_warehouse(settings: Settings) -> Audit:
    """Audit the deliveries of the complete years, the offences and the marts, with the data tests of the build.

    While no year is complete there is nothing to audit, and no result.
    """
    active = active_deliveries(settings)
    complete = complete_years(active)
    if not complete:
        return Audit(publication_basis(settings), ())
    # Great Expectations takes seconds to import, which only a load pays that audits.
    from expectations.suites import load_suites
    from expectations.validation import validate

    # An audit of marts that were built from other deliveries must not be taken for one of these.
    basis = publication_basis(settings) if is_built(settings) else "stale"
    results = [
        *(
            result
            for (_, year), record in active.items()
            if year in complete
            for result in _audit_delivery(settings, record)
        ),
        *_as_results(read_data_tests(settings)),
        *(result for record in active.values() for result in _corrections(record)),
    ]
    with duckdb.connect(str(settings.warehouse_file), read_only=True) as connection:
        limit_memory(connection)
        results += validate("marts", load_suites("intermediate", "marts"), connection)
    results = apply_waivers(results, read_waivers(settings.waivers), date.today())
    audit = Audit(basis, tuple(leave_consequences_unjudged(results, load_suites("raw", "intermediate", "marts"))))
    save_audit(settings, audit)
    return audit


def leave_consequences_unjudged(
    results: Iterable[CheckResult], declared: Iterable[ExpectationSuite]
) -> list[CheckResult]:
    """Call failures not judged whose asset is derived from one of which a check blocks: they may be its consequences.

    Nothing that fails gets lost by that, since what blocks is left, and once it is corrected all is judged again.
    """
    results = list(results)
    blocked = {result.asset for result in results if result.blocks}
    parents = {suite.meta["asset"]: suite.meta.get("follows", ()) for suite in declared}

    def causes(asset: str) -> set[str]:
        return {found for parent in parents.get(asset, ()) for found in ({parent} & blocked) | causes(parent)}

    def judged(result: CheckResult) -> CheckResult:
        of_suite = result.suite not in ("dbt", "waivers", "corrections")
        is_judgement = of_suite and result.result == "failed" and result.error is None
        if not (is_judgement and (behind := causes(result.asset))):
            return result
        why = f"not judged, since it may follow from what blocks in {', '.join(sorted(behind))}"
        return replace(result, result="not judged", observed=f"{result.observed} ({why})")

    return [judged(result) for result in results]


def save_audit(settings: Settings, audit: Audit) -> None:
    """Keep an audit and show it on the validation page."""
    results = [asdict(result) for result in audit.results]
    write_json(settings.audit_results, {"basis": audit.basis, "results": results})
    deliveries = active_deliveries(settings)
    years = complete_years(deliveries)
    heading = {
        "Audit of": f"{len(deliveries)} deliveries, years {', '.join(map(str, years)) or 'none'}",
        "Basis": audit.basis,
        "Code version": code_version(),
    }
    if any(record.synthetic is not None for record in deliveries.values()):
        heading["Data"] = "synthetic sample data"
    render_page(audit.results, heading=heading, destination=settings.validation_page)


def read_audit(settings: Settings) -> Audit | None:
    """The latest audit, if there is one."""
    said: dict[str, Any] | None = read_json(settings.audit_results, None)
    if said is None:
        return None
    try:
        return Audit(said["basis"], tuple(CheckResult.from_json(result) for result in said["results"]))
    except (KeyError, TypeError):
        # Older code kept results in another form; they are of another basis anyhow.
        return None


def missing_checks(settings: Settings, audit: Audit) -> list[str]:
    """Declared checks that the audit holds no result of, as `asset.name`, with the year for a delivery's."""
    from expectations.suites import load_suites

    active = active_deliveries(settings)
    complete = complete_years(active)
    sources = {file.table: file.source for file in input_contract().files}
    loaded: dict[str, list[int | None]] = {
        source: [year for (of, year) in active if of == source and year in complete] for source in sources.values()
    }
    declared: set[tuple[str, str, int | None]] = {
        (suite.meta["asset"], expectation.meta["name"], year)
        for suite in load_suites("raw", "intermediate", "marts")
        for expectation in suite.expectations
        for year in (loaded[sources[suite.meta["asset"]]] if suite.meta["layer"] == "raw" else [None])
    }
    declared |= {(model, test, None) for model, test in data_tests()}
    evaluated = {(result.asset, result.name, result.year) for result in audit.results}
    return sorted(f"{asset}.{name}{f' ({year})' if year else ''}" for asset, name, year in declared - evaluated)


def _audit_delivery(settings: Settings, record: DeliveryRecord) -> list[CheckResult]:
    """Audit a delivery's typed extract; once, since neither it nor the expectations change, unless a check ended in an error."""
    folder = record_folder(settings, record.source, record.year, record.delivery_id, record.judged_by)
    kept = folder / f"audit-{rules_version()}.json"
    said: list[dict[str, Any]] | None = read_json(kept, None)
    if said is not None:
        return [CheckResult.from_json(result) for result in said]
    from expectations.suites import load_suites
    from expectations.validation import validate

    files = {file.table: file.name for file in input_contract().sources[record.source]}
    of_source = [suite for suite in load_suites("raw") if suite.meta["asset"] in files]
    with duckdb.connect(config=duckdb_limits(settings.scratch)) as connection:
        for table, name in files.items():
            rows = parquet(raw_file(settings, record, name))
            connection.execute(f"create view {table} as select *, {record.year} as year from {rows}")
        results = validate("typed_extract", of_source, connection)
    results = [replace(result, year=record.year, limit=result.limit.format(year=record.year)) for result in results]
    logger.info("%s: %s checks of the typed extract", record.label, len(results))
    # What failed for a passing reason (memory, a locked file) must not fail for ever.
    if not any(result.error for result in results):
        write_json(kept, [asdict(result) for result in results])
    return results


def _corrections(record: DeliveryRecord) -> list[CheckResult]:
    """The declared corrections of a delivery, which readers shall know of; one that fits nothing does not come so far."""
    return [
        CheckResult(
            name=f"correction_{one['id']}",
            suite="corrections",
            layer="raw",
            asset=f"{record.source}_{one['file']}",
            severity="warn",
            owner="supplier",
            reason=f"{one['reason']} (reported by {one['reported_by']}, {one['date']})",
            result="passed",
            observed=f"{record.files[one['file']].corrected[one['id']]} rows: {one['what']}",
            limit="at least 1 row",
            rows=record.files[one["file"]].corrected[one["id"]],
            year=record.year,
        )
        for one in record.corrections
    ]


def _as_results(tests: Iterable[NodeResult]) -> list[CheckResult]:
    """dbt's data tests, which catch our own mistakes, as results among the others."""
    marts = {*mart_tables(), *mart_views()}
    return [
        CheckResult(
            name=test.name,
            suite="dbt",
            layer="marts" if test.tested_model in marts else "intermediate",
            asset=test.tested_model or "",
            severity="block",
            owner="us",
            reason="a data test of the transformation",
            result="passed" if test.status == "pass" else "failed",
            observed=f"{test.failures} failing rows",
            limit="0 failing rows",
            rows=test.failures,
        )
        for test in tests
    ]
