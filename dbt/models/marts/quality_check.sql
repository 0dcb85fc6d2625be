select
    layer,
    asset,
    name,
    year,
    severity,
    owner,
    reason,
    observed,
    "limit",
    passed,
    rows
from {{ source('audit', 'check_result') }}
