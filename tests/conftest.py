"""Fixtures shared by several test modules."""

from __future__ import annotations

import fcntl
import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest
from deliveries import KEY, files_of, load, put

from dagster_project import paths
from dagster_project.ingestion.pseudonyms import KEY_VARIABLE
from dagster_project.settings import DSN_VARIABLE, Settings

if TYPE_CHECKING:
    from kills import Worlds

Result = TypeVar("Result")

# The same in every test process; tests of the key file remove it.
os.environ[KEY_VARIABLE] = KEY
# Tests must not publish to a server configured in the developer's environment.
os.environ.pop(DSN_VARIABLE, None)


def settings_in(folder: Path, suppress_below: int = 1) -> Settings:
    """Return settings in a folder; small numbers are shown by default, because most tests count a few rows."""
    return Settings(
        landing=folder / "landing",
        home=folder / "warehouse",
        published=folder / "published",
        suppress_below=suppress_below,
    )


def copied(source: Settings, settings: Settings) -> Settings:
    """Copy a warehouse, for a test that changes it."""
    for place in ("landing", "home", "published"):
        if getattr(source, place).exists():
            shutil.copytree(
                getattr(source, place),
                getattr(settings, place),
                symlinks=True,
                # `environment` gives each warehouse the parsed dbt project, and makes its folder for that.
                ignore=shutil.ignore_patterns(paths.PARSED.name),
                dirs_exist_ok=True,
            )
    return settings


def copy_code(source: Path, target: Path) -> Path:
    """Copy code without what tools wrote there; the copy can be changed, even of a folder that nobody may write into."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("target", "logs", "__pycache__"))
    for path in (target, *target.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)
    return target


def make_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Result]) -> Result:
    """Make something expensive once for all processes of pytest-xdist; the result is read-only, tests copy it.

    A lock lets one process make it, and the others read the pickled result.
    """
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    folder = factory.getbasetemp().parent if is_worker else factory.getbasetemp()
    pickled = folder / f"{name}.pickle"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not pickled.exists():
            # Remove the remains of a failed attempt.
            shutil.rmtree(folder / name, ignore_errors=True)
            pickled.write_bytes(pickle.dumps(make(folder / name)))
        result: Result = pickle.loads(pickled.read_bytes())
    return result


@pytest.fixture(scope="module", autouse=True)
def tables_only(request: pytest.FixtureRequest) -> Iterator[None]:
    """Publish tables only in this process, unless the module sets `EVERY_FORMAT`.

    The other formats double the time; commands and loads in separate processes write them. The report is written by its own
    tests and by commands.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("dagster_project.report.follow_up.write_report", lambda _: None)
        if not getattr(request.module, "EVERY_FORMAT", False):
            patched.setattr("dagster_project.publication.formats.write.write_formats", lambda *_: None)
        yield


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An empty warehouse."""
    return settings_in(tmp_path)


@pytest.fixture(scope="session")
def once_loaded(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A warehouse with a clean delivery of each source; read-only."""
    settings = settings_in(tmp_path_factory.mktemp("once_loaded"))
    for source in ("police", "prosecution"):
        put(settings, source, files_of(source))
        load(settings, source)
    return settings


@pytest.fixture
def loaded(settings: Settings, once_loaded: Settings) -> Settings:
    """A copy of `once_loaded`."""
    return copied(once_loaded, settings)


@pytest.fixture(scope="session")
def published_world(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Two small dirty years, published with small numbers withheld; read-only."""
    from reference.worlds import dirty_world
    from test_publishing import publish
    from warehouse import build

    def make(folder: Path) -> Settings:
        settings = settings_in(folder, suppress_below=5)
        dirty_world(settings.landing, seed=27, offences_per_year=400, years=(2023, 2024), dirt=0.002)
        build(settings)
        publish(settings)
        return settings

    return make_once(tmp_path_factory, "published_world", make)


@pytest.fixture(scope="session")
def audited_redelivery(published_world: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """`published_world` with a year delivered again, built and audited, not published; read-only."""
    from test_publishing import redeliver
    from warehouse import build

    from dagster_project.quality.audit import audit_warehouse

    def make(folder: Path) -> Settings:
        settings = copied(published_world, settings_in(folder, suppress_below=5))
        redeliver(settings)
        build(settings)
        audit_warehouse(settings)
        return settings

    return make_once(tmp_path_factory, "audited_redelivery", make)


@pytest.fixture(scope="session")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    """Two years loaded without disturbance, and the same with the later one redelivered; read-only."""
    from kills import make_worlds
    from loads import Way

    return make_once(tmp_path_factory, "worlds", lambda folder: make_worlds(folder, Way(without_dagster=True)))
