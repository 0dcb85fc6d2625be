{{ config(materialized='view') }}

select
    indicator_id,
    year,
    geography_level,
    geography_code,
    victim_group,
    suppression,
    because,
    hides,
    possible_values,
    rests_on
from {{ source('raw', 'withheld_before') }}
-- Purged years keep their published figures.
where year in (select complete_year.year from {{ source('raw', 'complete_year') }} as complete_year)
