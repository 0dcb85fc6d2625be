"""What `uppklarat quarantine` tells of every quarantined row, of those too that only other deliveries show to be wrong."""

from __future__ import annotations

from pathlib import Path

import duckdb
from conftest import settings_in
from deliveries import raw_folder
from reference.worlds import World, offence_row, police_row, prosecution_row, write_world
from warehouse import build

from dagster_project.cli.quarantine import quarantine_as_text
from dagster_project.settings import Settings
from dagster_project.state import read_state


def warehouse(folder: Path) -> Settings:
    settings = settings_in(folder)
    offences = [
        offence_row(1, anmalningsdatum="2022-02-01"),
        offence_row(2, brottskod="424"),
        offence_row(3, brottskod=""),
    ]
    decisions = [
        police_row(1, beslutsdatum="2022-01-31"),
        police_row(9),
        police_row(1, beslutsdatum="2022-03-01 00:00"),
        police_row(1, beslut="Anna Andersson"),
    ]
    write_world(settings.landing, World({2022: offences}, {2022: decisions}, {2022: [prosecution_row(1)]}))
    build(settings)
    return settings


def test_every_row_is_listed_with_file_line_column_and_shape(tmp_path: Path) -> None:
    settings = warehouse(tmp_path)
    rows, _, summary = quarantine_as_text(read_state(settings), None, None).partition("\n\n")
    assert [tuple(row.split("\t")) for row in rows.splitlines()] == [
        ("missing_value", "police/2022/offences.csv", "line 5", "brottskod", "-"),
        ("invalid_value", "police/2022/decisions.csv", "line 5", "beslutsdatum", "9999-99-99 99:99"),
        ("invalid_value", "police/2022/decisions.csv", "line 6", "beslut", "Aaaa Aaaaaaaaa"),
        ("invalid_value", "police/2022/offences.csv", "line 4", "brottskod", "999"),
        ("date_order", "police/2022/decisions.csv", "line 3", "beslutsdatum, anmalningsdatum", "-"),
        ("orphan", "police/2022/decisions.csv", "line 4", "diarienummer, brottsnummer", "-"),
    ]
    counted = [line.strip().partition(":")[0] for line in summary.splitlines()[:-1]]
    assert counted == [
        "1  missing_value in brottskod",
        "1  invalid_value in beslutsdatum",
        "1  invalid_value in beslut",
        "1  invalid_value in brottskod",
        "1  date_order in beslutsdatum, anmalningsdatum",
        "1  orphan in diarienummer, brottsnummer",
    ]
    # Rows that earlier rules judged are listed without column and shape.
    path = raw_folder(settings, read_state(settings).active["police", 2022]) / "offences_quarantine.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"create table old as select file, line, reason, row from '{path}'")
        connection.execute(f"copy old to '{path}' (format parquet)")
    assert "invalid_value\tpolice/2022/offences.csv\tline 4\t-\t-" in quarantine_as_text(
        read_state(settings), None, None
    )
