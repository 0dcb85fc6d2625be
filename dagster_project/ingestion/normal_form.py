"""The normal form in which values are compared: codes as in the contract, case numbers in upper case without leading zeros."""

from __future__ import annotations

import re

from dagster_project.contract import Column


def normal_sql(column: Column, text: str) -> str:
    """SQL for the normal form of a column's text; text already in normal form costs only a comparison."""
    # ASCII only: upper() maps other letters, such as the dotless i, to ASCII.
    upper = f"case when strlen({text}) = length({text}) then upper({text}) else {text} end"
    if column.values:
        codes = ", ".join(f"'{code}'" for code in column.values)
        cases = " ".join(f"when '{code.upper()}' then '{code}'" for code in column.values)
        return f"case when {text} in ({codes}) then {text} else case {upper} {cases} else {text} end end"
    if column.serial_after:
        before = re.escape(column.serial_after)
        # Keep one digit, so that a serial of zeros becomes 0.
        shortened = f"regexp_replace({upper}, '({before})0+([0-9])', '\\1\\2')"
        is_other = f"{text} <> upper({text}) or contains({text}, '{column.serial_after}0')"
        return f"case when {is_other} then {shortened} else {text} end"
    return text
