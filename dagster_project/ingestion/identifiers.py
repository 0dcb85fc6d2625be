"""What leads to a case or a person, wherever it stands: for texts that people write and that are published."""

from __future__ import annotations

import re

from dagster_project.contract import Column, input_contract
from dagster_project.ingestion.personal_number import holds_personal_number


def identifying_pattern() -> str:
    """How case numbers are written, police's and prosecutors', with any number of zeros before the serial."""
    columns = [column for file in input_contract().files for column in file.columns if column.identifying]
    return "|".join(dict.fromkeys(_written(column, column.pattern) for column in columns if column.pattern))


def _written(column: Column, pattern: str) -> str:
    return pattern.replace(column.serial_after, f"{column.serial_after}0*") if column.serial_after else pattern


def holds_identifier(text: str) -> bool:
    """Whether a case number or a personal identity number stands in the text."""
    return holds_personal_number(text) or re.search(identifying_pattern(), text, re.IGNORECASE) is not None
