with placed as (
    {{ placed(ref('int_suspicion'), ['riket', 'polisregion']) }}
),

-- A suspicion about offences of several regions or indicators counts once in each.
counted as (
    select
        placed.indicator_id,
        placed.year,
        placed.geography_level,
        placed.geography_code,
        count(distinct placed.misstanke_id) as suspicions_decided,
        count(distinct case when placed.is_prosecuted then placed.misstanke_id end) as suspicions_prosecuted
    from placed
    inner join {{ ref('int_class_variant') }} as variant
        on
            placed.classified_by = variant.classified_by
            and placed.class_key = variant.class_key
            and placed.indicator_id = variant.indicator_id
            and variant.variant in ('beslutad', 'egen')
    group by placed.indicator_id, placed.year, placed.geography_level, placed.geography_code
)

select
    indicator.indicator_id,
    complete_year.year,
    place.geography_level,
    place.geography_code,
    coalesce(counted.suspicions_decided, 0) as suspicions_decided,
    coalesce(counted.suspicions_prosecuted, 0) as suspicions_prosecuted
from {{ source('raw', 'complete_year') }} as complete_year
cross join {{ ref('indicator') }} as indicator
cross join {{ ref('dim_geography') }} as place
inner join {{ ref('geography_level') }} as level
    on place.geography_level = level.geography_level and level.has_all_measures
left join counted
    on
        complete_year.year = counted.year
        and indicator.indicator_id = counted.indicator_id
        and place.geography_level = counted.geography_level
        and place.geography_code = counted.geography_code
union all by name
-- Purged years keep their published figures.
select * from {{ source('raw', 'kept_fct_prosecution_year') }}
