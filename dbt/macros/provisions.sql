{# The normal form of a legal provision (`BrB 6:10 a`) from any of its spellings; null for what is not exactly one provision
   of the Penal Code. Case and spacing are irrelevant, the law may stand first or last, a paragraph or point may follow. #}
{% macro normal_provision(column) -%}
    {%- set spaced = "trim(regexp_replace(lower(" ~ column ~ "), '[\\s\\p{Z}]+', ' ', 'g'))" -%}
    {%- set law = "(?:brb|brottsbalken)" -%}
    {%- set section = "([0-9]+) ?(?:kap ?\\.?|:) ?([0-9]+)(?: ?([a-z]))?" -%}
    {%- set number = "(?:[0-9]+|första|andra|tredje|fjärde|femte)" -%}
    {%- set paragraph = "(?:" ~ number ~ " ?(?:stycket|st|punkten|p)|(?:stycke|punkt|p) ?" ~ number ~ ")\\.?" -%}
    {#- Without a separator `6:1 1 st` and `6:11 st` would be the same. -#}
    {%- set tail = "(?: ?§)?(?:(?: ?§[ .]*|[ .]+)" ~ paragraph ~ ")*" -%}
    {%- set law_first = "^" ~ law ~ " ?" ~ section ~ tail ~ "$" -%}
    {%- set law_last = "^" ~ section ~ tail ~ " ?" ~ law ~ "$" -%}
    case
        {%- for written in [law_first, law_last] %}
        when regexp_matches({{ spaced }}, '{{ written }}') then
            'BrB ' || regexp_extract({{ spaced }}, '{{ written }}', 1)
            || ':' || regexp_extract({{ spaced }}, '{{ written }}', 2)
            || coalesce(' ' || nullif(regexp_extract({{ spaced }}, '{{ written }}', 3), ''), '')
        {%- endfor %}
    end
{%- endmacro %}
