"""The data dictionary: the generated part of docs/marts.md, and its copy in each publication."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import yaml

from dagster_project.contract.input_page import item, print_or_write
from dagster_project.settings import DBT_PROJECT, DOCS

PAGE = DOCS / "marts.md"
DICTIONARY = "dictionary.md"
REPORT = "report/index.html"
TABLES = DBT_PROJECT / "models" / "marts" / "_marts.yml"
MEANINGS = DBT_PROJECT / "models" / "columns.md"
# Columns of at least this many tables are described once.
SHARED_BY = 3


def generated() -> str:
    """Return tables, keys, columns, types and descriptions as Markdown."""
    declared = yaml.safe_load(TABLES.read_text(encoding="utf-8"))
    tables = [*declared["models"], *declared["sources"][0]["tables"]]
    meanings = dict(
        re.findall(r"{% docs (\w+) %}\n(.*?)\n{% enddocs %}", MEANINGS.read_text(encoding="utf-8"), re.DOTALL)
    )
    tables_of = Counter(_column(column) for table in tables for column in table["columns"])
    shared = {column for column, count in tables_of.items() if count >= SHARED_BY}
    return "\n".join(
        [
            "<!-- from dbt/models/marts/_marts.yml and columns.md by: python -m dagster_project.publication.marts_page --write -->",
            "",
            "### Columns of several tables",
            "",
            *(_explained(column, meanings) for column in tables_of if column in shared),
            *(line for table in tables for line in _table(table, meanings, shared)),
        ]
    )


def dictionary() -> str:
    """Return the page without links, for a publication."""
    text = PAGE.read_text(encoding="utf-8")
    return re.sub(r"\[([^\]]*)\]\([^)]+\)", r"\1", re.sub(r"<!--.*?-->\n", "", text))


def _table(table: dict[str, Any], meanings: dict[str, str], shared: set[tuple[str, str, str]]) -> list[str]:
    (key,) = (
        [table["config"]["meta"]["key"]]
        if "data_tests" not in table
        else [
            test["unique_combination"]["arguments"]["columns"]
            for test in table["data_tests"]
            if "unique_combination" in test
        ]
    )
    columns = [_column(column) for column in table["columns"]]
    explained_above = [f"`{name}`" for name, kind, meaning in columns if (name, kind, meaning) in shared]
    return [
        "",
        f"### {table['name']}",
        "",
        item(f"{table['description']} Key: {', '.join(f'`{name}`' for name in key)}.", ""),
        "",
        *([item(f"{', '.join(explained_above)}: see above")] if explained_above else []),
        *(_explained(column, meanings) for column in columns if column not in shared),
    ]


def _explained(column: tuple[str, str, str], meanings: dict[str, str]) -> str:
    name, kind, meaning = column
    return item(f"`{name}` ({kind}): {meanings[meaning]}")


def _column(column: dict[str, Any]) -> tuple[str, str, str]:
    """Return a column's name, type and the name of its doc block."""
    (meaning,) = re.findall(r"doc\('(\w+)'\)", column["description"])
    return str(column["name"]), str(column["data_type"]), meaning


if __name__ == "__main__":
    print_or_write(PAGE, generated())
