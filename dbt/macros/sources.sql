{# Where nothing was ever loaded, makes all sources empty, so that every dbt command works there. Once there is one, nothing is made:
   a source that is missing among others is an error, not a table without rows. `kept_<mart>` has the columns of the mart. #}
{% macro create_sources_of_an_empty_database() -%}
    {%- if execute and not run_query("from duckdb_schemas() where schema_name = 'raw'") -%}
        {%- do log("Nothing has been loaded into " ~ target.path ~ ": its sources are made empty", info=true) -%}
        {%- set models = {} -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' -%}
            {%- do models.update({node.name: node}) -%}
        {%- endfor -%}
        {%- set statements = ["create schema raw"] -%}
        {%- for source in graph.sources.values() if source.source_name == 'raw' -%}
            {%- set declared = source.columns or models[source.name | replace('kept_', '')].columns -%}
            {%- set columns = [] -%}
            {%- for column in declared.values() -%}
                {%- do columns.append(adapter.quote(column.name) ~ ' ' ~ column.data_type) -%}
            {%- endfor -%}
            {%- do statements.append("create table raw." ~ source.name ~ " (" ~ columns | join(', ') ~ ")") -%}
        {%- endfor -%}
        {%- do run_query(statements | join(';\n')) -%}
    {%- endif -%}
{%- endmacro %}
