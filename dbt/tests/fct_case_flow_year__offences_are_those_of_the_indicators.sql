{{ config(meta={
    'owner': 'us',
    'limit': 'the same number as in fct_indicator_year at every stage, for the country and every region with offences',
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
    where stage <> 'at_prosecutor'
),

figure as (
    select
        figure.indicator_id,
        figure.variant,
        figure.year,
        figure.geography_level,
        figure.geography_code,
        figure.processed,
        figure.investigated,
        figure.with_suspect,
        figure.cleared
    from {{ ref('fct_indicator_year') }} as figure
    inner join {{ ref('geography_level') }} as level
        on figure.geography_level = level.geography_level and level.has_all_measures
    where figure.victim_group = 'total' and figure.processed > 0
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
