{{ config(materialized='view') }}

select
    year,
    year as extract_year,
    {{ offence_columns() }}
from {{ ref('stg_police_offences') }}
union all
select
    year,
    extract_year,
    {{ offence_columns() }}
from {{ ref('int_looked_up_offence') }}
