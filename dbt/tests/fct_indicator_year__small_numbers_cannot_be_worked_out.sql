{{ config(meta={
    'owner': 'us',
    'limit': 'no sum with just one withheld term, and none whose withheld terms come to a small count unless the sum does',
    'reason': 'who knows a sum and all its terms but one knows that one too'
}) }}
with
cell as (
    select
        figure.year,
        figure.indicator_id,
        figure.geography_level,
        figure.geography_code,
        figure.victim_group,
        place.county_code,
        place.region_code,
        figure.suppression is not null as is_withheld,
        counted.cleared,
        counted.processed - counted.cleared as not_cleared,
        rule.suppress_below as below
    from {{ ref('fct_indicator_year') }} as figure
    inner join {{ ref('int_figure_year') }} as counted on {{ same_cell('figure', 'counted') }}
    inner join {{ ref('dim_geography') }} as place
        on figure.geography_level = place.geography_level and figure.geography_code = place.geography_code
    cross join {{ source('raw', 'disclosure_rule') }} as rule
    where figure.geography_level in ('lan', 'kommun') and figure.variant = 'beslutad' and rule.suppress_below > 1
),

-- Each sum, and its terms: who knows the sum must not know a withheld term.
term as (
    select
        'country, its counties ' || victim_group as whole,
        false as needs_room,
        *
    from cell
    where geography_level = 'lan'
    union all
    select
        'region ' || region_code || ', its counties ' || victim_group as whole,
        true as needs_room,
        *
    from cell
    where geography_level = 'lan' and region_code is not null
    union all
    select
        'county ' || coalesce(county_code, 'okand') || ', its municipalities' as whole,
        true as needs_room,
        *
    from cell
    where geography_level = 'kommun'
    union all
    select
        'county ' || geography_code || ', its victim groups' as whole,
        false as needs_room,
        *
    from cell
    where geography_level = 'lan' and victim_group <> 'total'
),

compared as (
    select
        year,
        indicator_id,
        whole,
        needs_room,
        count(*) as terms,
        sum(case when is_withheld then 1 else 0 end) as withheld,
        bool_or(is_withheld and cleared between 1 and below - 1) as hides_cleared,
        bool_or(is_withheld and not_cleared between 1 and below - 1) as hides_not_cleared,
        sum(case when is_withheld then cleared else 0 end) as withheld_cleared,
        sum(case when is_withheld then not_cleared else 0 end) as withheld_not_cleared,
        least(max(below), sum(cleared)) as room_for_cleared,
        least(max(below), sum(not_cleared)) as room_for_not_cleared
    from term
    group by year, indicator_id, whole, needs_room
)

select
    year,
    indicator_id,
    whole
from compared
where
    (withheld = 1 and terms > 1)
    or (needs_room and hides_cleared and withheld_cleared < room_for_cleared)
    or (needs_room and hides_not_cleared and withheld_not_cleared < room_for_not_cleared)
