"""The state of disclosure control: the threshold, the figures withheld so far, and the audit file of reasons."""

from __future__ import annotations

from pathlib import Path

import duckdb

from dagster_project import paths
from dagster_project.files import UNFINISHED
from dagster_project.publications import publications
from dagster_project.settings import Settings
from dagster_project.sql import literal, parquet

_KEY = "indicator_id, variant, year, geography_level, geography_code, victim_group"
_FIGURES = "fct_indicator_year"


def create_withheld_source(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Create the tables on disclosure control that the dbt project declares in source `raw`."""
    connection.execute("create or replace table raw.disclosure_rule (suppress_below integer)")
    connection.execute("insert into raw.disclosure_rule values (?)", [settings.suppress_below])
    connection.execute(f"create or replace table raw.withheld_before as {_withheld_query(settings)}")


def remember_withheld(settings: Settings) -> None:
    """Record the figures that the marts withhold; called before they are published, so that no record is lost."""
    withheld = settings.home / paths.WITHHELD
    new = withheld.with_name(f".{withheld.name}{UNFINISHED}")
    with duckdb.connect() as connection:
        connection.execute(f"attach {literal(settings.home / paths.WAREHOUSE)} as built (read_only)")
        connection.execute(
            f"""
            copy (
                select {_KEY} from built.intermediate.int_suppression
                union
                select {_KEY} from ({_withheld_query(settings)})
                order by all
            ) to {literal(new)} (format parquet, compression zstd)"""
        )
    new.chmod(0o600)
    new.replace(withheld)


def count_figures_withheld_since(settings: Settings, figures: Path) -> int:
    """Count the figures that a published file of `fct_indicator_year` shows but that were withheld since."""
    with duckdb.connect() as connection:
        (rows,) = connection.execute(
            f"select count(*) from {parquet(figures)} semi join ({_withheld_query(settings)}) using ({_KEY}) where suppression is null"
        ).fetchone() or (0,)
    return int(rows)


def write_suppression_audit(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Write the reason and the counts of each withheld figure to a private file."""
    suppression_audit = settings.home / paths.SUPPRESSION_AUDIT
    suppression_audit.parent.mkdir(parents=True, exist_ok=True)
    new = suppression_audit.with_name(f".{suppression_audit.name}{UNFINISHED}")
    connection.execute(
        f"""
        copy (
            select {_KEY}, processed, cleared, withheld.* exclude ({_KEY})
            from intermediate.int_suppression as withheld inner join intermediate.int_figure_year using ({_KEY})
            order by all
        ) to {literal(new)} (format csv, header)"""
    )
    new.chmod(0o600)
    new.replace(suppression_audit)


def _withheld_query(settings: Settings) -> str:
    """Return a query of every figure withheld so far, from the stored record or else from the publications."""
    withheld = settings.home / paths.WITHHELD
    if withheld.exists():
        return f"select {_KEY} from {parquet(withheld)}"
    files = [publication.folder / "parquet" / f"{_FIGURES}.parquet" for publication in publications(settings)]
    selects = [f"select {_KEY} from {parquet(file)} where suppression is not null" for file in files if file.exists()]
    nothing = (
        "select null::varchar as indicator_id, null::varchar as variant, null::integer as year, null::varchar as geography_level, "
        "null::varchar as geography_code, null::varchar as victim_group where false"
    )
    return " union ".join([nothing, *selects])
