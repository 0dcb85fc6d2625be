{{ config(materialized='incremental') }}

select
    unmatched.year,
    unmatched.year_fingerprint,
    {{ source_of('unmatched.authority') }} as source,
    'decisions' as file,
    unmatched.line,
    case when unmatched.is_missing and looked_up.year is null then 'orphan' else 'date_order' end as reason
from {{ ref('int_unmatched_decision') }} as unmatched
left join {{ ref('int_looked_up_offence') }} as looked_up
    on
        unmatched.is_missing
        and unmatched.year = looked_up.year
        and unmatched.diarienummer = looked_up.diarienummer
        and unmatched.brottsnummer = looked_up.brottsnummer
where
    {{ is_stale_year('unmatched.year') }}
    and (not unmatched.is_missing or looked_up.year is null or unmatched.decision_date < looked_up.report_date)
