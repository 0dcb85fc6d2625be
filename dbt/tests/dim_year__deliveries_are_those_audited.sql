{{ config(meta={
    'owner': 'us',
    'limit': 'both deliveries of every complete year, as audited',
    'reason': 'a publication must state the deliveries that it is based on'
}) }}
with delivered as (
    select
        year,
        max(case when source = 'police' then delivery_id end) as police_delivery_id,
        max(case when source = 'prosecution' then delivery_id end) as prosecution_delivery_id
    from {{ ref('int_delivery_balance') }}
    where is_complete_year
    group by year
),

named as (
    select
        dim_year.year,
        dim_year.police_delivery_id,
        dim_year.prosecution_delivery_id
    from {{ ref('dim_year') }} as dim_year
    where dim_year.year not in (select kept_year.year from {{ source('raw', 'kept_year') }} as kept_year)
)

(
    select * from delivered
    except
    select * from named
)
union all
(
    select * from named
    except
    select * from delivered
)
union all
select * from named
where police_delivery_id is null or prosecution_delivery_id is null
