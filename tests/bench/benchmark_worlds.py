"""Generated deliveries, kept between benchmarks, and the warehouses that load them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark_process import Measured, measured
from warehouse import share_parsed_project

from dagster_project.paths import MANIFEST
from dagster_project.sample import write_sample
from dagster_project.settings import REPOSITORY, SEEDS, Settings
from dagster_project.versions import fingerprint

COMMAND = str(Path(sys.executable).with_name("uppklarat"))
PLAIN_SCRIPT, PROFILE = (
    str(REPOSITORY / "tests" / "bench" / f"{name}.py") for name in ("plain_script", "benchmark_profile")
)
KEPT = Path(tempfile.gettempdir()) / "uppklarat-bench-deliveries"


@dataclass(frozen=True)
class Deliveries:
    """Generated deliveries of some years."""

    landing: Path
    years: tuple[int, ...]


def deliveries(scale: float, seed: int, years: Sequence[int]) -> Deliveries:
    """Deliveries at a share of the national volume; generated once, and again when the generator changes."""
    kept = _folder_of_this_generator()
    folder = kept / f"{scale:g}-seed{seed}-{years[0]}-{years[-1]}"
    if not folder.exists():
        print(f"generating {years[0]}–{years[-1]} at {scale:g} × national volume …", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(dir=kept) as unfinished:
            made = Path(unfinished) / "made"
            # The plain script knows no optional file.
            write_sample(made / "landing", years, scale, seed, lambda _: None, reports=False)
            made.replace(folder)
    return Deliveries(folder / "landing", tuple(years))


def _folder_of_this_generator() -> Path:
    """The folder of kept deliveries; those of an earlier generator, some 10 GB, are deleted."""
    folder = KEPT / fingerprint([REPOSITORY / "dagster_project" / "sample", SEEDS])
    if not folder.exists():
        shutil.rmtree(KEPT, ignore_errors=True)
        folder.mkdir(parents=True)
    return folder


def large_deliveries(scale: float, seed: int, year: int, times: int) -> Deliveries:
    """Deliveries of a year with every offence `times` times, as offences of other police offices.

    The sample has seven-digit case numbers enough for 6 × the national volume only.
    """
    of = deliveries(scale, seed, [year])
    folder = of.landing.parent.with_name(f"{times} times {of.landing.parent.name}")
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=folder.parent) as unfinished:
            made = Path(unfinished) / "made"
            shutil.copytree(of.landing, made / "landing")
            for manifest in (made / "landing").rglob(MANIFEST):
                declared = json.loads(manifest.read_text(encoding="utf-8"))
                for file in declared["files"]:
                    file["rows"] = _repeat(manifest.with_name(file["name"]), times)
                    with manifest.with_name(file["name"]).open("rb") as content:
                        file["sha256"] = hashlib.file_digest(content, "sha256").hexdigest()
                manifest.write_text(json.dumps(declared), encoding="utf-8")
            made.replace(folder)
    return Deliveries(folder / "landing", (year,))


def _repeat(file: Path, times: int) -> int:
    """Write the rows again with the first digit of the office in the case number changed; returns how many there are."""
    original = file.with_suffix(".once")
    file.rename(original)
    with original.open("rb") as lines, file.open("wb") as longer:
        longer.write(lines.readline())
        rows = 0
        for line in lines:
            longer.write(line)
            rows += 1
            # In the prosecutors' file the case number comes second.
            before, separator, case = line.partition(b";") if line.startswith(b"AM-") else (b"", b"", line)
            if case.startswith(b"5"):
                for digit in range(1, times):
                    longer.write(before + separator + str(5 - digit).encode() + case[1:])
                rows += times - 1
    original.unlink()
    return rows


def world_in(folder: Path, of: Deliveries) -> Settings:
    """The places of a warehouse in a folder of its own."""
    return Settings(landing=of.landing, home=folder / "warehouse", published=folder / "published")


def emptied(world: Settings) -> Settings:
    """The same warehouse, which has loaded nothing yet, with the dbt project parsed, as after `make setup`."""
    remove(world.home.parent)
    share_parsed_project(world.home)
    return world


def keep(world: Settings) -> None:
    """Keep a warehouse as it is now, to go back to."""
    shutil.copytree(world.home.parent, _kept(world), symlinks=True)


def gone_back(world: Settings) -> Settings:
    """The same warehouse, as it was kept."""
    remove(world.home.parent)
    shutil.copytree(_kept(world), world.home.parent, symlinks=True)
    return world


def _kept(world: Settings) -> Path:
    return world.home.parent.with_name(f"{world.home.parent.name} kept")


def remove(folder: Path) -> None:
    """Remove a folder though publications are read-only."""
    if folder.exists():
        subprocess.run(["chmod", "-R", "u+w", str(folder)], check=True)
        shutil.rmtree(folder)


def load(world: Settings, *arguments: str) -> Measured:
    """The command as people type it."""
    return measured([COMMAND, "load", *arguments], _environment(world))


def profile(world: Settings) -> dict[str, object]:
    """Where the time of a load goes: what `benchmark_profile` tells, and the seconds of the whole process."""
    result = world.home.parent / "profile.json"
    took = measured([sys.executable, PROFILE, str(result), "load"], _environment(world))
    return {**json.loads(result.read_text(encoding="utf-8")), "wall": took.wall}


def plain_script(of: Deliveries, counts: Path) -> Measured:
    """The script that loads are compared with."""
    return measured([sys.executable, PLAIN_SCRIPT, str(of.landing), str(counts), *map(str, of.years)], os.environ)


def _environment(world: Settings) -> dict[str, str]:
    # The user's own server is not used; how much memory may be used is the user's setting.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("UPPKLARAT_POSTGRES")}
    return {
        **inherited,
        "UPPKLARAT_LANDING": str(world.landing),
        "UPPKLARAT_HOME": str(world.home),
        "UPPKLARAT_PUBLISHED": str(world.published),
    }
