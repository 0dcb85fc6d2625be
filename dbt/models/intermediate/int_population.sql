select
    counted.year,
    place.geography_level,
    place.geography_code,
    cast(sum(counted.population) as bigint) as population
from {{ source('raw', 'population') }} as counted
inner join {{ ref('municipality') }} as municipality on counted.municipality_code = municipality.municipality_code
inner join {{ ref('county') }} as county on municipality.county_code = county.county_code
inner join {{ ref('dim_geography') }} as place
    on place.geography_code in ('SE', county.region_code, county.county_code, municipality.municipality_code)
group by counted.year, place.geography_level, place.geography_code
