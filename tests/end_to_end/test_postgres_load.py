"""`load`, `publications --activate` and Dagster keep PostgreSQL in step with `current`, or report why not; no secret is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator

import dagster as dg
import duckdb
import pytest
from conftest import settings_in
from loads import Ended, Way, run
from made_publications import make_publication
from postgres_server import PASSWORD, Database, database
from psycopg.conninfo import make_conninfo
from reference.worlds import dirty_world
from warehouse import environment

from dagster_project import paths
from dagster_project.cli import main as cli
from dagster_project.defs.common import Places
from dagster_project.defs.publication_assets import POSTGRES, publication_assets
from dagster_project.publication.postgres import serve
from dagster_project.publications import active_publication
from dagster_project.settings import DSN_VARIABLE, Settings
from dagster_project.sql import parquet

FIRST, SECOND = "20260101T000000Z", "20260102T000000Z"
# No server is there; no part of it may be shown.
ABSENT = make_conninfo("host=/nowhere/at/all user=secret_user", password=PASSWORD)
SECRETS = (PASSWORD, "p4ss", "secret_user", "/nowhere/at/all")


@pytest.fixture
def db() -> Iterator[Database]:
    with database() as fresh:
        yield fresh


@pytest.fixture(scope="module")
def loaded_without(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Ended]:
    """What is there after a load whose PostgreSQL could not be reached."""
    settings = settings_in(tmp_path_factory.mktemp("loaded"))
    dirty_world(settings.landing, seed=70, offences_per_year=60, years=(2024,), dirt=0.0)
    return settings, command(settings, {DSN_VARIABLE: ABSENT}, "load", "--json")


def command(settings: Settings, more: dict[str, str], *arguments: str) -> Ended:
    return run(settings, Way(arguments, more=tuple(more.items())))


def asked_for(db: Database) -> dict[str, str]:
    return {DSN_VARIABLE: db.loader, "UPPKLARAT_POSTGRES_READER": db.reader}


def shown(db: Database) -> str:
    ((comment,),) = db.ask("select obj_description(to_regnamespace('marts'))")
    return str(comment).rpartition(" ")[2]


def test_the_files_stand_and_the_next_load_completes_it(loaded_without: tuple[Settings, Ended], db: Database) -> None:
    made, ended = loaded_without
    output = json.loads(ended.stdout)
    assert ended.returncode == cli.NOT_SERVED == 6, ended.stderr
    assert output["published"] == output["current"] == active_publication(made)
    assert "the server does not answer" in output["not_served"]
    assert f"PostgreSQL does not serve {output['published']}" in ended.stderr
    again = command(made, asked_for(db), "load", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["run_id"] is None, "there was nothing to load"
    assert shown(db) == output["published"]
    # Real marts, with all that they hold, in the order of the file.
    for table in ("fct_indicator_year", "dim_geography", "quality_check", "publication"):
        with duckdb.connect() as connection:
            file = made.published / paths.CURRENT / "parquet" / f"{table}.parquet"
            expected = connection.execute(f"select * from {parquet(file)} order by all").fetchall()
        got = db.ask(f"select * from marts.{table}", who=db.login)
        assert sorted(map(repr, got)) == sorted(map(repr, expected))
    assert db.ask(
        "select count(*), count(col_description(attrelid, attnum)) from pg_attribute join pg_class on attrelid = pg_class.oid"
        " where relnamespace = 'marts'::regnamespace and attnum > 0 having count(*) = count(col_description(attrelid, attnum))"
    )


def test_nothing_of_the_connection_string_is_told_or_kept(
    loaded_without: tuple[Settings, Ended],
) -> None:
    made, ended = loaded_without
    places = [path for place in (made.home, made.published) for path in place.rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" and made.home / paths.DAGSTER_HOME in path.parents for path in places), (
        "no record of the run"
    )
    held = b"".join(path.read_bytes() for path in places) + (ended.stdout + ended.stderr).encode()
    assert b"the server does not answer" in held
    assert [secret for secret in SECRETS if secret.encode() in held] == []


def test_activating_moves_both(settings: Settings, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for publication_id, rows in ((FIRST, 3), (SECOND, 4)):
        make_publication(settings, publication_id, rows)
        serve(settings, db.settings)
    for variable, value in (environment(settings) | asked_for(db)).items():
        monkeypatch.setenv(variable, value)
    assert shown(db) == SECOND
    assert cli.main(["publications", "--activate", FIRST]) == 0
    assert (active_publication(settings), shown(db)) == (FIRST, FIRST)
    monkeypatch.setenv("UPPKLARAT_POSTGRES_KEEP", "1")
    assert cli.main(["publications", "--activate", SECOND]) == 0
    assert (active_publication(settings), shown(db)) == (SECOND, SECOND)
    # What is not kept there any more is loaded again.
    assert cli.main(["publications", "--activate", FIRST]) == 0
    assert (active_publication(settings), shown(db)) == (FIRST, FIRST)


def test_activating_without_a_server_says_that_the_two_differ(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for publication_id in (FIRST, SECOND):
        make_publication(settings, publication_id, 2)
    for variable, value in {**environment(settings), DSN_VARIABLE: ABSENT}.items():
        monkeypatch.setenv(variable, value)
    assert cli.main(["publications", "--activate", FIRST]) == cli.NOT_SERVED
    output = capsys.readouterr()
    assert f"readers of files open {FIRST}, but PostgreSQL does not serve {FIRST} yet" in output.err
    assert [secret for secret in SECRETS if secret in output.out + output.err] == []
    assert active_publication(settings) == FIRST
    monkeypatch.setenv("UPPKLARAT_POSTGRES_KEEP", "none")
    assert cli.main(["publications", "--activate", SECOND]) == 1
    assert active_publication(settings) == FIRST, "refused before anything moved"


def test_dagster_tells_what_is_served(settings: Settings, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    make_publication(settings, FIRST, 3)
    (asset,) = (one for one in publication_assets() if POSTGRES in one.keys)
    places = Places(
        landing=str(settings.landing), home=str(settings.home), published=str(settings.published), suppress_below=1
    )

    def materialize() -> dg.ExecuteInProcessResult:
        return dg.materialize([asset], resources={"places": places}, raise_on_error=False)

    without = materialize()
    assert without.success and not without.get_asset_materialization_events()
    for variable, value in asked_for(db).items():
        monkeypatch.setenv(variable, value)
    (event,) = materialize().get_asset_materialization_events()
    metadata = {name: value.value for name, value in event.materialization.metadata.items()}
    assert metadata["publication_id"] == FIRST and metadata["tables"] == len(metadata["rows"]) > 10  # type: ignore[arg-type]
    assert set(metadata["rows"].values()) == {3}  # type: ignore[union-attr]
    monkeypatch.setenv(DSN_VARIABLE, ABSENT)
    failed = materialize()
    assert not failed.success
    found = repr(list(failed.all_events))
    assert "the server does not answer" in found
    assert [secret for secret in SECRETS if secret in found] == []
