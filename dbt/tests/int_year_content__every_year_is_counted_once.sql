{{ config(meta={
    'owner': 'us',
    'limit': 'one row for every complete year with offences',
    'reason': 'years that are not counted would not be validated',
    'evaluates_an_empty_table': true
}) }}
select counted.year
from {{ ref('int_year_content') }} as counted
group by counted.year
having count(*) > 1
union all
select delivery.year
from {{ ref('int_delivery_balance') }} as delivery
where
    delivery.is_complete_year and delivery.source = 'police' and delivery.file = 'offences' and delivery.rows_loaded > 0
    and delivery.year not in (select counted.year from {{ ref('int_year_content') }} as counted)
