"""The sample of the whole country, loaded, agrees with Brå's own files and the figures that ship, until offences are missing.

One load shows both: it is of a year as the sample wrote it, and of another one from which offences were deleted.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from conftest import settings_in
from warehouse import build

from dagster_project import paths
from dagster_project.ingestion.official import changed_official_files, ingest_official
from dagster_project.sample import write_sample
from dagster_project.seeds import seed_rows
from dagster_project.settings import Settings
from dagster_project.state import read_state

FILES = Path(__file__).parents[1] / "support" / "official"
WHOLE, CUT = 2025, 2021
STOCKHOLM = "Rn03"
DELETED = 20
MEN_BY_PARTNER = {
    row["brottskod"]
    for row in seed_rows("offence_code")
    if (row["indicator_id"], row["role"], row["victim_group"], row["relation"])
    == ("misshandel_nara_relation", "core", "man", "parrelation")
}
Cell = tuple[str, str, str, str]


def compared(settings: Settings, year: int) -> dict[Cell, tuple[str, int]]:
    """Status and difference of every cell of a year for which Brå has a figure that can be compared."""
    with duckdb.connect(str(settings.home / paths.WAREHOUSE), read_only=True) as connection:
        rows = connection.execute(
            "select indicator_id, variant, victim_group, geography_code, status, processed_difference"
            " from marts.fct_reconciliation_year"
            " where official_processed is not null and status <> 'not comparable' and year = ?",
            [year],
        ).fetchall()
    return {tuple(row[:4]): (row[4], row[5]) for row in rows}


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = settings_in(tmp_path_factory.mktemp("country"))
    years = [CUT, WHOLE]
    write_sample(settings.landing, years, scale=1, seed=1, progress=lambda _: None, others=0.001, reports=False)
    deleted = processed_offences(settings.landing, CUT, MEN_BY_PARTNER, DELETED)
    assert len(deleted) == DELETED
    for source in ("police", "prosecution"):
        keep(settings.landing / source / str(CUT), lambda row: key_of(row) not in deleted)
    (settings.landing / "official").mkdir()
    for name in (f"300La-{WHOLE}.xlsx", f"300{STOCKHOLM}-{CUT}.xlsx"):
        shutil.copy(FILES / name, settings.landing / "official")
    for file in changed_official_files(read_state(settings)):
        ingest_official(file, settings)
    build(settings)
    return settings


def keep(folder: Path, wanted: Callable[[dict[str, str]], bool]) -> None:
    """Rewrite a delivery with some of its rows only."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for described in manifest["files"]:
        path = folder / described["name"]
        header, *lines = path.read_text(encoding="utf-8").splitlines()
        names = header.split(";")
        lines = [line for line in lines if wanted(dict(zip(names, line.split(";"), strict=False)))]
        content = "".join(f"{line}\n" for line in (header, *lines)).encode()
        path.write_bytes(content)
        described |= {"rows": len(lines), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def key_of(row: dict[str, str]) -> tuple[str | None, str | None]:
    return row.get("diarienummer"), row.get("brottsnummer")


def processed_offences(landing: Path, year: int, codes: set[str], count: int) -> set[tuple[str | None, str | None]]:
    """Some offences of region Stockholm with one of the codes, of which a decision stands."""
    offences, *decisions = (
        list(csv.DictReader((landing / name).open(encoding="utf-8"), delimiter=";"))
        for name in (f"police/{year}/offences.csv", f"police/{year}/decisions.csv", f"prosecution/{year}/decisions.csv")
    )
    ended, reopened = (
        {key_of(row) for rows in decisions for row in rows if (row["beslut"] == "ATERUPPTAGEN") == again}
        for again in (False, True)
    )
    handed_over = {key_of(row) for rows in decisions for row in rows if row["beslut"] == "OVERLAMNAD"}
    chosen = [
        key_of(row)
        for row in offences
        if row["brottskod"] in codes
        and (row["handlaggande_region"], row["brottsantal"]) == (STOCKHOLM, "1")
        and key_of(row) in ended - reopened - handed_over
    ]
    return set(chosen[:count])


def test_every_official_figure_is_met(country: Settings) -> None:
    cells = compared(country, WHOLE)
    assert {code for *_, code in cells} == {"SE", STOCKHOLM}
    assert len(cells) == 88
    assert set(cells.values()) == {("equal", 0)}


def test_without_twenty_offences_exactly_the_cells_that_hold_them_differ(country: Settings) -> None:
    cells = compared(country, CUT)
    assert {code for *_, code in cells} == {"SE", STOCKHOLM}
    assert len(cells) == 88
    differing = {cell: found for cell, found in cells.items() if found != ("equal", 0)}
    assert differing == {
        (indicator, variant, group, place): ("differs", -DELETED)
        for indicator, variant in (
            ("misshandel_nara_relation", "beslutad"),
            ("misshandel_nara_relation", "bred"),
            ("misshandel_par_slakt_familj", "egen"),
        )
        for group in ("man", "total")
        for place in ("SE", STOCKHOLM)
    }
