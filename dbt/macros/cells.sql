{# The condition that joins two tables of figures by cell: without victim groups in tables that have none, and with the cell that
   `years_before` the left table's year where a year is compared with an earlier one. #}
{% macro same_cell(left, right, has_victim_group=true, years_before=0) -%}
    {%- set keys = ['indicator_id', 'variant', 'geography_level', 'geography_code'] + (['victim_group'] if has_victim_group else []) -%}
    {{ left }}.year = {{ right }}.year{{ ' + ' ~ years_before if years_before }}
    {%- for key in keys %}
    and {{ left }}.{{ key }} = {{ right }}.{{ key }}
    {%- endfor %}
{%- endmacro %}
