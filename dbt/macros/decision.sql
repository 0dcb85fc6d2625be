{# Whether a decision ends the handling and is not cancelled by a reopening of the offence in that year. A reopening cancels every
   earlier decision that does not clear the offence, so that a cleared offence stays cleared. `table` qualifies the columns of the
   decision. #}
{% macro stands(reopened_date, table='') -%}
    {%- set of = table ~ '.' if table else '' -%}
    {{ of }}ends_handling
    and ({{ of }}is_clearing or {{ reopened_date }} is null or {{ of }}decision_date >= {{ reopened_date }})
{%- endmacro %}

{# The source (landing folder) of an authority's decisions. #}
{% macro source_of(authority) -%}
    case {{ authority }} when 'police' then 'police' else 'prosecution' end
{%- endmacro %}
