"""Adds the optional file of reported offences to deliveries that have none."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import duckdb

from dagster_project.contract import input_contract


def add_reports(landing: Path) -> None:
    """Write `reports.csv` beside the police's CSV files: the offences of all deliveries, in the year of their report."""
    (reports,) = (file for file in input_contract().sources["police"] if file.optional)
    columns = [column.name for column in reports.columns]
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            create table offence as
            select {", ".join(columns)}, try_cast(anmalningsdatum as date) as reported
            from read_csv(
                '{landing}/police/*/offences.csv', delim = ';', all_varchar = true, null_padding = true, ignore_errors = true,
                filename = true
            )
            where
                regexp_full_match(diarienummer, '[0-9]{{4}}-K[0-9]{{1,7}}-[0-9]{{2}}')
                and regexp_full_match(brottskod, '[0-9]{{4}}')
                and try_cast(brottsnummer as integer) >= 1
                and try_cast(brottsantal as integer) >= 1
            qualify row_number() over (partition by diarienummer, brottsnummer order by filename) = 1"""
        )
        for folder in sorted((landing / "police").iterdir()):
            path = folder / f"{reports.name}.csv"
            (rows,) = connection.execute(
                f"""
                copy (
                    select {", ".join(columns)} from offence where year(reported) = {int(folder.name)} order by all
                ) to '{path}' (header, delimiter ';')"""
            ).fetchone() or (0,)
            manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            described = {"name": path.name, "rows": rows, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
            manifest["files"] = [*manifest["files"], described]
            (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
