{{ config(meta={
    'owner': 'us',
    'limit': 'the number in fct_indicator_year minus those without a report date, for the country and every region with offences',
    'reason': 'both tables count the same offences',
    'evaluates_an_empty_table': true
}) }}
with
timed as (
    select
        indicator_id,
        variant,
        year,
        geography_level,
        geography_code,
        outcome,
        offences
    from {{ ref('fct_processing_time_year') }}
),

undated as (
    select
        indicator_id,
        variant,
        year,
        geography_level,
        geography_code,
        cast(sum(brottsantal) as bigint) as processed,
        cast(sum(case when is_cleared then brottsantal else 0 end) as bigint) as cleared
    from {{ ref('int_counted_offence') }}
    where report_date is null
    group by all
),

dated as (
    select
        figure.indicator_id,
        figure.variant,
        figure.year,
        figure.geography_level,
        figure.geography_code,
        figure.processed - coalesce(undated.processed, 0) as "all",
        figure.cleared - coalesce(undated.cleared, 0) as cleared,
        "all" - figure.cleared + coalesce(undated.cleared, 0) as not_cleared
    from {{ ref('fct_indicator_year') }} as figure
    inner join {{ ref('geography_level') }} as level
        on figure.geography_level = level.geography_level and level.has_all_measures
    left join undated
        on
            figure.indicator_id = undated.indicator_id
            and figure.variant = undated.variant
            and figure.year = undated.year
            and figure.geography_level = undated.geography_level
            and figure.geography_code = undated.geography_code
    where
        figure.victim_group = 'total'
        and figure.year not in (select kept_year.year from {{ source('raw', 'kept_year') }} as kept_year)
),

by_outcome as (
    select * from dated unpivot (offences for outcome in ("all", cleared, not_cleared))
),

counted as (
    select * from by_outcome
    where offences > 0
)

(
    select * from counted
    except
    select * from timed
)
union all
(
    select * from timed
    where timed.year not in (select kept_year.year from {{ source('raw', 'kept_year') }} as kept_year)
    except
    select * from counted
)
