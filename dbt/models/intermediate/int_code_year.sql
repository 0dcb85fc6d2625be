{{ config(materialized='incremental') }}

with delivered as (
    {%- for field, column, model in [
        ('brottskod', 'brottskod', 'stg_police_offences'),
        ('police beslut', 'beslut', 'stg_police_decisions'),
        ('prosecution beslut', 'beslut', 'stg_prosecution_decisions'),
    ] %}
    select
        year,
        '{{ field }}' as field,
        {{ column }} as code,
        count(*) as rows_delivered
    from {{ ref(model) }}
    where {{ is_stale_year('year') }}
    group by year, {{ column }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select
    delivered.*,
    complete_year.year_fingerprint
from delivered
inner join {{ source('raw', 'complete_year') }} as complete_year on delivered.year = complete_year.year
