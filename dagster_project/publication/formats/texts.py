"""What readers are told, in both languages: labels of columns, and what they must know of the figures."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from dagster_project.settings import SEEDS
from dagster_project.strict_yaml import StrictLoader

LANGUAGES = ("sv", "en")
Text: TypeAlias = Mapping[str, str]
"""The same in each of `LANGUAGES`."""


@dataclass(frozen=True)
class Column:
    """How a column of fct_indicator_year is shown; `unit` (a text in both languages) and `decimals` only of a measure."""

    name: str
    label: Text
    unit: Text | None
    decimals: int


@cache
def columns() -> Mapping[str, Column]:
    """The columns of fct_indicator_year by name, in their order there."""
    units = notes()["units"]
    with (SEEDS / "column_label.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["column"]: Column(
                row["column"],
                {language: row[f"label_{language}"] for language in LANGUAGES},
                units[row["unit"]] if row["unit"] else None,
                int(row["decimals"] or 0),
            )
            for row in csv.DictReader(file)
        }


@cache
def notes() -> Mapping[str, Any]:
    """What notes.yml declares."""
    text = Path(__file__).with_name("notes.yml").read_text(encoding="utf-8")
    return dict(yaml.load(text, Loader=StrictLoader))  # noqa: S506 (a SafeLoader)


def notes_of(said: Mapping[str, Any]) -> Sequence[Text]:
    """What readers of a publication must know, the most important first; `said` is what its manifest says."""
    told: Sequence[Text] = notes()["notes"]
    return [notes()["synthetic"], *told] if said["synthetic"] else told
