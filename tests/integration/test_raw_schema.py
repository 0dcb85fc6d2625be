"""What the marts and the audit read of the stored deliveries."""

from __future__ import annotations

import duckdb
from deliveries import YEAR, files_of, load, put
from warehouse import build

from dagster_project import paths
from dagster_project.quality.audit import audit_warehouse, read_audit
from dagster_project.settings import Settings
from dagster_project.transformation.fingerprints import raw_file


def test_a_column_that_the_contract_got_later_is_null_in_deliveries_stored_before(settings: Settings) -> None:
    for source in ("police", "prosecution"):
        put(settings, source, files_of(source))
        load(settings, source)
    stored = raw_file(settings, load(settings, "police"), "offences")
    duckdb.sql(f"copy (select * exclude malsagande_alder from '{stored}') to '{stored}.new' (format parquet)")
    stored.with_name(f"{stored.name}.new").replace(stored)

    build(settings)
    with duckdb.connect(str(settings.home / paths.WAREHOUSE), read_only=True) as warehouse:
        found = warehouse.execute(
            "select year, malsagande_kon, malsagande_alder from raw.police_offences order by line"
        )
        assert found.fetchall() == [(YEAR, "K", None), (YEAR, None, None), (YEAR, None, None)]
    audit_warehouse(settings)
    audit = read_audit(settings)
    assert audit is not None
    assert [result.result for result in audit.results if result.name == "ages_are_those_of_people"] == ["passed"]
