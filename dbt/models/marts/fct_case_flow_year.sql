-- A stage, the condition for it, and the condition for it and the stage before it.
{%- set stages = [
    ('processed', 'true', 'null'),
    ('investigated', 'is_investigated', 'is_investigated'),
    ('with_suspect', 'has_suspect', 'has_suspect and is_investigated'),
    ('at_prosecutor', 'at_prosecutor', 'at_prosecutor and has_suspect'),
    ('cleared', 'is_cleared', 'is_cleared and at_prosecutor'),
] %}

with counted_offence as (
    select *
    from {{ ref('int_counted_offence') }}
    where geography_level <> 'kommun'
),

counted as (
    select
        indicator_id,
        variant,
        year,
        geography_level,
        geography_code,
        {%- for stage, reached, reached_from_before in stages %}
        sum(case when {{ reached }} then brottsantal else 0 end) as {{ stage }},
        sum(case when {{ reached_from_before }} then brottsantal else 0 end) as {{ stage }}_from_before,
        {%- endfor %}
        sum(case when at_prosecutor and extract_year = year then brottsantal else 0 end) as linked
    from counted_offence
    group by indicator_id, variant, year, geography_level, geography_code
),

withheld as (
    select *
    from {{ ref('int_suppression') }}
    where geography_level <> 'kommun' and victim_group = 'total'
),

stage as (
    {%- for stage, _, _ in stages %}
    select
        '{{ stage }}' as stage,
        {{ loop.index }} as stage_order
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

staged as (
    {%- for stage, reached, reached_from_before in stages %}
    select
        indicator_id,
        variant,
        year,
        geography_level,
        geography_code,
        '{{ stage }}' as stage,
        {{ loop.index }} as stage_order,
        cast({{ stage }} as bigint) as offences,
        {%- if loop.first %}
        cast(null as double) as share_of_stage_before_pct,
        {%- else %}
        cast({{ pct(stage ~ '_from_before', loop.previtem[0]) }} as double) as share_of_stage_before_pct,
        {%- endif %}
        cast({{ pct('linked', 'at_prosecutor') }} as double) as linkage_pct
    from counted
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    staged.indicator_id,
    staged.variant,
    staged.year,
    staged.geography_level,
    staged.geography_code,
    staged.stage,
    staged.stage_order,
    staged.offences,
    staged.share_of_stage_before_pct,
    staged.linkage_pct,
    cast(null as varchar) as suppression
from staged
left join withheld
    on
        staged.indicator_id = withheld.indicator_id
        and staged.variant = withheld.variant
        and staged.year = withheld.year
        and staged.geography_level = withheld.geography_level
        and staged.geography_code = withheld.geography_code
where withheld.year is null
union all
-- All stages, so that none tells by being there.
select
    withheld.indicator_id,
    withheld.variant,
    withheld.year,
    withheld.geography_level,
    withheld.geography_code,
    stage.stage,
    stage.stage_order,
    null as offences,
    null as share_of_stage_before_pct,
    null as linkage_pct,
    withheld.suppression
from withheld
cross join stage
union all by name
-- Years whose raw rows were purged keep their figures as they were published.
select * from {{ source('raw', 'kept_fct_case_flow_year') }}
