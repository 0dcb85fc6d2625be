"""Years as people write them: `2024`, `2019-2025`, `2019,2022`."""

from __future__ import annotations

from collections.abc import Iterable

from dagster_project.contract import input_contract


def parse_years(text: str) -> list[int]:
    """Read years and ranges of years; raises ValueError for anything else."""
    first = input_contract().first_year
    named: set[int] = set()
    for part in text.split(","):
        begin, dash, last = part.strip().partition("-")
        end = last if dash else begin
        if not all(len(year) == 4 and year.isascii() and year.isdigit() for year in (begin, end)):
            raise ValueError(f"{text!r} is not like 2024, 2019-2025 or 2019,2022")
        if int(end) < int(begin) or int(begin) < first:
            raise ValueError(f"{part.strip()!r} runs backwards or begins before {first}")
        named |= set(range(int(begin), int(end) + 1))
    return sorted(named)


def spell_years(years: Iterable[int]) -> str:
    """Write years shortly, e.g. `2014–2019, 2022`."""
    blocks: list[list[int]] = []
    for year in sorted(years):
        if blocks and year == blocks[-1][-1] + 1:
            blocks[-1].append(year)
        else:
            blocks.append([year])
    return ", ".join(str(block[0]) if len(block) == 1 else f"{block[0]}–{block[-1]}" for block in blocks)
