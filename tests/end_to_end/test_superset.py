"""Superset imports the dashboard of a publication and shows its figures, from the DuckDB file and from PostgreSQL.

It runs where UPPKLARAT_TEST_SUPERSET names the command of a Superset (tests/support/clients/superset.txt).
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
import sqlalchemy
from playwright.sync_api import Browser
from postgres_server import database
from psycopg.conninfo import conninfo_to_dict

from dagster_project import paths
from dagster_project.publication.formats.superset import DASHBOARD, write_superset
from dagster_project.publication.postgres import serve
from dagster_project.settings import Settings

pytest_plugins = ["report_fixtures"]

SUPERSET = os.environ.get("UPPKLARAT_TEST_SUPERSET", "")
pytestmark = pytest.mark.skipif(not SUPERSET, reason="UPPKLARAT_TEST_SUPERSET names no Superset")
CONFIGURATION = """
SECRET_KEY = "only for this test, on loopback, for as long as it runs"
SQLALCHEMY_DATABASE_URI = "sqlite:///{folder}/superset.db"
PREVENT_UNSAFE_DB_CONNECTIONS = False
TALISMAN_ENABLED = False
WTF_CSRF_ENABLED = False
"""


def test_from_the_duckdb_file(published_world: Settings, browser: Browser, tmp_path: Path) -> None:
    file = published_world.published / paths.CURRENT / "uppklarat.duckdb"
    settings = "access_mode=read_only&enable_external_access=false&lock_configuration=true"
    assert_shown(published_world, browser, tmp_path, f"duckdb:///{file}?{settings}")


def test_from_postgresql(published_world: Settings, browser: Browser, tmp_path: Path) -> None:
    with database() as server:
        serve(published_world, server.settings)
        names = conninfo_to_dict(server.login)
        address = sqlalchemy.URL.create(
            "postgresql+psycopg2",
            username=str(names["user"]),
            password=str(names["password"]),
            database=str(names["dbname"]),
            query={"host": str(names["host"])},
        )
        assert_shown(published_world, browser, tmp_path, address.render_as_string(hide_password=False))


def assert_shown(published: Settings, browser: Browser, folder: Path, uri: str) -> None:
    """Import the dashboard with the address of the figures, open it, and find a region's figures of the newest year in it."""
    parquet = published.published / paths.CURRENT / "parquet" / "indicator_report.parquet"
    (newest,) = duckdb.sql(f"select max(year) from '{parquet}'").fetchone() or (0,)
    expected = duckdb.sql(
        f"""
        select indicator_name_sv, processed, clearance_pct, small_number from '{parquet}'
        where adds_up_in = 'polisregion/beslutad/total' and geography_name_sv = 'Polisregion Stockholm'
            and year = {newest} and processed > 0
        """
    ).fetchall()
    assert expected
    with served(folder, uri, newest) as address:
        page = browser.new_page(viewport={"width": 1440, "height": 1400})
        page.goto(f"{address}/login/")
        page.fill("#username", "admin")
        page.fill("#password", "admin")
        page.keyboard.press("Enter")
        page.wait_for_url("**/welcome/**")
        page.goto(f"{address}/superset/dashboard/uppklarat/")
        page.wait_for_selector("td:has-text('Våldtäkt')", timeout=60_000)
        page.wait_for_selector("canvas", timeout=60_000)
        cells = [[cell.strip() for cell in row.inner_text().split("\t")] for row in page.locator("tbody tr").all()]
        page.screenshot(path=os.environ.get("UPPKLARAT_TEST_SCREENSHOT", folder / "superset.png"))
        assert "Unexpected error" not in page.inner_text("body")
    shown = {name: (processed, rate, note) for _, name, processed, _, rate, note in cells}
    assert {name: shown[name] for name, *_ in expected} == {
        name: (f"{processed:,}", f"{rate:.1f}", "få brott" if small else "")
        for name, processed, rate, small in expected
    }


@contextmanager
def served(folder: Path, uri: str, newest_year: int) -> Iterator[str]:
    """A Superset on loopback with the imported dashboard; its address."""
    write_superset(folder, {"years": [newest_year], "synthetic": True})
    named = folder / "named.zip"
    with zipfile.ZipFile(folder / DASHBOARD) as packed, zipfile.ZipFile(named, "w") as changed:
        for entry in packed.namelist():
            lines = packed.read(entry).decode().splitlines()
            lines = [
                f"sqlalchemy_uri: {json.dumps(uri)}" if line.startswith("sqlalchemy_uri:") else line for line in lines
            ]
            changed.writestr(entry, "\n".join(lines))
    (folder / "superset_config.py").write_text(CONFIGURATION.format(folder=folder), encoding="utf-8")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "FLASK_APP": "superset",
        "SUPERSET_CONFIG_PATH": str(folder / "superset_config.py"),
    }
    account = ["--username", "admin", "--firstname", "a", "--lastname", "b", "--email", "a@b.example", "--password", "admin"]  # fmt: skip
    for arguments in (
        ["db", "upgrade"],
        ["fab", "create-admin", *account],
        ["init"],
        ["import-dashboards", "--path", str(named), "--username", "admin"],
    ):
        ended = subprocess.run([SUPERSET, *arguments], env=environment, capture_output=True, text=True, timeout=300)
        assert ended.returncode == 0, ended.stderr[-2000:]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [SUPERSET, "run", "--port", str(port), "--with-threads"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def wait_for(address: str) -> None:
    for _ in range(60):
        try:
            urllib.request.urlopen(address, timeout=5)
        except OSError:
            time.sleep(1)
        else:
            return
    pytest.fail(f"{address} does not answer")
