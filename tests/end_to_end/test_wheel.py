"""The wheel is the whole product: it works from a folder that nobody can write to, and leaves the folder as it was."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import settings_in
from warehouse import environment

from dagster_project import paths
from dagster_project.publications import publications
from dagster_project.settings import REPOSITORY, Settings
from dagster_project.versions import fingerprint

# What a folder of the repository is called in the wheel.
PLACES = {
    "dagster_project": "dagster_project",
    "expectations": "expectations",
    "dbt": "dagster_project/_dbt",
    "docs": "dagster_project/_docs",
}
MAIN = "dagster_project.cli.main"
NOT_CODE = {"target", "logs", "__pycache__"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked into a read-only folder."""
    wheels, unpacked = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("installed")
    command = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(wheels)]
    subprocess.run([sys.executable, "-m", "pip", *command, str(REPOSITORY)], check=True, timeout=120)
    (wheel,) = wheels.iterdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    for path in (unpacked, *unpacked.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return unpacked


def run(installed: Path, settings: Settings, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module of the wheel, with the dependencies of this environment."""
    ended = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=settings.home.parent,
        env={**environment(settings), "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended


def files(folder: Path) -> dict[Path, int]:
    return {path.relative_to(folder): path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_every_file_of_the_product_is_in_the_wheel(installed: Path) -> None:
    for folder, there in PLACES.items():
        source = REPOSITORY / folder
        expected = {
            path.relative_to(source)
            for path in source.rglob("*")
            if path.is_file() and not NOT_CODE & set(path.relative_to(source).parts)
        }
        found = {path for path in files(installed / there) if (installed / there / path).is_file()}
        assert {path for path in found if path.parts[0] not in ("_dbt", "_docs")} == expected
        # Or a change from one way of installation to the other would derive every year again.
        assert fingerprint([installed / there]) == fingerprint([source])
    assert {path.parts[0] for path in files(installed)} == {
        "dagster_project",
        "expectations",
        *(path.name for path in installed.glob("uppklarat-*.dist-info")),
    }


def test_the_wheel_says_its_version(installed: Path, tmp_path: Path) -> None:
    before = files(installed)
    assert run(installed, settings_in(tmp_path), MAIN, "--version").stdout.startswith("uppklarat 0.")
    assert files(installed) == before


@pytest.mark.soak
def test_the_wheel_loads_and_writes_into_its_home_only(installed: Path, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    before = files(installed)
    run(installed, settings, MAIN, "sample", "--years", "2024", "--scale", "0.002", "--others", "1")
    # As a first command does; the tests' own parsed project is that of the repository.
    (settings.home / paths.PARSED).unlink()
    (settings.home / paths.PARSED).mkdir()
    loaded = run(installed, settings, MAIN, "load", "--expect", "2024")
    assert loaded.stderr.count("parsed the dbt project") == 1
    assert "make dev" not in loaded.stdout
    assert " -m dagster_project.defs.web_page, then" in loaded.stdout
    assert len(publications(settings)) == 1
    assert files(installed) == before
    assert {path.name for path in tmp_path.iterdir()} == {"landing", "warehouse", "published"}


@pytest.mark.soak
def test_the_wheel_is_installed_without_a_network(tmp_path: Path) -> None:
    """With the commands of docs/installation.md."""
    page = (REPOSITORY / "docs" / "installation.md").read_text(encoding="utf-8").partition("## Without a network")[2]
    fetched, installed = (
        block.replace("python3 ", f"{sys.executable} ").replace("/opt/uppklarat", str(tmp_path / "installed"))
        for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    )
    fetched = fetched.replace(" wheels ", f" {tmp_path}/wheels ")
    subprocess.run(["sh", "-ec", fetched], cwd=REPOSITORY, check=True, timeout=1200)
    offline = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null"}
    subprocess.run(["sh", "-ec", installed], cwd=tmp_path, env=offline, check=True, timeout=1200)
    command = tmp_path / "installed" / "bin" / "uppklarat"
    ended = subprocess.run(
        [command, "--version"], cwd=tmp_path, env=offline, capture_output=True, text=True, check=True
    )
    assert ended.stdout.startswith("uppklarat 0.")


def test_the_parsed_project_is_made_once_and_replaces_an_earlier_one(tmp_path: Path) -> None:
    """Two processes may need it at the same time."""
    parsed = tmp_path / "warehouse" / paths.PARSED
    (parsed / "earlier version").mkdir(parents=True)
    command = [sys.executable, "-m", "dagster_project.transformation.dbt_project"]
    started = [
        subprocess.Popen(
            command, env={"PATH": "/usr/bin:/bin", "UPPKLARAT_HOME": str(tmp_path / "warehouse")}, cwd=tmp_path,
            stderr=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    messages = [process.communicate(timeout=300)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert "".join(messages).count("parsed the dbt project, once per version") == 1
    (folder,) = (path for path in parsed.iterdir() if path.is_dir())
    assert {path.name for path in folder.iterdir()} == {
        "manifest.json",
        "partial_parse.msgpack",
        "semantic_manifest.json",
    }
    assert {path.name for path in tmp_path.iterdir()} == {"warehouse"}
