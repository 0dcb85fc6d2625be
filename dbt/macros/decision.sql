{# The source (landing folder) of an authority's decisions. #}
{% macro source_of(authority) -%}
    case {{ authority }} when 'police' then 'police' else 'prosecution' end
{%- endmacro %}
