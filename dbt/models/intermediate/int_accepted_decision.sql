{{ config(materialized='view') }}

select decision.*
from {{ ref('int_decision') }} as decision
left join {{ ref('int_quarantined_decision') }} as quarantined
    on
        decision.year = quarantined.year
        and decision.line = quarantined.line
        and {{ source_of('decision.authority') }} = quarantined.source
where quarantined.line is null
