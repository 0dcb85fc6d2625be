"""What must be true of the figures of indicators and measures, before any is withheld."""

from great_expectations import ExpectationSuite

from expectations import rules
from expectations.kinds import ExpectMeasureToBeBetween, ExpectNoRows, ExpectNoRowsWhere

# All other counts of a figure are sums of these.
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
    """SQL: whether the signed sum of any count is like `<> 0`."""
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
            notes="every cell counts offences, if only none",
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
            notes="the rest is shown as unknown, so that groups add up",
            meta={
                "name": "victim_groups_add_up_to_the_total",
                "owner": "us",
                "limit": "the groups' sum is the total in every cell",
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
            notes="both follow the crime scene, unknown places included",
            meta={
                "name": "municipalities_add_up_to_the_county",
                "owner": "us",
                "limit": "the municipalities' sum is the county in every cell",
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
            notes="every offence lies in one county or at an unknown place",
            meta={
                "name": "counties_add_up_to_the_country",
                "owner": "us",
                "limit": "the counties' sum is the country in every cell",
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
            notes="every offence has one region, or none if that is unknown",
            meta={
                "name": "regions_do_not_exceed_the_country",
                "owner": "us",
                "limit": "the regions' sum is at most the country in every cell",
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
            notes="what a narrower reading counts, the wider one counts too",
            meta={
                "name": "variants_lie_inside_each_other",
                "owner": "us",
                "limit": "every count at most that of the wider variant",
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
            notes="the decided reading of indicator 5 is coercion to marry and misleading into travel for marriage",
            meta={
                "name": "coercion_and_misleading_make_the_decided_variant",
                "owner": "us",
                "limit": "the two variants' sum is the decided one in every cell",
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
            notes="a rate of nothing is unknown, never 0",
            meta={
                "name": "rates_are_null_without_a_denominator",
                "owner": "us",
                "limit": "a rate is null where its denominator is 0, and only there",
            },
        ),
        ExpectNoRowsWhere(
            condition="""
                abs(clearance_pct * processed - 100.0 * cleared) > 1e-6
                or abs(prosecution_pct * (investigated - limited_investigated) - 100.0 * cleared) > 1e-6
            """,
            severity="critical",
            notes="the rates must be what a reader gets by dividing the counts",
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
            notes="a share lies between none and all",
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
            notes="an interval that does not hold its rate misleads",
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
            notes="every place is compared with the same country",
            meta={
                "name": "country_rate_is_that_of_the_country",
                "owner": "us",
                "limit": "the country's own rate in every row",
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
            notes="years on either side of a break are not comparable",
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
            notes="a year delivered again must not leave an old comparison behind",
            meta={
                "name": "change_is_from_the_year_before",
                "owner": "us",
                "limit": "the difference between both years' rates, null where one is missing",
            },
        ),
        ExpectNoRowsWhere(
            condition="""
                (clearance_change_significant is null) <> (clearance_change_pp is null)
                or (clearance_change_significant and clearance_change_pp = 0)
            """,
            severity="critical",
            notes="only a change can be more than chance",
            meta={
                "name": "significance_belongs_to_a_change",
                "owner": "us",
                "limit": "given where a change is, and never true for none",
            },
        ),
        ExpectNoRowsWhere(
            condition="small_number is distinct from (processed < 30)",
            severity="critical",
            notes="a rate of few offences says little",
            meta={
                "name": "small_numbers_are_marked",
                "owner": "us",
                "limit": "marked below 30 processed offences, and only there",
            },
        ),
        # In Brå's figures for region Stockholm 2019–2025 no indicator of at least 100 offences went below 0.77 times or above 1.43 times
        # those of the year before, changes of law and of codes included.
        rules.count_like_the_year_before(
            "volume_is_half_to_twice_the_year_before",
            0.5,
            2,
            severity="critical",
            notes="an indicator that halves or doubles from a year to the next lost or got offences by an error until shown otherwise",
            limit="half to twice the processed offences of the year before, in the country",
            # The offence that a measure counts may be a new one.
            condition=f"this.indicator_id in ({rules.DECIDED})",
        ),
        # As above, just beyond the largest changes that Brå's figures show.
        rules.count_like_the_year_before(
            "volume_like_earlier_years",
            0.667,
            1.5,
            severity="warning",
            notes="no indicator has changed as much from a year to the next in the official figures",
            limit="two thirds to one and a half times the processed offences of the year before, in the country",
        ),
        # In Brå's figures for region Stockholm 2019–2025, of indicators of at least 300 offences, the rate of purchase of sexual services
        # fell by 10.4 points in 2025; no other changed by more than 4.4.
        rules.share_like_the_year_before(
            "rate_like_earlier_years",
            "clearance_pct",
            "100.0 * cleared / nullif(processed, 0)",
            max_value=12,
            notes="a clearance rate does not jump without a cause",
            limit="at most 12 points from the clearance rate of the year before, in the country",
        ),
        # In the same figures the largest change was 7.9 points, for assault on women in 2020, when the police changed how they register it.
        rules.share_like_the_year_before(
            "share_investigated_like_earlier_years",
            "100.0 * investigated / nullif(processed, 0)",
            "100.0 * investigated / nullif(processed, 0)",
            max_value=10,
            notes="where investigated and dismissed are distinguished in another way, the share jumps, as in the revision of July 2026",
            limit="at most 10 points from the share investigated of the year before, in the country",
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
                    -- A zero may be withheld with a small number.
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
            notes="a region or county without any of a thousand offences was left out",
            meta={
                "name": "large_indicators_reach_every_region_and_county",
                "owner": "supplier",
                "limit": "no region or county without offences, where the country has at least 1,000",
            },
        ),
    ],
)
