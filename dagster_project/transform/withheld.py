"""What is withheld below the police region: the rule and the memory that the build reads, and the account of why."""

from __future__ import annotations

import duckdb

from dagster_project.files import UNFINISHED
from dagster_project.publish.publications import publications
from dagster_project.settings import Settings
from dagster_project.sql import literal, parquet

_KEY = "indicator_id, variant, year, geography_level, geography_code, victim_group"
_FIGURES = "fct_indicator_year"


def offer_withheld(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Create the tables about withholding that the dbt project declares as source `raw`.

    The memory of what was withheld is kept in the private warehouse, beside what the publications at hand say themselves.
    """
    connection.execute("create or replace table raw.disclosure_rule (suppress_below integer)")
    connection.execute("insert into raw.disclosure_rule values (?)", [settings.suppress_below])
    connection.execute(f"create or replace table raw.withheld_before as {_withheld_so_far(settings)}")


def remember_withheld(settings: Settings) -> None:
    """Add what the draft withholds to the memory; before it is published, since afterwards nobody may forget it."""
    draft = settings.draft / "parquet" / f"{_FIGURES}.parquet"
    new = settings.withheld.with_name(f".{settings.withheld.name}{UNFINISHED}")
    with duckdb.connect() as connection:
        connection.execute(
            f"copy ({_withheld_so_far(settings)} union select {_KEY} from {parquet(draft)} where suppression is not null "
            f"order by all) to {literal(new)} (format parquet, compression zstd)"
        )
    new.replace(settings.withheld)


def write_suppression_audit(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Write why each figure is withheld, with its counts, for whoever may see the private warehouse."""
    settings.suppression_audit.parent.mkdir(parents=True, exist_ok=True)
    new = settings.suppression_audit.with_name(f".{settings.suppression_audit.name}{UNFINISHED}")
    connection.execute(
        f"""
        copy (
            select {_KEY}, processed, cleared, withheld.* exclude ({_KEY})
            from intermediate.int_suppression as withheld inner join intermediate.int_figure_year using ({_KEY})
            order by all
        ) to {literal(new)} (format csv, header)"""
    )
    new.replace(settings.suppression_audit)


def _withheld_so_far(settings: Settings) -> str:
    """Every figure ever withheld, as far as the memory or a publication that is still there tells."""
    if settings.withheld.exists():
        return f"select {_KEY} from {parquet(settings.withheld)}"
    told = [publication.folder / "parquet" / f"{_FIGURES}.parquet" for publication in publications(settings)]
    selects = [f"select {_KEY} from {parquet(file)} where suppression is not null" for file in told if file.exists()]
    nothing = (
        "select null::varchar as indicator_id, null::varchar as variant, null::integer as year, null::varchar as geography_level, "
        "null::varchar as geography_code, null::varchar as victim_group where false"
    )
    return " union ".join([nothing, *selects])
