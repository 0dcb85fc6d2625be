{{ config(meta={
    'owner': 'us',
    'limit': "the figure of the year on every row of the country; null on other rows and in years without prosecutor decisions",
    'reason': 'an offence without a police record has no indicator or place, so linkage exists per year only'
}) }}
select flow.year
from {{ ref('fct_case_flow_year') }} as flow
left join {{ ref('int_linkage_year') }} as linkage on flow.year = linkage.year
where
    flow.year not in (select kept_year.year from {{ source('raw', 'kept_year') }} as kept_year)
    and case
        when flow.geography_level = 'riket'
            then
                (flow.linkage_pct is null) <> (coalesce(linkage.offences, 0) = 0)
                or abs(flow.linkage_pct - 100.0 * linkage.linked / linkage.offences) > 1e-9
        else flow.linkage_pct is not null
    end
