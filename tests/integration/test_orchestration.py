"""What a person sees in Dagster: the graph, its years, the schedule, the sensor and retries."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import dagster as dg
import duckdb
import pytest
import yaml
from conftest import copied, settings_in
from reference.worlds import dirty_world

from dagster_project import paths
from dagster_project.contract import input_contract
from dagster_project.defs import automation, dead_runs
from dagster_project.defs.all_definitions import build_definitions
from dagster_project.defs.automation import LONGEST_WAIT, new_delivery, yearly_load
from dagster_project.defs.common import Places, one_writer
from dagster_project.defs.delivery_assets import EXPECTED_YEARS, REJECTED
from dagster_project.defs.instance import open_instance, prepare_instance_folder
from dagster_project.files import hold_writer_lock, no_other_writer, release_writer_lock
from dagster_project.ingestion.ingest import changed_folders, record_rejection
from dagster_project.ingestion.rejection import RejectedDeliveryError
from dagster_project.publications import YearsMissingError
from dagster_project.settings import REPOSITORY, Settings
from dagster_project.state import read_state
from dagster_project.transformation.dbt_project import data_test_checks, mart_tables

FLOW = ["deliveries", "raw", "staging", "intermediate", "dimensions", "figures", "marts", "published"]


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    return build_definitions(settings_in(tmp_path_factory.mktemp("definitions")))


def places(settings: Settings) -> Places:
    return Places(
        landing=str(settings.landing),
        home=str(settings.home),
        published=str(settings.published),
        suppress_below=settings.suppress_below,
    )


def test_the_graph_reads_as_the_flow(definitions: dg.Definitions) -> None:
    """Every arrow between groups points the way of the data, so that the graph can be drawn from left to right."""
    specs = {spec.key: spec for spec in definitions.resolve_all_asset_specs()}
    place = {group: number for number, group in enumerate(FLOW)}
    crossings = 0
    for spec in specs.values():
        for dependency in spec.deps:
            before, after = specs[dependency.asset_key].group_name, spec.group_name
            if before != after and before != "reference":
                crossings += 1
                assert place[str(before)] < place[str(after)], (dependency.asset_key, spec.key)
    assert crossings > 20
    assert {spec.group_name for spec in specs.values()} == {*FLOW, "reference"}
    assert all(spec.description for spec in specs.values())


def test_every_asset_has_an_owner_and_kinds_and_names_its_code(definitions: dg.Definitions) -> None:
    for spec in definitions.resolve_all_asset_specs():
        assert spec.owners == ["team:uppklarat"]
        assert spec.kinds, spec.key
        for reference in spec.metadata["dagster/code_references"].code_references:
            assert Path(reference.file_path).is_file()


def test_years_come_from_the_registry(definitions: dg.Definitions) -> None:
    specs = {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}
    for key in ("raw/police_offences", "raw/prosecution_decisions", "marts/fct_indicator_year"):
        partitions = specs[key].partitions_def
        assert partitions is not None
        keys = list(partitions.get_partition_keys())
        assert keys[0] == str(input_contract().first_year)
        assert keys[-1] == str(datetime.now().year - 1)


def test_every_check_is_described_and_an_expectation_blocks_as_declared(definitions: dg.Definitions) -> None:
    from expectations.suites import load_suites

    declared = {
        check.meta["name"]: check.severity == "critical" for suite in load_suites() for check in suite.expectations
    }
    graph = definitions.resolve_asset_graph()
    assert all(graph.get_check_spec(key).description for key in graph.asset_check_keys)
    checks = {key.name: graph.get_check_spec(key).blocking for key in graph.asset_check_keys}
    assert declared.items() <= checks.items()


def test_a_data_test_with_a_limit_is_a_check_of_its_model_that_blocks(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    marts = mart_tables()
    for (model, name), meta in data_test_checks().items():
        schema = "marts" if model in marts else "intermediate"
        check = graph.get_check_spec(dg.AssetCheckKey(dg.AssetKey([schema, model]), name))
        assert check.blocking
        assert check.description == f"Expected: {meta['limit']}. Why: {meta['reason']}."


def ask(settings: Settings, instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    """What the sensor asks for, put into the instance as runs that have not started."""
    output = new_delivery(dg.build_sensor_context(instance=instance, resources={"places": places(settings)}))
    requests = [output] if isinstance(output, dg.RunRequest) else []
    for request in requests:
        instance.add_run(dg.DagsterRun(job_name="load", tags=dict(request.tags)))
    return requests


def years_asked_for(requests: list[dg.RunRequest]) -> list[str]:
    return [
        f"{request.tags['dagster/asset_partition_range_start']}-{request.tags['dagster/asset_partition_range_end']}"
        for request in requests
    ]


def test_the_sensor_asks_once_for_each_state_of_a_complete_delivery(settings: Settings) -> None:
    settings.landing.mkdir()
    with dg.DagsterInstance.ephemeral() as instance:
        assert ask(settings, instance) == []
        dirty_world(settings.landing, seed=50, offences_per_year=50, years=(2022, 2023), dirt=0.0)
        manifest = settings.landing / "police" / "2023" / "manifest.json"
        manifest.rename(manifest.with_suffix(".part"))
        assert years_asked_for(ask(settings, instance)) == ["2022-2023"]
        assert ask(settings, instance) == []
        manifest.with_suffix(".part").rename(manifest)
        assert years_asked_for(ask(settings, instance)) == ["2023-2023"]
        assert ask(settings, instance) == []


def happens(instance: dg.DagsterInstance, run_id: str, event: dg.DagsterEventType) -> dg.DagsterRun:
    """Let something become of a run, as its process or the daemon would report it."""
    instance.report_dagster_event(dg.DagsterEvent(event.value, "load", message="it happens"), run_id)
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run


def newest_fails(instance: dg.DagsterInstance) -> None:
    happens(instance, instance.get_runs(limit=1)[0].run_id, dg.DagsterEventType.RUN_FAILURE)


@pytest.mark.parametrize("event", ["none", "STARTING", "START", "SUCCESS", "CANCELING", "CANCELED"])
def test_a_run_that_did_not_fail_is_not_asked_for_again(settings: Settings, event: str) -> None:
    dirty_world(settings.landing, seed=50, offences_per_year=50, years=(2022,), dirt=0.0)
    with dg.DagsterInstance.ephemeral() as instance:
        assert len(ask(settings, instance)) == 1
        if event != "none":
            happens(instance, instance.get_runs()[0].run_id, dg.DagsterEventType[f"RUN_{event}"])
        assert ask(settings, instance) == []


def test_a_run_that_failed_is_asked_for_again_after_a_time_that_grows(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    dirty_world(settings.landing, seed=50, offences_per_year=50, years=(2022,), dirt=0.0)
    later = 0.0
    now = time.time
    monkeypatch.setattr("dagster_project.defs.automation.time.time", lambda: now() + later)
    keys = set()
    with dg.DagsterInstance.ephemeral() as instance:
        for wait in (0, 60, 120, 240):
            later = wait - 20
            assert wait == 0 or ask(settings, instance) == []
            later = wait + 1
            (request,) = ask(settings, instance)
            keys.add(request.run_key)
            later = 0
            newest_fails(instance)
        # Dagster leaves out what has a key that it has seen.
        assert len(keys) == 4
        for _ in range(20):
            later = LONGEST_WAIT + 1
            assert len(ask(settings, instance)) == 1
            later = 0
            newest_fails(instance)


def test_a_run_whose_process_was_killed_is_asked_for_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    dirty_world(settings.landing, seed=50, offences_per_year=50, years=(2022,), dirt=0.0)
    now = time.time
    with dg.DagsterInstance.ephemeral() as instance:
        assert len(ask(settings, instance)) == 1
        run = happens(instance, instance.get_runs()[0].run_id, dg.DagsterEventType.RUN_START)
        instance.add_run_tags(run.run_id, {dead_runs.WRITER: "another host, process 7"})
        assert ask(settings, instance) == []
        monkeypatch.setattr("dagster_project.defs.automation.time.time", lambda: now() + 61)
        assert len(ask(settings, instance)) == 1
        assert instance.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.FAILURE  # type: ignore[union-attr]


def test_a_delivery_that_was_rejected_as_it_is_is_not_asked_for_again(settings: Settings) -> None:
    """Not even where the run failed for another reason, such as a blocked audit."""
    dirty_world(settings.landing, seed=50, offences_per_year=50, years=(2022,), dirt=0.0)
    settings.home.mkdir()
    for folder in changed_folders(read_state(settings)):
        record_rejection(settings, folder, "a reason")
    with dg.DagsterInstance.ephemeral() as instance:
        assert ask(settings, instance) == []
        manifest = settings.landing / "police" / "2022" / "manifest.json"
        manifest.touch()
        assert [set(request.tags) for request in ask(settings, instance)] == [
            {"dagster/asset_partition_range_start", "dagster/asset_partition_range_end", "uppklarat/police-2022"}
        ]


def test_what_the_schedule_asked_for_the_sensor_does_not(settings: Settings) -> None:
    dirty_world(settings.landing, seed=50, offences_per_year=50, years=(2022,), dirt=0.0)
    with dg.DagsterInstance.ephemeral() as instance:
        (request,) = tick(settings, instance).run_requests or []
        instance.add_run(dg.DagsterRun(job_name="load", tags=dict(request.tags)))
        assert ask(settings, instance) == []


def tick(settings: Settings, instance: dg.DagsterInstance, year: int = 2025) -> Any:
    """What the schedule says on its day in a year."""
    context = dg.build_schedule_context(
        instance=instance,
        resources={"places": places(settings)},
        scheduled_execution_time=datetime(year, 3, 1, 6, tzinfo=ZoneInfo("Europe/Stockholm")),
    )
    return yearly_load("0 6 1 3 *").evaluate_tick(context)


def error_of_tick(settings: Settings, instance: dg.DagsterInstance, year: int = 2025) -> BaseException | None:
    """What the schedule fails of on its day in a year."""
    with pytest.raises(dg.DagsterError) as caught:
        tick(settings, instance, year)
    return caught.value.__cause__


def test_the_schedule_is_settable_and_asks_for_what_is_new(settings: Settings) -> None:
    schedule = yearly_load("0 6 1 3 *")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 6 1 3 *", "Europe/Stockholm")
    dirty_world(settings.landing, seed=51, offences_per_year=50, years=(2022, 2024), dirt=0.0)
    with dg.DagsterInstance.ephemeral() as instance:
        (request,) = tick(settings, instance).run_requests or []
        assert request.tags["dagster/asset_partition_range_start"] == "2022"
        assert request.tags["dagster/asset_partition_range_end"] == "2024"
        assert request.run_config["ops"][EXPECTED_YEARS]["config"]["years"] == [2024]


def test_the_schedule_skips_only_where_readers_have_the_last_ended_year(
    tmp_path: Path, published_world: Settings
) -> None:
    settings = copied(published_world, settings_in(tmp_path, suppress_below=5))
    # Copied files are taken for new ones.
    shutil.rmtree(settings.landing)
    settings.landing.mkdir()
    with dg.DagsterInstance.ephemeral() as instance:
        assert isinstance(tick(settings, instance, 2025).skip_message, str)
        error = error_of_tick(settings, instance, 2026)
        assert isinstance(error, YearsMissingError)
        assert "2025 is not complete: no delivery of police or prosecution is loaded" in str(error)
        (settings.published / paths.CURRENT).unlink()
        assert "2024 is loaded, but not in the active publication" in str(error_of_tick(settings, instance, 2025))


def failed_steps(result: dg.ExecuteInProcessResult) -> list[str]:
    return [event.step_key for event in result.filter_events(lambda event: event.is_step_failure)]


def checks_of(result: dg.ExecuteInProcessResult) -> dict[tuple[str, str], dg.AssetCheckEvaluation]:
    return {(one.asset_key.to_user_string(), one.check_name): one for one in result.get_asset_check_evaluations()}


def test_a_run_of_the_schedule_fails_where_the_expected_year_did_not_arrive(settings: Settings) -> None:
    """And a rejected delivery is seen at its asset. What did arrive is published all the same."""
    dirty_world(settings.landing, seed=53, offences_per_year=60, years=(2022, 2023), dirt=0.0)
    (settings.landing / "police" / "2023" / "manifest.json").write_text("{}", encoding="utf-8")
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_definitions(settings).resolve_job_def("load")
        (request,) = tick(settings, instance, 2024).run_requests or []
        result = job.execute_in_process(
            instance=instance, tags=request.tags, run_config=request.run_config, raise_on_error=False
        )
        # A failure alert for runs sees it.
        assert sorted(failed_steps(result)) == sorted([EXPECTED_YEARS, REJECTED])
        checks = checks_of(result)
        accepted = checks["raw/police_offences", "delivery_accepted"]
        assert not accepted.passed
        assert "manifest.json" in str(accepted.metadata["rejected"].value)
        assert checks["raw/prosecution_decisions", "delivery_accepted"].passed
        (expected,) = (check for (_, name), check in checks.items() if name == EXPECTED_YEARS)
        assert not expected.passed
        assert "no delivery of police" in (expected.description or "")
    with duckdb.connect(str(settings.published / paths.CURRENT / "uppklarat.duckdb"), read_only=True) as connection:
        assert connection.execute("select year from marts.dim_year").fetchall() == [(2022,)]


@pytest.mark.parametrize(
    ("failure", "raised"),
    [
        (duckdb.IOException("Could not set lock on file"), dg.RetryRequested),
        (BlockingIOError("busy"), dg.RetryRequested),
        (RejectedDeliveryError("police/2024", "a problem", "A remedy"), dg.Failure),
        (ValueError("a mistake of ours"), ValueError),
    ],
)
def test_only_what_may_pass_is_tried_again(settings: Settings, failure: Exception, raised: type[Exception]) -> None:
    with dg.build_asset_context() as context, pytest.raises(raised) as caught, one_writer(context, settings):
        raise failure
    if isinstance(caught.value, dg.Failure):
        assert caught.value.allow_retries is False


def test_the_working_database_has_one_writer(definitions: dg.Definitions) -> None:
    """Whatever writes to the warehouse waits in the same pool, whose limit is one."""
    from dagster_project.defs.instance import CONFIGURATION

    assert "default_limit: 1" in CONFIGURATION.read_text(encoding="utf-8")
    pools = {node.name: node.pool for node in definitions.resolve_job_def("load").all_node_defs}  # type: ignore[attr-defined]
    assert {name for name, pool in pools.items() if pool is None} <= {REJECTED, EXPECTED_YEARS, "load"}


@contextmanager
def writing_elsewhere(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that is the writer of the warehouse."""
    settings.home.mkdir(exist_ok=True)
    lock = str(settings.home / paths.LOCK)
    hold = f"import fcntl, time; file = open({lock!r}, 'a'); fcntl.flock(file, 2); print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def started(instance: dg.DagsterInstance, since: float = 0.0, **tags: str) -> str:
    """A run that seems to run, since so many seconds; returns its id."""
    run = instance.add_run(dg.DagsterRun(job_name="load", tags=tags))
    with patch("time.time", return_value=time.time() - since):
        return happens(instance, run.run_id, dg.DagsterEventType.RUN_START).run_id


WAS_WRITER = {dead_runs.WRITER: "a container that is gone, process 7"}


def test_a_run_whose_process_was_killed_does_not_hold_up_the_queue(settings: Settings) -> None:
    """On whatever host it ran: the lock tells whether it lives."""
    lock = settings.home / paths.LOCK
    with dg.DagsterInstance.ephemeral() as instance:
        run = started(instance, **WAS_WRITER)
        with writing_elsewhere(settings) as writer:
            assert dead_runs.fail_dead_runs(instance, lock) == []
            writer.kill()
            writer.wait()
            assert dead_runs.fail_dead_runs(instance, lock) == [run]
        assert dead_runs.fail_dead_runs(instance, lock) == []
        dead = instance.get_run_by_id(run)
        assert dead is not None and dead.status is dg.DagsterRunStatus.FAILURE


def test_a_run_that_never_became_the_writer_is_given_time(settings: Settings) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        just_begun = started(instance)
        long_ago = started(instance, since=dead_runs.SECONDS_TO_FIRST_STEP + 60)
        with writing_elsewhere(settings):
            # It may be waiting for that one.
            assert dead_runs.fail_dead_runs(instance, settings.home / paths.LOCK) == []
        assert dead_runs.fail_dead_runs(instance, settings.home / paths.LOCK) == [long_ago]
        assert instance.get_run_by_id(just_begun).status is dg.DagsterRunStatus.STARTED  # type: ignore[union-attr]


def test_a_run_that_ends_while_it_is_looked_at_is_not_dead(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        run_id = started(instance, **WAS_WRITER)

        def ends(_: Path) -> bool:
            instance.report_run_canceled(instance.get_run_by_id(run_id))  # type: ignore[arg-type]
            return True

        monkeypatch.setattr(dead_runs, "no_other_writer", ends)
        assert dead_runs.fail_dead_runs(instance, settings.home / paths.LOCK) == []
        assert instance.get_run_by_id(run_id).status is dg.DagsterRunStatus.CANCELED  # type: ignore[union-attr]


def test_the_writer_itself_sees_who_is_dead(settings: Settings) -> None:
    """A load from the command line holds the lock when it looks."""
    lock = settings.home / paths.LOCK
    with dg.DagsterInstance.ephemeral() as instance:
        run = started(instance, **WAS_WRITER)
        hold_writer_lock(lock, print)
        try:
            assert dead_runs.fail_dead_runs(instance, lock) == [run]
        finally:
            release_writer_lock(lock)


def test_looking_whether_somebody_writes_leaves_the_lock_alone(settings: Settings) -> None:
    lock = settings.home / paths.LOCK
    assert no_other_writer(lock)
    assert not lock.exists()
    with writing_elsewhere(settings):
        assert not no_other_writer(lock)
    assert no_other_writer(lock)
    with writing_elsewhere(settings):
        pass


def test_a_run_is_tagged_when_it_has_become_the_writer(settings: Settings) -> None:
    """Not before: while it waits for the lock it lives, though another process writes."""
    with dg.DagsterInstance.ephemeral() as instance:
        run = instance.add_run(dg.DagsterRun(job_name="load", status=dg.DagsterRunStatus.STARTED))
        tagged_while_waiting = []

        def note(text: str) -> None:
            tagged_while_waiting.append(dead_runs.WRITER in instance.get_run_by_id(run.run_id).tags)  # type: ignore[union-attr]
            writer.kill()

        context: Any = SimpleNamespace(
            instance=instance,
            log=SimpleNamespace(warning=note),
            op_execution_context=SimpleNamespace(run_id=run.run_id),
        )
        with writing_elsewhere(settings) as writer, one_writer(context, settings):
            pass
        assert tagged_while_waiting == [False]
        assert dead_runs.WRITER in instance.get_run_by_id(run.run_id).tags  # type: ignore[union-attr]
        release_writer_lock(settings.home / paths.LOCK)


def test_those_that_never_started_are_left_to_dagster(settings: Settings) -> None:
    """Its run monitoring ends them; it does nothing unless it is turned on."""
    prepared = prepare_instance_folder(settings) / "dagster.yaml"
    monitoring = yaml.safe_load(prepared.read_text(encoding="utf-8"))["run_monitoring"]
    assert monitoring["enabled"] is True
    assert 0 < monitoring["start_timeout_seconds"] <= 300 and 0 < monitoring["cancel_timeout_seconds"] <= 300
    with dg.DagsterInstance.from_config(str(prepared.parent)) as instance:
        assert instance.run_monitoring_enabled
        assert instance.run_monitoring_start_timeout_seconds == monitoring["start_timeout_seconds"]


def test_the_queue_is_freed_without_anybody_turning_it_on(definitions: dg.Definitions) -> None:
    sensors = {sensor.name: sensor.default_status for sensor in definitions.sensors or []}  # type: ignore[union-attr]
    assert sensors["dead_runs"] is dg.DefaultSensorStatus.RUNNING
    assert sensors["new_delivery"] is dg.DefaultSensorStatus.STOPPED


def test_the_sensor_asks_for_an_official_file_too(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    (settings.landing / "official").mkdir(parents=True)
    (settings.landing / "official" / "300Rn03-2019.xls").write_text("a file", encoding="utf-8")
    with dg.DagsterInstance.ephemeral() as instance:
        (request,) = ask(settings, instance)
        assert years_asked_for([request]) == ["2019-2019"]
        assert "uppklarat/official-Rn03-2019" in request.tags
        assert request.run_config["ops"]["ingest_official"]["config"]["years"] == [2019]
        assert ask(settings, instance) == []


def test_the_sensor_that_frees_the_queue(settings: Settings) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance, resources={"places": places(settings)})
        run = started(instance, **WAS_WRITER)
        assert [run in (automation.dead_runs(context).skip_message or "") for _ in range(2)] == [True, False]


def test_telemetry_is_off() -> None:
    from dagster_project.defs.instance import CONFIGURATION

    assert "telemetry:\n  enabled: false" in CONFIGURATION.read_text(encoding="utf-8")
    assert "send_anonymous_usage_stats: false" in (REPOSITORY / "dbt" / "dbt_project.yml").read_text(encoding="utf-8")


def test_no_private_module_of_dagster_is_used() -> None:
    private = re.compile(r"\b(?:from|import) (?:dagster|dagster_dbt)(?:\.\w+)*\._\w+|\bdagster\w*\._")
    product = REPOSITORY / "dagster_project"
    found = [path.name for path in product.rglob("*.py") if private.search(path.read_text(encoding="utf-8"))]
    assert found == []


def test_the_instance_keeps_its_records_in_the_stock_storage(settings: Settings) -> None:
    configuration = yaml.safe_load((prepare_instance_folder(settings) / "dagster.yaml").read_text(encoding="utf-8"))
    assert "storage" not in configuration
    with open_instance(settings) as instance:
        instance.add_run(dg.DagsterRun(job_name="load"))
    assert (settings.home / paths.DAGSTER_HOME / "history" / "runs.db").exists()
