"""Keyed pseudonyms: what case numbers and suspect ids become before a row is kept, and the key that makes them."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat

import duckdb

from dagster_project.contract import Column, FileContract
from dagster_project.files import sync_folder, write_text
from dagster_project.ingestion.identifiers import identifying_pattern
from dagster_project.ingestion.normal_form import normal_sql
from dagster_project.settings import Settings
from dagster_project.state import active_deliveries, kept_description, withdrawals

KEY_VARIABLE = "UPPKLARAT_KEY"
SHORTEST_KEY = 32
# Half of SHA-256: RFC 2104 allows it, and two of a thousand million numbers still meet once in 10^20 times.
HEX_DIGITS = 32
_BLOCK = hashlib.sha256().block_size
_HIDDEN = "(identifier)"
# What no case number and no suspect is taken for: small numbers, dates however written, regions.
_HARMLESS = ["[0-9]{1,5}", "[0-9]{2,4}[-./][0-9]{1,2}[-./][0-9]{1,4}", "Rn[0-9]{2}"]


class PseudonymKeyError(Exception):
    """The key is lost, another one than before, too short or open to others; nothing is loaded with it."""


def pseudonym_key(settings: Settings) -> bytes:
    """The key: from `UPPKLARAT_KEY`, or from the key file, which the first load makes.

    Raises `PseudonymKeyError` for a key that others can read, or that is not the one that the loaded deliveries were made with:
    an offence would get another pseudonym than before, and a reopening would no longer meet it.
    """
    active, kept = active_deliveries(settings), kept_description(settings)
    text = os.environ.get(KEY_VARIABLE, "").strip()
    if not text and settings.key_file.exists():
        if stat.S_IMODE(settings.key_file.stat().st_mode) & 0o077:
            raise PseudonymKeyError(f"others may read the key of the pseudonyms: chmod 600 {settings.key_file}")
        text = settings.key_file.read_text(encoding="utf-8").strip()
    if not text:
        if active or kept["before"]:
            raise PseudonymKeyError(
                _lost(settings, f"is lost: there is no {settings.key_file}, and {KEY_VARIABLE} is not set")
            )
        text = os.urandom(32).hex()
        # A file that is written in one step is made with mode 0600.
        write_text(settings.key_file, text + "\n")
        sync_folder(settings.key_file.parent)
    if len(text) < SHORTEST_KEY:
        source = settings.key_file if settings.key_file.exists() and not os.environ.get(KEY_VARIABLE) else KEY_VARIABLE
        raise PseudonymKeyError(f"the key of the pseudonyms in {source} has fewer than {SHORTEST_KEY} characters")
    key = text.encode()
    if others := [record.label for record in active.values() if record.key_id != key_id(key)]:
        raise PseudonymKeyError(_lost(settings, f"is not the one that {', '.join(others)} were loaded with"))
    if kept["before"] and kept["key_id"] != key_id(key):
        raise PseudonymKeyError(
            f"the key of the pseudonyms is not the one that the offences of purged years were kept with ({settings.kept}). Put the "
            f"right key back. If it is gone for good, set key_id in {settings.kept_description} to {key_id(key)}: decisions that "
            "look back to purged years become orphans"
        )
    return key


def key_id(key: bytes) -> str:
    """Tells keys apart without telling them."""
    return hmac.new(key, b"uppklarat:key", hashlib.sha256).hexdigest()[:12]


def create_pseudonym_functions(connection: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Give the connection the macro `pseudonym(kind, value)`: HMAC-SHA-256 (RFC 2104) of `kind:value`, 32 hex digits.

    The same value of the same kind has the same pseudonym in every delivery and year. A missing value has none.
    """
    padded = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    connection.execute("set variable inner_pad = ?::blob", [bytes(byte ^ 0x36 for byte in padded)])
    connection.execute("set variable outer_pad = ?::blob", [bytes(byte ^ 0x5C for byte in padded)])
    connection.execute(
        f"""
        create or replace temp macro pseudonym(kind, value) as left(
            sha256(getvariable('outer_pad') || unhex(sha256(getvariable('inner_pad') || encode(kind || ':' || value)))),
            {HEX_DIGITS}
        )"""
    )


def kept_sql(column: Column, value: str) -> str:
    """SQL for what is kept of a column's value: a pseudonym, or the value without identifiers that do not belong there."""
    if column.identifying:
        return f"pseudonym('{column.name}', {value})"
    if column.is_free_text:
        return f"regexp_replace({value}, '{identifying_pattern()}', '{_HIDDEN}', 'gi')"
    return value


def misshapen_line_sql(contract: FileContract, text: str) -> str:
    """SQL for what is kept of a line whose fields cannot be told apart: what can only be a code, a date or a small number.

    Everything else may be a case number or a suspect, and becomes a pseudonym.
    """
    codes = [value for column in contract.columns for value in column.values]
    return f"""
        array_to_string(list_transform(string_split({text}, ';'), lambda field: case
            when regexp_full_match(trim(field), '{"|".join(["", *_HARMLESS, *codes])}') then field else pseudonym('line', field)
        end), ';')"""


def faulty_value_sql(column: Column) -> str:
    """SQL for what is kept of a value in a faulty row, which may stand in a column that is not its own.

    What has a digit and is no date or small number may be a case or a suspect, and becomes a pseudonym.
    """
    if column.identifying or column.is_free_text:
        return kept_sql(column, normal_sql(column, column.name))
    return f"""case
        when regexp_matches({column.name}, '[0-9]') and not regexp_full_match({column.name}, '{"|".join(_HARMLESS)}')
        then pseudonym('line', {column.name}) else {column.name}
    end"""


def _lost(settings: Settings, problem: str) -> str:
    withdrawn = ", ".join(sorted({f"{source}/{year}" for source, year, _ in withdrawals(settings)}))
    return (
        f"the key of the pseudonyms {problem}. Put the right key back. If it is gone for good, move {settings.raw} and "
        f"{settings.ledger} away and load all deliveries again: a new key is made; what is published stays as it is"
        + (f". Take withdrawn deliveries out of the landing folder first: {withdrawn}" if withdrawn else "")
    )
