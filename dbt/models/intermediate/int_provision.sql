{{ config(materialized='incremental', incremental_strategy='replace_years', meta={'rebuilt_by': 'years'}) }}

-- Spellings are few and offences many: each spelling is read once.
with spelling as (
    select
        year,
        lagrum,
        count(*) as offences
    from {{ ref('int_decided_offence') }}
    where {{ in_years('year', 'years') }}
    group by year, lagrum
),

understood as (
    select
        *,
        {{ normal_provision('lagrum') }} as provision
    from spelling
)

select
    year,
    lagrum,
    offences,
    provision,
    provision is not null or {{ looks_like_penal_code('lagrum') }} as is_penal_code
from understood
