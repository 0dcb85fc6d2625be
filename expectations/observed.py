"""Formats what a result may show: counts, aggregates and names, never a value that could identify a person or a case."""

from __future__ import annotations

import datetime
import decimal
import re

# Safety net for `shown`, which should select aggregates: case numbers, personal numbers, long identifiers.
_IDENTIFYING = re.compile(r"\d{4}-?K\d|\d{6,8}[-+]\d{4}(?!\d)|\d{10}|\b(?=\w*\d)(?=\w*[^\W\d_])\w{8,}", re.IGNORECASE)
_DATE_OR_TIME = re.compile(r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?\b")
_LONGEST = 120
_PLACES = 5
_MORE = re.compile(r"and ([\d,]+) more")
# Messages of these DuckDB errors concern names and syntax; all others may quote a value of the data.
_ABOUT_THE_STATEMENT = re.compile(
    r"\(_?duckdb\.(?:\w+\.)*(?:Catalog|Binder|Parser)Exception\) (?P<message>.+?)\s*(?:\n|\[SQL|$)"
)
_EXCEPTION = re.compile(r"(?:^|\.|\()(?P<name>\w+(?:Error|Exception))\b", re.MULTILINE)


def show_value(value: object, *, is_text_allowed: bool = False) -> str:
    """Format an aggregate; text may be a value of the data and is only shown if allowed."""
    if value is None:
        return "no value"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float | decimal.Decimal):
        # Enough digits to distinguish a value just beyond its limit from the limit.
        return f"{value:,.10g}"
    if isinstance(value, datetime.date | datetime.time | datetime.timedelta):
        return str(value)
    text = str(value)
    return text if is_text_allowed and not _may_identify(text) else "text (withheld: it may quote the data)"


def show_unit(unit: str) -> str:
    """Return the name of a unit, withheld if it looks like an identifier."""
    return "(withheld)" if _may_identify(unit) else unit


def in_brief(text: str, observed: str) -> str:
    """Return a check's text with what it observed in the first places only, and in how many more."""
    return text.replace(observed, _first_places(observed))


def _first_places(observed: str) -> str:
    parts = observed.split("; ")
    counts = [match for part in parts if (match := _MORE.fullmatch(part))]
    notes = [part for part in parts if " not judged (" in part]
    places = [part for part in parts if part not in notes and not _MORE.fullmatch(part)]
    if len(places) <= _PLACES:
        return observed
    more = len(places) - _PLACES + sum(int(match[1].replace(",", "")) for match in counts)
    return "; ".join([*places[:_PLACES], f"and {more:,} more", *notes])


def show_count(number: int, noun: str) -> str:
    """Format a number with its noun: `1 row`, `2,000 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def show_error(trace: str) -> str:
    """Return DuckDB's message without quoted values if it concerns the statement, otherwise only the exception's name."""
    if match := _ABOUT_THE_STATEMENT.search(trace):
        return re.sub(r"'[^']*'", "'…'", match["message"])
    names = _EXCEPTION.findall(trace)
    return f"{names[0] if names else 'an exception'} (message withheld: it may quote the data)"


def _may_identify(text: str) -> bool:
    return len(text) > _LONGEST or _IDENTIFYING.search(_DATE_OR_TIME.sub("", text)) is not None
