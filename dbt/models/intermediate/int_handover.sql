{{ config(materialized='incremental') }}

-- Quarantined decisions take part in nothing.
select distinct
    decision.year,
    decision.year_fingerprint,
    decision.diarienummer,
    decision.brottsnummer,
    decision.decision_date as handed_over_date
from {{ ref('int_decision') }} as decision
left join {{ ref('int_quarantined_decision') }} as quarantined
    on
        decision.year = quarantined.year
        and decision.line = quarantined.line
        and quarantined.source = 'police'
where
    {{ is_stale_year('decision.year') }}
    and decision.authority = 'police'
    and decision.outcome = 'handed_over'
    and quarantined.line is null
union all
-- Of purged years, those of offences that were decided later. Their years are not complete, so each build deletes them
-- and adds them again.
select
    year,
    '' as year_fingerprint,
    diarienummer,
    brottsnummer,
    handed_over_date
from {{ source('raw', 'kept_handover') }}
