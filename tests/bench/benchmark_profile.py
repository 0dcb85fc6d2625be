"""Tells where the seconds and the memory of one `uppklarat load` go: by import, stage and dbt model.

    .venv/bin/python tests/bench/benchmark_profile.py RESULT.json [--inside STAGE] load [--years …]

It runs the command in its own process, with a clock around the functions named here. A moment belongs to one stage only, the innermost
one that runs in the main thread, so the stages add up to the whole. A function that is no longer there ends the run. With
`--inside`, Python's own profiler runs within that stage and names its functions.
"""

from __future__ import annotations

import cProfile
import functools
import importlib.machinery
import json
import os
import pstats
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmark_process import SAMPLED_EVERY, tree_memory

# Module → function (or Class.method) → stage. What a stage does outside of those called by it is its own.
STAGES = {
    "dagster_project.cli.load": {"load": "look for what is new, and the rest of the command"},
    "dagster_project.defs.load_run": {"run_load": "Dagster: definitions, plan, events"},
    "dagster_project.ingestion.read": {"receive_file": "ingest: receive"},
    "dagster_project.ingestion.validate": {"validate_file": "ingest: judge"},
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
# dbt builds a node by this, in a thread of its own, while the main thread waits.
NODE_MODULE, NODE_CLASS, BUILDS_NODE = "dbt.task.base", "BaseRunner", "compile_and_execute"
TESTS = "dbt: data tests"
# What our own packages import is named by the package that they ask for; it is charged with all that it imports in turn.
OURS = ("dagster_project", "expectations")
HEAVY = ("dagster", "dagster_dbt", "dbt", "great_expectations", "duckdb", "pandas", "pyarrow")
OTHER_IMPORTS = "import: our own and all others"
FUNCTIONS_SHOWN = 12


class Clock:
    """Gives every moment of the main thread to the innermost stage."""

    def __init__(self, inside: str | None) -> None:
        self.seconds: Counter[str] = Counter()
        self.memory: dict[str, int] = {}
        self._stages = ["start of the command"]
        self._since = time.perf_counter()
        self._main = threading.main_thread()
        self._inside, self._profile = inside, cProfile.Profile()
        self._node: str | None = None
        threading.Thread(target=self._watch_memory, daemon=True).start()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        if threading.current_thread() is not self._main:
            yield
            return
        self._enter(name)
        try:
            yield
        finally:
            self._leave()

    @contextmanager
    def node(self, name: str) -> Iterator[None]:
        """While dbt builds a node."""
        self._node = name
        if name == self._inside:
            self._profile.enable()
        try:
            yield
        finally:
            self._profile.disable()
            self._node = None

    @property
    def innermost(self) -> str:
        return self._stages[-1]

    def end(self) -> None:
        self._turn()

    def functions(self) -> list[tuple[str, float]]:
        """Functions with the most seconds of their own; what is not Python is named by who called it."""
        own: Counter[str] = Counter()
        for (file, line, name), (_, _, took, _, callers) in pstats.Stats(self._profile).stats.items():  # type: ignore[attr-defined]
            if file != "~":
                own[f"{_short(file)}:{line} {name}"] += took
            for (of_file, of_line, of_name), (_, _, taken, _) in callers.items() if file == "~" else ():
                own[f"{_short(of_file)}:{of_line} {of_name} → {name.strip('<>').partition(' at 0x')[0]}"] += taken
        return own.most_common(FUNCTIONS_SHOWN)

    def _enter(self, name: str) -> None:
        self._turn()
        self._stages.append(name)
        self._profile_if_inside()

    def _leave(self) -> None:
        self._turn()
        self._stages.pop()
        self._profile_if_inside()

    def _turn(self) -> None:
        now = time.perf_counter()
        self._profile.disable()
        self.seconds[self.innermost] += now - self._since
        self._since = now

    def _profile_if_inside(self) -> None:
        if self.innermost == self._inside:
            self._profile.enable()

    def _watch_memory(self) -> None:
        while True:
            stage = self._node or self.innermost
            self.memory[stage] = max(self.memory.get(stage, 0), tree_memory(os.getpid()))
            time.sleep(SAMPLED_EVERY)


def _short(file: str) -> str:
    return "/".join(Path(file).parts[-2:])


def time_imports(clock: Clock, results: list[Any]) -> None:
    """Charge the execution of modules to the package that was asked for, and put the clock around functions as they come."""

    def timed(execute: Callable[..., None]) -> Callable[..., None]:
        def run(loader: Any, module: Any) -> None:
            name = module.__name__
            package = name.partition(".")[0]
            begins = not clock.innermost.startswith("import: ") or clock.innermost == OTHER_IMPORTS
            stage = f"import: {package}" if package in HEAVY else OTHER_IMPORTS
            if begins:
                with clock.stage(stage):
                    execute(loader, module)
            else:
                execute(loader, module)
            for function, of in STAGES.get(name, {}).items():
                _put_clock_around(module, function, of, clock, results)
            if name == NODE_MODULE:
                _name_nodes(getattr(module, NODE_CLASS), clock)

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


def _name_nodes(runner: Any, clock: Clock) -> None:
    build = getattr(runner, BUILDS_NODE)

    @functools.wraps(build)
    def named(self: Any, *arguments: Any) -> Any:
        is_test = str(self.node.resource_type) == "test"
        with clock.node(TESTS if is_test else f"dbt: {self.node.name}"):
            return build(self, *arguments)

    setattr(runner, BUILDS_NODE, named)


def main() -> int:
    """Run the command, keep what was measured."""
    result, *arguments = sys.argv[1:]
    inside = None
    if arguments[0] == "--inside":
        _, inside, *arguments = arguments
    results: list[Any] = []
    clock = Clock(inside)
    time_imports(clock, results)
    from dagster_project.cli.main import main as uppklarat

    code = uppklarat(arguments)
    clock.end()
    nodes: Counter[str] = Counter()
    for one in results:
        nodes[TESTS if one.tested_model else f"dbt: {one.name}"] += one.seconds
    output = {
        "seconds": {**clock.seconds, **nodes},
        "memory": clock.memory,
        "imported": [package for package in HEAVY if package in sys.modules],
        "functions": clock.functions() if inside else [],
    }
    Path(result).write_text(json.dumps(output, ensure_ascii=False, indent=1), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
