{{ config(materialized='incremental') }}

with offence as (
    select * from {{ ref('int_decided_offence') }}
    where {{ is_stale_year('year') }}
),

by_code as (
    select * from {{ ref('int_offence_class') }}
    where classified_by = 'code'
),

by_provision as (
    select
        provision.year,
        provision.lagrum,
        class.*
    from {{ ref('int_provision') }} as provision
    inner join {{ ref('int_offence_class') }} as class
        on class.classified_by = 'provision' and provision.provision = class.class_key
),

-- A code in the catalogue takes precedence over the provision, even if it belongs to no indicator.
classified as (
    select
        offence.*,
        by_code.classified_by,
        by_code.class_key,
        by_code.indicator_id,
        by_code.victim_group
    from offence
    inner join by_code on offence.brottskod = by_code.class_key
    where by_code.indicator_id is not null
    union all
    select
        offence.*,
        by_provision.classified_by,
        by_provision.class_key,
        by_provision.indicator_id,
        by_provision.victim_group
    from offence
    inner join by_provision on offence.year = by_provision.year and offence.lagrum = by_provision.lagrum
    where offence.brottskod not in (select by_code.class_key from by_code)
),

grouped as (
    select
        classified.*,
        coalesce(classified.victim_group, victim_group.victim_group) as known_group
    from classified
    left join {{ ref('victim_group') }} as victim_group
        on
            classified.malsagande_kon = victim_group.sex
            and (classified.malsagande_alder >= 18) = victim_group.is_adult
)

select
    grouped.year,
    grouped.year_fingerprint,
    grouped.extract_year,
    grouped.diarienummer,
    grouped.brottsnummer,
    grouped.brottsantal,
    grouped.report_date,
    grouped.classified_by,
    grouped.class_key,
    grouped.indicator_id,
    coalesce(possible.victim_group, 'okand') as victim_group,
    coalesce(grouped.handlaggande_region, county.region_code) as region_code,
    coalesce(municipality.county_code, 'okand') as county_code,
    coalesce(municipality.municipality_code, 'okand') as municipality_code,
    grouped.kommunkod is not null and municipality.municipality_code is null as has_unknown_municipality
from grouped
left join {{ ref('indicator_victim_group') }} as possible
    on grouped.indicator_id = possible.indicator_id and grouped.known_group = possible.victim_group
left join {{ ref('municipality') }} as municipality on grouped.kommunkod = municipality.municipality_code
left join {{ ref('county') }} as county on municipality.county_code = county.county_code
