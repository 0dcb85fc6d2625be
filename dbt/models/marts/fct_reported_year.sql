-- Years to whose end a cohort can be followed: every year up to them is complete.
with followed as (
    select
        reported.year,
        by_year.year as by_year
    from {{ source('raw', 'delivery_file') }} as reported
    inner join {{ source('raw', 'complete_year') }} as by_year on reported.year <= by_year.year
    inner join {{ source('raw', 'complete_year') }} as between_them
        on between_them.year between reported.year and by_year.year
    where reported.source = 'police' and reported.file = 'reports'
    group by reported.year, by_year.year
    having count(*) = by_year.year - reported.year + 1
),

decided as (
    select
        report_year,
        diarienummer,
        brottsnummer,
        min(year) as decided_year,
        min(case when is_cleared then year end) as cleared_year
    from {{ ref('int_reported_decision') }}
    group by report_year, diarienummer, brottsnummer
),

offence as (
    select
        reported.year,
        reported.indicator_id,
        variant.variant,
        reported.region_code,
        decided.decided_year,
        decided.cleared_year,
        sum(reported.brottsantal) as brottsantal
    from {{ ref('int_reported_offence') }} as reported
    inner join {{ ref('int_class_variant') }} as variant
        on
            reported.classified_by = variant.classified_by
            and reported.class_key = variant.class_key
            and reported.indicator_id = variant.indicator_id
    left join decided
        on
            reported.year = decided.report_year
            and reported.diarienummer = decided.diarienummer
            and reported.brottsnummer = decided.brottsnummer
    group by all
),

placed as (
    {{ placed('offence', ['riket', 'polisregion']) }}
),

counted as (
    select
        placed.indicator_id,
        placed.variant,
        placed.year,
        followed.by_year,
        placed.geography_level,
        placed.geography_code,
        sum(placed.brottsantal) as reported,
        sum(case when placed.decided_year <= followed.by_year then placed.brottsantal end) as decided,
        sum(case when placed.cleared_year <= followed.by_year then placed.brottsantal end) as cleared
    from placed
    inner join followed on placed.year = followed.year
    group by all
)

select
    variant.indicator_id,
    variant.variant,
    followed.year,
    followed.by_year,
    place.geography_level,
    place.geography_code,
    cast(coalesce(counted.reported, 0) as bigint) as reported,
    cast(coalesce(counted.decided, 0) as bigint) as decided,
    cast(coalesce(counted.cleared, 0) as bigint) as cleared,
    {{ pct('coalesce(counted.decided, 0)', 'counted.reported') }} as decided_of_reported_pct,
    {{ pct('coalesce(counted.cleared, 0)', 'counted.reported') }} as cleared_of_reported_pct,
    inhabitants.population,
    100000.0 * coalesce(counted.reported, 0) / inhabitants.population as reported_per_100000
from followed
cross join {{ ref('indicator_variant') }} as variant
cross join {{ ref('dim_geography') }} as place
inner join {{ ref('geography_level') }} as level
    on place.geography_level = level.geography_level and level.has_all_measures
left join counted
    on
        followed.year = counted.year
        and followed.by_year = counted.by_year
        and variant.indicator_id = counted.indicator_id
        and variant.variant = counted.variant
        and place.geography_level = counted.geography_level
        and place.geography_code = counted.geography_code
left join {{ ref('int_population') }} as inhabitants
    on
        followed.year = inhabitants.year
        and place.geography_level = inhabitants.geography_level
        and place.geography_code = inhabitants.geography_code
union all by name
-- Cohorts of purged years keep their published figures.
select * from {{ source('raw', 'kept_fct_reported_year') }}
