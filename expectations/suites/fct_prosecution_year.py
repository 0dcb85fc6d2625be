"""Expectations on the suspicions that prosecutors decided on."""

from great_expectations import ExpectationSuite

from expectations.kinds import ExpectNoRows, ExpectNoRowsWhere

suite = ExpectationSuite(
    name="fct_prosecution_year",
    meta={
        "layer": "marts",
        "asset": "fct_prosecution_year",
        "table": "marts.fct_prosecution_year",
        "may_be_empty": False,
        "follows": ["int_processed_offence", "int_figure_year"],
    },
    expectations=[
        ExpectNoRowsWhere(
            condition="(0 <= suspicions_prosecuted and suspicions_prosecuted <= suspicions_decided) is not true",
            severity="critical",
            notes="prosecuted suspicions are a subset of those decided on",
            meta={
                "name": "prosecuted_do_not_exceed_decided",
                "owner": "us",
                "limit": "0 ≤ prosecuted ≤ decided in every row",
            },
        ),
        ExpectNoRows(
            query="""
                select region.year
                from marts.fct_prosecution_year as region
                inner join marts.fct_prosecution_year as country
                    on
                        country.geography_level = 'riket' and region.geography_level = 'polisregion'
                        and region.year = country.year and region.indicator_id = country.indicator_id
                where
                    region.suspicions_decided > country.suspicions_decided
                    or region.suspicions_prosecuted > country.suspicions_prosecuted
            """,
            severity="critical",
            notes="the country includes every region",
            meta={
                "name": "regions_do_not_exceed_the_country",
                "owner": "us",
                "limit": "no region has more suspicions than the country",
            },
        ),
    ],
)
