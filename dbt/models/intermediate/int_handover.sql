{{ config(materialized='incremental') }}

select distinct
    year,
    year_fingerprint,
    diarienummer,
    brottsnummer,
    decision_date as handed_over_date
from {{ ref('int_accepted_decision') }}
where
    {{ is_stale_year('year') }}
    and authority = 'police'
    and outcome = 'handed_over'
union all
-- Handovers of purged years, for offences decided later. Purged years are not complete, so each build deletes these
-- rows and adds them again.
select
    year,
    '' as year_fingerprint,
    diarienummer,
    brottsnummer,
    handed_over_date
from {{ source('raw', 'kept_handover') }}
