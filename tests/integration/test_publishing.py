"""What may not be published is not: stale, blocked, unevaluated or changed on the way out."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest
from conftest import copied, settings_in
from reference.worlds import dirty_world
from warehouse import build, figures, marts, uppklarat

from dagster_project import paths
from dagster_project.cli.load import load
from dagster_project.cli.status import warehouse_status
from dagster_project.ingestion.ingest import changed_folders, ingest
from dagster_project.publication import draft as draft_module
from dagster_project.publication import release as release_module
from dagster_project.publication.draft import DATABASE
from dagster_project.publication.release import PublishingBlockedError, make_draft, release
from dagster_project.publications import Publication, publications
from dagster_project.quality.audit import audit_warehouse
from dagster_project.settings import Settings
from dagster_project.state import read_state, withdraw


def publish(settings: Settings) -> Publication | None:
    """Everything after the build, without Dagster."""
    audit_warehouse(settings)
    make_draft(settings)
    return release(settings)


@pytest.fixture
def made(published_world: Settings) -> Settings:
    return published_world


@pytest.fixture
def published(published_world: Settings, tmp_path: Path) -> Settings:
    return copied(published_world, settings_in(tmp_path, suppress_below=5))


@pytest.fixture
def audited(audited_redelivery: Settings, tmp_path: Path) -> Settings:
    return copied(audited_redelivery, settings_in(tmp_path, suppress_below=5))


def redeliver(settings: Settings, seed: int = 61, dirt: float = 0.002) -> None:
    other = settings.home.parent / "other"
    dirty_world(other, seed=seed, offences_per_year=300, years=(2024,), dirt=dirt)
    for source in ("police", "prosecution"):
        shutil.rmtree(settings.landing / source / "2024")
        shutil.copytree(other / source / "2024", settings.landing / source / "2024")


def assert_stands(settings: Settings, made: Settings) -> None:
    (only,) = publications(settings)
    assert (settings.published / paths.CURRENT).readlink().name == only.publication_id
    assert marts(settings.published / paths.CURRENT / DATABASE) == marts(made.published / paths.CURRENT / DATABASE)


def test_unchanged_data_is_not_published_again(published: Settings, made: Settings) -> None:
    assert publish(published) is None
    assert_stands(published, made)
    assert not (published.published / paths.DRAFT).exists()


def test_marts_of_other_deliveries_are_not_published(published: Settings, made: Settings) -> None:
    """Taken in but not built: the audit finds nothing wrong with the old marts, and still they may not go out as the new."""
    redeliver(published)
    for folder in changed_folders(read_state(published)):
        ingest(folder, published)
    with pytest.raises(PublishingBlockedError, match="do not match the present deliveries"):
        publish(published)
    assert_stands(published, made)


def test_an_audit_of_other_deliveries_lets_nothing_pass(audited: Settings, made: Settings) -> None:
    results = audited.home / paths.AUDIT_RESULTS
    of_present_deliveries = results.read_bytes()
    shutil.copy(made.home / paths.AUDIT_RESULTS, results)
    with pytest.raises(PublishingBlockedError, match="do not match the present deliveries"):
        make_draft(audited)
    assert_stands(audited, made)
    results.write_bytes(of_present_deliveries)
    make_draft(audited)
    assert release(audited) is not None
    assert marts(audited.published / paths.CURRENT / DATABASE) == marts(audited.home / paths.WAREHOUSE)
    assert marts(audited.published / paths.CURRENT / DATABASE) != marts(made.published / paths.CURRENT / DATABASE)


def test_when_all_was_withdrawn_nobody_is_told_that_all_is_well(published: Settings, made: Settings) -> None:
    for year in (2023, 2024):
        withdraw(read_state(published), "police", year)
    outcome = load(published)
    assert outcome.blocked
    assert "police/2023, police/2024" in outcome.blocked
    assert any(
        "is based on withdrawn deliveries" in text for text in warehouse_status(read_state(published))["waiting"]
    )
    assert_stands(published, made)


def test_a_declared_check_that_was_not_evaluated_blocks(audited: Settings, made: Settings) -> None:
    audit = json.loads((audited.home / paths.AUDIT_RESULTS).read_text(encoding="utf-8"))
    dropped = audit["results"].pop()
    (audited.home / paths.AUDIT_RESULTS).write_text(json.dumps(audit), encoding="utf-8")
    with pytest.raises(PublishingBlockedError, match=dropped["name"]):
        make_draft(audited)
    assert_stands(audited, made)


@pytest.mark.parametrize("table", ["fct_indicator_year", "quality_check"])
def test_files_that_are_not_what_was_built_block(
    audited: Settings, made: Settings, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    def damage(draft: Path, tables: Sequence[str], built: Path) -> None:
        draft_module.write_draft(draft, tables, built)
        path = draft / "csv" / f"{table}.csv"
        if table not in tables:
            return
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join([*lines[:-1], lines[-2]]), encoding="utf-8")

    monkeypatch.setattr(release_module, "write_draft", damage)
    with pytest.raises(PublishingBlockedError):
        make_draft(audited)
    assert_stands(audited, made)


def test_quotes_that_come_late_in_a_table_are_read_back(tmp_path: Path) -> None:
    """DuckDB guesses the quotes of a CSV file from its first rows."""
    built = tmp_path / "built.duckdb"
    with duckdb.connect(str(built)) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.quoted as select range as number, "
            "if(range < 2500, 'plain, but in quotes', 'he said \"so\", and left') as words from range(3000)"
        )
    draft_module.begin_draft(tmp_path / "draft")
    draft_module.write_draft(tmp_path / "draft", ["quoted"], built)
    with draft_module.read_back(tmp_path / "draft", ["quoted"], built) as connection:
        found = connection.execute(
            "select format, rows_served, rows_only_built, rows_only_served from read_back"
        ).fetchall()
    assert sorted(found) == [("csv", 3000, 0, 0), ("duckdb", 3000, 0, 0), ("parquet", 3000, 0, 0)]


def test_what_waits_and_what_is_quarantined_can_be_asked_during_a_build(published: Settings) -> None:
    with duckdb.connect(str(published.home / paths.WAREHOUSE)) as writer:
        writer.execute("create schema if not exists build")
        for command in ("status", "quarantine", "publications"):
            asked = uppklarat(published, command)
            assert asked.returncode == 0, asked.stderr


def test_what_could_not_be_verified_is_said(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    dirty_world(settings.landing, seed=62, offences_per_year=50, years=(2024,), dirt=0.0)
    (settings.landing / "police" / "2024" / "manifest.json").unlink()
    with caplog.at_level(logging.WARNING, "uppklarat"):
        for folder in changed_folders(read_state(settings)):
            ingest(folder, settings)
    assert "police/2024: no manifest" in caplog.text
    assert "ignored columns outside the contract" in caplog.text


OWN_CODES = {
    "a code that is none": ("brottskod,role\n99,context\n", "line 2"),
    "a code twice": ("brottskod,role\n9999,context\n9999,context\n", "line 3"),
    "a role that is none": ("brottskod,role\n9999,kärna\n", "role"),
    "an indicator that is none": ("brottskod,role,indicator_id\n9999,core,valtäkt\n", "indicator_id"),
    "a core code without indicator": ("brottskod,role\n9999,core\n", "line 2"),
    "a group that is none": (
        "brottskod,role,indicator_id,victim_group\n0412,core,grov_kvinnofridskrankning,kvinnna\n",
        "victim_group",
    ),
    "a relation that is none": ("brottskod,role,indicator_id,relation\n9999,core,valdtakt,par\n", "relation"),
    "no header": ("0999,context\n", "line 1"),
    "an unknown column": ("brottskod,role,anm\n9999,context,x\n", "line 1"),
}


@pytest.mark.parametrize("slip", OWN_CODES)
def test_a_slip_in_the_own_codes_is_refused(published: Settings, slip: str) -> None:
    content, named = OWN_CODES[slip]
    (published.home / paths.OWN_OFFENCE_CODES).write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=named):
        build(published)


def test_an_own_code_counts_from_then_on(published: Settings, made: Settings) -> None:
    """Every code of purchase of sexual services is taken out: nothing of it is left, in any year."""
    indicator = "indicator_id = 'kop_av_sexuell_tjanst' and processed > 0"
    before = figures(made.home / paths.WAREHOUSE, indicator)
    (published.home / paths.OWN_OFFENCE_CODES).write_text("brottskod,role\n4024,context\n", encoding="utf-8")
    build(published)
    after = figures(published.home / paths.WAREHOUSE, indicator)
    assert len(after) < len(before)
