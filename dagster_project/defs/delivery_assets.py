"""Assets of groups `deliveries` and `raw`: the files in the landing folder, and the typed tables loaded from them."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import dagster as dg
from pydantic import Field

from dagster_project.contract import input_contract
from dagster_project.defs.common import WAREHOUSE_POOL, YEARS, Places, one_writer
from dagster_project.ingestion.ingest import (
    changed_folders,
    ingest,
    known_rejections,
    record_rejection,
    uncorrected_deliveries,
)
from dagster_project.ingestion.landing import OFFICIAL, DeliveryFolder, OfficialFile, find_delivery_folders
from dagster_project.ingestion.official import changed_official_files, ingest_official
from dagster_project.ingestion.rejection import RejectedDeliveryError
from dagster_project.settings import Settings
from dagster_project.state import DeliveryRecord, read_state, years_not_complete
from dagster_project.transformation.dbt_project import kept_tables
from dagster_project.transformation.kept_figures import KEPT_HANDOVERS

ACCEPTED = "delivery_accepted"
EXPECTED_YEARS = "expected_years_arrived"
REJECTED = "no_delivery_was_rejected"


_Item = TypeVar("_Item", DeliveryFolder, OfficialFile)


class IngestConfig(dg.Config):
    """Selects the deliveries of the run's years to ingest."""

    complete_only: bool = True
    """Skip folders without a manifest, since they may still be uploading."""
    years: list[int] = Field(default_factory=list)
    """Only these years of the run's range; empty = all."""


class ExpectedYearsConfig(dg.Config):
    """The years that a run expects to be complete."""

    years: list[int] = Field(default_factory=list)


def delivery_specs() -> list[dg.AssetSpec]:
    """External assets: the deliveries, and the user's own declarations."""
    deliveries = [
        dg.AssetSpec(
            ["deliveries", source],
            group_name="deliveries",
            kinds={"csv"},
            partitions_def=YEARS,
            description=f"Yearly extracts of {source} in the landing folder: "
            + ", ".join(f"{file.name} ({file.grain})" for file in files),
        )
        for source, files in input_contract().sources.items()
    ]
    tables = [dg.AssetKey(["raw", file.table]) for file in input_contract().files]
    return [
        *deliveries,
        dg.AssetSpec(
            ["deliveries", OFFICIAL],
            group_name="deliveries",
            kinds={"excel"},
            description="Optional: Brå's own tables in the landing folder (table 300 of the country and the police regions).",
        ),
        *(
            dg.AssetSpec(["raw", name], group_name="deliveries", kinds={kind}, description=description)
            for name, (kind, description) in _beside_the_deliveries().items()
        ),
        dg.AssetSpec(
            ["raw", "delivery_file"],
            group_name="raw",
            kinds={"duckdb"},
            deps=tables,
            description="The files of the active deliveries, with their row balances.",
        ),
        dg.AssetSpec(
            ["raw", "complete_year"],
            group_name="raw",
            kinds={"duckdb"},
            deps=tables,
            description="Years for which every source has delivered, with the fingerprint of each year's inputs.",
        ),
        dg.AssetSpec(
            ["raw", "unusable_field"],
            group_name="raw",
            kinds={"duckdb"},
            deps=tables,
            description="Number of loaded rows of each file with an invalid value that was set to null, by column.",
        ),
    ]


def _beside_the_deliveries() -> dict[str, tuple[str, str]]:
    """Other tables of the private warehouse that a build reads: kind and description by table."""
    return {
        "own_offence_code": (
            "csv",
            "Optional: the user's own offence codes (offence_codes.csv in the private warehouse).",
        ),
        "population": (
            "csv",
            "Optional: inhabitants of each municipality and year (population.csv in the private warehouse).",
        ),
        **{f"kept_{table}": ("parquet", f"Published rows of {table} for purged years.") for table in kept_tables()},
        "kept_year": ("duckdb", "Years whose raw rows were purged."),
        f"kept_{KEPT_HANDOVERS}": (
            "parquet",
            "Dates in purged years on which the police handed offences over to a prosecutor.",
        ),
        "withheld_before": ("parquet", "Figures that earlier publications withheld; they remain withheld."),
        "disclosure_rule": (
            "duckdb",
            "Threshold of primary suppression below the police region (UPPKLARAT_SUPPRESS_BELOW).",
        ),
    }


def ingest_assets() -> list[dg.AssetsDefinition]:
    """One asset definition per source, since a delivery is loaded or rejected as a whole, and one for Brå's tables."""
    return [*(_ingest_source(source) for source in input_contract().sources), _ingest_official()]


def _ingest_official() -> dg.AssetsDefinition:
    key = dg.AssetKey(["raw", "official_row"])

    @dg.multi_asset(
        name=f"ingest_{OFFICIAL}",
        group_name="raw",
        specs=[
            dg.AssetSpec(
                key,
                deps=[["deliveries", OFFICIAL]],
                kinds={"parquet"},
                description="Typed rows of Brå's tables; grain: one declared row of a file, in its active and its previous version.",
            )
        ],
        check_specs=[dg.AssetCheckSpec(ACCEPTED, asset=key, description="No file from Brå was rejected.")],
        pool=WAREHOUSE_POOL,
    )
    def ingest_official_tables(
        context: dg.AssetExecutionContext, config: IngestConfig, places: Places
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        settings = places.settings
        with one_writer(context, settings):
            changed = changed_official_files(read_state(settings))
            taken = [file for file in changed if not config.years or file.year in config.years]
            _, rejected = _ingest_each(taken, ingest_official, settings)
        for text in rejected:
            context.log.error(text)
        yield dg.MaterializeResult(
            asset_key=key,
            metadata={
                "files": dg.MetadataValue.json(
                    [
                        file.name
                        for record, *_ in read_state(settings).official.values()
                        for file in record.files.values()
                    ]
                )
            },
        )
        yield _accepted(key, rejected)

    return ingest_official_tables


def _ingest_source(source: str) -> dg.AssetsDefinition:
    keys = {file.name: dg.AssetKey(["raw", file.table]) for file in input_contract().sources[source]}

    @dg.multi_asset(
        name=f"ingest_{source}",
        group_name="raw",
        specs=[
            dg.AssetSpec(
                keys[file.name],
                deps=[["deliveries", source]],
                kinds={"parquet"},
                description=f"Typed rows; grain: {file.grain}.",
            )
            for file in input_contract().sources[source]
        ],
        check_specs=[
            dg.AssetCheckSpec(
                ACCEPTED, asset=key, description="No delivery of the run's years was rejected as a whole."
            )
            for key in keys.values()
        ],
        partitions_def=YEARS,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=WAREHOUSE_POOL,
    )
    def ingest_source(
        context: dg.AssetExecutionContext, config: IngestConfig, places: Places
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        settings = places.settings
        years = {int(key) for key in context.partition_keys} & (
            set(config.years) or {int(key) for key in context.partition_keys}
        )
        with one_writer(context, settings):
            taken = [
                folder
                for folder in changed_folders(read_state(settings))
                if folder.source == source and folder.year in years and (folder.is_complete or not config.complete_only)
            ]
            loaded, rejected = _ingest_each(taken, ingest, settings)
        state = read_state(settings)
        rejected += [text for label, text in uncorrected_deliveries(state).items() if label.startswith(f"{source}/")]
        for text in rejected:
            context.log.error(text)
        there = {folder.year for folder in find_delivery_folders(settings.landing) if folder.source == source}
        for name, key in keys.items():
            for year in map(int, context.partition_keys):
                record = state.active.get((source, year))
                status = _status(record, name, is_loaded=year in loaded, is_there=year in there)
                about = _about(record, name) if record and name in record.files else {}
                context.add_asset_metadata({"status": status, **about}, asset_key=key, partition_key=str(year))
            yield dg.MaterializeResult(asset_key=key)
        for key in keys.values():
            yield _accepted(key, rejected)

    return ingest_source


def _ingest_each(
    items: Iterable[_Item], ingest_one: Callable[[_Item, Settings], DeliveryRecord | None], settings: Settings
) -> tuple[set[int], list[str]]:
    """Ingest every valid delivery; return the loaded years, and the reasons of the rejected ones."""
    loaded: set[int] = set()
    rejected: list[str] = []
    for item in items:
        try:
            if ingest_one(item, settings):
                loaded.add(item.year)
        except RejectedDeliveryError as error:
            rejected.append(str(error))
            record_rejection(settings, item, str(error))
    return loaded, rejected


def _accepted(asset: dg.AssetKey, rejected: list[str]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=ACCEPTED,
        passed=not rejected,
        metadata={"rejected": dg.MetadataValue.json(rejected)},
        description="; ".join(rejected) or None,
    )


def expected_years_check() -> dg.AssetChecksDefinition:
    """Fail a run on the day by which a year was expected if the year is incomplete."""
    first, *others = [dg.AssetKey(["raw", file.table]) for file in input_contract().files]

    @dg.multi_asset_check(
        name=EXPECTED_YEARS,
        specs=[
            dg.AssetCheckSpec(
                EXPECTED_YEARS,
                asset=first,
                additional_deps=others,
                description="The years expected by the day of the run are complete: both deliveries are loaded.",
            )
        ],
        # Without expected years there is nothing to report.
        can_subset=True,
    )
    def check_expected_years(config: ExpectedYearsConfig, places: Places) -> Iterator[dg.AssetCheckResult]:
        if not config.years:
            return
        missing = "; ".join(years_not_complete(read_state(places.settings), config.years).values())
        yield dg.AssetCheckResult(asset_key=first, check_name=EXPECTED_YEARS, passed=not missing, description=missing)
        if missing:
            # No other step depends on this one, so the deliveries that did arrive are still loaded.
            raise dg.Failure(missing, allow_retries=False)

    return check_expected_years


def rejections_check(last: dg.AssetKey) -> dg.AssetChecksDefinition:
    """Fail a run that rejected a delivery after `last` is materialized: the rest is published, and failure alerts are sent."""

    @dg.multi_asset_check(
        name=REJECTED,
        specs=[
            dg.AssetCheckSpec(
                REJECTED,
                asset=last,
                description="No delivery of the run's years was rejected; fails the run if one was.",
            )
        ],
        can_subset=True,
    )
    def check_rejections(context: dg.AssetCheckExecutionContext, places: Places) -> Iterator[dg.AssetCheckResult]:
        tags = context.run.tags
        first, final = (
            int(tags.get(f"dagster/asset_partition_range_{end}") or tags.get("dagster/partition") or year)
            for end, year in (("start", 0), ("end", 9999))
        )
        state = read_state(places.settings)
        changed = [folder for folder in changed_folders(state) if first <= folder.year <= final]
        known = known_rejections(places.settings, [*changed, *changed_official_files(state)])
        rejected = "; ".join([*known.values(), *uncorrected_deliveries(state).values()])
        yield dg.AssetCheckResult(asset_key=last, check_name=REJECTED, passed=not rejected, description=rejected)
        if rejected:
            raise dg.Failure(rejected, allow_retries=False)

    return check_rejections


def _status(record: DeliveryRecord | None, file: str, *, is_loaded: bool, is_there: bool) -> str:
    """The outcome of a run for a file of a year; the delivery may lack the file."""
    if record is None:
        return "waits" if is_there else "not delivered"
    if file not in record.files:
        return "not delivered"
    return "loaded" if is_loaded else "as before"


def _about(record: DeliveryRecord, file: str) -> dict[str, dg.MetadataValue]:
    of_file = record.files[file]
    quarantined = sum(of_file.quarantined.values())
    return {
        "dagster/row_count": dg.MetadataValue.int(of_file.rows_loaded),
        "rows_read": dg.MetadataValue.int(of_file.rows_read),
        "rows_quarantined": dg.MetadataValue.int(quarantined),
        "quarantined_pct": dg.MetadataValue.float(100 * quarantined / of_file.rows_read),
        "exact_duplicates": dg.MetadataValue.int(of_file.duplicates),
        "quarantined_by_reason": dg.MetadataValue.json(dict(of_file.quarantined)),
        "unusable_by_column": dg.MetadataValue.json(dict(of_file.unusable)),
        "delivery_id": dg.MetadataValue.text(record.delivery_id),
        "synthetic": dg.MetadataValue.bool(record.synthetic is not None),
        "warnings": dg.MetadataValue.json(list(record.warnings)),
    }
