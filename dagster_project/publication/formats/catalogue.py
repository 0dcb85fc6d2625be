"""Publisher and licence: a neutral default, which `<home>/catalogue.yml` can override."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field, ValidationError

from dagster_project.declared_files import DeclaredModel, StrictLoader, describe_errors, read_yaml
from dagster_project.ingestion.identifiers import PublicText
from dagster_project.publication.formats.texts import LANGUAGES, Text

DEFAULT = Path(__file__).with_name("catalogue.yml")
_ADDRESS = r"https?://[^\s<>\"{}|\\^`]+"
_Address: TypeAlias = Annotated[str, Field(pattern=f"^{_ADDRESS}$")]


def _in_all_languages(texts: Mapping[str, object]) -> Mapping[str, object]:
    if set(texts) != set(LANGUAGES):
        raise ValueError(f"it needs a text in {' and '.join(LANGUAGES)}")
    return texts


_InAllLanguages = AfterValidator(_in_all_languages)
_Text: TypeAlias = Annotated[dict[str, PublicText], _InAllLanguages]


class CatalogueError(Exception):
    """The user's catalogue file is invalid."""


class Catalogue(DeclaredModel):
    """The publisher's details in the metadata of a publication.

    `base_url` is the address of the published folder, with a trailing slash; None if the folder is not served.
    """

    publisher: _Text
    publisher_uri: _Address | None
    contact: _Text
    contact_email: Annotated[str, Field(pattern=r"^[^\s@<>\"]+@[^\s@<>\"]+$")]
    licence: _Address
    licence_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9.+-]+$")]
    base_url: Annotated[str, Field(pattern=f"^{_ADDRESS}/$")] | None
    landing_page: _Address | None
    title: _Text
    description: _Text
    keywords: Annotated[dict[str, list[PublicText]], _InAllLanguages]

    @property
    def contact_line(self) -> Text:
        """The contact in one line."""
        return {language: f"{self.contact[language]}, {self.contact_email}" for language in LANGUAGES}


def read_catalogue(path: Path) -> Catalogue:
    """The default, overridden by the user's file, if there is one.

    Raises `CatalogueError` if the file contains anything unknown or invalid.
    """
    declared = read_yaml(DEFAULT, StrictLoader, CatalogueError)
    if path.exists():
        own = read_yaml(path, StrictLoader, CatalogueError)
        declared = declared | own if isinstance(own, dict) else own
    try:
        return Catalogue.model_validate(declared)
    except ValidationError as error:
        raise CatalogueError(
            f"{path}: {describe_errors(error)}. These names may stand there: {', '.join(Catalogue.model_fields)}"
        ) from None
