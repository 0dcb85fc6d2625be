{{ config(meta={
    'owner': 'us',
    'limit': 'every known break, for every indicator that it affects',
    'reason': 'every known break must be shown, and some affect all indicators'
}) }}
select
    indicator.indicator_id,
    change.in_force,
    change.provision
from {{ ref('law_change') }} as change
cross join (select distinct indicator_id from {{ ref('dim_indicator') }}) as indicator
left join {{ ref('series_break') }} as break
    on
        indicator.indicator_id = break.indicator_id
        and change.in_force = break.in_force
        and change.provision = break.provision
where
    change.series_break = 'yes'
    and change.indicator_id in ('all', indicator.indicator_id)
    and break.indicator_id is null
