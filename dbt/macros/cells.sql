{# Join condition of two tables of figures by cell, without victim groups for tables that have none. With `years_before`, the right
   table's cell is that many years before the left table's. #}
{% macro same_cell(left, right, has_victim_group=true, years_before=0) -%}
    {%- set keys = ['indicator_id', 'variant', 'geography_level', 'geography_code'] + (['victim_group'] if has_victim_group else []) -%}
    {{ left }}.year = {{ right }}.year{{ ' + ' ~ years_before if years_before }}
    {%- for key in keys %}
    and {{ left }}.{{ key }} = {{ right }}.{{ key }}
    {%- endfor %}
{%- endmacro %}
