"""Whatever was delivered, redelivered, withdrawn and purged, and in which order: the marts equal a build from nothing."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from conftest import settings_in
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from reference import rules
from reference.worlds import dirty_world
from warehouse import build, deliver, differences, figures, marts, rows_by_key

from dagster_project import paths
from dagster_project.cli.purge import purge
from dagster_project.ingestion.ingest import changed_folders, ingest
from dagster_project.publication.draft import begin_draft, write_draft
from dagster_project.publications import next_publication_id, publish, seal
from dagster_project.quality.audit_basis import publication_basis
from dagster_project.settings import Settings
from dagster_project.state import read_state, withdraw
from dagster_project.transformation.dbt_project import mart_tables
from dagster_project.transformation.fingerprints import is_built

YEARS = (2022, 2023, 2024)
FOLDERS = [(source, year) for year in YEARS for source in ("police", "prosecution")]
VERSIONS = ("first", "second", "fewer")

Step = tuple[str, str, int]
"""What happens: a version to deliver, `withdraw`, `load` or `purge`; to which source; and of which year."""

steps = st.one_of(
    st.tuples(st.sampled_from(VERSIONS), st.sampled_from(["police", "prosecution"]), st.sampled_from(YEARS)),
    st.tuples(st.just("withdraw"), st.sampled_from(["police", "prosecution"]), st.sampled_from(YEARS)),
    st.just(("load", "", 0)),
)
everything: list[Step] = [("first", source, year) for source, year in FOLDERS]
histories = st.builds(
    lambda begin, more, last: [*begin, *more, *last],
    st.permutations(everything),
    st.lists(steps, min_size=3, max_size=10),
    st.sampled_from([[], [("purge", "", 2023)], [("purge", "", 2024)]]).flatmap(
        lambda purged: st.lists(steps, max_size=4).map(lambda after: [*purged, *after])
    ),
)


@dataclass
class Ledger:
    """What must be active, kept as plainly as possible: the versions of each delivery, the active one last."""

    loaded: dict[tuple[str, int], list[str]] = field(default_factory=lambda: {folder: [] for folder in FOLDERS})
    withdrawn: set[tuple[str, str, int]] = field(default_factory=set)
    purged_before: int = 0

    def take(self, version: str, source: str, year: int) -> None:
        """A withdrawn delivery stays withdrawn; one that comes again is the latest."""
        if (version, source, year) not in self.withdrawn and year >= self.purged_before:
            self.loaded[source, year] = [*(one for one in self.loaded[source, year] if one != version), version]

    def withdraw(self, source: str, year: int) -> bool:
        if not self.loaded[source, year] or year < self.purged_before:
            return False
        self.withdrawn.add((self.loaded[source, year].pop(), source, year))
        return True


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Landing folders over the same years with other rows, one of them with fewer, one without reports, to deliver from."""
    made = {}
    for version, seed, offences in (("first", 31, 200), ("second", 32, 200), ("fewer", 31, 80)):
        made[version] = tmp_path_factory.mktemp(version)
        with_reports = version != "second"
        dirty_world(made[version], seed, offences, YEARS, dirt=0.02, with_reports=with_reports)
    return made


def publish_unaudited(warehouse: Settings) -> None:
    """A publication of the marts as they are, which is what a purge keeps figures from; the audit has tests of its own."""
    draft = warehouse.published / paths.DRAFT
    begin_draft(draft)
    write_draft(draft, mart_tables(), warehouse.home / paths.WAREHOUSE)
    years = [*read_state(warehouse).purged.years, *read_state(warehouse).complete_years]
    publication_id = next_publication_id(warehouse)
    basis = publication_basis(read_state(warehouse))
    seal(
        draft,
        {"publication_id": publication_id, "basis": basis, "years": years, "deliveries": []},
    )
    publish(warehouse, publication_id)


def live(history: list[Step], versions: dict[str, Path], warehouse: Settings) -> Ledger:
    """Let everything of a history happen to a warehouse; what cannot happen at that point is left out."""
    ledger = Ledger()
    for what, source, year in history:
        if what == "load":
            build(warehouse)
        elif what == "withdraw":
            if ledger.withdraw(source, year):
                withdraw(read_state(warehouse), source, year)
        elif what == "purge":
            build(warehouse)
            state = read_state(warehouse)
            waiting = {of_year for _, of_year in state.active} - set(state.complete_years)
            if not waiting and any(complete >= year for complete in state.complete_years):
                publish_unaudited(warehouse)
                purge(warehouse, year)
                ledger.purged_before = year
        else:
            deliver(versions[what], warehouse.landing, source, year)
            for folder in changed_folders(read_state(warehouse)):
                ingest(folder, warehouse)
            ledger.take(what, source, year)
    build(warehouse)
    return ledger


def assert_like_a_build_from_nothing(history: list[Step], versions: dict[str, Path]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        stepwise, at_once = settings_in(Path(folder) / "stepwise"), settings_in(Path(folder) / "at_once")
        ledger = live(history, versions, stepwise)
        for (source, year), loaded in ledger.loaded.items():
            if loaded and year >= ledger.purged_before:
                deliver(versions[loaded[-1]], at_once.landing, source, year)
        if ledger.purged_before:
            at_once.home.mkdir(parents=True)
            shutil.copytree(stepwise.home / paths.KEPT, at_once.home / paths.KEPT)
            shutil.copy(stepwise.home / paths.PURGED, at_once.home / paths.PURGED)
        build(at_once)
        assert marts(stepwise.home / paths.WAREHOUSE) == marts(at_once.home / paths.WAREHOUSE)
        assert is_built(read_state(stepwise))
        if not ledger.purged_before:
            expected = rules.as_published(rules.nonzero_counts(at_once.landing))
            assert differences(expected, figures(stepwise.home / paths.WAREHOUSE, "processed > 0")) == []
            cohorts = rows_by_key(stepwise.home / paths.WAREHOUSE, "fct_reported_year")
            assert differences(rules.expected_cohorts(at_once.landing), cohorts) == []


LOAD: Step = ("load", "", 0)


def test_a_history(versions: dict[str, Path]) -> None:
    withdrawn: Step = ("withdraw", "prosecution", 2023)
    assert_like_a_build_from_nothing([*everything, LOAD, ("second", "police", 2024), withdrawn], versions)


@pytest.mark.soak
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), database=None, print_blob=True)
@given(history=histories)
@example(history=[*everything, LOAD, ("withdraw", "prosecution", 2023), LOAD])
@example(history=[*everything, ("purge", "", 2023), ("second", "police", 2024), ("withdraw", "prosecution", 2023)])
def test_random_histories(versions: dict[str, Path], history: list[Step]) -> None:
    assert_like_a_build_from_nothing(history, versions)
