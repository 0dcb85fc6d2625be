{{ config(materialized='table') }}

select
    class.classified_by,
    class.class_key,
    variant.indicator_id,
    variant.variant
from {{ ref('int_offence_class') }} as class
inner join {{ ref('indicator_variant') }} as variant on class.indicator_id = variant.indicator_id
where
    {{ is_listed('class.role', 'variant.roles') }}
    and (variant.parts is null or {{ is_listed('class.part', 'variant.parts') }})
    and (variant.excluded_parts is null or not {{ is_listed('class.part', 'variant.excluded_parts') }})
    and (variant.relations is null or {{ is_listed('class.relation', 'variant.relations') }})
    and (variant.places is null or {{ is_listed('class.place', 'variant.places') }})
