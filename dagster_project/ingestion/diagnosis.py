"""Rejects a delivery in which one cause explains most of a column's invalid values, and names the cause.

Quarantining each row would hide the cause from the supplier. Messages name columns, counts and shapes, never a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import duckdb

from dagster_project.contract import Column, input_contract
from dagster_project.ingestion.read import ReceivedFile
from dagster_project.ingestion.rejection import RejectedDeliveryError
from dagster_project.ingestion.shape import shape_sql
from dagster_project.sql import one_row

# Among fewer values, a few single errors can be the majority; their rows are quarantined instead.
FEWEST_VALUES = 20


class ColumnSql(NamedTuple):
    """SQL for a column: its typed value, and the condition that its text (`<name>_text`) is invalid."""

    typed: str
    invalid: str


@dataclass(frozen=True)
class Cause:
    """A systematic error in a whole column (or, in `LINE_CAUSES`, in all lines).

    `condition` is SQL over a filled value `text`, with the column's `{pattern}`, `{year}` and `{invalid}`. `among` selects the
    valid values to compare with where only some can show the cause: codes that lost their leading zero are compared with codes
    that have one. The subject of `problem` is the values.
    """

    columns: tuple[str, ...]
    condition: str
    problem: str
    remedy: str
    among: str = "true"


_BLANK = r"[ \x{a0}\x{202f}]"
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_NUMBERS_OF_A_DATE = r"[0-9]{1,4}[-/. ][0-9]{1,2}[-/. ][0-9]{1,4}\.?(?:[T ].*)?"
_ALL = ("date", "integer", "pattern", "values")
_DATES = "Deliver dates as YYYY-MM-DD, without a time"
_CODES = "Deliver codes as text with all their digits"
_NUMBERS = "Deliver whole numbers in digits only, without decimals or separators"
# The first cause that explains enough values is reported.
CAUSES = (
    Cause(("date",), f"regexp_full_match(text, '{_DAY}[T ].+')", "have a time of day after the date", remedy=_DATES),
    Cause(
        ("date",),
        "regexp_full_match(text, '[0-9]{5}(?:[.,][0-9]+)?')",
        "are serial numbers of a spreadsheet instead of dates",
        remedy=_DATES,
    ),
    Cause(
        ("date",),
        "regexp_full_match(text, '[0-9]{10}|[0-9]{13}')",
        "are seconds or milliseconds since 1970 instead of dates",
        remedy=_DATES,
    ),
    Cause(
        ("date",),
        f"regexp_full_match(text, '[0-9]{{6}}|[0-9]{{8}}|{_NUMBERS_OF_A_DATE}') and not regexp_full_match(text, '{_DAY}')",
        "are dates in another notation",
        remedy=_DATES,
    ),
    Cause(
        ("within_year",),
        "not {invalid} and year(try_cast(text as date)) <> {year}",
        "lie outside the delivery's year",
        remedy="Put the delivery into the folder of its year, or deliver this year's decisions",
    ),
    Cause(
        ("pattern",),
        " or ".join(f"regexp_full_match('{'0' * lost}' || text, '{{pattern}}')" for lost in (1, 2, 3)),
        "have lost their leading zeros",
        remedy=_CODES,
        among="starts_with(text, '0')",
    ),
    Cause(
        ("pattern",),
        "regexp_full_match(text, '[0-9]+[.,]0+')",
        "are codes that were exported as numbers with decimals",
        remedy=_CODES,
    ),
    Cause(
        ("integer",),
        f"regexp_full_match(text, '[0-9]+[.,][0-9]+|[0-9]{{1,3}}(?:(?:{_BLANK}|[.,])[0-9]{{3}})+(?:[.,][0-9]+)?')",
        "are numbers with decimals or thousands separators",
        remedy=_NUMBERS,
    ),
    Cause(
        ("integer",),
        "{invalid} and regexp_full_match(text, '(?:18|19|20)[0-9]{2}')",
        "are years instead of the number in the contract",
        remedy="Deliver the number that the contract describes",
    ),
    Cause(
        _ALL,
        "regexp_full_match(text, '=?[\"''].*')",
        "begin with a spreadsheet's prefix for text",
        remedy="Deliver the values without the prefix",
    ),
    Cause(
        _ALL,
        "{invalid} and upper(text) in ('NULL', '(NULL)', 'NONE', 'NA', 'N/A', '#N/A', 'NAN', 'OKÄND', '-', '.')",
        "are words or signs for a missing value",
        remedy="Leave missing values empty",
    ),
)
_LINE_REMEDY = "Separate the fields of all lines by ';', as many as the header has"
# For a line whose number of fields differs from the header's (`{fields}`).
LINE_CAUSES = (
    Cause((), "ends_with(text, ';') and {separators} = {fields}", "end with an extra ';'", remedy=_LINE_REMEDY),
    Cause(
        (),
        "{separators} = 0 and length(text) - length(replace(text, ',', '')) >= {fields} - 1",
        "have commas between their fields",
        remedy=_LINE_REMEDY,
    ),
    Cause((), "{separators} = 0 and contains(text, chr(9))", "have tabs between their fields", remedy=_LINE_REMEDY),
)
# The second byte of a two-byte UTF-8 character (128 to 191) decoded as cp1252 or ISO 8859-1.
_SECOND = "".join(dict.fromkeys(bytes(range(128, 192)).decode(codec, "ignore") for codec in ("cp1252", "latin-1")))
# The probable origin of text that was decoded in the wrong encoding, with a pattern of its traces.
WRONG_ENCODINGS = {
    "UTF-8 that was read as cp1252 or ISO 8859-1": f"[ÂÃ][{_SECOND}]|â€|ï»¿|ï¿½",
    "text in which another program replaced characters that it could not read": r"\x{fffd}",
    "Mac Roman that was read as cp1252": r"[0-9](?: ?[a-z])? ?¤",
    "DOS text (cp850) that was read as cp1252": r"[0-9](?: ?[a-z])? ?õ|[a-z][†„”][a-z]",
    "text in which another program kept ASCII only": r"kap\.? ?[0-9]+(?: ?[a-z])? ?\?",
}


def reject_systematic_errors(
    received: ReceivedFile, year: int, columns: Mapping[str, ColumnSql], connection: duckdb.DuckDBPyConnection
) -> None:
    """Raise `RejectedDeliveryError` if one cause explains most of the errors in a file.

    Reads the tables of a validated file: `row`, `compared` (values in normal form) and `doubtful` (rows that may have a fault).
    """
    _reject_wrong_encoding(received, connection)
    _reject_wrong_lines(received, connection)
    for column in received.contract.columns:
        if not column.is_free_text:
            _reject_wrong_column(received, column, year, columns[column.name], connection)


def _reject_wrong_encoding(received: ReceivedFile, connection: duckdb.DuckDBPyConnection) -> None:
    """Reject free text that was decoded in the wrong encoding.

    Provisions decide an offence's indicator, so many damaged values would change figures. The limit of quarantined rows is
    applied to the values that can show damage. Below the limit, the damage may be in the supplier's own system.
    """
    limit = input_contract().quarantine_limit_pct
    for column in (column for column in received.contract.columns if column.is_free_text):
        # strlen counts bytes.
        suspect = f"strlen({column.name}) > length({column.name}) or contains({column.name}, '?')"
        matches = {encoding: f"regexp_matches(text, '{pattern}')" for encoding, pattern in WRONG_ENCODINGS.items()}
        counts = ", ".join(
            f"coalesce(sum(rows) filter ({match}), 0), min(line) filter ({match})" for match in matches.values()
        )
        values, *found = one_row(
            connection,
            f"""
            select sum(rows), {counts}
            from (
                select {column.name} as text, count(*) as rows, min(line) as line
                from row where malformed is null and ({suspect}) group by all
            )""",
        )
        for encoding, damaged, line in zip(matches, found[::2], found[1::2], strict=True):
            if damaged and 100 * damaged > limit * values:
                raise RejectedDeliveryError(
                    f"{received.where}, line {line}, column {column.name}",
                    f"text in the wrong encoding; it seems to be {encoding} "
                    f"({damaged} of {values} values that are not plain letters and digits)",
                    "Export the text again in UTF-8 from the original, or name its encoding in the manifest",
                )


def _reject_wrong_lines(received: ReceivedFile, connection: duckdb.DuckDBPyConnection) -> None:
    rows, malformed = one_row(connection, "select count(*), count(malformed) from row")
    if rows < FEWEST_VALUES or 2 * malformed <= rows:
        return
    parameters = {"fields": str(len(received.header)), "separators": "length(text) - length(replace(text, ';', ''))"}
    for cause in LINE_CAUSES:
        (explained,) = one_row(
            connection,
            f"select count(*) from (select malformed as text from row) where text is not null and {cause.condition.format(**parameters)}",
        )
        if 2 * explained > rows:
            raise RejectedDeliveryError(
                received.where, f"{explained} of its {rows} lines {cause.problem}", cause.remedy
            )


def _reject_wrong_column(
    received: ReceivedFile, column: Column, year: int, sql: ColumnSql, connection: duckdb.DuckDBPyConnection
) -> None:
    """Reject a column in which one cause explains most invalid values."""
    wrong = f"{sql.invalid} or year({column.name}) <> {year}" if column.within_year else sql.invalid
    connection.execute(
        f"""
        create or replace temp table wrong_value as
        select *, count(*) as rows
        from (
            select {column.name} as text, {column.name} as {column.name}_text, {sql.typed} as {column.name}, {shape_sql(column)} as shape
            from doubtful where malformed is null and {column.name} is not null
        ) where {wrong} group by all"""
    )
    (found,) = one_row(connection, "select coalesce(sum(rows), 0) from wrong_value")
    if 2 * found <= FEWEST_VALUES:
        return
    parameters = {"pattern": column.pattern or "", "year": str(year), "invalid": sql.invalid}
    causes = [cause for cause in CAUSES if _traits(column) & set(cause.columns)]
    if column.pattern or column.values or column.type != "text":
        causes.append(_unknown_cause(column))
    conditions = {cause: "(" + _substitute(cause.condition, parameters) + ")" for cause in causes}
    explanations = ", ".join(
        f"""
        coalesce(sum(rows) filter ({condition}), 0), coalesce(sum(rows) filter ({condition} and not ({cause.among})), 0),
        first(shape order by rows desc, text) filter ({condition})"""
        for cause, condition in conditions.items()
    )
    explained_by = one_row(connection, f"select {explanations} from wrong_value")
    compared_with = one_row(
        connection,
        f"""
        select {", ".join(f"count_if({cause.among})" for cause in causes)}
        from (select {column.name} as text from compared where malformed is null and {column.name} is not null)""",
    )
    for number, (cause, among) in enumerate(zip(causes, compared_with, strict=True)):
        explained, besides, shape = explained_by[3 * number : 3 * number + 3]
        values = among + besides
        if values >= FEWEST_VALUES and 2 * explained > values:
            compared = "values" if cause.among == "true" else "values that can show it"
            raise RejectedDeliveryError(
                f"{received.where}, column {column.name}",
                f"{explained} of its {values} {compared} {cause.problem}; most look like {shape}",
                cause.remedy,
            )


def _substitute(condition: str, parameters: Mapping[str, str]) -> str:
    for name, value in parameters.items():
        condition = condition.replace(f"{{{name}}}", value)
    return condition


def _traits(column: Column) -> set[str]:
    """The column's type and declared rules, which select the causes that can apply to it."""
    rules = {"pattern": column.pattern, "values": column.values, "within_year": column.within_year}
    return {column.type, *(name for name, declared in rules.items() if declared)}


def _unknown_cause(column: Column) -> Cause:
    """The cause reported for a column most of whose values are invalid for no known reason."""
    if column.values:
        problem, remedy = "are of another code list", f"Deliver the codes {', '.join(column.values)}"
    elif column.pattern:
        problem, remedy = "are of another kind or code list", f"Deliver values of the form {column.pattern}"
    else:
        problem, remedy = f"are of another kind than {column.type}", "Deliver values as the contract describes them"
    return Cause(_ALL, "{invalid}", problem, remedy)
