{{ config(meta={
    'owner': 'us',
    'limit': '0 rows that differ, in the measures published for the level',
    'reason': 'published figures must equal the figures that were counted and validated'
}) }}
select
    figure.indicator_id,
    figure.variant,
    figure.year,
    figure.geography_level,
    figure.geography_code,
    figure.victim_group,
    figure.processed,
    figure.investigated,
    figure.dismissed,
    figure.with_suspect,
    figure.cleared,
    figure.cleared_indictment,
    figure.cleared_penalty_order,
    figure.cleared_waiver,
    figure.limited_investigated,
    figure.other_investigated,
    figure.limited_dismissed,
    figure.other_dismissed,
    figure.clearance_pct,
    figure.clearance_pct_low,
    figure.clearance_pct_high,
    figure.prosecution_pct,
    figure.clearance_pct_country,
    figure.clearance_pct_median_region,
    figure.clearance_change_comparable,
    figure.small_number,
    figure.series_break,
    figure.mixed_year
from {{ ref('fct_indicator_year') }} as figure
where
    figure.suppression is null
    and figure.year not in (select kept_year.year from {{ source('raw', 'kept_year') }} as kept_year)
except
select
    counted.indicator_id,
    counted.variant,
    counted.year,
    counted.geography_level,
    counted.geography_code,
    counted.victim_group,
    counted.processed,
    case when level.has_all_measures then counted.investigated end as investigated,
    case when level.has_all_measures then counted.dismissed end as dismissed,
    case when level.has_all_measures then counted.with_suspect end as with_suspect,
    counted.cleared,
    case when level.has_all_measures then counted.cleared_indictment end as cleared_indictment,
    case when level.has_all_measures then counted.cleared_penalty_order end as cleared_penalty_order,
    case when level.has_all_measures then counted.cleared_waiver end as cleared_waiver,
    case when level.has_all_measures then counted.limited_investigated end as limited_investigated,
    case when level.has_all_measures then counted.other_investigated end as other_investigated,
    case when level.has_all_measures then counted.limited_dismissed end as limited_dismissed,
    case when level.has_all_measures then counted.other_dismissed end as other_dismissed,
    counted.clearance_pct,
    counted.clearance_pct_low,
    counted.clearance_pct_high,
    case when level.has_all_measures then counted.prosecution_pct end as prosecution_pct,
    counted.clearance_pct_country,
    counted.clearance_pct_median_region,
    counted.clearance_change_comparable,
    counted.small_number,
    counted.series_break,
    counted.mixed_year
from {{ ref('int_figure_year') }} as counted
inner join {{ ref('geography_level') }} as level on counted.geography_level = level.geography_level
