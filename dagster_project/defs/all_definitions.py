"""Builds the definitions for given folders; the web page, the command line and the tests all use this module."""

from __future__ import annotations

import warnings

import dagster as dg

from dagster_project.defs.alerts import failed_run
from dagster_project.defs.automation import dead_runs, load_job, new_delivery, yearly_load
from dagster_project.defs.common import Places
from dagster_project.defs.delivery_assets import delivery_specs, expected_years_check, ingest_assets, rejections_check
from dagster_project.defs.model_assets import model_assets
from dagster_project.defs.publication_assets import CURRENT, publication_assets
from dagster_project.defs.quality_checks import quality_checks
from dagster_project.settings import DBT_PROJECT, Settings

# Code references are beta in Dagster 1.13; a load should not start with warnings about them.
warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*CodeReference")
OWNER = "team:uppklarat"
SOURCES = DBT_PROJECT / "models" / "_sources.yml"


def build_definitions(settings: Settings) -> dg.Definitions:
    """All definitions for the warehouse in these folders."""
    places = Places(
        landing=str(settings.landing),
        home=str(settings.home),
        published=str(settings.published),
        suppress_below=settings.suppress_below,
    )
    # External assets, which no code here materializes.
    declared = dg.CodeReferencesMetadataValue(code_references=[dg.LocalFileCodeReference(file_path=str(SOURCES))])
    assets: list[dg.AssetSpec | dg.AssetsDefinition] = [
        *(spec.merge_attributes(metadata={"dagster/code_references": declared}) for spec in delivery_specs()),
        *ingest_assets(),
        *model_assets(),
        *publication_assets(),
    ]
    return dg.Definitions(
        assets=dg.with_source_code_references(
            dg.map_asset_specs(lambda spec: spec.merge_attributes(owners=[OWNER]), assets)
        ),
        asset_checks=[expected_years_check(), *quality_checks(), rejections_check(CURRENT)],
        jobs=[load_job],
        schedules=[yearly_load(settings.schedule)],
        sensors=[new_delivery, dead_runs, failed_run],
        resources={"places": places},
        executor=dg.in_process_executor,
    )
