"""Publishes audited marts: drafts them, audits the draft and releases it; each step requires the approval of the previous one."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from dagster_project import paths
from dagster_project.disclosure.withheld import remember_withheld
from dagster_project.files import read_json, write_json, write_text
from dagster_project.publication.causes import comparison_basis, last_loaded
from dagster_project.publication.comparison import FIGURES
from dagster_project.publication.described import create_described_tables, failed_checks_of_described_tables
from dagster_project.publication.draft import (
    DATABASE,
    READ_BACK,
    begin_draft,
    draft_files,
    read_back,
    reset_draft,
    write_draft,
)
from dagster_project.publication.formats.catalogue import read_catalogue
from dagster_project.publication.history import describe_history
from dagster_project.publication.marts_page import DICTIONARY, dictionary
from dagster_project.publications import (
    Publication,
    current_publication,
    finish_interrupted_publishing,
    next_publication_id,
    publications,
    publish,
    seal,
)
from dagster_project.quality.audit import Audit, missing_checks, read_audit, save_audit
from dagster_project.quality.audit_basis import publication_basis
from dagster_project.quality.waivers import read_waivers
from dagster_project.settings import Settings
from dagster_project.state import State, read_state
from dagster_project.transformation.dbt_project import described_tables, mart_declarations, mart_tables
from dagster_project.transformation.fingerprints import is_built
from dagster_project.versions import code_version
from expectations.results import CheckResult

logger = logging.getLogger("uppklarat")


class PublishingBlockedError(Exception):
    """The audit blocks publishing; `failed` are the blocking checks."""

    def __init__(self, failed: Sequence[CheckResult], why: str = "", not_judged: int = 0) -> None:
        self.failed = tuple(failed)
        lines = [f"  {check.text}" for check in failed]
        if not_judged:
            lines.append(f"  {not_judged} other checks were not judged: see the validation page")
        super().__init__("\n".join([why or "the audit blocks publishing:", *lines]))


def nothing_to_publish(state: State) -> bool:
    """Return whether a new publication would have the basis of the newest one."""
    existing = publications(state.settings)
    return bool(existing) and existing[-1].basis == publication_basis(state)


def published_but_withdrawn(state: State) -> list[str]:
    """Return withdrawn deliveries, as `source/year`, that the current publication is based on."""
    current = current_publication(state.settings)
    return [
        f"{delivery['source']}/{delivery['year']}"
        for delivery in (current.manifest["deliveries"] if current else ())
        if (delivery["source"], delivery["year"], delivery["delivery_id"]) in state.withdrawn
    ]


def make_draft(settings: Settings) -> Audit:
    """Write the audited marts into a draft, read it back, audit it and add the tables about the publication.

    Returns the audit including the draft; without a complete year there is no draft.

    Raises `PublishingBlockedError` if a check blocks, a declared check was not evaluated, or the audit has another basis.
    """
    warehouse = settings.home / paths.WAREHOUSE
    draft = settings.published / paths.DRAFT
    state = read_state(settings)
    if not state.complete_years:
        return Audit(publication_basis(state), ())
    audit = read_audit(settings)
    if audit is None or audit.basis != publication_basis(state) or not is_built(state):
        raise PublishingBlockedError(
            [], "the marts or their audit do not match the present deliveries and code: load again"
        )
    if missing := missing_checks(state, audit):
        raise PublishingBlockedError([], f"declared but not evaluated: {', '.join(missing)}")
    if audit.blocking:
        raise PublishingBlockedError(audit.blocking, not_judged=len(audit.not_judged))
    # Imported here because Great Expectations takes seconds to import.
    from expectations.suites import load_suites
    from expectations.validation import validate

    tables = mart_tables()
    (settings.home / paths.DRAFT_DESCRIPTION).unlink(missing_ok=True)
    begin_draft(draft)
    write_draft(draft, tables, warehouse)
    write_text(draft / DICTIONARY, dictionary())
    with read_back(draft, tables, warehouse) as connection:
        results = validate("published_files", load_suites("published"), connection)
    audited = Audit(audit.basis, (*(result for result in audit.results if result.layer != "published"), *results))
    save_audit(state, audited)
    if audited.blocking:
        raise PublishingBlockedError(audited.blocking)
    _describe(state, audited)
    return audited


def _describe(state: State, audit: Audit) -> None:
    """Write the tables about checks, publications and revisions into the draft, and the content of its manifest."""
    settings = state.settings
    draft = settings.published / paths.DRAFT
    scratch = settings.home / paths.SCRATCH
    description = _description(state, audit)
    scratch.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=scratch) as folder:
        built = Path(folder) / "described.duckdb"
        with duckdb.connect(str(built)) as connection:
            create_described_tables(connection)
            columns = list(mart_declarations()["quality_check"].columns)
            # Inserted by columns, because DuckDB is slow at inserting rows.
            connection.execute(
                f"insert into marts.quality_check select {', '.join('unnest(?)' for _ in columns)}",
                [[getattr(result, column) for result in audit.results] for column in columns],
            )
            description["revisions"] = describe_history(connection, settings, description)
            failed = failed_checks_of_described_tables(connection, draft / FIGURES)
        if failed:
            raise PublishingBlockedError([], f"tables about the publication fail {', '.join(failed)}")
        write_draft(draft, described_tables(), built)
        with read_back(draft, described_tables(), built) as connection:
            different = connection.execute(
                f"select table_name, format from {READ_BACK} where rows_only_built + rows_only_served + formulas > 0 "
                # A publication may revise nothing.
                "or (rows_served = 0 and table_name <> 'revision')"
            ).fetchall()
    if different:
        raise PublishingBlockedError(
            [], f"the published files differ from the build, or contain spreadsheet formulas: {different}"
        )
    write_json(settings.home / paths.DRAFT_DESCRIPTION, description)


def release(settings: Settings) -> Publication | None:
    """Complete the draft with the report and other formats, seal it and make it the current publication.

    Can be repeated after a failure at any point. Returns None if there is nothing to publish.
    """
    catalogue = settings.home / paths.CATALOGUE
    draft = settings.published / paths.DRAFT
    finished = finish_interrupted_publishing(settings)
    state = read_state(settings)
    if nothing_to_publish(state):
        shutil.rmtree(draft, ignore_errors=True)
        return finished
    audit = _read_approved_audit(state)
    reset_draft(draft, keep={DICTIONARY, *draft_files((*mart_tables(), *described_tables()))})
    description = read_json(settings.home / paths.DRAFT_DESCRIPTION, {})
    with duckdb.connect(str(draft / DATABASE), read_only=True) as connection:
        in_draft = connection.execute(
            "select max(publication_id), (select count(*) from marts.quality_check), (select count(*) from "
            "marts.revision where publication_id = $new) from marts.publication",
            {"new": description["publication_id"]},
        ).fetchone()
    expected = (description["publication_id"], len(audit.results), description["revisions"]["values"])
    if in_draft != expected or description["basis"] != audit.basis:
        raise PublishingBlockedError([], "the draft is of another audit or publication: load again")
    checks = [
        {name: value for name, value in asdict(result).items() if name not in ("error", "beyond")}
        for result in audit.results
    ]
    # Imported here because they take seconds to import.
    from dagster_project.publication.formats.write import write_formats
    from dagster_project.report.follow_up import write_report

    write_report(draft)
    earlier = [publication.manifest for publication in publications(settings)]
    write_formats(draft, description, earlier, read_catalogue(catalogue))
    if not description["synthetic"] and not catalogue.exists():
        logger.warning("%s declares neither publisher nor licence: see docs/formats.md", catalogue)
    remember_withheld(settings)
    seal(draft, {**description, "checks": {**description["checks"], "results": checks}})
    publication = publish(settings, description["publication_id"])
    logger.info("published %s", publication.publication_id)
    return publication


def _read_approved_audit(state: State) -> Audit:
    """Return the audit of the draft if it allows publishing."""
    settings = state.settings
    audit = read_audit(settings)
    if (
        audit is None
        or audit.basis != publication_basis(state)
        or not is_built(state)
        or not (settings.published / paths.DRAFT).is_dir()
        or not (settings.home / paths.DRAFT_DESCRIPTION).exists()
    ):
        raise PublishingBlockedError([], "there is no draft of the present deliveries: load again")
    if not any(result.layer == "published" for result in audit.results):
        raise PublishingBlockedError([], "the draft was not read back: load again")
    if audit.blocking:
        raise PublishingBlockedError(audit.blocking, not_judged=len(audit.not_judged))
    return audit


def _description(state: State, audit: Audit) -> dict[str, Any]:
    """Return the content of the manifest."""
    years, purged = state.complete_years, state.purged
    loaded = last_loaded(state)
    now = datetime.now(UTC)
    return {
        "publication_id": next_publication_id(state.settings, now),
        "published_at": now.isoformat(timespec="seconds"),
        "basis": audit.basis,
        "synthetic": any(record.synthetic is not None for record in state.active.values())
        or any(delivery["synthetic"] is not None for delivery in purged.deliveries),
        "years": [*purged.years, *years],
        "kept_from": purged.publication_id or None,
        "code_version": code_version(),
        **comparison_basis(state),
        "deliveries": [
            *purged.deliveries,
            *(
                {
                    "source": record.source,
                    "year": record.year,
                    "delivery_id": record.delivery_id,
                    "judged_by": record.judged_by,
                    "loaded_at": record.loaded_at,
                    "loaded_last": loaded[record.source, record.year, record.delivery_id],
                    "synthetic": record.synthetic,
                    "files": {name: asdict(file) for name, file in record.files.items()},
                }
                for record in state.active.values()
                if record.year in years or record.source == "police"
            ),
        ],
        "official": [
            {
                "source": record.source,
                "year": record.year,
                "delivery_id": record.delivery_id,
                "loaded_at": record.loaded_at,
                "files": {name: asdict(file) for name, file in record.files.items()},
            }
            for record, *_ in state.official.values()
        ],
        "waivers": [waiver.text for waiver in read_waivers(state.settings.home / paths.WAIVERS)],
        "checks": {
            "passed": sum(result.passed for result in audit.results),
            "warned": len(audit.warnings),
            "not_judged": len(audit.not_judged),
        },
    }
