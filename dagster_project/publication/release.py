"""From audited marts to a publication, in three steps that each refuse what the step before did not approve."""

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

from dagster_project.disclosure.withheld import remember_withheld
from dagster_project.files import read_json, write_json, write_text
from dagster_project.publication.causes import grounds, last_loaded
from dagster_project.publication.comparison import FIGURES
from dagster_project.publication.described import create_described, failures_of_described
from dagster_project.publication.draft import (
    DATABASE,
    READ_BACK,
    begin_draft,
    files_of,
    read_back,
    undo_release,
    write_draft,
)
from dagster_project.publication.formats.catalogue import read_catalogue
from dagster_project.publication.history import describe_history
from dagster_project.publication.marts_page import DICTIONARY, dictionary
from dagster_project.publication.views import views_served_otherwise, write_views
from dagster_project.publications import (
    Publication,
    active_publication,
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
from dagster_project.state import active_deliveries, complete_years, kept_description, withdrawals
from dagster_project.transformation.dbt_project import described_tables, mart_declarations, mart_tables
from dagster_project.transformation.fingerprints import is_built
from dagster_project.versions import code_version
from expectations.results import CheckResult

logger = logging.getLogger("uppklarat")


class PublishingBlockedError(Exception):
    """The audit does not let the figures be published; `failed` are the checks that say no."""

    def __init__(self, failed: Sequence[CheckResult], why: str = "", not_judged: int = 0) -> None:
        self.failed = tuple(failed)
        lines = [f"  {one.text}" for one in failed]
        if not_judged:
            lines.append(f"  {not_judged} other checks were not judged: see the validation page")
        super().__init__("\n".join([why or "the audit blocks publishing:", *lines]))


def nothing_to_publish(settings: Settings) -> bool:
    """Whether the newest publication rests on just what a new one would."""
    kept = publications(settings)
    return bool(kept) and kept[-1].basis == publication_basis(settings)


def published_but_withdrawn(settings: Settings) -> list[str]:
    """Deliveries, as `source/year`, that were taken back and that the publication which readers open still rests on."""
    withdrawn = withdrawals(settings)
    return [
        f"{one['source']}/{one['year']}"
        for publication in publications(settings)
        if publication.publication_id == active_publication(settings)
        for one in publication.said["deliveries"]
        if (one["source"], one["year"], one["delivery_id"]) in withdrawn
    ]


def make_draft(settings: Settings) -> Audit:
    """Write the audited marts into a draft, read it back, audit what was read, and add the tables that tell of it.

    Returns the audit with the results of reading back; while no year is complete there is no draft.

    Raises `PublishingBlockedError` when a check blocks, when a declared
    check was not evaluated, or when the audit is of other deliveries or code than what would be published.
    """
    if not complete_years(active_deliveries(settings)):
        return Audit(publication_basis(settings), ())
    audit = read_audit(settings)
    if audit is None or audit.basis != publication_basis(settings) or not is_built(settings):
        raise PublishingBlockedError(
            [], "the marts or their audit are not of the present deliveries and code: load again"
        )
    if missing := missing_checks(settings, audit):
        raise PublishingBlockedError([], f"declared but not evaluated: {', '.join(missing)}")
    if audit.blocking:
        raise PublishingBlockedError(audit.blocking, not_judged=len(audit.not_judged))
    # Great Expectations takes seconds to import.
    from expectations.suites import load_suites
    from expectations.validation import validate

    tables = mart_tables()
    settings.draft_description.unlink(missing_ok=True)
    begin_draft(settings.draft)
    write_draft(settings.draft, tables, settings.warehouse_file)
    write_text(settings.draft / DICTIONARY, dictionary())
    with read_back(settings.draft, tables, settings.warehouse_file) as connection:
        results = validate("published_files", load_suites("published"), connection)
    audited = Audit(audit.basis, (*(one for one in audit.results if one.layer != "published"), *results))
    save_audit(settings, audited)
    if audited.blocking:
        raise PublishingBlockedError(audited.blocking)
    _describe(settings, audited)
    return audited


def _describe(settings: Settings, audit: Audit) -> None:
    """Write the tables about the checks, the publications and the revisions into the draft, and what its manifest will say."""
    description = _description(settings, audit)
    settings.scratch.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=settings.scratch) as folder:
        built = Path(folder) / "described.duckdb"
        with duckdb.connect(str(built)) as connection:
            create_described(connection)
            columns = list(mart_declarations()["quality_check"].columns)
            # By columns: DuckDB inserts row by row very slowly.
            connection.execute(
                f"insert into marts.quality_check select {', '.join('unnest(?)' for _ in columns)}",
                [[getattr(one, column) for one in audit.results] for column in columns],
            )
            description["revisions"] = describe_history(connection, settings, description)
            failed = failures_of_described(connection, settings.draft / FIGURES)
        if failed:
            raise PublishingBlockedError([], f"what the draft tells of itself fails {', '.join(failed)}")
        write_draft(settings.draft, described_tables(), built)
        with read_back(settings.draft, described_tables(), built) as connection:
            different = connection.execute(
                f"select table_name, format from {READ_BACK} where rows_only_built + rows_only_served + formulas > 0 "
                # A publication may revise nothing.
                "or (rows_served = 0 and table_name <> 'revision')"
            ).fetchall()
    if different:
        raise PublishingBlockedError(
            [], f"served is not what was built, or holds texts that a spreadsheet would compute: {different}"
        )
    write_json(settings.draft_description, description)


def release(settings: Settings) -> Publication | None:
    """Complete the draft with its views, the report and the other formats, seal it, name it and point readers to it.

    May be repeated after a failure at any point of it. Returns None where the newest publication rests on the same deliveries
    and code: then there is nothing to publish.
    """
    finished = finish_interrupted_publishing(settings)
    if nothing_to_publish(settings):
        shutil.rmtree(settings.draft, ignore_errors=True)
        return finished
    audit = _approved(settings)
    undo_release(settings.draft, kept={DICTIONARY, *files_of((*mart_tables(), *described_tables()))})
    description = read_json(settings.draft_description, {})
    with duckdb.connect(str(settings.draft / DATABASE), read_only=True) as connection:
        told = connection.execute(
            "select max(publication_id), (select count(*) from marts.quality_check), (select count(*) from "
            "marts.revision where publication_id = $new) from marts.publication",
            {"new": description["publication_id"]},
        ).fetchone()
    write_views(settings)
    if views := views_served_otherwise(settings):
        raise PublishingBlockedError([], f"served views are not what was built: {', '.join(views)}")
    described = (description["publication_id"], len(audit.results), description["revisions"]["values"])
    if told != described or description["basis"] != audit.basis:
        raise PublishingBlockedError([], "the draft tells of another audit or publication than this one: load again")
    checks = [
        {name: value for name, value in asdict(one).items() if name not in ("error", "beyond")} for one in audit.results
    ]
    # Seconds of imports that only a load pays which publishes.
    from dagster_project.publication.formats.write import write_formats
    from dagster_project.report.follow_up import write_report

    write_report(settings.draft)
    earlier = [publication.said for publication in publications(settings)]
    write_formats(settings.draft, description, earlier, read_catalogue(settings.catalogue))
    if not description["synthetic"] and not settings.catalogue.exists():
        logger.warning("%s says neither who publishes nor the licence: see docs/formats.md", settings.catalogue)
    remember_withheld(settings)
    seal(settings.draft, {**description, "checks": {**description["checks"], "results": checks}})
    publication = publish(settings, description["publication_id"])
    logger.info("published %s", publication.publication_id)
    return publication


def _approved(settings: Settings) -> Audit:
    """The audit of just what lies in the draft, which lets it be published."""
    audit = read_audit(settings)
    if (
        audit is None
        or audit.basis != publication_basis(settings)
        or not is_built(settings)
        or not settings.draft.is_dir()
        or not settings.draft_description.exists()
    ):
        raise PublishingBlockedError([], "there is no draft of the present deliveries: load again")
    if not any(one.layer == "published" for one in audit.results):
        raise PublishingBlockedError([], "the draft was not read back: load again")
    if audit.blocking:
        raise PublishingBlockedError(audit.blocking, not_judged=len(audit.not_judged))
    return audit


def _description(settings: Settings, audit: Audit) -> dict[str, Any]:
    """What the manifest of a publication says."""
    active = active_deliveries(settings)
    years = complete_years(active)
    kept = kept_description(settings)
    loaded = last_loaded(settings)
    now = datetime.now(UTC)
    return {
        "publication_id": next_publication_id(settings, now),
        "published_at": now.isoformat(timespec="seconds"),
        "basis": audit.basis,
        "synthetic": any(record.synthetic is not None for record in active.values())
        or any(one["synthetic"] is not None for one in kept["deliveries"]),
        "years": [*kept["years"], *years],
        "kept_from": kept["publication_id"] or None,
        "code_version": code_version(),
        **grounds(settings),
        "deliveries": [
            *kept["deliveries"],
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
                for record in active.values()
                if record.year in years or record.source == "police"
            ),
        ],
        "waivers": [one.text for one in read_waivers(settings.waivers)],
        "checks": {
            "passed": sum(one.passed for one in audit.results),
            "warned": len(audit.warnings),
            "not_judged": len(audit.not_judged),
        },
    }
