{# Whether a decision ends the handling, and no reopening of the offence that year cancels it: it cancels every decision of an
   earlier date that does not clear, so that a cleared offence stays cleared. `table` qualifies the columns of the decision. #}
{% macro stands(reopened_date, table='') -%}
    {%- set of = table ~ '.' if table else '' -%}
    {{ of }}ends_handling
    and ({{ of }}is_clearing or {{ reopened_date }} is null or {{ of }}decision_date >= {{ reopened_date }})
{%- endmacro %}

{# The source (landing folder) of an authority's decisions. #}
{% macro source_of(authority) -%}
    case {{ authority }} when 'police' then 'police' else 'prosecution' end
{%- endmacro %}
