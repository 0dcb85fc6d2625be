"""Expectations on the published years."""

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
            notes="this counting method has applied since 2014",
            meta={"name": "years_are_those_of_the_statistics", "owner": "us", "limit": "no year before 2014"},
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="is_synthetic",
            severity="critical",
            notes="readers must be able to distinguish synthetic figures from real ones",
            meta={"name": "it_is_known_what_is_synthetic", "owner": "us", "limit": "0 rows with null"},
        ),
        ExpectAggregateToBeBetween(
            expression="count(distinct is_synthetic)",
            max_value=1,
            shown="count(distinct is_synthetic) || ' of 2 kinds'",
            severity="warning",
            notes="comparisons between synthetic and real years are misleading",
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
            notes="a year after a gap has no previous year to compare with",
            meta={
                "name": "years_follow_each_other",
                "owner": "supplier",
                "limit": "no missing year between the first and the last",
            },
        ),
    ],
)
