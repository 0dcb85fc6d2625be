{{ config(meta={
    'owner': 'us',
    'limit': '0 rows',
    'reason': 'a group that the indicator cannot have is shown nowhere, and its offences would be lost'
}) }}
select offence.year
from {{ ref('int_processed_offence') }} as offence
left join {{ ref('indicator') }} as indicator on offence.indicator_id = indicator.indicator_id
where
    offence.victim_group <> 'okand'
    and not list_contains(string_split(indicator.victim_groups, '|'), offence.victim_group)
