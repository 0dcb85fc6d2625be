"""Makes the named mutants of `mutants.yml` one by one in a copy of the project, and says which of them no test notices.

`python tests/bench/mutants.py` runs all (add words to run those whose names hold one of them). `mutant_figures`, for `make soak`,
runs half of those that are noticed without a whole build, other ones each time.
A process per group loads dbt, the audit or pytest once and is forked for each mutant, so that most cost about a second.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
TESTS = Path(__file__).resolve().parents[1]
REPOSITORY = TESTS.parent
LIST = Path(__file__).with_name("mutants.yml")
SUITES = Path("expectations/suites")
LANES = 2
SECONDS = 600  # for one mutant; one that hangs is noticed
COPIED = ("dagster_project", "dbt", "docs", "expectations", "tests", "pyproject.toml")
QUICK = "--quick="  # a seed: a random half of those that are noticed without a whole build
WHOLE_BUILDS = (
    "tests/integration/test_incremental.py",
    "tests/integration/test_histories.py",
    "tests/integration/test_purge.py",
    "tests/integration/test_tried_again.py",
    "tests/integration/test_suites.py",
)


@dataclass(frozen=True)
class Mutant:
    """One change; `within` is the expectation that it is made in, `new` None drops that whole."""

    name: str
    file: Path
    by: str | tuple[str, ...]
    old: str
    new: str | None
    breaks: str
    within: str = ""
    models: tuple[str, ...] = ()
    equivalent: str = ""

    @property
    def label(self) -> str:
        inside = f".{self.within}" if self.within else ""
        return f"{self.file.stem}{inside}: {self.name}"

    @property
    def is_declaration(self) -> bool:
        """Whether it shows in what is declared, so that nothing has to be judged and no process of its own is needed."""
        return self.name in ("dropped", "only warns")

    def changed(self, text: str) -> str:
        """The text with the change; ValueError where it cannot be made. In SQL of a suite spaces and line ends count alike."""
        words = self.old.split() if self.by == "suites" else [self.old]
        pattern = r"\s+".join(re.escape(word) for word in words)
        changed, found = re.subn(pattern, lambda _: str(self.new), text)
        if found != 1:
            raise ValueError(f"{self.label}: stands {found} times and not once: {self.old!r}")
        if changed == text:
            raise ValueError(f"{self.label}: changes nothing")
        return changed

    def changed_suite(self) -> ExpectationSuite:
        """The suite with the change in one of its expectations, whose fields are read as lines of `name: value`."""
        from great_expectations import ExpectationSuite

        from expectations.suites import load_suites

        (suite,) = [suite for suite in load_suites() if suite.name == self.file.stem]
        kept = [check.copy() for check in suite.expectations if check.meta["name"] != self.within]
        (meant,) = [check for check in suite.expectations if check.meta["name"] == self.within]
        if self.new is not None:
            fields = {
                name: value
                for name, value in meant.dict(exclude_defaults=True).items()
                if name not in ("meta", "notes", "id", "rendered_content")
            } | {"severity": meant.severity.value}
            lines = {name: f"{name}: {_shown(value)}" for name, value in fields.items()}
            self.changed("\n".join(lines.values()))
            for name, line in lines.items():
                with contextlib.suppress(ValueError):
                    value = self.changed(line).removeprefix(f"{name}: ")
                    fields[name] = value if isinstance(fields[name], str) else yaml.safe_load(value)
            kept.append(type(meant)(**fields, meta=meant.meta, notes=meant.notes))
        return ExpectationSuite(name=suite.name, meta=suite.meta, expectations=kept)


class Outcome(NamedTuple):
    label: str
    killed: bool
    seconds: float
    noticed: str


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


# --- the list ---------------------------------------------------------------------------------------------------------


def all_mutants() -> list[Mutant]:
    """The named mutants, and those that are made of every expectation: dropped, and turned into a mere warning."""
    return [*named_mutants(), *mutants_of_every_expectation()]


def named_mutants() -> list[Mutant]:
    found = [
        Mutant(
            name=name,
            file=Path(group["file"]),
            by=tuple(group["by"]) if isinstance(group["by"], list) else group["by"],
            old=given["old"],
            new=given["new"],
            breaks=given["breaks"],
            within=given.get("in", ""),
            models=tuple(group.get("models", ())),
            equivalent=given.get("equivalent", ""),
        )
        for group in yaml.safe_load(LIST.read_text(encoding="utf-8"))
        for name, given in group["mutants"].items()
    ]
    labels = [mutant.label for mutant in found]
    if doubled := {label for label in labels if labels.count(label) > 1}:
        raise ValueError(f"named twice: {', '.join(sorted(doubled))}")
    return found


def mutants_of_every_expectation() -> list[Mutant]:
    found = []
    # In a process of its own, since nothing of the project may be imported before the processes of the groups begin.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        declared = pool.submit(declared_expectations).result()
    for suite, name, notes, blocks in declared:
        place: dict[str, Any] = {"file": SUITES / f"{suite}.py", "by": "suites", "within": name}
        found.append(Mutant("dropped", old="", new=None, breaks=notes, **place))
        if blocks:
            found.append(Mutant("only warns", old="critical", new="warning", breaks=notes, **place))
    return found


def declared_expectations() -> list[tuple[str, str, str, bool]]:
    """Suite, name and notes of every expectation, and whether it blocks."""
    from expectations.suites import load_suites

    return [
        (suite.name, check.meta["name"], check.notes, check.severity == "critical")
        for suite in load_suites()
        for check in suite.expectations
    ]


def cannot_be_made(mutants: Iterable[Mutant]) -> list[str]:
    """What is wrong with the list: each change must be possible in the files as they are."""
    wrong = []
    for mutant in mutants:
        try:
            if mutant.by == "suites":
                mutant.changed_suite()
            else:
                mutant.changed((REPOSITORY / mutant.file).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            wrong.append(f"{mutant.label}: {error}")
    return wrong


# --- running them -----------------------------------------------------------------------------------------------------


def mutant_figures(seed: int) -> tuple[int, int, list[str]]:
    """Mutants made and killed, without those explained as equivalent, and a line for each that lives."""
    command = [sys.executable, str(Path(__file__)), f"{QUICK}{seed}"]
    outcome = subprocess.run(command, capture_output=True, text=True)
    figures = re.search(r"^mutants: (\d+) made, (\d+) killed", outcome.stdout, re.MULTILINE)
    if figures is None:
        raise AssertionError(f"the mutants were not tried:\n{outcome.stdout}\n{outcome.stderr}")
    alive = re.findall(r"^(?:LIVES|ATTEMPT FAILED) .*$", outcome.stdout, re.MULTILINE)
    return int(figures[1]), int(figures[2]), alive


def run(mutants: Sequence[Mutant], report: Callable[[Outcome], None]) -> list[Outcome]:
    """Try all mutants, at most `LANES` at a time; the unchanged project comes first and must pass."""
    groups: dict[str, list[Mutant]] = {"dbt": [], "suites": [], "pytest": []}
    for mutant in mutants:
        kind = "pytest" if isinstance(mutant.by, tuple) else {"suites": "suites"}.get(mutant.by, "dbt")
        groups[kind].append(mutant)
    leaders = {"dbt": _lead_dbt, "suites": _lead_suites, "pytest": _lead_pytest}
    context = multiprocessing.get_context("fork")
    free, queue = context.Semaphore(LANES), context.SimpleQueue()
    with tempfile.TemporaryDirectory(prefix="uppklarat-mutants-") as folder:
        processes = []
        for kind, of_kind in groups.items():
            if of_kind:
                place = Path(folder) / kind
                place.mkdir()
                process = context.Process(target=_lead, args=(leaders[kind], of_kind, place, free, queue))
                process.start()
                processes.append(process)
        outcomes: list[Outcome] = []
        left = len(processes)
        while left:
            message = queue.get()
            if message is None:
                left -= 1
            elif isinstance(message, str):
                raise AssertionError(message)
            else:
                outcomes.append(message)
                report(message)
        for process in processes:
            process.join()
    return outcomes


Try = Callable[[Mutant | None, Path], str]  # what noticed the mutant, or nothing; None is the unchanged project


def _lead(
    prepare: Callable[[Path, list[Mutant]], Try], mutants: list[Mutant], place: Path, free: Any, queue: Any
) -> None:
    """A group's process: prepares once, then forks for each mutant."""
    try:
        with free:
            try_one = prepare(place, mutants)
            unchanged = _forked(try_one, None, place)
        if unchanged:
            raise AssertionError(f"the unchanged project fails: {unchanged}")
        running: dict[int, tuple[Mutant, float, Path]] = {}
        for mutant in mutants:
            if mutant.is_declaration:
                begun = time.monotonic()
                with tempfile.TemporaryDirectory(dir=place) as folder:
                    noticed = try_one(mutant, Path(folder))
                queue.put(Outcome(mutant.label, bool(noticed), time.monotonic() - begun, noticed))
                continue
            # what has ended in the meantime gives its place back only when it is collected
            while not free.acquire(timeout=0.05):
                _collect(running, free, queue, wait=False)
            answer = place / f"{len(list(place.glob('*.answer')))}-{mutant.file.stem}.answer"
            answer.touch()
            running[_fork(try_one, mutant, place, answer)] = (mutant, time.monotonic(), answer)
        _collect(running, free, queue, wait=True)
    except BaseException:
        queue.put(traceback.format_exc())
    queue.put(None)


def _collect(running: dict[int, tuple[Mutant, float, Path]], free: Any, queue: Any, *, wait: bool) -> None:
    while running:
        pid, status = os.waitpid(-1, 0 if wait else os.WNOHANG)
        if not pid:
            return
        mutant, begun, answer = running.pop(pid)
        noticed = answer.read_text(encoding="utf-8")
        if status and not noticed:
            noticed = "it took too long or the process died"
        free.release()
        queue.put(Outcome(mutant.label, bool(noticed), time.monotonic() - begun, noticed))


def _forked(try_one: Try, mutant: Mutant | None, place: Path) -> str:
    answer = place / "unchanged.answer"
    answer.touch()
    _, status = os.waitpid(_fork(try_one, mutant, place, answer), 0)
    return answer.read_text(encoding="utf-8") or ("the process died" if status else "")


def _fork(try_one: Try, mutant: Mutant | None, place: Path, answer: Path) -> int:
    sys.stdout.flush()
    if pid := os.fork():
        return pid
    import signal

    if mutant is not None:
        signal.alarm(SECONDS)
    try:
        with tempfile.TemporaryDirectory(dir=place) as folder:
            tempfile.tempdir = folder
            answer.write_text(try_one(mutant, Path(folder))[:300], encoding="utf-8")
    except BaseException:
        answer.write_text("THE ATTEMPT ITSELF FAILED " + traceback.format_exc()[-2000:], encoding="utf-8")
    os._exit(0)


def _copy(mutant: Mutant | None, folder: Path, *what: str) -> None:
    """Copy parts of the project and make the change in the copy."""
    for name in what:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("compiled", "run"))
        else:
            shutil.copy2(source, folder / name)
    if mutant is not None:
        path = folder / mutant.file
        path.write_text(mutant.changed(path.read_text(encoding="utf-8")), encoding="utf-8")


# --- by dbt's own tests -----------------------------------------------------------------------------------------------


def _lead_dbt(place: Path, mutants: list[Mutant]) -> Try:
    """All tables empty and all seeds loaded; a mutant changes the parsed project where its file would have."""
    sys.path[:0] = [str(TESTS / room) for room in ("", "support", "integration")]
    import duckdb
    from dbt.contracts.graph.manifest import Manifest

    from dagster_project import paths
    from dagster_project.settings import Settings
    from dagster_project.state import read_state
    from dagster_project.transformation.dbt_project import prepare_manifest, run_dbt
    from dagster_project.transformation.raw_schema import create_sources

    base = Settings(landing=place / "landing", home=place / "home", published=place / "published")
    base.home.mkdir()
    with duckdb.connect(str(base.home / paths.WAREHOUSE)) as connection:
        create_sources(connection, read_state(base), year_fingerprints={})
    run_dbt(
        base,
        ["build", "--full-refresh", "--exclude-resource-type", "unit_test"],
    )
    manifest = Manifest.from_msgpack(prepare_manifest().with_name("partial_parse.msgpack").read_bytes())

    def try_one(mutant: Mutant | None, folder: Path) -> str:
        _copy(mutant, folder, "dbt")
        shutil.copy(base.home / paths.WAREHOUSE, folder / "warehouse.duckdb")
        for node in [*manifest.nodes.values(), *manifest.macros.values(), *manifest.unit_tests.values()]:
            if node.package_name == "uppklarat" and getattr(node, "root_path", None):
                node.root_path = str(folder / "dbt")
        if mutant is None:
            return _failures(manifest, folder, ["test"])
        within = mutant.file.relative_to("dbt")
        text = (folder / mutant.file).read_text(encoding="utf-8")
        if within.parts[0] == "models":
            manifest.nodes[f"model.uppklarat.{within.stem}"].raw_code = text
            return _failures(manifest, folder, ["test", "--select", f"{within.stem},test_type:unit"])
        if within.parts[0] == "macros":
            concerned = _change_macros(manifest, text)
            return _failures(manifest, folder, ["test", "--select", *(f"{one},test_type:unit" for one in concerned)])
        if within.parts[0] == "seeds":
            seed = f"seed.uppklarat.{within.stem}"
            failed = _failures(manifest, folder, ["seed", "--select", within.stem, "--full-refresh"])
            reading = [
                one.name
                for one in manifest.unit_tests.values()
                if any(f"reference.{within.stem}" in str(given.rows) for given in one.given)
            ]
            data = [
                one.name
                for one in manifest.nodes.values()
                if seed in one.depends_on_nodes and one.resource_type == "test"
            ]
            return failed or _failures(manifest, folder, ["test", "--select", *reading, *data])
        return _failures(manifest, folder, ["test", "--select", *(f"{one},test_type:unit" for one in mutant.models)])

    return try_one


def _change_macros(manifest: Any, text: str) -> list[str]:
    """Change the macros of a file in the parsed project; returns the models that use one of them."""
    macros = re.findall(r"\{% macro (\w+)\(.*?\{%-? endmacro %\}", text, re.DOTALL)
    bodies = re.findall(r"\{% macro \w+\(.*?\{%-? endmacro %\}", text, re.DOTALL)
    changed = set()
    for name, body in zip(macros, bodies, strict=True):
        macro = manifest.macros[f"macro.uppklarat.{name}"]
        if macro.macro_sql != body:
            macro.macro_sql = body
            changed.add(macro.unique_id)
    if not changed:
        raise AssertionError("the change lies outside every macro")
    while (
        calling := {macro.unique_id for macro in manifest.macros.values() if changed & set(macro.depends_on.macros)}
        - changed
    ):
        changed |= calling
    return [
        node.name
        for node in manifest.nodes.values()
        if node.resource_type == "model" and changed & set(node.depends_on.macros)
    ]


def _failures(manifest: Any, folder: Path, command: list[str]) -> str:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    os.environ["UPPKLARAT_WAREHOUSE_FILE"] = str(folder / "warehouse.duckdb")
    os.environ["UPPKLARAT_SCRATCH"] = str(folder)
    dbt = str(folder / "dbt")
    places = ["--project-dir", dbt, "--profiles-dir", dbt, "--target-path", f"{dbt}/target", "--log-path", str(folder)]
    quiet = ["--log-level", "none", "--log-level-file", "none", "--no-write-json", "--no-use-colors"]
    quiet += ["--fail-fast"]
    outcome = dbtRunner(manifest=manifest).invoke([*command, *places, *quiet])
    DuckDBConnectionManager.close_all_connections()
    if outcome.exception:
        raise AssertionError(f"dbt did not run: {outcome.exception}")
    results = list(getattr(outcome.result, "results", ()))
    if not results:
        raise AssertionError("no test was run")
    return ", ".join(
        f"{result.node.name} ({result.status})"
        for result in results
        if str(result.status) not in ("pass", "success", "skipped")
    )


# --- by the suites ----------------------------------------------------------------------------------------------------


def _lead_suites(place: Path, mutants: list[Mutant]) -> Try:
    """The warehouse of `test_suites.py`, built once; each mutant opens a copy."""
    sys.path[:0] = [str(TESTS / room) for room in ("", "support", "integration")]
    import test_suites

    test_suites.sample_warehouse(place / "built")

    def try_one(mutant: Mutant | None, folder: Path) -> str:
        declared = dict(test_suites.SUITES)
        if mutant is not None:
            declared[mutant.file.stem] = mutant.changed_suite()
        suite = declared[mutant.file.stem] if mutant else None
        try:
            test_suites.assert_all_have_breakers(declared)
            test_suites.assert_only_these_warn(declared)
            for one in suite.expectations if suite and mutant and not mutant.is_declaration else ():
                if one.meta["name"] == mutant.within:
                    shutil.copytree(place / "built", folder / "built")
                    with test_suites.connected(test_suites.settings_in(folder / "built")) as connections:
                        result = test_suites.evaluate(suite, connections[suite.meta["layer"]])[mutant.within]
                        assert result.passed, f"sound data fails: {result.observed}"
                        for breaker in test_suites.BREAKERS[suite.name, mutant.within]:
                            test_suites.assert_it_notices(suite, one, breaker, connections)
        except AssertionError as error:
            return f"test_suites: {error}"
        return ""

    return try_one


# --- by tests of the normal suite -------------------------------------------------------------------------------------


def _lead_pytest(place: Path, mutants: list[Mutant]) -> Try:
    """Pytest in a copy of the project; nothing of the project itself may be imported before the fork."""
    import duckdb  # noqa: F401
    import hypothesis  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import pytest

    def try_one(mutant: Mutant | None, folder: Path) -> str:
        tests = tuple(dict.fromkeys(test for one in mutants if isinstance(one.by, tuple) for test in one.by))
        if mutant is not None:
            tests = mutant.by
        _copy(mutant, folder, *COPIED)
        os.chdir(folder)
        sys.path[:0] = [str(folder)]
        shown = io.StringIO()
        with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown):
            code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=line", *tests])
        import dagster_project

        if not Path(dagster_project.__file__).is_relative_to(folder):
            raise AssertionError("the tests ran on the project itself and not on the copy")
        if code not in (0, 1):
            return f"pytest ended with {code}: {shown.getvalue()[-300:]}"
        return "" if code == 0 else next((x for x in shown.getvalue().splitlines() if x.startswith("FAILED")), "failed")

    return try_one


def main(words: Sequence[str]) -> int:
    begun = time.monotonic()
    seeds = [word.removeprefix(QUICK) for word in words if word.startswith(QUICK)]
    words = [word for word in words if not word.startswith(QUICK)]
    mutants = [one for one in all_mutants() if not words or any(word in one.label for word in words)]
    if seeds:
        mutants = [one for one in mutants if not any(test.startswith(WHOLE_BUILDS) for test in one.by)]
        mutants = random.Random(seeds[0]).sample(mutants, len(mutants) // 2)
    # Those of suites import what the other groups' processes must not find imported; `test_mutants.py` looks at them too.
    if wrong := cannot_be_made(mutant for mutant in mutants if mutant.by != "suites"):
        print("\n".join(wrong))
        return 2
    explained = [one for one in mutants if one.equivalent]
    made = [one for one in mutants if not one.equivalent]
    broken: list[str] = []

    def report(outcome: Outcome) -> None:
        if "THE ATTEMPT ITSELF FAILED" in outcome.noticed:
            broken.append(outcome.label)
            print(f"ATTEMPT FAILED {outcome.label}: {outcome.noticed}", flush=True)
        elif not outcome.killed:
            print(f"LIVES {outcome.label}", flush=True)
        elif words:
            print(f"killed {outcome.label} ({outcome.seconds:.1f} s): {outcome.noticed}", flush=True)

    outcomes = run(made, report)
    killed = sum(outcome.killed and outcome.label not in broken for outcome in outcomes)
    print(
        f"mutants: {len(made)} made, {killed} killed, {len(explained)} explained as equivalent, "
        f"{time.monotonic() - begun:.0f} s, {sum(os.times()[2:4]):.0f} s of processor"
    )
    return 0 if killed == len(made) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
