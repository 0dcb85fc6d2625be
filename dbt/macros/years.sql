{# True for rows of the years that a variable lists; the list is literal so that DuckDB leaves other years' files unread. #}
{% macro in_years(column, variable) -%}
    {%- set years = var(variable) -%}
    {%- if years -%} {{ column }} in ({{ years | join(', ') }}) {%- else -%} false {%- endif -%}
{%- endmacro %}

{# Incremental strategy `replace_years`: the built years are replaced, and years that are no longer complete go away.
   A year that came out empty is emptied, which delete+insert by the new rows' keys would leave standing. #}
{% macro get_incremental_replace_years_sql(arguments) -%}
    {%- set columns = arguments['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    delete from {{ arguments['target_relation'] }}
    where {{ in_years('year', model.config.meta['rebuilt_by']) }} or not ({{ in_years('year', 'complete_years') }});
    insert into {{ arguments['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arguments['temp_relation'] }}
{%- endmacro %}
