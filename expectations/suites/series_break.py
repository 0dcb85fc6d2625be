"""Expectations on the series breaks."""

from great_expectations import ExpectationSuite
from great_expectations import expectations as gxe

from expectations.kinds import ExpectNoRowsWhere

suite = ExpectationSuite(
    name="series_break",
    meta={"layer": "marts", "asset": "series_break", "table": "marts.series_break"},
    expectations=[
        ExpectNoRowsWhere(
            condition="""
                year is distinct from year(in_force)
                or mixed_year is distinct from (in_force <> make_date(year(in_force), 1, 1))
            """,
            severity="critical",
            notes="a change during a year mixes two definitions in that year's figures",
            meta={
                "name": "year_and_mixing_follow_from_the_day",
                "owner": "us",
                "limit": "year is that of in_force; mixed_year unless in_force is 1 January",
            },
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="kind",
            value_set=["law", "coding", "statistics", "geography"],
            severity="critical",
            notes="readers need to distinguish new law from a new counting method",
            meta={"name": "kinds_are_known", "owner": "us", "limit": "law, coding, statistics or geography"},
        ),
        ExpectNoRowsWhere(
            condition="""
                coalesce(trim(kind), '') = '' or coalesce(trim(cause_sv), '') = '' or coalesce(trim(cause_en), '') = ''
                or coalesce(trim(provision), '') = '' or coalesce(trim(reference), '') = '' or is_confirmed is null
            """,
            severity="critical",
            notes="readers need the cause of a break in Swedish and English, with its source",
            meta={"name": "causes_are_told", "owner": "us", "limit": "0 rows without a text or a source"},
        ),
    ],
)
