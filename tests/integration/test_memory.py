"""The limit of memory: how it is set, and what does not fit spills to disk."""

from __future__ import annotations

import contextlib
from pathlib import Path
from threading import Event, Thread

import duckdb
import pytest
from deliveries import Outcome, outcome
from pydantic import SecretStr

from dagster_project import paths
from dagster_project.ingestion import ingest as ingest_module
from dagster_project.ingestion.ingest import changed_folders, ingest
from dagster_project.memory import duckdb_limits, duckdb_memory
from dagster_project.sample import write_sample
from dagster_project.settings import Settings
from dagster_project.state import read_state
from dagster_project.transformation import dbt_project
from dagster_project.transformation.build import build_marts


@pytest.mark.parametrize(
    ("given", "limit"),
    [
        ("", "3072MiB"),
        ("4GiB", "3072MiB"),
        ("4gb", "2790MiB"),
        ("2.5 GiB", "1536MiB"),
        ("6000MB", "4698MiB"),
        ("0.5TiB", "523264MiB"),
    ],
)
def test_duckdb_gets_what_is_left(monkeypatch: pytest.MonkeyPatch, given: str, limit: str) -> None:
    monkeypatch.setenv("UPPKLARAT_MEMORY", given)
    assert duckdb_memory(Settings.from_environment()) == limit


@pytest.mark.parametrize("given", ["much", "4", "-4GB", "1GB", "0.001TiB", "4GB8"])
def test_what_is_no_size_or_too_little_is_refused(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("UPPKLARAT_MEMORY", given)
    with pytest.raises(ValueError, match=r"UPPKLARAT_MEMORY: it must be a size like 4GB, and 1\.5GiB at least"):
        Settings.from_environment()


def test_duckdb_takes_the_limits(settings: Settings) -> None:
    little = settings.model_copy(update={"memory": 2 << 30})
    with duckdb.connect(config=duckdb_limits(little, settings.home / paths.SCRATCH)) as connection:
        found = connection.execute(
            "select current_setting('memory_limit'), current_setting('temp_directory')"
        ).fetchone()
    assert found == ("1.0 GiB", str(settings.home / paths.SCRATCH))


def test_what_finds_no_room_is_spilled(settings: Settings) -> None:
    """Encrypted, which DuckDB does only if its own encryption is allowed."""
    scratch = settings.home / paths.SCRATCH
    scratch.mkdir(parents=True)
    with duckdb.connect(
        config={**duckdb_limits(settings, scratch), "memory_limit": "50MB", "threads": 1}
    ) as connection:
        connection.execute(
            "create temp table much as select range as n, md5(range::varchar) as text from range(2_000_000)"
        )
        spilled = sum(file.stat().st_size for file in scratch.iterdir())
        assert spilled > 10_000_000
        assert connection.execute("select count(distinct text) from much").fetchone() == (2_000_000,)
        text = connection.execute("select text from much limit 1").fetchone()[0].encode()  # type: ignore[index]
        assert not any(text in file.read_bytes() for file in scratch.iterdir())


def test_rows_are_validated_alike_in_memory_and_in_a_file(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sample(settings.landing, [2025], 0.01, 1, lambda _: None)

    def validated(most_in_memory: int) -> list[Outcome]:
        monkeypatch.setattr(ingest_module, "MOST_LINES_IN_MEMORY", most_in_memory)
        apart = settings.model_copy(update={"home": tmp_path / f"{most_in_memory}", "key": SecretStr("k" * 32)})
        records = [ingest(folder, apart) for folder in changed_folders(read_state(apart))]
        return [outcome(apart, record, name) for record in records if record for name in record.files]

    in_memory, in_file = validated(2_000_000), validated(0)
    assert in_memory == in_file
    assert all(file.loaded and file.quarantined for file in in_memory)


def test_models_are_built_though_some_of_them_find_no_room(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those after one that spilled something, too."""
    write_sample(settings.landing, [2025], 0.1, 1, lambda _: None)
    for folder in changed_folders(read_state(settings)):
        ingest(folder, settings)
    monkeypatch.setattr(dbt_project, "duckdb_memory", lambda _: "60MiB")
    monkeypatch.setenv("UPPKLARAT_DUCKDB_MEMORY", "")  # dbt's environment, put back at the end
    spilled, built = [0], Event()

    def watch() -> None:
        while not built.wait(0.005):
            with contextlib.suppress(FileNotFoundError):
                spilled.append(
                    sum(file.stat().st_size for file in (settings.home / paths.SCRATCH).glob("duckdb_temp*"))
                )

    watcher = Thread(target=watch)
    watcher.start()
    try:
        build_marts(settings, ["int_processed_offence"])
    finally:
        built.set()
        watcher.join()
    assert max(spilled) > 0
    with duckdb.connect(str(settings.home / paths.WAREHOUSE), read_only=True) as warehouse:
        assert warehouse.execute("select count(*) > 0 from intermediate.int_processed_offence").fetchone() == (True,)
