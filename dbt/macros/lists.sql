{# Whether a value stands in a pipe-separated list; a missing value stands in none. #}
{% macro is_listed(value, list) -%}
    coalesce('|' || {{ list }} || '|' like '%|' || {{ value }} || '|%', false)
{%- endmacro %}
