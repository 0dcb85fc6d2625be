{{ config(meta={
    'owner': 'us',
    'limit': 'false in the year of a break, after a mixed year and after the last year with old codes; otherwise true',
    'reason': 'a difference between years that are not comparable must not be read as a change'
}) }}
with unlike_before as (
    select
        indicator_id,
        year
    from {{ ref('series_break') }}
    union
    select
        indicator_id,
        year + 1 as year
    from {{ ref('series_break') }}
    where mixed_year
    union
    select
        indicator_id,
        worked_off_until + 1 as year
    from {{ ref('indicator') }}
)

select figure.year
from {{ ref('int_figure_year') }} as figure
left join unlike_before on figure.indicator_id = unlike_before.indicator_id and figure.year = unlike_before.year
where figure.clearance_change_comparable is distinct from (unlike_before.year is null)
