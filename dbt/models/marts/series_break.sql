select
    indicator.indicator_id,
    cast(year(law_change.in_force) as integer) as year,
    law_change.kind,
    law_change.in_force,
    -- a change within the year mixes figures before and after it
    month(law_change.in_force) <> 1 or day(law_change.in_force) <> 1 as mixed_year,
    law_change.cause_sv,
    law_change.cause_en,
    law_change.provision,
    law_change.sfs,
    law_change.confirmed as is_confirmed,
    law_change.reference
from {{ ref('law_change') }} as law_change
inner join {{ ref('indicator') }} as indicator
    on law_change.indicator_id = indicator.indicator_id or law_change.indicator_id = 'all'
where law_change.series_break = 'yes'
