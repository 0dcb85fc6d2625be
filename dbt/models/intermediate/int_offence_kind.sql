{{ config(materialized='view') }}

select
    year,
    indicator_id,
    geography_code as municipality_code,
    victim_group,
    is_cleared,
    concat_ws(
        ' ', outcome, is_investigated, has_suspect, at_prosecutor, at_prosecutor and extract_year = year
    ) as kind,
    cast(sum(brottsantal) as bigint) as offences
from {{ ref('int_counted_offence') }}
where geography_level = 'kommun' and variant = 'beslutad'
group by all
