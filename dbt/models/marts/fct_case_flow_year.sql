-- A stage and the condition for it.
{%- set stages = [
    ('processed', 'true'),
    ('investigated', 'is_investigated'),
    ('with_suspect', 'has_suspect'),
    ('at_prosecutor', 'at_prosecutor'),
    ('cleared', 'is_cleared'),
] %}

with counted_offence as (
    select *
    from {{ ref('int_counted_offence') }}
    where geography_level <> 'kommun'
),

counted as (
    select
        {%- for stage, reached in stages %}
        sum(case when {{ reached }} then brottsantal else 0 end) as {{ stage }},
        {%- endfor %}
        indicator_id,
        variant,
        year,
        geography_level,
        geography_code
    from counted_offence
    group by indicator_id, variant, year, geography_level, geography_code
),

withheld as (
    select *
    from {{ ref('int_suppression') }}
    where geography_level <> 'kommun' and victim_group = 'total'
),

stage as (
    {%- for stage, _ in stages %}
    select
        '{{ stage }}' as stage,
        {{ loop.index }} as stage_order
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

staged as (
    {%- for stage, _ in stages %}
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
        cast(null as double) as share_of_stage_before_pct
        {%- else %}
        cast({{ pct(stage, loop.previtem[0]) }} as double) as share_of_stage_before_pct
        {%- endif %}
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
    case when staged.geography_level = 'riket' then cast({{ pct('linkage.linked', 'linkage.offences') }} as double) end
        as linkage_pct,
    cast(null as varchar) as suppression
from staged
left join {{ ref('int_linkage_year') }} as linkage on staged.year = linkage.year
left join withheld
    on {{ same_cell('staged', 'withheld', has_victim_group=false) }}
where withheld.year is null
union all
-- All stages, so that the existence of a row reveals nothing.
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
-- Purged years keep their published figures.
select * from {{ source('raw', 'kept_fct_case_flow_year') }}
