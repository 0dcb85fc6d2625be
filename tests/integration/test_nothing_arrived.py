"""A landing folder that cannot be looked at is an error, and so is a year that was expected and did not arrive: exit code 5."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from conftest import copied, settings_in
from deliveries import YEAR, files_of, put, put_with_manifest
from loads import Way, run
from test_orchestration import error_of_tick, places
from warehouse import environment

from dagster_project import paths
from dagster_project.cli import main as cli
from dagster_project.defs.automation import new_delivery
from dagster_project.ingestion.landing import UnreadableLandingError
from dagster_project.publications import activate, active_publication, publications
from dagster_project.settings import REPOSITORY, Settings
from dagster_project.state import read_state, withdraw

NEXT = "Check that UPPKLARAT_LANDING names the landing folder"


def _is_missing(landing: Path) -> Path:
    return landing


def _is_a_file(landing: Path) -> Path:
    landing.write_text("not a folder", encoding="utf-8")
    return landing


def _is_a_dead_link(landing: Path) -> Path:
    landing.symlink_to("an/unmounted/disk")
    return landing


def _source_is_a_file(landing: Path) -> Path:
    landing.mkdir()
    (landing / "police").write_text("not a folder", encoding="utf-8")
    return landing / "police"


def _source_is_a_dead_link(landing: Path) -> Path:
    landing.mkdir()
    (landing / "prosecution").symlink_to("an/unmounted/disk")
    return landing / "prosecution"


def _year_is_a_dead_link(landing: Path) -> Path:
    (landing / "police").mkdir(parents=True)
    (landing / "police" / "2024").symlink_to("an/unmounted/disk")
    return landing / "police" / "2024"


UNREADABLE: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing": (_is_missing, "does not exist"),
    "a file": (_is_a_file, "is not a folder"),
    "a dead link": (_is_a_dead_link, "is a link that leads nowhere"),
    "a source that is a file": (_source_is_a_file, "is not a folder"),
    "a source that is a dead link": (_source_is_a_dead_link, "is a link that leads nowhere"),
    "a year that is a dead link": (_year_is_a_dead_link, "is a link that leads nowhere"),
}


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A warehouse that commands find by their environment, and by whose rules `published_world` was made."""
    settings = settings_in(tmp_path, suppress_below=5)
    for variable, value in environment(settings).items():
        monkeypatch.setenv(variable, value)
    return settings


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_landing_folder_that_cannot_be_looked_at_is_an_error(
    command: Settings, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    make, problem = UNREADABLE[what]
    folder = make(command.landing)
    assert cli.main(["load"]) == 5
    output = capsys.readouterr()
    assert f"uppklarat: {folder} {problem}" in output.err
    assert NEXT in output.err
    assert "nothing" not in output.out
    assert cli.main(["load", "--json"]) == 5
    assert json.loads(capsys.readouterr().out)["error"].startswith(f"{folder} {problem}")


@pytest.mark.parametrize("what", UNREADABLE)
def test_status_says_so_beside_what_it_knows(
    loaded: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    for variable, value in environment(loaded).items():
        monkeypatch.setenv(variable, value)
    shutil.rmtree(loaded.landing)
    make, problem = UNREADABLE[what]
    folder = make(loaded.landing)
    assert cli.main(["status"]) == 5
    output = capsys.readouterr().out
    assert f"police/{YEAR}" in output
    assert f"waiting: {folder} {problem}" in output
    assert cli.main(["status", "--json"]) == 5
    found = json.loads(capsys.readouterr().out)
    assert found["landing_unreadable"].startswith(f"{folder} {problem}")
    assert [one["in_landing"] for one in found["deliveries"]] == [False, False]


@pytest.mark.parametrize("what", UNREADABLE)
def test_schedule_and_sensor_fail_rather_than_skip(settings: Settings, what: str) -> None:
    make, problem = UNREADABLE[what]
    make(settings.landing)
    with dg.DagsterInstance.ephemeral() as instance:
        resources = {"places": places(settings)}
        with pytest.raises(UnreadableLandingError, match=problem):
            new_delivery(dg.build_sensor_context(instance=instance, resources=resources))
        assert isinstance(error_of_tick(settings, instance), UnreadableLandingError)


@pytest.mark.parametrize("name", ["", "police", f"police/{YEAR}"])
@pytest.mark.parametrize("mode", [0o000, 0o444])
def test_without_permission(loaded: Settings, name: str, mode: int) -> None:
    """As a user who is not root."""
    for source in ("police", "prosecution"):
        put(loaded, source, files_of(source))
    folder = loaded.landing / name
    before = folder.stat().st_mode
    folder.chmod(mode)
    try:
        ended = run(loaded, Way(as_root=False))
        status = run(loaded, Way(("status",), as_root=False))
    finally:
        folder.chmod(before)
    for each in (ended, status):
        assert each.returncode == 5, each.stderr
    assert f"{folder} cannot be read (Permission denied)" in ended.stderr
    assert f"{folder} cannot be read (Permission denied)" in status.stdout
    assert run(loaded, Way(("status",), as_root=False)).returncode == 0


@pytest.mark.parametrize("name", ["offences.csv", "manifest.json"])
def test_a_file_without_permission_is_not_the_suppliers_to_correct(settings: Settings, name: str) -> None:
    folder = put_with_manifest(settings, "police", files_of("police"))
    (folder / name).chmod(0o000)
    ended = run(settings, Way(("check", str(folder)), as_root=False))
    assert ended.returncode == cli.REJECTED
    assert (
        f"police/{YEAR}/{name}: it cannot be read (Permission denied). Give the user who loads the right"
        in ended.stdout
    )


def test_nothing_is_touched(command: Settings, published_world: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    copied(published_world, command)
    shutil.rmtree(command.landing)
    (command.published / paths.DRAFT).mkdir()
    assert cli.main(["load"]) == 5
    assert (command.published / paths.DRAFT).exists()


def test_an_empty_landing_folder_is_nothing_new_and_is_named(
    command: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    command.landing.mkdir()
    assert cli.main(["load"]) == 0
    assert f"waiting: {command.landing} holds no delivery" in capsys.readouterr().out
    assert cli.main(["status"]) == 0
    assert f"waiting: {command.landing} holds no delivery" in capsys.readouterr().out


# --- what was expected -------------------------------------------------------------------------------------------------


def published_into(settings: Settings, world: Settings) -> None:
    """Two published years whose deliveries were cleared away from the landing folder."""
    copied(world, settings)
    shutil.rmtree(settings.landing)
    settings.landing.mkdir()


def expecting(years: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    code = cli.main(["load", "--expect", years])
    output = capsys.readouterr().err.splitlines()
    return code, [line.removeprefix("missing: ") for line in output if line.startswith("missing: ")]


def test_a_year_that_is_complete_and_published_is_no_error(
    command: Settings, published_world: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    published_into(command, published_world)
    assert expecting("2023", capsys) == (0, [])
    assert expecting("2023-2024", capsys) == (0, [])
    assert expecting("2022,2024-2025", capsys) == (
        5,
        [f"{year} is not complete: no delivery of police or prosecution is loaded" for year in (2022, 2025)],
    )
    assert cli.main(["load", "--expect", "2025", "--json"]) == 5
    output = json.loads(capsys.readouterr().out)
    assert output["missing"] == ["2025 is not complete: no delivery of police or prosecution is loaded"]


def test_a_year_with_one_delivery_did_not_arrive(command: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    put(command, "police", files_of("police"))
    assert expecting(str(YEAR), capsys) == (5, [f"{YEAR} is not complete: no delivery of prosecution is loaded"])


def test_a_year_that_readers_do_not_open_is_missing(
    command: Settings, published_world: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    published_into(command, published_world)
    (first,) = publications(command)
    earlier = command.published / "20200101T000000Z"
    shutil.copytree(first.folder, earlier)
    manifest = earlier / "manifest.json"
    manifest.chmod(0o644)
    output = {**first.manifest, "publication_id": earlier.name, "years": [2023]}
    manifest.write_text(json.dumps(output), encoding="utf-8")
    activate(command, earlier.name)
    assert active_publication(command) == earlier.name
    assert expecting("2023", capsys) == (0, [])
    assert expecting("2024", capsys) == (5, [f"2024 is loaded, but not in the active publication ({earlier.name})"])


def test_what_weighs_most_is_the_exit_code(
    command: Settings, published_world: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """A blocked audit, then a missing year, then a rejected delivery; all of it is reported."""
    published_into(command, published_world)
    (command.landing / "police" / "2100").mkdir(parents=True)
    assert cli.main(["load"]) == 3
    capsys.readouterr()
    assert expecting("2025", capsys)[0] == 5
    for year in (2023, 2024):
        withdraw(read_state(command), "police", year)
    code, missing = expecting("2024", capsys)
    assert (code, missing) == (4, ["2024 is not complete: no delivery of police is loaded"])


@pytest.mark.parametrize("years", ["25", "2025-2019", "x"])
def test_expected_years_are_written_like_years(command: Settings, years: str) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["load", "--expect", years])
    assert ended.value.code == 2


def test_the_exit_codes_are_those_of_the_table() -> None:
    """docs/operating.md has the same."""
    codes = [cli.OK, cli.FAILED, cli.USAGE, cli.REJECTED, cli.BLOCKED, cli.NOTHING_ARRIVED, cli.NOT_SERVED]
    assert codes == list(range(7))
    lines = (REPOSITORY / "docs" / "operating.md").read_text(encoding="utf-8").splitlines()
    assert [code for code in codes if any(line.startswith(f"| {code} |") for line in lines)] == codes
