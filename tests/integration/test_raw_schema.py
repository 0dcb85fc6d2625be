"""The views of schema `raw` on the stored deliveries."""

from __future__ import annotations

import duckdb
from deliveries import YEAR, files_of, load, put

from dagster_project.settings import Settings
from dagster_project.state import active_deliveries
from dagster_project.transformation.fingerprints import raw_file
from dagster_project.transformation.raw_schema import create_sources


def test_a_delivery_stored_before_a_column_was_added_has_it_empty(settings: Settings) -> None:
    put(settings, "police", files_of("police"))
    record = load(settings, "police")
    stored = raw_file(settings, record, "offences")
    duckdb.sql(f"copy (select * exclude malsagande_alder from '{stored}') to '{stored}.new' (format parquet)")
    stored.with_name(f"{stored.name}.new").replace(stored)

    with duckdb.connect() as connection:
        create_sources(connection, settings, active_deliveries(settings), year_fingerprints={})
        rows = connection.execute("from raw.police_offences order by line").fetchall()
        columns = [name for name, *_ in connection.execute("describe raw.police_offences").fetchall()]
        assert columns[-2:] == ["malsagande_kon", "malsagande_alder"]
        assert [(row[0], *row[-2:]) for row in rows] == [(YEAR, "K", None), (YEAR, None, None), (YEAR, None, None)]
