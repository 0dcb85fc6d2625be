"""Who publishes and under which licence: the neutral default, and what `<home>/catalogue.yml` says instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster_project.ingestion.identifiers import holds_identifier
from dagster_project.publication.formats.texts import LANGUAGES, Text
from dagster_project.strict_yaml import StrictLoader, read_yaml

DEFAULT = Path(__file__).with_name("catalogue.yml")
_ADDRESS = r"https?://[^\s<>\"{}|\\^`]+"
_PATTERNS = {
    "publisher_uri": _ADDRESS,
    "contact_email": r"[^\s@<>\"]+@[^\s@<>\"]+",
    "licence": _ADDRESS,
    "licence_name": r"[A-Za-z0-9.+-]+",
    "base_url": _ADDRESS + "/",
    "landing_page": _ADDRESS,
}
_MAY_BE_NULL = {"publisher_uri", "base_url", "landing_page"}


class CatalogueError(Exception):
    """The user's catalogue file is not what it should be."""


@dataclass(frozen=True)
class Catalogue:
    """What the records of a publication say of its publisher.

    `base_url` is the address of the published folder, with a slash at its end; None where it is not served.
    """

    publisher: Text
    publisher_uri: str | None
    contact: Text
    contact_email: str
    licence: str
    licence_name: str
    base_url: str | None
    landing_page: str | None
    title: Text
    description: Text
    keywords: Mapping[str, tuple[str, ...]]

    @property
    def contact_line(self) -> Text:
        """The contact in one line."""
        return {language: f"{self.contact[language]}, {self.contact_email}" for language in LANGUAGES}


def read_catalogue(path: Path) -> Catalogue:
    """The default, with what a file of the user's says instead, if there is one.

    Raises `CatalogueError` for anything that is not wholly understood.
    """
    declared = _read(DEFAULT)
    if path.exists():
        own = _read(path)
        if unknown := sorted(map(str, own.keys() - declared.keys())):
            raise CatalogueError(f"{path}: {', '.join(unknown)} is not known; known are {', '.join(declared)}")
        declared |= own
    return Catalogue(**{name: _checked(path, name, value) for name, value in declared.items()})


def _read(path: Path) -> dict[str, Any]:
    read = read_yaml(path, StrictLoader, CatalogueError)
    if not isinstance(read, dict):
        raise CatalogueError(f"{path}: it must hold names and values")
    return read


def _checked(path: Path, name: str, value: Any) -> Any:
    def require(condition: object, problem: str) -> None:
        if not condition:
            raise CatalogueError(f"{path}: {name} {problem}")

    if name in _PATTERNS:
        if value is None and name in _MAY_BE_NULL:
            return None
        require(isinstance(value, str) and re.fullmatch(_PATTERNS[name], value), f"must be like {_PATTERNS[name]}")
        return value
    require(isinstance(value, dict) and set(value) == set(LANGUAGES), f"must be said in {' and '.join(LANGUAGES)}")
    for texts in value.values():
        is_list = isinstance(texts, list)
        require(is_list == (name == "keywords"), "must be lists" if name == "keywords" else "must be texts")
        for text in texts if is_list else [texts]:
            require(isinstance(text, str) and text.strip(), "must be filled")
            require(
                not holds_identifier(text),
                "is published: no case number and no personal identity number may stand there",
            )
    if name == "keywords":
        return {language: tuple(" ".join(text.split()) for text in texts) for language, texts in value.items()}
    return {language: " ".join(text.split()) for language, text in value.items()}
