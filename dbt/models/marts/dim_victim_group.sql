select
    victim_group,
    sort_order,
    name_sv,
    name_en
from {{ ref('victim_group') }}
