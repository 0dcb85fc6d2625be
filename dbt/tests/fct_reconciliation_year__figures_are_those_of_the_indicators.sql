{{ config(meta={
    'owner': 'us',
    'limit': 'every figure of the country and the regions once, with the counts of the indicators',
    'reason': 'the reconciliation must compare the published figures',
    'evaluates_an_empty_table': true,
}) }}

{% set columns -%}
indicator_id, variant, year, geography_level, geography_code, victim_group, processed, investigated, dismissed, cleared
{%- endset %}

with published as (
    select {{ columns }}
    from {{ ref('fct_indicator_year') }}
    where geography_level in ('riket', 'polisregion') and geography_code <> 'okand'
),

compared as (
    select {{ columns }}
    from {{ ref('fct_reconciliation_year') }}
)

(
    select * from published
    except all
    select * from compared
)
union all
(
    select * from compared
    except all
    select * from published
)
