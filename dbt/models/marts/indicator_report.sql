with cause as (
    select
        indicator_id,
        year,
        string_agg(cause_sv, ' ' order by in_force, provision) as cause_sv,
        string_agg(cause_en, ' ' order by in_force, provision) as cause_en
    from {{ ref('series_break') }}
    group by indicator_id, year
),

first_year as (
    select min(year) as year from {{ ref('dim_year') }}
),

series as (
    -- A mixed year is not comparable with any other year; the next series begins after it.
    select
        indicator.indicator_id,
        loaded.year,
        greatest(
            max(first_year.year),
            max(series_break.year),
            max(series_break.year) filter (series_break.mixed_year and series_break.year < loaded.year) + 1,
            max(indicator.worked_off_until) filter (indicator.worked_off_until < loaded.year) + 1
        ) as first_year
    from {{ ref('indicator') }} as indicator
    cross join {{ ref('dim_year') }} as loaded
    cross join first_year
    left join {{ ref('series_break') }} as series_break
        on indicator.indicator_id = series_break.indicator_id and loaded.year >= series_break.year
    group by indicator.indicator_id, loaded.year
)

select
    figure.year,
    indicator.indicator_number,
    figure.indicator_id,
    indicator.name_sv as indicator_name_sv,
    indicator.name_en as indicator_name_en,
    indicator.kind,
    figure.variant,
    indicator.variant_name_sv,
    indicator.variant_name_en,
    indicator.sort_order as variant_order,
    figure.geography_level,
    place.geography_level_sv,
    place.geography_level_en,
    place.geography_level_order,
    place.geography_order,
    figure.geography_code,
    place.name_sv as geography_name_sv,
    place.name_en as geography_name_en,
    place.region_code,
    region.name_sv as region_name_sv,
    region.name_en as region_name_en,
    place.county_code,
    county.name_sv as county_name_sv,
    county.name_en as county_name_en,
    figure.victim_group,
    victim_group.name_sv as victim_group_name_sv,
    victim_group.name_en as victim_group_name_en,
    victim_group.sort_order as victim_group_order,
    figure.geography_level || '/' || if(indicator.kind <> 'decided', figure.indicator_id || '/', '')
    || figure.variant || '/' || case when figure.victim_group = 'total' then 'total' else 'groups' end as adds_up_in,
    place.geography_level_sv || ' – ' || if(indicator.kind <> 'decided', indicator.name_sv || ' – ', '')
    || indicator.variant_name_sv || ' – '
    || case when figure.victim_group = 'total' then 'alla målsägande' else 'målsägandegrupper' end as adds_up_in_sv,
    place.geography_level_en || ' – ' || if(indicator.kind <> 'decided', indicator.name_en || ' – ', '')
    || indicator.variant_name_en || ' – '
    || case when figure.victim_group = 'total' then 'all victims' else 'victim groups' end as adds_up_in_en,
    figure.variant = 'beslutad' as is_decided,
    figure.victim_group = 'total' as is_total,
    figure.processed,
    figure.investigated,
    figure.dismissed,
    figure.with_suspect,
    figure.cleared,
    figure.cleared_indictment,
    figure.cleared_penalty_order,
    figure.cleared_waiver,
    figure.limited_investigated,
    figure.other_investigated,
    figure.limited_dismissed,
    figure.other_dismissed,
    figure.investigated - figure.limited_investigated as investigated_not_limited,
    inhabitants.population,
    100000.0 * figure.processed / inhabitants.population as processed_per_100000,
    figure.clearance_pct,
    figure.clearance_pct_low,
    figure.clearance_pct_high,
    figure.prosecution_pct,
    figure.clearance_pct_country,
    figure.clearance_pct_median_region,
    figure.clearance_pct_median_county,
    figure.clearance_change_pp,
    figure.clearance_change_significant,
    figure.clearance_change_comparable,
    figure.small_number,
    figure.series_break,
    figure.mixed_year,
    cause.cause_sv as break_cause_sv,
    cause.cause_en as break_cause_en,
    indicator.first_comparable_year,
    series.first_year as comparable_since,
    figure.year >= coalesce(indicator.first_comparable_year, 0) as is_comparable,
    figure.suppression,
    figure.suppression is not null as is_withheld,
    deliveries.is_synthetic,
    nullif(
        concat_ws(
            ' ',
            case when deliveries.is_synthetic then 'Syntetiska provdata, inga verkliga brott.' end,
            case when figure.suppression is not null then 'Visas inte av sekretesskäl: raden saknas i alla summor.' end,
            case when figure.small_number and figure.processed > 0 then 'Få brott: procenttalet är osäkert.' end,
            case when figure.series_break then 'Tidsseriebrott, jämför inte med tidigare år.' end,
            case when figure.mixed_year then 'Ändringen kom under året.' end,
            case
                when figure.clearance_change_pp is not null and not figure.clearance_change_comparable
                    then 'Förändringen sedan året före är inte jämförbar.'
            end
        ),
        ''
    ) as caveat_sv,
    nullif(
        concat_ws(
            ' ',
            case when deliveries.is_synthetic then 'Synthetic sample data, no real offences.' end,
            case when figure.suppression is not null then 'Withheld: the row is missing in every sum.' end,
            case when figure.small_number and figure.processed > 0 then 'Few offences: the rate is uncertain.' end,
            case when figure.series_break then 'Series break, do not compare with earlier years.' end,
            case when figure.mixed_year then 'The change came within the year.' end,
            case
                when figure.clearance_change_pp is not null and not figure.clearance_change_comparable
                    then 'The change since the year before is not comparable.'
            end
        ),
        ''
    ) as caveat_en
from {{ ref('fct_indicator_year') }} as figure
left join {{ ref('dim_indicator') }} as indicator
    on figure.indicator_id = indicator.indicator_id and figure.variant = indicator.variant
left join {{ ref('dim_geography') }} as place
    on figure.geography_level = place.geography_level and figure.geography_code = place.geography_code
left join {{ ref('dim_geography') }} as region
    on region.geography_level = 'polisregion' and place.region_code = region.geography_code
left join {{ ref('dim_geography') }} as county
    on county.geography_level = 'lan' and place.county_code = county.geography_code
left join {{ ref('dim_victim_group') }} as victim_group on figure.victim_group = victim_group.victim_group
left join {{ ref('dim_year') }} as deliveries on figure.year = deliveries.year
left join {{ ref('int_population') }} as inhabitants
    on
        figure.year = inhabitants.year
        and figure.geography_level = inhabitants.geography_level
        and figure.geography_code = inhabitants.geography_code
left join series on figure.indicator_id = series.indicator_id and figure.year = series.year
left join cause on figure.indicator_id = cause.indicator_id and figure.year = cause.year
