"""Many at once: a second writer waits and says for whom, no update is lost, and readers always get one whole publication."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from crowd import Reads, deliver_again, load_beside_backfill, mixed_reads, read_once, readers, two_loads
from kills import YEARS, Worlds, as_before, make_worlds
from loads import Way, content, faults_after, run

from dagster_project.files import hold_writer_lock, release_writer_lock
from dagster_project.publish.publications import active_publication, publications
from dagster_project.settings import Settings

QUICK = Way(without_dagster=True)


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    return make_worlds(tmp_path_factory.mktemp("worlds"), QUICK)


@pytest.fixture
def redelivered(worlds: Worlds, tmp_path: Path) -> Settings:
    return as_before(tmp_path, worlds, redelivery=True)


def test_two_loads_at_once(redelivered: Settings, worlds: Worlds) -> None:
    first, second = two_loads(redelivered, QUICK)
    assert first.returncode == 0, first.stderr
    assert faults_after(redelivered, content(worlds.second), second) == []
    assert len(publications(redelivered)) == 2
    assert "waiting" not in first.stderr
    assert re.search(r"another load \(uppklarat load, process \d+, since [\d: -]+\) is writing", second.stderr)
    assert f"the other load ended; it published {active_publication(redelivered)}" in second.stderr
    assert "nothing new" in second.stdout


def test_a_load_beside_a_backfill(redelivered: Settings, worlds: Worlds) -> None:
    load, backfill = load_beside_backfill(redelivered, YEARS, backfill_first=True)
    assert backfill == 0
    assert faults_after(redelivered, content(worlds.second), load) == []
    assert len(publications(redelivered)) == 2
    assert re.search(r"another load \(Dagster run [\w-]+, process \d+, since [\d: -]+\) is writing", load.stderr)


def test_readers_during_publications(redelivered: Settings, worlds: Worlds) -> None:
    with readers(redelivered, 4) as reads:
        assert run(redelivered, QUICK).returncode == 0
        deliver_again(redelivered, worlds, redelivered=False)
        assert run(redelivered, QUICK).returncode == 0
    assert reads.errors == {}
    assert mixed_reads(redelivered, reads) == []
    assert len({name for name, _ in reads.seen}) >= 2
    assert reads.reads > 30
    first, second, _ = publications(redelivered)
    mixed = (first.publication_id, read_once(second.folder, "database")[1])
    assert mixed_reads(redelivered, Reads(seen=Counter([mixed]))), "a mixed read would not be seen"


def test_the_lock_tells_who_holds_it(settings: Settings) -> None:
    hold_writer_lock(settings.lock, print, "a test")
    hold_writer_lock(settings.lock, pytest.fail)  # again is free
    assert re.fullmatch(r"a test, process \d+, since [\d: -]+", settings.lock.read_text(encoding="utf-8"))
    release_writer_lock(settings.lock)
    assert settings.lock.read_text(encoding="utf-8") == ""
