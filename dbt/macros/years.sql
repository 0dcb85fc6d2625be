{# The years that an incremental model has to add: missing ones and those with another fingerprint; all in a full refresh. The
   list is literal so that DuckDB does not read the files of other years. With `since_file`, only years from the first that has this
   optional file: earlier ones have no rows, and would be missing each time. #}
{% macro is_stale_year(column, since_file='') -%}
    {%- if is_incremental() -%}
        {%- set stale = run_query(
            "select year from " ~ source('raw', 'complete_year') ~ " where (year, year_fingerprint) not in "
            ~ "(select (year, year_fingerprint) from " ~ this ~ ")"
            ~ (" and year >= (select min(year) from " ~ source('raw', 'delivery_file') ~ " where file = '" ~ since_file ~ "')"
               if since_file else "")
            ~ " order by year"
        ) -%}
        {{ column }} in ({{ stale.columns[0].values() | join(', ') or 'null' }})
    {%- else -%} true {%- endif -%}
{%- endmacro %}

{# Removes stale years and years that are no longer complete, before new rows are added. #}
{% macro delete_stale_years() -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where (year, year_fingerprint) not in (select (year, year_fingerprint) from {{ source('raw', 'complete_year') }})
    {%- endif -%}
{%- endmacro %}
