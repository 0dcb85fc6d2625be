"""Kills loads at random moments and checks what readers have and what the next load recovers."""

from __future__ import annotations

import random
import shutil
import statistics
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from conftest import settings_in
from loads import Load, Way, broken_promises, content, faults_after, run, start
from reference.worlds import dirty_world

from dagster_project import paths
from dagster_project.publications import MANIFEST
from dagster_project.settings import Settings

YEARS = (2023, 2024)
# Number of loads killed in a row before one may end.
IN_A_ROW = (1, 2, 4, 8, 16, 24)
# With its events in SQLite, all formats and the report a load takes three times as long; 200 such kills would not fit into
# their time.
WITHOUT_DAGSTER = 5 / 6
IN_A_ROW_WITH_DAGSTER = (1, 2, 4)
STAGES = ("starting", "taking in", "building", "auditing", "drafting", "pointing", "ending")


@dataclass
class Worlds:
    """Two states of deliveries, the second with a redelivered year, and undisturbed warehouses of both."""

    first: Settings
    second: Settings

    def settings(self, redelivered: bool) -> Settings:
        return self.second if redelivered else self.first


@dataclass
class Kills:
    """Results of the kills."""

    tried: int = 0
    survived: int = 0
    too_late: int = 0
    completed: int = 0
    by_stage: Counter[str] = field(default_factory=Counter)
    by_kind: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0


def make_worlds(folder: Path, way: Way, offences: int = 60) -> Worlds:
    """Load two years without disturbance, then the same with the later year redelivered."""
    first, second = settings_in(folder / "first"), settings_in(folder / "second")
    dirty_world(first.landing, seed=40, offences_per_year=offences, years=YEARS, dirt=0.002)
    shutil.copytree(first.landing, second.landing)
    redeliver(second, folder / "other", offences)
    for settings in (first, second):
        ended = run(settings, way)
        assert ended.returncode == 0, ended.stderr
    assert content(first) != content(second)
    return Worlds(first, second)


def redeliver(settings: Settings, deliveries: Path, offences: int, seed: int = 41) -> None:
    """Put other deliveries of the last year into the landing folder."""
    dirty_world(deliveries, seed=seed, offences_per_year=offences, years=YEARS[-1:], dirt=0.0)
    for source in ("police", "prosecution"):
        folder = settings.landing / source / str(YEARS[-1])
        shutil.rmtree(folder)
        shutil.copytree(deliveries / source / str(YEARS[-1]), folder)


def as_before(folder: Path, worlds: Worlds, redelivery: bool) -> Settings:
    """Return a warehouse before a first load, or before the load of a redelivered year."""
    shutil.rmtree(folder, ignore_errors=True)
    settings = settings_in(folder)
    shutil.copytree(worlds.settings(redelivery).landing, settings.landing)
    if redelivery:
        shutil.copytree(worlds.first.home, settings.home, symlinks=True)
        shutil.copytree(worlds.first.published, settings.published, symlinks=True)
    return settings


def stage_of(settings: Settings, load: Load, began: float) -> str:
    """Return the stage of a killed load."""
    progress = load.progress
    if " published 2" in progress:
        return "ending"
    if (settings.published / paths.DRAFT / MANIFEST).exists() or any(
        datetime.strptime(path.name, "%Y%m%dT%H%M%SZ").timestamp() > began - 2 and path.stat().st_mtime >= began
        for path in settings.published.glob("2*")
    ):
        return "pointing"
    if (settings.published / paths.DRAFT).exists():
        return "drafting"
    if (settings.home / paths.DATA_TESTS).exists() and (settings.home / paths.DATA_TESTS).stat().st_mtime >= began:
        return "auditing"
    if " building " in progress:
        return "building"
    return "taking in" if " rows read" in progress or any((settings.home / paths.SCRATCH).glob("*")) else "starting"


def kill_loads(folder: Path, worlds: Worlds, kills: int, seconds: float, seed: int, lanes: int = 2) -> Kills:
    """Kill loads until there are enough kills or the time is up; lanes run in parallel, each with its own warehouse."""
    began = time.monotonic()
    contents = {redelivery: content(worlds.settings(redelivery)) for redelivery in (False, True)}
    kills_, guard = Kills(), threading.Lock()
    lasted: dict[tuple[bool, bool], list[float]] = {}

    def lane(number: int) -> None:
        try:
            row_after_row(number)
        except Exception as error:
            with guard:
                kills_.wrong.append(f"lane {number} ended: {error!r}")

    def row_after_row(number: int) -> None:
        rng = random.Random(seed * 100 + number)
        while kills_.tried < kills and time.monotonic() - began < seconds:
            redelivery, without = rng.random() < 0.5, rng.random() < WITHOUT_DAGSTER
            settings = as_before(folder / f"lane {number}", worlds, redelivery)
            way, kind = Way(without_dagster=without), (redelivery, without)
            row: Counter[str] = Counter()
            wrong: list[str] = []
            planned = rng.choice(IN_A_ROW if without else IN_A_ROW_WITH_DAGSTER)
            while row.total() < planned and kills_.tried + row.total() < kills and time.monotonic() - began < seconds:
                usually = statistics.median(lasted.get(kind) or [lasted_at_first])
                load, at = start(settings, way), time.time()
                time.sleep(rng.uniform(0, usually))
                if load.kill():
                    row[stage_of(settings, load, at)] += 1
                    wrong += broken_promises(settings)
                else:
                    # It was done already: no kill, and the row is over.
                    with guard:
                        kills_.too_late += 1
                    break
            a_load_began = time.monotonic()
            ended = run(settings, way)
            wrong += faults_after(settings, contents[redelivery], ended)
            with guard:
                if "nothing new" not in ended.stdout:
                    lasted.setdefault(kind, []).append(time.monotonic() - a_load_began)
                kills_.completed += 1
                kills_.tried += row.total()
                kills_.survived += 0 if wrong else row.total()
                kills_.by_stage += row
                kills_.by_kind["a year delivered again" if redelivery else "first load"] += row.total()
                kills_.by_kind["without Dagster" if without else "with Dagster"] += row.total()
                kills_.wrong += [f"after {dict(row)}: {fault}" for fault in wrong]

    before = time.monotonic()
    settings = as_before(folder / "measured", worlds, redelivery=True)
    assert run(settings).returncode == 0
    lasted_at_first = time.monotonic() - before
    threads = [threading.Thread(target=lane, args=(number,)) for number in range(lanes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kills_.seconds = time.monotonic() - began
    return kills_
