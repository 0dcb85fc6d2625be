{{ config(materialized='table') }}

{%- set outcomes = [
    'cleared_indictment', 'cleared_penalty_order', 'cleared_waiver',
    'limited_investigated', 'other_investigated', 'limited_dismissed', 'other_dismissed',
] %}
{%- set counts = ['processed', 'investigated', 'dismissed', 'with_suspect', 'cleared'] + outcomes %}

with counted as (
    select
        year,
        indicator_id,
        variant,
        geography_level,
        geography_code,
        case when grouping(victim_group) = 1 then 'total' else victim_group end as victim_group,
        sum(brottsantal) as processed,
        sum(case when is_investigated then brottsantal else 0 end) as investigated,
        sum(case when not is_investigated then brottsantal else 0 end) as dismissed,
        sum(case when has_suspect then brottsantal else 0 end) as with_suspect,
        sum(case when is_cleared then brottsantal else 0 end) as cleared,
        {%- for outcome in ['cleared_indictment', 'cleared_penalty_order', 'cleared_waiver'] %}
        sum(case when outcome = '{{ outcome }}' then brottsantal else 0 end) as {{ outcome }},
        {%- endfor %}
        sum(case when outcome = 'limited' and is_investigated then brottsantal else 0 end) as limited_investigated,
        sum(case when outcome = 'other' and is_investigated then brottsantal else 0 end) as other_investigated,
        sum(case when outcome = 'limited' and not is_investigated then brottsantal else 0 end) as limited_dismissed,
        sum(case when outcome = 'other' and not is_investigated then brottsantal else 0 end) as other_dismissed
    from {{ ref('int_counted_offence') }}
    group by
        grouping sets (
            (year, indicator_id, variant, geography_level, geography_code, victim_group),
            (year, indicator_id, variant, geography_level, geography_code)
        )
),

-- Every published cell, so that zeros have rows too.
cell as (
    select
        complete_year.year,
        variant.indicator_id,
        variant.variant,
        geography.geography_level,
        geography.geography_code,
        victim_group.victim_group
    from {{ source('raw', 'complete_year') }} as complete_year
    cross join {{ ref('indicator_variant') }} as variant
    inner join {{ ref('victim_group') }} as victim_group
        on
            victim_group.victim_group in ('total', 'okand')
            or (variant.indicator_id, victim_group.victim_group)
            in (select (indicator_id, victim_group) from {{ ref('indicator_victim_group') }})
    cross join {{ ref('dim_geography') }} as geography
    inner join {{ ref('geography_level') }} as level on geography.geography_level = level.geography_level
    where
        (variant.variant = 'beslutad' or level.has_all_variants)
        and (victim_group.victim_group = 'total' or level.has_all_victim_groups)
),

filled as (
    select
        {%- for count in counts %}
        cast(coalesce(counted.{{ count }}, 0) as bigint) as {{ count }},
        {%- endfor %}
        cell.*
    from cell
    left join counted
        on {{ same_cell('cell', 'counted') }}
),

rated as (
    select
        *,
        {{ pct('cleared', 'processed') }} as clearance_pct
    from filled
),

-- Figures of earlier years to compare with, including the published figures of purged years.
earlier as (
    {%- for source in ['rated', source('raw', 'kept_fct_indicator_year')] %}
    select
        year,
        indicator_id,
        variant,
        geography_level,
        geography_code,
        victim_group,
        processed,
        cleared,
        {{ pct('cleared', 'processed') }} as clearance_pct
    from {{ source }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

compared as (
    select
        year,
        indicator_id,
        variant,
        victim_group,
        max(case when geography_level = 'riket' then clearance_pct end) as clearance_pct_country,
        median(case when geography_level = 'polisregion' then clearance_pct end) as clearance_pct_median_region
    from rated
    group by year, indicator_id, variant, victim_group
),

break_year as (
    select
        indicator_id,
        year,
        bool_or(mixed_year) as mixed_year
    from {{ ref('series_break') }}
    group by indicator_id, year
),

-- Years not comparable with the year before: the year of a break, the year after a mixed year, and the first year after
-- old codes were phased out.
incomparable_year as (
    select
        indicator_id,
        year
    from {{ ref('series_break') }}
    union
    select
        indicator_id,
        year + 1 as year
    from {{ ref('series_break') }}
    where mixed_year
    union
    select
        indicator_id,
        worked_off_until + 1 as year
    from {{ ref('indicator') }}
)

select
    rated.indicator_id,
    rated.variant,
    rated.year,
    rated.geography_level,
    rated.geography_code,
    rated.victim_group,
    {%- for count in counts %}
    rated.{{ count }},
    {%- endfor %}
    cast(rated.clearance_pct as double) as clearance_pct,
    cast({{ wilson_bound('rated.cleared', 'rated.processed', '-') }} as double) as clearance_pct_low,
    cast({{ wilson_bound('rated.cleared', 'rated.processed', '+') }} as double) as clearance_pct_high,
    cast({{ pct('rated.cleared', '(rated.investigated - rated.limited_investigated)') }} as double) as prosecution_pct,
    cast(compared.clearance_pct_country as double) as clearance_pct_country,
    cast(compared.clearance_pct_median_region as double) as clearance_pct_median_region,
    case when break_year.year is null then cast(rated.clearance_pct - before.clearance_pct as double) end
        as clearance_change_pp,
    case
        when break_year.year is null and rated.processed > 0 and before.processed > 0
            then
                {{ differs_significantly('rated.cleared', 'rated.processed', 'before.cleared', 'before.processed') }}
    end as clearance_change_significant,
    incomparable_year.year is null as clearance_change_comparable,
    rated.processed < {{ var('small_number') }} as small_number,
    break_year.year is not null as series_break,
    coalesce(break_year.mixed_year, false) as mixed_year
from rated
inner join compared
    on
        rated.year = compared.year
        and rated.indicator_id = compared.indicator_id
        and rated.variant = compared.variant
        and rated.victim_group = compared.victim_group
left join earlier as before
    on {{ same_cell('rated', 'before', years_before=1) }}
left join break_year on rated.indicator_id = break_year.indicator_id and rated.year = break_year.year
left join incomparable_year
    on rated.indicator_id = incomparable_year.indicator_id and rated.year = incomparable_year.year
