"""What `deploy/` promises: units that systemd accepts, an environment file that is complete, a backup that can be restored."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import copied, settings_in
from pydantic import BaseModel
from warehouse import COMMAND, marts, uppklarat

from dagster_project import paths
from dagster_project.settings import PREFIX, REPOSITORY, Settings

DEPLOY = REPOSITORY / "deploy"
UNITS = sorted(path.name for path in (DEPLOY / "systemd").iterdir() if path.is_file())
needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units, of an installation that is there."""
    folder, installed = tmp_path / "units", tmp_path / "installed" / "bin"
    shutil.copytree(DEPLOY / "systemd", folder)
    installed.mkdir(parents=True)
    for unit in folder.glob("*.service"):
        text = unit.read_text(encoding="utf-8")
        for command in re.findall(r"/opt/uppklarat/bin/([\w-]+)", text):
            # And in this environment, so that the names are those of real commands.
            assert (COMMAND.with_name(command)).exists()
            shutil.copy("/bin/true", installed / command)
        unit.write_text(text.replace("/opt/uppklarat", str(installed.parent)), encoding="utf-8")
    return folder


def analyze(units: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *arguments],
        cwd=units,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:"},
        capture_output=True,
        text=True,
    )


@needs_systemd
def test_systemd_accepts_the_units(units: Path) -> None:
    assert len(UNITS) == 5
    ended = analyze(units, "verify", *UNITS)
    assert (ended.returncode, ended.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("unit", [name for name in UNITS if name.endswith(".service")])
def test_the_sandbox_is_rated_ok(units: Path, unit: str) -> None:
    """At most 3.0 of 10, where 10 is no sandbox."""
    ended = analyze(units, "security", "--offline=true", "--threshold=30", str(units / unit))
    assert ended.returncode == 0, ended.stdout[-300:]
    assert "OK" in ended.stdout.splitlines()[-1]


def test_the_web_page_listens_on_this_machine_only() -> None:
    text = (DEPLOY / "systemd" / "uppklarat-webserver.service").read_text(encoding="utf-8")
    assert "--host 127.0.0.1" in text
    assert re.findall(r"^IPAddress\w+=.*", text, re.MULTILINE) == ["IPAddressDeny=any", "IPAddressAllow=localhost"]


def variables(settings: BaseModel, prefix: str = PREFIX) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in settings:
        found |= (
            variables(value, f"{prefix}{name}_") if isinstance(value, BaseModel) else {f"{prefix}{name}".upper(): value}
        )
    return found


@pytest.fixture
def every_line(tmp_path: Path) -> Path:
    """The environment file with all its lines in force."""
    file, text = tmp_path / "uppklarat.env", (DEPLOY / "uppklarat.env").read_text(encoding="utf-8")
    file.write_text(re.sub("^#(?=UPPKLARAT_)", "", text, flags=re.MULTILINE), encoding="utf-8")
    return file


def sourced(file: Path) -> dict[str, str]:
    """The variables as a shell reads them, which the backup does."""
    ended = subprocess.run(
        ["sh", "-euc", f"set -a; . {file}; env -0"],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=10,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    read = dict(line.split("=", 1) for line in ended.stdout.split("\0") if line)
    return {name: value for name, value in read.items() if name.startswith(PREFIX)}


def test_the_environment_file_names_every_setting_and_no_other(
    every_line: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [line for line in every_line.read_text(encoding="utf-8").splitlines() if line.startswith(PREFIX)]
    named = dict(line.split("=", 1) for line in lines)
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    known = variables(Settings())
    assert len(named) == len(lines)
    assert {*named} == {*known}
    read = sourced(every_line)
    # As systemd reads it.
    assert read == {name: "".join(shlex.split(text)) for name, text in named.items()}
    for name, text in read.items():
        monkeypatch.setenv(name, text)
    stated = variables(Settings.from_environment())
    examples = {f"{PREFIX}{name}" for name in ("LANDING", "HOME", "PUBLISHED", "NOTIFY", "POSTGRES_DSN")}
    assert {name: stated[name] for name in known if name not in examples} == {
        name: value for name, value in known.items() if name not in examples
    }


@pytest.mark.parametrize("way", ["deploy/Containerfile", "deploy/README.md"])
def test_a_command_gets_the_environment_file_and_its_arguments(every_line: Path, way: str) -> None:
    """In the container, and by hand as the service user."""
    text = (REPOSITORY / way).read_text(encoding="utf-8").replace("\\\n", "")
    (line,) = re.findall(r"^(?:ENTRYPOINT|runuser) .*$", text, re.MULTILINE)
    line = line.replace("/etc/uppklarat/uppklarat.env", str(every_line)).replace(
        "/var/lib/uppklarat", str(every_line.parent)
    )
    line = line.replace("exec uppklarat", "exec printenv").replace("/opt/uppklarat/bin/uppklarat", "printenv")
    command = json.loads(line.removeprefix("ENTRYPOINT")) if way.endswith("file") else shlex.split(line)[4:-1]
    asked = ["UPPKLARAT_SCHEDULE", "UPPKLARAT_NOTIFY"]
    ended = subprocess.run(
        [*command, *asked], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=10
    )
    assert ended.stdout.splitlines() == [sourced(every_line)[name] for name in asked]


def backup(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(DEPLOY / "backup.sh"), *arguments]
    return subprocess.run(command, env=environment_of(settings), capture_output=True, text=True, timeout=60)


def environment_of(settings: Settings) -> dict[str, str]:
    """Without the parsed project, which `environment` would put into a place that has to be empty."""
    places = {name: str(getattr(settings, name)) for name in ("landing", "home", "published")}
    return {"PATH": "/usr/bin:/bin", **{f"{PREFIX}{name.upper()}": place for name, place in places.items()}}


def test_what_was_saved_is_restored_and_the_rest_is_derived(published_world: Settings, tmp_path: Path) -> None:
    saved, lost, folder = settings_in(tmp_path / "saved"), settings_in(tmp_path / "restored"), str(tmp_path / "backup")
    copied(published_world, saved)
    for place, name in ((saved.landing, paths.CORRECTIONS), (saved.home, paths.WAIVERS), (saved.home, paths.KEY_FILE)):
        (place / name).write_text("[]")
    (saved.published / paths.DRAFT).mkdir()
    ended = backup(saved, "save", folder)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert backup(saved, "save", folder).returncode == 2
    assert backup(saved, "restore", folder).returncode == 2
    ended = backup(lost, "restore", folder)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert lost.home.stat().st_mode & 0o777 == 0o700
    assert (lost.landing / paths.CORRECTIONS).exists()
    assert (lost.home / paths.WAIVERS).exists()
    assert (lost.home / paths.KEY_FILE).exists()
    assert not (lost.home / paths.WAREHOUSE).exists()
    assert not (lost.published / paths.DRAFT).exists()
    (lost.home / paths.KEY_FILE).unlink()
    shutil.copytree(saved.landing / "police", lost.landing / "police")
    shutil.copytree(saved.landing / "prosecution", lost.landing / "prosecution")
    load = uppklarat(lost, "load")
    assert load.returncode == 0, load.stderr
    current = paths.CURRENT / "uppklarat.duckdb"
    assert marts(lost.published / current) == marts(saved.published / current)


def test_a_damaged_backup_is_not_restored(tmp_path: Path) -> None:
    settings, folder = settings_in(tmp_path), tmp_path / "backup"
    for place in (settings.landing, settings.home, settings.published):
        place.mkdir()
    assert backup(settings, "save", str(folder)).returncode == 0
    with (folder / "home.tar").open("ab") as file:
        file.write(b"more")
    (settings.home / "lock").unlink()
    assert backup(settings, "restore", str(folder)).returncode == 1
    assert list(settings.home.iterdir()) == []


def test_a_backup_says_what_it_lacks(tmp_path: Path) -> None:
    settings, folder = settings_in(tmp_path), tmp_path / "backup"
    ended = backup(settings, "save", str(folder))
    assert (ended.returncode, folder.exists()) == (2, False)
    assert "nothing was loaded yet" in ended.stderr
    settings.home.mkdir()
    settings.landing.mkdir()
    assert backup(settings, "save", str(folder)).returncode == 0
    (folder / "key.tar").rename(tmp_path / "key.tar")
    ended = backup(settings_in(tmp_path / "new"), "restore", str(folder))
    assert (ended.returncode, (tmp_path / "new").exists()) == (2, False)
    assert "key.tar is missing; put it back" in ended.stderr


def test_every_place_that_is_not_derived_is_saved() -> None:
    text = (DEPLOY / "backup.sh").read_text(encoding="utf-8")
    derived = {
        paths.LANDING_INDEX, paths.AUDIT, paths.PARSED, paths.WAREHOUSE, paths.QUARANTINED_DECISIONS, paths.SCRATCH, paths.LOCK,
        # What dbt and Dagster keep for themselves.
        paths.DBT_LOGS, paths.DAGSTER_HOME,
    }  # fmt: skip
    every = {place for place in vars(paths).values() if isinstance(place, Path) and place.parent == Path()}
    published = {paths.DRAFT, paths.CURRENT}
    assert [place.name for place in every - derived - published if place.name not in re.findall(r"[\w.]+", text)] == []


def test_a_new_machine_gets_what_the_readme_lists_and_nothing_else() -> None:
    """`try_on_debian.sh` takes the packages from the README."""
    script, readme = (
        (REPOSITORY / name).read_text(encoding="utf-8") for name in ("deploy/try_on_debian.sh", "README.md")
    )
    expression = re.search(r"packages=\$\((sed -n '[^']*' )\"\$code/README.md\"", script)
    assert expression is not None
    found = subprocess.run(["sh", "-c", f"{expression[1]} README.md"], cwd=REPOSITORY, capture_output=True, text=True)
    assert found.stdout.split() == ["make", "python3-venv", "ca-certificates"]
    assert "make run" in readme and "make test" in readme
    assert "${COMMANDS:-make run; make test}" in script
    for name in ("backup.sh", "try_on_debian.sh"):
        assert subprocess.run(["sh", "-n", str(DEPLOY / name)]).returncode == 0
