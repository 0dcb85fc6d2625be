"""The long test: bad inputs, kills, full disks, crowds, other worlds and mutants, as figures; `make soak` runs it.

It prints a table and ends with 1 where anything is not as promised. `--write` keeps the table in docs/reliability.md; `--only`
names parts, `--kills` and `--seed` change the kills.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from crowd import crowd_figures
from kills import STAGES, Worlds, as_before, kill_loads, make_worlds
from loads import Way, broken_promises, content, faults_after, run

from dagster_project.files import write_text
from dagster_project.settings import REPOSITORY

PAGE = REPOSITORY / "docs" / "reliability.md"
BEGIN, END = "<!-- soak: begin -->", "<!-- soak: end -->"
# Together with the imports they stay below 20 minutes on two cores.
SECONDS = {"kills": 480, "crowd": 90}
DISK_SIZES_KB = (256, 2_048, 5_120)
# One row of the table: what was tried, how often, how often it went as promised, a remark.
Row = tuple[str, int, int, str]


class Soak:
    """The parts, the worlds they share, and what they found wrong."""

    def __init__(self, folder: Path, kills: int, seed: int) -> None:
        self.folder, self.kills, self.seed = folder, kills, seed
        self.wrong: list[str] = []
        self._worlds: Worlds | None = None

    @property
    def worlds(self) -> Worlds:
        """Undisturbed warehouses, made when they are first needed."""
        self._worlds = self._worlds or make_worlds(self.folder / "worlds", Way())
        return self._worlds

    def corpus(self) -> list[Row]:
        from corpus import corpus_figures

        tried, handled = corpus_figures()
        return [("bad inputs handled as the contract says", tried, handled, "")]

    def killed(self) -> list[Row]:
        found = kill_loads(self.folder / "kills", self.worlds, self.kills, SECONDS["kills"], self.seed)
        self.wrong += found.wrong
        if found.tried < self.kills:
            self.wrong.append(f"only {found.tried} of {self.kills} kills within {SECONDS['kills']} s")
        stages = ", ".join(f"{stage} {found.by_stage[stage]}" for stage in STAGES if found.by_stage[stage])
        kinds = ", ".join(f"{kind} {number}" for kind, number in sorted(found.by_kind.items()))
        remark = f"{stages}; {kinds}; {found.completed} loads to the end between them; {found.too_late} came too late"
        return [("kills survived", found.tried, found.survived, remark)]

    def disks(self) -> list[Row]:
        """Loads on a real, small file system, which then grows."""
        expected, survived, tried = content(self.worlds.second), 0, 0
        for size in DISK_SIZES_KB:
            place = self.folder / f"disk {size}"
            place.mkdir()
            mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)]
            if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
                return [("full disks survived", 0, 0, "not tried: it takes the right to mount")]
            try:
                settings = as_before(place / "on it", self.worlds, redelivery=True)
                disk = os.statvfs(place)
                used = (disk.f_blocks - disk.f_bfree) * disk.f_frsize // 1024
                subprocess.run(["mount", "-o", f"remount,size={used + size}k", str(place)], check=True)
                way = Way(without_dagster=True, output=self.folder / f"output {size}")
                ended = run(settings, way)
                wrong = broken_promises(settings)
                if ended.returncode != 1 or "Traceback" in ended.stderr:
                    wrong.append(f"it ended with {ended.returncode}: {ended.stderr[-300:]}")
                subprocess.run(["mount", "-o", "remount,size=256m", str(place)], check=True)
                wrong += faults_after(settings, expected, run(settings, way))
            finally:
                subprocess.run(["umount", str(place)], check=True)
            tried += 1
            survived += not wrong
            self.wrong += [f"disk with {size} KB free: {fault}" for fault in wrong]
        return [("full disks survived", tried, survived, f"{DISK_SIZES_KB[0]} to {DISK_SIZES_KB[-1]} KB free")]

    def crowd(self) -> list[Row]:
        found = crowd_figures(self.folder, self.worlds, seconds=SECONDS["crowd"])
        self.wrong += [*found.wrong, *(f"a reader got {error}, {n} times" for error, n in found.errors.items())]
        reads, errors = found.reads, found.errors.total()
        remark = f"32 readers of mixed clients, {found.publications} publications, {len(found.wrong)} other faults"
        return [("reads without error", reads, reads - errors, remark)]

    def counting(self) -> list[Row]:
        """What the suite has only a little time for: other small worlds, and other orders of deliveries."""
        remark = "20 small worlds against the plain rules and 8 histories against a build from nothing, drawn again each time"
        tests = ("tests/integration/test_counting.py", "tests/integration/test_histories.py")
        return [self._tests("counted as the rules say", remark, *tests)]

    def disturbed(self) -> list[Row]:
        """What takes the suite too long."""
        remark = "kills at ten more stages, a backfill beside a load, a blocked load after ten disturbances, the costs of a load"
        tests = ("end_to_end/test_crashes", "end_to_end/test_crowds", "end_to_end/test_blocked_again", "integration/test_costs",
                 "integration/test_side_numbers")  # fmt: skip
        return [self._tests("more disturbed loads", remark, *(f"tests/{name}.py" for name in tests))]

    def installed(self) -> list[Row]:
        remark = "a load from a read-only folder; an installation without a network"
        return [self._tests("the wheel works", remark, "tests/end_to_end/test_wheel.py")]

    def _tests(self, what: str, remark: str, *files: str) -> Row:
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "-m", "soak", *files], cwd=REPOSITORY, capture_output=True, text=True
        )
        counted = {outcome: int(n) for n, outcome in re.findall(r"(\d+) (passed|failed|error)", ran.stdout)}
        if ran.returncode:
            self.wrong.append(ran.stdout)
        return what, sum(counted.values()), counted.get("passed", 0), remark

    def mutants(self) -> list[Row]:
        from mutants import mutant_figures

        made, killed, alive = mutant_figures(self.seed)
        self.wrong += alive
        return [("mutants killed", made, killed, "half of them, drawn again each time; `make mutants` makes all")]


def table(rows: list[tuple[Row, float]]) -> str:
    """The figures as Markdown."""
    lines = [
        f"Measured by `make soak` on {date.today()}, {os.cpu_count()} cores, {sum(took for _, took in rows):.0f} s.",
        "",
        "| | tried | as promised | s |",
        "|---|---:|---:|---:|",
        *(f"| {what} | {tried:,} | {well:,} | {took:.0f} |" for (what, tried, well, _), took in rows),
    ]
    remarks = [
        textwrap.fill(f"- {what}: {remark}.", 130, subsequent_indent="  ", break_on_hyphens=False)
        for (what, _, _, remark), _ in rows
        if remark
    ]
    return "\n".join([*lines, "", *remarks])


def main() -> int:
    """Run the parts, print the figures, keep them if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = ["corpus", "killed", "disks", "crowd", "counting", "disturbed", "installed", "mutants"]
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--kills", type=int, default=120)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    # Stop the started processes and remove their files also when this is terminated.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # Killed processes lose nothing that the system has taken, so memory serves as well as a disk.
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="uppklarat-soak-", dir=memory if memory.is_dir() else None))
    soak = Soak(folder, options.kills, options.seed)
    rows: list[tuple[Row, float]] = []
    try:
        for name in options.only:
            print(f"{name} … (seed {options.seed})", file=sys.stderr, flush=True)
            began = time.monotonic()
            part: Callable[[], list[Row]] = getattr(soak, name)
            try:
                rows += [(row, time.monotonic() - began) for row in part()]
            except Exception as error:
                # One part that fails does not cost the figures of the others.
                soak.wrong.append(f"{name}: {type(error).__name__}: {error}")
            print(table(rows[-1:]) if rows else "", file=sys.stderr, flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    printed = table(rows)
    print(printed)
    for fault in soak.wrong:
        print(f"WRONG: {fault}")
    for (what, tried, well, _), _ in rows:
        if tried != well:
            soak.wrong.append(what)
    if options.write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        write_text(PAGE, f"{before}{BEGIN}\n{printed}\n{END}{after}")
    return 1 if soak.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
