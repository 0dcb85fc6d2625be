"""Expectations on the report lag: the years from report to decision."""

from great_expectations import ExpectationSuite

from expectations.kinds import ExpectMeasureToBeBetween, ExpectNoRows, ExpectNoRowsWhere

suite = ExpectationSuite(
    name="fct_report_lag_year",
    # Only places with processed offences have rows.
    meta={
        "layer": "marts",
        "asset": "fct_report_lag_year",
        "table": "marts.fct_report_lag_year",
        "may_be_empty": True,
        "follows": ["int_processed_offence", "int_figure_year"],
    },
    expectations=[
        ExpectNoRows(
            query="""
                select indicator_id, variant, year, geography_level, geography_code
                from marts.fct_report_lag_year
                -- purged years are carried on as they were published
                where year not in (select year from raw.kept_year)
                group by all
                having list_sort(list(lag)) <> ['0', '1', '2', '3+', 'okand']
            """,
            severity="critical",
            notes="zero counts have rows, so a missing row is an error",
            meta={
                "name": "every_place_has_all_lags",
                "owner": "us",
                "limit": "lags 0, 1, 2, 3+ and okand once each, for every place with processed offences",
            },
        ),
        ExpectNoRowsWhere(
            condition="(0 <= cleared and cleared <= processed) is not true",
            severity="critical",
            notes="every cleared offence was processed",
            meta={
                "name": "cleared_does_not_exceed_processed",
                "owner": "us",
                "limit": "0 ≤ cleared ≤ processed in every row",
            },
        ),
        ExpectMeasureToBeBetween(
            query="""
                with of_year as (
                    select year, sum(processed) as processed, sum(case when lag = '0' then processed else 0 end) as same_year
                    from marts.fct_report_lag_year
                    where geography_level = 'riket' and variant = 'beslutad'
                    group by year
                )
                select
                    cast(year as varchar) as unit,
                    case when processed >= 1000 then 100.0 * same_year / processed end as value,
                    round(100.0 * same_year / processed, 4) || ' %' as shown
                from of_year
            """,
            min_value=30,
            max_value=95,
            unit="year",
            needs="at least 1,000 offences",
            severity="warning",
            notes="most offences decided on in a year were reported that year, but fewer than for all crime (85 %)",
            meta={"name": "share_reported_the_same_year", "owner": "supplier", "limit": "30–95 % of a year's offences"},
        ),
    ],
)
