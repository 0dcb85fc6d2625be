{{ config(materialized='view') }}
{%- set counts = [
    'processed', 'investigated', 'dismissed', 'cleared', 'cleared_indictment', 'cleared_penalty_order', 'cleared_waiver',
    'limited_investigated', 'limited_dismissed',
] %}

-- Figures from Brå's files, in the active and the previous version.
with delivered as (
    select
        official.year,
        official.geography_level,
        official.geography_code,
        declared.indicator_id,
        declared.variant,
        declared.victim_group,
        official.is_active,
        official.file as official_file,
        official.corrected_on as official_corrected_on,
        official.sha256 as official_sha256,
        {%- for count in counts %}
        cast(sum(official.{{ count }}) as bigint) as {{ count }},
        {%- endfor %}
        cast(null as double) as published_prosecution_pct
    from {{ source('raw', 'official_row') }} as official
    inner join {{ ref('official_cell') }} as declared
        on
            official.year between declared.from_year and declared.to_year
            and official.lagrum_label = coalesce(declared.lagrum_label, '')
            and official.row_path = declared.row_path
    group by all
),

-- Embedded figures in their latest version, for cells that no file contains.
embedded as (
    select
        figure.year,
        figure.geography_level,
        figure.geography_code,
        figure.indicator_id,
        figure.variant,
        figure.victim_group,
        true as is_active,
        'embedded' as official_file,
        figure.source_version as official_corrected_on,
        'embedded' as official_sha256,
        {%- for count in counts %}
        figure.{{ count }},
        {%- endfor %}
        figure.prosecution_pct as published_prosecution_pct
    from {{ ref('official_figure') }} as figure
    left join delivered
        on {{ same_cell('figure', 'delivered') }} and delivered.is_active
    where delivered.year is null
    qualify rank() over (
        partition by
            figure.year,
            figure.geography_level,
            figure.geography_code,
            figure.indicator_id,
            figure.variant,
            figure.victim_group
        order by figure.source_version desc
    ) = 1
),

known as (
    select * from delivered
    union all by name
    select * from embedded
)

select
    *,
    {{ pct('cleared', 'processed') }} as clearance_pct,
    -- Some tables publish the rate but not the limited offences in its denominator.
    coalesce(
        {{ pct('cleared', '(investigated - limited_investigated)') }}, published_prosecution_pct
    ) as prosecution_pct
from known
