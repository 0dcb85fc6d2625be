"""Validates a received file row by row: rows are loaded, quarantined with one reason, or dropped as exact duplicates.

The SQL is generated from the contract and uses three tables: `row` (the contract's columns as trimmed text), `fault` (the rows
that are not loaded, with the reason) and `unusable` (the values of loaded rows that become missing).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from dagster_project.contract import Column, FileContract
from dagster_project.ingestion.corrections import Correction, apply_corrections
from dagster_project.ingestion.diagnosis import ColumnSql, reject_systematic_errors
from dagster_project.ingestion.normal_form import normal_sql
from dagster_project.ingestion.personal_number import CANDIDATE, holds_personal_number
from dagster_project.ingestion.pseudonyms import (
    create_pseudonym_functions,
    faulty_value_sql,
    kept_sql,
    misshapen_line_sql,
)
from dagster_project.ingestion.read import ReceivedFile
from dagster_project.ingestion.rejection import RejectedDeliveryError
from dagster_project.ingestion.rows import read_rows
from dagster_project.ingestion.shape import shape_sql
from dagster_project.sql import literal, one_row

EXACT_DUPLICATE = "exact_duplicate"


@dataclass(frozen=True)
class ValidatedFile:
    """The row balance of a file: rows read = loaded + quarantined (by reason) + exact duplicates.

    `corrected` counts rows by declared correction; dropped rows count as quarantined. `unusable` counts, by column, the loaded
    rows whose invalid value became missing.
    """

    rows_read: int
    rows_loaded: int
    duplicates: int
    quarantined: Mapping[str, int]
    corrected: Mapping[str, int]
    unusable: Mapping[str, int]

    def __post_init__(self) -> None:
        if self.rows_read != self.rows_loaded + self.duplicates + sum(self.quarantined.values()):
            raise AssertionError(f"row balance broken: {self}")


def validate_file(
    received: ReceivedFile,
    year: int,
    corrections: Sequence[Correction],
    key: bytes,
    loaded: Path,
    quarantine: Path,
    unusable_fields: Path,
    connection: duckdb.DuckDBPyConnection,
) -> ValidatedFile:
    """Validate all rows; write the loaded ones to `loaded`, the quarantined ones to `quarantine` and, if there are any, the fields
    that became missing to `unusable_fields` (all Parquet).

    Loaded rows have the contract's typed columns and `line`. Quarantined rows have `file`, `line`, `reason`, `column_name`,
    `shape` (of the invalid value) and `row`, the delivered row as a JSON object (for a malformed row, its line). Unusable fields
    have `line`, `column_name` and `problem`. Identifiers of cases and suspects are replaced by pseudonyms. Raises
    `RejectedDeliveryError` for errors that reject the whole delivery.
    """
    contract = received.contract
    create_pseudonym_functions(connection, key)
    read_rows(received, connection)
    corrected = apply_corrections(corrections, connection)
    _create_normal_form_view(contract, connection)
    _find_doubtful_rows(contract, year, connection)
    _find_faults(contract, year, connection)
    _reject_personal_numbers(received, connection)
    column_sql = {column.name: ColumnSql(_typed(column), _invalid(column)) for column in contract.columns}
    reject_systematic_errors(received, year, column_sql, connection)
    (rows_read,) = one_row(connection, "select count(*) from row")
    rows_loaded = _write_loaded(contract, loaded, connection)
    connection.execute(
        f"""
        copy (
            select
                '{received.path.name}' as file, line, reason, column_name, {_shape_of_fault(received)} as shape,
                {_delivered_row(contract)} as row
            from row join fault using (line) where reason <> '{EXACT_DUPLICATE}' order by line
        ) to {literal(quarantine)} (format parquet, compression zstd)
        """
    )
    counts = dict(connection.execute("select reason, count(*) from fault group by reason order by reason").fetchall())
    unusable = _count_unusable(contract, connection)
    if unusable:
        _write_unusable(contract, list(unusable), unusable_fields, connection)
    connection.execute(
        "drop view compared; drop table row; drop table doubtful; drop table repeated; drop table fault; drop table unusable"
    )
    return ValidatedFile(
        rows_read=rows_read,
        rows_loaded=rows_loaded,
        duplicates=counts.pop(EXACT_DUPLICATE, 0),
        quarantined=counts,
        corrected=corrected,
        unusable=unusable,
    )


def _checks(contract: FileContract, year: int) -> list[tuple[str, str, str | None]]:
    """The checks of a row by itself in their order: condition on its typed columns (`<name>_text` is the text), reason, column."""
    return [
        ("malformed is not null", "malformed_row", None),
        ("line in (select line from declared_wrong)", "declared_wrong", None),
        *(
            (f"{column.name}_text is null", "missing_value", column.name)
            for column in contract.columns
            if column.required
        ),
        *((_invalid(column), "invalid_value", column.name) for column in contract.columns if not column.unusable),
        *(
            (f"year({column.name}) <> {year}", "outside_year", column.name)
            for column in contract.columns
            if column.within_year
        ),
        *((check.when, check.reason, ", ".join(check.columns)) for check in contract.checks),
    ]


def _create_normal_form_view(contract: FileContract, connection: duckdb.DuckDBPyConnection) -> None:
    """Create view `compared`: table `row` with its columns in normal form."""
    forms = {column.name: normal_sql(column, column.name) for column in contract.columns}
    candidates = [name for name, form in forms.items() if form != name]
    # The view is read several times, and most files contain the normal form only.
    counts = one_row(
        connection, f"select {', '.join(f'count_if({name} <> {forms[name]})' for name in candidates)} from row"
    )
    needed = {name for name, rows in zip(candidates, counts, strict=True) if rows}
    columns = ", ".join(f"{form} as {name}" if name in needed else name for name, form in forms.items())
    connection.execute(f"create or replace temp view compared as select line, malformed, {columns} from row")


def _find_doubtful_rows(contract: FileContract, year: int, connection: duckdb.DuckDBPyConnection) -> None:
    """Create table `doubtful`, the rows of `compared` that may have a fault, and table `repeated`, the lines of those that may
    be repeated.

    One look at all rows finds those that fail a check, another one those that occur repeatedly. Every later step, which needs
    several looks, looks at the few doubtful rows only.
    """
    failed = [condition for condition, _, _ in _checks(contract, year)]
    unusable = [_unusable(contract, column) for column in contract.usable_or_missing]
    # Rows with the same content have the same key.
    key = ", ".join(_typed(column) for column in contract.columns if not contract.key or column.name in contract.key)
    connection.execute(
        f"""
        create or replace temp table repeated as
        with shaped as (select line, hash({key}) as fingerprint from compared where malformed is null)
        select line from shaped
        semi join (select fingerprint from shaped group by fingerprint having count(*) > 1) using (fingerprint);
        create or replace temp table doubtful as
        with failed as (
            select line from (select line, malformed, {_text_and_typed(contract)} from compared)
            where {" or ".join(f"({condition})" for condition in [*failed, *unusable])}
        )
        select * from compared where line in (select line from failed union all select line from repeated)"""
    )


def _find_faults(contract: FileContract, year: int, connection: duckdb.DuckDBPyConnection) -> None:
    """Create tables `fault` and `unusable`.

    `fault` holds `line`, `reason` and `column_name` of every row that is not loaded; the reason is the first check that fails.
    `unusable` holds `line` and, for each column with `unusable: missing`, whether the row's value becomes missing.
    """
    names = ", ".join(column.name for column in contract.columns)
    malformed, *others = _checks(contract, year)
    checks = [malformed, ("line in (select line from duplicate)", EXACT_DUPLICATE, None), *others]
    cases = "\n".join(f"when {condition} then {number}" for number, (condition, _, _) in enumerate(checks, 1))
    reasons = ", ".join(f"'{reason}'" for _, reason, _ in checks)
    columns = ", ".join(f"'{column}'" if column else "null" for _, _, column in checks)
    unusable = {column.name: _unusable(contract, column) for column in contract.usable_or_missing}
    connection.execute(
        f"""
        create or replace temp table failed_check as
        with duplicate as (
            select line from doubtful semi join repeated using (line)
            qualify row_number() over (partition by {names} order by line) > 1
        )
        select * from (
            select
                line, case {cases} end as failed
                {"".join(f", {condition} as {name}" for name, condition in unusable.items())}
            from (select line, malformed, {_text_and_typed(contract)} from doubtful)
        )
        where failed is not null {"".join(f" or {name}" for name in unusable)}"""
    )
    connection.execute(
        f"""
        create or replace temp table fault as
        select line, [{reasons}][failed] as reason, [{columns}][failed] as column_name
        from failed_check where failed is not null"""
    )
    if contract.key:
        _find_conflicts(contract, connection)
    connection.execute(
        """
        create or replace temp table unusable as select * exclude (failed) from failed_check anti join fault using (line);
        drop table failed_check"""
    )


def _find_conflicts(contract: FileContract, connection: duckdb.DuckDBPyConnection) -> None:
    """Add rows with the same key and different content to `fault`, with the columns that differ."""
    key = ", ".join(f"{column.name} := {_typed(column)}" for column in contract.columns if column.name in contract.key)
    differing = ", ".join(
        f"case when count(distinct coalesce({column.name}, '')) > 1 then '{column.name}' end"
        for column in contract.columns
    )
    connection.execute(
        f"""
        create or replace temp table conflict as
        with passed as (
            select *, struct_pack({key}) as key from doubtful semi join repeated using (line) anti join fault using (line)
        )
        select * from passed semi join (select key from passed group by key having count(*) > 1) using (key);
        insert into fault
        select line, 'duplicate_conflict', column_name
        from conflict
        join (select key, concat_ws(', ', {differing}) as column_name from conflict group by key) using (key);
        drop table conflict"""
    )


def _text_and_typed(contract: FileContract) -> str:
    """The columns as text (`<name>_text`) and typed."""
    return ", ".join(
        f"{column.name} as {column.name}_text, {_typed(column)} as {column.name}" for column in contract.columns
    )


def _write_loaded(contract: FileContract, loaded: Path, connection: duckdb.DuckDBPyConnection) -> int:
    """Write the rows without a fault, unusable values as null; return their number."""
    columns = ", ".join(f"{kept_sql(column, _loaded(column))} as {column.name}" for column in contract.columns)
    rows: int
    (rows,) = one_row(
        connection,
        f"copy (select {columns}, line from compared left join unusable using (line) anti join fault using (line)) "
        f"to {literal(loaded)} (format parquet, compression zstd)",
    )
    return rows


def _count_unusable(contract: FileContract, connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """The number of rows whose value became missing, by column; columns without any are left out."""
    names = [column.name for column in contract.usable_or_missing]
    counts = one_row(
        connection, f"select {', '.join(['count(*)', *(f'count_if({name})' for name in names)])} from unusable"
    )
    return {name: rows for name, rows in zip(names, counts[1:], strict=True) if rows}


def _write_unusable(
    contract: FileContract, columns: Sequence[str], destination: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    """Write line, column and problem (the value's shape, or what it is later than) of the values that became missing."""
    fields = " union all ".join(
        f"""
        select
            line, '{column.name}' as column_name,
            case when {_invalid(column)} then {shape_sql(replace(column, name=f"{column.name}_text"))}
            else 'later than {column.not_after}' end as problem
        from judged where line in (select line from unusable where {column.name})"""
        for column in contract.usable_or_missing
        if column.name in columns
    )
    connection.execute(
        f"""
        copy (
            with judged as (select line, {_text_and_typed(contract)} from doubtful)
            select * from ({fields}) order by line, column_name
        ) to {literal(destination)} (format parquet, compression zstd)"""
    )


def _delivered_row(contract: FileContract) -> str:
    values = ", ".join(f"'{column.name}', {faulty_value_sql(column)}" for column in contract.columns)
    return f"coalesce({misshapen_line_sql(contract, 'malformed')}, cast(json_object({values}) as varchar))"


def _shape_of_fault(received: ReceivedFile) -> str:
    """SQL for the shape of a faulty row's invalid value, or the error in its line."""
    shapes = "\n".join(f"when '{column.name}' then {shape_sql(column)}" for column in received.contract.columns)
    return f"""case reason
        when 'invalid_value' then case column_name {shapes} end
        when 'malformed_row' then case
            when malformed = '' then 'blank line'
            when fields_found is null then 'quote out of place'
            else fields_found || case fields_found when 1 then ' field' else ' fields' end || ' instead of {len(received.header)}'
        end
    end"""


def _unusable(contract: FileContract, column: Column) -> str:
    """Condition that is true for an unusable value of an optional column, never null."""
    if column.not_after is None:
        return _invalid(column)
    other = next(candidate for candidate in contract.columns if candidate.name == column.not_after)
    is_later = f"coalesce({column.name} > {other.name}, false) and not {_invalid(other)}"
    return f"({_invalid(column)} or {is_later})"


def _invalid(column: Column) -> str:
    """Condition that is true for a filled field that breaks the column's declaration, never null."""
    text = f"{column.name}_text"
    broken = []
    if column.pattern:
        broken.append(f"not regexp_full_match({text}, '{column.pattern}')")
    if column.values:
        allowed = ", ".join(f"'{value}'" for value in column.values)
        broken.append(f"{text} not in ({allowed})")
    if column.max_length is not None:
        broken.append(f"length({text}) > {column.max_length}")
    if column.type == "integer":
        broken += [f"not regexp_full_match({text}, '[0-9]+')", f"{column.name} is null"]
    if column.type == "date":
        # DuckDB also accepts other notations and the year 0.
        broken += [
            f"not regexp_full_match({text}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}')",
            f"{column.name} is null",
            f"{text} < '0001'",
        ]
    if column.min is not None:
        broken.append(f"{column.name} < {column.min}")
    if column.max is not None:
        broken.append(f"{column.name} > {column.max}")
    return f"({text} is not null and ({' or '.join(broken) or 'false'}))"


def _typed(column: Column) -> str:
    sql_type = {"integer": "integer", "date": "date"}.get(column.type)
    return f"try_cast({column.name} as {sql_type})" if sql_type else column.name


def _loaded(column: Column) -> str:
    """SQL for the typed value of a column of `compared` as it is loaded."""
    typed = _typed(replace(column, name=f"compared.{column.name}"))
    return f"case when unusable.{column.name} then null else {typed} end" if column.unusable else typed


def _reject_personal_numbers(received: ReceivedFile, connection: duckdb.DuckDBPyConnection) -> None:
    """Raise `RejectedDeliveryError` if any field contains a personal identity number.

    Valid values of columns with a pattern or code list need no search; faulty rows are searched as a whole, corrected rows also
    as delivered.
    """
    contract = received.contract
    free = [column.name for column in contract.columns if column.is_free_text]
    whole_row = f"concat_ws(' ; ', malformed, {', '.join(column.name for column in contract.columns)})"
    searched = " union all ".join(
        [
            *(
                f"select line, '{name}' as place, {name} as text from row where regexp_matches({name}, '{CANDIDATE}')"
                for name in free
            ),
            *(
                f"select line, '{column.name}' as place, {column.name} as text from unread "
                f"where regexp_matches({column.name}, '{CANDIDATE}')"
                for column in contract.usable_or_missing
            ),
            f"select line, 'a faulty row' as place, text from faulty where regexp_matches(text, '{CANDIDATE}')",
            f"select line, 'a corrected row' as place, {whole_row} as text from as_delivered",
        ]
    )
    # Materialized, so that DuckDB does not search the rows without a fault.
    faulty = f"select line, {whole_row} as text from row semi join fault using (line)"
    unread = "".join(
        f", case when unusable.{column.name} then row.{column.name} end as {column.name}"
        for column in contract.usable_or_missing
    )
    candidates = connection.execute(
        f"""
        with
        faulty as materialized ({faulty}),
        unread as materialized (select line{unread} from row join unusable using (line))
        select line, place, text from ({searched}) order by line, place = 'a faulty row'"""
    )
    while batch := candidates.fetchmany(10_000):
        for line, place, text in batch:
            if holds_personal_number(text):
                raise RejectedDeliveryError(
                    f"{received.where}, line {line}, {place}",
                    "a Swedish personal identity number",
                    "Deliver pseudonyms; the number must not be passed on, and is not stored here",
                )
