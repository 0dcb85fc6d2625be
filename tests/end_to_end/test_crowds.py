"""Many at once: a second writer waits and says for whom, no update is lost, and readers always get one whole publication."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy
from client_readers import figures_of, mixed_reads, reading
from clients_at_hand import CLIENTS, Client, assert_all_were_tried, at_hand, command, installed
from crowd import load_beside_backfill, two_loads
from kills import YEARS, Worlds, as_before
from loads import Way, content, faults_after, run
from postgres_server import database

from dagster_project import paths
from dagster_project.files import hold_writer_lock, release_writer_lock
from dagster_project.publication.draft import DATABASE
from dagster_project.publication.postgres import serve
from dagster_project.publications import active_publication, publications
from dagster_project.settings import DSN_VARIABLE, REPOSITORY, Settings

RECIPES = (REPOSITORY / "docs" / "clients.md").read_text(encoding="utf-8")
QUICK = Way(without_dagster=True)


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


@pytest.mark.soak
def test_a_load_beside_a_backfill(redelivered: Settings, worlds: Worlds) -> None:
    load, backfill = load_beside_backfill(redelivered, YEARS, backfill_first=True)
    assert backfill == 0
    assert faults_after(redelivered, content(worlds.second), load) == []
    assert len(publications(redelivered)) == 2
    assert re.search(r"another load \(Dagster run [\w-]+, process \d+, since [\d: -]+\) is writing", load.stderr)


def test_clients_read_whole_publications_while_a_load_goes_on(redelivered: Settings) -> None:
    clients, missing = at_hand(CLIENTS)
    with database() as db:
        serve(redelivered, db.settings)
        way = replace(QUICK, more=((DSN_VARIABLE, db.loader), ("UPPKLARAT_POSTGRES_READER", db.reader)))
        with reading(redelivered, clients, db) as readers:
            readers.wait_until_all_saw(active_publication(redelivered))
            ended = run(redelivered, way)
            assert ended.returncode == 0, ended.stderr
            readers.wait_until_all_saw(active_publication(redelivered))
    first, second = publications(redelivered)
    for reads in readers.found.values():
        assert reads.errors == {}
        assert mixed_reads(redelivered, reads.seen) == {}
        assert reads.publications == {first.publication_id, second.publication_id}
    mixture = f"{first.publication_id} {figures_of(second.folder).partition(' ')[2]}"
    assert mixed_reads(redelivered, Counter([mixture])), "a mixed read would not be seen"
    assert_all_were_tried(missing)


@pytest.mark.parametrize("client", [one for one in CLIENTS if one.program == "duckdb_file"], ids=lambda one: one.name)
def test_every_duckdb_finds_tables_and_views(worlds: Worlds, client: Client) -> None:
    _, missing = at_hand([client])
    assert_all_were_tried(missing)
    file = worlds.first.published / paths.CURRENT / DATABASE
    with duckdb.connect(str(file), read_only=True) as connection:
        names = [name for (name,) in connection.execute("select table_name from information_schema.tables").fetchall()]
        counted = {name: connection.execute(f"from marts.{name}").fetchall() for name in names}
    assert len(names) > 10 and counted["indicator_report"]
    program = (
        "import duckdb, sys\n"
        "connection = duckdb.connect(sys.argv[1], read_only=True)\n"
        "for name in sys.argv[2:]: print(name, len(connection.execute(f'from marts.{name}').fetchall()))"
    )
    python = command(client)[0]
    ran = subprocess.run([python, "-c", program, str(file), *names], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == [f"{name} {len(rows)}" for name, rows in counted.items()]


def test_the_recipes_for_python_run(worlds: Worlds) -> None:
    recipes = re.findall(r"```python\n(.*?)```", RECIPES, re.DOTALL)
    names: dict[str, Any] = {}
    for recipe in recipes:
        exec(re.sub(r'"[\w/]*data/published/current', f'"{worlds.first.published / paths.CURRENT}', recipe), names)
        # The last of each is of DuckDB, pandas or none.
        assert len(names["frame"]) > 0
    assert len(recipes) == 3 and names["frame"]["geography_code"].str.len().min() > 1
    with names["engine"].connect() as connection:
        assert connection.execute(sqlalchemy.text("select count(*) from marts.indicator_report")).scalar_one() > 0


def test_the_recipe_for_node_runs(worlds: Worlds) -> None:
    _, missing = at_hand([one for one in CLIENTS if one.place == "node"])
    assert_all_were_tried(missing)
    (recipe,) = re.findall(r"```js\n(.*?)```", RECIPES, re.DOTALL)
    program = (
        recipe.replace("data/published/current", str(worlds.first.published / paths.CURRENT))
        + "console.log(rows.length > 0);"
    )
    ran = subprocess.run(
        ["node", "--input-type=module"],
        input=program,
        cwd=installed("node"),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.stdout == "true\n", ran.stderr


def test_the_lock_tells_who_holds_it(settings: Settings) -> None:
    lock = settings.home / paths.LOCK
    hold_writer_lock(lock, print, "a test")
    hold_writer_lock(lock, pytest.fail)  # again is free
    assert re.fullmatch(r"a test, process \d+, since [\d: -]+", lock.read_text(encoding="utf-8"))
    release_writer_lock(lock)
    assert lock.read_text(encoding="utf-8") == ""
