"""Detects case numbers and personal identity numbers in free text that is published."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from dagster_project.contract import Column, input_contract
from dagster_project.ingestion.personal_number import holds_personal_number


def identifying_pattern() -> str:
    """The pattern of police and prosecution case numbers, with any number of zeros before the serial."""
    columns = [column for file in input_contract().files for column in file.columns if column.identifying]
    return "|".join(dict.fromkeys(_with_leading_zeros(column, column.pattern) for column in columns if column.pattern))


def _with_leading_zeros(column: Column, pattern: str) -> str:
    return pattern.replace(column.serial_after, f"{column.serial_after}0*") if column.serial_after else pattern


def holds_identifier(text: str) -> bool:
    """Whether the text contains a case number or a personal identity number."""
    return holds_personal_number(text) or re.search(identifying_pattern(), text, re.IGNORECASE) is not None


def _public(text: str) -> str:
    if not text.strip():
        raise ValueError("it must be filled")
    if holds_identifier(text):
        raise ValueError("it is published: no case number and no personal identity number may stand there")
    return " ".join(text.split())


PublicText = Annotated[str, AfterValidator(_public)]
"""Free text written by a person that is published."""
