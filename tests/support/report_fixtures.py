"""A pytest plugin with fixtures of a report and of browsers that read it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

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
    write_report(folder)
    return folder


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
