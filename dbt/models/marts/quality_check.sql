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
    result,
    rows
from {{ source('audit', 'check_result') }}
