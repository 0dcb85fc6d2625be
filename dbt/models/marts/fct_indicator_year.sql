{%- set counts = [
    'processed', 'investigated', 'dismissed', 'with_suspect', 'cleared',
    'cleared_indictment', 'cleared_penalty_order', 'cleared_waiver',
    'limited_investigated', 'other_investigated', 'limited_dismissed', 'other_dismissed',
] %}
{%- set rates = ['clearance_pct', 'clearance_pct_low', 'clearance_pct_high', 'prosecution_pct'] %}
{%- set at_every_level = ['processed', 'cleared', 'clearance_pct', 'clearance_pct_low', 'clearance_pct_high'] %}
{%- set changes = ['clearance_change_pp', 'clearance_change_significant'] %}

with figure as (
    select
        counted.*,
        this.suppression,
        this.suppression is null as is_shown,
        -- A change would reveal the withheld figure of the year before.
        this.suppression is null and before.suppression is null as is_change_shown
    from {{ ref('int_figure_year') }} as counted
    left join {{ ref('int_suppression') }} as this
        on {{ same_cell('counted', 'this') }}
    left join {{ ref('int_suppression') }} as before
        on {{ same_cell('counted', 'before', years_before=1) }}
),

-- Median of the counties shown, if they are the majority.
county_median as (
    select
        indicator_id,
        variant,
        year,
        victim_group,
        median(case when is_shown then clearance_pct end) as clearance_pct
    from figure
    where geography_level = 'lan' and geography_code <> 'okand'
    group by indicator_id, variant, year, victim_group
    having 2 * sum(case when is_shown then 1 else 0 end) > count(*)
),

published as (
    select
        figure.indicator_id,
        figure.variant,
        figure.year,
        figure.geography_level,
        figure.geography_code,
        figure.victim_group,
        {%- for column in counts + rates %}
        case when figure.is_shown then figure.{{ column }} end as {{ column }},
        {%- endfor %}
        figure.clearance_pct_country,
        figure.clearance_pct_median_region,
        case when figure.geography_level = 'lan' then county_median.clearance_pct end as clearance_pct_median_county,
        {%- for column in changes %}
        case when figure.is_change_shown then figure.{{ column }} end as {{ column }},
        {%- endfor %}
        figure.clearance_change_comparable,
        case when figure.is_shown then figure.small_number end as small_number,
        figure.series_break,
        figure.mixed_year,
        figure.suppression
    from figure
    left join county_median
        on
            figure.indicator_id = county_median.indicator_id
            and figure.variant = county_median.variant
            and figure.year = county_median.year
            and figure.victim_group = county_median.victim_group
    union all by name
    -- Purged years keep their published figures.
    select * from {{ source('raw', 'kept_fct_indicator_year') }}
)

select
    published.indicator_id,
    published.variant,
    published.year,
    published.geography_level,
    published.geography_code,
    published.victim_group,
    {%- for column in counts + rates %}
    {%- if column in at_every_level %}
    published.{{ column }},
    {%- else %}
    case when level.has_all_measures then published.{{ column }} end as {{ column }},
    {%- endif %}
    {%- endfor %}
    published.clearance_pct_country,
    published.clearance_pct_median_region,
    published.clearance_pct_median_county,
    {%- for column in changes %}
    published.{{ column }},
    {%- endfor %}
    published.clearance_change_comparable,
    published.small_number,
    published.series_break,
    published.mixed_year,
    published.suppression
from published
inner join {{ ref('geography_level') }} as level on published.geography_level = level.geography_level
-- Purged years get the same columns as other years.
where published.victim_group = 'total' or level.has_all_victim_groups
