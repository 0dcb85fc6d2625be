"""The vocabulary of a language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dagster_project.report import translations
from dagster_project.report.choice import Choice
from dagster_project.report.figures import Figures, Row


def vocabulary(figures: Figures, language: str, choice: Choice) -> dict[str, str]:
    """Return all words of a language by the keys that templates and data use."""
    words: dict[str, str] = {}

    def add(prefix: str, content: Mapping[str, Any]) -> None:
        for key, value in content.items():
            if isinstance(value, Mapping):
                add(f"{prefix}{key}.", value)
            elif isinstance(value, str):
                words[f"{prefix}{key}"] = value

    add("", translations.catalogue(language))
    for (level, code), row in figures.places.items():
        words[f"place.{level}/{code}"] = row[f"name_{language}"]
    for group, row in figures.groups.items():
        words[f"group.{group}"] = row[f"name_{language}"]
    for variants in figures.variants.values():
        for row in variants:
            words[f"variant.{row['variant']}"] = row[f"variant_name_{language}"]
    words["place"] = words[f"place.{'/'.join(choice.place)}"]
    return words


def provision(row: Row, language: str) -> str:
    """Return the law, code or other reason of a series break; reasons other than laws are translated."""
    text = str(row["provision"])
    for swedish, word in translations.catalogue(language)["provisions"].items():
        text = text.replace(swedish, word)
    return text


def changes(figures: Figures, indicator: str, language: str) -> dict[int, str]:
    """Return an indicator's series breaks by year: date, cause and provision of each."""
    texts: dict[int, list[str]] = {}
    for row in figures.breaks[indicator]:
        cause = row[f"cause_{language}"].rstrip(".")
        texts.setdefault(row["year"], []).append(
            f"{translations.day(row['in_force'], language)}: {cause} ({provision(row, language)})"
        )
    return {year: "; ".join(of_year) for year, of_year in texts.items()}
