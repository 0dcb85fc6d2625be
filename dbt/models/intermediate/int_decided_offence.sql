{{ config(materialized='view') }}

select
    offence.year,
    complete_year.year_fingerprint,
    offence.year as extract_year,
    {{ offence_columns('offence') }}
from {{ ref('stg_police_offences') }} as offence
inner join {{ source('raw', 'complete_year') }} as complete_year on offence.year = complete_year.year
union all
select
    year,
    year_fingerprint,
    extract_year,
    {{ offence_columns() }}
from {{ ref('int_looked_up_offence') }}
