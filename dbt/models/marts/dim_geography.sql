with place as (
    select
        'riket' as geography_level,
        'SE' as geography_code,
        'Hela landet' as name_sv,
        'Sweden' as name_en,
        cast(null as varchar) as region_code,
        cast(null as varchar) as county_code
    union all
    select
        'polisregion' as geography_level,
        region_code as geography_code,
        region_name as name_sv,
        region_name_en as name_en,
        region_code,
        null as county_code
    from {{ ref('police_region') }}
    union all
    select
        'lan' as geography_level,
        county_code as geography_code,
        county_name as name_sv,
        county_name_en as name_en,
        region_code,
        county_code
    from {{ ref('county') }}
    union all
    select
        'kommun' as geography_level,
        municipality.municipality_code as geography_code,
        municipality.municipality_name as name_sv,
        municipality.municipality_name as name_en,
        county.region_code,
        municipality.county_code
    from {{ ref('municipality') }} as municipality
    inner join {{ ref('county') }} as county on municipality.county_code = county.county_code
    union all
    select
        unknown.geography_level,
        'okand' as geography_code,
        'Okänd plats' as name_sv,
        'Unknown place' as name_en,
        null as region_code,
        null as county_code
    from (values ('lan'), ('kommun')) as unknown (geography_level)
)

select
    place.geography_level,
    place.geography_code,
    place.name_sv,
    place.name_en,
    place.region_code,
    place.county_code,
    level.name_sv as geography_level_sv,
    level.name_en as geography_level_en,
    level.sort_order as geography_level_order,
    cast(
        row_number() over (order by level.sort_order, place.geography_code = 'okand', place.geography_code) as integer
    ) as geography_order
from place
inner join {{ ref('geography_level') }} as level on place.geography_level = level.geography_level
