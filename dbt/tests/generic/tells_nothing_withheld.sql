{# Fails for every value told of a figure that is withheld: the history of a number tells the number, or nearly so. #}
{% test tells_nothing_withheld(model, figures) %}
    select told.*
    from {{ model }} as told
    inner join {{ figures }} as figure
        using (indicator_id, variant, year, geography_level, geography_code, victim_group)
    where figure.suppression is not null and (told.old_value is not null or told.new_value is not null)
{% endtest %}
