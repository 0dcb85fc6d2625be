"""Reads the rows of a received file into table `row`, by DuckDB's parallel CSV reader or a slower method for all other files."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from dagster_project.ingestion.read import LONGEST_LINE, WHITE_SPACE, PlainText, ReceivedFile, check_unchanged
from dagster_project.ingestion.rejection import RejectedDeliveryError
from dagster_project.sql import identifier, literal, one_row, parquet

_ODD_SPACE = "".join(f"\\x{{{ord(character):x}}}" for character in WHITE_SPACE if character != " ")
_QUOTED = '"(?:[^"]|"")*"'
_FIELD = f'(?:{_QUOTED}|[^";][^;]*|)'
# No quotes, comments or automatic detection.
_CSV = "header = false, skip = 1, auto_detect = false, quote = '', escape = '', comment = ''"
# Text in cp1252 may grow threefold in UTF-8.
_LINE_SIZE = 4 * LONGEST_LINE
# DuckDB truncates the text of a rejected line to 10,000 bytes; a character has at most 4.
_LONGEST_WHOLE = 9_996


def read_rows(received: ReceivedFile, connection: duckdb.DuckDBPyConnection) -> None:
    """Create table `row`: `line`, the contract's columns as trimmed text (null = empty), and of malformed lines their text and,
    unless a quote is misplaced, the number of their fields (`malformed`, `fields_found`).

    Raises `RejectedDeliveryError` if DuckDB cannot read the file; later steps only read the table, so their errors are not the
    file's.
    """
    try:
        if received.plain is None or not read_plain(received, received.plain, connection):
            read_any(received, connection)
    except (duckdb.NotImplementedException, duckdb.InternalException, duckdb.OutOfMemoryException):
        raise
    except duckdb.Error as error:
        check_unchanged(received.path, received.where, received.size, received.modified_ns)
        (scratch,) = one_row(connection, "select current_setting('temp_directory')")
        if isinstance(error, duckdb.IOException) and scratch in str(error):
            raise
        # DuckDB's message may quote a value, so it is neither repeated nor chained.
        raise RejectedDeliveryError(
            received.where, "its content is damaged and cannot be read", "Check it and deliver it again"
        ) from None


def read_plain(received: ReceivedFile, plain: PlainText, connection: duckdb.DuckDBPyConnection) -> bool:
    """Read a file by DuckDB's CSV reader, which is several times faster; return whether every line was read completely.

    The reader skips blank lines and accepts lines with additional empty fields, so the numbers of lines and separators read are
    compared with those received. It truncates the text of a long malformed line, which is then not read whole.
    """
    names = [f"field_{number}" for number in range(len(received.header))]
    columns = [column.name for column in received.contract.columns]
    fields = ", ".join(f"{names[received.header.index(column)]} as {column}" for column in columns)
    try:
        _read_by_duckdb(received, names, fields, connection)
    except duckdb.InvalidInputException:
        # The text of a malformed line was truncated within a character, or the file is damaged, which `read_any` will find.
        return False
    rows, rejected, separators, longest = one_row(
        connection,
        """
        select (select count(*) from row), count(*), coalesce(sum(separators), 0), coalesce(max(strlen(text)), 0)
        from rejected_line""",
    )
    found = (rows + rejected, rows * (len(names) - 1) + separators)
    if longest > _LONGEST_WHOLE or found != (received.lines, plain.separators):
        return False
    if rejected:
        connection.execute(
            f"""
            create or replace temp table read_line as
            select range as line from range(2, {received.lines + 2}) anti join rejected_line on range = line;
            update row set line = read_line.line from read_line where row.rowid = read_line.rowid;
            insert into row by name select line, text as malformed, separators + 1 as fields_found from rejected_line;
            drop table read_line"""
        )
    else:
        connection.execute("update row set line = rowid + 2")
    if plain.has_spaces:
        for column in columns:
            padded = f"starts_with({column}, ' ') or ends_with({column}, ' ')"
            connection.execute(f"update row set {column} = nullif(trim({column}), '') where {padded}")
    return True


def _read_by_duckdb(
    received: ReceivedFile, names: Sequence[str], fields: str, connection: duckdb.DuckDBPyConnection
) -> None:
    """Create table `row`, still without line numbers, and table `rejected_line` (`line`, `text`, `separators`)."""
    # The reader keeps the order of the file, and a row's id is its position in it.
    connection.execute("drop table if exists reject_errors; drop table if exists reject_scans")
    connection.execute(
        f"""
        create or replace table row as
        select null::bigint as line, {fields}, null::varchar as malformed, null::bigint as fields_found
        from read_csv(
            {literal(received.text_path)}, {_CSV}, delim = ';', columns = {dict.fromkeys(names, "VARCHAR")},
            new_line = '\\n', max_line_size = {_LINE_SIZE},
            buffer_size = {8 * _LINE_SIZE}, store_rejects = true, rejects_limit = 0
        )"""
    )
    connection.execute(
        """
        create or replace temp table rejected_line as
        select *, length(text) - length(replace(text, ';', '')) as separators
        from (select distinct line, csv_line as text from reject_errors)"""
    )


def read_any(received: ReceivedFile, connection: duckdb.DuckDBPyConnection) -> None:
    """Read a file line by line, on one core, or from Parquet."""
    records = _parquet_records_sql(received) if received.is_parquet else _csv_records_sql(received, connection)
    # Few rows have odd spaces, and trimming a set of characters is many times slower than trimming spaces.
    is_odd = f"regexp_matches(text, '[{_ODD_SPACE}]')" if received.has_odd_space else "false"
    columns = ", ".join(
        f"nullif(trimmed[{received.header.index(column.name) + 1}], '') as {column.name}"
        for column in received.contract.columns
    )
    connection.execute(
        f"""
        create or replace table row as
        select line, {columns},
            case when is_malformed then coalesce(text, '') end as malformed, case when is_malformed then len(fields) end as fields_found
        from (
            select line, text, fields, len(fields) is distinct from {len(received.header)} as is_malformed, case
                when is_malformed then null
                when {is_odd} then list_transform(fields, lambda field: trim(field, '{WHITE_SPACE}'))
                else list_transform(fields, lambda field: trim(field))
            end as trimmed
            from ({records})
        )"""
    )
    connection.execute("drop table if exists line")
    (rows,) = one_row(connection, "select count(*) from row")
    if rows != received.lines:
        check_unchanged(received.path, received.where, received.size, received.modified_ns)
        raise AssertionError(f"{received.where}: read {rows} rows of {received.lines}")


def _parquet_records_sql(received: ReceivedFile) -> str:
    """Rows of a Parquet file in the form of `_csv_records_sql`; columns outside the contract are null."""
    known = {column.name for column in received.contract.columns}
    fields = [
        f"cast({identifier(original)} as varchar)" if name in known else "null"
        for name, original in zip(received.header, received.original_names, strict=True)
    ]
    # The window keeps the order of the file.
    return f"""
        select row_number() over () as line, array_to_string(fields, ';') as text, fields
        from (select [{", ".join(fields)}]::varchar[] as fields from {parquet(received.text_path)})"""


def _csv_records_sql(received: ReceivedFile, connection: duckdb.DuckDBPyConnection) -> str:
    """Lines of a CSV file as `line`, `text` and `fields`; null fields = misplaced quotes or a blank line."""
    # With NUL (rejected on receipt) as delimiter and no quotes, DuckDB keeps lines unchanged, blank ones included. With new_line
    # \r\n it accepts \n too; without, it reads every \r\n as a blank line in a file that begins with \n. Its parallel reader
    # fails on some large files. Storing the lines in a table lets the later steps run in parallel.
    connection.execute("set variable no_delimiter = chr(0)")
    connection.execute(
        f"""
        create or replace table line as
        select 1 + row_number() over () as line, text
        from read_csv(
            {literal(received.text_path)}, {_CSV}, delim = getvariable('no_delimiter'), columns = {{'text': 'VARCHAR'}},
            strict_mode = false, new_line = '\\r\\n', max_line_size = {_LINE_SIZE}, parallel = false
        )"""
    )
    last = received.lines + 1
    read, beyond = one_row(
        connection,
        f"select count(*) filter (line <= {last}), count(*) filter (line > {last} and text is not null) from line",
    )
    if read != received.lines or beyond:
        check_unchanged(received.path, received.where, received.size, received.modified_ns)
        raise AssertionError(f"{received.where}: read {read} lines of {received.lines}, and {beyond} beyond")
    lines = f"select * from line where line <= {last}"
    if not received.has_quotes:
        return f"select line, text, string_split(text, ';') as fields from ({lines})"
    return f"""
        select line, text, case
            when not contains(text, '"') then string_split(text, ';')
            when regexp_full_match(text, '{_FIELD}(?:;{_FIELD})*') then list_transform(
                regexp_extract_all(text || ';', '({_FIELD});', 1),
                lambda field: case when starts_with(field, '"') then replace(field[2:-2], '""', '"') else field end
            )
        end as fields
        from ({lines})"""
