"""The immutable publications: listing, naming, sealing, publishing and activating them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dagster_project import paths
from dagster_project.files import read_json, sync_folder, write_json
from dagster_project.settings import Settings
from dagster_project.state import State, years_not_complete

MANIFEST = "manifest.json"
_ID_FORMAT = "%Y%m%dT%H%M%SZ"


class YearsMissingError(Exception):
    """Expected years are not complete or not published; the message gives the reasons."""


@dataclass(frozen=True)
class Publication:
    """A publication and its manifest."""

    publication_id: str
    folder: Path
    manifest: Mapping[str, Any]

    @property
    def basis(self) -> str:
        """Fingerprint of its inputs."""
        return str(self.manifest["basis"])


def publications(settings: Settings) -> list[Publication]:
    """All publications, oldest first."""
    if not settings.published.is_dir():
        return []
    manifests = sorted(path for path in settings.published.glob(f"*/{MANIFEST}") if not path.parent.is_symlink())
    found = [Publication(path.parent.name, path.parent, read_json(path, {})) for path in manifests]
    # A copy under another name is not a publication.
    return [
        publication for publication in found if publication.manifest.get("publication_id") == publication.publication_id
    ]


def active_publication(settings: Settings) -> str | None:
    """The id of the publication that `current` points to."""
    current = settings.published / paths.CURRENT
    return current.readlink().name if current.is_symlink() else None


def current_publication(settings: Settings) -> Publication | None:
    """The publication that readers open."""
    current = active_publication(settings)
    return next((one for one in publications(settings) if one.publication_id == current), None)


def next_publication_id(settings: Settings, now: datetime | None = None) -> str:
    """An id from the time, greater than all existing ones even if the clock was set back."""
    moment = (now or datetime.now(UTC)).replace(microsecond=0)
    existing = [publication.publication_id for publication in publications(settings)]
    if existing and moment.strftime(_ID_FORMAT) <= existing[-1]:
        moment = datetime.strptime(existing[-1], _ID_FORMAT).replace(tzinfo=UTC) + timedelta(seconds=1)
    return moment.strftime(_ID_FORMAT)


def seal(draft: Path, description: Mapping[str, Any]) -> None:
    """Write the manifest with the hashes of all other files, which completes the draft."""
    write_json(draft / MANIFEST, {**description, "files": file_hashes(draft)})


def file_hashes(draft: Path) -> dict[str, dict[str, Any]]:
    """Hash and size of every file of a draft except the manifest, by path."""
    return {
        str(path.relative_to(draft)): hash_file(path)
        for path in sorted(draft.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


def hash_file(path: Path) -> dict[str, Any]:
    """A file's `sha256` and `bytes`."""
    return {"sha256": _sha256(path), "bytes": path.stat().st_size}


def publish(settings: Settings, publication_id: str) -> Publication:
    """Rename the sealed draft to a publication and make it the active one."""
    draft = settings.published / paths.DRAFT
    folder = settings.published / publication_id
    for path in (draft, *draft.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o444)
    draft.rename(folder)
    sync_folder(settings.published)
    point_to(settings, publication_id)
    return Publication(publication_id, folder, read_json(folder / MANIFEST, {}))


def point_to(settings: Settings, publication_id: str) -> None:
    """Point `current` to a publication atomically."""
    if publication_id not in [publication.publication_id for publication in publications(settings)]:
        raise KeyError(publication_id)
    new = settings.published / paths.NEXT_CURRENT
    new.unlink(missing_ok=True)
    new.symlink_to(publication_id)
    os.replace(new, settings.published / paths.CURRENT)  # noqa: PTH105 (known to be atomic)
    sync_folder(settings.published)


def activate(settings: Settings, publication_id: str) -> None:
    """Point to a publication on request, and record the request."""
    point_to(settings, publication_id)
    newest = publications(settings)[-1].publication_id
    write_json(settings.home / paths.ACTIVATION, {"activated": publication_id, "instead_of": newest})


def finish_interrupted_publishing(settings: Settings) -> Publication | None:
    """Point to the newest publication if a crash prevented it, and return it; a publication activated on request stays."""
    kept, current = publications(settings), active_publication(settings)
    if not kept or current == kept[-1].publication_id:
        return None
    request = read_json(settings.home / paths.ACTIVATION, {})
    is_requested = request == {"activated": current, "instead_of": kept[-1].publication_id}
    if is_requested or changed_files(kept[-1]):
        return None
    point_to(settings, kept[-1].publication_id)
    return kept[-1]


def changed_files(publication: Publication, among: Collection[str] | None = None) -> Sequence[str]:
    """Files of a publication (or those in `among`) that do not match its manifest."""
    return [
        name
        for name, file in publication.manifest["files"].items()
        if (among is None or name in among)
        and (not (publication.folder / name).is_file() or _sha256(publication.folder / name) != file["sha256"])
    ]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def years_not_published(state: State, expected: Collection[int]) -> list[str]:
    """The reason why each missing expected year is not complete or not published."""
    incomplete, current = years_not_complete(state, expected), current_publication(state.settings)
    published: list[int] = current.manifest["years"] if current else []
    name = active_publication(state.settings) or "nothing is published"
    absent = f"is loaded, but not in the active publication ({name})"
    return [
        incomplete.get(year, f"{year} {absent}")
        for year in sorted(expected)
        if year in incomplete or year not in published
    ]
