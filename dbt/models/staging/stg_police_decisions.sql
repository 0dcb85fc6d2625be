select
    year,
    line,
    diarienummer,
    brottsnummer,
    beslutsdatum as decision_date,
    beslut,
    utredning = 'J' as was_investigated,
    skaligen_misstankt = 'J' as has_suspect
from {{ source('raw', 'police_decisions') }}
