{{ config(materialized='incremental') }}

-- The one place where all decisions meet all offences of their year; what comes after looks only at what is left here.
select
    decision.year,
    decision.year_fingerprint,
    decision.authority,
    decision.line,
    decision.diarienummer,
    decision.brottsnummer,
    decision.decision_date,
    offence.diarienummer is null as is_missing
from {{ ref('int_decision') }} as decision
left join {{ ref('stg_police_offences') }} as offence
    on
        decision.year = offence.year
        and decision.diarienummer = offence.diarienummer
        and decision.brottsnummer = offence.brottsnummer
where
    {{ is_stale_year('decision.year') }}
    and (offence.diarienummer is null or decision.decision_date < offence.report_date)
