{{ config(materialized='view') }}

with decision as (
    select
        'police' as authority,
        year,
        line,
        diarienummer,
        brottsnummer,
        decision_date,
        beslut,
        cast(null as uuid) as misstanke_id,
        was_investigated,
        has_suspect
    from {{ ref('stg_police_decisions') }}
    union all
    select
        'prosecutor' as authority,
        year,
        line,
        diarienummer,
        brottsnummer,
        decision_date,
        beslut,
        misstanke_id,
        -- every prosecutor decision belongs to an investigated offence (input contract)
        true as was_investigated,
        has_suspect
    from {{ ref('stg_prosecution_decisions') }}
)

select
    decision.authority,
    decision.year,
    complete_year.year_fingerprint,
    decision.line,
    decision.diarienummer,
    decision.brottsnummer,
    decision.decision_date,
    decision.misstanke_id,
    decision.was_investigated,
    decision.has_suspect,
    decision_kind.outcome,
    decision_kind.ends_handling,
    decision_kind.is_clearing,
    decision_kind.rank
from decision
-- Decisions of incomplete years do not count yet.
inner join {{ source('raw', 'complete_year') }} as complete_year on decision.year = complete_year.year
inner join {{ ref('decision_kind') }} as decision_kind
    on decision.authority = decision_kind.authority and decision.beslut = decision_kind.beslut
