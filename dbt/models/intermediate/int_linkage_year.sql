{{ config(materialized='incremental') }}

-- All codes: an offence without a police record has no code, indicator or place.
with decided_by_prosecutor as (
    select
        year,
        year_fingerprint,
        diarienummer,
        brottsnummer
    from {{ ref('int_decision') }}
    where authority = 'prosecutor' and {{ is_stale_year('year') }}
    group by year, year_fingerprint, diarienummer, brottsnummer
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
    decided.year_fingerprint,
    count(*) as offences,
    sum(case when missing.year is null then 1 else 0 end) as linked
from decided_by_prosecutor as decided
left join missing
    on
        decided.year = missing.year
        and decided.diarienummer = missing.diarienummer
        and decided.brottsnummer = missing.brottsnummer
group by decided.year, decided.year_fingerprint
