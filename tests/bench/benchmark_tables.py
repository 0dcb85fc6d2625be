"""What a benchmark measured as the tables and the chart of docs/performance.md."""

from __future__ import annotations

import os
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from benchmark_process import Measured

from dagster_project.files import write_text
from dagster_project.settings import REPOSITORY

PAGE = REPOSITORY / "docs" / "performance.md"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
PLAIN, IMPORTS = "plain DuckDB script", "import the four packages"
LOAD, NOTHING = "load from nothing", "load, nothing new"
FIRST, TWELFTH = "load of one year from nothing", "load of the 12th year into 11"
# Case, and its share of the national volume.
TINY, NATIONAL, MANY, LARGE = (
    ("0.01 × national", 0.01),
    ("1 × national", 1.0),
    ("5 × national", 5.0),
    ("20 × national", 20.0),
)
YEARS = "12 years"
GIB = 2**30
# Case → what was measured → each time.
Results = dict[str, dict[str, list[Measured]]]


@dataclass(frozen=True)
class Profile:
    """What `benchmark_profile` measured of one load: seconds by stage, and the wall seconds of all."""

    case: str
    result: dict[str, Any]

    @property
    def wall(self) -> float:
        return float(self.result["wall"])

    @property
    def by_stage(self) -> Counter[str]:
        """Seconds by stage, with dbt's nodes as one."""
        summed: Counter[str] = Counter()
        for stage, seconds in self.result["seconds"].items():
            kind, _, _ = stage.partition(":")
            summed[kind if kind in ("dbt", "ingest") else stage] += seconds
        return summed


def page(results: Results, profiles: Sequence[Profile], scale: float, seconds: float) -> str:
    """Everything that was measured, as Markdown."""
    parts = [
        _machine(scale, seconds),
        *([_targets(results), _cases(results)] if results else []),
        *([_chart(results)] if NATIONAL[0] in results else []),
        *([_stages(profiles)] if profiles else []),
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
    return (
        f"Measured on {date.today()} in {seconds / 60:.0f} minutes: {os.cpu_count()} cores ({cpu}), {memory:.0f} GiB."
        + (f"\n**At {scale:g} of the volumes that are named: for trying the benchmark.**" if scale != 1 else "")
    )


def _first_value(file: str, name: str) -> str:
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "unknown")


def _targets(results: Results) -> str:
    """Each target with what was measured; a case that did not run leaves a dash."""

    def wall(case: str, what: str) -> float:
        runs = results.get(case, {}).get(what)
        return statistics.median(run.wall for run in runs) if runs else float("nan")

    def memory(case: str) -> float:
        return max((run.memory for run in results.get(case, {}).get(LOAD, [])), default=float("nan")) / GIB

    def extra(what: str, less: tuple[str, float], more: tuple[str, float]) -> float:
        """Seconds for each national year that is added."""
        return (wall(more[0], what) - wall(less[0], what)) / (more[1] - less[1])

    targets = [
        ("extra seconds from 1 to 5 × national ÷ the plain script's", 6, "×", extra(LOAD, NATIONAL, MANY) / extra(PLAIN, NATIONAL, MANY)),
        ("twelve national years from nothing ÷ the plain script", 7, "×", wall(YEARS, LOAD) / wall(YEARS, PLAIN)),
        ("a tiny load ÷ importing Dagster, dbt and Great Expectations", 2.5, "×", wall(TINY[0], LOAD) / wall(TINY[0], IMPORTS)),
        ("nothing new, with twelve years", 1, "s", wall(YEARS, NOTHING)),
        ("the 12th year into 11 ÷ the first year", 1.3, "×", wall(YEARS, TWELFTH) / wall(YEARS, FIRST)),
        ("memory of 5 × national in one year", 2.5, "GiB", memory(MANY[0])),
        ("memory of twelve national years", 2.5, "GiB", memory(YEARS)),
        ("extra seconds per row from 5 to 20 × national ÷ from 1 to 5 ×", 1, "×", extra(LOAD, MANY, LARGE) / extra(LOAD, NATIONAL, MANY)),
    ]  # fmt: skip
    rows = [
        [
            what,
            f"≤ {most:g} {unit}",
            f"{found:.2f} {unit}" if found == found else "–",
            "–" if found != found else "yes" if found <= most else "**no**",
        ]
        for what, most, unit, found in targets
    ]
    return "### Targets\n\n" + _table(["target", "allowed", "measured", "reached"], rows)


def _cases(results: Results) -> str:
    rows = [
        [
            f"{case}: {what}",
            str(len(runs)),
            f"{statistics.median(run.wall for run in runs):.1f}",
            f"{statistics.median(run.cpu for run in runs):.1f}",
            f"{max(run.memory for run in runs) / GIB:.2f}",
        ]
        for case, measured in results.items()
        for what, runs in measured.items()
    ]
    return "### What was measured\n\n" + _table(["", "runs", "wall s", "CPU s", "GiB"], rows)


def _chart(results: Results) -> str:
    """Wall seconds against the volume of one year."""
    shown = [case for case, _ in (TINY, NATIONAL, MANY, LARGE) if case in results]
    lines = [
        f"    {kind} [{', '.join(f'{statistics.median(run.wall for run in results[case][what]):.1f}' for case in shown)}]"
        for kind, what in (("bar", LOAD), ("line", PLAIN))
    ]
    names = ", ".join(f'"{case}"' for case in shown)
    return "\n".join(
        [
            "### Cost against volume",
            "",
            "Bars: a load of one year from nothing. Line: the plain script.",
            "",
            "```mermaid",
            "xychart-beta",
            f"    x-axis [{names}]",
            '    y-axis "wall seconds"',
            *lines,
            "```",
        ]
    )


def _stages(profiles: Sequence[Profile]) -> str:
    stages = list(dict.fromkeys(stage for one in profiles for stage in one.by_stage))
    rows = [[stage, *(f"{one.by_stage[stage]:.1f}" for one in profiles)] for stage in stages]
    rows = [row for row in rows if any(float(seconds) >= 0.1 for seconds in row[1:])]
    rows.append(["**wall**", *(f"**{one.wall:.1f}**" for one in profiles)])
    nodes = [
        f"- {one.case}: "
        + ", ".join(f"{name.removeprefix('dbt: ')} {seconds:.1f}" for name, seconds in _largest_nodes(one))
        for one in profiles
    ]
    return "\n\n".join(
        [
            "### Where the time goes",
            _table(["s", *(one.case for one in profiles)], rows),
            "The largest of ingest and dbt:",
            "\n".join(nodes),
        ]
    )


def _largest_nodes(profile: Profile) -> list[tuple[str, float]]:
    parts = Counter({stage: seconds for stage, seconds in profile.result["seconds"].items() if ": " in stage})
    return [(stage, seconds) for stage, seconds in parts.most_common() if stage.startswith(("dbt", "ingest"))][:4]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of a column of text and columns of numbers."""
    lines = [f"| {' | '.join(cells)} |" for cells in (header, *rows)]
    return "\n".join([lines[0], f"|---|{'---:|' * (len(header) - 1)}", *lines[1:]])
