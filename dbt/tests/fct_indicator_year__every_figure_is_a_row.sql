{{ config(meta={
    'owner': 'us',
    'limit': 'a row for every figure that was counted, and no other rows',
    'reason': 'figures of zero and withheld figures have rows too'
}) }}
with
shown as (
    select
        figure.indicator_id,
        figure.variant,
        figure.year,
        figure.geography_level,
        figure.geography_code,
        figure.victim_group
    from {{ ref('fct_indicator_year') }} as figure
    where figure.year not in (select kept_year.year from {{ source('raw', 'kept_year') }} as kept_year)
),

counted as (
    select
        indicator_id,
        variant,
        year,
        geography_level,
        geography_code,
        victim_group
    from {{ ref('int_figure_year') }}
)

(
    select * from counted
    except
    select * from shown
)
union all
(
    select * from shown
    except
    select * from counted
)
