"""Assets of groups `audit` and `published`, and the checks that show every expectation's result at its asset."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import dagster as dg
from great_expectations import ExpectationSuite

from dagster_project import paths
from dagster_project.defs.common import WAREHOUSE_POOL, Places, one_writer
from dagster_project.publication.marts_page import REPORT
from dagster_project.publication.release import PublishingBlockedError, make_draft, release
from dagster_project.publications import active_publication
from dagster_project.quality.audit import Audit, audit_warehouse, read_audit
from dagster_project.settings import DSN_VARIABLE
from dagster_project.transformation.dbt_project import (
    data_test_checks,
    described_tables,
    mart_declarations,
    mart_tables,
    mart_views,
)
from expectations.results import CheckResult
from expectations.suites import load_suites

# The step that validates, and its check that stops what comes after it.
VALIDATE = "validate"
MAY_BE_PUBLISHED = "may_be_published"
FIGURES = dg.AssetKey(["marts", "fct_indicator_year"])
DRAFT = dg.AssetKey(["published", "draft"])
REPORT_ASSET = dg.AssetKey(["published", "report"])
CURRENT = dg.AssetKey(["published", "current"])
POSTGRES = dg.AssetKey(["published", "postgres"])


def publication_assets() -> list[dg.AssetsDefinition]:
    """The draft with the tables about the publication, the report and the publication, and the copy on PostgreSQL."""
    described = {dg.AssetKey(["marts", table]): mart_declarations()[table].description for table in described_tables()}
    return [_draft(described), _current(list(described)), _postgres()]


def _draft(described: Mapping[dg.AssetKey, str]) -> dg.AssetsDefinition:
    marts = _marts()

    @dg.multi_asset(
        name="draft",
        specs=[
            dg.AssetSpec(
                DRAFT,
                group_name="published",
                deps=marts,
                description="All marts in the files that will be published, read back and compared with what was built.",
            ),
            *(
                dg.AssetSpec(key, group_name="published", deps=marts, description=description)
                for key, description in described.items()
            ),
        ],
        check_specs=[
            dg.AssetCheckSpec(
                expectation.meta["name"],
                asset=DRAFT,
                blocking=expectation.severity == "critical",
                description=_description(expectation.meta["limit"], expectation.notes),
            )
            for suite in load_suites("published")
            for expectation in suite.expectations
        ],
        can_subset=True,
        pool=WAREHOUSE_POOL,
    )
    def draft(
        context: dg.AssetExecutionContext, places: Places
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        with one_writer(context, places.settings):
            try:
                audit = make_draft(places.settings)
            except PublishingBlockedError as error:
                found = read_audit(places.settings)
                if found is None or {result.layer for result in error.failed} != {"published"}:
                    raise
                # The draft is there, and Dagster stops what comes after its failed checks.
                audit = found
        if not audit.results:
            context.log.info("no year is complete yet; nothing is published")
            return
        for key in (DRAFT, *(() if audit.blocking else described)):
            yield dg.MaterializeResult(asset_key=key, metadata={"checks": len(audit.results)})
        for result in audit.results:
            if result.layer == "published":
                yield _check(DRAFT, [result], places)

    return draft


def _current(described: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="current",
        specs=[
            dg.AssetSpec(
                REPORT_ASSET,
                group_name="published",
                deps=[DRAFT, *described],
                skippable=True,
                description="The yearly follow-up that people read: pages and a PDF, from the draft's own tables.",
            ),
            dg.AssetSpec(
                CURRENT,
                group_name="published",
                deps=[REPORT_ASSET],
                description="What readers open: an immutable folder, and the pointer to it.",
            ),
        ],
        pool=WAREHOUSE_POOL,
    )
    def current(context: dg.AssetExecutionContext, places: Places) -> Iterator[dg.MaterializeResult[None]]:
        settings = places.settings
        with one_writer(context, settings):
            publication = release(settings)
        if publication is None:
            context.log.info("the newest publication is based on the same deliveries and code; nothing to publish")
            yield dg.MaterializeResult(
                asset_key=CURRENT, metadata={"publication_id": active_publication(settings) or "", "new": False}
            )
            return
        yield dg.MaterializeResult(
            asset_key=REPORT_ASSET,
            metadata={"first_page": dg.MetadataValue.path(publication.folder / REPORT)},
        )
        yield dg.MaterializeResult(
            asset_key=CURRENT,
            metadata={
                "publication_id": publication.publication_id,
                "new": True,
                "folder": dg.MetadataValue.path(publication.folder),
                "years": dg.MetadataValue.json(publication.manifest["years"]),
                "synthetic": bool(publication.manifest["synthetic"]),
                "bytes": sum(file["bytes"] for file in publication.manifest["files"].values()),
                "validation_page": _page(places),
            },
        )

    return current


def _postgres() -> dg.AssetsDefinition:
    @dg.asset(
        key=POSTGRES,
        group_name="published",
        kinds={"postgres"},
        deps=[CURRENT],
        pool=WAREHOUSE_POOL,
        output_required=False,
        description=f"The same tables on a PostgreSQL server, where {DSN_VARIABLE} names one.",
    )
    def postgres(context: dg.AssetExecutionContext, places: Places) -> Iterator[dg.MaterializeResult[None]]:
        settings = places.settings
        if not settings.postgres.dsn:
            context.log.info(f"{DSN_VARIABLE} names no server")
            return
        from dagster_project.publication.postgres import NotServedError, serve

        with one_writer(context, settings):
            try:
                served = serve(settings, settings.postgres)
            except NotServedError as error:
                raise dg.Failure(str(error), allow_retries=False) from None
        if served is None:
            return
        metadata: dict[str, Any] = {
            "publication_id": served.publication_id,
            "schema": served.schema,
            "new": served.changed,
        }
        if served.changed:
            metadata |= {"tables": len(served.rows), "rows": dg.MetadataValue.json(dict(served.rows))}
        yield dg.MaterializeResult(metadata=metadata)

    return postgres


def expectation_checks() -> dg.AssetChecksDefinition:
    """Every expectation as a check of the asset that it is about, and whether all of them let the marts be published.

    Data tests of dbt that declare a limit are among them, since only the audit knows whether one is waived or not judged.

    Dagster lets no asset begin of which a blocking check failed before it. Of raw and intermediate tables the marts are made before
    they are validated, so what fails there blocks by `may_be_published`.
    """
    suites = load_suites("raw", "intermediate", "marts")
    keys = {suite.meta["asset"]: _audited_asset(suite) for suite in suites}
    marts = _marts()
    # By asset and name, whether a failure blocks, and the description.
    declared = {
        (suite.meta["asset"], expectation.meta["name"]): (
            expectation.severity == "critical",
            _description(expectation.meta["limit"], expectation.notes),
        )
        for suite in suites
        for expectation in suite.expectations
    } | {key: (True, _description(meta["limit"], meta["reason"])) for key, meta in data_test_checks().items()}

    @dg.multi_asset_check(
        name=VALIDATE,
        specs=[
            dg.AssetCheckSpec(
                MAY_BE_PUBLISHED,
                asset=FIGURES,
                additional_deps=[mart for mart in marts if mart != FIGURES],
                blocking=True,
                description="No blocking check of the deliveries, the offences and the marts failed.",
            ),
            *(
                dg.AssetCheckSpec(
                    name,
                    asset=keys[asset],
                    additional_deps=[mart for mart in marts if mart != keys[asset]],
                    blocking=blocks and keys[asset] in marts,
                    description=description,
                )
                for (asset, name), (blocks, description) in declared.items()
            ),
        ],
        # While no year is complete there is nothing to validate, and no result to show.
        can_subset=True,
        pool=WAREHOUSE_POOL,
    )
    def validate(context: dg.AssetCheckExecutionContext, places: Places) -> Iterator[dg.AssetCheckResult]:
        with one_writer(context, places.settings):
            audit = audit_warehouse(places.settings)
        if not audit.results:
            return
        yield dg.AssetCheckResult(
            asset_key=FIGURES,
            check_name=MAY_BE_PUBLISHED,
            passed=not audit.blocking,
            description="; ".join(result.label for result in audit.blocking) or None,
            metadata=_about(audit, places),
        )
        results = sorted(audit.results, key=lambda result: (result.asset, result.name, result.year or 0))
        for (asset, name), of_check in groupby(results, key=lambda result: (result.asset, result.name)):
            if (asset, name) in declared:
                yield _check(keys[asset], list(of_check), places)

    return validate


def _marts() -> list[dg.AssetKey]:
    return [dg.AssetKey(["marts", name]) for name in (*mart_tables(), *mart_views())]


def _description(limit: str, reason: str) -> str:
    """What a check tests, and then why."""
    return f"Expected: {limit}. Why: {reason}."


def _audited_asset(suite: ExpectationSuite) -> dg.AssetKey:
    """The asset that a suite is about, by the schema of its table; the views of a typed extract have none."""
    schema, _, table = suite.meta["table"].rpartition(".")
    return dg.AssetKey([schema or "raw", table])


def _check(asset: dg.AssetKey, results: list[CheckResult], places: Places) -> dg.AssetCheckResult:
    """One check result; an expectation of deliveries has one result per year, of which the worst is shown.

    Dagster knows passed and failed only. A check that was not judged for any year is a warning, so that it does not look passed; if it
    was judged for some years, the description lists the others.
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
            "validation_page": _page(places),
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
        "validation_page": _page(places),
    }


def _failures(audit: Audit) -> str:
    """The failed checks as a table, for those whose browser does not follow a link from a page to a file."""
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


def _page(places: Places) -> dg.MetadataValue:
    return dg.MetadataValue.path(places.settings.home / paths.VALIDATION_PAGE)
