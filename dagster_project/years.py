"""Parses and formats years and ranges of years: `2024`, `2019-2025`, `2019,2022`."""

from __future__ import annotations

from collections.abc import Iterable

from dagster_project.contract import input_contract


def parse_years(text: str) -> list[int]:
    """Parse years and ranges of years; raise ValueError for anything else."""
    first = input_contract().first_year
    years: set[int] = set()
    for part in text.split(","):
        begin, dash, last = part.strip().partition("-")
        end = last if dash else begin
        if not all(len(year) == 4 and year.isascii() and year.isdigit() for year in (begin, end)):
            raise ValueError(f"{text!r} is not like 2024, 2019-2025 or 2019,2022")
        if int(end) < int(begin) or int(begin) < first:
            raise ValueError(f"{part.strip()!r} runs backwards or begins before {first}")
        years |= set(range(int(begin), int(end) + 1))
    return sorted(years)


def format_years(years: Iterable[int]) -> str:
    """Format years as ranges, e.g. `2014–2019, 2022`."""
    ranges: list[list[int]] = []
    for year in sorted(years):
        if ranges and year == ranges[-1][-1] + 1:
            ranges[-1].append(year)
        else:
            ranges.append([year])
    return ", ".join(str(span[0]) if len(span) == 1 else f"{span[0]}–{span[-1]}" for span in ranges)
