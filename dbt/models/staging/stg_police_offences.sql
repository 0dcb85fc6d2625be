select
    year,
    diarienummer,
    brottsnummer,
    brottskod,
    lagrum,
    brottsantal,
    anmalningsdatum as report_date,
    kommunkod,
    handlaggande_region,
    malsagande_kon,
    malsagande_alder
from {{ source('raw', 'police_offences') }}
