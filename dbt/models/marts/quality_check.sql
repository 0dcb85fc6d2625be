select
    layer,
    asset,
    name,
    year,
    severity,
    owner,
    reason,
    observed,
    expected as "limit",
    passed,
    rows
from {{ source('audit', 'check_result') }}
