"""PostgreSQL serves what was published: the same values, explained, to readers only; switched without a mixture; else as before."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import psycopg
import pytest
from conftest import settings_in
from made_publications import make_publication
from postgres_server import PASSWORD, Database, database
from psycopg import errors, sql
from pydantic import SecretStr

from dagster_project import paths
from dagster_project.publication.postgres import NotServedError, serve, switch
from dagster_project.publication.postgres.tables import TYPES
from dagster_project.publications import point_to, publications
from dagster_project.settings import REPOSITORY, PostgresSettings, Settings
from dagster_project.sql import parquet

FIRST, SECOND, THIRD, FOURTH = (f"2026010{day}T000000Z" for day in range(1, 5))
# Rows of each table, by which a reader knows the publication.
ROWS = {FIRST: 11, SECOND: 12}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Two publications; the first is current."""
    settings = settings_in(tmp_path_factory.mktemp("made"))
    for publication_id, rows in ROWS.items():
        make_publication(settings, publication_id, rows)
    point_to(settings, FIRST)
    return settings


@pytest.fixture
def current(made: Settings) -> Iterator[Settings]:
    yield made
    point_to(made, FIRST)


@pytest.fixture
def db() -> Iterator[Database]:
    with database() as fresh:
        yield fresh


@pytest.fixture
def served(current: Settings, db: Database) -> Database:
    """A server that serves the first publication."""
    serve(current, db.settings)
    return db


def seen(db: Database) -> int:
    """How many rows a reader finds; all tables must agree."""
    return rows_of_all(psycopg.connect(db.login, autocommit=True))


def rows_of_all(
    connection: psycopg.Connection, tables: tuple[str, ...] = ("dim_year", "publication", "series_break")
) -> int:
    counts = {connection.execute(f"select count(*) from marts.{table}").fetchone() for table in tables}  # type: ignore[call-overload]
    assert len(counts) == 1, f"a mixture: {counts}"
    (count,) = counts.pop() or (-1,)
    return int(count)


def schemas(db: Database) -> list[str]:
    rows = db.ask(
        "select nspname from pg_namespace where nspname !~ '^(pg_|information_schema|public|marts|uppklarat$|bi$)' order by 1"
    )
    return [name for (name,) in rows]


# --- what is served -----------------------------------------------------------------------------------------------------


def test_every_value_and_type_is_the_published_one(current: Settings, served: Database) -> None:
    with duckdb.connect() as published:
        files = sorted((current.published / paths.CURRENT / "parquet").glob("*.parquet"))
        assert len(files) > 10
        for file in files:
            described = published.execute(f"describe select * from {parquet(file)}").fetchall()
            expected = published.execute(f"select * from {parquet(file)}").fetchall()
            with psycopg.connect(served.login) as connection:
                got = connection.execute(f"select * from marts.{file.stem}", binary=True).fetchall()  # type: ignore[call-overload]
            assert sorted(map(repr, got)) == sorted(map(repr, expected)), file.stem
            assert served.ask(
                "select attname, format_type(atttypid, null) from pg_attribute where attrelid = %s::regclass and attnum > 0"
                " order by attnum",
                [f"marts.{file.stem}"],
            ) == [
                (name, {"timestamp": "timestamp without time zone"}.get(TYPES[kind], TYPES[kind]))
                for name, kind, *_ in described
            ]


def test_every_table_and_column_is_explained(current: Settings, served: Database) -> None:
    with duckdb.connect(str(current.published / paths.CURRENT / "uppklarat.duckdb"), read_only=True) as published:
        expected = published.execute(
            "select table_name, '', comment from duckdb_tables() union all"
            " select table_name, column_name, comment from duckdb_columns() where schema_name = 'marts'"
        ).fetchall()
    assert len(expected) > 100
    for schema in ("marts", *schemas(served)):
        got = served.ask(
            """
            select relname, coalesce(attname, ''), description
            from pg_class left join pg_attribute on attrelid = pg_class.oid and attnum > 0
            left join pg_description on objoid = pg_class.oid and objsubid = attnum
            where relnamespace = %(schema)s::regnamespace and relkind in ('r', 'v')
            union all
            select relname, '', obj_description(oid, 'pg_class') from pg_class
            where relnamespace = %(schema)s::regnamespace and relkind in ('r', 'v')
            """,
            {"schema": schema},
        )
        assert sorted(got) == sorted(expected), schema


def test_keys_and_filters_have_an_index(served: Database) -> None:
    indexes = {
        (table, definition.partition("(")[2].rstrip(")"), "UNIQUE" in definition)
        for table, definition in served.ask(
            "select tablename, indexdef from pg_indexes where schemaname like 'uppklarat#_%' escape '#'"
        )
    }
    tables = {
        table
        for (table,) in served.ask("select tablename from pg_tables where schemaname like 'uppklarat#_%' escape '#'")
    }
    assert {table for table, _, unique in indexes if unique} == tables, "a table without a key"
    key = "indicator_id, variant, year, geography_level, geography_code, victim_group"
    assert {
        ("fct_indicator_year", key, True),
        ("fct_indicator_year", "indicator_id, variant, geography_level, geography_code", False),
        ("fct_indicator_year", "geography_code, year", False),
        ("fct_case_flow_year", "year, geography_level", False),
    } <= indexes


def test_a_reader_can_read_the_marts_and_nothing_else(served: Database) -> None:
    (schema,) = schemas(served)
    assert seen(served) == ROWS[FIRST]
    for forbidden in (
        f"select * from {schema}.dim_year",
        "insert into marts.dim_year (year) values (1)",
        "update marts.dim_year set year = 1",
        "delete from marts.dim_year",
        f"truncate {schema}.dim_year",
        "create table marts.mine (a int)",
        "create view marts.mine as select 1",
        f"create table {schema}.mine (a int)",
        "create schema mine",
        "create role other",
        "drop view marts.dim_year",
        "comment on view marts.dim_year is 'mine'",
        "begin; lock table marts.dim_year in access exclusive mode",
        f"alter schema {schema} rename to mine",
    ):
        # A user without the right gets the message that the view takes no rows.
        with pytest.raises((errors.InsufficientPrivilege, errors.ObjectNotInPrerequisiteState)):
            served.ask(forbidden, who=served.login)
    privileges = served.ask(
        "select distinct grantee, privilege_type from information_schema.role_table_grants"
        " where table_schema <> 'pg_catalog' and table_schema <> 'information_schema' and grantee not like '%%loader'"
    )
    assert privileges == [(served.reader, "SELECT")]


def test_the_reader_role_is_made_where_it_is_missing(current: Settings, db: Database) -> None:
    other = f"{db.reader}_2"
    try:
        serve(current, db.settings.model_copy(update={"reader": other}))
        assert db.ask(
            "select rolcanlogin, rolsuper, rolcreaterole, rolcreatedb from pg_roles where rolname = %s", [other]
        ) == [(False, False, False, False)]
        with pytest.raises(errors.InsufficientPrivilege):
            seen(db)
        assert serve(current, db.settings).changed, "another role was named and let in"  # type: ignore[union-attr]
        assert seen(db) == ROWS[FIRST]
    finally:
        db.ask(sql.SQL("drop owned by {0}; drop role {0}").format(sql.Identifier(other)))  # type: ignore[arg-type]


def test_a_role_that_may_more_is_no_reader(current: Settings, db: Database) -> None:
    (loader,) = db.ask("select current_user", who=db.loader)[0]
    for mighty in ("postgres", loader):
        if db.ask("select 1 from pg_roles where rolname = %s", [mighty]):
            with pytest.raises(NotServedError, match="READER"):
                serve(current, db.settings.model_copy(update={"reader": mighty}))
    db.ask(sql.SQL("alter role {} nocreaterole").format(sql.Identifier(loader)))  # type: ignore[arg-type]
    with pytest.raises(NotServedError, match="create role nobody nologin"):
        serve(current, db.settings.model_copy(update={"reader": "nobody"}))
    assert schemas(db) == []


# --- the switch ---------------------------------------------------------------------------------------------------------


def reading(db: Database, how: str, stop: threading.Event, met: Counter[str]) -> None:
    """Read without pause until stopped, each time in one way; count the publications met, and what readers must not meet."""
    levels = {
        "repeatable read": psycopg.IsolationLevel.REPEATABLE_READ,
        "serializable": psycopg.IsolationLevel.SERIALIZABLE,
    }
    with psycopg.connect(db.login, autocommit=how in ("statement", "prepared"), prepare_threshold=1) as connection:
        connection.isolation_level = levels.get(how)
        while not stop.is_set():
            try:
                if how in ("statement", "prepared"):
                    row = connection.execute(
                        "select (select count(*) from marts.series_break), (select count(*) from marts.dim_year),"
                        " (select count(*) from marts.indicator_report)",
                        prepare=how == "prepared",
                    ).fetchone()
                    counts = set(row or ())
                else:
                    with connection.transaction():
                        if how != "read committed":
                            connection.execute("select 1")  # The snapshot is taken before any view is read.
                        counts = {
                            rows_of_all(connection, tables)
                            for tables in (
                                ("dim_year", "indicator_report"),
                                ("publication", "fct_report_lag_year", "dim_year"),
                            )
                        }
                met[str(*counts) if len(counts) == 1 else f"a mixture: {counts}"] += 1
            except (psycopg.Error, AssertionError) as error:
                met[f"{how}: {error!r}"] += 1
                connection.rollback()


def test_readers_who_never_pause_meet_no_error_and_no_mixture(
    current: Settings, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switch, "PATIENCE", 300.0)
    serve(current, db.settings)
    ways = ("statement", "prepared", "read committed", "repeatable read", "serializable")
    met: dict[str, Counter[str]] = {how: Counter() for how in ways}
    stop = threading.Event()
    with ThreadPoolExecutor(len(ways)) as pool:
        readers = [pool.submit(reading, db, how, stop, met[how]) for how in ways]
        try:
            for publication_id in (SECOND, FIRST, SECOND, FIRST, SECOND):
                point_to(current, publication_id)
                served_now = serve(current, db.settings)
                assert served_now is not None and served_now.changed
                before = {how: sum(counter.values()) for how, counter in met.items()}
                while any(sum(met[how].values()) < before[how] + 3 for how in ways):
                    assert not any(reader.done() for reader in readers)
                    stop.wait(0.01)
        finally:
            stop.set()
    assert {how: set(counter) for how, counter in met.items()} == {how: {str(n) for n in ROWS.values()} for how in ways}


def test_a_transaction_begun_before_the_load_finds_whole_tables(current: Settings, served: Database) -> None:
    """Its snapshot is older than the new tables, to which the views lead it: their rows must not be hidden from it."""
    with psycopg.connect(served.login) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("select 1")
        point_to(current, SECOND)
        serve(current, served.settings)
        assert rows_of_all(reader) == ROWS[SECOND]


def test_a_transaction_that_stays_open_keeps_what_it_has_seen(
    current: Settings, served: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switch, "PATIENCE", 1.0)
    point_to(current, SECOND)
    with psycopg.connect(served.login) as idle:
        idle.execute("select count(*) from marts.publication")
        with pytest.raises(NotServedError, match="has been open"):
            serve(current, served.settings)
        assert seen(served) == ROWS[FIRST], "others read on"
        assert rows_of_all(idle) == ROWS[FIRST], "and so does it"
    assert len(schemas(served)) == 2, "what was loaded waits for the next time"
    serve(current, served.settings)
    assert seen(served) == ROWS[SECOND]


def test_no_reader_is_the_victim_of_a_deadlock(
    current: Settings, served: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader holds one view and asks for another that the switch has locked, while the switch waits for the first."""
    monkeypatch.setattr(switch, "PATIENCE", 1.0)
    point_to(current, SECOND)
    with psycopg.connect(served.login) as reader, ThreadPoolExecutor(1) as pool:
        reader.execute("select count(*) from marts.series_break")
        switching = pool.submit(serve, current, served.settings)
        while not switching.done():
            for table in ("dim_geography", "fct_indicator_year", "quality_check"):
                with reader.transaction():
                    assert rows_of_all(reader, (table,)) == ROWS[FIRST]
        assert isinstance(switching.exception(), NotServedError)


def test_other_columns_are_switched_to_as_well(served: Database, tmp_path: Path) -> None:
    later = settings_in(tmp_path)
    make_publication(later, THIRD, 13, more="first_column")
    serve(later, served.settings)
    assert served.ask("select count(first_column), count(*) from marts.dim_year", who=served.login) == [(12, 13)]


def test_views_that_others_built_stay(current: Settings, served: Database, tmp_path: Path) -> None:
    """As long as the columns are as before; where they are not, nothing changes, and the message says so."""
    served.ask("create schema bi; create view bi.years as select year from marts.dim_year")
    point_to(current, SECOND)
    serve(current, served.settings)
    assert served.ask("select count(*) from bi.years") == [(ROWS[SECOND],)]
    later = settings_in(tmp_path)
    make_publication(later, THIRD, 13, more="first_column")
    with pytest.raises(NotServedError, match="DependentObjectsStillExist"):
        serve(later, served.settings)
    assert seen(served) == ROWS[SECOND]


# --- again, back, and no more of it -------------------------------------------------------------------------------------


def test_what_is_served_is_not_loaded_again(current: Settings, served: Database) -> None:
    before = served.ask("select oid, xmin from pg_class where relnamespace = 'marts'::regnamespace order by 1")
    again = serve(current, served.settings)
    assert again is not None and not again.changed
    assert served.ask("select oid, xmin from pg_class where relnamespace = 'marts'::regnamespace order by 1") == before
    served.ask("drop view marts.dim_year")
    serve(current, served.settings)
    assert seen(served) == ROWS[FIRST]


def test_nothing_is_served_where_nothing_is_published(settings: Settings, db: Database) -> None:
    assert serve(settings, db.settings) is None
    assert schemas(db) == []


def test_old_ones_are_dropped_but_never_the_current(db: Database, settings: Settings) -> None:
    for publication_id in (FIRST, SECOND, THIRD, FOURTH):
        make_publication(settings, publication_id, 1)
        serve(settings, db.settings)

    def ids() -> list[str]:
        return [name.split("_")[1] for name in schemas(db)]

    assert ids() == [one.lower() for one in (SECOND, THIRD, FOURTH)]
    point_to(settings, FIRST)
    serve(settings, db.settings)  # Not kept any more: loaded from the published folder.
    assert ids() == [one.lower() for one in (FIRST, THIRD, FOURTH)]
    serve(settings, db.settings.model_copy(update={"keep": 1}))
    assert ids() == [FIRST.lower()]


def test_an_old_one_in_use_is_dropped_the_next_time(
    current: Settings, served: Database, caplog: pytest.LogCaptureFixture
) -> None:
    (old,) = schemas(served)
    point_to(current, SECOND)
    with psycopg.connect(served.admin) as dump:
        serve(current, served.settings)
        dump.execute(sql.SQL("lock table {} in access share mode").format(sql.Identifier(old, "dim_year")))
        serve(current, served.settings.model_copy(update={"keep": 1}))
        assert old in schemas(served)
        assert old in caplog.text and "LockNotAvailable" in caplog.text
    serve(current, served.settings.model_copy(update={"keep": 1}))
    assert old not in schemas(served)


def test_two_loads_at_once_do_it_once(current: Settings, db: Database) -> None:
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda _: serve(current, db.settings), range(2)))
    assert sorted(one.changed for one in results if one) == [False, True]
    assert len(schemas(db)) == 1
    assert seen(db) == ROWS[FIRST]


# --- failures -----------------------------------------------------------------------------------------------------------


def when_an_index_is_made(db: Database, what: str) -> None:
    """Let the server do something in the middle of each load."""
    db.ask(
        f"""
        create function public.disturb() returns event_trigger language plpgsql as $$
        declare place text;
        begin
            select objid::regclass::text into place from pg_event_trigger_ddl_commands();
            {what}
        end $$;
        create event trigger disturb on ddl_command_end when tag in ('CREATE INDEX') execute function public.disturb();
        """
    )


def undisturbed(db: Database) -> None:
    db.ask("drop event trigger disturb")


@pytest.mark.parametrize(
    ("what", "output"),
    [
        ("raise exception using errcode = 'disk_full', message = 'no space for loader@host';", "DiskFull"),
        ("perform pg_terminate_backend(pg_backend_pid());", "AdminShutdown|connection was lost"),
        (
            "if place like '%fct_indicator_year%' then execute format('update %s set processed = processed + 1 where processed = 0',"
            " (select indrelid::regclass from pg_index where indexrelid = place::regclass)); end if;",
            "table fct_indicator_year in PostgreSQL does not hold what was published",
        ),
        (
            "if place like '%dim_year%' then execute format('delete from %s where year = 3',"
            " (select indrelid::regclass from pg_index where indexrelid = place::regclass)); end if;",
            "table dim_year in PostgreSQL does not hold what was published",
        ),
    ],
    ids=["full", "lost", "another value", "a row less"],
)
def test_a_load_that_fails_leaves_all_as_it_was(current: Settings, served: Database, what: str, output: str) -> None:
    before = schemas(served)
    point_to(current, SECOND)
    when_an_index_is_made(served, what)
    with pytest.raises(NotServedError, match=output) as failure:
        serve(current, served.settings)
    assert SECOND in str(failure.value) and "host" not in str(failure.value)
    assert seen(served) == ROWS[FIRST]
    assert schemas(served) == before
    undisturbed(served)
    serve(current, served.settings)
    assert seen(served) == ROWS[SECOND]


def test_a_killed_load_leaves_all_as_it_was(current: Settings, served: Database) -> None:
    before = schemas(served)
    point_to(current, SECOND)
    when_an_index_is_made(served, "if place like '%dim_year%' then perform pg_sleep(2); end if;")
    script = f"""
        from pathlib import Path
        from dagster_project.publication.postgres import serve
        from dagster_project.settings import PostgresSettings, Settings
        settings = Settings(landing=Path(), home=Path(), published=Path({str(current.published)!r}))
        serve(settings, PostgresSettings(dsn={served.loader!r}, reader={served.reader!r}))
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], cwd=REPOSITORY) as loader:
        while not served.ask(
            "select 1 from pg_stat_activity where application_name = 'uppklarat' and query like 'create%index%'"
        ):
            assert loader.poll() is None
        loader.kill()
    assert seen(served) == ROWS[FIRST]
    undisturbed(served)
    serve(current, served.settings)
    assert seen(served) == ROWS[SECOND]
    assert len(schemas(served)) == len(before) + 1


def test_a_damaged_publication_is_not_loaded(settings: Settings, db: Database) -> None:
    publication = make_publication(settings, FIRST, 5)
    csv = publication.folder / "csv" / "dim_year.csv"
    csv.chmod(0o644)
    csv.write_text(csv.read_text(encoding="utf-8").replace("3", "4"), encoding="utf-8")
    with pytest.raises(NotServedError, match=r"damaged: csv/dim_year\.csv"):
        serve(settings, db.settings)
    assert schemas(db) == []


def test_a_table_of_somebody_else_is_not_replaced(current: Settings, db: Database) -> None:
    db.ask("create schema marts; create table marts.dim_year (mine int); grant all on schema marts to public")
    with pytest.raises(NotServedError, match="replacing the views"):
        serve(current, db.settings)
    assert db.ask("select count(mine) from marts.dim_year") == [(0,)]


@pytest.mark.parametrize(
    ("dsn", "output"),
    [
        (f"host=/nowhere user=hidden password='{PASSWORD.replace(chr(39), '')}'", "does not answer"),
        ("postgresql://hidden:s3cr3t@127.0.0.1:1/hidden", "does not answer"),
        ("postgresql://hidden:s3cr3t@no.such.invalid/hidden", "cannot be resolved"),
        (
            "postgresql://hidden:s3c@r3t:hidden@127.0.0.1:x/hidden",
            "no connection string|does not answer|cannot be resolved|OperationalError",
        ),
        ("host=127.0.0.1 password=s3cr3t hidden", "no connection string"),
    ],
)
def test_a_server_that_cannot_be_reached_is_told_without_its_name(
    current: Settings, capfd: pytest.CaptureFixture[str], dsn: str, output: str
) -> None:
    with pytest.raises(NotServedError, match=output) as failure:
        serve(current, PostgresSettings(dsn=SecretStr(dsn)))
    assert failure.value.__context__ is None and failure.value.__cause__ is None
    messages = "".join([str(failure.value), repr(PostgresSettings(dsn=SecretStr(dsn))), *capfd.readouterr()])
    for secret in ("hidden", "s3cr3t", "s3c@", "r3t", "p4ss", "127.0.0.1", "no.such", "nowhere"):
        assert secret not in messages


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.from_environment().postgres == PostgresSettings()
    monkeypatch.setenv("UPPKLARAT_POSTGRES_DSN", "")
    assert not Settings.from_environment().postgres.dsn
    given = {"UPPKLARAT_POSTGRES_DSN": "dbname=x", "UPPKLARAT_POSTGRES_KEEP": "2", "UPPKLARAT_POSTGRES_READER": "bi"}
    for variable, value in given.items():
        monkeypatch.setenv(variable, value)
    found = Settings.from_environment()
    assert found.postgres == PostgresSettings(dsn=SecretStr("dbname=x"), reader="bi", keep=2)
    assert "dbname" not in f"{found!r} {found} {found.model_dump_json()}"
    for wrong in ("0", "-1", "many", "1.5"):
        monkeypatch.setenv("UPPKLARAT_POSTGRES_KEEP", wrong)
        with pytest.raises(ValueError, match="UPPKLARAT_POSTGRES_KEEP: Input should be") as caught:
            Settings.from_environment()
        assert "dbname" not in f"{caught.value!r} {caught.value}"


def test_publications_of_the_test_differ(made: Settings) -> None:
    assert [one.publication_id for one in publications(made)] == [FIRST, SECOND]
