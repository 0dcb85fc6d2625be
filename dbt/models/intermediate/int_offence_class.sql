{{ config(materialized='table') }}

with own as (
    select
        brottskod,
        role,
        indicator_id,
        part,
        victim_group,
        relation,
        place
    from {{ source('raw', 'own_offence_code') }}
),

shipped as (
    select
        brottskod,
        role,
        indicator_id,
        part,
        victim_group,
        relation,
        place
    from {{ ref('offence_code') }}
    where brottskod not in (select own.brottskod from own)
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
from shipped
union all
select
    'code' as classified_by,
    brottskod as class_key,
    role,
    indicator_id,
    part,
    victim_group,
    relation,
    place
from own
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
