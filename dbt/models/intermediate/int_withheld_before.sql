{{ config(materialized='view') }}

select
    indicator_id,
    year,
    geography_level,
    geography_code,
    victim_group
from {{ source('raw', 'withheld_before') }}
-- Years whose raw rows were purged keep their published figures.
where year in (select complete_year.year from {{ source('raw', 'complete_year') }} as complete_year)
