"""Fingerprints of the code, so that what other code made can be told apart and made anew."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from pathlib import Path

from dagster_project.settings import DBT_PROJECT, REPOSITORY

_SUFFIXES = {".py", ".sql", ".yml", ".csv", ".md", ".j2", ".css", ".js", ".typ"}


@cache
def code_version() -> str:
    """Version of the package and fingerprint of all that decides what a publication holds."""
    code = fingerprint([REPOSITORY / "dagster_project", DBT_PROJECT, REPOSITORY / "expectations"])
    return f"{version('uppklarat')}+{code}"


@cache
def transformation_version() -> str:
    """Fingerprint of the dbt project: marts built by another one are built anew."""
    return fingerprint([DBT_PROJECT])


@cache
def expectations_version() -> str:
    """Fingerprint of the expectations: deliveries audited by others are audited again."""
    return fingerprint([REPOSITORY / "expectations"])


def fingerprint(places: Iterable[Path]) -> str:
    """Hash names and content of the source files in some folders (dbt's own output left out) or of single files."""
    digest = hashlib.sha256()
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if (
                path.suffix in _SUFFIXES
                and path.is_file()
                and not {"target", "logs"} & set(path.relative_to(place).parts)
            ):
                digest.update(str(path.relative_to(place)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
