{%- set counts = [
    'processed', 'investigated', 'dismissed', 'cleared', 'cleared_indictment', 'cleared_penalty_order', 'cleared_waiver',
    'limited_investigated', 'limited_dismissed',
] %}
{%- set rates = ['clearance_pct', 'prosecution_pct'] %}

with declared as (
    select distinct
        year.year,
        official_cell.indicator_id,
        official_cell.variant,
        official_cell.victim_group,
        official_cell.match as official_match,
        official_cell.note as official_note,
        official_cell.note_sv as official_note_sv
    from {{ ref('official_cell') }} as official_cell
    inner join {{ ref('dim_year') }} as year
        on year.year between official_cell.from_year and official_cell.to_year
    -- Official rows that are added have the same match; one of their notes is kept.
    qualify row_number() over (
        partition by year.year, official_cell.indicator_id, official_cell.variant, official_cell.victim_group
        order by official_cell.note nulls last
    ) = 1
),

compared as (
    select
        ours.indicator_id,
        ours.variant,
        ours.year,
        ours.geography_level,
        ours.geography_code,
        ours.victim_group,
        {%- for measure in counts + rates %}
        ours.{{ measure }},
        official.{{ measure }} as official_{{ measure }},
        {%- endfor %}
        ours.processed - official.processed as processed_difference,
        ours.cleared - official.cleared as cleared_difference,
        greatest(
            {%- for count in counts %}
            abs(ours.{{ count }} - official.{{ count }}){{ ',' if not loop.last }}
            {%- endfor %}
        ) as largest_difference,
        ours.clearance_pct - official.clearance_pct as clearance_pct_difference,
        ours.prosecution_pct - official.prosecution_pct as prosecution_pct_difference,
        before.processed as official_processed_before,
        before.investigated as official_investigated_before,
        before.cleared as official_cleared_before,
        declared.official_match,
        declared.official_note,
        declared.official_note_sv,
        official.official_file,
        official.official_corrected_on,
        official.official_sha256
    from {{ ref('fct_indicator_year') }} as ours
    inner join {{ ref('geography_level') }} as level
        on ours.geography_level = level.geography_level and level.has_all_measures
    left join {{ ref('int_official_figure') }} as official
        on {{ same_cell('ours', 'official') }} and official.is_active
    left join {{ ref('int_official_figure') }} as before
        on {{ same_cell('ours', 'before') }} and not before.is_active
    left join declared
        on
            ours.year = declared.year
            and ours.indicator_id = declared.indicator_id
            and ours.variant = declared.variant
            and ours.victim_group = declared.victim_group
    where ours.geography_code <> 'okand'
)

select
    indicator_id,
    variant,
    year,
    geography_level,
    geography_code,
    victim_group,
    case
        when official_match is not null and official_processed is null then 'not loaded'
        when official_match in ('narrow', 'unclear') then 'not comparable'
        when largest_difference = 0 then 'equal'
        when largest_difference <= 5 then 'within 5'
        when largest_difference > 5 then 'differs'
        else 'no official row'
    end as status,
    {%- for measure in counts + rates %}
    {{ measure }},
    {%- endfor %}
    {%- for measure in counts + rates %}
    official_{{ measure }},
    {%- endfor %}
    processed_difference,
    cleared_difference,
    largest_difference,
    clearance_pct_difference,
    prosecution_pct_difference,
    official_processed_before,
    official_investigated_before,
    official_cleared_before,
    official_match,
    official_note,
    official_note_sv,
    official_file,
    official_corrected_on,
    official_sha256
from compared
