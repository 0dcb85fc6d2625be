{# The source that delivers an authority's decisions, called what its landing folder is called. #}
{% macro source_of(authority) -%}
    case {{ authority }} when 'police' then 'police' else 'prosecution' end
{%- endmacro %}
