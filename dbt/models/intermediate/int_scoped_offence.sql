{{ config(materialized='incremental') }}

-- Not materialized: DuckDB would copy all offences, since they are used twice.
with offence as not materialized (
    select * from {{ ref('int_decided_offence') }}
    where {{ is_stale_year('year') }}
),

classified as (
    {{ classified('offence', ref('int_provision')) }}
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
