"""What a benchmark measured as the tables of docs/performance.md."""

from __future__ import annotations

import os
import statistics
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from benchmark_process import Measured
from benchmark_profile import HEAVY, OTHER_IMPORTS, STAGES, TESTS

from dagster_project.files import write_text
from dagster_project.settings import REPOSITORY

PAGE = REPOSITORY / "docs" / "performance.md"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
PLAIN = "plain DuckDB script"
LOAD, REDELIVERED, NOTHING = "load from nothing", "load of the year delivered again", "load, nothing new"
FIRST, TWELFTH = "load of one year from nothing", "load of the 12th year into 11"
# What a whole load may take by the last target.
LITTLE_MEMORY = "3GiB"
LITTLE = f"load from nothing, `UPPKLARAT_MEMORY={LITTLE_MEMORY}`"
YEARS = "twelve years"
ONE_YEAR, TINY, MANY = 1.0, 0.01, 5.0
GIB, MIB = 2**30, 2**20
# Of the pages, which are read as text too.
WIDTH = 128
# A dbt node below this in every load is shown with the others.
SHOWN_SECONDS = 0.3
# Case → what was measured → each time.
Results = dict[str, dict[str, list[Measured]]]


@dataclass
class Profiled:
    """The output of `benchmark_profile` for one load: seconds and peak bytes by stage, heavy packages, and the wall seconds of all."""

    case: str
    result: dict[str, Any]
    inside: list[list[Any]] = field(default_factory=list)

    @property
    def wall(self) -> float:
        return float(self.result["wall"])

    @property
    def seconds(self) -> dict[str, float]:
        return dict(self.result["seconds"])

    @property
    def largest(self) -> str:
        """The stage or dbt node that takes longest."""
        return max(self.seconds, key=lambda stage: self.seconds[stage])


@dataclass(frozen=True)
class Agreement:
    """How far a plain script and a publication agree: shown cells of all places, and the country's sums."""

    case: str
    cells: int
    different: int
    processed: int
    processed_more: int
    cleared: int
    cleared_more: int


def page(
    results: Results, profiles: Sequence[Profiled], agreements: Sequence[Agreement], scale: float, seconds: float
) -> str:
    """Everything that was measured, as Markdown."""
    parts = [
        _machine(scale, seconds),
        *([_targets(results)] if results else []),
        *([_loads(results)] if results else []),
        *([_growth(results)] if set(results) - {YEARS} else []),
        *([_stages(profiles), _largest(profiles)] if profiles else []),
        *([_agreement(agreements)] if agreements else []),
    ]
    return "\n\n".join(parts)


def keep_in_page(text: str) -> None:
    """Put the tables between the marks of the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    write_text(PAGE, f"{before}{BEGIN}\n{text}\n{END}{after}")


def _machine(scale: float, seconds: float) -> str:
    cpu = _first_value("/proc/cpuinfo", "model name")
    memory = int(_first_value("/proc/meminfo", "MemTotal").split()[0]) / 2**20
    limit = os.environ.get("UPPKLARAT_MEMORY")
    lines = [
        _text(
            f"Measured by `make bench` on {date.today()} in one run of {seconds / 60:.0f} minutes: {os.cpu_count()} cores ({cpu}), "
            f"{memory:.0f} GiB, `UPPKLARAT_MEMORY` {f'`{limit}`' if limit else 'as it is by default'}."
        )
    ]
    if scale != 1:
        lines.append(f"**At {scale:g} of the volumes that are named: for trying the benchmark, not for judging.**")
    return "\n".join(lines)


def _first_value(file: str, name: str) -> str:
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "unknown")


def _wall(results: Results, case: str, what: str) -> float | None:
    runs = results.get(case, {}).get(what)
    return statistics.median(one.wall for one in runs) if runs else None


def _memory(results: Results, case: str, what: str) -> float | None:
    runs = results.get(case, {}).get(what)
    return max(one.memory for one in runs) / GIB if runs else None


def _ratio(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole is not None and whole > 0 else None


def _less(more: float | None, less: float | None) -> float | None:
    return more - less if more is not None and less is not None else None


def _targets(results: Results) -> str:
    tiny, one, many = (f"{volume:g}" for volume in (TINY, ONE_YEAR, MANY))
    nothing = [taken for case in (one, YEARS) if (taken := _wall(results, case, NOTHING)) is not None]

    def extra(what: str) -> float | None:
        return _less(_wall(results, many, what), _wall(results, one, what))

    def runs(case: str, what: str) -> int:
        return len(results.get(case, {}).get(what, []))

    targets: list[tuple[str, float, str, float | None, int]] = [
        ("fixed cost: a load of a tiny delivery", 20, "s", _wall(results, tiny, LOAD), runs(tiny, LOAD)),
        ("nothing new, with one year or with twelve", 5, "s", max(nothing, default=None), runs(one, NOTHING)),
        (
            "extra seconds from 1 to 5 × national ÷ the plain script's",
            1.5,
            "×",
            _ratio(extra(LOAD), extra(PLAIN)),
            runs(many, LOAD),
        ),
        (
            "twelve years from nothing ÷ the plain script",
            1.5,
            "×",
            _ratio(_wall(results, YEARS, LOAD), _wall(results, YEARS, PLAIN)),
            runs(YEARS, LOAD),
        ),
        (
            "the 12th year into 11 ÷ the first year",
            1.15,
            "×",
            _ratio(_wall(results, YEARS, TWELFTH), _wall(results, YEARS, FIRST)),
            runs(YEARS, TWELFTH),
        ),
        ("memory of 5 × national in one year, largest", 4, "GiB", _memory(results, many, LOAD), runs(many, LOAD)),
        ("memory of twelve national years, by default", 3, "GiB", _memory(results, YEARS, LOAD), runs(YEARS, LOAD)),
        (
            f"memory of twelve national years, `UPPKLARAT_MEMORY={LITTLE_MEMORY}`",
            3,
            "GiB",
            _memory(results, YEARS, LITTLE),
            runs(YEARS, LITTLE),
        ),
    ]
    rows = [
        [
            what,
            f"≤ {most:g} {unit}",
            _number(found, 2) + f" {unit}",
            str(times),
            "–" if found is None else "yes" if found <= most else "**no**",
        ]
        for what, most, unit, found, times in targets
    ]
    return "### Targets\n\n" + _table(["target", "allowed", "measured", "runs", "reached"], rows, numbers=3)


def _loads(results: Results) -> str:
    """One year and twelve, beside what they are compared with."""
    one = f"{ONE_YEAR:g}"
    # A load of the last year alone is compared with scripts on that year.
    compared_with = dict.fromkeys([(YEARS, FIRST), (YEARS, TWELFTH), (YEARS, NOTHING)], one)
    rows = []
    for case, name in ((one, "one year"), (YEARS, YEARS)):
        for what, runs in results.get(case, {}).items():
            walls, beside = [run.wall for run in runs], compared_with.get((case, what), case)
            wall = statistics.median(walls)
            rows.append(
                [
                    f"{name}: {what}",
                    str(len(runs)),
                    f"{wall:.1f}",
                    f"{min(walls):.1f}–{max(walls):.1f}",
                    _number(statistics.median(run.cpu for run in runs), 1),
                    _number(max(run.memory for run in runs) / GIB, 2),
                    _number(statistics.median(run.written for run in runs) / MIB, 0),
                    _number(_ratio(wall, _wall(results, beside, PLAIN)), 1),
                ]
            )
    header = ["", "runs", "wall s", "from–to", "CPU s", "GiB", "MiB written", "÷ plain"]
    return "### One national year, and twelve\n\n" + _table(header, rows)


def _growth(results: Results) -> str:
    volumes = [case for case in results if case != YEARS]
    kinds = [PLAIN, LOAD]
    one, many = f"{ONE_YEAR:g}", f"{MANY:g}"
    plain_extra = _less(_wall(results, many, PLAIN), _wall(results, one, PLAIN))
    seconds, cpu, memory = [], [], []
    for kind in kinds:
        extra = _less(_wall(results, many, kind), _wall(results, one, kind))
        walls = [_number(_wall(results, volume, kind), 2) for volume in volumes]
        seconds.append([kind, *walls, _number(extra, 1), _number(_ratio(extra, plain_extra), 2)])
        taken = [results[volume].get(kind, []) for volume in volumes]
        cpu.append([kind, *(_number(statistics.median(run.cpu for run in runs), 2) if runs else "–" for runs in taken)])
        memory.append([kind, *(_number(_memory(results, volume, kind), 2) for volume in volumes)])
    header = [f"{volume} ×" for volume in volumes]
    runs = ", ".join(f"{len(results[volume][LOAD])} at {volume} ×" for volume in volumes)
    return "\n\n".join(
        [
            "### How cost grows with a year's volume",
            f"Runs of the load: {runs}. Wall seconds:",
            _table(["", *header, "extra, 1 to 5 ×", "÷ plain's extra"], seconds),
            "CPU seconds:",
            _table(["", *header], cpu),
            "Peak memory, GiB:",
            _table(["", *header], memory),
        ]
    )


def _stages(profiles: Sequence[Profiled]) -> str:
    imports = [f"import: {package}" for package in HEAVY]
    stages = list(dict.fromkeys(stage for functions in STAGES.values() for stage in functions.values()))
    known = ["start of the command", *imports, OTHER_IMPORTS, *stages, TESTS]
    nodes = list(dict.fromkeys(stage for one in profiles for stage in one.seconds if stage not in known))
    large = [node for node in nodes if any(one.seconds.get(node, 0) >= SHOWN_SECONDS for one in profiles)]
    small = [node for node in nodes if node not in large]
    counted = {name: [name] for name in [*known[:-1], *large]}
    counted |= {f"dbt: {len(small)} other models and seeds": small, TESTS: [TESTS]}
    # dbt's nodes stand with what else dbt does.
    ordered = sorted(counted, key=lambda name: known.index("dbt: the rest" if name.startswith("dbt:") else name))
    rows = []
    for name in ordered:
        taken = [sum(one.seconds.get(stage, 0) for stage in counted[name]) for one in profiles]
        rows.append([name, *(f"{seconds:.1f}" if seconds >= 0.05 else "" for seconds in taken)])
    rest = [one.wall - sum(one.seconds.values()) for one in profiles]
    rows = [row for row in rows if any(row[1:])]
    rows += [
        ["Python's own start and end", *(f"{seconds:.1f}" for seconds in rest)],
        ["**wall**", *(f"**{one.wall:.1f}**" for one in profiles)],
    ]
    header = ["s", *(one.case for one in profiles)]
    peaks = [
        [one.case, f"{peak / GIB:.2f}", stage]
        for one in profiles
        for peak, stage in [max((peak, stage) for stage, peak in one.result["memory"].items())]
    ]
    heavy = [
        f"- {one.case}: {', '.join(one.result['imported'])}." for one in profiles if one.case in ("nothing new", YEARS)
    ]
    return "\n\n".join(
        [
            "### Where the time goes",
            _table(header, rows),
            "The stage of each load that took most memory:",
            _table(["", "GiB", "stage"], peaks, numbers=1),
            "Heavy packages that were imported:",
            "\n".join(heavy),
        ]
    )


def _largest(profiles: Sequence[Profiled]) -> str:
    parts = ["### The largest remaining cost, from within"]
    for one in profiles:
        if one.inside:
            share = 100 * one.seconds[one.largest] / one.wall
            parts.append(
                _text(
                    f"Load of {one.case}: *{one.largest}*, {one.seconds[one.largest]:.1f} of {one.wall:.1f} s ({share:.0f} %). "
                    "Functions by their own seconds, under Python's profiler, which slows them down:"
                )
            )
            rows = [[f"`{name}`", f"{seconds:.2f}"] for name, seconds in one.inside if seconds >= 0.01]
            parts.append(_table(["function", "s"], rows))
    return "\n\n".join(parts)


def _agreement(agreements: Sequence[Agreement]) -> str:
    rows = [
        [
            one.case,
            f"{one.cells:,}",
            f"{one.different:,}",
            f"{one.processed:,}",
            f"{one.processed_more:+,}",
            f"{one.cleared:,}",
            f"{one.cleared_more:+,}",
        ]
        for one in agreements
    ]
    header = ["", "cells", "other", "processed", "plain more", "cleared", "plain more"]
    return "\n\n".join(
        [
            "### Whether the plain script counts the same",
            "Cells that were published and not withheld, of all places, all victims, variant `beslutad`; sums of the country.",
            _table(header, rows),
        ]
    )


def _text(sentence: str) -> str:
    return textwrap.fill(sentence, WIDTH, break_on_hyphens=False)


def _number(number: float | None, digits: int) -> str:
    return "–" if number is None else f"{number:,.{digits}f}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: int | None = None) -> str:
    """A table of a column of text, so many columns of numbers (else all others), and text again."""
    numbers = len(header) - 1 if numbers is None else numbers
    marks = ["---", *["---:"] * numbers, *["---"] * (len(header) - 1 - numbers)]
    lines = [f"| {' | '.join(cells)} |" for cells in (header, *rows)]
    return "\n".join([lines[0], f"|{'|'.join(marks)}|", *lines[1:]])
