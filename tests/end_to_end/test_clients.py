"""What reopening means: an open file stays what it was, and the newest publication is had as docs/clients.md says, client by client."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import duckdb_engine  # noqa: F401 (SQLAlchemy finds it by name; here, so that its absence is not taken for another fault)
import pytest
import sqlalchemy
from clients_at_hand import CLIENTS, CLIENTS_FOLDER, Client, assert_all_were_tried, at_hand, command
from conftest import settings_in
from made_publications import make_publication
from sqlalchemy.pool import NullPool

from dagster_project import paths
from dagster_project.publication.draft import DATABASE
from dagster_project.publications import point_to
from dagster_project.settings import REPOSITORY, Settings

PAGE = REPOSITORY / "docs" / "clients.md"
FIRST, SECOND = "20260101T000000Z", "20260102T000000Z"
# Until 1.4 DuckDB knows an open file by its path alone.
BY_PATH = "duckdb-1.0.0"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = settings_in(tmp_path_factory.mktemp("made"))
    for publication_id, rows in ((FIRST, 3), (SECOND, 4)):
        make_publication(settings, publication_id, rows)
    return settings


@pytest.fixture
def current(made: Settings) -> Path:
    """The database file through the link, which leads to the first publication."""
    point_to(made, FIRST)
    return made.published / paths.CURRENT / DATABASE


@pytest.mark.parametrize("client", [one for one in CLIENTS if one.program == "duckdb_file"], ids=lambda one: one.name)
def test_an_open_file_stays_and_opening_the_real_path_gives_the_newest(
    made: Settings, current: Path, client: Client
) -> None:
    _, missing = at_hand([client])
    assert_all_were_tried(missing)
    with subprocess.Popen(
        [command(client)[0], str(CLIENTS_FOLDER / "reopen.py"), str(current)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin and process.stdout
        assert process.stdout.readline() == "open\n"
        point_to(made, SECOND)
        output, _ = process.communicate("go on\n", timeout=60)
    # A publication is made with as many rows as its number says; its name is the greatest key.
    assert json.loads(output) == {
        "held open": "002",
        "same path": "002" if client.place == BY_PATH else "003",
        "real path": "003",
        "same path, after closing": "003",
    }


def test_sqlalchemy_opens_what_is_current_without_a_pool(made: Settings, current: Path) -> None:
    uri = f"duckdb:///{current}?access_mode=read_only"
    pooled, unpooled = sqlalchemy.create_engine(uri), sqlalchemy.create_engine(uri, poolclass=NullPool)

    def read(engine: sqlalchemy.Engine) -> str:
        with engine.connect() as connection:
            return str(
                connection.execute(sqlalchemy.text("select max(publication_id) from marts.publication")).scalar_one()
            )

    assert (read(pooled), read(unpooled)) == ("002", "002")
    point_to(made, SECOND)
    assert (read(pooled), read(unpooled)) == ("002", "003")
    pooled.dispose()
    assert read(pooled) == "003"
    with unpooled.connect() as connection, pytest.raises(sqlalchemy.exc.DBAPIError, match="read-only"):
        connection.execute(sqlalchemy.text("create table marts.mine (a integer)"))
    pooled.dispose()


def test_the_uri_for_servers_keeps_people_who_type_sql_off_other_files(
    made: Settings, current: Path, tmp_path: Path
) -> None:
    (uri,) = re.findall(r"```uri\n(.*)\n```", PAGE.read_text(encoding="utf-8"))
    engine = sqlalchemy.create_engine(uri.replace("/<published>", str(made.published)), poolclass=NullPool)
    (private := tmp_path / "private.csv").write_text("a\n1\n", encoding="utf-8")
    asked = [
        f"from read_csv('{private}')",
        f"from read_text('{private}')",
        f"copy (select 1) to '{tmp_path / 'written.csv'}'",
        f"attach '{tmp_path / 'other.duckdb'}'",
        "set enable_external_access = true",
        "delete from marts.publication",
    ]
    for statement in asked:
        with (
            engine.connect() as connection,
            pytest.raises(sqlalchemy.exc.DBAPIError, match=r"disabled|locked|read-only"),
        ):
            connection.execute(sqlalchemy.text(statement))
    assert [path.name for path in tmp_path.iterdir()] == [private.name]
    with engine.connect() as connection:
        assert connection.execute(sqlalchemy.text("select count(*) from marts.publication")).scalar_one() == 3


def test_sqlalchemy_lists_the_tables_for_tools_that_browse(current: Path) -> None:
    engine = sqlalchemy.create_engine(f"duckdb:///{current}?access_mode=read_only", poolclass=NullPool)
    inspector = sqlalchemy.inspect(engine)
    assert "fct_indicator_year" in inspector.get_table_names("marts")
    columns = {column["name"]: column["type"] for column in inspector.get_columns("fct_indicator_year", schema="marts")}
    assert isinstance(columns["processed"], sqlalchemy.BigInteger)
    assert isinstance(columns["geography_code"], sqlalchemy.String)
