{# Creates all sources as empty tables in a new database, so that every dbt command works. If schema `raw` exists, nothing is
   created: a single missing source is an error. A missing warehouse is an error if deliveries are loaded, since marts would be empty.
   `kept_<mart>` has the columns of the mart. #}
{% macro create_empty_sources() -%}
    {%- if execute and not run_query("from duckdb_schemas() where schema_name = 'raw'") -%}
        {%- set ledger = target.path.rpartition('/')[0] ~ '/ledger.json' -%}
        {%- if run_query("from glob('" ~ ledger ~ "')") -%}
            {%- do exceptions.raise_compiler_error(
                target.path ~ " is missing, but deliveries are loaded: `uppklarat load` rebuilds it"
            ) -%}
        {%- endif -%}
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


{# Refuses to build selected models after an unfinished load: they would read stale parents and count as built from the current
   deliveries. `+model` also builds the model's parents. #}
{% macro refuse_models_without_their_parents() -%}
    {%- if execute and flags.WHICH in ['build', 'run'] -%}
        {%- for selected in (invocation_args_dict.get('select') or []) if not selected.startswith('+') -%}
            {%- if run_query(
                "select 1 from duckdb_tables() where schema_name = 'build' "
                ~ "having bool_or(table_name = 'rules') and not bool_or(table_name = 'result')"
            ) -%}
                {%- do exceptions.raise_compiler_error(
                    "the last load did not finish building: select +" ~ selected ~ ", or build everything"
                ) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
