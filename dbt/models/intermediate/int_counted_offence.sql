{{ config(materialized='view') }}

with placed as (
    {{ placed(ref('int_processed_offence'), ['riket', 'polisregion', 'lan', 'kommun']) }}
)

select
    placed.year,
    placed.extract_year,
    placed.diarienummer,
    placed.brottsnummer,
    placed.indicator_id,
    variant.variant,
    placed.geography_level,
    placed.geography_code,
    placed.victim_group,
    placed.brottsantal,
    placed.report_date,
    placed.decision_date,
    placed.outcome,
    placed.is_cleared,
    placed.is_investigated,
    placed.has_suspect,
    placed.at_prosecutor
from placed
inner join {{ ref('int_class_variant') }} as variant
    on
        placed.classified_by = variant.classified_by
        and placed.class_key = variant.class_key
        and placed.indicator_id = variant.indicator_id
inner join {{ ref('geography_level') }} as level on placed.geography_level = level.geography_level
where variant.variant = 'beslutad' or level.has_all_variants
