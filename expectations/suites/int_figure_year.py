"""Expectations on the figures of indicators and measures, before disclosure control."""

from great_expectations import ExpectationSuite

from expectations import rules
from expectations.kinds import ExpectMeasureToBeBetween, ExpectNoRows, ExpectNoRowsWhere

# All other counts are sums of these.
COUNTS = (
    "with_suspect",
    "cleared_indictment",
    "cleared_penalty_order",
    "cleared_waiver",
    "limited_investigated",
    "other_investigated",
    "limited_dismissed",
    "other_dismissed",
)
NARROW_EXCEEDS_WIDE = " or ".join(f"narrow.{count} > wide.{count}" for count in COUNTS)


def any_sum_is(beyond: str) -> str:
    """Return SQL that tests whether the signed sum of any count meets a comparison such as `<> 0`."""
    return " or ".join(f"sum(sign * {count}) {beyond}" for count in COUNTS)


suite = ExpectationSuite(
    name="int_figure_year",
    meta={
        "layer": "intermediate",
        "asset": "int_figure_year",
        "table": "intermediate.int_figure_year",
        "follows": ["int_processed_offence"],
    },
    expectations=[
        ExpectNoRowsWhere(
            condition="""
                (
                    processed >= 0 and investigated >= 0 and dismissed >= 0 and with_suspect >= 0 and cleared >= 0
                    and cleared_indictment >= 0 and cleared_penalty_order >= 0 and cleared_waiver >= 0
                    and limited_investigated >= 0 and other_investigated >= 0
                    and limited_dismissed >= 0 and other_dismissed >= 0
                ) is not true
            """,
            severity="critical",
            notes="every cell has a count, which may be 0",
            meta={"name": "counts_are_filled_and_not_negative", "owner": "us", "limit": "0 rows"},
        ),
        ExpectNoRowsWhere(
            condition="processed <> investigated + dismissed",
            severity="critical",
            notes="every processed offence was investigated or dismissed",
            meta={
                "name": "processed_is_investigated_or_dismissed",
                "owner": "us",
                "limit": "processed = investigated + dismissed in every row",
            },
        ),
        ExpectNoRowsWhere(
            condition="cleared <> cleared_indictment + cleared_penalty_order + cleared_waiver",
            severity="critical",
            notes="an offence is cleared by indictment, penalty order or waiver",
            meta={
                "name": "cleared_is_the_sum_of_three",
                "owner": "us",
                "limit": "cleared = indictment + penalty order + waiver in every row",
            },
        ),
        ExpectNoRowsWhere(
            condition="investigated <> cleared + limited_investigated + other_investigated",
            severity="critical",
            notes="every investigated offence has one outcome",
            meta={
                "name": "investigated_is_the_sum_of_its_outcomes",
                "owner": "us",
                "limit": "investigated = cleared + limited + other in every row",
            },
        ),
        ExpectNoRowsWhere(
            condition="dismissed <> limited_dismissed + other_dismissed",
            severity="critical",
            notes="every dismissed offence has one outcome",
            meta={
                "name": "dismissed_is_the_sum_of_its_outcomes",
                "owner": "us",
                "limit": "dismissed = limited + other in every row",
            },
        ),
        ExpectNoRowsWhere(
            condition="with_suspect not between cleared and processed",
            severity="critical",
            notes="every cleared offence has a suspect",
            meta={
                "name": "cleared_has_a_suspect",
                "owner": "us",
                "limit": "cleared ≤ with suspect ≤ processed in every row",
            },
        ),
        ExpectNoRows(
            query=f"""
                with signed as (
                    select *, case when victim_group = 'total' then -1 else 1 end as sign from intermediate.int_figure_year
                    where geography_level in (select geography_level from reference.geography_level where has_all_victim_groups)
                )
                select indicator_id, variant, year, geography_level, geography_code
                from signed
                group by all
                having
                    {any_sum_is("<> 0")}
            """,
            severity="critical",
            notes="offences without a known group count as unknown, so groups sum to the total",
            meta={
                "name": "victim_groups_add_up_to_the_total",
                "owner": "us",
                "limit": "the sum of the groups equals the total in every cell",
            },
        ),
        ExpectNoRows(
            query=f"""
                with signed as (
                    select
                        figure.*,
                        coalesce(place.county_code, 'okand') as county,
                        case when figure.geography_level = 'lan' then -1 else 1 end as sign
                    from intermediate.int_figure_year as figure
                    inner join marts.dim_geography as place using (geography_level, geography_code)
                    where figure.geography_level in ('lan', 'kommun') and figure.victim_group = 'total'
                )
                select indicator_id, variant, year, victim_group, county
                from signed
                group by all
                having
                    {any_sum_is("<> 0")}
            """,
            severity="critical",
            notes="both are based on the crime scene, including unknown places",
            meta={
                "name": "municipalities_add_up_to_the_county",
                "owner": "us",
                "limit": "the sum of the municipalities equals the county in every cell",
            },
        ),
        ExpectNoRows(
            query=f"""
                with signed as (
                    select *, case when geography_level = 'riket' then -1 else 1 end as sign from intermediate.int_figure_year
                    where
                        geography_level in ('riket', 'lan') and variant = 'beslutad' and victim_group = 'total'
                        and indicator_id in ({rules.DECIDED})
                )
                select indicator_id, variant, year, victim_group
                from signed
                group by all
                having
                    {any_sum_is("<> 0")}
            """,
            severity="critical",
            notes="every offence belongs to one county or to the unknown place",
            meta={
                "name": "counties_add_up_to_the_country",
                "owner": "us",
                "limit": "the sum of the counties equals the country in every cell",
            },
        ),
        ExpectNoRows(
            query=f"""
                with signed as (
                    select *, case when geography_level = 'riket' then -1 else 1 end as sign from intermediate.int_figure_year
                    where geography_level in ('riket', 'polisregion')
                )
                select indicator_id, variant, year, victim_group
                from signed
                group by all
                having
                    {any_sum_is("> 0")}
            """,
            severity="critical",
            notes="every offence has at most one region",
            meta={
                "name": "regions_do_not_exceed_the_country",
                "owner": "us",
                "limit": "the sum of the regions is at most the country in every cell",
            },
        ),
        ExpectNoRows(
            query=f"""
                with pair (indicator_id, narrow, wide) as (
                    values
                        ('misshandel_nara_relation', 'inomhus', 'beslutad'),
                        ('misshandel_nara_relation', 'beslutad', 'bred'),
                        ('grov_fridskrankning', 'parrelation', 'beslutad'),
                        ('aktenskapstvang', 'beslutad', 'med_barnaktenskap'),
                        ('valdtakt', 'exkl_oaktsam', 'beslutad'),
                        ('valdtakt', 'parrelation', 'beslutad')
                )
                select narrow.year
                from pair
                inner join intermediate.int_figure_year as narrow
                    on pair.indicator_id = narrow.indicator_id and pair.narrow = narrow.variant
                inner join intermediate.int_figure_year as wide
                    on
                        pair.indicator_id = wide.indicator_id
                        and pair.wide = wide.variant
                        and narrow.year = wide.year
                        and narrow.geography_level = wide.geography_level
                        and narrow.geography_code = wide.geography_code
                        and narrow.victim_group = wide.victim_group
                where
                    {NARROW_EXCEEDS_WIDE}
            """,
            severity="critical",
            notes="a wider variant includes all offences of a narrower one",
            meta={
                "name": "variants_lie_inside_each_other",
                "owner": "us",
                "limit": "every count is at most that of the wider variant",
            },
        ),
        ExpectNoRows(
            query=f"""
                with signed as (
                    select *, case when variant = 'beslutad' then -1 else 1 end as sign from intermediate.int_figure_year
                    where
                        indicator_id = 'aktenskapstvang'
                        and variant in ('beslutad', 'endast_aktenskapstvang', 'endast_vilseledande')
                        and geography_level in ('riket', 'polisregion')
                )
                select year, geography_level, geography_code, victim_group
                from signed
                group by all
                having
                    {any_sum_is("<> 0")}
            """,
            severity="critical",
            notes="indicator 5 as decided covers coercion to marry and misleading into travel for marriage",
            meta={
                "name": "coercion_and_misleading_make_the_decided_variant",
                "owner": "us",
                "limit": "the sum of the two variants equals the decided one in every cell",
            },
        ),
        ExpectNoRowsWhere(
            condition="""
                (clearance_pct is null) <> (processed = 0)
                or (clearance_pct_low is null) <> (processed = 0)
                or (clearance_pct_high is null) <> (processed = 0)
                or (prosecution_pct is null) <> (investigated = limited_investigated)
            """,
            severity="critical",
            notes="a rate without a denominator is undefined, not 0",
            meta={
                "name": "rates_are_null_without_a_denominator",
                "owner": "us",
                "limit": "a rate is null if and only if its denominator is 0",
            },
        ),
        ExpectNoRowsWhere(
            condition="""
                abs(clearance_pct * processed - 100.0 * cleared) > 1e-6
                or abs(prosecution_pct * (investigated - limited_investigated) - 100.0 * cleared) > 1e-6
            """,
            severity="critical",
            notes="readers must get the same rates by dividing the counts",
            meta={
                "name": "rates_are_those_of_their_counts",
                "owner": "us",
                "limit": "100 · cleared / processed, and / (investigated − limited), unrounded",
            },
        ),
        ExpectNoRowsWhere(
            condition="""
                not (clearance_pct between 0 and 100 and prosecution_pct between 0 and 100)
                or not (clearance_pct_country between 0 and 100 and clearance_pct_median_region between 0 and 100)
                or not clearance_change_pp between -100 and 100
            """,
            severity="critical",
            notes="a percentage must be in 0–100",
            meta={
                "name": "rates_are_percentages",
                "owner": "us",
                "limit": "every rate in 0–100, every change in −100–100",
            },
        ),
        ExpectNoRowsWhere(
            condition="""
                not (
                    0 <= clearance_pct_low
                    -- a bound may miss the rate by the last bits of a double
                    and clearance_pct_low <= clearance_pct + 1e-9
                    and clearance_pct <= clearance_pct_high + 1e-9
                    and clearance_pct_high <= 100
                    and clearance_pct_low < clearance_pct_high
                )
            """,
            severity="critical",
            notes="a confidence interval must contain its rate",
            meta={
                "name": "rates_lie_in_their_interval",
                "owner": "us",
                "limit": "0 ≤ low ≤ rate ≤ high ≤ 100 in every row",
            },
        ),
        ExpectNoRows(
            query="""
                select figure.year
                from intermediate.int_figure_year as figure
                inner join intermediate.int_figure_year as country
                    on
                        country.geography_level = 'riket'
                        and figure.indicator_id = country.indicator_id
                        and figure.variant = country.variant
                        and figure.year = country.year
                        and figure.victim_group = country.victim_group
                where figure.clearance_pct_country is distinct from country.clearance_pct
            """,
            severity="critical",
            notes="every place is compared with the same national rate",
            meta={
                "name": "country_rate_is_that_of_the_country",
                "owner": "us",
                "limit": "the national rate in every row",
            },
        ),
        ExpectNoRows(
            query="""
                with middle as (
                    select indicator_id, variant, year, victim_group, median(clearance_pct) as pct
                    from intermediate.int_figure_year
                    where geography_level = 'polisregion'
                    group by all
                )
                select figure.year
                from intermediate.int_figure_year as figure
                inner join middle using (indicator_id, variant, year, victim_group)
                where
                    (figure.clearance_pct_median_region is null) <> (middle.pct is null)
                    or abs(figure.clearance_pct_median_region - middle.pct) > 1e-9
            """,
            severity="critical",
            notes="every place is compared with the same seven regions",
            meta={
                "name": "region_median_is_that_of_the_regions",
                "owner": "us",
                "limit": "the median of the regions' rates in every row",
            },
        ),
        ExpectNoRowsWhere(
            condition="series_break and (clearance_change_pp is not null or clearance_change_significant is not null)",
            severity="critical",
            notes="the years before and after a break are not comparable",
            meta={
                "name": "no_change_across_a_break",
                "owner": "us",
                "limit": "0 rows with a change in the year of a break",
            },
        ),
        ExpectNoRows(
            query="""
                with before as (
                    select indicator_id, variant, year, geography_level, geography_code, victim_group, clearance_pct
                    from intermediate.int_figure_year
                    union all
                    select
                        indicator_id, variant, year, geography_level, geography_code, victim_group,
                        100.0 * cleared / nullif(processed, 0) as clearance_pct
                    from raw.kept_fct_indicator_year
                )
                select this.year
                from intermediate.int_figure_year as this
                left join before
                    on
                        this.year = before.year + 1
                        and this.indicator_id = before.indicator_id
                        and this.variant = before.variant
                        and this.geography_level = before.geography_level
                        and this.geography_code = before.geography_code
                        and this.victim_group = before.victim_group
                where
                    not this.series_break
                    and (
                        (this.clearance_change_pp is null) <> (this.clearance_pct is null or before.clearance_pct is null)
                        or abs(this.clearance_change_pp - (this.clearance_pct - before.clearance_pct)) > 1e-9
                    )
            """,
            severity="critical",
            notes="a redelivered year must update the change of the following year",
            meta={
                "name": "change_is_from_the_year_before",
                "owner": "us",
                "limit": "the difference between the two years' rates; null if either is null",
            },
        ),
        ExpectNoRowsWhere(
            condition="""
                (clearance_change_significant is null) <> (clearance_change_pp is null)
                or (clearance_change_significant and clearance_change_pp = 0)
            """,
            severity="critical",
            notes="only a change can be statistically significant",
            meta={
                "name": "significance_belongs_to_a_change",
                "owner": "us",
                "limit": "null if and only if the change is null, and not true for a change of 0",
            },
        ),
        ExpectNoRowsWhere(
            condition="small_number is distinct from (processed < 30)",
            severity="critical",
            notes="a rate based on few offences is unreliable",
            meta={
                "name": "small_numbers_are_marked",
                "owner": "us",
                "limit": "true if and only if there are fewer than 30 processed offences",
            },
        ),
        # In Brå's figures for region Stockholm 2019–2025, indicators of at least 100 offences changed to between 0.77 and 1.43 times the
        # previous year, including changes due to new laws and codes.
        rules.count_like_the_year_before(
            "volume_is_half_to_twice_the_year_before",
            0.5,
            2,
            severity="critical",
            notes="an indicator that halves or doubles in a year is assumed to be an error until explained",
            limit="half to twice the processed offences of the previous year, in the country",
            # A supporting measure may count a newly introduced offence.
            condition=f"this.indicator_id in ({rules.DECIDED})",
        ),
        # As above: just beyond the largest changes in Brå's figures.
        rules.count_like_the_year_before(
            "volume_like_earlier_years",
            0.667,
            1.5,
            severity="warning",
            notes="no indicator in the official figures has changed this much in a year",
            limit="two thirds to one and a half times the processed offences of the previous year, in the country",
        ),
        # In Brå's figures for region Stockholm 2019–2025, of indicators with 300+ offences, the rate of purchase of sexual services
        # fell by 10.4 points in 2025; no other rate changed by more than 4.4.
        rules.share_like_the_year_before(
            "rate_like_earlier_years",
            "clearance_pct",
            "100.0 * cleared / nullif(processed, 0)",
            max_value=12,
            notes="a large change in a clearance rate needs an explanation",
            limit="at most 12 points from the clearance rate of the previous year, in the country",
        ),
        # In the same figures, the largest change was 7.9 points, for assault on women in 2020, when the police changed its registration.
        rules.share_like_the_year_before(
            "share_investigated_like_earlier_years",
            "100.0 * investigated / nullif(processed, 0)",
            "100.0 * investigated / nullif(processed, 0)",
            max_value=10,
            notes="the share jumps if investigated and dismissed are defined differently, as in the revision of July 2026",
            limit="at most 10 points from the share investigated of the previous year, in the country",
        ),
        ExpectMeasureToBeBetween(
            query="""
                with country as (
                    select indicator_id, year, processed from intermediate.int_figure_year
                    where geography_level = 'riket' and variant = 'beslutad' and victim_group = 'total'
                ),
                place as (
                    select indicator_id, year, count(*) filter (where processed = 0) as without
                    from intermediate.int_figure_year
                    -- A zero may be withheld together with a small number.
                    anti join intermediate.int_suppression
                        using (indicator_id, variant, year, geography_level, geography_code, victim_group)
                    where
                        variant = 'beslutad' and victim_group = 'total'
                        and geography_level in ('polisregion', 'lan') and geography_code <> 'okand'
                    group by all
                )
                select
                    country.indicator_id || ' ' || country.year as unit,
                    case when country.processed >= 1000 then place.without end as value
                from country
                inner join place using (indicator_id, year)
            """,
            max_value=0,
            unit="comparison",
            needs="at least 1,000 offences in the country",
            severity="warning",
            notes="a region or county without any of 1,000 offences is probably missing from the delivery",
            meta={
                "name": "large_indicators_reach_every_region_and_county",
                "owner": "supplier",
                "limit": "no region or county without offences if the country has at least 1,000",
            },
        ),
    ],
)
