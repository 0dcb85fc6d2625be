{{ config(materialized='table') }}

-- Each spelling is parsed once, since there are few spellings and many offences.
with spelling as (
    select distinct
        year,
        lagrum
    from {{ ref('stg_police_reports') }}
),

provision as (
    select
        year,
        lagrum,
        {{ normal_provision('lagrum') }} as provision
    from spelling
),

classified as (
    {{ classified(ref('stg_police_reports'), 'provision') }}
)

select
    classified.year,
    classified.diarienummer,
    classified.brottsnummer,
    classified.brottsantal,
    classified.report_date,
    classified.classified_by,
    classified.class_key,
    classified.indicator_id,
    coalesce(classified.handlaggande_region, county.region_code) as region_code
from classified
left join {{ ref('municipality') }} as municipality on classified.kommunkod = municipality.municipality_code
left join {{ ref('county') }} as county on municipality.county_code = county.county_code
