{{ config(materialized='incremental') }}

-- An offence has one row per indicator that counts it, with the same outcome in each.
with decided as (
    select
        offence.year,
        offence.diarienummer,
        offence.brottsnummer,
        offence.report_date,
        decision.authority,
        decision.decision_date,
        decision.was_investigated,
        decision.has_suspect,
        decision.outcome,
        decision.ends_handling,
        decision.is_clearing,
        decision.rank,
        max(case when decision.outcome = 'reopened' then decision.decision_date end) over (
            partition by offence.year, offence.diarienummer, offence.brottsnummer
        ) as reopened_date
    from {{ ref('int_scoped_offence') }} as offence
    inner join {{ ref('int_decision') }} as decision
        on
            offence.year = decision.year
            and offence.diarienummer = decision.diarienummer
            and offence.brottsnummer = decision.brottsnummer
            -- decisions before the report are quarantined; without a report date, all count
            and (offence.report_date is null or offence.report_date <= decision.decision_date)
    where {{ is_stale_year('offence.year') }}
),

standing as (
    select
        *,
        row_number() over (
            partition by year, diarienummer, brottsnummer
            order by
                rank asc,
                -- within a rank, the first clearing decision, else the latest; ties on one day have the same outcome
                case when is_clearing then decision_date end asc,
                decision_date desc
        ) as place_in_line
    from decided
    where {{ stands('reopened_date') }}
),

-- All rows count as evidence of an investigation or a suspect, cancelled ones included.
evidence as (
    select
        year,
        diarienummer,
        brottsnummer,
        bool_or(was_investigated) as was_investigated,
        bool_or(has_suspect) as has_suspect,
        bool_or(authority = 'prosecutor') as at_prosecutor,
        max(reopened_date) as reopened_date
    from decided
    group by year, diarienummer, brottsnummer
)

select
    offence.year,
    offence.year_fingerprint,
    offence.extract_year,
    offence.diarienummer,
    offence.brottsnummer,
    offence.brottsantal,
    offence.report_date,
    offence.classified_by,
    offence.class_key,
    offence.indicator_id,
    offence.victim_group,
    offence.region_code,
    offence.county_code,
    offence.municipality_code,
    offence.has_unknown_municipality,
    standing.decision_date,
    standing.outcome,
    standing.is_clearing as is_cleared,
    standing.is_clearing or evidence.was_investigated as is_investigated,
    standing.is_clearing or evidence.has_suspect as has_suspect,
    evidence.at_prosecutor,
    evidence.reopened_date
from {{ ref('int_scoped_offence') }} as offence
inner join standing
    on
        offence.year = standing.year
        and offence.diarienummer = standing.diarienummer
        and offence.brottsnummer = standing.brottsnummer
inner join evidence
    on
        offence.year = evidence.year
        and offence.diarienummer = evidence.diarienummer
        and offence.brottsnummer = evidence.brottsnummer
where {{ is_stale_year('offence.year') }} and standing.place_in_line = 1
