"""Brå's own files in the landing folder: kept by version, taken back, and held against our figures."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import copied, settings_in
from openpyxl import load_workbook
from reference.worlds import World, offence_row, police_row, prosecution_row, write_world
from warehouse import build, uppklarat

from dagster_project import paths
from dagster_project.ingestion.landing import find_official_files, find_unexpected_entries
from dagster_project.ingestion.official import changed_official_files, ignored_official_files, ingest_official
from dagster_project.ingestion.rejection import RejectedDeliveryError
from dagster_project.publications import active_publication
from dagster_project.quality.audit_basis import publication_basis
from dagster_project.report.choice import Choice
from dagster_project.report.figures import COUNTRY as COUNTRY_PLACE
from dagster_project.report.figures import read_figures
from dagster_project.report.pages import Pages
from dagster_project.seeds import seed_rows
from dagster_project.settings import Settings
from dagster_project.state import read_state, withdraw
from dagster_project.transformation.fingerprints import is_built

FILES = Path(__file__).parents[1] / "support" / "official"
COUNTRY = "300La-2025.xlsx"
KEY = ("indicator_id", "variant", "victim_group")
COUNTS = (
    "processed", "investigated", "dismissed", "cleared", "cleared_indictment", "cleared_penalty_order", "cleared_waiver",
    "limited_investigated", "limited_dismissed",
)  # fmt: skip
PIMPING = ("koppleri", "beslutad", "total")
# One code per indicator whose offences its official row counts.
CODES = {"koppleri": "0609", "konsstympning": "9599", "kop_av_sexuell_tjanst": "4024"}


def expected() -> dict[tuple[str, str, str], dict[str, str]]:
    """What Brå's file of the country and 2025 says."""
    with (FILES / "expected.csv").open(encoding="utf-8", newline="") as file:
        official = {
            (row["indicator_id"], row["variant"], row["victim_group"]): row
            for row in csv.DictReader(file)
            if row["file"] == COUNTRY
        }
    # The measure is the wide variant.
    return official | {
        ("misshandel_par_slakt_familj", "egen", group): row
        for (indicator, variant, group), row in official.items()
        if (indicator, variant) == ("misshandel_nara_relation", "bred")
    }


def offences_of(row: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Decision and weight of the offences that make up an official row."""
    limited = int(row["limited_investigated"])
    yield "ATAL", int(row["cleared_indictment"])
    yield "STRAFFORELAGGANDE", int(row["cleared_penalty_order"])
    yield "ATALSUNDERLATELSE", int(row["cleared_waiver"])
    yield "FU_BEGRANSAD", limited
    yield "NEDLAGD", int(row["other_investigated"])
    yield "FU_BEGRANSAD dismissed", int(row["limited_dismissed"])
    yield "DIREKTAVSKRIVEN dismissed", int(row["other_dismissed"])


def write_offences(settings: Settings, fewer: int = 0) -> None:
    """Deliver exactly the offences that Brå counted for three indicators, but `fewer` indictments for pimping."""
    world = World({2025: []}, {2025: []}, {2025: []})
    number = 0
    for indicator, code in CODES.items():
        for decision, weight in offences_of(expected()[indicator, "beslutad", "total"]):
            weight -= fewer if (indicator, decision) == ("koppleri", "ATAL") else 0
            if weight:
                number += 1
                made = {
                    "anmalningsdatum": "2025-01-02",
                    "brottsdatum": "2025-01-01",
                    "malsagande_kon": "",
                    "malsagande_alder": "",
                }
                world.offences[2025].append(
                    offence_row(number, brottskod=code, lagrum="", brottsantal=str(weight), **made)
                )
                beslut, _, dismissed = decision.partition(" ")
                if dismissed:
                    row = police_row(
                        number, beslutsdatum="2025-06-01", beslut=beslut, utredning="N", skaligen_misstankt="N"
                    )
                    world.police[2025].append(row)
                else:
                    row = prosecution_row(number, beslutsdatum="2025-06-01", beslut=beslut, misstanke_id="a1")
                    world.prosecution[2025].append(row)
    write_world(settings.landing, world)


def put(settings: Settings, name: str = COUNTRY, source: str = COUNTRY) -> Path:
    target = settings.landing / "official" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    shutil.copyfile(FILES / source, target)
    return target


def take(settings: Settings) -> list[str]:
    """Load what changed; returns the rejections."""
    rejected = []
    for file in changed_official_files(read_state(settings)):
        try:
            ingest_official(file, settings)
        except RejectedDeliveryError as error:
            rejected.append(str(error))
    return rejected


def correct(path: Path) -> None:
    """Move one offence of pimping from dismissed to investigated, as Brå did in 2026."""
    book = load_workbook(path)
    for sheet, changes in {
        "Samtliga handlagda brott": {4: 1, 5: -1},
        "Utredda brott": {3: 1, 9: 1},
        "Direktavskrivna brott": {3: -1, 5: -1},
    }.items():
        row = next(row for row in book[sheet].iter_rows() if row[1].value == "Koppleri")
        for column, more in changes.items():
            row[column - 1].value += more
    sheet = book["Samtliga handlagda brott"]
    row = next(row for row in sheet.iter_rows() if row[1].value == "Koppleri")
    limited = next(line for line in book["Utredda brott"].iter_rows() if line[1].value == "Koppleri")[7].value
    cleared = next(line for line in book["Utredda brott"].iter_rows() if line[1].value == "Koppleri")[3].value
    row[5].value = 100 * cleared / (row[3].value - limited)
    book.save(path)


def reconciled(settings: Settings, where: str = "geography_code = 'SE'") -> dict[tuple[Any, ...], dict[str, Any]]:
    with duckdb.connect(str(settings.home / paths.WAREHOUSE), read_only=True) as connection:
        cursor = connection.execute(f"select * from marts.fct_reconciliation_year where {where}")
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {tuple(row[name] for name in KEY): row for row in rows}


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A warehouse of exactly the offences that Brå counted, and Brå's file."""
    settings = settings_in(tmp_path_factory.mktemp("official"))
    write_offences(settings)
    put(settings)
    assert take(settings) == []
    build(settings)
    return settings


def test_figures_of_the_same_offences_are_equal(compared: Settings) -> None:
    found = reconciled(compared)
    for indicator in CODES:
        row = found[indicator, "beslutad", "total"]
        assert (row["status"], row["largest_difference"], row["official_file"]) == ("equal", 0, COUNTRY)
        assert row["clearance_pct"] == row["official_clearance_pct"]


def test_every_row_is_as_a_plain_comparison_has_it(compared: Settings) -> None:
    official = expected()
    declared = [row for row in seed_rows("official_cell") if int(row["to_year"]) >= 2025]
    of_no_file = {tuple(row[name] for name in KEY) for row in declared if not row["row_path"]}
    assert official.keys() == {tuple(row[name] for name in KEY) for row in declared} - of_no_file
    for key, row in reconciled(compared).items():
        if key not in official:
            assert (row["status"], row["official_processed"], row["official_file"]) == (
                "not loaded" if key in of_no_file else "no official row",
                None,
                None,
            ), key
            continue
        assert [row[f"official_{count}"] for count in COUNTS] == [int(official[key][count]) for count in COUNTS], key
        for rate in ("clearance_pct", "prosecution_pct"):
            published = float(official[key][rate]) if official[key][rate] else None
            assert row[f"official_{rate}"] == (None if published is None else pytest.approx(published, abs=1e-9)), key
        largest = max(abs(row[count] - int(official[key][count])) for count in COUNTS)
        assert row["largest_difference"] == largest
        assert row["status"] == ("equal" if largest == 0 else "within 5" if largest <= 5 else "differs"), key


def test_figures_that_ship_stand_where_no_file_is(compared: Settings) -> None:
    embedded = {
        tuple(row[name] for name in KEY): int(row["processed"])
        for row in seed_rows("official_figure")
        if (row["year"], row["geography_code"]) == ("2025", "Rn03")
    }
    found = reconciled(compared, "geography_code = 'Rn03'")
    assert {
        key: row["official_processed"] for key, row in found.items() if row["official_file"] == "embedded"
    } == embedded
    assert {row["status"] for key, row in found.items() if key not in embedded} == {"no official row"}
    assert {row["status"] for row in reconciled(compared, "geography_code = 'Rn04'").values()} == {
        "not loaded",
        "no official row",
    }


def test_without_twenty_offences_exactly_their_cells_differ(compared: Settings, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    write_offences(settings, fewer=20)
    put(settings)
    take(settings)
    build(settings)
    before, after = reconciled(compared), reconciled(settings)
    assert {key for key in after if after[key]["status"] != before[key]["status"]} == {PIMPING}
    row = after[PIMPING]
    assert (row["status"], row["processed_difference"], row["cleared_difference"]) == ("differs", -20, -20)


def test_a_corrected_file_is_another_version_and_the_change_is_data(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    write_offences(settings)
    path = put(settings)
    take(settings)
    build(settings)
    before, basis = reconciled(settings)[PIMPING], publication_basis(read_state(settings))
    assert before["official_processed_before"] is None
    assert is_built(read_state(settings))

    correct(path)
    assert [file.label for file in changed_official_files(read_state(settings))] == [f"official/{COUNTRY}"]
    assert take(settings) == []
    assert not is_built(read_state(settings))
    assert publication_basis(read_state(settings)) != basis
    build(settings)
    after = reconciled(settings)[PIMPING]
    assert after["official_investigated"] == before["official_investigated"] + 1
    assert after["official_investigated_before"] == before["official_investigated"]
    assert after["official_sha256"] != before["official_sha256"]
    assert (before["status"], after["status"]) == ("equal", "within 5")

    # taken back, and not loaded again until it is put there again
    withdrawn, active = withdraw(read_state(settings), "official/La", 2025)
    assert (withdrawn.label, active and active.files["table_300"].sha256) == (
        "official/La/2025",
        before["official_sha256"],
    )
    take(settings)
    assert [file.label for file, _ in ignored_official_files(read_state(settings))] == [f"official/{COUNTRY}"]
    build(settings)
    assert reconciled(settings)[PIMPING] == before
    path.write_bytes(path.read_bytes())
    take(settings)
    assert publication_basis(read_state(settings)) != basis


def test_a_rejected_file_leaves_the_version_before_active(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    path = put(settings)
    assert take(settings) == []
    (version,) = read_state(settings).official["official/La", 2025]
    path.write_bytes(path.read_bytes()[:5000])
    (text,) = take(settings)
    assert text.startswith(f"official/{COUNTRY}: it cannot be read as an Excel workbook")
    assert read_state(settings).official["official/La", 2025] == (version,)
    # once it is whole again, there is nothing to do
    put(settings)
    assert take(settings) == []
    assert read_state(settings).official["official/La", 2025] == (version,)
    path.unlink()
    assert changed_official_files(read_state(settings)) == []


def test_what_is_in_the_folder(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    settings.landing.mkdir()
    assert find_official_files(settings.landing) == []
    for name in ("300La-2014.xls", "300Rn03-2021.xlsx"):
        put(settings, name, name)
    for name in ("300Rn08-2021.xlsx", "310La-2014.xls", "notes.txt", ".hidden"):
        (settings.landing / "official" / name).write_text("x", encoding="utf-8")
    assert [(file.area, file.year) for file in find_official_files(settings.landing)] == [("La", 2014), ("Rn03", 2021)]
    found = list(find_unexpected_entries(settings.landing, settings.landing / paths.CORRECTIONS))
    assert [text.partition(":")[0] for text in found] == [
        "official/300Rn08-2021.xlsx",
        "official/310La-2014.xls",
        "official/notes.txt",
    ]
    assert take(settings) == []
    assert {key: len(versions) for key, versions in read_state(settings).official.items()} == {
        ("official/La", 2014): 1,
        ("official/Rn03", 2021): 1,
    }


def test_a_link_out_of_the_landing_folder_is_rejected(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    (settings.landing / "official").mkdir(parents=True)
    (settings.landing / "official" / COUNTRY).symlink_to(FILES / COUNTRY)
    (text,) = take(settings)
    assert text.startswith(f"official/{COUNTRY}: it leads out of the landing folder")


def test_a_load_publishes_with_a_file_and_without_one_that_is_rejected(
    published_world: Settings, tmp_path: Path
) -> None:
    """The run fails, so that somebody is notified, and all else is published."""
    settings = copied(published_world, settings_in(tmp_path, suppress_below=5))
    put(settings, "300La-2014.xls", "300La-2014.xls")
    put(settings, "300Rn03-2024.xlsx", "300Rn03-2021.xlsx")
    before = active_publication(settings)
    loaded = uppklarat(settings, "load", "--json")
    assert loaded.returncode == 3, loaded.stderr
    outcome = json.loads(loaded.stdout)
    (text,) = outcome["rejected"]
    assert text.startswith("official/300Rn03-2024.xlsx, sheet Samtliga handlagda brott: its title does not name 2024")
    assert outcome["published"] == outcome["current"] != before
    status = json.loads(uppklarat(settings, "status", "--json").stdout)
    assert [(file["source"], file["year"], file["file"]) for file in status["official"]] == [
        ("official/La", 2014, "300La-2014.xls")
    ]
    assert status["waiting"] == [f"rejected, {text}"]
    manifest = json.loads((settings.published / paths.CURRENT / "manifest.json").read_text(encoding="utf-8"))
    assert [file["year"] for file in manifest["official"]] == [2014]


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_page_on_official_figures_says_how_ours_agree(
    published_world: Settings, tmp_path: Path, language: str
) -> None:
    tables = tmp_path / "parquet"
    shutil.copytree(published_world.published / paths.CURRENT / "parquet", tables)
    file = tables / "fct_reconciliation_year.parquet"
    rows = f"select * replace (null::bigint as official_processed) from '{file}' order by all"
    with duckdb.connect() as connection:
        connection.execute(f"create table recon as {rows}")
        ((year,),) = connection.execute("select max(year) from recon").fetchall()
        chosen = f"year = {year} and geography_code = 'SE' and variant = 'beslutad' and victim_group = 'total'"
        connection.execute(
            f"update recon set official_processed = 1, official_file = 'embedded', status = 'equal' where {chosen}"
        )
        for indicator, status in (
            ("valdtakt", "differs"),
            ("koppleri", "within 5"),
            ("konsstympning", "not comparable"),
        ):
            connection.execute(f"update recon set status = '{status}' where {chosen} and indicator_id = '{indicator}'")
        file.unlink()
        connection.execute(f"copy recon to '{file}' (format parquet)")
    figures = read_figures(tmp_path)
    choice = Choice(COUNTRY_PLACE, figures.newest)
    page = Pages(figures, language, choice).official()
    text = re.sub(r"<[^>]+>", "|", page)
    name = next(row[f"name_{language}"] for row in figures.indicators if row["indicator_id"] == "valdtakt")
    place = figures.places[COUNTRY_PLACE][f"name_{language}"]
    assert re.search(rf"\|{year}\|+{place}\|+8\|+1\|+1\|+1\|+{name}\|", re.sub(r"\|\s+", "|", text))
