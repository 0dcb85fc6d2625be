{{ config(materialized='incremental') }}

with missing as (
    select distinct
        year,
        year_fingerprint,
        diarienummer,
        brottsnummer
    from {{ ref('int_unmatched_decision') }}
    where is_missing and {{ is_stale_year('year') }}
),

found as (
    select
        missing.year,
        missing.year_fingerprint,
        offence.year as extract_year,
        {{ offence_columns('offence') }},
        row_number() over (
            partition by missing.year, missing.diarienummer, missing.brottsnummer
            order by offence.year desc
        ) as nearness
    from missing
    inner join {{ ref('stg_police_offences') }} as offence
        on
            missing.diarienummer = offence.diarienummer
            and missing.brottsnummer = offence.brottsnummer
            and missing.year > offence.year
)

select
    year,
    year_fingerprint,
    extract_year,
    {{ offence_columns() }}
from found
where nearness = 1
