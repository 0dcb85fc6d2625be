select
    year,
    diarienummer,
    brottsnummer,
    brottskod,
    lagrum,
    brottsantal,
    anmalningsdatum as report_date,
    kommunkod,
    handlaggande_region
from {{ source('raw', 'police_reports') }}
