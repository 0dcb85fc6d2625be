{{ config(meta={
    'owner': 'us',
    'limit': '0 rows',
    'reason': 'offences of a group that the indicator cannot have would not be published'
}) }}
select offence.year
from {{ ref('int_processed_offence') }} as offence
left join {{ ref('indicator_victim_group') }} as possible
    on offence.indicator_id = possible.indicator_id and offence.victim_group = possible.victim_group
where offence.victim_group <> 'okand' and possible.indicator_id is null
