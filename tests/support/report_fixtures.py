"""A pytest plugin with fixtures of a report and of browsers that read it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Browser, sync_playwright
from report_reader import Reader

from dagster_project import paths
from dagster_project.report.follow_up import write_report
from dagster_project.settings import Settings

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
QUIET = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@pytest.fixture(scope="session")
def publication(published_world: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of a publication and its report."""
    folder = tmp_path_factory.mktemp("reported")
    shutil.copytree(published_world.published / paths.CURRENT / "parquet", folder / "parquet")
    _invent_cohorts(folder / "parquet")
    _invent_official_figures(folder / "parquet")
    write_report(folder)
    return folder


def _invent_cohorts(tables: Path) -> None:
    """Fill the table of reported offences, of which the world has none."""
    reported = tables / "fct_reported_year.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            create table invented as from '{reported}';
            insert into invented by name
            select
                indicator_id, variant, cohort.year, by_year.year as by_year, geography_level, geography_code,
                cast(hash(indicator_id, variant, geography_code, cohort.year) % 90 as bigint) as reported,
                reported * (1 + by_year.year - cohort.year) // 3 as decided,
                decided // 5 as cleared,
                100.0 * decided / nullif(reported, 0) as decided_of_reported_pct,
                100.0 * cleared / nullif(reported, 0) as cleared_of_reported_pct
            from '{tables}/dim_indicator.parquet', '{tables}/dim_geography.parquet', '{tables}/dim_year.parquet' as cohort
            inner join '{tables}/dim_year.parquet' as by_year on cohort.year <= by_year.year
            where geography_level in ('riket', 'polisregion');
            copy invented to '{reported}' (format parquet)"""
        )


def _invent_official_figures(tables: Path) -> None:
    """What the years of the world have none of: a file, a figure that is not comparable, and supporting measures."""
    reconciled = tables / "fct_reconciliation_year.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            create table invented as from '{reconciled}';
            update invented set official_file = '300Rn03-2024.xlsx', official_sha256 = repeat('0123456789abcdef', 4)
            where official_processed is not null and indicator_id = 'kontakt_barn_sexuellt_syfte';
            update invented set
                status = 'not comparable', official_match = 'narrow',
                official_note = 'Less than <ours>', official_note_sv = 'Mindre än <vår>'
            where official_processed is not null and indicator_id = 'kontakt_barn_sexuellt_syfte' and variant = 'beslutad';
            update invented set
                official_file = 'embedded', official_sha256 = 'embedded', official_corrected_on = '2026-07-07',
                official_processed = processed + 7,
                official_cleared = cleared, status = if(indicator_id = 'barnfridsbrott', 'not comparable', 'differs'),
                official_note = if(indicator_id = 'barnfridsbrott', 'Unclear', null),
                official_note_sv = if(indicator_id = 'barnfridsbrott', 'Oklar', null)
            where variant = 'egen' and victim_group = 'total' and geography_code = 'Rn03' and year = 2024;
            copy invented to '{reconciled}' (format parquet)"""
        )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed: apt-get install chromium")
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def reader(browser: Browser) -> Reader:
    return Reader(browser)


@pytest.fixture(scope="module")
def plain_reader(browser: Browser) -> Reader:
    return Reader(browser, script=False)
