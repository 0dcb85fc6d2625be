"""Fingerprints of the code, to detect and rebuild the results of other versions."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import cache
from importlib.metadata import requires, version
from pathlib import Path

from dagster_project.settings import CODE, DBT_PROJECT, REPOSITORY

_PACKAGE = "uppklarat"
_CODE = (CODE, DBT_PROJECT, REPOSITORY / "expectations")
_SUFFIXES = {".py", ".sql", ".yml", ".csv", ".md", ".j2", ".css", ".js", ".typ"}
# Code that only presents figures or generates samples is excluded from the rules.
_PRESENTATION = (
    "cli",
    "sample",
    "report",
    "publication/formats",
    "publication/postgres",
)


@cache
def code_version() -> str:
    """The package's version and a fingerprint of all code and dependencies; a change causes a new publication."""
    return f"{version(_PACKAGE)}+{version_of(_CODE)}"


@cache
def rules_version() -> str:
    """Fingerprint of the code that determines figures; a change rebuilds all years and repeats the audit."""
    return version_of(_CODE, exclude=[CODE / name for name in _PRESENTATION])


@cache
def transformation_version() -> str:
    """Fingerprint of the dbt project, its path and dbt's version; a change requires a new parse."""
    parts = [fingerprint([DBT_PROJECT]), str(DBT_PROJECT), *(version(name) for name in ("dbt-core", "dbt-duckdb"))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def version_of(places: Iterable[Path], exclude: Iterable[Path] = ()) -> str:
    """Fingerprint of source files and of the installed versions of the package's dependencies."""
    parts = [fingerprint(places, exclude), *dependencies()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


@cache
def dependencies() -> list[str]:
    """The installed versions of the package's dependencies, as `name==version`."""
    required = (requirement for requirement in requires(_PACKAGE) or () if "extra ==" not in requirement)
    names = (re.match(r"[\w.-]+", requirement) for requirement in required)
    return sorted(f"{name[0]}=={version(name[0])}" for name in names if name)


def fingerprint(places: Iterable[Path], exclude: Iterable[Path] = ()) -> str:
    """Hash the names and content of source files, given as folders (without dbt's output) or single files.

    The hash is the same for a checkout and a wheel, whose package also contains the dbt project and the docs.
    """
    excluded = list(exclude)
    digest = hashlib.sha256()
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if (
                path.suffix in _SUFFIXES
                and path.is_file()
                and not {"target", "logs", "_dbt", "_docs"} & set(path.relative_to(place).parts)
                and not any(path.is_relative_to(folder) for folder in excluded)
            ):
                digest.update(str(path.relative_to(place)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
