"""Vocabulary, table cells and CSV downloads of a language."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from dagster_project.report import translations
from dagster_project.report.figures import Figures
from dagster_project.report.page_tables import COUNT, TENTHS, WORDS, YES_NO, Choice, Table


def vocabulary(figures: Figures, language: str, choice: Choice) -> dict[str, str]:
    """Return all words of a language by the keys that tables and charts use."""
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


def changes(figures: Figures, indicator: str, language: str) -> dict[int, str]:
    """Return by year what broke an indicator's series: date, cause and provision of each break."""
    texts: dict[int, list[str]] = {}
    for row in figures.breaks[indicator]:
        cause = row[f"cause_{language}"].rstrip(".")
        texts.setdefault(row["year"], []).append(
            f"{translations.day(row['in_force'], language)}: {cause} ({row['provision']})"
        )
    return {year: "; ".join(of_year) for year, of_year in texts.items()}


def cell(kind: str, value: Any, words: Mapping[str, str], language: str) -> str:
    """Format a cell of a table."""
    if value is None:
        return words["not_applicable"]
    if kind == WORDS:
        return ", ".join(words[key] for key in value.split())
    if kind == YES_NO:
        return words["said_yes" if value else "said_no"]
    if kind == COUNT:
        return translations.count(value, language)
    return translations.tenths(value, language) if kind == TENTHS else str(value)


def csv_address(table: Table, words: Mapping[str, str], language: str) -> str:
    """Return a data URL with the table as CSV in the format of this language's spreadsheets."""
    decimal = words["decimal"]

    def plain(kind: str, value: Any) -> str:
        if value is None:
            return ""
        if kind == TENTHS:
            return f"{'-' if value < 0 else ''}{abs(value) // 10}{decimal}{abs(value) % 10}"
        return str(value) if kind == COUNT else cell(kind, value, words, language)

    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if decimal == "," else ",", lineterminator="\r\n")
    writer.writerow([words[f"columns.{column}"] for column in table.columns])
    for row in table.rows:
        writer.writerow([plain(kind, value) for kind, value in zip(table.kinds, row, strict=True)])
    return "data:text/csv;charset=utf-8," + quote("\ufeff" + out.getvalue())
