"""The shape of a value: its kinds of characters without the characters themselves."""

from __future__ import annotations

from dagster_project.contract import Column

LONGEST_SHAPE = 24
# Non-ASCII digits and spaces get signs of their own, since they are often the error.
_SHAPES = [
    ("[0-9]", "9"),
    (r"\p{Lu}", "A"),
    (r"[^\PLA]", "a"),
    (r"[^\PN9]", "\N{FULLWIDTH DIGIT NINE}"),
    (r"[^\PZ ]|\pC", "\N{OPEN BOX}"),
]


def shape_sql(column: Column) -> str:
    """SQL for the shape of a column's text: digits become 9, letters A or a; free text becomes its length."""
    if column.is_free_text:
        return f"length({column.name}) || ' characters'"
    shape = f"left({column.name}, {LONGEST_SHAPE})"
    for pattern, sign in _SHAPES:
        shape = f"regexp_replace({shape}, '{pattern}', '{sign}', 'g')"
    return f"{shape} || case when length({column.name}) > {LONGEST_SHAPE} then '…' else '' end"
