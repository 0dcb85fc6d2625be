with withheld as (
    select *
    from {{ ref('int_suppression') }}
    where geography_level <> 'kommun' and victim_group = 'total'
),

timed as (
    select
        *,
        decision_date - report_date as days,
        case when is_cleared then 'cleared' else 'not_cleared' end as cleared_or_not
    from {{ ref('int_counted_offence') }}
    where
        geography_level <> 'kommun'
        and report_date is not null
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
),

-- Nearest rank: the smallest number of days within which at least that share of the offences was decided.
ranked as (
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
)

select
    ranked.indicator_id,
    ranked.variant,
    ranked.year,
    ranked.geography_level,
    ranked.geography_code,
    ranked.outcome,
    ranked.offences,
    ranked.days_p25,
    ranked.days_median,
    ranked.days_p75,
    ranked.days_p90,
    cast(null as varchar) as suppression
from ranked
cross join {{ source('raw', 'disclosure_rule') }} as rule
left join withheld
    on {{ same_cell('ranked', 'withheld', has_victim_group=false) }}
where
    withheld.year is null
    -- where most report dates are unknown, the days of the few others could identify them
    and (ranked.geography_level <> 'lan' or ranked.offences >= rule.suppress_below)
union all
-- All outcomes, so that the existence of a row reveals nothing.
select
    withheld.indicator_id,
    withheld.variant,
    withheld.year,
    withheld.geography_level,
    withheld.geography_code,
    outcome.outcome,
    null as offences,
    null as days_p25,
    null as days_median,
    null as days_p75,
    null as days_p90,
    withheld.suppression
from withheld
cross join (values ('cleared'), ('not_cleared'), ('all')) as outcome (outcome)
union all by name
-- Purged years keep their published figures.
select * from {{ source('raw', 'kept_fct_processing_time_year') }}
