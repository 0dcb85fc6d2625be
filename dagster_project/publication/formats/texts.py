"""Texts for readers in both languages: labels of columns and notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from dagster_project.declared_files import StrictLoader
from dagster_project.seeds import seed_rows

LANGUAGES = ("sv", "en")
Text: TypeAlias = Mapping[str, str]
"""A text in each of `LANGUAGES`."""


@dataclass(frozen=True)
class Column:
    """Presentation of a published column; only measures have a unit and decimals.

    `at_every_level` is false for measures of the levels that have all of them.
    """

    name: str
    label: Text
    unit: Text | None
    decimals: int
    at_every_level: bool


@cache
def columns() -> Mapping[str, Column]:
    """Return the labelled columns by name, in order."""
    units = notes()["units"]
    return {
        row["column"]: Column(
            row["column"],
            {language: row[f"label_{language}"] for language in LANGUAGES},
            units[row["unit"]] if row["unit"] else None,
            int(row["decimals"] or 0),
            row["at_every_level"] == "true",
        )
        for row in seed_rows("column_label")
    }


def column_of(table: str, name: str) -> Column | None:
    """Return the presentation of a table's column; the same name may have another meaning in another table."""
    return columns().get(f"{table}.{name}") or columns().get(name)


@cache
def notes() -> Mapping[str, Any]:
    """Return the content of notes.yml."""
    text = Path(__file__).with_name("notes.yml").read_text(encoding="utf-8")
    return dict(yaml.load(text, Loader=StrictLoader))  # noqa: S506 (a SafeLoader)


def reader_notes(manifest: Mapping[str, Any]) -> Sequence[Text]:
    """Return the notes for readers of a publication, the most important first."""
    reader_texts: Sequence[Text] = notes()["notes"]
    return [notes()["synthetic"], *reader_texts] if manifest["synthetic"] else reader_texts
