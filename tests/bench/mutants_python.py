"""Runs mutmut over the Python that judges, plans and audits (`make mutants`) and holds its survivors against those explained.

What is mutated, by which tests, is configured in `pyproject.toml`; explanations stand in `mutants_python.yml`. Words as
arguments run only the functions whose names hold one of them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import yaml

TESTS = Path(__file__).resolve().parents[1]
REPOSITORY = TESTS.parent
COPIED = ("dagster_project", "dbt", "expectations", "tests", "pyproject.toml")
MUTMUT = Path(sys.executable).with_name("mutmut")
NOTICED = ("killed", "timeout", "suspicious", "segfault", "caught by type check")
LANES = "2"


def main(words: list[str]) -> int:
    begun = time.monotonic()
    explained = {
        (one["function"], one["was"], one["becomes"]): one["why"]
        for one in yaml.safe_load(Path(__file__).with_name("mutants_python.yml").read_text(encoding="utf-8")) or []
    }
    # mutmut leaves its copies beside the code, where other tools would find them
    with tempfile.TemporaryDirectory(prefix="uppklarat-mutmut-") as folder:
        project = Path(folder)
        for name in COPIED:
            source = REPOSITORY / name
            if source.is_dir():
                shutil.copytree(source, project / name)
            else:
                shutil.copy2(source, project / name)
        names = [f"*{word}*" for word in words]
        ran = mutmut(project, "run", "--max-children", LANES, *names)
        output = re.findall(r"^\s+(\S+): ([a-z ]+)$", mutmut(project, "results", "--all", "true"), re.MULTILINE)
        statuses = {name: status for name, status in output if status != "not checked"}
        if not statuses:
            print(f"mutmut tried nothing:\n{ran[-3000:]}")
            return 2
        alive, used = [], set()
        for name, status in sorted(statuses.items()):
            if status in NOTICED:
                continue
            key = (re.sub(r"__mutmut_\d+$", "", name), *change(mutmut(project, "show", name)))
            used.add(key)
            if key not in explained:
                alive.append((status, *key))
    for status, function, was, becomes in alive:
        print(f"LIVES ({status}) {function}\n    - {was}\n    + {becomes}")
    idle = [] if words else sorted(set(explained) - used)
    for function, was, becomes in idle:
        print(f"EXPLAINED, and noticed or not made any more: {function}\n    - {was}\n    + {becomes}")
    counted = Counter(statuses.values())
    killed = sum(counted[status] for status in NOTICED)
    left = len(statuses) - killed - len(alive)
    print(
        f"mutants of Python: {len(statuses)} made, {killed} killed, {left} explained, {len(alive)} alive, "
        f"{time.monotonic() - begun:.0f} s ({', '.join(f'{status} {number}' for status, number in counted.items())})"
    )
    return 1 if alive or idle else 0


def mutmut(project: Path, *arguments: str) -> str:
    environment = {**os.environ, "DO_NOT_TRACK": "1", "NO_COLOR": "1"}
    ran = subprocess.run([str(MUTMUT), *arguments], cwd=project, capture_output=True, text=True, env=environment)
    return ran.stdout + ran.stderr


def change(diff: str) -> tuple[str, str]:
    """The lines that a mutant takes away and puts in their place."""
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    return tuple(" ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+")  # type: ignore[return-value]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
