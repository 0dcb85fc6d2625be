{{ config(meta={
    'owner': 'us',
    'limit': 'the same number of rows in the warehouse as loaded, for every file',
    'reason': 'figures must be based on exactly the rows reported as loaded'
}) }}
with held as (
    select
        'police' as source,
        'offences' as file,
        year,
        count(*) as rows_held
    from {{ source('raw', 'police_offences') }}
    group by all
    union all
    select
        'police' as source,
        'decisions' as file,
        year,
        count(*) as rows_held
    from {{ source('raw', 'police_decisions') }}
    group by all
    union all
    select
        'police' as source,
        'reports' as file,
        year,
        count(*) as rows_held
    from {{ source('raw', 'police_reports') }}
    group by all
    union all
    select
        'prosecution' as source,
        'decisions' as file,
        year,
        count(*) as rows_held
    from {{ source('raw', 'prosecution_decisions') }}
    group by all
),

quarantined_later as (
    select
        source,
        file,
        year,
        count(*) as rows_quarantined
    from {{ ref('int_quarantined_decision') }}
    group by all
)

select
    delivery.source,
    delivery.file,
    delivery.year
from {{ ref('int_delivery_balance') }} as delivery
left join held
    on delivery.source = held.source and delivery.file = held.file and delivery.year = held.year
left join quarantined_later
    on
        delivery.source = quarantined_later.source
        and delivery.file = quarantined_later.file
        and delivery.year = quarantined_later.year
where
    delivery.is_complete_year
    and delivery.rows_loaded <> coalesce(held.rows_held, 0) - coalesce(quarantined_later.rows_quarantined, 0)
