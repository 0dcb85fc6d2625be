"""Keyed pseudonyms that replace case numbers and suspect ids before a row is stored, and their key."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat

import duckdb

from dagster_project import paths
from dagster_project.contract import Column, FileContract
from dagster_project.files import sync_folder, write_text
from dagster_project.ingestion.identifiers import identifying_pattern
from dagster_project.ingestion.normal_form import normal_sql
from dagster_project.state import State

KEY_VARIABLE = "UPPKLARAT_KEY"
SHORTEST_KEY = 32
# Half of SHA-256, as RFC 2104 allows: among 10^9 numbers the probability of a collision is about 10^-20.
HEX_DIGITS = 32
_BLOCK = hashlib.sha256().block_size
_HIDDEN = "(identifier)"
# Values that cannot identify a case or a suspect: small numbers, dates in any notation, regions.
_HARMLESS = ["[0-9]{1,5}", "[0-9]{2,4}[-./][0-9]{1,2}[-./][0-9]{1,4}", "Rn[0-9]{2}"]


class PseudonymKeyError(Exception):
    """The key is lost, changed, too short or readable by others; nothing is loaded."""


def pseudonym_key(state: State) -> bytes:
    """Return the key from `UPPKLARAT_KEY` or from the key file, which the first load creates.

    Raises `PseudonymKeyError` if others can read the key, or if the loaded deliveries were pseudonymised with another one: an
    offence would get a new pseudonym and no longer match its reopening.
    """
    settings, purged = state.settings, state.purged
    key_file = settings.home / paths.KEY_FILE
    text = settings.key.get_secret_value().strip()
    if not text and key_file.exists():
        if stat.S_IMODE(key_file.stat().st_mode) & 0o077:
            raise PseudonymKeyError(f"others can read the pseudonym key: chmod 600 {key_file}")
        text = key_file.read_text(encoding="utf-8").strip()
    if not text:
        if state.active or purged.before:
            raise PseudonymKeyError(_recovery(state, f"is lost: there is no {key_file}, and {KEY_VARIABLE} is not set"))
        text = os.urandom(32).hex()
        # write_text creates files with mode 0600.
        write_text(key_file, text + "\n")
        sync_folder(key_file.parent)
    if len(text) < SHORTEST_KEY:
        source = key_file if key_file.exists() and not settings.key else KEY_VARIABLE
        raise PseudonymKeyError(f"the pseudonym key in {source} has fewer than {SHORTEST_KEY} characters")
    key = text.encode()
    if others := [record.label for record in state.active.values() if record.key_id != key_id(key)]:
        raise PseudonymKeyError(_recovery(state, f"is not the one that {', '.join(others)} were loaded with"))
    if purged.before and purged.key_id != key_id(key):
        raise PseudonymKeyError(
            f"the pseudonym key is not the one of the kept offences of purged years ({settings.home / paths.KEPT}). "
            f"Restore the right key. If it is lost for good, set key_id in {settings.home / paths.PURGED} to {key_id(key)}: "
            "decisions on offences of purged years become orphans"
        )
    return key


def key_id(key: bytes) -> str:
    """A fingerprint that identifies a key without revealing it."""
    return hmac.new(key, b"uppklarat:key", hashlib.sha256).hexdigest()[:12]


def create_pseudonym_macro(connection: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Create the macro `pseudonym(kind, value)`: HMAC-SHA-256 (RFC 2104) of `kind:value`, 32 hex digits.

    The same kind and value give the same pseudonym in every delivery and year; null gives null.
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
    """SQL for the stored form of a column's value: a pseudonym, or the value with identifiers removed."""
    if column.identifying:
        return f"pseudonym('{column.name}', {value})"
    if column.is_free_text:
        return f"regexp_replace({value}, '{identifying_pattern()}', '{_HIDDEN}', 'gi')"
    return value


def misshapen_line_sql(contract: FileContract, text: str) -> str:
    """SQL for the stored form of a malformed line: fields other than codes, dates and small numbers become pseudonyms."""
    codes = [value for column in contract.columns for value in column.values]
    return f"""
        array_to_string(list_transform(string_split({text}, ';'), lambda field: case
            when regexp_full_match(trim(field), '{"|".join(["", *_HARMLESS, *codes])}') then field else pseudonym('line', field)
        end), ';')"""


def faulty_value_sql(column: Column) -> str:
    """SQL for the stored form of a value in a faulty row, where values may be in the wrong column.

    A value with a digit that is not a date or a small number may identify a case or suspect, and becomes a pseudonym.
    """
    if column.identifying or column.is_free_text:
        return kept_sql(column, normal_sql(column, column.name))
    return f"""case
        when regexp_matches({column.name}, '[0-9]') and not regexp_full_match({column.name}, '{"|".join(_HARMLESS)}')
        then pseudonym('line', {column.name}) else {column.name}
    end"""


def _recovery(state: State, problem: str) -> str:
    withdrawn = ", ".join(sorted({f"{source}/{year}" for source, year, _ in state.withdrawn}))
    home = state.settings.home
    return (
        f"the pseudonym key {problem}. Restore the right key. If it is lost for good, move {home / paths.RAW_STORE} and "
        f"{home / paths.LEDGER} away and load all deliveries again: the load creates a new key; publications do not change"
        + (f". Remove withdrawn deliveries from the landing folder first: {withdrawn}" if withdrawn else "")
    )
