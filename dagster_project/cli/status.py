"""The content of the warehouse and pending deliveries, as data and as text."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from dagster_project import paths
from dagster_project.cli.quarantine import quarantine_counts
from dagster_project.contract import input_contract
from dagster_project.ingestion.ingest import (
    changed_folders,
    describe_ignored_delivery,
    known_rejections,
    uncorrected_deliveries,
    validated_by_earlier_rules,
)
from dagster_project.ingestion.landing import (
    DeliveryFolder,
    OfficialFile,
    UnreadableLandingError,
    find_delivery_folders,
    find_unexpected_entries,
)
from dagster_project.ingestion.landing_index import read_index
from dagster_project.ingestion.official import (
    changed_official_files,
    describe_ignored_file,
    ignored_official_files,
)
from dagster_project.ingestion.pseudonyms import PseudonymKeyError, pseudonym_key
from dagster_project.publication.release import nothing_to_publish, published_but_withdrawn
from dagster_project.publications import active_publication, publications
from dagster_project.quality.audit import read_audit
from dagster_project.quality.audit_basis import publication_basis
from dagster_project.quality.waivers import describe_waivers
from dagster_project.state import State
from dagster_project.years import format_years
from expectations.observed import in_brief


class _Landing(NamedTuple):
    """The content of the landing folder; if the folder cannot be read, empty with the reason."""

    labels: Collection[str] = ()
    changed: Sequence[DeliveryFolder | OfficialFile] = ()
    uncorrected: Mapping[str, str] = {}
    unexpected: Sequence[str] = ()
    ignored: Mapping[str, str] = {}
    """When the present version of a file from Brå was withdrawn, by label."""
    unreadable: str | None = None


def _read_landing(state: State) -> _Landing:
    landing = state.settings.landing
    try:
        return _Landing(
            {folder.label for folder in find_delivery_folders(landing)},
            sorted([*changed_folders(state), *changed_official_files(state)], key=lambda one: one.label),
            uncorrected_deliveries(state),
            list(find_unexpected_entries(landing, landing / paths.CORRECTIONS)),
            {file.label: withdrawn_at for file, withdrawn_at in ignored_official_files(state)},
        )
    except UnreadableLandingError as error:
        return _Landing(unreadable=str(error))


def warehouse_status(state: State) -> dict[str, Any]:
    """Return loaded deliveries, quarantined rows, the current publication and pending deliveries."""
    landing, quarantined = _read_landing(state), quarantine_counts(state)
    published = publications(state.settings)
    current = active_publication(state.settings)
    return {
        "deliveries": [
            {
                "source": record.source,
                "year": record.year,
                "delivery_id": record.delivery_id,
                "loaded_at": record.loaded_at,
                "complete": record.complete,
                "synthetic": record.synthetic,
                "in_landing": record.label in landing.labels,
                "warnings": list(record.warnings),
                "files": {
                    name: {
                        "rows_read": file.rows_read,
                        "rows_loaded": file.rows_read - file.duplicates - sum(reasons.values()),
                        "exact_duplicates": file.duplicates,
                        "quarantined": reasons,
                        "unusable": dict(file.unusable),
                    }
                    for name, file in record.files.items()
                    for reasons in [quarantined.get((record.source, record.year, name), {})]
                },
            }
            for record in state.active.values()
        ],
        "official": [
            {
                "source": record.source,
                "year": record.year,
                "file": file.name,
                "delivery_id": record.delivery_id,
                "loaded_at": record.loaded_at,
                "rows_loaded": file.rows_loaded,
            }
            for record, *_ in state.official.values()
            for file in record.files.values()
        ],
        "published": {
            "current": current,
            "newest": [publication.publication_id for publication in published][-1:],
            "years": next(
                (publication.manifest["years"] for publication in published if publication.publication_id == current),
                [],
            ),
        },
        "checks": failed_checks(state),
        "waivers": describe_waivers(state.settings),
        "purged_before": state.purged.before or None,
        "landing_unreadable": landing.unreadable,
        "waiting": [*_obstacles(state, landing), *_waiting_deliveries(state, landing), *_unpublished(state, landing)],
    }


def _obstacles(state: State, landing: _Landing) -> list[str]:
    """Return why nothing can be loaded."""
    obstacles = []
    if state.active:
        try:
            pseudonym_key(state)
        except PseudonymKeyError as error:
            obstacles.append(str(error))
    if landing.unreadable or not landing.labels:
        obstacles.append(landing.unreadable or f"{state.settings.landing} holds no delivery")
    return obstacles


def _waiting_deliveries(state: State, landing: _Landing) -> list[str]:
    """Return deliveries that a load would ingest, that lack the other source, or that need a person's attention."""
    active, changed = state.active, {folder.label for folder in landing.changed}
    rejected = known_rejections(state.settings, landing.changed)
    waiting = [
        f"rejected, {why}" if (why := rejected.get(folder)) else f"{folder.label}: new or changed, not loaded"
        for folder in landing.changed
    ]
    waiting += [
        f"{label}: {describe_ignored_file(withdrawn_at)}"
        for label, withdrawn_at in landing.ignored.items()
        if label not in changed
    ]
    waiting += [
        f"{year}: waits for {' and '.join(missing)}"
        for year in sorted({year for _, year in active} - set(state.complete_years))
        if (missing := [source for source in input_contract().sources if (source, year) not in active])
    ]
    if labels := published_but_withdrawn(state):
        waiting.append(f"the current publication is based on withdrawn deliveries: {', '.join(labels)}")
    waiting += [*landing.unexpected, *validated_by_earlier_rules(state), *landing.uncorrected.values()]
    seen = read_index(state.settings)
    return waiting + [
        f"{source}/{year}: {describe_ignored_delivery(at)}"
        for (source, year, delivery_id), at in state.withdrawn.items()
        if f"{source}/{year}" not in changed and seen.get(f"{source}/{year}", {}).get("delivery_id") == delivery_id
    ]


def _unpublished(state: State, landing: _Landing) -> list[str]:
    """Return why loaded deliveries are not published."""
    if not state.complete_years or nothing_to_publish(state):
        return []
    audit = read_audit(state.settings)
    if audit and audit.basis == publication_basis(state) and audit.blocking:
        blocking = ", ".join(result.label for result in audit.blocking)
        return [f"publishing is blocked by {blocking}; see {state.settings.home / paths.VALIDATION_PAGE}"]
    if landing.changed:
        return []
    return ["the loaded deliveries are not published yet, or were published by other code: load again"]


def status_as_text(summary: Mapping[str, Any]) -> str:
    """Format the status."""
    lines = ["deliveries loaded:"] if summary["deliveries"] else ["no delivery is loaded"]
    for delivery in summary["deliveries"]:
        files = "; ".join(
            f"{name} {file['rows_loaded']:,} loaded, {sum(file['quarantined'].values()):,} quarantined, "
            f"{file['exact_duplicates']:,} duplicates"
            for name, file in delivery["files"].items()
        )
        marks = ", synthetic" if delivery["synthetic"] else ""
        marks += "" if delivery["complete"] else ", completeness not verified"
        lines.append(f"  {delivery['source']}/{delivery['year']}  {files}{marks}")
        lines += [
            f"    unusable values became missing: {name} "
            + ", ".join(f"{column} {rows:,}" for column, rows in file["unusable"].items())
            for name, file in delivery["files"].items()
            if file["unusable"]
        ]
        lines += [f"    note: {warning}" for warning in delivery["warnings"]]
    lines += [f"official: {one['file']}, {one['rows_loaded']} rows" for one in summary["official"]]
    published = summary["published"]
    lines.append(
        f"published: {published['current'] or 'nothing'}"
        + (f", years {format_years(published['years'])}" if published["years"] else "")
    )
    if published["newest"] and published["newest"][0] != published["current"]:
        lines.append(f"  (the newest publication is {published['newest'][0]}; an earlier one was activated)")
    if summary["purged_before"]:
        lines.append(f"purged: rows of years before {summary['purged_before']}; their figures are kept as published")
    lines += check_lines(summary["checks"])
    lines += [f"waiver: {text}" for text in summary["waivers"]]
    lines += [f"waiting: {text}" for text in summary["waiting"]] or ["nothing waits"]
    return "\n".join(lines)


def failed_checks(state: State) -> list[dict[str, Any]]:
    """Return the checks that block, warn or are waived in the audit of the active deliveries."""
    audit = read_audit(state.settings)
    if audit is None or audit.basis != publication_basis(state):
        return []
    return [
        {
            "check": f"{result.asset}.{result.name}",
            "year": result.year,
            "result": result.result,
            "severity": result.severity,
            "observed": result.observed,
            "limit": result.limit,
            "owner": result.owner,
            "reason": result.reason,
            "error": result.error,
            "text": result.text,
        }
        for result in (*audit.blocking, *audit.warnings)
    ]


def check_lines(checks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Format the checks of `failed_checks`, one per line."""
    words = {"waived": "waived", "block": "blocks publishing", "warn": "warning"}
    return [
        f"{words['waived' if check['result'] == 'waived' else check['severity']]}: "
        f"{in_brief(check['text'], check['observed'])}"
        for check in checks
    ]
