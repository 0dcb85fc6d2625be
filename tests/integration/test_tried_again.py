"""A step that failed once may be tried again: what comes of it is there once, as if nothing had failed."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from conftest import copied, settings_in
from deliveries import YEAR, files_of, put
from loads import broken_promises, leftovers
from test_orchestration import places
from test_publishing import publish
from warehouse import marts

from dagster_project import paths
from dagster_project.cli.load import _clear_draft
from dagster_project.defs.publication_assets import CURRENT, publication_assets
from dagster_project.ingestion.ingest import changed_folders, ingest
from dagster_project.publication.draft import DATABASE
from dagster_project.publication.formats.dcat import JSON_LD, TURTLE
from dagster_project.publication.formats.write import write_formats
from dagster_project.publication.release import make_draft, nothing_to_publish, release
from dagster_project.publications import Publication, active_publication, file_hashes, publications
from dagster_project.settings import Settings
from dagster_project.state import read_state

# Just before, or just after, each of these the first attempt fails.
STEPS = {
    "the report": ("dagster_project.report.follow_up", "write_report"),
    "the formats": ("dagster_project.publication.formats.write", "write_formats"),
    "the memory of what is withheld": ("dagster_project.publication.release", "remember_withheld"),
    "the seal": ("dagster_project.publication.release", "seal"),
    "the name": ("dagster_project.publications", "sync_folder"),
    "the pointer": ("dagster_project.publications", "point_to"),
}


class Fails:
    """A function that fails the first time that it is called, before or after it did its work."""

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        afterwards: bool,
        error: Exception | None = None,
    ) -> None:
        self.function, self.afterwards, self.failed = function, afterwards, False
        self.error = error or duckdb.IOException("Could not set lock on file")

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        if self.failed:
            return self.function(*arguments, **named)
        self.failed = True
        if self.afterwards:
            self.function(*arguments, **named)
        raise self.error


def make_fail(
    monkeypatch: pytest.MonkeyPatch, module: str, name: str, *, afterwards: bool, error: Exception | None = None
) -> None:
    """Let a function of a module fail the first time."""
    function = getattr(import_module(module), name)
    monkeypatch.setattr(f"{module}.{name}", Fails(function, afterwards=afterwards, error=error))


def after_failed_release(
    drafted: Settings, place: Path, monkeypatch: pytest.MonkeyPatch, step: str, *, afterwards: bool
) -> Settings:
    """A copy of the draft's warehouse whose first release failed at a step."""
    settings = copied(drafted, settings_in(place, suppress_below=5))
    make_fail(monkeypatch, *STEPS[step], afterwards=afterwards)
    with pytest.raises(duckdb.IOException):
        release(settings)
    return settings


def stand_in_for_report(draft: Path) -> None:
    (draft / "report" / "sv").mkdir(parents=True)
    (draft / "report" / "sv" / "index.html").write_text("a page", encoding="utf-8")


def stand_in_for_formats(draft: Path, *_: Any) -> None:
    """Lists every file that it finds, as the catalogue does."""
    (draft / "catalogue.txt").write_text("\n".join(file_hashes(draft)), encoding="utf-8")


@pytest.fixture(autouse=True)
def quick_formats(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "real_formats" not in request.fixturenames:
        monkeypatch.setattr("dagster_project.report.follow_up.write_report", stand_in_for_report)
        monkeypatch.setattr("dagster_project.publication.formats.write.write_formats", stand_in_for_formats)


@pytest.fixture(scope="module")
def drafted(audited_redelivery: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A warehouse with one publication, whose second one is a draft that only has to be released."""
    settings = copied(audited_redelivery, settings_in(tmp_path_factory.mktemp("drafted"), suppress_below=5))
    make_draft(settings)
    return settings


@pytest.fixture(scope="module")
def undisturbed_ones() -> dict[bool, Publication]:
    """What an undisturbed release published, by whether its formats are real."""
    return {}


@pytest.fixture
def undisturbed(
    request: pytest.FixtureRequest,
    drafted: Settings,
    undisturbed_ones: dict[bool, Publication],
    tmp_path_factory: pytest.TempPathFactory,
) -> Publication:
    has_real_formats = "real_formats" in request.fixturenames
    if has_real_formats not in undisturbed_ones:
        settings = copied(drafted, settings_in(tmp_path_factory.mktemp("undisturbed"), suppress_below=5))
        made = release(settings)
        assert made is not None
        undisturbed_ones[has_real_formats] = made
    return undisturbed_ones[has_real_formats]


def assert_published_once(settings: Settings, made: Publication | None, undisturbed: Publication) -> None:
    assert made is not None
    assert [one.publication_id for one in publications(settings)][1:] == [made.publication_id]
    assert active_publication(settings) == made.publication_id == undisturbed.publication_id
    assert broken_promises(settings) == []
    assert leftovers(settings) == []
    assert marts(settings.published / paths.CURRENT / DATABASE) == marts(undisturbed.folder / DATABASE)
    assert files_and_hashes(made) == files_and_hashes(undisturbed)


def files_and_hashes(made: Publication) -> dict[str, str]:
    """Of DuckDB's own file, and of what tells its hash, only that they are there: not every byte of it is always the same."""
    not_compared = (DATABASE, TURTLE, JSON_LD)
    return {name: "" if name in not_compared else file["sha256"] for name, file in made.manifest["files"].items()}


# A failure before a step leaves what a failure after the one before it leaves.
@pytest.mark.parametrize(
    ("step", "afterwards"),
    [("the report", False), ("the memory of what is withheld", True), ("the seal", True), ("the pointer", True)],
)
def test_released_again_in_the_same_process(
    drafted: Settings,
    undisturbed: Publication,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    afterwards: bool,
) -> None:
    """As Dagster does when a step asks to be tried again."""
    settings = after_failed_release(drafted, tmp_path, monkeypatch, step, afterwards=afterwards)
    made = release(settings)
    if (step, afterwards) == ("the pointer", True):
        # It was all done.
        assert made is None
        made = publications(settings)[-1]
    assert_published_once(settings, made, undisturbed)
    assert release(settings) is None


@pytest.fixture
def real_formats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dagster_project.publication.formats.write.write_formats", write_formats)


def test_the_catalogue_lists_no_file_of_the_first_attempt(
    real_formats: None, drafted: Settings, undisturbed: Publication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    test_released_again_in_the_same_process(drafted, undisturbed, tmp_path, monkeypatch, "the formats", afterwards=True)
    catalogues = [
        (folder / TURTLE).read_text(encoding="utf-8").count("downloadURL")
        for folder in (tmp_path / "published" / undisturbed.publication_id, undisturbed.folder)
    ]
    assert catalogues[0] == catalogues[1] > 5


@pytest.mark.parametrize("step", ["the seal", "the name"])
def test_released_again_in_another_process(
    drafted: Settings, undisturbed: Publication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """A load, which begins by clearing the draft away or finishing what was named, and publishes what is not yet."""
    settings = after_failed_release(drafted, tmp_path, monkeypatch, step, afterwards=True)
    _clear_draft(settings)
    finished = step == "the name"
    assert (settings.published / paths.DRAFT).exists() is False
    assert nothing_to_publish(read_state(settings)) is finished
    if not finished:
        assert publish(settings)
    assert len(publications(settings)) == 2
    assert active_publication(settings) == publications(settings)[-1].publication_id
    assert broken_promises(settings) == []
    assert marts(settings.published / paths.CURRENT / DATABASE) == marts(undisturbed.folder / DATABASE)


def test_dagster_tries_it_again(
    drafted: Settings, undisturbed: Publication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step `current` asks to be tried again, and shows the publication that came of it."""
    settings = copied(drafted, settings_in(tmp_path, suppress_below=5))
    make_fail(monkeypatch, *STEPS["the report"], afterwards=False)
    monkeypatch.setattr("dagster_project.defs.common.SECONDS_TO_WAIT", 0)
    (current,) = (one for one in publication_assets() if CURRENT in one.keys)
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([current], instance=instance, resources={"places": places(settings)})
    assert result.success
    assert len(result.filter_events(lambda event: event.is_step_up_for_retry)) == 1
    (shown,) = [one for one in result.asset_materializations_for_node("current") if one.asset_key == CURRENT]
    assert shown.metadata["new"].value is True
    assert shown.metadata["publication_id"].value == undisturbed.publication_id
    assert_published_once(settings, publications(settings)[-1], undisturbed)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("dagster_project.publication.release", "write_draft"),
        ("dagster_project.publication.release", "save_audit"),
        ("dagster_project.publication.release", "describe_history"),
        ("dagster_project.publication.release", "write_json"),
    ],
)
def test_a_draft_is_made_again(
    drafted: Settings,
    undisturbed: Publication,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    name: str,
) -> None:
    settings = copied(drafted, settings_in(tmp_path, suppress_below=5))
    make_fail(monkeypatch, module, name, afterwards=True)
    with pytest.raises(duckdb.IOException):
        make_draft(settings)
    make_draft(settings)
    assert release(settings)
    assert broken_promises(settings) == []
    assert leftovers(settings) == []
    assert marts(settings.published / paths.CURRENT / DATABASE) == marts(undisturbed.folder / DATABASE)


@pytest.mark.parametrize("afterwards", [False, True])
@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("ingestion.ingest", "receive_file"),
        ("ingestion.ingest", "validate_file"),
        ("state", "write_record"),
        ("state", "sync_folder"),
        ("ingestion.ingest", "activate"),
        ("ingestion.landing_index", "write_json"),
    ],
)
def test_a_delivery_is_taken_in_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, module: str, name: str, afterwards: bool
) -> None:
    put(settings, "police", files_of("police"))
    (folder,) = changed_folders(read_state(settings))
    make_fail(
        monkeypatch,
        f"dagster_project.{module}",
        name,
        afterwards=afterwards,
        error=BlockingIOError(11, "busy"),
    )
    with pytest.raises(BlockingIOError):
        ingest(folder, settings)
    record = ingest(folder, settings)
    assert record is not None
    assert read_state(settings).active == {("police", YEAR): record}
    assert len(read_state(settings).ledger) == 1
    assert changed_folders(read_state(settings)) == []
    assert leftovers(settings) == []
    assert [path.name for path in (settings.home / paths.RAW_STORE).glob("*/*/*")] == [
        f"{record.delivery_id}-{record.judged_by}"
    ]
