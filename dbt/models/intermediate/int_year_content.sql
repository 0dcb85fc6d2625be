{{ config(materialized='incremental') }}

-- The only full join of offences and decisions of a year. Not materialized: DuckDB would copy all offences,
-- which are used several times.
with offence as not materialized (
    select * from {{ ref('stg_police_offences') }}
    where {{ is_stale_year('year') }}
),

decision as (
    select
        year,
        diarienummer,
        brottsnummer
    from {{ ref('int_accepted_decision') }}
    where {{ is_stale_year('year') }}
),

-- The catalogue has one row per code and indicator that counts it.
coded as (
    select distinct
        class_key as brottskod,
        victim_group
    from {{ ref('int_offence_class') }}
    where classified_by = 'code'
),

checked as (
    select
        offence.year,
        victim_group.victim_group is not null
        and (offence.malsagande_kon is not null or offence.malsagande_alder is not null) as has_coded_victim,
        coalesce(offence.malsagande_kon <> victim_group.sex, false)
        or coalesce((offence.malsagande_alder >= 18) <> victim_group.is_adult, false) as has_another_victim
    from offence
    left join coded on offence.brottskod = coded.brottskod
    left join {{ ref('victim_group') }} as victim_group on coded.victim_group = victim_group.victim_group
),

total as (
    select
        year,
        count(*) as offences,
        count(case when has_coded_victim then 1 end) as offences_with_coded_victim,
        count(case when has_another_victim then 1 end) as offences_with_another_victim
    from checked
    group by year
),

undecided as (
    select
        offence.year,
        count(*) as offences
    from offence
    anti join decision
        on
            offence.year = decision.year
            and offence.diarienummer = decision.diarienummer
            and offence.brottsnummer = decision.brottsnummer
    group by offence.year
),

with_region as (
    select
        year,
        min(handlaggande_region) <> max(handlaggande_region) as has_several
    from offence
    where handlaggande_region is not null
    group by year, diarienummer
    having count(*) > 1
),

region as (
    select
        year,
        count(*) as cases,
        sum(case when has_several then 1 else 0 end) as several
    from with_region
    group by year
)

select
    total.year,
    complete_year.year_fingerprint,
    total.offences,
    coalesce(undecided.offences, 0) as offences_without_decision,
    total.offences_with_coded_victim,
    total.offences_with_another_victim,
    coalesce(region.cases, 0) as cases_of_several_offences,
    cast(coalesce(region.several, 0) as bigint) as cases_of_several_regions
from total
inner join {{ source('raw', 'complete_year') }} as complete_year on total.year = complete_year.year
left join undecided on total.year = undecided.year
left join region on total.year = region.year
