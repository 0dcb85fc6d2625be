select
    revised.publication_id,
    revised.indicator_id,
    revised.variant,
    revised.year,
    revised.geography_level,
    revised.geography_code,
    revised.victim_group,
    revised.measure,
    revised.kind,
    -- What a later publication withholds, the history must not tell either.
    case when withheld.year is null then revised.old_value end as old_value,
    case when withheld.year is null then revised.new_value end as new_value,
    revised.causes
from {{ source('audit', 'revision') }} as revised
left join {{ ref('fct_indicator_year') }} as withheld
    on
        withheld.suppression is not null
        and revised.indicator_id = withheld.indicator_id
        and revised.variant = withheld.variant
        and revised.year = withheld.year
        and revised.geography_level = withheld.geography_level
        and revised.geography_code = withheld.geography_code
        and revised.victim_group = withheld.victim_group
