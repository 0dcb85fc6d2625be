"""What a person sees in Dagster: the graph, its years, the schedule, the sensor, retries; and that only it knows Dagster."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from conftest import settings_in
from reference.worlds import dirty_world

from dagster_project.contract import input_contract
from dagster_project.deliveries.rejection import RejectedDeliveryError
from dagster_project.orchestration import dead_runs
from dagster_project.orchestration.automation import new_delivery, yearly_load
from dagster_project.orchestration.build import build_definitions
from dagster_project.orchestration.common import Places, one_writer
from dagster_project.settings import REPOSITORY, Settings
from dagster_project.transform.dbt_project import prepare_manifest

FLOW = ["deliveries", "raw", "staging", "intermediate", "dimensions", "figures", "marts", "audit", "published"]


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    prepare_manifest()
    return build_definitions(settings_in(tmp_path_factory.mktemp("definitions")))


def places(settings: Settings) -> Places:
    return Places(
        landing=str(settings.landing),
        home=str(settings.home),
        published=str(settings.published),
        suppress_below=settings.suppress_below,
    )


def test_only_orchestration_imports_dagster() -> None:
    allowed = {REPOSITORY / "dagster_project" / "definitions.py"}
    modules = [
        path
        for folder in ("dagster_project", "expectations")
        for path in (REPOSITORY / folder).rglob("*.py")
        if "orchestration" not in path.parts and path not in allowed
    ]
    assert len(modules) > 20
    for path in modules:
        imported = {
            name.name if isinstance(node, ast.Import) else node.module or ""
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in node.names
        }
        assert not {name for name in imported if name.split(".")[0] in ("dagster", "dagster_dbt")}, path


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


def test_years_come_from_the_registry(definitions: dg.Definitions) -> None:
    specs = {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}
    for key in ("raw/police_offences", "raw/prosecution_decisions", "marts/fct_indicator_year"):
        partitions = specs[key].partitions_def
        assert partitions is not None
        keys = list(partitions.get_partition_keys())
        assert keys[0] == str(input_contract().first_year)
        assert keys[-1] == str(datetime.now().year)


def test_every_declared_expectation_is_a_check(definitions: dg.Definitions) -> None:
    from expectations.suite import load_suites

    declared = {one.name for suite in load_suites() for one in suite.expectations}
    checks = {key.name for key in definitions.resolve_asset_graph().asset_check_keys}
    assert declared <= checks


def test_the_sensor_asks_once_for_each_state_of_a_complete_delivery(settings: Settings) -> None:
    def evaluate(cursor: str | None) -> tuple[list[dg.RunRequest], str | None]:
        with dg.DagsterInstance.ephemeral() as instance:
            context = dg.build_sensor_context(instance=instance, cursor=cursor, resources={"places": places(settings)})
            said = new_delivery(context)
            if isinstance(said, dg.SkipReason):
                return [], cursor
            assert isinstance(said, dg.SensorResult)
            return list(said.run_requests or []), said.cursor

    assert evaluate(None) == ([], None)
    dirty_world(settings.landing, seed=50, offences_per_year=50, years=(2022, 2023), dirt=0.0)
    manifest = settings.landing / "police" / "2023" / "manifest.json"
    manifest.rename(manifest.with_suffix(".part"))

    requests, cursor = evaluate(None)
    (request,) = requests
    assert request.tags["dagster/asset_partition_range_start"] == "2022"
    assert request.tags["dagster/asset_partition_range_end"] == "2023"
    assert evaluate(cursor) == ([], cursor)

    manifest.with_suffix(".part").rename(manifest)
    requests, cursor = evaluate(cursor)
    assert [one.tags["dagster/asset_partition_range_start"] for one in requests] == ["2023"]
    assert evaluate(cursor) == ([], cursor)


def test_the_schedule_is_settable_and_skips_where_nothing_is_new(settings: Settings) -> None:
    schedule = yearly_load("0 6 1 3 *")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 6 1 3 *", "Europe/Stockholm")
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(instance=instance, resources={"places": places(settings)})
        assert isinstance(schedule.evaluate_tick(context).skip_message, str)
        dirty_world(settings.landing, seed=51, offences_per_year=50, years=(2022, 2024), dirt=0.0)
        (request,) = schedule.evaluate_tick(context).run_requests or []
        assert request.tags["dagster/asset_partition_range_start"] == "2022"
        assert request.tags["dagster/asset_partition_range_end"] == "2024"


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
    from dagster_project.orchestration.instance import CONFIGURATION

    assert "default_limit: 1" in CONFIGURATION.read_text(encoding="utf-8")
    pools = {node.name: node.pool for node in definitions.resolve_job_def("load").all_node_defs}  # type: ignore[attr-defined]
    assert {name for name, pool in pools.items() if pool is None} <= {"show_expectations", "load"}


def test_a_run_whose_process_was_killed_does_not_hold_up_the_queue() -> None:
    with dg.DagsterInstance.ephemeral() as instance, subprocess.Popen(["sleep", "60"]) as other:
        runs = {}
        for name, pid in (("lives", os.getpid()), ("dies", other.pid), ("is of another machine", 0)):
            run = dg.DagsterRun(job_name="load", status=dg.DagsterRunStatus.STARTED)
            runs[name] = instance.add_run(run).run_id
            process = dead_runs._process(pid) if pid else "elsewhere/1/1"
            instance.add_run_tags(runs[name], {dead_runs.PROCESS: process})
        assert dead_runs.fail_dead_runs(instance) == []
        other.kill()
        other.wait()
        assert dead_runs.fail_dead_runs(instance) == [runs["dies"]]
        assert dead_runs.fail_dead_runs(instance) == []
        dead = instance.get_run_by_id(runs["dies"])
        assert dead is not None and dead.status is dg.DagsterRunStatus.FAILURE


def test_telemetry_is_off() -> None:
    from dagster_project.orchestration.instance import CONFIGURATION

    assert "telemetry:\n  enabled: false" in CONFIGURATION.read_text(encoding="utf-8")
    assert "send_anonymous_usage_stats: false" in (REPOSITORY / "dbt" / "dbt_project.yml").read_text(encoding="utf-8")


def test_a_rejected_delivery_is_seen_at_its_asset_and_does_not_hold_up_the_others(
    settings: Settings, tmp_path: Path
) -> None:
    prepare_manifest()
    dirty_world(settings.landing, seed=52, offences_per_year=100, years=(2022, 2023), dirt=0.0)
    broken = settings.landing / "police" / "2023"
    shutil.copytree(broken, tmp_path / "whole")
    (broken / "manifest.json").write_text("{}", encoding="utf-8")
    with dg.DagsterInstance.ephemeral() as instance:
        result = (
            build_definitions(settings)
            .resolve_job_def("load")
            .execute_in_process(
                instance=instance,
                tags={"dagster/asset_partition_range_start": "2022", "dagster/asset_partition_range_end": "2023"},
            )
        )
        assert result.success
        checks = {(one.asset_key.to_user_string(), one.check_name): one for one in result.get_asset_check_evaluations()}
        accepted = checks["raw/police_offences", "delivery_accepted"]
        assert not accepted.passed
        assert "manifest.json" in str(accepted.metadata["rejected"].value)
        assert checks["raw/prosecution_decisions", "delivery_accepted"].passed
    assert settings.current.exists()
    with duckdb.connect(str(settings.current / "uppklarat.duckdb"), read_only=True) as connection:
        assert connection.execute("select year from marts.dim_year").fetchall() == [(2022,)]
