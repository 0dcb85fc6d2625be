{{ config(materialized='view') }}

select
    year,
    indicator_id,
    geography_code as municipality_code,
    is_cleared,
    cast(sum(brottsantal) as bigint) as offences
from {{ ref('int_counted_offence') }}
where geography_level = 'kommun' and variant = 'beslutad'
group by year, indicator_id, geography_code, is_cleared
