"""Summaries of the warehouse for the command line, as data and as text."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from dagster_project import paths
from dagster_project import publications as kept_publications
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
from dagster_project.publication.draft import DATABASE
from dagster_project.publication.outcome import LoadOutcome
from dagster_project.publication.release import nothing_to_publish, published_but_withdrawn
from dagster_project.quality.audit import read_audit
from dagster_project.quality.audit_basis import publication_basis
from dagster_project.quality.waivers import describe_waivers
from dagster_project.rounding import percentage
from dagster_project.seeds import decided_indicators
from dagster_project.settings import REPOSITORY, Settings
from dagster_project.sql import parquet
from dagster_project.state import DeliveryRecord, State, record_folder
from dagster_project.years import format_years
from expectations.observed import in_brief


def outcome_as_json(state: State, outcome: LoadOutcome) -> dict[str, Any]:
    """Return the outcome of a load as a JSON document."""
    settings = state.settings
    validation_page = settings.home / paths.VALIDATION_PAGE
    return {
        "published": outcome.publication.publication_id if outcome.publication else None,
        "current": kept_publications.active_publication(settings),
        "rejected": list(outcome.rejected),
        "blocked": outcome.blocked,
        "missing": list(outcome.missing),
        "not_served": outcome.not_served,
        "waivers": describe_waivers(settings),
        "warnings": [warning for record in state.active.values() for warning in record.warnings],
        "unusable": [
            {"source": record.source, "year": record.year, "file": name, "column": column, "rows": rows}
            for record in state.active.values()
            for name, file in record.files.items()
            for column, rows in file.unusable.items()
        ],
        "checks": failed_checks(state),
        "run_id": outcome.run_id,
        "validation_page": str(validation_page) if validation_page.exists() else None,
        "newest_figures": newest_figures(settings),
    }


def outcome_as_text(state: State, outcome: LoadOutcome) -> str:
    """Format the outcome of a load, the newest figures and the next steps."""
    settings = state.settings
    current = kept_publications.active_publication(settings)
    if outcome.publication is None:
        waiting = status(state)["waiting"]
        why = f"nothing new to load; current is {current}" if current else "nothing to publish yet"
        return "\n".join([why, *(f"waiting: {text}" for text in waiting), *_next_steps(settings, current)])
    manifest = outcome.publication.manifest
    audit = read_audit(settings)
    synthetic = "  (SYNTHETIC sample data: no real offence is behind any figure)" if manifest["synthetic"] else ""
    warned = f", {len(audit.warnings)} warned, {len(audit.not_judged)} not judged" if audit else ""
    return "\n".join(
        [
            f"published {outcome.publication.publication_id}: years {format_years(manifest['years'])}, "
            f"{manifest['checks']['passed']} checks passed{warned}{synthetic}",
            *_revised_lines(manifest),
            *_check_lines(failed_checks(state)),
            "",
            *_figure_lines(newest_figures(settings)),
            "",
            *_next_steps(settings, current),
        ]
    )


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


def _check_lines(checks: Sequence[Mapping[str, Any]]) -> list[str]:
    words = {"waived": "waived", "block": "blocks publishing", "warn": "warning"}
    return [
        f"{words['waived' if check['result'] == 'waived' else check['severity']]}: "
        f"{in_brief(check['text'], check['observed'])}"
        for check in checks
    ]


def _revised_lines(manifest: Mapping[str, Any]) -> list[str]:
    revised = manifest["revisions"]
    before, after = revised["predecessor"], manifest["publication_id"]
    return [f"{revised['values']:,} values revised: uppklarat diff {before} {after}"] if revised["values"] else []


def newest_figures(settings: Settings) -> list[dict[str, Any]]:
    """Return the decided indicators of the newest year for the country and region Stockholm from the current publication."""
    current = settings.published / paths.CURRENT
    if not current.exists():
        return []
    with duckdb.connect(str(current.resolve() / DATABASE), read_only=True) as connection:
        cursor = connection.execute(
            """
            select
                year, indicator_id, geography_code, processed, cleared, clearance_pct
            from marts.fct_indicator_year
            where
                variant = 'beslutad' and victim_group = 'total' and geography_code in ('SE', 'Rn03')
                and year = (select max(year) from marts.dim_year)
            """
        )
        names = [column[0] for column in cursor.description]
        figures = {(row[1], row[2]): dict(zip(names, row, strict=True)) for row in cursor.fetchall()}
    return [
        {"indicator_number": int(indicator["number"]), "name_sv": indicator["name_sv"], **figures[key]}
        for indicator in decided_indicators()
        for code in ("SE", "Rn03")
        if (key := (indicator["indicator_id"], code)) in figures
    ]


class _Landing(NamedTuple):
    """The landing folder as a status finds it; empty with the reason if it cannot be read."""

    labels: Collection[str] = ()
    changed: Sequence[DeliveryFolder | OfficialFile] = ()
    uncorrected: Mapping[str, str] = {}
    unexpected: Sequence[str] = ()
    ignored: Mapping[str, str] = {}
    """When the version that a file of Brå's has was withdrawn, by label."""
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


def status(state: State) -> dict[str, Any]:
    """Return loaded deliveries, quarantined rows, the current publication and what waits."""
    landing, quarantined = _read_landing(state), quarantine_counts(state)
    published = kept_publications.publications(state.settings)
    current = kept_publications.active_publication(state.settings)
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
    """Return the deliveries that a load would take, that lack their other source, or that somebody has to look at."""
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
        lines.append(
            f"purged: rows of years before {summary['purged_before']}; their figures are carried on as published"
        )
    lines += _check_lines(summary["checks"])
    lines += [f"waiver: {text}" for text in summary["waivers"]]
    lines += [f"waiting: {text}" for text in summary["waiting"]] or ["nothing waits"]
    return "\n".join(lines)


def quarantine_counts(state: State) -> dict[tuple[str, int, str], dict[str, int]]:
    """Count quarantined rows of the active deliveries by (source, year, file) and reason, from validation and linking."""
    counts = {
        (record.source, record.year, name): dict(file.quarantined)
        for record in state.active.values()
        for name, file in record.files.items()
    }
    for source, year, file, reason, rows in _linked(
        state.settings, "source, year, file, reason, count(*)", "group by all"
    ):
        if (of_file := counts.get((source, year, file))) is not None:
            of_file[reason] = of_file.get(reason, 0) + rows
    return counts


def quarantine_as_text(state: State, year: int | None, source: str | None) -> str:
    """List every quarantined row, where the rows are, and every unusable field of the others."""
    lines = quarantine_lines(state, year, source)
    where = (
        f"the original rows are in {state.settings.home / paths.RAW_STORE} (*_quarantine.parquet)"
        if lines
        else "no row is quarantined"
    )
    return "\n".join([*lines, where, *unusable_lines(state, year, source)])


def unusable_lines(state: State, year: int | None, source: str | None) -> list[str]:
    """List every field of a loaded row whose value became missing: file, line, column and problem, without its value."""
    with duckdb.connect() as connection:
        return [
            "\t".join(["unusable", f"{record.label}/{file.name}", f"line {line}", column, problem])
            for record in state.active.values()
            if year in (None, record.year) and source in (None, record.source)
            for name, file in record.files.items()
            # None is stored without any, after a purge, and by earlier rules.
            if (fields := _raw_folder(state, record) / f"{name}_unusable.parquet").exists()
            for line, column, problem in connection.execute(f"from {parquet(fields)}").fetchall()
        ]


def quarantine_lines(state: State, year: int | None, source: str | None) -> list[str]:
    """List every quarantined row: reason, file, line, column and shape, without its values; then the rows by reason and column."""
    rows = [
        (reason, f"{record.label}/{file.name}", line, column, shape)
        for record in state.active.values()
        if year in (None, record.year) and source in (None, record.source)
        for name, file in record.files.items()
        for reason, line, column, shape in _quarantined_lines(state, record.source, record.year, name)
    ]
    if not rows:
        return []
    meaning = input_contract().quarantine_reasons
    order = list(meaning)
    rows.sort(key=lambda row: (order.index(row[0]), row[1], row[2]))
    counts = Counter((reason, column) for reason, _, _, column, _ in rows)
    return [
        *(
            "\t".join([reason, file, f"line {line}", column or "-", shape or "-"])
            for reason, file, line, column, shape in rows
        ),
        "",
        *(
            f"{count:>8,}  {reason}{f' in {column}' if column else ''}: {meaning[reason]}"
            for (reason, column), count in counts.items()
        ),
    ]


def publications(settings: Settings) -> list[dict[str, Any]]:
    """Return the kept publications, oldest first."""
    current = kept_publications.active_publication(settings)
    return [
        {
            "publication_id": publication.publication_id,
            "current": publication.publication_id == current,
            "published_at": publication.manifest["published_at"],
            "synthetic": publication.manifest["synthetic"],
            "years": publication.manifest["years"],
            "code_version": publication.manifest["code_version"],
            "checks_passed": publication.manifest["checks"]["passed"],
            "checks_warned": publication.manifest["checks"]["warned"],
            # Not counted by older code.
            "checks_not_judged": publication.manifest["checks"].get("not_judged"),
            "waivers": publication.manifest.get("waivers", []),
            # Not recorded by older code.
            "revisions": publication.manifest.get("revisions"),
            "folder": str(publication.folder),
        }
        for publication in kept_publications.publications(settings)
    ]


def publications_as_text(summaries: Sequence[Mapping[str, Any]]) -> str:
    """Format the publications."""
    if not summaries:
        return "nothing is published yet"
    return "\n".join(line for summary in summaries for line in _publication_lines(summary))


def _publication_lines(summary: Mapping[str, Any]) -> list[str]:
    revised = summary["revisions"] or {}
    against = f"{revised['values']:,} values revised since {before}" if (before := revised.get("predecessor")) else ""
    fields = [
        f"{'→' if summary['current'] else ' '} {summary['publication_id']}  {summary['published_at'][:16].replace('T', ' ')} UTC",
        f"years {format_years(summary['years'])}",
        f"{summary['checks_passed']} checks passed, {summary['checks_warned']} warned"
        + ("" if summary["checks_not_judged"] is None else f", {summary['checks_not_judged']} not judged"),
        against,
        "synthetic" if summary["synthetic"] else "",
    ]
    return [
        "  ".join(filter(None, fields)),
        *(f"    differs: {text}" for text in revised.get("changes", ())),
        *(f"    not compared: {text}" for text in revised.get("not_compared", ())),
        *(f"    waiver: {text}" for text in summary["waivers"]),
    ]


def _figure_lines(figures: Sequence[Mapping[str, Any]]) -> list[str]:
    by_indicator: dict[int, dict[str, Mapping[str, Any]]] = {}
    for figure in figures:
        by_indicator.setdefault(figure["indicator_number"], {})[figure["geography_code"]] = figure
    if not by_indicator:
        return []
    lines = [
        f"cleared offences of those processed {figures[0]['year']}:{'':<28}{'country':>22}{'region Stockholm':>24}"
    ]
    for number, places in sorted(by_indicator.items()):
        cells = [_cell(places[code]) for code in ("SE", "Rn03")]
        lines.append(f"{number:>3} {places['SE']['name_sv'][:56]:<57}{cells[0]:>24}{cells[1]:>24}")
    return lines


def _cell(figure: Mapping[str, Any]) -> str:
    cleared, processed = figure["cleared"], figure["processed"]
    return f"{percentage(cleared, processed)} % ({cleared}/{processed})" if processed else "– (0 processed)"


def _next_steps(settings: Settings, current: str | None) -> list[str]:
    if current is None:
        return ["next: put deliveries into the landing folder, or `uppklarat sample`; then `uppklarat load`"]
    return [
        f"figures      {_short(settings.published / paths.CURRENT / DATABASE)} (also Parquet, CSV, Excel, PX and JSON-stat beside it)",
        f"checks       {_short(settings.home / paths.VALIDATION_PAGE)}",
        f"runs         {_web_page_command()}, then the address that it prints",
        "more         uppklarat status · uppklarat quarantine · uppklarat publications",
    ]


def _web_page_command() -> str:
    # A wheel has no Makefile.
    is_checkout = (REPOSITORY / "Makefile").is_file()
    return "make dev" if is_checkout else f"{_short(Path(sys.executable))} -m dagster_project.defs.web_page"


def _quarantined_lines(
    state: State, source: str, year: int, file: str
) -> list[tuple[str, int, str | None, str | None]]:
    """Return reason, line, column and shape of a file's quarantined rows."""
    record = state.active[source, year]
    folder = _raw_folder(state, record)
    with duckdb.connect() as connection:
        # Deliveries validated by earlier rules have neither column nor shape.
        on_reading = connection.execute(
            f"""
            select reason, line, column_name, shape
            from (
                select null::varchar as column_name, null::varchar as shape where false
                union all by name from {parquet(folder / f"{file}_quarantine.parquet")}
            )"""
        ).fetchall()
    linked = _linked(state.settings, "reason, line", f"where source = '{source}' and year = {year} and file = '{file}'")
    columns = input_contract().linked_reasons
    return [*on_reading, *((reason, line, ", ".join(columns[reason]), None) for reason, line in linked)]


def _raw_folder(state: State, record: DeliveryRecord) -> Path:
    return record_folder(state.settings, record.source, record.year, record.delivery_id, record.judged_by)


def _linked(settings: Settings, columns: str, clauses: str) -> list[tuple[Any, ...]]:
    """Query the decisions quarantined when linking deliveries; empty before the first build."""
    quarantined_decisions = settings.home / paths.QUARANTINED_DECISIONS
    if not quarantined_decisions.exists():
        return []
    with duckdb.connect() as connection:
        return connection.execute(f"select {columns} from {parquet(quarantined_decisions)} {clauses}").fetchall()


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
