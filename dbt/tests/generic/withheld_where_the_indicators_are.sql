{# Fails for every county that is withheld in this table of figures or in the indicators, and not in the other. #}
{% test withheld_where_the_indicators_are(model) %}
{% set cell = 'distinct indicator_id, variant, year, geography_level, geography_code, suppression' %}
{{ config(meta={
    'owner': 'us',
    'limit': 'the same counties in both tables',
    'reason': 'what one table withholds, another must not show',
    'evaluates_an_empty_table': true
}) }}
with

figure as (
    select {{ cell }}
    from {{ ref('fct_indicator_year') }}
    where geography_level = 'lan' and victim_group = 'total' and suppression is not null
),

hidden as (
    select {{ cell }}
    from {{ model }}
    where suppression is not null
)

(select * from figure except select * from hidden) union all (select * from hidden except select * from figure)
{% endtest %}
