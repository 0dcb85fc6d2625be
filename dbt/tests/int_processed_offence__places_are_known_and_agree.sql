{{ config(meta={
    'owner': 'us',
    'limit': '0 rows',
    'reason': 'an offence lies in the county of its municipality and in a region, or its place is unknown'
}) }}
select offence.year
from {{ ref('int_processed_offence') }} as offence
left join {{ ref('municipality') }} as municipality on offence.municipality_code = municipality.municipality_code
where
    offence.county_code <> coalesce(municipality.county_code, 'okand')
    or (municipality.municipality_code is null and offence.municipality_code <> 'okand')
    or (municipality.municipality_code is not null and offence.region_code is null)
    or offence.region_code not in (select region.region_code from {{ ref('police_region') }} as region)
