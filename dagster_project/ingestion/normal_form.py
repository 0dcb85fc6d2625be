"""How values are compared: codes as the contract spells them, case numbers in upper case and without leading zeros."""

from __future__ import annotations

import re

from dagster_project.contract import Column


def normal_sql(column: Column, text: str) -> str:
    """SQL for the normal form of a column's text; a text that is normal already costs a comparison only."""
    # Texts of ASCII only: upper() would read other letters, such as the dotless i, as those of a code.
    upper = f"case when strlen({text}) = length({text}) then upper({text}) else {text} end"
    if column.values:
        codes = ", ".join(f"'{code}'" for code in column.values)
        spelt = " ".join(f"when '{code.upper()}' then '{code}'" for code in column.values)
        return f"case when {text} in ({codes}) then {text} else case {upper} {spelt} else {text} end end"
    if column.serial_after:
        before = re.escape(column.serial_after)
        # One digit stays, so that a serial of zeros is the number 0.
        shortened = f"regexp_replace({upper}, '({before})0+([0-9])', '\\1\\2')"
        is_other = f"{text} <> upper({text}) or contains({text}, '{column.serial_after}0')"
        return f"case when {is_other} then {shortened} else {text} end"
    return text
