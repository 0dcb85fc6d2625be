"""Generates the part of docs/input.md that describes the contract; prints it, or updates the page with `--write`."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

from dagster_project.contract import Column, FileContract, input_contract
from dagster_project.files import write_text
from dagster_project.settings import DOCS

PAGE = DOCS / "input.md"
BEGIN, END = "<!-- generated: begin -->", "<!-- generated: end -->"
WIDTH = 130


def generated() -> str:
    """The contract as Markdown."""
    contract = input_contract()
    facts = [
        f"Version of the contract: `{contract.version}`.",
        f"First year: {contract.first_year}.",
        f"File name suffixes: {_codes(contract.suffixes)}.",
        *(f"Encoding: `{name}` (or {_codes(contract.encoding_aliases[name])})." for name in contract.encodings),
        f"Limit of quarantined rows, per file: {contract.quarantine_limit_pct} %.",
    ]
    reasons = [
        item(f"`{reason}`: {meaning}.", f"{number}. ")
        for number, (reason, meaning) in enumerate(contract.quarantine_reasons.items(), 1)
    ]
    return "\n".join(
        [
            "<!-- from dagster_project/contract/input.yml by: python -m dagster_project.contract.input_page --write -->",
            "",
            *(item(fact) for fact in facts),
            *(line for file in contract.files for line in _file(file)),
            "",
            "### Quarantine reasons",
            "",
            *reasons,
        ]
    )


def item(text: str, sign: str = "- ") -> str:
    """A list item (without a sign, a paragraph), wrapped to the page's width."""
    return textwrap.fill(
        " ".join(text.split()),
        WIDTH,
        initial_indent=sign,
        subsequent_indent=" " * len(sign),
        break_long_words=False,
        break_on_hyphens=False,
    )


def generated_part(page: Path) -> str:
    """The text between a page's markers."""
    _, begin, rest = page.read_text(encoding="utf-8").partition(f"{BEGIN}\n")
    part, end, _ = rest.partition(f"\n{END}\n")
    if not begin or not end:
        raise ValueError(f"{page}: needs a line {BEGIN} and after it a line {END}")
    return part


def print_or_write(page: Path, part: str) -> None:
    """Print the part, or write it between the page's markers if the command line has `--write`."""
    if "--write" not in sys.argv[1:]:
        print(part)
        return
    before, after = page.read_text(encoding="utf-8").split(f"{BEGIN}\n{generated_part(page)}\n{END}\n")
    write_text(page, f"{before}{BEGIN}\n{part}\n{END}\n{after}")


def _file(file: FileContract) -> list[str]:
    keyed = [f"Key: {_codes(file.key)}."] if file.key else []
    optional = ["Optional: a delivery may lack this file."] if file.optional else []
    return [
        "",
        f"### {file.source}: {file.name}",
        "",
        item(" ".join([f"One row: {file.grain}.", *keyed, *optional]), sign=""),
        "",
        *(_column(column) for column in file.columns),
        *(item(f"the whole row: `{check.reason}` where `{check.when}`") for check in file.checks),
    ]


def _column(column: Column) -> str:
    rules = [column.type, "required" if column.required else "may be empty"]
    if column.pattern:
        rules.append(f"matches `{column.pattern}`")
    if column.serial_after:
        rules.append(f"compared in upper case, without leading zeros after `{column.serial_after}`")
    if column.values:
        rules.append(f"one of {_codes(column.values)}, in any case")
    if column.min is not None:
        rules.append(f"at least {column.min}")
    if column.max is not None:
        rules.append(f"at most {column.max}")
    if column.max_length is not None:
        rules.append(f"at most {column.max_length} characters")
    if column.within_year:
        rules.append("in the delivery's year")
    if column.not_after:
        rules.append(f"not after `{column.not_after}`")
    if column.unusable:
        rules.append("else missing")
    return item(f"`{column.name}` ({'; '.join(rules)}): {column.meaning}")


def _codes(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    print_or_write(PAGE, generated())
