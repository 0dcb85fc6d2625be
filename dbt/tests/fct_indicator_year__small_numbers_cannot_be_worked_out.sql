{{ config(meta={
    'owner': 'us',
    'limit': 'every small number could have 3 values at least, or 2 where the country has only 1',
    'reason': 'who knows all that is published must not be able to tell a small number'
}) }}
select hidden.year
from {{ ref('fct_indicator_year') }} as hidden
inner join {{ ref('int_figure_year') }} as figure
    on
        hidden.indicator_id = figure.indicator_id
        and hidden.variant = figure.variant
        and hidden.year = figure.year
        and hidden.geography_level = figure.geography_level
        and hidden.geography_code = figure.geography_code
        and hidden.victim_group = figure.victim_group
left join {{ ref('int_suppression') }} as account
    on
        hidden.indicator_id = account.indicator_id
        and hidden.variant = account.variant
        and hidden.year = account.year
        and hidden.geography_level = account.geography_level
        and hidden.geography_code = account.geography_code
        and hidden.victim_group = account.victim_group
inner join {{ ref('int_figure_year') }} as country
    on
        country.geography_level = 'riket'
        and hidden.indicator_id = country.indicator_id
        and hidden.variant = country.variant
        and hidden.year = country.year
        and hidden.victim_group = country.victim_group
cross join {{ source('raw', 'disclosure_rule') }} as disclosure_rule
where
    hidden.suppression is not null
    and (
        figure.cleared between 1 and disclosure_rule.suppress_below - 1
        or figure.processed - figure.cleared between 1 and disclosure_rule.suppress_below - 1
    )
    and coalesce(account.possible_values, 0) < 3
    and not (
        -- The country itself tells that there is one only: it lies here or elsewhere.
        coalesce(account.possible_values, 0) = 2
        and (
            (figure.cleared between 1 and disclosure_rule.suppress_below - 1 and country.cleared = 1)
            or (
                figure.processed - figure.cleared between 1 and disclosure_rule.suppress_below - 1
                and country.processed - country.cleared = 1
            )
        )
    )
