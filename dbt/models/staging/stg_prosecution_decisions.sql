select
    year,
    line,
    diarienummer,
    brottsnummer,
    beslutsdatum as decision_date,
    beslut,
    misstanke_id,
    misstanke_id is not null as has_suspect
from {{ source('raw', 'prosecution_decisions') }}
