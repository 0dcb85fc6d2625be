{{ config(meta={
    'owner': 'us',
    'limit': 'as many as in fct_indicator_year, at every stage and place above municipalities that shows any',
    'reason': 'both tables count the same offences',
    'evaluates_an_empty_table': true
}) }}
with
flow as (
    select
        indicator_id,
        variant,
        year,
        geography_level,
        geography_code,
        stage,
        offences
    from {{ ref('fct_case_flow_year') }}
    where stage <> 'at_prosecutor' and suppression is null
),

figure as (
    select
        indicator_id,
        variant,
        year,
        geography_level,
        geography_code,
        processed,
        investigated,
        with_suspect,
        cleared
    from {{ ref('fct_indicator_year') }}
    where victim_group = 'total' and processed > 0 and geography_level <> 'kommun'
),

counted as (
    select * from figure unpivot (offences for stage in (processed, investigated, with_suspect, cleared))
)

(
    select * from counted
    except
    select * from flow
)
union all
(
    select * from flow
    except
    select * from counted
)
