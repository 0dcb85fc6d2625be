"""Expectations on the published figures: disclosable figures are shown as counted, all others are withheld."""

from great_expectations import ExpectationSuite
from great_expectations import expectations as gxe

from expectations.kinds import ExpectNoRows, ExpectNoRowsWhere

suite = ExpectationSuite(
    name="fct_indicator_year",
    meta={
        "layer": "marts",
        "asset": "fct_indicator_year",
        "table": "marts.fct_indicator_year",
        "follows": ["int_figure_year"],
    },
    expectations=[
        ExpectNoRowsWhere(
            condition="""
                suppression is not null
                and (
                    coalesce(
                        processed, investigated, dismissed, with_suspect, cleared,
                        cleared_indictment, cleared_penalty_order, cleared_waiver,
                        limited_investigated, other_investigated, limited_dismissed, other_dismissed
                    ) is not null
                    or coalesce(clearance_pct, clearance_pct_low, clearance_pct_high, prosecution_pct) is not null
                    or coalesce(clearance_change_significant, small_number) is not null
                    or clearance_change_pp is not null
                )
            """,
            severity="critical",
            notes="a withheld figure must be null",
            meta={"name": "withheld_rows_show_nothing", "owner": "us", "limit": "0 rows with a value"},
        ),
        ExpectNoRows(
            query="""
                select figure.year
                from marts.fct_indicator_year as figure
                inner join reference.geography_level as level using (geography_level)
                where
                    not level.has_all_measures
                    and (
                        coalesce(
                            investigated, dismissed, with_suspect, cleared_indictment, cleared_penalty_order, cleared_waiver,
                            limited_investigated, other_investigated, limited_dismissed, other_dismissed
                        ) is not null
                        or prosecution_pct is not null
                    )
            """,
            severity="critical",
            notes="below the police region, further counts would add small numbers to protect",
            meta={
                "name": "levels_show_only_their_measures",
                "owner": "us",
                "limit": "only processed, cleared and the clearance rate at levels without all measures",
            },
        ),
        ExpectNoRows(
            query="""
                select year
                from marts.fct_indicator_year
                cross join raw.disclosure_rule
                where
                    geography_level in ('lan', 'kommun')
                    and suppress_below > 1
                    and (
                        processed between 1 and suppress_below
                        or cleared between 1 and suppress_below
                        or processed - cleared between 1 and suppress_below
                    )
                    -- what was published of purged years cannot be taken back
                    and year not in (select year from raw.kept_year)
            """,
            severity="critical",
            notes="below the police region, a small count may identify a person",
            meta={
                "name": "small_numbers_are_withheld",
                "owner": "us",
                "limit": "no count of a county or municipality from 1 to the threshold",
            },
        ),
        ExpectNoRowsWhere(
            condition="suppression is not null and geography_level not in ('lan', 'kommun')",
            severity="critical",
            notes="figures for the country and police regions are published in full, as in the official statistics",
            meta={
                "name": "only_counties_and_municipalities_are_withheld",
                "owner": "us",
                "limit": "0 withheld rows of the country or a region",
            },
        ),
        ExpectNoRows(
            query="""
                select figure.year
                from marts.fct_indicator_year as figure
                semi join raw.withheld_before
                    using (indicator_id, variant, year, geography_level, geography_code, victim_group)
                where figure.suppression is null
            """,
            severity="critical",
            notes="an earlier publication may contain figures that disclose it",
            meta={
                "name": "what_was_withheld_stays_withheld",
                "owner": "us",
                "limit": "no previously withheld figure is shown, regardless of the current threshold",
            },
        ),
        ExpectNoRows(
            query="""
                select counted.year, counted.geography_level
                from marts.fct_indicator_year as figure
                inner join intermediate.int_figure_year as counted
                    using (indicator_id, variant, year, geography_level, geography_code, victim_group)
                where counted.geography_level in ('lan', 'kommun') and counted.victim_group = 'total'
                group by counted.year, counted.geography_level
                having
                    sum(counted.processed) >= 20000
                    and 100.0 * sum(case when figure.suppression is not null then counted.processed else 0 end)
                    > sum(counted.processed) * case counted.geography_level when 'lan' then 15 else 50 end
            """,
            shown="""
                with lost as (
                    select
                        counted.geography_level,
                        -- Whole percentages: decimals would disclose a withheld count.
                        round(
                            100.0 * sum(counted.processed) filter (figure.suppression is not null)
                            / nullif(sum(counted.processed), 0)
                        )::integer as offences_pct,
                        round(100.0 * count(*) filter (figure.suppression is not null) / count(*))::integer as rows_pct,
                        case when sum(counted.processed) < 20000 * count(distinct counted.year) then ' (not judged)' else '' end
                            as remark
                    from marts.fct_indicator_year as figure
                    inner join intermediate.int_figure_year as counted
                        using (indicator_id, variant, year, geography_level, geography_code, victim_group)
                    where counted.geography_level in ('lan', 'kommun') and counted.victim_group = 'total'
                    group by all
                )
                select
                    string_agg(
                        geography_level || ' ' || coalesce(offences_pct, 0) || ' % of offences, ' || rows_pct || ' % of rows' || remark,
                        '; ' order by geography_level desc
                    )
                from lost
            """,
            only_if="""
                select coalesce(max(processed), 0) >= 20000
                from (
                    select sum(processed) as processed from intermediate.int_figure_year
                    where geography_level in ('lan', 'kommun') and victim_group = 'total' group by year, geography_level
                )
            """,
            needs="a year with 20,000 offences",
            severity="warning",
            notes="withheld figures are of no use for monitoring",
            meta={
                "name": "loss_is_small",
                "owner": "us",
                "limit": "at most 15 % of the offences by county and 50 % by municipality withheld, in years with at least 20,000",
            },
        ),
        ExpectNoRows(
            query="""
                select this.year
                from marts.fct_indicator_year as this
                inner join marts.fct_indicator_year as before
                    on
                        this.year = before.year + 1
                        and this.indicator_id = before.indicator_id
                        and this.variant = before.variant
                        and this.geography_level = before.geography_level
                        and this.geography_code = before.geography_code
                        and this.victim_group = before.victim_group
                where
                    before.suppression is not null
                    and (this.clearance_change_pp is not null or this.clearance_change_significant is not null)
            """,
            only_if="count(distinct year) > 1",
            needs="two years",
            severity="critical",
            notes="this year's rate minus the change discloses the previous year's rate",
            meta={"name": "no_change_tells_a_withheld_year", "owner": "us", "limit": "no change from a withheld year"},
        ),
        ExpectNoRows(
            query="""
                with middle as (
                    select
                        'lan' as geography_level, indicator_id, variant, year, victim_group,
                        case when 2 * count(*) filter (where suppression is null) > count(*) then median(clearance_pct) end as pct
                    from marts.fct_indicator_year
                    where geography_level = 'lan' and geography_code <> 'okand'
                    group by all
                )
                select figure.year
                from marts.fct_indicator_year as figure
                left join middle using (geography_level, indicator_id, variant, year, victim_group)
                where
                    (figure.clearance_pct_median_county is null) <> (middle.pct is null)
                    or abs(figure.clearance_pct_median_county - middle.pct) > 1e-9
            """,
            severity="critical",
            notes="a median that includes withheld rates could disclose one of them",
            meta={
                "name": "county_median_is_that_of_the_counties_shown",
                "owner": "us",
                "limit": "on county rows, the median rate of the shown counties if most are shown; null elsewhere",
            },
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="suppression",
            value_set=["primary", "secondary"],
            severity="critical",
            notes="readers must know why a figure is withheld",
            meta={
                "name": "suppression_is_of_a_known_kind",
                "owner": "us",
                "limit": "null, primary or secondary",
                "may_be_all_null": True,
            },
        ),
    ],
)
