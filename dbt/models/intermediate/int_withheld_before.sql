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
where {{ in_years('year', 'fact_years') }}
