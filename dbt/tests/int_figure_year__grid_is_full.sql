{{ config(meta={
    'owner': 'us',
    'limit': 'a row for every possible indicator × variant × year × place × group, and no other rows',
    'reason': 'zeros must have rows, so that a missing row is never read as zero'
}) }}
with
shown as (
    select
        indicator_id,
        variant,
        year,
        geography_level,
        geography_code,
        victim_group
    from {{ ref('int_figure_year') }}
),

possible as (
    select
        variant.indicator_id,
        variant.variant,
        y.year,
        place.geography_level,
        place.geography_code,
        victim.victim_group
    from {{ ref('dim_indicator') }} as variant
    -- purged years have only their published figures
    cross join (
        select year from {{ ref('dim_year') }}
        except
        select year from {{ source('raw', 'kept_year') }}
    ) as y
    cross join {{ ref('dim_geography') }} as place
    inner join {{ ref('geography_level') }} as level on place.geography_level = level.geography_level
    inner join {{ ref('dim_victim_group') }} as victim
        on
            victim.victim_group in ('total', 'okand')
            or (variant.indicator_id, victim.victim_group)
            in (select (indicator_id, victim_group) from {{ ref('indicator_victim_group') }})
    where
        (variant.variant = 'beslutad' or level.has_all_variants)
        and (victim.victim_group = 'total' or level.has_all_victim_groups)
)

(
    select * from possible
    except
    select * from shown
)
union all
(
    select * from shown
    except
    select * from possible
)
