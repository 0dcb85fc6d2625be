"""Tells where the seconds of one `uppklarat load` go: by stage and dbt model.

    .venv/bin/python tests/bench/benchmark_profile.py RESULT.json load [--years …]

It runs the command in its own process, with a clock around the functions named here. A moment belongs to one stage only, the innermost
one that runs in the main thread, so the stages add up to the whole. A function that is no longer there ends the run.
"""

from __future__ import annotations

import functools
import importlib.machinery
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Module → function (or Class.method) → stage. What a stage does outside of those called by it is its own.
STAGES = {
    "dagster_project.cli.load": {"load": "look for what is new, and the rest of the command"},
    "dagster_project.defs.load_run": {"run_load": "Dagster: definitions, plan, events"},
    "dagster_project.ingestion.read": {"receive_file": "ingest: receive"},
    "dagster_project.ingestion.validate": {"validate_file": "ingest: validate"},
    "dagster_project.ingestion.ingest": {"ingest": "ingest: the rest"},
    "dagster_project.transformation.build": {
        "build_marts": "build: around dbt",
    },
    "dagster_project.transformation.dbt_project": {"run_dbt": "dbt: the rest"},
    "dbt.contracts.graph.manifest": {"Manifest.from_msgpack": "dbt: take the parsed project"},
    "dagster_project.quality.audit": {"audit_warehouse": "audit: the rest"},
    "expectations.validation": {"validate": "audit: Great Expectations"},
    "dagster_project.publication.release": {
        "make_draft": "draft: read back, revisions",
        "release": "publish: read back, seal",
    },
    "dagster_project.publication.draft": {"write_draft": "export: DuckDB, Parquet, CSV"},
    "dagster_project.publication.formats.write": {"write_formats": "export: Excel, PX, JSON-stat, DCAT"},
    "dagster_project.report.follow_up": {"write_report": "report"},
}
# It returns what became of every dbt node; the seconds of the nodes are taken out of its stage.
NODES_OF = "run_dbt"
TESTS = "dbt: data tests"
IMPORTS = "imports"


class Clock:
    """Gives every moment of the main thread to the innermost stage."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._stages = ["start of the command"]
        self._since = time.perf_counter()
        self._main = threading.main_thread()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        if threading.current_thread() is not self._main or self._stages[-1] == name:
            yield
            return
        self.turn()
        self._stages.append(name)
        try:
            yield
        finally:
            self.turn()
            self._stages.pop()

    def turn(self) -> None:
        """Charge the time since the last turn to the innermost stage."""
        now = time.perf_counter()
        self.seconds[self._stages[-1]] += now - self._since
        self._since = now


def time_imports(clock: Clock, results: list[Any]) -> None:
    """Charge the execution of modules to the imports, and put the clock around functions as they come."""

    def timed(execute: Callable[..., None]) -> Callable[..., None]:
        def run(loader: Any, module: Any) -> None:
            with clock.stage(IMPORTS):
                execute(loader, module)
            for function, of in STAGES.get(module.__name__, {}).items():
                _put_clock_around(module, function, of, clock, results)

        return run

    for loader in (importlib.machinery.SourceFileLoader, importlib.machinery.ExtensionFileLoader):
        loader.exec_module = timed(loader.exec_module)  # type: ignore[method-assign]


def _put_clock_around(module: Any, function: str, stage: str, clock: Clock, results: list[Any]) -> None:
    holder, _, name = function.rpartition(".")
    place = getattr(module, holder) if holder else module
    original = getattr(place, name)

    @functools.wraps(original)
    def timed(*arguments: Any, **named: Any) -> Any:
        with clock.stage(stage):
            returned = original(*arguments, **named)
        if function == NODES_OF:
            results.extend(returned)
            clock.seconds[stage] -= sum(one.seconds for one in returned)
        return returned

    setattr(place, name, staticmethod(timed) if holder else timed)


def main() -> int:
    """Run the command, keep what was measured."""
    result, *arguments = sys.argv[1:]
    results: list[Any] = []
    clock = Clock()
    time_imports(clock, results)
    from dagster_project.cli.main import main as uppklarat

    code = uppklarat(arguments)
    clock.turn()
    nodes: Counter[str] = Counter()
    for one in results:
        nodes[TESTS if one.tested_model else f"dbt: {one.name}"] += one.seconds
    seconds = {**clock.seconds, **nodes}
    Path(result).write_text(json.dumps({"seconds": seconds}, ensure_ascii=False, indent=1), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
