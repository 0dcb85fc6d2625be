{{ config(meta={
    'owner': 'us',
    'limit': 'no partly withheld sum that shows one of its first two terms or withholds too little to protect small numbers',
    'reason': 'a single withheld term of a sum can be calculated from the sum and the other terms'
}) }}
with
cell as (
    select
        figure.year,
        figure.indicator_id,
        figure.geography_level,
        figure.geography_code,
        coalesce(place.county_code, 'okand') as county_code,
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

-- Each sum and its terms. The first two terms are partners: they are withheld together.
term as (
    select
        'region ' || region_code as whole,
        row_number() over (partition by year, indicator_id, region_code order by geography_code) as number,
        *
    from cell
    where geography_level = 'lan' and region_code is not null
    union all
    select
        'county ' || county_code as whole,
        row_number() over (partition by year, indicator_id, county_code order by geography_code) as number,
        *
    from cell
    where geography_level = 'kommun'
),

compared as (
    select
        year,
        indicator_id,
        whole,
        max(geography_level) as geography_level,
        count(*) as terms,
        sum(case when is_withheld then 1 else 0 end) as withheld,
        bool_or(number <= 2 and not is_withheld) as shows_partner,
        max(below) + sum(case when is_withheld and number > 2 then 1 else 0 end) as enough,
        sum(case when is_withheld then cleared else 0 end) as withheld_cleared,
        sum(case when is_withheld then not_cleared else 0 end) as withheld_not_cleared
    from term
    group by year, indicator_id, whole
),

-- The unknown place and the fully withheld regions together equal the country minus the other regions.
country as (
    select
        cell.year,
        cell.indicator_id,
        bool_or(cell.is_withheld) as is_withheld,
        2 * max(cell.below) as too_few,
        count(*) as regions,
        sum(case when region.withheld = region.terms then 1 else 0 end) as whole_regions,
        max(cell.cleared) as unknown_cleared,
        max(cell.not_cleared) as unknown_not_cleared,
        sum(case when region.withheld = region.terms then region.withheld_cleared else 0 end) as region_cleared,
        sum(case when region.withheld = region.terms then region.withheld_not_cleared else 0 end) as region_not_cleared
    from cell
    inner join compared as region on cell.year = region.year and cell.indicator_id = region.indicator_id
    where cell.geography_level = 'lan' and cell.geography_code = 'okand' and region.geography_level = 'lan'
    group by cell.year, cell.indicator_id
)

select
    year,
    indicator_id,
    whole
from compared
where
    withheld between 1 and terms - 1
    and (
        shows_partner
        or withheld_cleared between 1 and enough - 1
        or withheld_not_cleared between 1 and enough - 1
    )
union all
select
    year,
    indicator_id,
    'country' as whole
from country
where
    case
        when is_withheld
            then
                whole_regions < regions
                and (
                    whole_regions = 0
                    or unknown_cleared + region_cleared between 1 and too_few
                    or unknown_not_cleared + region_not_cleared between 1 and too_few
                )
        else
            whole_regions > 0
            or unknown_cleared between 1 and too_few
            or unknown_not_cleared between 1 and too_few
    end
union all
select
    place.year,
    place.indicator_id,
    'withheld county ' || place.county_code as whole
from cell as place
inner join cell as county
    on
        place.year = county.year
        and place.indicator_id = county.indicator_id
        and place.county_code = county.geography_code
where
    place.geography_level = 'kommun' and county.geography_level = 'lan'
    and county.is_withheld and not place.is_withheld
