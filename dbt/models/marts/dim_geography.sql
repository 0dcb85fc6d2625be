select
    'riket' as geography_level,
    'SE' as geography_code,
    'Hela landet' as name,
    cast(null as varchar) as region_code,
    cast(null as varchar) as county_code
union all
select
    'polisregion' as geography_level,
    region_code as geography_code,
    region_name as name,
    region_code,
    null as county_code
from {{ ref('police_region') }}
union all
select
    'lan' as geography_level,
    county_code as geography_code,
    county_name as name,
    region_code,
    county_code
from {{ ref('county') }}
union all
select
    'kommun' as geography_level,
    municipality.municipality_code as geography_code,
    municipality.municipality_name as name,
    county.region_code,
    municipality.county_code
from {{ ref('municipality') }} as municipality
inner join {{ ref('county') }} as county on municipality.county_code = county.county_code
union all
select
    level.geography_level,
    'okand' as geography_code,
    'Okänd plats' as name,
    null as region_code,
    null as county_code
from (values ('lan'), ('kommun')) as level (geography_level)
