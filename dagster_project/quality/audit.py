"""The audit: runs the suites in `expectations/suites/` and decides whether the figures may be published."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

import duckdb

from dagster_project import paths
from dagster_project.contract import input_contract
from dagster_project.files import read_json, write_json
from dagster_project.memory import duckdb_limits, limit_memory
from dagster_project.quality.audit_basis import publication_basis
from dagster_project.quality.waivers import apply_waivers, read_waivers
from dagster_project.settings import Settings
from dagster_project.sql import parquet
from dagster_project.state import DeliveryRecord, State, read_state, record_folder
from dagster_project.transformation.dbt_project import (
    NodeResult,
    data_test_checks,
    data_tests,
    mart_tables,
    read_data_tests,
)
from dagster_project.transformation.fingerprints import is_built, raw_file
from dagster_project.transformation.raw_schema import list_delivered_files, list_unusable_fields, typed_rows
from dagster_project.versions import code_version, rules_version
from expectations.observed import show_count
from expectations.page import render_page
from expectations.results import CheckResult

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite

logger = logging.getLogger("uppklarat")


@dataclass(frozen=True)
class Audit:
    """The results of an audit and the fingerprint of its inputs."""

    basis: str
    results: tuple[CheckResult, ...]

    @property
    def blocking(self) -> tuple[CheckResult, ...]:
        """The failed checks that stop publishing."""
        return tuple(result for result in self.results if result.blocks)

    @property
    def warnings(self) -> tuple[CheckResult, ...]:
        """The failed checks that only warn or are waived."""
        return tuple(result for result in self.results if result.warns)

    @property
    def not_judged(self) -> tuple[CheckResult, ...]:
        """The checks that could not be judged: too few rows, no earlier year, or a blocking failure upstream."""
        return tuple(result for result in self.results if result.result == "not judged")


def audit_deliveries(settings: Settings) -> Audit:
    """Audit the deliveries of complete years, before anything is derived from them.

    Results are stored only if a check blocks; otherwise the audit of the warehouse contains them. Without a complete year there are
    no results.
    """
    state = read_state(settings)
    if not state.complete_years:
        return Audit(publication_basis(state), ())
    audit = Audit(publication_basis(state), tuple(_with_waivers(state, _delivery_results(state))))
    if audit.blocking:
        save_audit(state, audit)
    return audit


def audit_warehouse(settings: Settings) -> Audit:
    """Audit the deliveries of complete years, the offences and the marts; includes the build's data tests.

    Without a complete year there are no results.
    """
    state = read_state(settings)
    if not state.complete_years:
        return Audit(publication_basis(state), ())
    # Imported here because Great Expectations takes seconds to import.
    from expectations.suites import load_suites
    from expectations.validation import validate

    # An audit of stale marts must not be used for the current deliveries.
    basis = publication_basis(state) if is_built(state) else "stale"
    results = _delivery_results(state)
    of_warehouse = [suite for suite in load_suites("intermediate", "marts") if not is_of_deliveries(suite)]
    with duckdb.connect(str(settings.home / paths.WAREHOUSE), read_only=True) as connection:
        limit_memory(connection, settings)
        results += data_test_results(read_data_tests(settings), connection)
        results += validate("marts", of_warehouse, connection)
    results = _with_waivers(state, results)
    audit = Audit(basis, tuple(leave_consequences_unjudged(results, load_suites("raw", "intermediate", "marts"))))
    save_audit(state, audit)
    return audit


def is_of_deliveries(suite: ExpectationSuite) -> bool:
    """Whether a suite's table exists before dbt runs: a typed extract, or a table of schema `raw`."""
    return str(suite.meta["table"]).rpartition(".")[0] in ("", "raw")


def _delivery_results(state: State) -> list[CheckResult]:
    """Audit the deliveries of complete years; includes the declared corrections of all."""
    complete = {key: record for key, record in state.active.items() if record.year in state.complete_years}
    corrections = [result for record in state.active.values() for result in _corrections(record)]
    return [*audit_records(state.settings, complete), *corrections]


def audit_records(settings: Settings, records: Mapping[tuple[str, int], DeliveryRecord]) -> list[CheckResult]:
    """Audit deliveries by (source, year): their typed extracts, and how many of their values were unusable."""
    # Imported here because Great Expectations takes seconds to import.
    from expectations.suites import load_suites
    from expectations.validation import validate

    results = [result for record in records.values() for result in _audit_delivery(settings, record)]
    of_ledger = [suite for suite in load_suites("intermediate") if is_of_deliveries(suite)]
    with duckdb.connect() as connection:
        list_unusable_fields(connection, records, {record.year for record in records.values()})
        return [*results, *validate("typed_extract", of_ledger, connection)]


def audit_delivery_alone(settings: Settings, record: DeliveryRecord) -> list[CheckResult]:
    """Audit a delivery by all checks that need no other delivery: those of its extracts and of its row balance."""
    from great_expectations import ExpectationSuite

    from expectations.suites import load_suites
    from expectations.validation import validate

    alone = {(record.source, record.year): record}
    (balance,) = (suite for suite in load_suites("intermediate") if suite.name == "int_delivery_balance")
    of_one_delivery = ExpectationSuite(
        name=balance.name,
        meta=balance.meta,
        expectations=[deepcopy(one) for one in balance.expectations if one.meta.get("of_one_delivery")],
    )
    with duckdb.connect() as connection:
        list_delivered_files(connection, alone, {record.year})
        # Linking deliveries also quarantines rows, but is not done here.
        connection.execute(
            "create schema intermediate; create view intermediate.int_delivery_balance as from raw.delivery_file"
        )
        return [*audit_records(settings, alone), *validate("delivery_balance", [of_one_delivery], connection)]


def _with_waivers(state: State, results: Sequence[CheckResult]) -> list[CheckResult]:
    return apply_waivers(results, read_waivers(state.settings.home / paths.WAIVERS), date.today())


def leave_consequences_unjudged(
    results: Iterable[CheckResult], declared: Iterable[ExpectationSuite]
) -> list[CheckResult]:
    """Set failures downstream of a blocking check to `not judged`, since they may be its consequences.

    No failure is lost: the blocking check remains, and once it is fixed all checks are evaluated again.
    """
    results = list(results)
    blocked = {result.asset for result in results if result.blocks}
    parents = {suite.meta["asset"]: suite.meta.get("follows", ()) for suite in declared}

    def causes(asset: str) -> set[str]:
        return {cause for parent in parents.get(asset, ()) for cause in ({parent} & blocked) | causes(parent)}

    def with_causes_considered(result: CheckResult) -> CheckResult:
        from_suite = result.suite not in ("dbt", "waivers", "corrections")
        is_judgement = from_suite and result.result == "failed" and result.error is None
        if not (is_judgement and (blocked_causes := causes(result.asset))):
            return result
        why = f"not judged, since it may be a consequence of a blocking failure in {', '.join(sorted(blocked_causes))}"
        return replace(result, result="not judged", observed=f"{result.observed} ({why})")

    return [with_causes_considered(result) for result in results]


def save_audit(state: State, audit: Audit) -> None:
    """Store an audit and render the validation page."""
    results = [asdict(result) for result in audit.results]
    home = state.settings.home
    write_json(home / paths.AUDIT_RESULTS, {"basis": audit.basis, "results": results})
    years = state.complete_years
    heading = {
        "Audit of": f"{len(state.active)} deliveries, years {', '.join(map(str, years)) or 'none'}",
        "Basis": audit.basis,
        "Code version": code_version(),
    }
    if any(record.synthetic is not None for record in state.active.values()):
        heading["Data"] = "synthetic sample data"
    render_page(audit.results, heading=heading, destination=home / paths.VALIDATION_PAGE)


def read_audit(settings: Settings) -> Audit | None:
    """Return the latest stored audit, if any."""
    stored: dict[str, Any] | None = read_json(settings.home / paths.AUDIT_RESULTS, None)
    if stored is None:
        return None
    try:
        return Audit(stored["basis"], tuple(CheckResult.from_json(result) for result in stored["results"]))
    except (KeyError, TypeError):
        # Older code stored results in another form, with another basis.
        return None


def missing_checks(state: State, audit: Audit) -> list[str]:
    """Return the declared checks without a result, as `asset.name`, with the year for checks of deliveries."""
    from expectations.suites import load_suites

    complete = state.complete_years
    loaded: dict[str, list[int | None]] = {
        file.table: [
            year
            for (source, year), record in state.active.items()
            if source == file.source and file.name in record.files and year in complete
        ]
        for file in input_contract().files
    }
    declared: set[tuple[str, str, int | None]] = {
        (suite.meta["asset"], expectation.meta["name"], year)
        for suite in load_suites("raw", "intermediate", "marts")
        for expectation in suite.expectations
        for year in (loaded[suite.meta["asset"]] if suite.meta["layer"] == "raw" else [None])
    }
    declared |= {(model, test, None) for model, test in data_tests()}
    evaluated = {(result.asset, result.name, result.year) for result in audit.results}
    return sorted(f"{asset}.{name}{f' ({year})' if year else ''}" for asset, name, year in declared - evaluated)


def _audit_delivery(settings: Settings, record: DeliveryRecord) -> list[CheckResult]:
    """Audit a delivery's typed extract; results are stored and reused, unless a check ended in an error."""
    folder = record_folder(settings, record.source, record.year, record.delivery_id, record.judged_by)
    stored_results = folder / f"audit-{rules_version()}.json"
    stored: list[dict[str, Any]] | None = read_json(stored_results, None)
    if stored is not None:
        return [CheckResult.from_json(result) for result in stored]
    from expectations.suites import load_suites
    from expectations.validation import validate

    files = {file.table: file for file in input_contract().sources[record.source] if file.name in record.files}
    of_source = [suite for suite in load_suites("raw") if suite.meta["asset"] in files]
    with duckdb.connect(config=duckdb_limits(settings, settings.home / paths.SCRATCH)) as connection:
        for table, file in files.items():
            rows = f"select {record.year} as year, * from {parquet(raw_file(settings, record, file.name))}"
            connection.execute(f"create view {table} as {typed_rows(file, rows)}")
        results = validate("typed_extract", of_source, connection)
    results = [replace(result, year=record.year, limit=result.limit.format(year=record.year)) for result in results]
    logger.info("%s: %s checks of the typed extract", record.label, len(results))
    # Errors may be transient (memory, a locked file), so they are not stored.
    if not any(result.error for result in results):
        write_json(stored_results, [asdict(result) for result in results])
    return results


def _corrections(record: DeliveryRecord) -> list[CheckResult]:
    """Return the declared corrections of a delivery as passed checks, so that they are published."""
    return [
        CheckResult(
            name=f"correction_{correction['id']}",
            suite="corrections",
            layer="raw",
            asset=f"{record.source}_{correction['file']}",
            severity="warn",
            owner="supplier",
            reason=f"{correction['reason']} (reported by {correction['reported_by']}, {correction['date']})",
            result="passed",
            observed=f"{record.files[correction['file']].corrected[correction['id']]} rows: {correction['what']}",
            limit="at least 1 row",
            rows=record.files[correction["file"]].corrected[correction["id"]],
            year=record.year,
        )
        for correction in record.corrections
    ]


def data_test_results(tests: Iterable[NodeResult], connection: duckdb.DuckDBPyConnection) -> list[CheckResult]:
    """Convert dbt's data tests to check results.

    Data tests with a `limit` are checks of their model's suite, where the meaning of an empty table is declared too.
    """
    from expectations.suites import load_suites
    from expectations.validation import outcome_on_an_empty_table

    suites = {suite.meta["asset"]: suite for suite in load_suites("intermediate", "marts")}
    marts = set(mart_tables())

    @cache
    def is_empty(table: str) -> bool:
        return connection.execute(f"from {table} limit 1").fetchone() is None

    def as_result(test: NodeResult) -> CheckResult:
        model = test.tested_model or ""
        plain = CheckResult(
            name=test.name,
            suite="dbt",
            layer="marts" if model in marts else "intermediate",
            asset=model,
            severity="block",
            owner="us",
            reason="a data test of the transformation",
            result="passed" if test.status == "pass" else "failed",
            observed=f"{test.failures} failing rows",
            limit="0 failing rows",
            rows=test.failures,
        )
        check = data_test_checks().get((model, test.name))
        if check is None:
            return plain
        suite = suites[model]
        result, observed, rows, error = plain.result, show_count(plain.rows, "row"), plain.rows, None
        if test.is_broken:
            observed, error = "not determined", "dbt could not run it; dbt.log says why"
        elif not check.get("evaluates_an_empty_table") and is_empty(suite.meta["table"]):
            result, observed, rows, error = outcome_on_an_empty_table(suite)
        return replace(
            plain,
            suite=suite.name,
            owner=check["owner"],
            reason=check["reason"],
            limit=check["limit"],
            result=result,
            observed=observed,
            rows=rows,
            error=error,
        )

    return [as_result(test) for test in tests]
