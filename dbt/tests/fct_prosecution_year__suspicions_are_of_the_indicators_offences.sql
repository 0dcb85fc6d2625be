{{ config(meta={
    'owner': 'us',
    'limit': 'one row per total; suspicions prosecuted if and only if offences are cleared, and decided only if offences have suspects',
    'reason': 'an offence is cleared by prosecuting a suspect',
    'evaluates_an_empty_table': true
}) }}
select coalesce(figure.year, suspicion.year) as year
from (
    select figure.*
    from {{ ref('fct_indicator_year') }} as figure
    inner join {{ ref('geography_level') }} as level
        on figure.geography_level = level.geography_level and level.has_all_measures
    where figure.variant in ('beslutad', 'egen') and figure.victim_group = 'total'
) as figure
full outer join {{ ref('fct_prosecution_year') }} as suspicion
    on
        figure.indicator_id = suspicion.indicator_id
        and figure.year = suspicion.year
        and figure.geography_level = suspicion.geography_level
        and figure.geography_code = suspicion.geography_code
where
    coalesce(figure.year, suspicion.year)
    not in (select kept_year.year from {{ source('raw', 'kept_year') }} as kept_year)
    and (
        (suspicion.suspicions_prosecuted > 0) = (figure.cleared > 0)
        and (suspicion.suspicions_decided = 0 or figure.with_suspect > 0)
    ) is not true
