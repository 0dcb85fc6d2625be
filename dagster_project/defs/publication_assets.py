"""Assets of group `published`: the draft, the publication, and its copy in PostgreSQL."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from dagster_project.defs.common import WAREHOUSE_POOL, Places, one_writer
from dagster_project.defs.quality_checks import check_result, describe_check, marts, validated_models, validation_page
from dagster_project.publication.marts_page import REPORT
from dagster_project.publication.release import PublishingBlockedError, make_draft, release
from dagster_project.publications import active_publication
from dagster_project.quality.audit import read_audit
from dagster_project.settings import DSN_VARIABLE
from dagster_project.transformation.dbt_project import (
    described_tables,
    mart_declarations,
)
from expectations.suites import load_suites

DRAFT = dg.AssetKey(["published", "draft"])
REPORT_ASSET = dg.AssetKey(["published", "report"])
CURRENT = dg.AssetKey(["published", "current"])
POSTGRES = dg.AssetKey(["published", "postgres"])


def publication_assets() -> list[dg.AssetsDefinition]:
    """The draft with the tables about the publication, the report, the publication, and its copy in PostgreSQL."""
    described = {dg.AssetKey(["marts", table]): mart_declarations()[table].description for table in described_tables()}
    return [_draft(described), _current(list(described)), _postgres()]


def _draft(described: Mapping[dg.AssetKey, str]) -> dg.AssetsDefinition:
    built = [*marts(), *validated_models()]

    @dg.multi_asset(
        name="draft",
        specs=[
            dg.AssetSpec(
                DRAFT,
                group_name="published",
                kinds={"parquet", "csv", "duckdb"},
                deps=built,
                description="All marts as files to be published, read back and compared with the build.",
            ),
            *(
                dg.AssetSpec(key, group_name="published", kinds={"duckdb"}, deps=built, description=description)
                for key, description in described.items()
            ),
        ],
        check_specs=[
            dg.AssetCheckSpec(
                expectation.meta["name"],
                asset=DRAFT,
                blocking=expectation.severity == "critical",
                description=describe_check(expectation.meta["limit"], expectation.notes),
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
                # The draft exists; its failed checks stop the downstream steps in Dagster.
                audit = found
        if not audit.results:
            context.log.info("no year is complete yet; nothing is published")
            return
        for key in (DRAFT, *(() if audit.blocking else described)):
            yield dg.MaterializeResult(asset_key=key, metadata={"checks": len(audit.results)})
        for result in audit.results:
            if result.layer == "published":
                yield check_result(DRAFT, [result], places)

    return draft


def _current(described: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="current",
        specs=[
            dg.AssetSpec(
                REPORT_ASSET,
                group_name="published",
                kinds={"html", "pdf"},
                deps=[DRAFT, *described],
                skippable=True,
                description="The yearly report: web pages and a PDF, generated from the draft's tables.",
            ),
            dg.AssetSpec(
                CURRENT,
                group_name="published",
                kinds={"parquet", "csv", "duckdb"},
                deps=[REPORT_ASSET],
                description="The publication: an immutable folder, and the pointer that readers open.",
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
                "validation_page": validation_page(places),
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
        description=f"Optional: the published tables in PostgreSQL, if {DSN_VARIABLE} is set.",
    )
    def postgres(context: dg.AssetExecutionContext, places: Places) -> Iterator[dg.MaterializeResult[None]]:
        settings = places.settings
        if not settings.postgres.dsn:
            context.log.info(f"{DSN_VARIABLE} is not set")
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
