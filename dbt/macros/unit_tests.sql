{# Unit tests name cases in words, which are hashed to the type of the pseudonyms. dbt uses this cast for nothing else. #}
{% macro duckdb__safe_cast(field, type) -%}
    {%- if type | lower == 'uuid' and field != 'null' -%}
        cast(md5(cast({{ field }} as varchar)) as uuid)
    {%- else -%}
        cast({{ field }} as {{ type }})
    {%- endif -%}
{%- endmacro %}
