"""Runs the dbt project in this process, with the manifest parsed for this version of the project."""

from __future__ import annotations

import fcntl
import gc
import json
import logging
import os
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import yaml

from dagster_project import paths
from dagster_project.files import private_folder, read_json, scratch_folder, write_json
from dagster_project.memory import duckdb_memory
from dagster_project.settings import DBT_PROJECT, Settings
from dagster_project.versions import transformation_version

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

logger = logging.getLogger("uppklarat")

_MANIFEST = "manifest.json"
_PARTIAL_PARSE = "partial_parse.msgpack"
# The dbt artifacts in use; the last is read by semantic layers.
_KEPT = (_MANIFEST, _PARTIAL_PARSE, "semantic_manifest.json")


class TransformationFailedError(Exception):
    """The dbt build failed; the message names the nodes, never data."""


@dataclass(frozen=True)
class NodeResult:
    """The result of a dbt node: `status` is success, pass, warn, fail, error or skipped; `failures` counts failing rows.

    `tested_model` is the model of a data test, whose `name` is that of the check.
    """

    unique_id: str
    name: str
    schema: str
    tested_model: str | None
    status: str
    seconds: float
    failures: int
    message: str

    @property
    def is_broken(self) -> bool:
        """Whether dbt could not build or run it."""
        return self.status in ("error", "runtime error", "skipped")


@dataclass(frozen=True)
class MartDeclaration:
    """A published table: its description, (type, description) of each column by name, and its key."""

    description: str
    columns: Mapping[str, tuple[str, str]]
    key: tuple[str, ...]


def prepare_manifest() -> Path:
    """The parsed project's manifest; parses the project first unless this version is already parsed.

    It is stored in the private warehouse, because the folder of installed code may be read-only.
    """
    home = Settings.from_environment().home
    folder = home / paths.PARSED / transformation_version()
    if not folder.exists():
        private_folder(home)
        folder.parent.mkdir(exist_ok=True)
        with (folder.parent / "lock").open("w") as lock:
            # The web page's processes and a load may start at the same time.
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                _parse(folder)
    return folder / _MANIFEST


def _parse(folder: Path) -> None:
    began = time.monotonic()
    for earlier in folder.parent.iterdir():
        if earlier.is_dir():
            shutil.rmtree(earlier)
    with scratch_folder(folder.parent) as scratch:
        target = scratch / "target"
        _invoke(["parse", "--no-partial-parse", "--log-path", str(scratch), *_path_options(target)], manifest=None)
        (scratch / "kept").mkdir()
        for name in _KEPT:
            (target / name).rename(scratch / "kept" / name)
        (scratch / "kept").rename(folder)
    logger.info("parsed the dbt project, once per version of it: %.0f s", time.monotonic() - began)


@cache
def data_tests() -> Mapping[tuple[str, str], Mapping[str, Any]]:
    """The `meta` of the declared data tests of the models, by (model, test).

    A test whose `meta` has a `limit` is a check like an expectation: see `data_test_checks`.
    """
    nodes = json.loads(prepare_manifest().read_text(encoding="utf-8"))["nodes"].values()
    return {
        model_and_check(node["name"], node.get("attached_node")): node["config"]["meta"]
        for node in nodes
        if node["resource_type"] == "test" and not (node.get("attached_node") or "").startswith("seed.")
    }


@cache
def data_test_checks() -> Mapping[tuple[str, str], Mapping[str, Any]]:
    """The data tests that are checks of their model's suite, by (model, check).

    Their `meta` has `owner`, `limit` and `reason`, like an expectation's, and `evaluates_an_empty_table` if that applies. A failure
    blocks publishing.
    """
    return {key: meta for key, meta in data_tests().items() if "limit" in meta}


def model_and_check(test: str, attached_node: str | None) -> tuple[str, str]:
    """A generic test is attached to its model; a singular one is the file `<model>__<check>.sql`."""
    if attached_node:
        return attached_node.rpartition(".")[2], test
    model, _, check = test.partition("__")
    return model, check


def store_data_tests(settings: Settings, results: Iterable[NodeResult]) -> None:
    """Store the results of a build's data tests for the audit."""
    write_json(settings.home / paths.DATA_TESTS, [asdict(result) for result in results if result.tested_model])


def read_data_tests(settings: Settings) -> list[NodeResult]:
    """The results of the data tests of the latest build."""
    return [NodeResult(**result) for result in read_json(settings.home / paths.DATA_TESTS, [])]


@cache
def mart_tables() -> tuple[str, ...]:
    """Names of the published tables that are models."""
    nodes = json.loads(prepare_manifest().read_text(encoding="utf-8"))["nodes"].values()
    return tuple(
        sorted(node["name"] for node in nodes if node["resource_type"] == "model" and node["schema"] == "marts")
    )


@cache
def described_tables() -> tuple[str, ...]:
    """Names of the published tables about the publication itself, which the publisher writes."""
    return tuple(sorted(source["name"] for source in _described()))


def _described() -> list[dict[str, Any]]:
    sources = json.loads(prepare_manifest().read_text(encoding="utf-8"))["sources"].values()
    return [source for source in sources if source["source_name"] == "published"]


@cache
def kept_tables() -> tuple[str, ...]:
    """Names of the published tables whose rows of purged years are kept; the dbt project reads them as sources."""
    sources = json.loads(prepare_manifest().read_text(encoding="utf-8"))["sources"].values()
    kept = {source["name"].removeprefix("kept_") for source in sources if source["name"].startswith("kept_")}
    return tuple(table for table in mart_tables() if table in kept)


@cache
def mart_keys() -> Mapping[str, tuple[str, ...]]:
    """The key columns of each published table."""
    return {name: declared.key for name, declared in mart_declarations().items()}


@cache
def variable(name: str) -> Any:
    """The value of a variable of the dbt project."""
    return yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"][name]


@cache
def mart_declarations() -> Mapping[str, MartDeclaration]:
    """The dbt project's declarations of the published tables, by name."""
    nodes = json.loads(prepare_manifest().read_text(encoding="utf-8"))["nodes"].values()
    keys = {
        node["attached_node"]: tuple(node["test_metadata"]["kwargs"]["columns"])
        for node in nodes
        if node["resource_type"] == "test" and (node.get("test_metadata") or {}).get("name") == "unique_combination"
    }
    return {
        node["name"]: MartDeclaration(
            " ".join(node["description"].split()),
            {
                name: (column["data_type"], " ".join(column["description"].split()))
                for name, column in node["columns"].items()
            },
            keys[node["unique_id"]] if node["resource_type"] == "model" else tuple(node["config"]["meta"]["key"]),
        )
        for node in (*nodes, *_described())
        if node["resource_type"] in ("model", "source") and node["schema"] == "marts"
    }


def run_dbt(settings: Settings, arguments: Sequence[str]) -> list[NodeResult]:
    """Run a dbt command on the working database and return the result of every node.

    Raises `TransformationFailedError` when a model could not be built. Failing data tests are results, not errors, and so are checks
    that dbt could not run.
    """
    scratch = settings.home / paths.SCRATCH
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    scratch.mkdir(parents=True, exist_ok=True)
    os.environ["UPPKLARAT_WAREHOUSE_FILE"] = str(settings.home / paths.WAREHOUSE)
    os.environ["UPPKLARAT_SCRATCH"] = str(scratch)
    os.environ["UPPKLARAT_DUCKDB_MEMORY"] = duckdb_memory(settings)
    # Keeps compiled models out of the code folder.
    with TemporaryDirectory(dir=scratch) as target:
        try:
            outcome = invoke_parsed(
                [*arguments, "--log-path", str(settings.home / paths.DBT_LOGS), *_path_options(Path(target))]
            )
        finally:
            DuckDBConnectionManager.close_all_connections()
    results = [
        _node_result(result)
        for result in getattr(outcome.result, "results", [])
        # dbt lists exposures but does not build them.
        if result.node.resource_type != "exposure"
    ]
    if any(result.is_broken for result in results):
        # An error's traceback references a cursor, which keeps the database open until it is garbage-collected.
        gc.collect()
    broken = [
        result
        for result in results
        # The audit reports a check that could not be evaluated as failed.
        if result.is_broken and (result.tested_model, result.name) not in data_test_checks()
    ]
    if broken or (outcome.exception and not results):
        names = ", ".join(result.unique_id for result in broken if result.status != "skipped") or "before any node ran"
        # A full disk may also keep dbt from logging. Other messages are not repeated, since they may contain data.
        full = "the disk is full: " if any("No space left" in result.message for result in broken) else ""
        raise TransformationFailedError(f"{full}dbt could not build {names}; see {settings.home / 'logs' / 'dbt.log'}")
    return results


def _node_result(result: Any) -> NodeResult:
    node = result.node
    tested_model, name = None, node.name
    if node.resource_type == "test":
        tested_model, name = model_and_check(node.name, getattr(node, "attached_node", None))
    return NodeResult(
        unique_id=node.unique_id,
        name=name,
        schema=node.schema,
        tested_model=tested_model,
        status=str(result.status),
        seconds=result.execution_time,
        failures=result.failures or 0,
        message=result.message or "",
    )


def invoke_parsed(arguments: Sequence[str]) -> Any:
    """Run a dbt command on the parsed project without console output; return dbt's result."""
    parsed = prepare_manifest().with_name(_PARTIAL_PARSE).read_bytes()
    from dbt.contracts.graph.manifest import Manifest

    return _invoke(arguments, Manifest.from_msgpack(parsed))


def _path_options(target: Path) -> list[str]:
    return ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT), "--target-path", str(target)]


def _invoke(arguments: Sequence[str], manifest: Manifest | None) -> Any:
    from dbt.cli.main import dbtRunner

    # A failing data test does not stop the build, so that the audit receives all results.
    os.environ["UPPKLARAT_DATA_TESTS"] = "warn"
    # A log that cannot be written must not hide the error behind its own tracebacks.
    logging.raiseExceptions = False
    quiet = (
        ["--log-level", "none", "--log-level-file", "info", "--no-use-colors", "--no-write-json"]
        if manifest
        else ["--log-level", "warn"]
    )
    outcome = dbtRunner(manifest=manifest).invoke([*arguments, *quiet])
    if manifest is None and not outcome.success:
        raise TransformationFailedError(f"dbt could not parse the project: {outcome.exception}")
    return outcome


if __name__ == "__main__":
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    prepare_manifest()
