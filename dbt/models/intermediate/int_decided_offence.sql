{{ config(materialized='view') }}

select
    year,
    year as extract_year,
    diarienummer,
    brottsnummer,
    brottskod,
    lagrum,
    brottsantal,
    report_date,
    kommunkod,
    handlaggande_region,
    malsagande_kon,
    malsagande_alder
from {{ ref('stg_police_offences') }}
union all
select
    year,
    extract_year,
    diarienummer,
    brottsnummer,
    brottskod,
    lagrum,
    brottsantal,
    report_date,
    kommunkod,
    handlaggande_region,
    malsagande_kon,
    malsagande_alder
from {{ ref('int_looked_up_offence') }}
