"""What must be true of the published years."""

from great_expectations import ExpectationSuite
from great_expectations import expectations as gxe

from expectations.kinds import ExpectAggregateToBeBetween

suite = ExpectationSuite(
    name="dim_year",
    meta={"layer": "marts", "asset": "dim_year", "table": "marts.dim_year"},
    expectations=[
        gxe.ExpectColumnValuesToBeBetween(
            column="year",
            min_value=2014,
            max_value=2099,
            severity="critical",
            notes="offences have been counted this way since 2014",
            meta={"name": "years_are_those_of_the_statistics", "owner": "us", "limit": "no year before 2014"},
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="is_synthetic",
            severity="critical",
            notes="nobody may take invented figures for real ones",
            meta={"name": "it_is_known_what_is_synthetic", "owner": "us", "limit": "0 rows without an answer"},
        ),
        ExpectAggregateToBeBetween(
            expression="count(distinct is_synthetic)",
            max_value=1,
            shown="count(distinct is_synthetic) || ' of 2 kinds'",
            severity="warning",
            notes="comparing invented years with real ones misleads",
            meta={
                "name": "years_are_all_real_or_all_synthetic",
                "owner": "us",
                "limit": "synthetic years are not mixed with real ones",
            },
        ),
        ExpectAggregateToBeBetween(
            expression="max(year) - min(year) + 1 - count(distinct year)",
            min_value=0,
            max_value=0,
            shown="max(year) - min(year) + 1 - count(distinct year) || ' years missing'",
            severity="warning",
            notes="a year after a gap has none before it to be compared with",
            meta={
                "name": "years_follow_each_other",
                "owner": "supplier",
                "limit": "no year missing between the first and the last",
            },
        ),
    ],
)
