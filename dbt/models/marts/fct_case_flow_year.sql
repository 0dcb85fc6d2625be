-- Stages and their conditions.
{%- set stages = [
    ('processed', 'true'),
    ('investigated', 'is_investigated'),
    ('with_suspect', 'has_suspect'),
    ('at_prosecutor', 'at_prosecutor'),
    ('cleared', 'is_cleared'),
] %}

with counted_offence as (
    select offence.*
    from {{ ref('int_counted_offence') }} as offence
    inner join {{ ref('geography_level') }} as level
        on offence.geography_level = level.geography_level and level.has_all_measures
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
        as linkage_pct
from staged
left join {{ ref('int_linkage_year') }} as linkage on staged.year = linkage.year
union all by name
-- Purged years keep their published figures.
select kept.*
from {{ source('raw', 'kept_fct_case_flow_year') }} as kept
inner join {{ ref('geography_level') }} as level
    on kept.geography_level = level.geography_level and level.has_all_measures
