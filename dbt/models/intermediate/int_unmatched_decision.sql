{{ config(materialized='incremental') }}

-- The only full join of decisions and offences of a year; later models read only its result.
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
