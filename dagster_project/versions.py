"""Fingerprints of the code, so that what other code made can be told apart and made again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import cache
from importlib.metadata import requires, version
from pathlib import Path

from dagster_project.settings import DBT_PROJECT, REPOSITORY

_PACKAGE = "uppklarat"
_CODE = (REPOSITORY / "dagster_project", DBT_PROJECT, REPOSITORY / "expectations")
_SUFFIXES = {".py", ".sql", ".yml", ".csv", ".md", ".j2", ".css", ".js", ".typ"}
# What only shows figures, or makes synthetic ones, decides none: it is no part of the rules.
_PRESENTATION = (
    "cli",
    "sample",
    "report",
    "publication/formats",
    "publication/postgres",
)


@cache
def code_version() -> str:
    """Version of the package and fingerprint of all code and its dependencies: another one makes a new publication."""
    return f"{version(_PACKAGE)}+{version_of(_CODE)}"


@cache
def rules_version() -> str:
    """Fingerprint of the code that decides figures: years derived and extracts audited by other rules are made again."""
    return version_of(_CODE, leaving_out=[REPOSITORY / "dagster_project" / name for name in _PRESENTATION])


@cache
def transformation_version() -> str:
    """Fingerprint of the dbt project: one that has changed since it was parsed is parsed again."""
    return fingerprint([DBT_PROJECT])


def version_of(places: Iterable[Path], leaving_out: Iterable[Path] = ()) -> str:
    """Fingerprint of some code and of the installed versions of what the package needs."""
    declared = (re.match(r"[\w.-]+", one) for one in requires(_PACKAGE) or () if "extra ==" not in one)
    dependencies = sorted(f"{name[0]}=={version(name[0])}" for name in declared if name)
    parts = [fingerprint(places, leaving_out), *dependencies]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def fingerprint(places: Iterable[Path], leaving_out: Iterable[Path] = ()) -> str:
    """Hash names and content of the source files in some folders (dbt's own output left out) or of single files."""
    left_out = list(leaving_out)
    digest = hashlib.sha256()
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if (
                path.suffix in _SUFFIXES
                and path.is_file()
                and not {"target", "logs"} & set(path.relative_to(place).parts)
                and not any(path.is_relative_to(folder) for folder in left_out)
            ):
                digest.update(str(path.relative_to(place)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
