{# The key and attributes of an offence as delivered; `table` qualifies the columns. #}
{% macro offence_columns(table='') -%}
    {%- set columns = [
        'diarienummer', 'brottsnummer', 'brottskod', 'lagrum', 'brottsantal', 'report_date', 'kommunkod',
        'handlaggande_region', 'malsagande_kon', 'malsagande_alder',
    ] -%}
    {%- for column in columns -%}
    {{ table ~ '.' if table }}{{ column }}{{ ',\n    ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
