"""Expectations on the days from report to the deciding decision, in total and before and at the prosecutor."""

from great_expectations import ExpectationSuite
from great_expectations import expectations as gxe

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
        gxe.ExpectColumnValuesToBeInSet(
            column="outcome",
            value_set=["all", "cleared", "not_cleared"],
            severity="critical",
            notes="an offence is either cleared or not cleared",
            meta={"name": "outcomes_are_known", "owner": "us", "limit": "0 rows with another outcome"},
        ),
        ExpectNoRowsWhere(
            condition="""
                (
                    0 <= days_p25 and days_p25 <= days_median and days_median <= days_p75 and days_p75 <= days_p90
                ) is not true
            """,
            severity="critical",
            notes="no decision precedes its report, and quantiles do not decrease",
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
            notes="the median of a whole lies between the medians of its parts",
            meta={
                "name": "median_lies_between_cleared_and_not_cleared",
                "owner": "us",
                "limit": "the median of all lies between those of cleared and not cleared in every cell",
            },
        ),
        ExpectNoRowsWhere(
            condition="""
                year not in (select year from raw.kept_year)
                and (
                    decided_within_90_days between 0 and offences
                    and abs(decided_within_90_days_pct - 100.0 * decided_within_90_days / offences) <= 1e-9
                    and (days_median <= 90) = (2 * decided_within_90_days >= offences)
                ) is not true
            """,
            severity="critical",
            notes="the share must match its counts, and is at least half where the median is at most 90 days",
            meta={
                "name": "decided_within_90_days_agrees_with_the_days",
                "owner": "us",
                "limit": "0–100 % of the offences, and at least 50 % if and only if the median is at most 90 days",
            },
        ),
        ExpectNoRowsWhere(
            condition="""
                (
                    coalesce(handed_over, 0) = 0
                    and coalesce(
                        days_to_prosecutor_p25, days_to_prosecutor_median, days_to_prosecutor_p75, days_to_prosecutor_p90,
                        days_at_prosecutor_p25, days_at_prosecutor_median, days_at_prosecutor_p75, days_at_prosecutor_p90
                    ) is null
                    or handed_over between 1 and offences
                    and 0 <= days_to_prosecutor_p25 and days_to_prosecutor_p25 <= days_to_prosecutor_median
                    and days_to_prosecutor_median <= days_to_prosecutor_p75
                    and days_to_prosecutor_p75 <= days_to_prosecutor_p90
                    and 0 <= days_at_prosecutor_p25 and days_at_prosecutor_p25 <= days_at_prosecutor_median
                    and days_at_prosecutor_median <= days_at_prosecutor_p75
                    and days_at_prosecutor_p75 <= days_at_prosecutor_p90
                ) is not true
            """,
            severity="critical",
            notes="an offence is handed over between report and decision; days are null if no offence was handed over",
            meta={
                "name": "days_of_the_prosecutor_are_in_order",
                "owner": "us",
                "limit": "0 ≤ p25 ≤ median ≤ p75 ≤ p90 if any offence was handed over, otherwise null",
            },
        ),
        ExpectNoRowsWhere(
            condition="""
                year not in (select year from raw.kept_year)
                and (handed_over is null) = (
                    year - 1 in (select year from raw.complete_year union all select year from raw.kept_year)
                )
            """,
            severity="critical",
            notes="without the previous year, longer handovers are missing, which biases the days downwards",
            meta={
                "name": "handovers_need_the_year_before",
                "owner": "us",
                "limit": "a count if the previous year is or was loaded, otherwise null",
            },
        ),
        ExpectNoRows(
            query="""
                select year from marts.fct_processing_time_year
                group by indicator_id, variant, year, geography_level, geography_code
                having
                    sum(decided_within_90_days) is distinct from 2 * any_value(decided_within_90_days) filter (where outcome = 'all')
                    or sum(handed_over) is distinct from 2 * any_value(handed_over) filter (where outcome = 'all')
            """,
            severity="critical",
            notes="an offence is either cleared or not cleared",
            meta={
                "name": "cleared_and_not_cleared_add_up",
                "owner": "us",
                "limit": "decided_within_90_days and handed_over of all are the sums of cleared and not cleared",
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
            notes="investigations take weeks or months, so other medians indicate wrong dates",
            meta={
                "name": "usual_time_is_plausible",
                "owner": "supplier",
                "limit": "median of 7–730 days in the country",
            },
        ),
    ],
)
