"""Assets of groups `reference` and `staging` to `marts`: one per dbt model, with its plain data tests as checks."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject, dbt_assets

from dagster_project import paths
from dagster_project.defs.common import WAREHOUSE_POOL, YEARS, Places, one_writer
from dagster_project.rounding import percentage
from dagster_project.settings import DBT_PROJECT, Settings
from dagster_project.transformation.build import build_marts
from dagster_project.transformation.dbt_project import NodeResult, prepare_manifest

UNIQUE_ID = "dagster_dbt/unique_id"
GROUP = "group: "
FIGURES = "fct_indicator_year"
# The conditions of dbt's generic tests, with their reasons.
REASONS = {
    "unique": "unique, since a duplicate row would be counted twice",
    "unique_combination": "unique together, since a duplicate row would be counted twice",
    "not_null": "never null, since readers and downstream models rely on it",
    "accepted_values": "one of the declared values, since downstream models handle no others",
    "relationships": "a key of the referenced table, since a row without one would be lost in a join",
}


class Translator(DagsterDbtTranslator):
    """Assigns each model to the group of its schema, and partitions incremental models by year."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The schema is the layer, unless a tag overrides it."""
        tagged = [tag for tag in dbt_resource_props["tags"] if tag.startswith(GROUP)]
        return tagged[0].removeprefix(GROUP) if tagged else str(dbt_resource_props["schema"])

    def get_partitions_def(self, dbt_resource_props: Mapping[str, Any]) -> dg.PartitionsDefinition[str] | None:
        """Models that keep other years' rows are partitioned by year; so is the model whose figures are shown by year."""
        keeps_years = dbt_resource_props["config"].get("materialized") == "incremental"
        return YEARS if keeps_years or dbt_resource_props["name"] == FIGURES else None

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetCheckSpec | None:
        """Data tests with a `limit` are reported with the expectations; other tests are described by their arguments."""
        test = manifest["nodes"][unique_id]
        if "limit" in test["config"]["meta"]:
            return None
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        declared = test.get("test_metadata")
        if spec is None or spec.description or declared is None:
            return spec
        columns = declared["kwargs"].get("column_name") or ", ".join(declared["kwargs"]["columns"])
        return dg.AssetCheckSpec(
            spec.name,
            asset=spec.asset_key,
            additional_deps=spec.additional_deps,
            blocking=spec.blocking,
            metadata=spec.metadata,
            description=f"{columns}: {REASONS[declared['name']]}.",
        )


def model_assets() -> list[dg.AssetsDefinition]:
    """All models, with their plain data tests."""
    manifest = prepare_manifest()

    @dbt_assets(
        manifest=manifest,
        project=DbtProject(DBT_PROJECT),
        # Exposures are readers, not assets.
        exclude="resource_type:exposure",
        name="transform",
        dagster_dbt_translator=Translator(DagsterDbtTranslatorSettings(enable_code_references=True)),
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=WAREHOUSE_POOL,
    )
    def transform(context: dg.AssetExecutionContext, places: Places) -> Iterator[Any]:
        with one_writer(context, places.settings):
            stale, results = build_marts(places.settings, () if _is_whole(context) else _selected(context))
        context.log.info("derived years %s", stale)
        yield from _events(context, places.settings, results)
        elsewhere = {str(year) for year in stale} - set(context.partition_keys)
        yearly = [key for key in context.selected_asset_keys if context.assets_def.specs_by_key[key].partitions_def]
        for key in yearly:
            for year in sorted(elsewhere):
                context.log_event(
                    dg.AssetMaterialization(
                        key, partition=year, metadata={"status": "rebuilt, it looks back to a changed year"}
                    )
                )

    return [transform]


def _is_whole(context: dg.AssetExecutionContext) -> bool:
    return not context.is_subset


def _selected(context: dg.AssetExecutionContext) -> list[str]:
    return [context.assets_def.metadata_by_key[key][UNIQUE_ID].split(".")[-1] for key in context.selected_asset_keys]


def _events(context: dg.AssetExecutionContext, settings: Settings, results: list[NodeResult]) -> Iterator[Any]:
    keys = {context.assets_def.metadata_by_key[key][UNIQUE_ID]: key for key in context.selected_asset_keys}
    by_name = {key.path[-1]: key for key in keys.values()}
    checks = {(check.asset_key, check.name) for check in context.selected_asset_check_keys}
    rows = _row_counts(settings)
    for result in results:
        if key := keys.get(result.unique_id):
            metadata: dict[str, Any] = {"seconds": round(result.seconds, 3)}
            if (count := rows.get((result.schema, result.name))) is not None:
                metadata["dagster/row_count"] = count
            if key.path[-1] == FIGURES:
                _add_trend(context, settings, key)
            yield dg.MaterializeResult(asset_key=key, metadata=metadata)
    for result in results:
        asset = by_name.get(result.tested_model or "")
        if asset and (asset, result.name) in checks:
            yield dg.AssetCheckResult(
                asset_key=asset,
                check_name=result.name,
                passed=result.status == "pass",
                metadata={"failing_rows": result.failures},
            )


def _row_counts(settings: Settings) -> dict[tuple[str, str], int]:
    with duckdb.connect(str(settings.home / paths.WAREHOUSE), read_only=True) as connection:
        tables = connection.execute("select schema_name, table_name, estimated_size from duckdb_tables()").fetchall()
    return {(schema, table): rows for schema, table, rows in tables}


def _add_trend(context: dg.AssetExecutionContext, settings: Settings, key: dg.AssetKey) -> None:
    """Attach each year's country rates as numbers, which Dagster plots over the years, and as a table."""
    with duckdb.connect(str(settings.home / paths.WAREHOUSE), read_only=True) as connection:
        figures = connection.execute(
            """
            select year, indicator_id, processed, cleared, clearance_pct from marts.fct_indicator_year
            where geography_level = 'riket' and variant = 'beslutad' and victim_group = 'total' order by all
            """
        ).fetchall()
    for year in context.partition_keys:
        of_year = [row[1:] for row in figures if row[0] == int(year)]
        if of_year:
            lines = [
                f"| {name} | {processed} | {cleared} | {percentage(cleared, processed) if processed else '–'} |"
                for name, processed, cleared, _ in of_year
            ]
            table = "\n".join(["| indicator | processed | cleared | % |", "|---|---:|---:|---:|", *lines])
            trend = {f"clearance_pct {name}": pct for name, _, _, pct in of_year if pct is not None}
            context.add_asset_metadata(
                {"country": dg.MetadataValue.md(table), **trend}, asset_key=key, partition_key=year
            )
