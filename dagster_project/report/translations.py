"""The catalogue of texts of each language and its formats of numbers and dates."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from dagster_project.transformation.dbt_project import variable

LANGUAGES = ("sv", "en")
_SLOT = re.compile(r"\{(\w+)(?::(\w))?\}")


@cache
def catalogue(language: str) -> Mapping[str, Any]:
    """Load the texts of a language from its YAML file."""
    path = Path(__file__).with_name("texts") / f"{language}.yml"
    text = path.read_text(encoding="utf-8").replace("{small_number}", str(variable("small_number")))
    content: dict[str, Any] = yaml.safe_load(text)
    return content


@cache
def commitments() -> list[dict[str, Any]]:
    """Load the goal's commitments beyond the indicators, in all languages."""
    content: list[dict[str, Any]] = yaml.safe_load(
        Path(__file__).with_name("commitments.yml").read_text(encoding="utf-8")
    )
    return content


def count(number: int | None, language: str) -> str:
    """Format a whole number with thousands separators; None as a dash."""
    words = catalogue(language)
    if number is None:
        return str(words["not_applicable"])
    return f"{number:,}".replace(",", words["thousands"]).replace("-", words["minus"])


def tenths(number: int, language: str) -> str:
    """Format a number of tenths with one decimal."""
    words = catalogue(language)
    whole, rest = divmod(abs(number), 10)
    sign = words["minus"] if number < 0 else ""
    return f"{sign}{count(whole, language)}{words['decimal']}{rest}"


def day(moment: date, language: str) -> str:
    """Format a date in words, e.g. 3 februari 2026."""
    words = catalogue(language)
    return str(words["date"]).format(day=moment.day, month=words["months"][moment.month - 1], year=moment.year)


def fill(template: str, values: Mapping[str, Any], language: str) -> str:
    """Fill values into the slots of a message.

    `{x}` is shown as it is, `{x:n}` as a count, `{x:t}` as tenths, `{x:a}` without its sign, `{x:d}` as a difference.
    """
    kinds: Mapping[str | None, Callable[[Any], str]] = {
        None: str,
        "n": lambda value: count(value, language),
        "t": lambda value: tenths(value, language),
        "a": lambda value: tenths(abs(value), language),
        "d": lambda value: ("+" if value > 0 else "") + tenths(value, language),
    }
    return _SLOT.sub(lambda slot: kinds[slot[2]](values[slot[1]]), template)
