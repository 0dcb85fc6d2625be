"""Concurrency: continuous readers of `current`, parallel loads, a backfill, and Dagster's daemon beside the command line."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from client_readers import crowd_of, mixed_reads, reading
from clients_at_hand import CLIENTS, at_hand
from dagster import RunsFilter
from kills import YEARS, Worlds, as_before
from loads import Ended, Way, content, faults_after, forked, has_ended, run, start
from warehouse import environment

from dagster_project import paths
from dagster_project.defs.instance import open_instance
from dagster_project.publications import publications
from dagster_project.settings import REPOSITORY, Settings


def deliver_again(settings: Settings, worlds: Worlds, redelivered: bool) -> None:
    """Put the deliveries of a state into the landing folder, each folder atomically."""
    for folder in worlds.settings(redelivered).landing.glob("*/*"):
        place = settings.landing / folder.relative_to(worlds.settings(redelivered).landing)
        new, old = place.with_name(f".{place.name}.new"), place.with_name(f".{place.name}.old")
        shutil.copytree(folder, new)
        place.rename(old)
        new.rename(place)
        shutil.rmtree(old)


def _backfill(settings: Settings, years: tuple[int, int], log: str) -> None:
    """Run the job as Dagster does for a backfill over a range of years, in a separate process."""
    os.environ.update(environment(settings))
    os.chdir(REPOSITORY)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    from dagster_project.defs.all_definitions import build_definitions
    from dagster_project.defs.automation import LOAD, range_tags, run_config
    from dagster_project.defs.instance import open_instance

    with open_instance(settings) as instance:
        done = (
            build_definitions(settings)
            .resolve_job_def(LOAD)
            .execute_in_process(
                instance=instance,
                run_config=run_config(complete_only=True),
                tags={**range_tags(years), "dagster/backfill": "crowd"},
                raise_on_error=False,
            )
        )
    os._exit(0 if done.success else 1)


def load_beside_backfill(settings: Settings, years: tuple[int, int], backfill_first: bool) -> tuple[Ended, int]:
    """Run a load from the command line and a backfill of the same years; return both exit codes."""
    arguments = (settings, years, str(settings.home.parent / "backfill.log"))
    if backfill_first:
        backfill = forked(_backfill, arguments)
        wait_until(lambda: "Dagster run" in _holder(settings), 120)
        load = start(settings)
    else:
        load = start(settings)
        wait_until(lambda: "uppklarat load" in _holder(settings), 120)
        backfill = forked(_backfill, arguments)
    ended = load.wait()
    wait_until(lambda: has_ended(backfill), 180)
    return ended, int(backfill.exitcode)


def two_loads(settings: Settings, way: Way = Way()) -> tuple[Ended, Ended]:  # noqa: B008 (it is frozen)
    """Run two loads; the second starts when the first holds the lock."""
    first = start(settings, way)
    wait_until(lambda: "uppklarat load" in _holder(settings), 120)
    second = start(settings, way)
    return first.wait(), second.wait()


def _holder(settings: Settings) -> str:
    return (settings.home / paths.LOCK).read_text(encoding="utf-8") if (settings.home / paths.LOCK).exists() else ""


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until a condition is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the condition did not become true")
        time.sleep(0.02)


# --- Dagster's own processes -------------------------------------------------------------------------------------------

_START_SENSOR = """
mutation ($sensor: SensorSelector!) { startSensor(sensorSelector: $sensor) {
    __typename ... on PythonError { message } ... on SensorNotFoundError { message } } }
"""
_SENSOR = {
    "repositoryLocationName": "dagster_project.definitions",
    "repositoryName": "__repository__",
    "sensorName": "new_delivery",
}


@contextmanager
def dagster_dev(settings: Settings) -> Iterator[int]:
    """Run `make dev` during the block; yields its port."""
    process, port = start_dagster_dev(settings)
    try:
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def start_dagster_dev(settings: Settings) -> tuple[subprocess.Popen[bytes], int]:
    """Start `make dev` in a new session; return the process and its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "dagster_project.defs.web_page", "--port", str(port)]
    log = (settings.home.parent / "dagster-dev.log").open("a")
    environment_variables = {**environment(settings), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    process = subprocess.Popen(
        command, env=environment_variables, cwd=REPOSITORY, stdout=log, stderr=log, start_new_session=True
    )
    return process, port


def turn_on_sensor(port: int) -> None:
    """Start the sensor as a click under *Automation* does."""
    payload = json.dumps({"query": _START_SENSOR, "variables": {"sensor": _SENSOR}}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/graphql", payload, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        result = json.loads(answer.read())["data"]["startSensor"]
    assert result["__typename"] == "Sensor", result


def sensor_beside_load(settings: Settings) -> tuple[Ended, list[str]]:
    """Run `dagster dev` with its sensor and a load from the command line at once.

    Returns the outcome of the load and the status of every run of the sensor.
    """
    with dagster_dev(settings) as port:
        wait_until(lambda: answers(port), 120)
        turn_on_sensor(port)
        runs_of_sensor = {"dagster/sensor_name": "new_delivery"}
        with open_instance(settings) as instance:

            def runs() -> list[str]:
                records = instance.get_runs(RunsFilter(tags=runs_of_sensor))
                return [record.status.value for record in records]

            wait_until(lambda: bool(runs()), 120)
            load = start(settings)
            ended = load.wait()
            wait_until(lambda: all(status in ("SUCCESS", "FAILURE", "CANCELED") for status in runs()), 180)
            return ended, runs()


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=2):
            return True
    except OSError:
        return False


# --- the large crowd ---------------------------------------------------------------------------------------------------


@dataclass
class Crowd:
    """Results of the concurrency test."""

    reads: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    publications: int = 0
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0


def crowd_figures(folder: Path, worlds: Worlds, number: int = 32, seconds: float = 150) -> Crowd:
    """Run 32 readers with two loads at once, a load beside a backfill, and the daemon beside the command line."""
    began = time.monotonic()
    contents = {redelivered: content(worlds.settings(redelivered)) for redelivered in (False, True)}
    crowd = Crowd()
    settings = as_before(folder / "crowd", worlds, redelivery=True)

    def check(scenario: str, redelivered: bool, ended: Ended, conditions: dict[str, bool]) -> None:
        crowd.wrong += [f"{scenario}: {fault}" for fault in faults_after(settings, contents[redelivered], ended)]
        crowd.wrong += [f"{scenario}: {condition}" for condition, is_met in conditions.items() if not is_met]

    clients, missing = at_hand([client for client in CLIENTS if not client.needs_server])
    crowd.wrong += [f"not tried: {why}" for why in missing]
    with reading(settings, crowd_of(clients, number)) as readers:
        first, second = two_loads(settings)
        check("two loads", True, second, {"the first failed": first.returncode == 0})
        redelivered = True
        for backfill_first in (True, False):
            if time.monotonic() - began > seconds * 0.6:
                break
            redelivered = not redelivered
            deliver_again(settings, worlds, redelivered)
            ended, backfill = load_beside_backfill(settings, YEARS, backfill_first)
            check("a load and a backfill", redelivered, ended, {"the backfill failed": backfill == 0})
        redelivered = not redelivered
        deliver_again(settings, worlds, redelivered)
        ended, runs = sensor_beside_load(settings)
        check("dagster dev and a load", redelivered, ended, {f"runs of the sensor: {runs}": set(runs) == {"SUCCESS"}})
        while time.monotonic() - began < seconds - 30 and len(publications(settings)) < 8:
            redelivered = not redelivered
            deliver_again(settings, worlds, redelivered)
            check("a load among readers", redelivered, run(settings), {})
    crowd.publications = len(publications(settings))
    for client, reads in readers.found.items():
        crowd.reads += reads.reads
        crowd.errors += reads.errors
        mixed = mixed_reads(settings, reads.seen)
        crowd.wrong += [f"{client.name} read {read} {times} times" for read, times in mixed.items()]
    crowd.seconds = time.monotonic() - began
    return crowd
