"""The outcome of a load, as data and as text."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from dagster_project import paths
from dagster_project.cli.status import check_lines, failed_checks, warehouse_status
from dagster_project.publication.draft import DATABASE
from dagster_project.publication.outcome import LoadOutcome
from dagster_project.publications import active_publication
from dagster_project.quality.audit import read_audit
from dagster_project.quality.waivers import describe_waivers
from dagster_project.rounding import percentage
from dagster_project.seeds import decided_indicators
from dagster_project.settings import REPOSITORY, Settings
from dagster_project.state import State
from dagster_project.years import format_years


def outcome_as_json(state: State, outcome: LoadOutcome) -> dict[str, Any]:
    """Return the outcome of a load as a JSON document."""
    settings = state.settings
    validation_page = settings.home / paths.VALIDATION_PAGE
    return {
        "published": outcome.publication.publication_id if outcome.publication else None,
        "current": active_publication(settings),
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
    current = active_publication(settings)
    if outcome.publication is None:
        waiting = warehouse_status(state)["waiting"]
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
            *check_lines(failed_checks(state)),
            "",
            *_figure_lines(newest_figures(settings)),
            "",
            *_next_steps(settings, current),
        ]
    )


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


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
