select
    delivery.year,
    max(case when delivery.source = 'police' then delivery.delivery_id end) as police_delivery_id,
    max(case when delivery.source = 'prosecution' then delivery.delivery_id end) as prosecution_delivery_id,
    bool_or(delivery.is_synthetic) as is_synthetic
from {{ source('raw', 'delivery_file') }} as delivery
where delivery.is_complete_year
group by delivery.year
union all by name
-- Purged years keep their published figures.
select * from {{ source('raw', 'kept_dim_year') }}
