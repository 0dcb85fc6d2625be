"""Grain: withheld figure below the police region. A Python model, since complementary suppression is not expressible in SQL."""

import pyarrow as pa

from dagster_project.disclosure.suppression import withheld_figures

SCHEMA = pa.schema(
    [
        ("indicator_id", pa.string()),
        ("variant", pa.string()),
        ("year", pa.int32()),
        ("geography_level", pa.string()),
        ("geography_code", pa.string()),
        ("victim_group", pa.string()),
        ("suppression", pa.string()),
        ("because", pa.string()),
    ]
)


def model(dbt, session):
    """Return the withheld figures of the derived years."""
    offences, before, rule = (
        dbt.ref("int_offence_count"),
        dbt.ref("int_withheld_before"),
        dbt.source("raw", "disclosure_rule"),
    )
    places = dbt.ref("dim_geography")
    rows = withheld_figures(
        offences=offences.fetchall(),
        withheld_before=before.fetchall(),
        county_of=dict(places.filter("geography_level = 'kommun'").project("geography_code, county_code").fetchall()),
        region_of=dict(places.filter("geography_level = 'lan'").project("geography_code, region_code").fetchall()),
        # Before the first load there is no rule and no offence.
        below=next((threshold for (threshold,) in rule.fetchall()), None),
    )
    return pa.Table.from_pylist(rows, schema=SCHEMA)
