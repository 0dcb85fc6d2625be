{#- Text in lower case with single spaces. -#}
{% macro plain_text(column) -%}
    trim(regexp_replace(lower({{ column }}), '[\s\p{Z}]+', ' ', 'g'))
{%- endmacro %}

{# Patterns of a provision of the Penal Code; the first groups are chapter, section and letter. #}
{% macro provision_patterns() -%}
    {%- set law = "(?:brb|brottsbalken)(?: ?\\(1962:700\\))?" -%}
    {%- set chapter = " ?(?:kap ?\\.?|:) ?" -%}
    {%- set number = "(?:[0-9]+|första|andra|tredje|fjärde|femte)" -%}
    {%- set paragraph = "(?:" ~ number ~ " ?(?:stycket|st|punkten|p)|(?:stycke|punkt|p) ?" ~ number ~ ")\\.?" -%}
    {#- The separator distinguishes `6:1 1 st` from `6:11 st`. -#}
    {%- set paragraphs = "(?:(?: ?§[ .,]*|[ .,]+)" ~ paragraph ~ ")*" -%}
    {%- set section = "([0-9]{1,2})" ~ chapter ~ "([0-9]+)(?: ?([a-z]))?(?: ?§)?" ~ paragraphs -%}
    {#- Attempt, preparation, conspiracy and complicity count as the offence itself. -#}
    {%- set attempt = "23" ~ chapter ~ "[124](?:(?:, ?| och )[124])*(?: ?§){0,2}" ~ paragraphs -%}
    {%- set also = "(?:,? (?:och|samt|jämte) |[,;] ?)" -%}
    {%- set may_name_law = "(?: ?" ~ law ~ ")?" -%}
    {%- set end = " ?\\.?$" -%}
    {{ return({
        'law_first': "^" ~ law ~ " ?" ~ section ~ end,
        'law_last': "^" ~ section ~ " ?" ~ law ~ end,
        'with_attempt': "^" ~ may_name_law ~ " ?" ~ section ~ may_name_law
            ~ "(?:" ~ also ~ "(?:" ~ law ~ " ?)?" ~ attempt ~ may_name_law ~ ")+" ~ end,
        'after_attempt': "^" ~ may_name_law ~ " ?" ~ attempt ~ may_name_law ~ also
            ~ "(?:" ~ law ~ " ?)?" ~ section ~ may_name_law ~ end,
        'without_law': "^" ~ section ~ end,
    }) }}
{%- endmacro %}

{# The normal form of a legal provision (`BrB 6:10 a`) from any of its spellings; null unless the text is exactly one provision
   of the Penal Code. The law may come first or last; a paragraph or point may follow, or the sections of chapter 23 on attempt,
   which also identify the law. #}
{% macro normal_provision(column) -%}
    {%- set text = plain_text(column) -%}
    {%- set patterns = provision_patterns() -%}
    case
        {%- for style in ['law_first', 'law_last', 'with_attempt', 'after_attempt'] %}
        when regexp_matches({{ text }}, '{{ patterns[style] }}') then
            'BrB ' || regexp_extract({{ text }}, '{{ patterns[style] }}', 1)
            || ':' || regexp_extract({{ text }}, '{{ patterns[style] }}', 2)
            || coalesce(' ' || nullif(regexp_extract({{ text }}, '{{ patterns[style] }}', 3), ''), '')
        {%- endfor %}
    end
{%- endmacro %}

{# Whether a text names the Penal Code, or a chapter and section without a law. #}
{% macro looks_like_penal_code(column) -%}
    {%- set text = plain_text(column) -%}
    (
        regexp_matches({{ text }}, '(?:^|[^a-zåäö])(?:brb|brottsbalk(?:en)?)(?:$|[^a-zåäö])|1962:700')
        or regexp_matches({{ text }}, '{{ provision_patterns()['without_law'] }}')
    )
{%- endmacro %}
