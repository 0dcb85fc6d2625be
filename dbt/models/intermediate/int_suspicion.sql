{{ config(materialized='incremental') }}

select
    offence.year,
    offence.year_fingerprint,
    offence.diarienummer,
    offence.brottsnummer,
    offence.classified_by,
    offence.class_key,
    offence.indicator_id,
    offence.region_code,
    decision.misstanke_id,
    bool_or(decision.is_clearing) as is_prosecuted
from {{ ref('int_processed_offence') }} as offence
inner join {{ ref('int_decision') }} as decision
    on
        offence.year = decision.year
        and offence.diarienummer = decision.diarienummer
        and offence.brottsnummer = decision.brottsnummer
        -- decisions before the report are quarantined
        and (offence.report_date is null or offence.report_date <= decision.decision_date)
where
    {{ is_stale_year('offence.year') }}
    and decision.authority = 'prosecutor'
    and decision.misstanke_id is not null
    and {{ stands('offence.reopened_date', table='decision') }}
group by all
