{{ config(meta={
    'owner': 'us',
    'limit': 'primary only where a count is small',
    'reason': 'what is said to be withheld for its own sake must be'
}) }}
select figure.year
from {{ ref('fct_indicator_year') }} as figure
inner join {{ ref('int_figure_year') }} as counted
    on
        figure.indicator_id = counted.indicator_id
        and figure.variant = counted.variant
        and figure.year = counted.year
        and figure.geography_level = counted.geography_level
        and figure.geography_code = counted.geography_code
        and figure.victim_group = counted.victim_group
cross join {{ source('raw', 'disclosure_rule') }} as disclosure_rule
where
    figure.suppression = 'primary'
    and not (
        (counted.processed > 0 and counted.processed < disclosure_rule.suppress_below)
        or (counted.cleared > 0 and counted.cleared < disclosure_rule.suppress_below)
        or (
            counted.processed - counted.cleared > 0
            and counted.processed - counted.cleared < disclosure_rule.suppress_below
        )
    )
