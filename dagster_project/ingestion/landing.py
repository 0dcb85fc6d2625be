"""The landing folder: its deliveries, their files and their manifests."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, NonNegativeInt, StringConstraints, ValidationError

from dagster_project import paths
from dagster_project.contract import FileContract, input_contract
from dagster_project.declared_files import DeclaredModel, describe_errors
from dagster_project.ingestion.personal_number import holds_personal_number
from dagster_project.ingestion.rejection import RejectedDeliveryError, cannot_be_read
from dagster_project.ingestion.value_formats import foreign_format

# A manifest has some hundred bytes; a file of a megabyte is not a manifest and must not be read into memory.
LARGEST_MANIFEST = 1 << 20
# The folder of Brå's own tables, which keep their original names.
OFFICIAL = "official"
OFFICIAL_SOURCES = tuple(f"{OFFICIAL}/{area}" for area in ("La", *(f"Rn0{number}" for number in range(1, 8))))
"""Names of Brå's tables in the ledger: the country and the police regions."""
_OFFICIAL_NAME = re.compile(r"300(La|Rn0[1-7])-(\d{4})\.xlsx?", re.ASCII)
# How similar two file names must be (0 to 1) to count as a misspelling.
_ALIKE = 0.8


class UnreadableLandingError(Exception):
    """The landing folder or a source's folder is missing or unreadable, so the deliveries are unknown."""


@dataclass(frozen=True)
class DeliveryFolder:
    """One source and decision year in the landing folder."""

    landing: Path
    source: str
    year: int

    @property
    def path(self) -> Path:
        """The folder itself."""
        return self.landing / self.source / str(self.year)

    @property
    def label(self) -> str:
        """The name shown to people, e.g. `police/2024`."""
        return f"{self.source}/{self.year}"

    @property
    def is_complete(self) -> bool:
        """Whether the manifest, which is uploaded last, exists."""
        return (self.path / paths.MANIFEST).is_file()

    def signature(self) -> str:
        """A cheap fingerprint that changes whenever a file here is added, removed or written."""
        stats = {entry.name: _stat(entry) for entry in sorted(self.path.iterdir())}
        text = json.dumps({name: [s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino] for name, s in stats.items() if s})
        # Hashed, because file names may contain anything.
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class OfficialFile:
    """A file from Brå in the landing folder: table 300 for a year and the country (`La`) or a police region (`Rn03`)."""

    path: Path
    area: str
    year: int

    @property
    def source(self) -> str:
        """Its source in the ledger; a file of the same area and year replaces it."""
        return f"{OFFICIAL}/{self.area}"

    @property
    def label(self) -> str:
        """The name shown to people, e.g. `official/300La-2025.xlsx`."""
        return f"{OFFICIAL}/{self.path.name}"

    def signature(self) -> str:
        """A cheap fingerprint that changes whenever the file is written; raises FileNotFoundError if the file is missing."""
        stat = self.path.stat()
        text = json.dumps([stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino])
        return hashlib.sha256(text.encode()).hexdigest()


def _stat(path: Path) -> os.stat_result | None:
    # Uploads use a temporary name and rename, so a listed file may disappear.
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def _known_version(version: object) -> str:
    known = input_contract().version
    if str(version) != known:
        raise ValueError(f"an unknown version of the contract; deliver by version {known}")
    return known


def _known_encoding(name: str) -> str:
    contract = input_contract()
    if (encoding := contract.encoding_named(name)) is None:
        raise ValueError(f"an unknown encoding; use {' or '.join(contract.encodings)}")
    return encoding


def _numbers_only(synthetic: object) -> dict[str, object] | None:
    # Published unchanged, so it contains numbers only and no text written by a supplier.
    if isinstance(synthetic, dict):
        return {name: synthetic[name] for name in ("scale", "seed") if type(synthetic.get(name)) in (int, float)}
    return {"says": True} if synthetic else None


def _moment(created: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(created) if isinstance(created, str) else None
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None


class ListedFile(DeclaredModel):
    """The manifest's declaration of one file."""

    name: str
    rows: NonNegativeInt
    sha256: Annotated[str, StringConstraints(to_lower=True)]


class Manifest(DeclaredModel):
    """The supplier's manifest of a delivery; `created` is None if it is invalid."""

    contract: Annotated[str, BeforeValidator(_known_version)]
    source: str
    year: int
    files: list[ListedFile]
    encoding: Annotated[str, AfterValidator(_known_encoding)] = Field(
        default_factory=lambda: input_contract().encodings[0]
    )
    synthetic: Annotated[dict[str, Any] | None, BeforeValidator(_numbers_only)] = None
    created: Annotated[datetime | None, BeforeValidator(_moment)] = None

    def promised(self, name: str) -> ListedFile:
        """The declaration of a listed file."""
        return next(file for file in self.files if file.name == name)


@dataclass(frozen=True)
class Delivery:
    """A delivery's files, each listed once; optional ones may be missing. `manifest` is None if none was delivered."""

    folder: DeliveryFolder
    files: Mapping[str, Path]
    manifest: Manifest | None


def find_delivery_folders(landing: Path) -> list[DeliveryFolder]:
    """The folders `<source>/<year>` of the landing folder, by year and then source.

    Raises `UnreadableLandingError` if the landing folder, a source's folder or a year's folder cannot be listed.
    """
    found = []
    for source in input_contract().sources:
        for entry in _list_source(landing, source):
            if _is_year(entry.name) and (entry.is_symlink() or entry.is_dir()):
                _list_folder(entry)
                found.append(DeliveryFolder(landing, source, int(entry.name)))
    return sorted(found, key=lambda folder: (folder.year, folder.source))


def find_official_files(landing: Path) -> list[OfficialFile]:
    """Brå's files in the landing folder, by year and area; they are optional, so their folder may be missing.

    Raises `UnreadableLandingError` if the folder cannot be listed.
    """
    named = ((entry, _OFFICIAL_NAME.fullmatch(entry.name)) for entry in _list_source(landing, OFFICIAL))
    found = [OfficialFile(entry, match[1], int(match[2])) for entry, match in named if match and entry.is_file()]
    return sorted(found, key=lambda file: (file.year, file.area, file.path.name))


def _list_source(landing: Path, source: str) -> list[Path]:
    """The entries of a source's folder in the landing folder."""
    _list_folder(landing)
    folder = landing / source
    # A source without a folder has delivered nothing, but a broken link hides its deliveries.
    return _list_folder(folder) if folder.is_symlink() or folder.exists() else []


def _list_folder(folder: Path) -> list[Path]:
    """The entries of a folder; raises `UnreadableLandingError` if any is unreadable."""
    try:
        entries = list(folder.iterdir())
        for entry in entries:
            entry.is_dir()
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            problem = "is a link that leads nowhere" if folder.is_symlink() else "does not exist"
        elif isinstance(error, NotADirectoryError):
            problem = "is not a folder"
        else:
            problem = f"cannot be read ({error.strerror})"
        raise UnreadableLandingError(
            f"{folder} {problem}, so deliveries cannot be listed. Check that UPPKLARAT_LANDING names the landing folder, "
            "that its disk is mounted and that this user may read it; then try again"
        ) from error
    return entries


def find_unexpected_entries(landing: Path, known: Path) -> Iterator[str]:
    """Name everything in the landing folder that loads ignore, such as a delivery in a misspelt folder.

    Hidden files, which belong to upload programs, and the `known` one are left out.
    """
    sources = input_contract().sources
    for entry in _shown_entries(landing):
        if entry == known:
            continue
        if entry.name == OFFICIAL and entry.is_dir():
            for inner in _shown_entries(entry):
                if not (_OFFICIAL_NAME.fullmatch(inner.name) and inner.is_file()):
                    yield (
                        f"{OFFICIAL}/{_nameable(inner.name)}: not taken for a table of Brå's; "
                        "each keeps the name that it has there, such as 300La-2025.xlsx"
                    )
        elif entry.name not in sources:
            yield f"{_nameable(entry.name)}: not taken for a delivery; the folders of sources are {', '.join(sources)}"
        else:
            for inner in _shown_entries(entry):
                if not _is_year_folder(inner):
                    yield (
                        f"{entry.name}/{_nameable(inner.name)}: not taken for a delivery; "
                        f"each lies in a folder that is named by its year of four digits"
                    )


def _is_year_folder(path: Path) -> bool:
    return _is_year(path.name) and path.is_dir()


def _is_year(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) == 4


def _shown_entries(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [entry for entry in sorted(folder.iterdir()) if not entry.name.startswith(".")]


def _nameable(name: str) -> str:
    # A supplier might name folders by person.
    return "(a personal identity number)" if holds_personal_number(name) else name


def open_delivery(folder: DeliveryFolder) -> Delivery:
    """Find the delivery's files and read its manifest.

    Raises `RejectedDeliveryError` for a missing or duplicate file, a file outside the landing folder, an invalid year, or a
    manifest that is unreadable or describes another delivery.
    """
    check_year(folder)
    found = {file.name: _find_file(folder, file) for file in input_contract().sources[folder.source]}
    files = {name: path for name, path in found.items() if path}
    manifest = folder.path / paths.MANIFEST
    # Anything of that name is meant as a manifest: a folder or a broken link must not count as no manifest.
    is_delivered = manifest.is_symlink() or manifest.exists()
    if not is_delivered:
        _refuse_misnamed_manifest(folder)
    return Delivery(folder, files, _read_manifest(folder, files) if is_delivered else None)


def check_year(folder: DeliveryFolder) -> None:
    """Raise `RejectedDeliveryError` for an invalid year."""
    first = input_contract().first_year
    if folder.year < first:
        raise RejectedDeliveryError(
            folder.label,
            f"the year lies before {first}, where the definition of processed offences begins",
            "Deliver later years only",
        )
    if folder.year >= date.today().year:
        # Its figures would look like those of a whole year.
        raise RejectedDeliveryError(
            folder.label, "the year is not over", "Deliver whole years, each in the folder of its year"
        )


def _find_file(folder: DeliveryFolder, file: FileContract) -> Path | None:
    """The path of a file; None for an optional file that was delivered neither under its name nor a misspelt one."""
    suffixes = input_contract().suffixes
    present = [
        path
        for path in (folder.path / (file.name + suffix) for suffix in suffixes)
        if path.is_symlink() or path.exists()
    ]
    if not present:
        expected = [file.name + suffix for suffix in suffixes]
        near = _similar_name(folder, file, expected)
        if file.optional and not near:
            return None
        raise RejectedDeliveryError(
            f"{folder.label}/{file.name}",
            f"the file is missing, but {near} is there" if near else "the file is missing",
            f"Deliver it as {' or '.join(expected)}",
        )
    if len(present) > 1:
        names = " and ".join(path.name for path in present)
        raise RejectedDeliveryError(
            f"{folder.label}/{file.name}", f"delivered more than once, as {names}", "Leave exactly one of them"
        )
    return _inside_landing(folder, present[0])


def _similar_name(folder: DeliveryFolder, file: FileContract, expected: Sequence[str]) -> str | None:
    """The name of a file in the folder that is probably meant.

    A name with digits other than the year's is not returned, since they may identify a case or a person.
    """
    others = {other.name for other in input_contract().sources[folder.source]} - {file.name}
    names = {
        entry.name.lower(): entry.name
        for entry in _shown_entries(folder.path)
        if re.fullmatch(r"[\w .()-]+", entry.name) and not re.search(r"\d", entry.name.replace(str(folder.year), ""))
        if entry.name.lower().partition(".")[0] not in others
    }
    same_stem = [name for name in names if name.partition(".")[0] == file.name]
    found = same_stem or [like for name in expected for like in difflib.get_close_matches(name, names, 1, _ALIKE)]
    return names[found[0]] if found else None


def _refuse_misnamed_manifest(folder: DeliveryFolder) -> None:
    """Raise `RejectedDeliveryError` if the folder contains a manifest with a misspelt name.

    Otherwise the files would not be compared with that manifest.
    """
    for entry in _shown_entries(folder.path):
        if re.fullmatch(r"manifest(\.json)?(\.txt)?", entry.name.lower()):
            raise RejectedDeliveryError(
                f"{folder.label}/{entry.name}", f"it is not named {paths.MANIFEST}", f"Name it {paths.MANIFEST}"
            )


def _inside_landing(folder: DeliveryFolder, path: Path) -> Path:
    where = f"{folder.label}/{path.name}"
    try:
        resolved = path.resolve(strict=True)
    except PermissionError as error:
        raise cannot_be_read(where, error) from error
    except (OSError, RuntimeError) as error:
        raise RejectedDeliveryError(
            where, "the file cannot be reached", "Deliver the file itself, not a link to it"
        ) from error
    if not resolved.is_relative_to(folder.landing.resolve()):
        raise RejectedDeliveryError(
            where, "it leads out of the landing folder", "Deliver the file itself, not a link to it"
        )
    if not resolved.is_file():
        raise RejectedDeliveryError(where, "it is not a regular file", "Deliver the file itself")
    return path


def _read_manifest(folder: DeliveryFolder, files: Mapping[str, Path]) -> Manifest:
    where = f"{folder.label}/{paths.MANIFEST}"

    def require(condition: bool, problem: str, remedy: str) -> None:
        if not condition:
            raise RejectedDeliveryError(where, problem, remedy)

    path = _inside_landing(folder, folder.path / paths.MANIFEST)
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_MANIFEST + 1)
    except OSError as error:
        raise cannot_be_read(where, error, "Write the manifest again") from error
    require(len(content) <= LARGEST_MANIFEST, "it is far larger than any manifest", "Write the manifest again")
    if other := foreign_format(content, "JSON"):
        raise RejectedDeliveryError(where, f"it is {other.name}, not JSON in UTF-8", "Write the manifest again")
    try:
        manifest = Manifest.model_validate_json(content.removeprefix(BOM_UTF8))
    except ValidationError as error:
        raise RejectedDeliveryError(where, describe_errors(error), "Write it as docs/input.md describes") from None
    require(manifest.source == folder.source, "its source is not the folder's", "Put the delivery into its own folder")
    require(manifest.year == folder.year, "its year is not the folder's", "Put the delivery into its own folder")
    listed = sorted(file.name for file in manifest.files)
    require(len(set(listed)) == len(listed), "it lists a file twice", "List every file once")
    delivered = sorted(path.name for path in files.values())
    require(
        listed == delivered,
        f"it lists {', '.join(map(_nameable, listed)) or 'no file'} but {', '.join(delivered)} are there",
        "Deliver the listed files, or correct the manifest",
    )
    return manifest
