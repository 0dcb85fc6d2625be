"""Keyed pseudonyms that replace case numbers and suspect ids before a row is stored, and their key."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import duckdb

from dagster_project import paths
from dagster_project.contract import Column, FileContract, input_contract
from dagster_project.files import sync_folder, write_text
from dagster_project.ingestion.identifiers import identifying_pattern
from dagster_project.ingestion.normal_form import normal_sql
from dagster_project.state import State

KEY_VARIABLE = "UPPKLARAT_KEY"
SHORTEST_KEY = 32
# Bytes of an AES block and of a pseudonym.
_BLOCK = 16
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
    # The key itself, under which an earlier version made other pseudonyms.
    earlier = _derived(key, "key").hex()[:12]
    if others := [record.label for record in state.active.values() if record.key_id not in (key_id(key), earlier)]:
        raise PseudonymKeyError(_recovery(state, f"is not the one that {', '.join(others)} were loaded with"))
    gone = [
        record.label
        for record in state.active.values()
        if record.key_id == earlier and not (settings.landing / record.label).is_dir()
    ]
    if gone:
        raise PseudonymKeyError(
            f"{', '.join(gone)} were loaded by an earlier version, which made other pseudonyms. Put their files back into "
            f"{settings.landing} and load again"
        )
    if purged.before and purged.key_id != key_id(key):
        problem = (
            "the offences kept of purged years have pseudonyms of an earlier version, which cannot be made again"
            if purged.key_id == earlier
            else "the pseudonym key is not the one of the kept offences of purged years. Restore the right key"
        )
        raise PseudonymKeyError(
            f"{problem} ({settings.home / paths.KEPT}). To go on without them, set key_id in {settings.home / paths.PURGED} to "
            f"{key_id(key)}: decisions on offences of purged years become orphans"
        )
    return key


def key_id(key: bytes) -> str:
    """A fingerprint that identifies a key and the pseudonymisation method without revealing the key."""
    return _derived(key, "key 2").hex()[:12]


def create_pseudonym_functions(connection: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Create the functions of `pseudonym_sql`, which return 16 bytes as `UUID`, DuckDB's fastest type of that size in joins.

    Each kind of value has its own keys. Null returns null.
    """
    # Imported here, since a load with nothing new needs no pseudonyms.
    import pyarrow as pa
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    def create(name: str, pseudonyms: Callable[[list[bytes]], bytes]) -> None:
        def function(values: Any) -> Any:
            stored = pa.FixedSizeBinaryArray.from_buffers(
                pa.binary(_BLOCK), len(values), [None, pa.py_buffer(pseudonyms(values.to_pylist()))]
            )
            return pa.ExtensionArray.from_storage(pa.uuid(), stored)

        connection.create_function(name, function, ["BLOB"], "UUID", type="arrow")  # type: ignore[call-overload]

    def create_both(kind: str) -> None:
        # Each value is a single block. Equal values must have equal pseudonyms, so this property of ECB is intended.
        encryption = Cipher(algorithms.AES(_derived(key, f"block {kind}")), modes.ECB())  # noqa: S305
        hash_key = _derived(key, f"hash {kind}")
        create(f"encrypted_{kind}", lambda blocks: encryption.encryptor().update(b"".join(blocks)))
        create(
            f"hashed_{kind}",
            lambda texts: b"".join(blake2b(text, key=hash_key, digest_size=_BLOCK).digest() for text in texts),
        )

    for kind in (
        "line",
        *{column.name for file in input_contract().files for column in file.columns if column.identifying},
    ):
        create_both(kind)


def pseudonym_sql(kind: str, value: str, may_fit: bool = False) -> str:
    """SQL for the pseudonym of a value: the same kind and value have the same one in every delivery and year.

    With `may_fit`, a value of up to 16 bytes is encrypted as one block of AES-256, a permutation, so that no two values share a
    pseudonym. Others are hashed by keyed BLAKE2b: among 10^9 values the probability of a collision is about 10^-20.
    """
    hashed = f"hashed_{kind}(encode({value}))"
    if not may_fit:
        return hashed
    # Padding with FF, which UTF-8 never contains, keeps padded values distinct.
    block = f"encode({value}) || repeat('\\xFF'::blob, {_BLOCK} - strlen({value}))"
    return f"case when strlen({value}) <= {_BLOCK} then encrypted_{kind}({block}) else {hashed} end"


def kept_sql(column: Column, value: str) -> str:
    """SQL for the stored form of a column's value: a pseudonym, or the value with identifiers removed."""
    if column.identifying:
        return pseudonym_sql(column.name, value, may_fit=column.pattern is not None)
    if column.is_free_text:
        return f"regexp_replace({value}, '{identifying_pattern()}', '{_HIDDEN}', 'gi')"
    return value


def misshapen_line_sql(contract: FileContract, text: str) -> str:
    """SQL for the stored form of a malformed line: fields other than codes, dates and small numbers become pseudonyms."""
    codes = [value for column in contract.columns for value in column.values]
    return f"""
        array_to_string(list_transform(string_split({text}, ';'), lambda field: case
            when regexp_full_match(trim(field), '{"|".join(["", *_HARMLESS, *codes])}') then field
            else cast({pseudonym_sql("line", "field")} as varchar)
        end), ';')"""


def faulty_value_sql(column: Column) -> str:
    """SQL for the stored form of a value in a faulty row, where values may be in the wrong column.

    A value with a digit that is not a date or a small number may identify a case or suspect, and becomes a pseudonym.
    """
    if column.identifying or column.is_free_text:
        return kept_sql(column, normal_sql(column, column.name))
    return f"""case
        when regexp_matches({column.name}, '[0-9]') and not regexp_full_match({column.name}, '{"|".join(_HARMLESS)}')
        then cast({pseudonym_sql("line", column.name)} as varchar) else {column.name}
    end"""


def _derived(key: bytes, purpose: str) -> bytes:
    return hmac.new(key, f"uppklarat:{purpose}".encode(), hashlib.sha256).digest()


def _recovery(state: State, problem: str) -> str:
    withdrawn = ", ".join(sorted({f"{source}/{year}" for source, year, _ in state.withdrawn}))
    home = state.settings.home
    return (
        f"the pseudonym key {problem}. Restore the right key. If it is lost for good, move {home / paths.RAW_STORE} and "
        f"{home / paths.LEDGER} away and load all deliveries again: the load creates a new key; publications do not change"
        + (f". Remove withdrawn deliveries from the landing folder first: {withdrawn}" if withdrawn else "")
    )
