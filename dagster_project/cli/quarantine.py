"""Quarantined rows and unusable fields, as counts and as lists for people, without values."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import duckdb

from dagster_project import paths
from dagster_project.contract import input_contract
from dagster_project.settings import Settings
from dagster_project.sql import parquet
from dagster_project.state import DeliveryRecord, State, record_folder


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
    """List every quarantined row, the location of the original rows, and every unusable field of loaded rows."""
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
            # No file is stored if there are none, after a purge, or by earlier rules.
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
