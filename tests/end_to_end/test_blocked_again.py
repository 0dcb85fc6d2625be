"""A load that the audit blocked blocks again, whatever happens between, until what it is about changes."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest
from conftest import copied, settings_in
from deliveries import YEAR, csv_file, files_of, put
from loads import Stop, Way, broken_promises, run
from reference.worlds import offence_row, prosecution_row
from test_orchestration import places

from dagster_project import paths
from dagster_project.cli import main as cli
from dagster_project.defs import publication_assets as publication_module
from dagster_project.defs.alerts import CHECK_FAILED
from dagster_project.defs.all_definitions import build_definitions
from dagster_project.defs.publication_assets import CURRENT, DRAFT, publication_assets
from dagster_project.defs.quality_checks import MAY_BE_PUBLISHED, VALIDATE, VALIDATE_DELIVERIES
from dagster_project.files import release_writer_lock
from dagster_project.publication.release import PublishingBlockedError
from dagster_project.publications import active_publication, publications
from dagster_project.quality.audit import Audit
from dagster_project.settings import Settings
from dagster_project.transformation.dbt_project import run_dbt
from expectations.results import CheckResult
from expectations.suites import load_suites

QUICK = Way(without_dagster=True)
# Decisions on offences that no extract holds, among those of a small year: far more than the gate lets pass.
ORPHANS = {
    "decisions.csv": csv_file("prosecution", "decisions", [prosecution_row(number) for number in (1, 2, 701, 702)])
}
UNUSABLE = "unusable_field.unusable_values_within_limit"
GATE = "int_delivery_balance.quarantine_within_limit"


@pytest.fixture(scope="module")
def blocked_once(published_world: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A warehouse with one publication, whose next load was blocked by the gate."""
    settings = copied(published_world, settings_in(tmp_path_factory.mktemp("blocked"), suppress_below=5))
    put(settings, "police", files_of("police"))
    put(settings, "prosecution", ORPHANS)
    assert_blocked(settings, run(settings, QUICK).returncode)
    return settings


@pytest.fixture
def blocked(blocked_once: Settings, tmp_path: Path) -> Settings:
    return copied(blocked_once, settings_in(tmp_path, suppress_below=5))


def assert_blocked(settings: Settings, returncode: int) -> None:
    assert returncode == cli.BLOCKED
    (only,) = publications(settings)
    assert active_publication(settings) == only.publication_id
    assert YEAR not in only.manifest["years"]
    assert broken_promises(settings) == []


def status(settings: Settings) -> None:
    ended = run(settings, Way(("status",)))
    assert ended.returncode == 0
    assert GATE in ended.stdout


def killed_while_building(settings: Settings) -> None:
    dies = Stop("call", "dbt.task.run.ModelRunner.execute", 14)
    assert run(settings, replace(QUICK, dies_at=dies)).returncode == -signal.SIGKILL


def killed_before_the_tests_are_kept(settings: Settings) -> None:
    assert run(settings, replace(QUICK, dies_at=Stop("rename", "*/data_tests.json"))).returncode == -signal.SIGKILL


def killed_before_the_audit_is_kept(settings: Settings) -> None:
    assert run(settings, replace(QUICK, dies_at=Stop("rename", "*/results.json"))).returncode == -signal.SIGKILL


def the_working_database_is_lost(settings: Settings) -> None:
    (settings.home / paths.WAREHOUSE).unlink()


def the_index_and_the_audit_are_lost(settings: Settings) -> None:
    for path in (
        settings.home / paths.LANDING_INDEX,
        settings.home / paths.AUDIT_RESULTS,
        settings.home / paths.DATA_TESTS,
    ):
        path.unlink()


def a_draft_is_left(settings: Settings) -> None:
    (settings.published / paths.DRAFT).mkdir()
    (settings.published / paths.DRAFT / "manifest.json").write_text("{}", encoding="utf-8")


def only_other_years(settings: Settings) -> None:
    assert_blocked(settings, run(settings, replace(QUICK, arguments=("load", "--years", "2023"))).returncode)


def a_run_of_dagster(settings: Settings) -> None:
    """As the web page starts one, over the years that wait; and then only what publishes, as if the rest were done."""
    years = {"dagster/asset_partition_range_start": "2023", "dagster/asset_partition_range_end": "2024"}
    (draft,) = (one for one in publication_assets() if DRAFT in one.keys)
    (current,) = (one for one in publication_assets() if CURRENT in one.keys)
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_definitions(settings).resolve_job_def("load")
        try:
            results = [job.execute_in_process(instance=instance, tags=years, raise_on_error=False)]
            for asset in (draft, current):
                resources = {"places": places(settings)}
                results.append(dg.materialize([asset], instance=instance, resources=resources, raise_on_error=False))
        finally:
            # A run keeps it until its process ends.
            release_writer_lock(settings.home / paths.LOCK)
    assert [result.success for result in results] == [False, False, False]


def loaded_through_dagster(settings: Settings) -> None:
    assert_blocked(settings, run(settings).returncode)


def dbt_by_hand(settings: Settings) -> None:
    run_dbt(settings, ["run", "--select", "int_quarantined_decision"])


USUAL = [status, the_index_and_the_audit_are_lost]
UNUSUAL = [
    a_run_of_dagster,
    dbt_by_hand,
    loaded_through_dagster,
    killed_while_building,
    killed_before_the_tests_are_kept,
    killed_before_the_audit_is_kept,
    the_working_database_is_lost,
    a_draft_is_left,
    only_other_years,
]


@pytest.mark.parametrize("between", [USUAL, pytest.param(UNUSUAL, marks=pytest.mark.soak)], ids=["usual", "unusual"])
def test_the_same_load_blocks_again_and_again(blocked: Settings, between: list[Callable[[Settings], None]]) -> None:
    """Each load is a process of its own."""
    for happens in between:
        happens(blocked)
        ended = run(blocked, QUICK)
        assert_blocked(blocked, ended.returncode)
        assert GATE in ended.stderr, happens


def run_of_dagster(settings: Settings) -> tuple[list[str], set[str], dict[str, dg.AssetCheckEvaluation]]:
    """The steps that failed, those that started, and the results of checks by name."""
    years = {"dagster/asset_partition_range_start": "2023", "dagster/asset_partition_range_end": "2024"}
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_definitions(settings).resolve_job_def("load")
        try:
            result = job.execute_in_process(instance=instance, tags=years, raise_on_error=False)
        finally:
            release_writer_lock(settings.home / paths.LOCK)
    failed = [event.step_key for event in result.filter_events(lambda event: event.is_step_failure)]
    started = {event.step_key for event in result.filter_events(lambda event: event.is_step_start)}
    return failed, started, {check.check_name: check for check in result.get_asset_check_evaluations()}


def test_a_blocking_check_stops_what_is_downstream_by_the_rule_of_dagster(blocked: Settings) -> None:
    failed, started, checks = run_of_dagster(blocked)
    assert failed == [VALIDATE]
    assert not started & {"draft", "current", "published__postgres"}
    gate = checks[GATE.split(".")[1]]
    assert gate.blocking and not gate.passed
    assert checks[MAY_BE_PUBLISHED].blocking and not checks[MAY_BE_PUBLISHED].passed
    assert checks[MAY_BE_PUBLISHED].metadata["blocking"].value == [GATE]


def test_a_blocking_check_of_a_delivery_stops_dbt(blocked: Settings) -> None:
    """Nothing is derived from the delivery, and the reason is shown."""
    rows = [offence_row(number, kommunkod="180" if number <= 20 else "0180") for number in range(1, 101)]
    put(blocked, "police", {**files_of("police"), "offences.csv": csv_file("police", "offences", rows)})
    ended = run(blocked, QUICK)
    assert_blocked(blocked, ended.returncode)
    assert UNUSABLE in ended.stdout + ended.stderr
    failed, started, checks = run_of_dagster(blocked)
    assert failed == [VALIDATE_DELIVERIES]
    assert not started & {"transform", VALIDATE, "draft", "current", "published__postgres"}
    check = checks[UNUSABLE.split(".")[1]]
    assert check.blocking and not check.passed
    assert UNUSABLE in run(blocked, Way(("status",))).stdout


def test_checks_of_the_draft_block_as_their_suite_declares() -> None:
    (suite,) = load_suites("published")
    declared = {check.meta["name"]: check.severity == "critical" for check in suite.expectations}
    (draft,) = (assets for assets in publication_assets() if DRAFT in assets.keys)
    assert {spec.name: spec.blocking for spec in draft.check_specs} == declared
    assert any(declared.values())


def test_a_check_that_blocks_the_draft_is_reported_in_its_step(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (suite,) = load_suites("published")
    name = suite.expectations[0].meta["name"]
    failing = CheckResult(
        name=name, suite=suite.name, layer="published", asset="current", severity="block", owner="us",
        reason="because", result="failed", observed="1 row", limit="0 rows", rows=1,
    )  # fmt: skip

    def blocks(_: Settings) -> None:
        raise PublishingBlockedError([failing])

    monkeypatch.setattr(publication_module, "make_draft", blocks)
    monkeypatch.setattr(publication_module, "read_audit", lambda _: Audit("basis", (failing,)))
    (draft,) = (assets for assets in publication_assets() if DRAFT in assets.keys)
    with dg.DagsterInstance.ephemeral() as instance:
        try:
            result = dg.materialize(
                [draft], instance=instance, resources={"places": places(settings)}, raise_on_error=False
            )
        finally:
            release_writer_lock(settings.home / paths.LOCK)
    (check,) = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed, check.blocking) == (name, False, True)
    (failed,) = result.filter_events(lambda event: event.is_step_failure)
    assert failed.step_failure_data.error.cls_name == CHECK_FAILED
