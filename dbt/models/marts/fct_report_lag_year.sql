with lagged as (
    select
        *,
        year - year(report_date) as years_since_report
    from {{ ref('int_counted_offence') }}
),

named as (
    select
        *,
        case
            when years_since_report is null then 'okand'
            when years_since_report >= 3 then '3+'
            else cast(years_since_report as varchar)
        end as lag
    from lagged
),

counted as (
    select
        indicator_id,
        variant,
        year,
        geography_level,
        geography_code,
        lag,
        sum(brottsantal) as processed,
        sum(case when is_cleared then brottsantal else 0 end) as cleared
    from named
    group by indicator_id, variant, year, geography_level, geography_code, lag
),

cell as (
    select
        place.*,
        lag.lag
    from (
        select distinct
            indicator_id,
            variant,
            year,
            geography_level,
            geography_code
        from counted
    ) as place
    cross join (values ('0'), ('1'), ('2'), ('3+'), ('okand')) as lag (lag)
)

select
    cell.indicator_id,
    cell.variant,
    cell.year,
    cell.geography_level,
    cell.geography_code,
    cell.lag,
    cast(coalesce(counted.processed, 0) as bigint) as processed,
    cast(coalesce(counted.cleared, 0) as bigint) as cleared
from cell
inner join {{ ref('geography_level') }} as level
    on cell.geography_level = level.geography_level and not level.may_be_withheld
left join counted
    on {{ same_cell('cell', 'counted', has_victim_group=false) }} and cell.lag = counted.lag
union all by name
-- Purged years keep their published figures.
select * from {{ source('raw', 'kept_fct_report_lag_year') }}
