{# The years that an incremental model has to add: those that it lacks, or holds under another fingerprint. Built from nothing it
   adds all. The list is literal so that DuckDB leaves other years' files unread. #}
{% macro is_stale_year(column) -%}
    {%- if is_incremental() -%}
        {%- set stale = run_query(
            "select year from " ~ source('raw', 'complete_year') ~ " where (year, year_fingerprint) not in "
            ~ "(select (year, year_fingerprint) from " ~ this ~ ") order by year"
        ) -%}
        {{ column }} in ({{ stale.columns[0].values() | join(', ') or 'null' }})
    {%- else -%} true {%- endif -%}
{%- endmacro %}

{# Before new rows are added: removes years that rest on other deliveries or rules now, or that are no longer complete. #}
{% macro delete_stale_years() -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where (year, year_fingerprint) not in (select (year, year_fingerprint) from {{ source('raw', 'complete_year') }})
    {%- endif -%}
{%- endmacro %}
