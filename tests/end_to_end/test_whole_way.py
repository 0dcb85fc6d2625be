"""The whole way, as a user goes it: nasty deliveries in, one command, and everything that must then be true."""

from __future__ import annotations

import csv
import json
import os
import subprocess
from collections import Counter
from pathlib import Path

import dagster as dg
import duckdb
import pyarrow.parquet as pq
import pytest
from conftest import settings_in
from reference import rules
from reference.worlds import dirty_world
from warehouse import COMMAND, differences, environment, figures, marts, rows_by_key, uppklarat

from dagster_project import paths
from dagster_project.defs.dead_runs import WRITER
from dagster_project.publication.draft import DATABASE
from dagster_project.publications import changed_files, publications
from dagster_project.settings import Settings


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Three dirty years, loaded and published by the command line."""
    settings = settings_in(tmp_path_factory.mktemp("world"))
    dirty_world(settings.landing, seed=20, offences_per_year=2500, with_reports=True)
    done = subprocess.run(
        [str(COMMAND), "load", "--json"], env=environment(settings), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    output = json.loads(done.stdout)
    assert output["published"] == output["current"] == (settings.published / paths.CURRENT).readlink().name
    assert len(output["newest_figures"]) == 22
    return settings


def test_every_processing_time_is_what_the_rules_say(world: Settings) -> None:
    times = rules.expected_processing_times(world.landing)
    assert sum(time["handed_over"] or 0 for time in times.values()) > 1_000
    assert differences(times, rows_by_key(world.published / paths.CURRENT / DATABASE, "fct_processing_time_year")) == []


def test_every_suspicion_is_counted_as_the_rules_say(world: Settings) -> None:
    suspicions = rules.expected_prosecutions(world.landing)
    assert sum(row["suspicions_prosecuted"] for row in suspicions.values()) > 1_000
    published = world.published / paths.CURRENT / DATABASE
    assert differences(suspicions, rows_by_key(published, "fct_prosecution_year", "suspicions_decided > 0")) == []


def test_every_cohort_is_what_the_rules_say(world: Settings) -> None:
    cohorts = rules.expected_cohorts(world.landing)
    in_two_years = [row for key, row in cohorts.items() if key[3] == key[2] + 2]
    assert sum(row["cleared"] for row in in_two_years) > 100
    assert differences(cohorts, rows_by_key(world.published / paths.CURRENT / DATABASE, "fct_reported_year")) == []


def test_every_cell_is_what_the_rules_say(world: Settings) -> None:
    counts = rules.expected_counts(world.landing)
    rates = rules.expected_rates(counts)
    expected = rules.as_published({key: {**counts[key], **rates[key]} for key in counts})
    assert sum(cell["processed"] for cell in expected.values()) > 10_000
    assert differences(expected, figures(world.published / paths.CURRENT / DATABASE)) == []


def test_the_quarantine_is_what_the_contract_says(world: Settings) -> None:
    expected = rules.expected_quarantine(world.landing)
    output = json.loads(uppklarat(world, "status", "--json").stdout)
    found = Counter(
        {
            (delivery["source"], delivery["year"], name, reason): rows
            for delivery in output["deliveries"]
            for name, file in delivery["files"].items()
            for reason, rows in file["quarantined"].items()
        }
    )
    assert found == expected
    for delivery in output["deliveries"]:
        for file in delivery["files"].values():
            quarantined = sum(file["quarantined"].values())
            assert file["rows_read"] == file["rows_loaded"] + file["exact_duplicates"] + quarantined


def test_quarantined_rows_are_listed_with_file_and_line(world: Settings) -> None:
    listed = uppklarat(world, "quarantine", "--year", "2023", "--source", "police").stdout
    rows = [line.split("\t") for line in listed.splitlines() if line.count("\t") == 4]
    found = {
        ("police", 2023, file.rpartition("/")[2].partition(".")[0], int(line.removeprefix("line ")), reason)
        for reason, file, line, _column, _shape in rows
        if reason != "unusable"
    }
    assert found == {row for row in rules.quarantined_lines(world.landing) if row[:2] == ("police", 2023)}


def test_loading_again_does_nothing(world: Settings) -> None:
    before = ((world.published / paths.CURRENT).readlink().name, (world.home / paths.LEDGER).read_bytes())
    again = uppklarat(world, "load")
    assert again.returncode == 0
    assert "nothing new" in again.stdout
    assert ((world.published / paths.CURRENT).readlink().name, (world.home / paths.LEDGER).read_bytes()) == before
    assert len(publications(world)) == 1


def test_what_is_served_is_what_was_built(world: Settings) -> None:
    """Read with a client that is not ours, in each format."""
    current = world.published / paths.CURRENT
    served = marts(current / DATABASE)
    assert served == marts(world.home / paths.WAREHOUSE)
    for table, rows in served.items():
        assert pq.read_table(current / "parquet" / f"{table}.parquet").num_rows == len(rows)
        with (current / "csv" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            assert sum(1 for _ in csv.DictReader(file)) == len(rows)
    columns = pq.read_table(current / "parquet" / "fct_indicator_year.parquet", columns=["processed", "cleared"])
    total = sum(columns["processed"].to_pylist())
    assert total == sum(row["processed"] for row in figures(current / DATABASE).values()) > 0


def test_a_publication_describes_itself_and_is_not_edited(world: Settings) -> None:
    (publication,) = publications(world)
    assert changed_files(publication) == []
    assert {"report/index.html", "report/sv/valdtakt.html", "report/en/report.pdf"} <= set(
        publication.manifest["files"]
    )
    assert publication.manifest["synthetic"] is False
    assert {one["source"] for one in publication.manifest["deliveries"]} == {"police", "prosecution"}
    assert all(
        not os.access(path, os.W_OK) or os.geteuid() == 0 for path in publication.folder.rglob("*") if path.is_file()
    )
    assert all(path.stat().st_mode & 0o222 == 0 for path in publication.folder.rglob("*") if path.is_file())
    with duckdb.connect(str(publication.folder / DATABASE), read_only=True) as connection:
        (rows,) = connection.execute("select count(*) from marts.quality_check").fetchone() or (0,)
        (failed,) = connection.execute(
            "select count(*) from marts.quality_check where result = 'failed' and severity = 'block'"
        ).fetchone() or (None,)
        listed = connection.execute("select publication_id, first_year, last_year from marts.publication").fetchall()
        comment = connection.execute(
            "select comment from duckdb_columns() where table_name = 'fct_indicator_year' and column_name = 'cleared'"
        ).fetchone()
    assert rows == len(publication.manifest["checks"]["results"]) > 100
    assert failed == 0
    assert listed == [(publication.publication_id, 2022, 2024)]
    assert comment is not None and "clearance" in comment[0]


@pytest.mark.parametrize("what", ["published", "logs and results", "dagster"])
def test_no_personal_data_leaves_the_private_tables(world: Settings, what: str) -> None:
    """No case number, prosecutor's number or suspect id in what is published, logged, shown or recorded."""
    secrets: set[bytes] = set()
    for source, file, column in (
        ("police", "offences", "diarienummer"),
        ("police", "reports", "diarienummer"),
        ("prosecution", "decisions", "aklagarnummer"),
        ("prosecution", "decisions", "misstanke_id"),
    ):
        for path in (world.home / paths.RAW_STORE).glob(f"{source}/*/*/{file}.parquet"):
            stored = {value for value in pq.read_table(path)[column].to_pylist() if value}
            secrets |= {form for value in stored for form in (str(value).encode(), value.hex.encode(), value.bytes)}
    assert len(secrets) > 1000
    places = {
        "published": [world.published],
        "logs and results": [
            world.home / paths.AUDIT,
            world.home / "logs",
            world.home / paths.LEDGER,
            world.home / paths.LANDING_INDEX,
            *(world.home / paths.RAW_STORE).glob("*/*/*/*.json"),
        ],
        "dagster": [world.home / paths.DAGSTER_HOME],
    }[what]
    files = [path for place in places for path in ([place] if place.is_file() else place.rglob("*")) if path.is_file()]
    assert files
    for path in files:
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content = "\n".join(map(str, pq.read_table(path).to_pylist())).encode()
        words = set(content.replace(b'"', b" ").replace(b"'", b" ").replace(b",", b" ").split())
        assert not words & secrets, path


def test_the_validation_page_needs_nothing_else(world: Settings) -> None:
    page = (world.home / paths.VALIDATION_PAGE).read_text(encoding="utf-8")
    assert "http://" not in page and "https://" not in page
    assert "quarantine within limit" in page.lower()


def test_status_tells_what_waits(world: Settings, tmp_path: Path) -> None:
    only_police = settings_in(tmp_path)
    dirty_world(only_police.landing, seed=3, offences_per_year=600, years=(2023,), dirt=0.0)
    for path in sorted((only_police.landing / "prosecution").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    done = uppklarat(only_police, "load", "--json")
    assert done.returncode == 0, done.stderr
    # Checks of what was not delivered have a result, too: Dagster would warn of each that it stopped nothing.
    assert "emitted no result" not in done.stderr
    assert json.loads(done.stdout)["published"] is None
    output = json.loads(uppklarat(only_police, "status", "--json").stdout)
    assert output["waiting"] == ["2023: waits for prosecution"]
    assert not (only_police.published / paths.CURRENT).exists()


def test_dagster_knows_the_code_location_of_a_run_of_the_command_line(world: Settings) -> None:
    """Dagster's first page leaves out runs without one."""
    with dg.DagsterInstance.from_config(str(world.home / paths.DAGSTER_HOME)) as instance:
        runs = instance.get_runs()
        origins = [run.remote_job_origin for run in runs]
        assert {origin and origin.repository_origin.get_label() for origin in origins} == {
            "__repository__@dagster_project.definitions"
        }
        assert {origin and origin.job_name for origin in origins} == {"load"}
        assert all(run.is_success and WRITER in run.tags for run in runs)


@pytest.mark.parametrize(
    "arguments", [["load", "--years", "24"], ["load", "--years", "2025-2019"], ["lod"], ["sample", "--scale", "x"]]
)
def test_wrong_usage_exits_2(settings: Settings, arguments: list[str]) -> None:
    assert uppklarat(settings, *arguments).returncode == 2
