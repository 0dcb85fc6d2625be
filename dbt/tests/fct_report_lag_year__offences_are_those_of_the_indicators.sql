{{ config(meta={
    'owner': 'us',
    'limit': 'the same number as in fct_indicator_year, for the country and every region with offences',
    'reason': 'both tables count the same offences',
    'evaluates_an_empty_table': true
}) }}
with
lagged as (
    select
        indicator_id,
        variant,
        year,
        geography_level,
        geography_code,
        cast(sum(processed) as bigint) as processed,
        cast(sum(cleared) as bigint) as cleared
    from {{ ref('fct_report_lag_year') }}
    group by all
),

counted as (
    select
        indicator_id,
        variant,
        year,
        geography_level,
        geography_code,
        processed,
        cleared
    from {{ ref('fct_indicator_year') }}
    where victim_group = 'total' and processed > 0 and geography_level in ('riket', 'polisregion')
)

(
    select * from counted
    except
    select * from lagged
)
union all
(
    select * from lagged
    except
    select * from counted
)
