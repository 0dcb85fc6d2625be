with timed as (
    select
        offence.*,
        offence.decision_date - offence.report_date as days,
        case when offence.is_cleared then 'cleared' else 'not_cleared' end as cleared_or_not
    from {{ ref('int_counted_offence') }} as offence
    inner join {{ ref('geography_level') }} as level
        on offence.geography_level = level.geography_level and level.has_all_measures
    where offence.report_date is not null
),

by_day as (
    select
        year,
        indicator_id,
        variant,
        geography_level,
        geography_code,
        case when grouping(cleared_or_not) = 1 then 'all' else cleared_or_not end as outcome,
        days,
        sum(brottsantal) as offences
    from timed
    group by
        grouping sets (
            (year, indicator_id, variant, geography_level, geography_code, cleared_or_not, days),
            (year, indicator_id, variant, geography_level, geography_code, days)
        )
),

cumulated as (
    select
        *,
        sum(offences) over (
            partition by year, indicator_id, variant, geography_level, geography_code, outcome
            order by days
        ) as offences_so_far,
        sum(offences) over (
            partition by year, indicator_id, variant, geography_level, geography_code, outcome
        ) as offences_in_all
    from by_day
)

-- Nearest rank: the smallest number of days within which at least that share of the offences was decided.
select
    indicator_id,
    variant,
    year,
    geography_level,
    geography_code,
    outcome,
    cast(max(offences_in_all) as bigint) as offences,
    cast(min(case when 100 * offences_so_far >= 25 * offences_in_all then days end) as integer) as days_p25,
    cast(min(case when 100 * offences_so_far >= 50 * offences_in_all then days end) as integer) as days_median,
    cast(min(case when 100 * offences_so_far >= 75 * offences_in_all then days end) as integer) as days_p75,
    cast(min(case when 100 * offences_so_far >= 90 * offences_in_all then days end) as integer) as days_p90
from cumulated
group by indicator_id, variant, year, geography_level, geography_code, outcome
union all by name
-- Purged years keep their published figures.
select kept.*
from {{ source('raw', 'kept_fct_processing_time_year') }} as kept
inner join {{ ref('geography_level') }} as level
    on kept.geography_level = level.geography_level and level.has_all_measures
