"""Killed at any moment, without disk, without permission, with another clock: a load harms nothing, and the next one finishes."""

from __future__ import annotations

import json
import resource
import shutil
import signal
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import copied, settings_in
from crowd import deliver_again
from kills import Worlds, as_before
from loads import Ended, Stop, Way, broken_promises, content, faults_after, leftovers, run

from dagster_project import paths
from dagster_project.defs.instance import open_instance
from dagster_project.ingestion.ingest import changed_folders, ingest
from dagster_project.publications import active_publication, publications
from dagster_project.settings import Settings
from dagster_project.state import read_state

# Every moment at which what lies on disk changes its meaning, in the order of a load.
STAGES = {
    "a delivery is judged, not stored": Stop("rename", "*/raw/police/2024/*"),
    "it is stored, not active": Stop("rename", "*/ledger.json"),
    "it is active, not in the index": Stop("rename", "*/landing_index.json"),
    "one delivery is taken in, another is not": Stop("rename", "*/ledger.json", 2),
    "the build has begun": Stop("call", "dagster_project.transformation.build.run_dbt"),
    "half of the models are built": Stop("call", "dbt.task.run.ModelRunner.execute", 14),
    "all is built, not noted": Stop("call", "dagster_project.transformation.build.record_build_ended"),
    "the build is noted, its tests are not": Stop("rename", "*/data_tests.json"),
    "the audit is done, not kept": Stop("rename", "*/results.json"),
    "half of the draft is written": Stop("call", "dagster_project.publication.draft._copy_comments", 6),
    "the draft is read back, not described": Stop("rename", "*/draft.json"),
    "the draft is complete, not sealed": Stop("rename", "*/.draft/manifest.json"),
    "the draft is sealed, not named": Stop("rename", "*/published/2*"),
    "it is named, not pointed to": Stop("link", "*/.current"),
    "the new pointer waits beside the old": Stop("rename", "*/published/current"),
}
# All stages one after the other would hide what each leaves; one load to the end after each takes too long. The first chain is of
# the moments in which most is at stake.
CHAINS = 3
YEAR = timedelta(days=365)
QUICK = Way(without_dagster=True)


@pytest.fixture(scope="module")
def expected(worlds: Worlds) -> dict[str, list[tuple[Any, ...]]]:
    """The content after an undisturbed load of what was delivered again."""
    return content(worlds.second)


@pytest.fixture
def redelivered(worlds: Worlds, tmp_path: Path) -> Settings:
    """A warehouse that published, with a year delivered again and not loaded yet."""
    return as_before(tmp_path, worlds, redelivery=True)


def assert_stands(settings: Settings, worlds: Worlds) -> None:
    """Readers have what they had, whole."""
    assert broken_promises(settings) == []
    assert active_publication(settings) == active_publication(worlds.first)


def assert_said_clearly(ended: Ended) -> None:
    """A failure says what it is, in words."""
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    last = [line for line in ended.stderr.splitlines() if line.startswith("uppklarat: ")]
    assert last, ended.stderr
    assert "nothing that was published has changed" in ended.stderr


@pytest.mark.parametrize("offset", [1, *(pytest.param(other, marks=pytest.mark.soak) for other in (0, 2))])
def test_killed_at_every_stage(
    redelivered: Settings, worlds: Worlds, expected: dict[str, list[tuple[Any, ...]]], offset: int
) -> None:
    """Each load is killed later than the one before, so it repairs what that one left, and gets further. The last may end."""
    left: list[str] = []
    for stage in list(STAGES)[offset::CHAINS]:
        killed = run(redelivered, replace(QUICK, dies_at=STAGES[stage]))
        assert killed.returncode == -signal.SIGKILL, (stage, killed.stderr)
        assert_stands(redelivered, worlds)
        left += leftovers(redelivered)
    # A search for leftovers would find them.
    assert any(".unfinished" in name for name in left)
    assert any("scratch" in name or ".draft" in name for name in left)
    assert faults_after(redelivered, expected, run(redelivered, QUICK)) == []


def test_killed_within_a_run_of_dagster(
    redelivered: Settings, worlds: Worlds, expected: dict[str, list[tuple[Any, ...]]]
) -> None:
    killed = run(redelivered, Way(dies_at=STAGES["half of the draft is written"]))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert_stands(redelivered, worlds)
    assert faults_after(redelivered, expected, run(redelivered)) == []
    with open_instance(redelivered) as instance:
        assert sorted(one.status.value for one in instance.get_runs()) == ["FAILURE", "SUCCESS"]


def test_a_full_disk(redelivered: Settings, worlds: Worlds, expected: dict[str, list[tuple[Any, ...]]]) -> None:
    """What could not be written is not taken for written, and the next load does it."""
    for largest_file in (256, 786_432):
        assert_said_clearly(run(redelivered, replace(QUICK, largest_file=largest_file)))
        assert_stands(redelivered, worlds)
    assert faults_after(redelivered, expected, run(redelivered, QUICK)) == []


def test_a_full_disk_is_not_the_suppliers_fault(worlds: Worlds, settings: Settings) -> None:
    shutil.copytree(worlds.first.landing, settings.landing)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, before[1]))
    try:
        for folder in changed_folders(read_state(settings)):
            with pytest.raises(OSError, match="File too large"):
                ingest(folder, settings)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_permissions_taken_away(
    redelivered: Settings, worlds: Worlds, expected: dict[str, list[tuple[Any, ...]]]
) -> None:
    places = {
        "home": redelivered.home,
        "raw": redelivered.home / paths.RAW_STORE,
        "published": redelivered.published,
    }
    for place, folder in places.items():
        before = {path: path.stat().st_mode for path in (folder, *folder.rglob("*")) if path.is_dir()}
        for path in reversed(before):
            path.chmod(0o555)
        try:
            ended = run(redelivered, replace(QUICK, as_root=False))
        finally:
            for path, mode in before.items():
                path.chmod(mode)
        assert_said_clearly(ended)
        assert "ermission" in ended.stderr, (place, ended.stderr)
        assert_stands(redelivered, worlds)
    assert faults_after(redelivered, expected, run(redelivered, QUICK)) == []


def test_the_clock_jumps(redelivered: Settings, worlds: Worlds, expected: dict[str, list[tuple[Any, ...]]]) -> None:
    """Between two loads and within one: the newest publication stays the one that was made last."""
    forth_and_back = replace(QUICK, clock=YEAR, clock_jumps_when_built=-2 * YEAR)
    assert faults_after(redelivered, expected, run(redelivered, forth_and_back)) == []
    assert len(publications(redelivered)) == 2
    deliver_again(redelivered, worlds, redelivered=False)
    assert faults_after(redelivered, content(worlds.first), run(redelivered, replace(QUICK, clock=-YEAR))) == []
    assert len(publications(redelivered)) == 3
    output = [
        json.loads((one.folder / "manifest.json").read_text())["published_at"] for one in publications(redelivered)
    ]
    assert output != sorted(output), "the clock did not jump"


def test_a_publication_that_was_not_pointed_to_is(worlds: Worlds, tmp_path: Path) -> None:
    """Unless somebody went back on purpose."""
    settings = settings_in(tmp_path)
    copied(worlds.first, settings)
    (first,) = publications(settings)
    later = settings.published / "29990101T000000Z"
    shutil.copytree(first.folder, later)
    assert run(settings, QUICK).returncode == 0
    assert active_publication(settings) == first.publication_id  # a copy under another name is no publication
    manifest = later / "manifest.json"
    manifest.chmod(0o644)
    manifest.write_text(manifest.read_text().replace(first.publication_id, later.name))
    assert active_publication(settings) == first.publication_id
    assert run(settings, QUICK).returncode == 0
    assert active_publication(settings) == later.name
    assert run(settings, Way(("publications", "--activate", first.publication_id))).returncode == 0
    assert run(settings, QUICK).returncode == 0
    assert active_publication(settings) == first.publication_id
