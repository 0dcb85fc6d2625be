with last_break as (
    -- A mixed year is not comparable; the first comparable year is the one after it.
    select
        indicator_id,
        max(case when mixed_year then year + 1 else year end) as year
    from {{ ref('series_break') }}
    where year <= (select max(dim_year.year) from {{ ref('dim_year') }} as dim_year)
    group by indicator_id
)

select
    indicator.indicator_id,
    variant.variant,
    indicator.kind,
    indicator.number as indicator_number,
    variant.sort_order,
    indicator.name_sv,
    indicator.name_en,
    variant.name_sv as variant_name_sv,
    variant.name_en as variant_name_en,
    indicator.wording_sv,
    indicator.wording_en,
    indicator.numerator_sv,
    indicator.numerator_en,
    indicator.denominator_sv,
    indicator.denominator_en,
    variant.includes_sv,
    variant.includes_en,
    variant.excludes_sv,
    variant.excludes_en,
    indicator.legal_reference,
    nullif(greatest(coalesce(last_break.year, 0), coalesce(indicator.worked_off_until + 1, 0)), 0)
        as first_comparable_year
from {{ ref('indicator') }} as indicator
inner join {{ ref('indicator_variant') }} as variant on indicator.indicator_id = variant.indicator_id
left join last_break on indicator.indicator_id = last_break.indicator_id
