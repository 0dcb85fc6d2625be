{{ config(materialized='table') }}

-- Whether a class has one of the values in the variant's conditions, for each attribute and value of `counts`.
with compared as (
    select
        class.classified_by,
        class.class_key,
        class.indicator_id,
        condition.variant,
        condition.attribute,
        condition.counts,
        coalesce(bool_or(condition.value = case condition.attribute
            when 'role' then class.role
            when 'part' then class.part
            when 'relation' then class.relation
            when 'place' then class.place
        end), false) as has_value
    from {{ ref('int_offence_class') }} as class
    inner join {{ ref('variant_condition') }} as condition on class.indicator_id = condition.indicator_id
    group by all
)

select
    classified_by,
    class_key,
    indicator_id,
    variant
from compared
group by classified_by, class_key, indicator_id, variant
having bool_and(has_value = counts)
