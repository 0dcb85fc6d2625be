{{ config(materialized='table') }}

with quarantined as (
    select
        source,
        year,
        file,
        count(*) as rows_quarantined
    from {{ ref('int_quarantined_decision') }}
    group by source, year, file
)

select
    delivery.source,
    delivery.year,
    delivery.file,
    delivery.delivery_id,
    delivery.is_complete_year,
    delivery.rows_read,
    delivery.rows_loaded - coalesce(quarantined.rows_quarantined, 0) as rows_loaded,
    delivery.rows_quarantined + coalesce(quarantined.rows_quarantined, 0) as rows_quarantined,
    delivery.duplicates
from {{ source('raw', 'delivery_file') }} as delivery
left join quarantined
    on delivery.source = quarantined.source and delivery.year = quarantined.year and delivery.file = quarantined.file
