{{ config(materialized='incremental') }}

-- Each spelling is parsed once, since there are few spellings and many offences.
with spelling as (
    select
        year,
        year_fingerprint,
        lagrum,
        count(*) as offences
    from {{ ref('int_decided_offence') }}
    where {{ is_stale_year('year') }}
    group by year, year_fingerprint, lagrum
),

parsed as (
    select
        *,
        {{ normal_provision('lagrum') }} as provision
    from spelling
)

select
    year,
    year_fingerprint,
    lagrum,
    offences,
    provision,
    provision is not null or {{ looks_like_penal_code('lagrum') }} as is_penal_code
from parsed
