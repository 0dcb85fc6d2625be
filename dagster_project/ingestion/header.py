"""Checks the header of a delivered file against the contract's columns, and names the probable error."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence

from dagster_project.contract import FileContract
from dagster_project.ingestion.rejection import RejectedDeliveryError

# How many lines are searched for a header that is not on the first line.
LINES_SEARCHED = 20
_OTHER_DELIMITERS = {",": "commas", "\t": "tabs", "|": "vertical bars", ":": "colons"}
# How similar two names must be (0 to 1) to count as a misspelling; `beslut` and `beslutsdatum` are below it.
_LEAST_SIMILARITY = 0.8
_LONGEST_NAME = 40


def check_header(
    contract: FileContract, where: str, header: Sequence[str], first_lines: Sequence[str] | None = None
) -> None:
    """Raise `RejectedDeliveryError` if a column of the contract is missing or duplicated.

    `header` holds trimmed names in lower case; `first_lines` holds the first lines of a CSV file, None for Parquet.
    """
    missing = [column.name for column in contract.columns if column.name not in header]
    if missing:
        if first_lines is None:
            holder, remedy = "file", "Deliver every column of the contract, with the same spelling"
        else:
            _check_layout(contract, where, first_lines)
            where = f"{where}, line 1"
            holder, remedy = (
                "first line",
                "Deliver every column of the contract, separated by ';' and with the same spelling",
            )
        known = len(contract.columns) - len(missing)
        counted = f"(the {holder} holds {len(header)} columns, {known} of the contract)"
        # Only misspelt names are quoted: without a header, the first line is data.
        is_safe = known > 0 and not any(character.isdigit() for name in header for character in name)
        misspelt = _describe_misspelt_names(contract, header, missing) if is_safe else ""
        raise RejectedDeliveryError(where, f"missing column {', '.join(missing)} {counted}{misspelt}", remedy)
    duplicates = [column.name for column in contract.columns if header.count(column.name) > 1]
    if duplicates:
        raise RejectedDeliveryError(
            where if first_lines is None else f"{where}, line 1",
            f"duplicate column {', '.join(duplicates)}",
            "Deliver every column once",
        )


def _check_layout(contract: FileContract, where: str, first_lines: Sequence[str]) -> None:
    """Raise `RejectedDeliveryError` if the header is on a later line or uses another delimiter."""
    wanted = {column.name for column in contract.columns}
    for number, line in enumerate(first_lines, 1):
        for delimiter in (";", *_OTHER_DELIMITERS):
            names = {name.strip('\ufeff" \t\r').lower() for name in line.split(delimiter)}
            if 2 * len(wanted & names) <= len(wanted):
                continue
            problems, remedies = [], []
            if number > 1:
                problems.append(f"the header is on line {number}, below lines that do not belong to the table")
                remedies.append("Remove the lines above the header")
            if delimiter != ";":
                problems.append(f"{_OTHER_DELIMITERS[delimiter]} between the fields")
                remedies.append("Separate the fields of all lines by ';'")
            if problems:
                raise RejectedDeliveryError(f"{where}, line 1", " and ".join(problems), ". ".join(remedies))
            return


def _describe_misspelt_names(contract: FileContract, header: Sequence[str], missing: Sequence[str]) -> str:
    known = {column.name for column in contract.columns}
    unknown = {_without_marks(name): name for name in header if name not in known and len(name) <= _LONGEST_NAME}
    pairs = [
        (unknown[like], column)
        for column in missing
        for like in difflib.get_close_matches(column, unknown, 1, _LEAST_SIMILARITY)
    ]
    return "".join(f"; {_readable(name)} is probably meant for {column}" for name, column in pairs)


def _without_marks(name: str) -> str:
    """Replace å and ä by a and ö by o, because the contract's names are Swedish words without diacritics."""
    return "".join(letter for letter in unicodedata.normalize("NFD", name) if not unicodedata.combining(letter))


def _readable(name: str) -> str:
    name = unicodedata.normalize("NFC", name)
    # Escapes look-alike letters of other scripts and invisible characters.
    return name if re.fullmatch("[a-zåäöé_ .()-]+", name) else ascii(name)
