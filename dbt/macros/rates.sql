{# Per cent of a whole, unrounded; null if the whole is 0. #}
{% macro pct(part, whole) -%}
    100.0 * {{ part }} / nullif({{ whole }}, 0)
{%- endmacro %}

{# A bound of the 95 % Wilson score interval of a share, in per cent (`-` lower, `+` upper). For shares of 0 and 1, a bound is
   exactly 0 or 100; the formula would deviate in the last bits. #}
{% macro wilson_bound(part, whole, sign) -%}
    {%- set z = var('z_95') -%}
    case
        when {{ part }} = {{ 0 if sign == '-' else whole }} and {{ whole }} > 0 then {{ 0.0 if sign == '-' else 100.0 }}
        when {{ whole }} > 0 then 100.0 * (
            ({{ part }} + {{ z }} * {{ z }} / 2.0)
            {{ sign }} {{ z }} * sqrt(
                1.0 * {{ part }} * ({{ whole }} - {{ part }}) / {{ whole }} + {{ z }} * {{ z }} / 4.0
            )
        ) / ({{ whole }} + {{ z }} * {{ z }})
    end
{%- endmacro %}

{# Whether two shares differ by the pooled two-proportion z test, two-sided, 5 %; false if both are 0 or both 100 %. #}
{% macro differs_significantly(part_1, whole_1, part_2, whole_2) -%}
    {%- set pooled = "(1.0 * (" ~ part_1 ~ " + " ~ part_2 ~ ") / (" ~ whole_1 ~ " + " ~ whole_2 ~ "))" -%}
    abs(1.0 * {{ part_1 }} / {{ whole_1 }} - 1.0 * {{ part_2 }} / {{ whole_2 }})
    > {{ var('z_95') }} * sqrt({{ pooled }} * (1.0 - {{ pooled }}) * (1.0 / {{ whole_1 }} + 1.0 / {{ whole_2 }}))
{%- endmacro %}
