"""Expectations on the case flow: how many offences reached each stage."""

from great_expectations import ExpectationSuite

from expectations.kinds import ExpectMeasureToBeBetween, ExpectNoRows, ExpectNoRowsWhere

suite = ExpectationSuite(
    name="fct_case_flow_year",
    # Only places with processed offences have rows.
    meta={
        "layer": "marts",
        "asset": "fct_case_flow_year",
        "table": "marts.fct_case_flow_year",
        "may_be_empty": True,
        "follows": ["int_processed_offence", "int_figure_year"],
    },
    expectations=[
        ExpectNoRows(
            query="""
                select indicator_id, variant, year, geography_level, geography_code
                from marts.fct_case_flow_year
                group by all
                having
                    list(stage order by stage_order) <> ['processed', 'investigated', 'with_suspect', 'at_prosecutor', 'cleared']
                    or list(stage_order order by stage_order) <> [1, 2, 3, 4, 5]
            """,
            severity="critical",
            notes="a stage that no offence reached has a row with 0",
            meta={
                "name": "every_place_has_all_stages_in_order",
                "owner": "us",
                "limit": "the five stages, numbered 1–5, for every place with processed offences",
            },
        ),
        ExpectNoRows(
            query="""
                with stages as (
                    select
                        max(case when stage = 'investigated' then offences end) as investigated,
                        max(case when stage = 'at_prosecutor' then offences end) as at_prosecutor,
                        max(case when stage = 'cleared' then offences end) as cleared
                    from marts.fct_case_flow_year
                    group by indicator_id, variant, year, geography_level, geography_code
                )
                select at_prosecutor from stages
                where (cleared <= at_prosecutor and at_prosecutor <= investigated) is not true
            """,
            severity="critical",
            notes="prosecutors decide only on investigated offences, and only prosecutors clear offences",
            meta={
                "name": "at_prosecutor_lies_between_cleared_and_investigated",
                "owner": "us",
                "limit": "cleared ≤ at prosecutor ≤ investigated in every place",
            },
        ),
        ExpectNoRowsWhere(
            condition="linkage_pct not between 0 and 100",
            severity="critical",
            notes="a percentage must be in 0–100",
            meta={"name": "linkage_is_a_percentage", "owner": "us", "limit": "every linkage rate in 0–100"},
        ),
        ExpectNoRows(
            query="""
                with flow as (
                    select
                        *,
                        lag(offences) over (
                            partition by indicator_id, variant, year, geography_level, geography_code order by stage_order
                        ) as offences_before
                    from marts.fct_case_flow_year
                    -- purged years are carried on as they were published
                    where year not in (select year from raw.kept_year)
                )
                select year from flow
                where
                    (share_of_stage_before_pct is null) <> (coalesce(offences_before, 0) = 0)
                    or abs(share_of_stage_before_pct - 100.0 * offences / offences_before) > 1e-9
            """,
            severity="critical",
            notes="a share must match its counts and be null if its denominator is 0",
            meta={
                "name": "shares_are_of_the_stage_before",
                "owner": "us",
                "limit": "offences divided by those of the previous stage; null at the first stage and where the previous stage is 0",
            },
        ),
        ExpectMeasureToBeBetween(
            query="""
                select distinct
                    cast(flow.year as varchar) as unit,
                    case when linkage.offences >= 100 then flow.linkage_pct end as value,
                    round(flow.linkage_pct, 4) || ' %' as shown
                from marts.fct_case_flow_year as flow
                inner join intermediate.int_linkage_year as linkage on flow.year = linkage.year
                where flow.geography_level = 'riket'
            """,
            min_value=95,
            unit="year",
            needs="at least 100 offences decided on by prosecutors",
            severity="warning",
            notes="a year's police extract should contain the offences that prosecutors decided on that year",
            meta={"name": "linkage_is_high", "owner": "supplier", "limit": "at least 95 % in each year"},
        ),
    ],
)
