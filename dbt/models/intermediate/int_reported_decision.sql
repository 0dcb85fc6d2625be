{{ config(materialized='incremental') }}

-- The decisions on an offence are the same for each of its indicators.
with offence as (
    select distinct
        year,
        diarienummer,
        brottsnummer,
        report_date
    from {{ ref('int_reported_offence') }}
),

decided as (
    select
        decision.year,
        decision.year_fingerprint,
        offence.year as report_year,
        offence.diarienummer,
        offence.brottsnummer,
        decision.decision_date,
        decision.ends_handling,
        decision.is_clearing,
        max(case when decision.outcome = 'reopened' then decision.decision_date end) over (
            partition by decision.year, offence.year, offence.diarienummer, offence.brottsnummer
        ) as reopened_date
    from offence
    inner join {{ ref('int_accepted_decision') }} as decision
        on
            offence.diarienummer = decision.diarienummer
            and offence.brottsnummer = decision.brottsnummer
            and offence.report_date <= decision.decision_date
    where {{ is_stale_year('decision.year', since_file='reports') }}
)

select
    year,
    year_fingerprint,
    report_year,
    diarienummer,
    brottsnummer,
    bool_or(is_clearing) as is_cleared
from decided
where {{ stands('reopened_date') }}
group by year, year_fingerprint, report_year, diarienummer, brottsnummer
