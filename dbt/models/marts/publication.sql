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
    checks_warned,
    waivers,
    predecessor,
    changes,
    new_years,
    revisions,
    not_compared
from {{ source('audit', 'publication') }}
