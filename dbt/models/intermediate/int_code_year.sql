{{ config(materialized='incremental', incremental_strategy='replace_years', meta={'rebuilt_by': 'years'}) }}

select
    year,
    'brottskod' as field,
    brottskod as code,
    count(*) as rows_delivered
from {{ ref('stg_police_offences') }}
where {{ in_years('year', 'years') }}
group by year, brottskod
union all
select
    year,
    'police beslut' as field,
    beslut as code,
    count(*) as rows_delivered
from {{ ref('stg_police_decisions') }}
where {{ in_years('year', 'years') }}
group by year, beslut
union all
select
    year,
    'prosecution beslut' as field,
    beslut as code,
    count(*) as rows_delivered
from {{ ref('stg_prosecution_decisions') }}
where {{ in_years('year', 'years') }}
group by year, beslut
