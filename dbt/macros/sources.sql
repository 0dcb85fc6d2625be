{# Creates all sources as empty tables in a new database, so that every dbt command works. If schema `raw` exists, nothing is
   created: a single missing source is an error. `kept_<mart>` has the columns of the mart. #}
{% macro create_empty_sources() -%}
    {%- if execute and not run_query("from duckdb_schemas() where schema_name = 'raw'") -%}
        {%- do log(target.path ~ " is a new database: creating empty sources", info=true) -%}
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
