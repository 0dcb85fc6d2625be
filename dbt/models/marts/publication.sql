select
    publication_id,
    published_at,
    is_synthetic,
    first_year,
    last_year,
    years,
    deliveries,
    code_version,
    checks_passed,
    checks_warned
from {{ source('audit', 'publication') }}
