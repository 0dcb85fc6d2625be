{%- set quantiles = {'p25': 25, 'median': 50, 'p75': 75, 'p90': 90} %}

-- Without the previous year, the handover is known only for offences handed over and decided in the same year.
with with_year_before as (
    select year + 1 as year from {{ source('raw', 'complete_year') }}
    union
    select year + 1 as year from {{ source('raw', 'kept_year') }}
),

handed_over as (
    select
        offence.year,
        offence.diarienummer,
        offence.brottsnummer,
        max(handover.handed_over_date) as handed_over_date
    from {{ ref('int_processed_offence') }} as offence
    inner join {{ ref('int_handover') }} as handover
        on
            offence.diarienummer = handover.diarienummer
            and offence.brottsnummer = handover.brottsnummer
            and handover.handed_over_date between offence.report_date and offence.decision_date
    inner join with_year_before on offence.year = with_year_before.year
    group by offence.year, offence.diarienummer, offence.brottsnummer
),

timed as (
    select
        offence.year,
        offence.indicator_id,
        offence.variant,
        offence.geography_level,
        offence.geography_code,
        offence.brottsantal,
        case when offence.is_cleared then 'cleared' else 'not_cleared' end as cleared_or_not,
        offence.decision_date - offence.report_date as in_all,
        handed_over.handed_over_date - offence.report_date as to_prosecutor,
        offence.decision_date - handed_over.handed_over_date as at_prosecutor
    from {{ ref('int_counted_offence') }} as offence
    inner join {{ ref('geography_level') }} as level
        on offence.geography_level = level.geography_level and level.has_all_measures
    left join handed_over
        on
            offence.year = handed_over.year
            and offence.diarienummer = handed_over.diarienummer
            and offence.brottsnummer = handed_over.brottsnummer
    where offence.report_date is not null
),

-- Unpivot drops unknown spans.
spanned as (
    select * from timed unpivot (days for span in (in_all, to_prosecutor, at_prosecutor))
),

by_day as (
    select
        year,
        indicator_id,
        variant,
        geography_level,
        geography_code,
        case when grouping(cleared_or_not) = 1 then 'all' else cleared_or_not end as outcome,
        span,
        days,
        sum(brottsantal) as offences
    from spanned
    group by
        grouping sets (
            (year, indicator_id, variant, geography_level, geography_code, cleared_or_not, span, days),
            (year, indicator_id, variant, geography_level, geography_code, span, days)
        )
),

cumulated as (
    select
        *,
        sum(offences) over (
            partition by year, indicator_id, variant, geography_level, geography_code, outcome, span
            order by days
        ) as offences_so_far,
        sum(offences) over (
            partition by year, indicator_id, variant, geography_level, geography_code, outcome, span
        ) as offences_in_all
    from by_day
),

-- Nearest rank: the smallest number of days within which at least that share of the offences was decided.
measured as (
    select
        indicator_id,
        variant,
        year,
        geography_level,
        geography_code,
        outcome,
        span,
        {%- for name, percent in quantiles.items() %}
        min(case when 100 * offences_so_far >= {{ percent }} * offences_in_all then days end) as {{ name }},
        {%- endfor %}
        max(offences_in_all) as offences,
        sum(case when days <= 90 then offences else 0 end) as within_90_days
    from cumulated
    group by indicator_id, variant, year, geography_level, geography_code, outcome, span
)

select
    in_all.indicator_id,
    in_all.variant,
    in_all.year,
    in_all.geography_level,
    in_all.geography_code,
    in_all.outcome,
    cast(in_all.offences as bigint) as offences,
    {%- for name in quantiles %}
    cast(in_all.{{ name }} as integer) as days_{{ name }},
    {%- endfor %}
    cast(in_all.within_90_days as bigint) as decided_within_90_days,
    cast({{ pct('in_all.within_90_days', 'in_all.offences') }} as double) as decided_within_90_days_pct,
    {%- for span in ['to_prosecutor', 'at_prosecutor'] %}
    {%- for name in quantiles %}
    cast({{ span }}.{{ name }} as integer) as days_{{ span }}_{{ name }},
    {%- endfor %}
    {%- endfor %}
    case when with_year_before.year is not null then cast(coalesce(to_prosecutor.offences, 0) as bigint) end
        as handed_over
from measured as in_all
left join with_year_before on in_all.year = with_year_before.year
left join measured as to_prosecutor
    on
        {{ same_cell('in_all', 'to_prosecutor', has_victim_group=false) }}
        and in_all.outcome = to_prosecutor.outcome
        and to_prosecutor.span = 'to_prosecutor'
left join measured as at_prosecutor
    on
        {{ same_cell('in_all', 'at_prosecutor', has_victim_group=false) }}
        and in_all.outcome = at_prosecutor.outcome
        and at_prosecutor.span = 'at_prosecutor'
where in_all.span = 'in_all'
union all by name
-- Purged years keep their published figures.
select kept.*
from {{ source('raw', 'kept_fct_processing_time_year') }} as kept
inner join {{ ref('geography_level') }} as level
    on kept.geography_level = level.geography_level and level.has_all_measures
