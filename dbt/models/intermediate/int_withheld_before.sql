{{ config(materialized='view') }}

select
    indicator_id,
    year,
    geography_level,
    geography_code
from {{ source('raw', 'withheld_before') }}
where
    -- Years whose raw rows were purged keep their published figures.
    year in (select complete_year.year from {{ source('raw', 'complete_year') }} as complete_year)
    -- Earlier publications had victim groups for counties.
    and victim_group = 'total'
