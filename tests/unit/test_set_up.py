"""The Makefile says in its first line what is missing, and needs no folder of its own that it could not write to."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from dagster_project.settings import REPOSITORY


def make(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make with no other programs than those of this folder and the shell's."""
    return subprocess.run(
        [str(shutil.which("make")), "--no-print-directory", *arguments],
        cwd=REPOSITORY,
        env={"PATH": str(path), "HOME": str(path)},
        capture_output=True,
        text=True,
    )


def python(folder: Path, name: str, version: str, has_venv: bool = True) -> Path:
    """A program that answers what the Makefile asks of Python."""
    fits = 0 if version in ("3.11.2", "3.12.7", "3.13.5") else 1
    path = folder / name
    path.write_text(
        "#!/bin/sh\n"
        f'case "$*" in --version) echo Python {version};; *version_info*) exit {fits};; *ensurepip*) exit {int(not has_venv)};; '
        f'*) echo {name} "$@" >&2; exit 7;; esac\n'
    )
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("version", ["3.10.13", "3.14.0"])
def test_a_python_that_does_not_fit_is_named_first(tmp_path: Path, version: str) -> None:
    python(tmp_path, "python3", version)
    ended = make(tmp_path, "python")
    first, *_ = ended.stderr.splitlines()
    assert first.startswith(f"Uppklarat needs Python 3.11, 3.12 or 3.13, and found Python {version};")
    assert ended.returncode == 2


def test_a_missing_venv_is_named_first(tmp_path: Path) -> None:
    python(tmp_path, "python3", "3.13.5", has_venv=False)
    first, *_ = make(tmp_path, "python").stderr.splitlines()
    assert first == "Uppklarat needs Python's venv, which python3 lacks: apt install python3-venv"


@pytest.mark.parametrize("names", [["python3"], ["python3.11", "python3.13", "python3.12", "python3"]])
def test_the_newest_that_fits_is_taken(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        python(tmp_path, name, "3.12.7" if name == "python3.12" else "3.13.5")
    # A name that leads nowhere, as pyenv leaves them.
    if len(names) == 1:
        (tmp_path / "python3.13").write_text("#!/bin/sh\nexit 127\n")
        (tmp_path / "python3.13").chmod(0o755)
    assert make(tmp_path, "python").returncode == 0
    assert max(names) in make(tmp_path, "-n", "python").stdout


def test_a_fitting_python_that_is_named_is_taken(tmp_path: Path) -> None:
    assert make(tmp_path, "python", f"PYTHON={python(tmp_path, 'mine', '3.11.2')}").returncode == 0
    assert "Python 3.9.2" in make(tmp_path, "python", f"PYTHON={python(tmp_path, 'old', '3.9.2')}").stderr


def test_each_version_that_is_allowed_is_tried() -> None:
    """The limits of the package, those of the Makefile and the versions of CI."""
    assert 'requires-python = ">=3.11,<3.14"' in (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    assert "(3, 11) <= sys.version_info < (3, 14)" in (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    workflow = (REPOSITORY / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert 'python: ["3.11", "3.12", "3.13"]' in workflow
