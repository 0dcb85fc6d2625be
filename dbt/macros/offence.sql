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

{# The offences of a relation that belong to an indicator, one row per indicator, with their class. A code in the
   catalogue takes precedence over the provision, even if it belongs to no indicator. `provisions` has the provision of each year's
   spellings. #}
{% macro classified(offences, provisions) -%}
    {%- set columns = ['classified_by', 'class_key', 'indicator_id', 'victim_group'] -%}
    select
        offence.*{% for column in columns %},
        by_code.{{ column }}{% endfor %}
    from {{ offences }} as offence
    inner join {{ ref('int_offence_class') }} as by_code
        on by_code.classified_by = 'code' and offence.brottskod = by_code.class_key
    where by_code.indicator_id is not null
    union all
    select
        offence.*{% for column in columns %},
        by_provision.{{ column }}{% endfor %}
    from {{ offences }} as offence
    inner join {{ provisions }} as spelling
        on offence.year = spelling.year and offence.lagrum = spelling.lagrum
    inner join {{ ref('int_offence_class') }} as by_provision
        on by_provision.classified_by = 'provision' and spelling.provision = by_provision.class_key
    where offence.brottskod not in (
        select class.class_key from {{ ref('int_offence_class') }} as class where class.classified_by = 'code'
    )
{%- endmacro %}

{# The offences of a relation, one row per level with their place. Offences without a known region have no row for regions. #}
{% macro placed(offences, levels) -%}
    {%- set codes = {'riket': "'SE'", 'polisregion': 'region_code', 'lan': 'county_code', 'kommun': 'municipality_code'} -%}
    {%- for level in levels %}
    select
        *,
        '{{ level }}' as geography_level,
        {{ codes[level] }} as geography_code
    from {{ offences }}
    {%- if level == 'polisregion' %}
    where region_code is not null
    {%- endif %}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}
