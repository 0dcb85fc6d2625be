{{ config(materialized='incremental', incremental_strategy='replace_years', meta={'rebuilt_by': 'years'}) }}

-- Of all codes: an offence that only a prosecutor knows has none, and belongs to no indicator or place.
with decided_by_prosecutor as (
    select
        year,
        diarienummer,
        brottsnummer
    from {{ ref('stg_prosecution_decisions') }}
    where {{ in_years('year', 'years') }}
    group by year, diarienummer, brottsnummer
),

missing as (
    select
        year,
        diarienummer,
        brottsnummer
    from {{ ref('int_unmatched_decision') }}
    where is_missing and authority = 'prosecutor'
    group by year, diarienummer, brottsnummer
)

select
    decided.year,
    count(*) as offences,
    sum(case when missing.year is null then 1 else 0 end) as linked
from decided_by_prosecutor as decided
left join missing
    on
        decided.year = missing.year
        and decided.diarienummer = missing.diarienummer
        and decided.brottsnummer = missing.brottsnummer
group by decided.year
