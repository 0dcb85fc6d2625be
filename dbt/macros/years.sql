{# The years that an incremental model has to add: missing ones and those with another fingerprint; all in a full refresh. The
   list is literal so that DuckDB does not read the files of other years. With `since_file`, only years from the first
   with this optional file: earlier years have no rows and would always count as missing. #}
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


{# Drops the offence-level models if models, macros or seeds changed since they were built, since every year is then stale. The next
   load begins with a new database, since a load does not reload seeds into a database built by its own code. #}
{% macro drop_models_of_other_code() -%}
    {%- if execute and flags.WHICH in ['build', 'run', 'seed'] -%}
        {%- set project = invocation_args_dict.project_dir | replace("'", "''") -%}
        {%- set code = run_query(
            "select md5(string_agg(md5(content), '' order by md5(content))) from read_text(["
            ~ "'" ~ project ~ "/models/**/*.sql', '" ~ project ~ "/macros/*.sql', '" ~ project ~ "/seeds/*.csv'])"
        ).columns[0].values()[0] -%}
        {%- do run_query("create schema if not exists build") -%}
        {%- do run_query("create table if not exists build.code as select '" ~ code ~ "' as version") -%}
        {%- if not run_query("from build.code where version = '" ~ code ~ "'") -%}
            {%- for node in graph.nodes.values() if node.config.materialized == 'incremental' -%}
                {%- set built = adapter.get_relation(node.database, node.schema, node.name) -%}
                {%- if built -%} {%- do adapter.drop_relation(built) -%} {%- endif -%}
            {%- endfor -%}
            {%- do run_query("drop table if exists build.rules") -%}
            {%- do run_query("update build.code set version = '" ~ code ~ "'") -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
