{{ config(meta={
    'owner': 'us',
    'limit': '0 rows that differ',
    'reason': 'what is shown must be what was counted and checked'
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
    indicator_id,
    variant,
    year,
    geography_level,
    geography_code,
    victim_group,
    processed,
    investigated,
    dismissed,
    with_suspect,
    cleared,
    cleared_indictment,
    cleared_penalty_order,
    cleared_waiver,
    limited_investigated,
    other_investigated,
    limited_dismissed,
    other_dismissed,
    clearance_pct,
    clearance_pct_low,
    clearance_pct_high,
    prosecution_pct,
    clearance_pct_country,
    clearance_pct_median_region,
    clearance_change_comparable,
    small_number,
    series_break,
    mixed_year
from {{ ref('int_figure_year') }}
