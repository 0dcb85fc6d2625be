{{ config(materialized='incremental') }}

with delivered as (
    select
        year,
        'brottskod' as field,
        brottskod as code,
        count(*) as rows_delivered
    from {{ ref('stg_police_offences') }}
    where {{ is_stale_year('year') }}
    group by year, brottskod
    union all
    select
        year,
        'police beslut' as field,
        beslut as code,
        count(*) as rows_delivered
    from {{ ref('stg_police_decisions') }}
    where {{ is_stale_year('year') }}
    group by year, beslut
    union all
    select
        year,
        'prosecution beslut' as field,
        beslut as code,
        count(*) as rows_delivered
    from {{ ref('stg_prosecution_decisions') }}
    where {{ is_stale_year('year') }}
    group by year, beslut
)

select
    delivered.*,
    complete_year.year_fingerprint
from delivered
inner join {{ source('raw', 'complete_year') }} as complete_year on delivered.year = complete_year.year
