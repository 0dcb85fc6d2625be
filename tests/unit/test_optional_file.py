"""A file that a delivery may lack: without it nothing changes, and with it it is judged like the others."""

from __future__ import annotations

import hashlib
import json

import duckdb
import pytest
import yaml
from deliveries import YEAR, assert_rejected, csv_file, files_of, load, manifest, outcome, pseudonym, put
from reference.worlds import offence_row, report_row

from dagster_project import paths
from dagster_project.settings import Settings
from dagster_project.state import read_state
from dagster_project.transformation.raw_schema import create_sources

REPORTS = csv_file("police", "reports")


def test_without_it_a_delivery_has_the_id_that_it_always_had(settings: Settings) -> None:
    files = files_of("police")
    put(settings, "police", files)
    record = load(settings, "police")
    hashes = {name: hashlib.sha256(files[f"{name}.csv"]).hexdigest() for name in ("offences", "decisions")}
    content = json.dumps(["police", YEAR, "utf-8", hashes])
    assert record.delivery_id == hashlib.sha256(content.encode()).hexdigest()[:16]
    assert [*record.files] == ["offences", "decisions"]


def test_with_it_the_delivery_is_another_one(settings: Settings) -> None:
    put(settings, "police", files_of("police"))
    without = load(settings, "police")
    files = files_of("police", reports=REPORTS)
    folder = put(settings, "police", files)
    (folder / "manifest.json").write_bytes(manifest("police", files, dict.fromkeys(files, 3) | {"decisions.csv": 2}))
    record = load(settings, "police")
    assert record.delivery_id != without.delivery_id
    assert [*record.files] == ["offences", "decisions", "reports"]
    assert outcome(settings, record, "reports").rows_read == 3


def test_its_case_numbers_are_those_of_the_other_files(settings: Settings) -> None:
    number = "5000-K77-22"
    files = files_of(
        "police",
        offences=csv_file("police", "offences", [offence_row(1, diarienummer=number)]),
        reports=csv_file("police", "reports", [report_row(1, diarienummer="5000-k0077-22")]),
    )
    put(settings, "police", files)
    record = load(settings, "police")
    found = {row["diarienummer"] for name in ("offences", "reports") for row in outcome(settings, record, name).rows}
    assert found == {pseudonym("diarienummer", number)}


@pytest.mark.parametrize("name", ["report.csv", "Reports.csv", "reports.csv.txt"])
def test_a_name_that_is_nearly_its_own_is_refused(settings: Settings, name: str) -> None:
    put(settings, "police", {**files_of("police"), name: REPORTS})
    assert_rejected(settings, "police", f"police/{YEAR}/reports", f"missing, but {name} is there")


@pytest.mark.parametrize("listed", [True, False])
def test_a_manifest_tells_whether_it_is_there(settings: Settings, listed: bool) -> None:
    without, with_it = files_of("police"), files_of("police", reports=REPORTS)
    folder = put(settings, "police", without if listed else with_it)
    listed_files = with_it if listed else without
    (folder / "manifest.json").write_bytes(manifest("police", listed_files, dict.fromkeys(listed_files, 3)))
    assert_rejected(settings, "police", f"police/{YEAR}/manifest.json", "it lists .* but .* are there")


def test_a_correction_of_it_is_refused_where_it_is_missing(settings: Settings) -> None:
    put(settings, "police", files_of("police"))
    correction = {
        "id": "twice",
        "delivery": f"police/{YEAR}",
        "file": "reports",
        "rows": {"brottsnummer": "1"},
        "action": "drop",
        "reason": "reported by mistake",
        "reported_by": "register keeper of the authority",
        "date": "2023-03-01",
    }
    (settings.landing / paths.CORRECTIONS).write_text(yaml.safe_dump([correction]), encoding="utf-8")
    assert_rejected(settings, "police", f"police/{YEAR}/reports", "its file was not delivered")


def test_its_table_holds_the_years_that_have_it(settings: Settings) -> None:
    put(settings, "police", files_of("police"), YEAR - 1)
    put(settings, "police", files_of("police", reports=REPORTS))
    for year in (YEAR - 1, YEAR):
        load(settings, "police", year)
    with duckdb.connect() as connection:
        create_sources(connection, read_state(settings), {})
        count = "select year, count(*) from raw.{} group by year order by year"
        assert connection.execute(count.format("police_reports")).fetchall() == [(YEAR, 3)]
        assert connection.execute(count.format("police_offences")).fetchall() == [(YEAR - 1, 3), (YEAR, 3)]
        query = "select distinct year from raw.unusable_field where file = 'reports'"
        assert connection.execute(query).fetchall() == [(YEAR,)]
