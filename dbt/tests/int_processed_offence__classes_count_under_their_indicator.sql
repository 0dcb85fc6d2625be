{{ config(meta={
    'owner': 'us',
    'limit': '0 rows',
    'reason': 'codes and provisions must count under their indicator in the catalogue, and similar codes under none'
}) }}
select offence.year
from {{ ref('int_processed_offence') }} as offence
left join {{ ref('int_offence_class') }} as class
    on
        offence.classified_by = class.classified_by
        and offence.class_key = class.class_key
        and offence.indicator_id = class.indicator_id
        and class.role in ('core', 'broad')
where class.class_key is null
