"""Fixtures that several test modules share."""

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

from dagster_project.ingestion.pseudonyms import KEY_VARIABLE
from dagster_project.settings import DSN_VARIABLE, Settings

if TYPE_CHECKING:
    from kills import Worlds

Made = TypeVar("Made")

# The same in every process of the tests; those about the key file take it away.
os.environ[KEY_VARIABLE] = KEY
# Whoever runs the tests may have a server of their own: what tests publish is not for it.
os.environ.pop(DSN_VARIABLE, None)


def settings_in(folder: Path, suppress_below: int = 1) -> Settings:
    """Places in a folder; small numbers are withheld only where a test is about that, since most count a few rows by hand."""
    return Settings(folder / "landing", folder / "warehouse", folder / "published", suppress_below)


def copied(made: Settings, settings: Settings) -> Settings:
    """A warehouse with all that another one has, for a test that changes it."""
    for place in ("landing", "home", "published"):
        if getattr(made, place).exists():
            shutil.copytree(getattr(made, place), getattr(settings, place), symlinks=True)
    return settings


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Made]) -> Made:
    """What takes long to make, made by the first process of the tests that asks for it; not to be touched, only to be copied.

    Workers of pytest-xdist are processes: a lock lets one of them make it, and a file tells the others what it made.
    """
    one_of_several = "PYTEST_XDIST_WORKER" in os.environ
    folder = factory.getbasetemp().parent if one_of_several else factory.getbasetemp()
    kept = folder / f"{name}.pickle"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            # What failed half-way would hide why.
            shutil.rmtree(folder / name, ignore_errors=True)
            kept.write_bytes(pickle.dumps(make(folder / name)))
        made: Made = pickle.loads(kept.read_bytes())
    return made


@pytest.fixture(scope="module", autouse=True)
def tables_only(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a module publishes in this process are the tables, unless it says `EVERY_FORMAT`.

    The other formats take as long as all else together; commands and whole loads in processes of their own write them.
    The report is written by the tests about it, and by commands.
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
    """A warehouse into which a clean delivery of either source was loaded; not to be touched, only to be copied."""
    settings = settings_in(tmp_path_factory.mktemp("once_loaded"))
    for source in ("police", "prosecution"):
        put(settings, source, files_of(source))
        load(settings, source)
    return settings


@pytest.fixture
def loaded(settings: Settings, once_loaded: Settings) -> Settings:
    """A warehouse with a clean delivery of either source, whose redelivery a test may try."""
    return copied(once_loaded, settings)


@pytest.fixture(scope="session")
def published_world(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Two small dirty years, published with small numbers withheld; not to be touched, only to be copied."""
    from reference.worlds import dirty_world
    from test_publishing import publish
    from warehouse import build

    def make(folder: Path) -> Settings:
        settings = settings_in(folder, suppress_below=5)
        dirty_world(settings.landing, seed=27, offences_per_year=400, years=(2023, 2024), dirt=0.002)
        build(settings)
        publish(settings)
        return settings

    return made_once(tmp_path_factory, "published_world", make)


@pytest.fixture(scope="session")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    """Two years, loaded undisturbed, and the same with the later one delivered again; not to be touched, only to be copied."""
    from kills import make_worlds
    from loads import Way

    return made_once(tmp_path_factory, "worlds", lambda folder: make_worlds(folder, Way(without_dagster=True)))
