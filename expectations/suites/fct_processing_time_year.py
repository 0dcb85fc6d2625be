"""What must be true of the days from report to the deciding decision."""

from great_expectations import ExpectationSuite
from great_expectations import expectations as gxe

from expectations import rules
from expectations.kinds import ExpectMeasureToBeBetween, ExpectNoRows, ExpectNoRowsWhere

suite = ExpectationSuite(
    name="fct_processing_time_year",
    # Only places with processed offences have rows.
    meta={
        "layer": "marts",
        "asset": "fct_processing_time_year",
        "table": "marts.fct_processing_time_year",
        "may_be_empty": True,
        "follows": ["int_processed_offence", "int_figure_year"],
    },
    expectations=[
        rules.key_is_unique(
            "marts.fct_processing_time_year",
            "indicator_id",
            "variant",
            "year",
            "geography_level",
            "geography_code",
            "outcome",
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="outcome",
            value_set=["all", "cleared", "not_cleared"],
            severity="critical",
            notes="offences are cleared or not",
            meta={"name": "outcomes_are_known", "owner": "us", "limit": "0 rows with another outcome"},
        ),
        ExpectNoRowsWhere(
            condition="""
                (
                    0 <= days_p25 and days_p25 <= days_median and days_median <= days_p75 and days_p75 <= days_p90
                ) is not true
            """,
            severity="critical",
            notes="no decision comes before its report, and a larger share takes at least as long",
            meta={
                "name": "quantiles_are_in_order",
                "owner": "us",
                "limit": "0 ≤ p25 ≤ median ≤ p75 ≤ p90 in every row",
            },
        ),
        ExpectNoRows(
            query="""
                select year from marts.fct_processing_time_year
                group by indicator_id, variant, year, geography_level, geography_code
                having
                    any_value(days_median) filter (where outcome = 'all') not between
                        min(days_median) filter (where outcome <> 'all')
                        and max(days_median) filter (where outcome <> 'all')
            """,
            severity="critical",
            notes="the whole lies between its parts",
            meta={
                "name": "median_lies_between_cleared_and_not_cleared",
                "owner": "us",
                "limit": "the median of all between those of cleared and not cleared, in every cell",
            },
        ),
        ExpectMeasureToBeBetween(
            query="""
                select
                    indicator_id || ' ' || year as unit,
                    case when offences >= 100 then days_median end as value,
                    days_median || ' days' as shown
                from marts.fct_processing_time_year
                where geography_level = 'riket' and variant = 'beslutad' and outcome = 'all'
            """,
            min_value=7,
            max_value=730,
            unit="figure",
            needs="at least 100 offences in the country",
            severity="warning",
            notes="an investigation takes weeks or months, so other medians mean wrong dates",
            meta={
                "name": "usual_time_is_plausible",
                "owner": "supplier",
                "limit": "median of 7–730 days in the country",
            },
        ),
    ],
)
