"""The header of a delivered file: whether it names the columns of the contract, and what is probably wrong where it does not."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from dagster_project.contract import FileContract
from dagster_project.ingestion.rejection import RejectedDeliveryError

# So many lines are searched for a header that does not stand on the first.
LINES_SEARCHED = 20
_OTHER_DELIMITERS = {",": "commas", "\t": "tabs", "|": "vertical bars", ":": "colons"}
# How alike two names must be (0 to 1) to take one for a misspelling of the other; `beslut` and `beslutsdatum` are not.
_ALIKE = 0.8
_LONGEST_NAME = 40


def refuse_header(
    contract: FileContract, where: str, header: Sequence[str], first_lines: Sequence[str] | None = None
) -> None:
    """Raise `RejectedDeliveryError` if a column of the contract is missing or doubled.

    `header` holds trimmed names in lower case; `first_lines` are those that a CSV file begins with, None for Parquet.
    """
    missing = [column.name for column in contract.columns if column.name not in header]
    if missing:
        if first_lines is None:
            holder, remedy = "file", "Deliver every column of the contract, spelt as there"
        else:
            _refuse_other_layout(contract, where, first_lines)
            where = f"{where}, line 1"
            holder, remedy = (
                "first line",
                "Deliver every column of the contract, separated by ';' and spelt as there",
            )
        known = len(contract.columns) - len(missing)
        counted = f"(the {holder} holds {len(header)} columns, {known} of the contract)"
        # Other than a misspelt name, what stands there instead is not repeated: in a file without a header it is data.
        is_safe = known > 0 and not any(character.isdigit() for name in header for character in name)
        misspelt = _misspelt(contract, header, missing) if is_safe else ""
        raise RejectedDeliveryError(where, f"missing column {', '.join(missing)} {counted}{misspelt}", remedy)
    doubled = [column.name for column in contract.columns if header.count(column.name) > 1]
    if doubled:
        raise RejectedDeliveryError(
            where if first_lines is None else f"{where}, line 1",
            f"doubled column {', '.join(doubled)}",
            "Deliver every column once",
        )


def _refuse_other_layout(contract: FileContract, where: str, first_lines: Sequence[str]) -> None:
    """Raise `RejectedDeliveryError` if most of the contract's columns stand on a later line, or between other delimiters."""
    wanted = {column.name for column in contract.columns}
    for number, line in enumerate(first_lines, 1):
        for delimiter in (";", *_OTHER_DELIMITERS):
            names = {name.strip('\ufeff" \t\r').lower() for name in line.split(delimiter)}
            if 2 * len(wanted & names) <= len(wanted):
                continue
            problems, remedies = [], []
            if number > 1:
                problems.append(f"the header stands on line {number}, below lines that are no part of the table")
                remedies.append("Remove the lines above the header")
            if delimiter != ";":
                problems.append(f"{_OTHER_DELIMITERS[delimiter]} between the fields")
                remedies.append("Separate the fields of all lines by ';'")
            if problems:
                raise RejectedDeliveryError(f"{where}, line 1", " and ".join(problems), ". ".join(remedies))
            return


def _misspelt(contract: FileContract, header: Sequence[str], missing: Sequence[str]) -> str:
    unknown = [name for name in header if name not in {column.name for column in contract.columns}]
    pairs = [
        (like, column)
        for column in missing
        for like in difflib.get_close_matches(
            column, [name for name in unknown if len(name) <= _LONGEST_NAME], 1, _ALIKE
        )
    ]
    return "".join(f"; {_readable(name)} is probably meant for {column}" for name, column in pairs)


def _readable(name: str) -> str:
    # Letters of other scripts that look like ours, and those that are not seen, are shown by their numbers.
    return name if re.fullmatch("[a-zåäöé_ .()-]+", name) else ascii(name)
