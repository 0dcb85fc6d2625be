"""Expectations as Dagster asset checks: those of deliveries run before dbt, all others after it.

Dagster starts no asset downstream of a failed blocking check.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

import dagster as dg
from great_expectations import ExpectationSuite

from dagster_project import paths
from dagster_project.defs.common import WAREHOUSE_POOL, Places, one_writer
from dagster_project.quality.audit import Audit, audit_deliveries, audit_warehouse, is_of_deliveries
from dagster_project.transformation.dbt_project import data_test_checks, mart_tables
from expectations.results import CheckResult
from expectations.suites import load_suites

# The steps that validate, and the check that stops the steps after them.
VALIDATE_DELIVERIES = "validate_deliveries"
VALIDATE = "validate"
MAY_BE_PUBLISHED = "may_be_published"
FIGURES = dg.AssetKey(["marts", "fct_indicator_year"])


def quality_checks() -> list[dg.AssetChecksDefinition]:
    """The checks of deliveries, which can stop dbt, and those of offences and marts, which can stop the publication."""
    return [_delivery_checks(), _warehouse_checks()]


def marts() -> list[dg.AssetKey]:
    """The published tables built by dbt."""
    return [dg.AssetKey(["marts", name]) for name in mart_tables()]


def validated_models() -> list[dg.AssetKey]:
    """The models, besides the marts, that step `validate` checks."""
    found = {_asset_of(suite) for suite in load_suites("intermediate") if not is_of_deliveries(suite)}
    return sorted(found - {*marts()})


def _delivery_checks() -> dg.AssetChecksDefinition:
    suites = [suite for suite in load_suites("raw", "intermediate") if is_of_deliveries(suite)]
    # dbt does not read the table of unusable fields, so its checks could stop nothing; they concern the extracts' columns.
    extracts = [_asset_of(suite) for suite in suites if suite.meta["layer"] == "raw"]
    assets = {suite.meta["asset"]: _asset_of(suite) for suite in suites}
    assets = {name: asset if asset in extracts else extracts[0] for name, asset in assets.items()}
    declared = _declared(suites)

    @dg.multi_asset_check(
        name=VALIDATE_DELIVERIES,
        specs=[_check_spec(assets[check[0]], check[1], *declared[check], after=extracts) for check in declared],
        # A run of selected assets has only their checks.
        can_subset=True,
        pool=WAREHOUSE_POOL,
    )
    def validate_deliveries(context: dg.AssetCheckExecutionContext, places: Places) -> Iterator[dg.AssetCheckResult]:
        with one_writer(context, places.settings):
            audit = audit_deliveries(places.settings)
        yield from _check_results(audit, declared, assets, places, context.selected_asset_check_keys)

    return validate_deliveries


def _warehouse_checks() -> dg.AssetChecksDefinition:
    suites = [suite for suite in load_suites("intermediate", "marts") if not is_of_deliveries(suite)]
    assets = {suite.meta["asset"]: _asset_of(suite) for suite in suites}
    # Includes dbt's data tests with a limit, since only the audit knows whether a failure is waived or not judged.
    declared = _declared(suites) | {
        check: (True, describe_check(meta["limit"], meta["reason"])) for check, meta in data_test_checks().items()
    }

    @dg.multi_asset_check(
        name=VALIDATE,
        specs=[
            _check_spec(
                FIGURES,
                MAY_BE_PUBLISHED,
                blocks=True,
                description="No blocking check of the deliveries, the offences and the marts failed, and no waiver expired.",
                after=marts(),
            ),
            *(_check_spec(assets[check[0]], check[1], *declared[check], after=marts()) for check in declared),
        ],
        can_subset=True,
        pool=WAREHOUSE_POOL,
    )
    def validate(context: dg.AssetCheckExecutionContext, places: Places) -> Iterator[dg.AssetCheckResult]:
        with one_writer(context, places.settings):
            audit = audit_warehouse(places.settings)
        if audit.results:
            yield dg.AssetCheckResult(
                asset_key=FIGURES,
                check_name=MAY_BE_PUBLISHED,
                passed=not audit.blocking,
                description="; ".join(result.label for result in audit.blocking) or None,
                metadata=_about(audit, places),
            )
        else:
            yield _without_data(FIGURES, MAY_BE_PUBLISHED)
        yield from _check_results(audit, declared, assets, places, context.selected_asset_check_keys)

    return validate


def _declared(suites: Iterable[ExpectationSuite]) -> dict[tuple[str, str], tuple[bool, str]]:
    """By asset and name, whether a check blocks, and its description."""
    return {
        (suite.meta["asset"], expectation.meta["name"]): (
            expectation.severity == "critical",
            describe_check(expectation.meta["limit"], expectation.notes),
        )
        for suite in suites
        for expectation in suite.expectations
    }


def _check_spec(
    asset: dg.AssetKey, name: str, blocks: bool, description: str, after: Iterable[dg.AssetKey]
) -> dg.AssetCheckSpec:
    others = [key for key in after if key != asset]
    return dg.AssetCheckSpec(name, asset=asset, additional_deps=others, blocking=blocks, description=description)


def _check_results(
    audit: Audit,
    declared: Collection[tuple[str, str]],
    assets: Mapping[str, dg.AssetKey],
    places: Places,
    selected: Collection[dg.AssetCheckKey],
) -> Iterator[dg.AssetCheckResult]:
    results = sorted(audit.results, key=lambda result: (result.asset, result.name, result.year or 0))
    by_check = {check: list(some) for check, some in groupby(results, key=lambda result: (result.asset, result.name))}
    for check in declared:
        asset, name = assets[check[0]], check[1]
        if dg.AssetCheckKey(asset, name) in selected:
            yield check_result(asset, by_check[check], places) if check in by_check else _without_data(asset, name)


def _without_data(asset: dg.AssetKey, name: str) -> dg.AssetCheckResult:
    """The result of a check whose data was not delivered; without a result, Dagster warns that the check stopped nothing."""
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=name,
        passed=False,
        severity=dg.AssetCheckSeverity.WARN,
        description="not judged: no complete year has this data",
    )


def describe_check(limit: str, reason: str) -> str:
    """The condition and the reason of a check."""
    return f"Expected: {limit}. Why: {reason}."


def _asset_of(suite: ExpectationSuite) -> dg.AssetKey:
    """The asset that a suite validates, by the schema of its table; the views of a typed extract have none."""
    schema, _, table = suite.meta["table"].rpartition(".")
    return dg.AssetKey([schema or "raw", table])


def check_result(asset: dg.AssetKey, results: list[CheckResult], places: Places) -> dg.AssetCheckResult:
    """One check result; an expectation of deliveries has one result per year, and the worst is shown.

    Dagster knows only passed and failed. A check that was not judged for any year is a warning, so that it does not look passed;
    if it was judged for some years, the description lists the others.
    """
    failed = [one for one in results if one.blocks or one.warns]
    not_judged = [one for one in results if one.result == "not judged"]
    shown = (failed or (not_judged if len(not_judged) == len(results) else results))[-1]
    if failed:
        shown = next((one for one in failed if one.blocks), failed[0])
    by_result = {"failed": failed, "not judged": not_judged}
    years = [
        f"{word} for {', '.join(str(one.year) for one in some)}"
        for word, some in by_result.items()
        if some and some[0].year
    ]
    description = [shown.text if failed else shown.reason]
    if not failed and shown.result == "not judged":
        description.append(f"not judged: {shown.observed}")
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=shown.name,
        passed=not failed and shown.result != "not judged",
        severity=dg.AssetCheckSeverity.ERROR if shown.blocks else dg.AssetCheckSeverity.WARN,
        description="; ".join([*description, *years]),
        metadata={
            "result": shown.result,
            "observed": shown.observed,
            "limit": shown.limit,
            "offending_rows": sum(one.rows for one in failed),
            "who_corrects_it": "the supplier" if shown.owner == "supplier" else "us",
            "validation_page": validation_page(places),
            **(
                {
                    "by_year": dg.MetadataValue.json(
                        {str(one.year): {"result": one.result, "observed": one.observed} for one in results}
                    )
                }
                if shown.year
                else {}
            ),
        },
    )


def _about(audit: Audit, places: Places) -> dict[str, Any]:
    return {
        "may_be_published": not audit.blocking,
        "checks": len(audit.results),
        "blocking": dg.MetadataValue.json([one.label for one in audit.blocking]),
        "warnings": dg.MetadataValue.json([one.label for one in audit.warnings]),
        "not_judged": dg.MetadataValue.json([one.label for one in audit.not_judged]),
        "waivers": dg.MetadataValue.json([one.reason for one in audit.results if one.suite == "waivers"]),
        "what_did_not_pass": dg.MetadataValue.md(_failures(audit)),
        "validation_page": validation_page(places),
    }


def _failures(audit: Audit) -> str:
    """The failed checks as a table, because browsers may block links from a web page to a local file."""
    failed = [*audit.blocking, *audit.warnings]
    rows = [
        f"| {one.severity if one.result == 'failed' else one.result} | {one.asset}.{one.name} | {one.year or ''} "
        f"| {one.observed} | {one.limit} | {one.reason} |"
        for one in failed
    ]
    return (
        "\n".join(["| | check | year | found | expected | why |", "|---|---|---|---|---|---|", *rows])
        if failed
        else "nothing failed"
    )


def validation_page(places: Places) -> dg.MetadataValue:
    """A link to the page with all results."""
    return dg.MetadataValue.path(places.settings.home / paths.VALIDATION_PAGE)
