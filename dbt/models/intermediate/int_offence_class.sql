{{ config(materialized='table') }}

-- The user's own codes override the shipped ones.
with catalogue as (
    select
        brottskod,
        role,
        indicator_id,
        part,
        victim_group,
        relation,
        place
    from {{ source('raw', 'own_offence_code') }}
    union all
    select
        brottskod,
        role,
        indicator_id,
        part,
        victim_group,
        relation,
        place
    from {{ ref('offence_code') }}
    where brottskod not in (select own.brottskod from {{ source('raw', 'own_offence_code') }} as own)
)

select
    'code' as classified_by,
    brottskod as class_key,
    role,
    indicator_id,
    part,
    victim_group,
    relation,
    place
from catalogue
union all
-- A measure counts a code regardless of its entry in the catalogue.
select
    'code' as classified_by,
    catalogue.brottskod as class_key,
    'core' as role,
    measure.indicator_id,
    catalogue.part,
    catalogue.victim_group,
    catalogue.relation,
    catalogue.place
from catalogue
inner join {{ ref('measure_code') }} as measure on catalogue.brottskod = measure.brottskod
union all
select
    'provision' as classified_by,
    provision as class_key,
    'core' as role,
    indicator_id,
    part,
    null as victim_group,
    null as relation,
    null as place
from {{ ref('legal_provision') }}
