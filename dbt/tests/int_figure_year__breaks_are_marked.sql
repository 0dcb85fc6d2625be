{{ config(meta={
    'owner': 'us',
    'limit': 'marked if and only if series_break contains the indicator and year',
    'reason': 'a chart must show every break that a line crosses'
}) }}
with break_year as (
    select
        indicator_id,
        year,
        bool_or(mixed_year) as mixed_year
    from {{ ref('series_break') }}
    group by all
)

select figure.year
from {{ ref('int_figure_year') }} as figure
left join break_year on figure.indicator_id = break_year.indicator_id and figure.year = break_year.year
where
    figure.series_break is distinct from (break_year.year is not null)
    or figure.mixed_year is distinct from coalesce(break_year.mixed_year, false)
