"""What rejects a delivery whole: nothing of it is kept, the earlier one stays active, and the message says where, what and how on."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deliveries import (
    CLEAN,
    COLUMNS,
    PERSONAL_NUMBER,
    PERSONAL_NUMBER_12,
    YEAR,
    assert_rejected,
    csv_file,
    csv_text,
    delivery,
    files_of,
    holds,
    load,
    long_decisions,
    manifest,
    outcome,
    parquet_columns,
    parquet_file,
    parquet_of,
    pseudonym,
    put,
    put_with_manifest,
    quoted,
)
from reference.extracts import Row
from reference.worlds import offence_row, police_row, prosecution_row

from dagster_project.deliveries.ledger import active_deliveries
from dagster_project.deliveries.receive import CHUNK
from dagster_project.settings import Settings

DECISIONS = csv_file("prosecution", "decisions")
PARQUET = parquet_file("prosecution", "decisions")
GZIPPED = gzip.compress(DECISIONS)
ALL_COLUMNS = [(source, name, column) for (source, name), columns in COLUMNS.items() for column in columns]


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("source", "name"), COLUMNS)
@pytest.mark.parametrize("with_manifest", [True, False])
def test_a_missing_file(loaded: Settings, source: str, name: str, with_manifest: bool) -> None:
    folder = (
        put_with_manifest(loaded, source, files_of(source)) if with_manifest else put(loaded, source, files_of(source))
    )
    (folder / f"{name}.csv").unlink()
    assert_rejected(loaded, source, f"{source}/{YEAR}/{name}", "missing")


def test_an_empty_folder(loaded: Settings) -> None:
    put(loaded, "police", {})
    assert_rejected(loaded, "police", f"police/{YEAR}/offences", "missing")


def test_a_file_under_another_name(loaded: Settings) -> None:
    put(loaded, "prosecution", {"Decisions.csv": DECISIONS, "decisions.txt": DECISIONS, "decisions": DECISIONS})
    assert_rejected(loaded, "prosecution", f"prosecution/{YEAR}/decisions", "missing")


@pytest.mark.parametrize(
    "files",
    [
        {"decisions.csv": DECISIONS, "decisions.csv.gz": GZIPPED},
        {"decisions.csv": DECISIONS, "decisions.parquet": PARQUET},
        {"decisions.csv.gz": GZIPPED, "decisions.parquet": PARQUET},
        {"decisions.csv": DECISIONS, "decisions.csv.gz": GZIPPED, "decisions.parquet": PARQUET},
        {"decisions.csv": DECISIONS, "decisions.parquet": b""},
    ],
    ids=lambda files: "+".join(files),
)
def test_a_doubled_file(loaded: Settings, files: dict[str, bytes]) -> None:
    put(loaded, "prosecution", files)
    error = assert_rejected(loaded, "prosecution", f"prosecution/{YEAR}/decisions", "more than once")
    assert all(name in str(error) for name in files)


def test_a_doubled_file_of_which_the_manifest_lists_one(loaded: Settings) -> None:
    folder = put_with_manifest(loaded, "prosecution", {"decisions.csv": DECISIONS})
    (folder / "decisions.parquet").write_bytes(PARQUET)
    assert_rejected(loaded, "prosecution", f"prosecution/{YEAR}/decisions", "more than once")


def test_a_folder_in_place_of_a_file(loaded: Settings) -> None:
    (put(loaded, "prosecution", {}) / "decisions.csv").mkdir()
    assert_rejected(loaded, "prosecution", f"prosecution/{YEAR}/decisions.csv", "not a regular file")


def test_a_year_before_the_definition_of_processed_offences(settings: Settings) -> None:
    put(settings, "prosecution", files_of("prosecution"), year=2013)
    assert_rejected(settings, "prosecution", "prosecution/2013", "2014", year=2013)


HEADER = csv_text([], COLUMNS["prosecution", "decisions"])
NO_ROWS = {
    "nothing.csv": b"",
    "nothing.csv.gz": b"",
    "nothing.parquet": b"",
    "nothing, zipped.csv.gz": gzip.compress(b""),
    "a byte order mark.csv": b"\xef\xbb\xbf",
    "line ends.csv": b"\n\r\n\n",
    "header.csv": HEADER.encode(),
    "header without line end.csv": HEADER.rstrip().encode(),
    "header and blank lines.csv": (HEADER + "\n\r\n\n").encode(),
    "header.csv.gz": gzip.compress(HEADER.encode()),
    "header.parquet": parquet_file("prosecution", "decisions", []),
}


@pytest.mark.parametrize("what", NO_ROWS)
def test_a_file_without_rows(loaded: Settings, what: str) -> None:
    suffix = what[what.index(".") :]
    put(loaded, "prosecution", {f"decisions{suffix}": NO_ROWS[what]})
    # A file without a header has no column either
    assert_rejected(loaded, "prosecution", f"prosecution/{YEAR}/decisions{suffix}", "empty|no rows|missing column")


def test_one_bad_file_condemns_the_good_one_beside_it(loaded: Settings) -> None:
    put(loaded, "police", files_of("police", decisions=b""))
    assert_rejected(loaded, "police", f"police/{YEAR}/decisions.csv", "empty")


# --- truncated or unreadable -----------------------------------------------------------------------------------------

TWO_MEMBERS = gzip.compress(DECISIONS[:60]) + gzip.compress(DECISIONS[60:])
LONG_GZIPPED = gzip.compress(long_decisions(3 * CHUNK, b"")[0])
BROKEN = {
    "gzip: plain text.csv.gz": DECISIONS,
    "gzip: cut in its header.csv.gz": GZIPPED[:5],
    "gzip: cut in the middle.csv.gz": GZIPPED[: len(GZIPPED) // 2],
    "gzip: checksum cut off.csv.gz": GZIPPED[:-8],
    "gzip: last byte cut off.csv.gz": GZIPPED[:-1],
    "gzip: wrong checksum.csv.gz": GZIPPED[:-8] + bytes([GZIPPED[-8] ^ 1]) + GZIPPED[-7:],
    "gzip: one bit off.csv.gz": GZIPPED[:40] + bytes([GZIPPED[40] ^ 16]) + GZIPPED[41:],
    "gzip: second member cut.csv.gz": TWO_MEMBERS[:-9],
    "gzip: second member cut in its header.csv.gz": TWO_MEMBERS[: len(gzip.compress(DECISIONS[:60])) + 3],
    "gzip: something else behind it.csv.gz": GZIPPED + b"something else",
    "gzip: made to fill the disk.csv.gz": gzip.compress(DECISIONS + b"\n" * 20_000_000),
    "gzip: cut, long.csv.gz": LONG_GZIPPED[: len(LONG_GZIPPED) // 2],
    "parquet: text.parquet": DECISIONS,
    "parquet: footer cut off.parquet": PARQUET[:-8],
    "parquet: last byte cut off.parquet": PARQUET[:-1],
    "parquet: cut in the middle.parquet": PARQUET[: len(PARQUET) // 2],
    "parquet: beginning cut off.parquet": PARQUET[len(PARQUET) // 2 :],
    "parquet: only the magic number.parquet": b"PAR1",
    "parquet: footer length beyond the file.parquet": PARQUET[:-8] + b"\xff\xff\xff\x7fPAR1",
    "parquet: pages overwritten.parquet": PARQUET[:4] + b"\xff" * 200 + PARQUET[204:],
    "csv: cut in a quoted field.csv": DECISIONS + b'AM-1-22;0100-K1-20;2;"m',
    "csv: cut in a quoted field after line breaks.csv": DECISIONS + b'AM-1-22;0100-K1-20;2;"m\n\nrow\n',
    "csv: cut behind an opening quote.csv": DECISIONS + b'AM-1-22;0100-K1-20;2;"',
    "csv: cut in a doubled quote.csv": DECISIONS + b'AM-1-22;0100-K1-20;2;"m ""',
    "csv: cut in a quoted field, zipped.csv.gz": gzip.compress(DECISIONS + b'AM-1-22;0100-K1-20;2;"m'),
    "csv: lines end in carriage returns.csv": DECISIONS.replace(b"\n", b"\r"),
    "csv: one line ends in a carriage return.csv": DECISIONS
    + DECISIONS.split(b"\n")[1].replace(b"-1-", b"-2-")
    + b"\r",
    "csv: endless line.csv": DECISIONS + b"x" * 3_000_000,
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_truncated_or_unreadable_file(loaded: Settings, what: str) -> None:
    suffix = what[what.index(".") :]
    put(loaded, "prosecution", {f"decisions{suffix}": BROKEN[what]})
    assert_rejected(
        loaded,
        "prosecution",
        f"prosecution/{YEAR}/decisions{suffix}",
        r"truncated|no readable|could not be read|never closed|carriage return|a line of more than|unpacks to",
    )


def test_a_quoted_field_that_is_never_closed_is_named_by_its_line(loaded: Settings) -> None:
    put(loaded, "prosecution", {"decisions.csv": DECISIONS + b'AM-1-22;0100-K1-20;2;"m\n\n\n'})
    assert_rejected(loaded, "prosecution", f"prosecution/{YEAR}/decisions.csv, line 4", "truncated")


# --- columns ---------------------------------------------------------------------------------------------------------


def _csv_with_header(source: str, name: str, header: list[str]) -> bytes:
    rows = [";".join([*row.values(), *["x"] * (len(header) - len(row))]) for row in CLEAN[source, name]]
    return csv_text(rows, header).encode()


@pytest.mark.parametrize(("source", "name", "column"), ALL_COLUMNS)
def test_a_missing_column(loaded: Settings, source: str, name: str, column: str) -> None:
    others = [other for other in COLUMNS[source, name] if other != column]
    content = csv_text([{**row} for row in CLEAN[source, name]], others).encode()
    put(loaded, source, delivery(source, name, content))
    assert_rejected(loaded, source, f"{source}/{YEAR}/{name}.csv", rf"missing column {column}\b")


@pytest.mark.parametrize(
    ("source", "name", "wrong", "right"),
    [
        ("police", "offences", "anmälningsdatum", "anmalningsdatum"),
        ("police", "offences", "brotts_kod", "brottskod"),
        ("police", "decisions", "diarie nummer", "diarienummer"),
        ("prosecution", "decisions", "misstankeid", "misstanke_id"),
        ("prosecution", "decisions", "beslutѕdatum", "beslutsdatum"),  # a Cyrillic s
        ("prosecution", "decisions", "", "beslut"),
    ],
)
def test_a_misspelt_column(loaded: Settings, source: str, name: str, wrong: str, right: str) -> None:
    header = [wrong if column == right else column for column in COLUMNS[source, name]]
    put(loaded, source, delivery(source, name, _csv_with_header(source, name, header)))
    assert_rejected(loaded, source, f"{source}/{YEAR}/{name}.csv", rf"missing column {right}\b")


@pytest.mark.parametrize(("source", "name"), COLUMNS)
@pytest.mark.parametrize(
    "spelt", [str, str.upper, lambda name: f" {name} ", quoted], ids=["same", "upper", "spaces", "quoted"]
)
def test_a_doubled_column(loaded: Settings, source: str, name: str, spelt: Callable[[str], str]) -> None:
    column = COLUMNS[source, name][-1]
    content = _csv_with_header(source, name, [*COLUMNS[source, name], spelt(column)])
    put(loaded, source, delivery(source, name, content))
    assert_rejected(loaded, source, f"{source}/{YEAR}/{name}.csv", rf"doubled column {column}\b")


@pytest.mark.parametrize("spelt", ["beslut", "BESLUT", " beslut"])
def test_a_doubled_column_in_parquet(loaded: Settings, spelt: str) -> None:
    table = pa.table(parquet_columns("prosecution", "decisions"))
    put(loaded, "prosecution", {"decisions.parquet": parquet_of(table.append_column(spelt, table["beslut"]))})
    assert_rejected(loaded, "prosecution", f"prosecution/{YEAR}/decisions.parquet", "doubled column beslut")


def test_a_missing_column_in_parquet(loaded: Settings) -> None:
    columns = parquet_columns("prosecution", "decisions")
    del columns["misstanke_id"]
    put(loaded, "prosecution", {"decisions.parquet": parquet_of(columns)})
    assert_rejected(loaded, "prosecution", f"prosecution/{YEAR}/decisions.parquet", "missing column misstanke_id")


@pytest.mark.parametrize("delimiter", [",", "\t", "|"])
def test_another_delimiter(loaded: Settings, delimiter: str) -> None:
    put(loaded, "prosecution", {"decisions.csv": DECISIONS.replace(b";", delimiter.encode())})
    error = assert_rejected(loaded, "prosecution", f"prosecution/{YEAR}/decisions.csv", "missing column")
    assert "';'" in error.remedy


def test_lines_before_the_header(loaded: Settings) -> None:
    put(loaded, "prosecution", {"decisions.csv": b"\n" + DECISIONS})
    assert_rejected(loaded, "prosecution", f"prosecution/{YEAR}/decisions.csv, line 1", "missing column")


@pytest.mark.parametrize("suspect", ["pseudonym-7", PERSONAL_NUMBER, PERSONAL_NUMBER_12])
def test_rows_without_a_header_are_not_shown(loaded: Settings, caplog: pytest.LogCaptureFixture, suspect: str) -> None:
    row = prosecution_row(aklagarnummer="AM-7654321-22", diarienummer="0100-K7654321-20", misstanke_id=suspect)
    rows = csv_file("prosecution", "decisions", [row, prosecution_row(2)])
    put(loaded, "prosecution", {"decisions.csv": rows.split(b"\n", 1)[1]})
    secrets = [suspect, "0100-K7654321-20", "AM-7654321-22"]
    assert_rejected(loaded, "prosecution", f"prosecution/{YEAR}/decisions.csv, line 1", "missing column", secrets)
    assert suspect not in caplog.text


# --- encoding --------------------------------------------------------------------------------------------------------

ROW_WITH = b"AM-1-22;0100-K1-20;7;m{};2022-03-01;ATAL;\n"
BEFORE = ROW_WITH.index(b"{}")


def _decisions_with(bad: bytes, at: int, rest: bool = True) -> tuple[bytes, int]:
    """A file whose byte `at` is the first of `bad`; `rest` tells whether its row goes on behind it."""
    return long_decisions(at, ROW_WITH.replace(b"{}", bad) if rest else ROW_WITH[:BEFORE] + bad, BEFORE)


@pytest.mark.parametrize("zipped", [False, True], ids=["csv", "gz"])
@pytest.mark.parametrize(
    ("bad", "at"),
    [
        (b"\xe5", 2_000),  # cp1252 for å
        (b"\xff\xfe", 2_000),
        (b"\xed\xa0\x80", 2_000),  # half a surrogate pair
        (b"\xc0\xaf", 2_000),  # longer than it need be
        (b"\xf4\x90\x80\x80", 2_000),  # beyond Unicode
        (b"\xe5", 3_300_000),
        (b"\xe5", CHUNK - 1),
        (b"\xe5", CHUNK),
        (b"\xe5", CHUNK + 1),
        (b"\xe5", 2 * CHUNK - 1),
        (b"\xe5", 3 * CHUNK),
        # a character of three bytes of which the last is wrong, before, across and behind the border
        (b"\xe2\x82\xc3", CHUNK - 3),
        (b"\xe2\x82\xc3", CHUNK - 2),
        (b"\xe2\x82\xc3", CHUNK - 1),
        (b"\xe2\x82\xc3", CHUNK),
        (b"\xf0\x9f\x98;", 2 * CHUNK - 1),
        (b"\xf0\x9f\x98;", 2 * CHUNK - 3),
    ],
)
def test_an_encoding_error_is_named_by_line_and_byte(loaded: Settings, bad: bytes, at: int, zipped: bool) -> None:
    content, line = _decisions_with(bad, at)
    content += DECISIONS.split(b"\n", 1)[1]
    put(
        loaded, "prosecution", {"decisions.csv.gz": gzip.compress(content, 1)} if zipped else {"decisions.csv": content}
    )
    where = f"prosecution/{YEAR}/decisions.csv{'.gz' if zipped else ''}, line {line}, byte {at}:"
    error = assert_rejected(loaded, "prosecution", where, "utf-8")
    assert "manifest" in error.remedy


@pytest.mark.parametrize("zipped", [False, True], ids=["csv", "gz"])
@pytest.mark.parametrize(
    ("bad", "at"),
    [
        (b"\xc3", 2_000),
        (b"\xe2\x82", 2_000_000),
        (b"\xf0\x9f\x98", CHUNK - 1),
        (b"\xf0\x9f\x98", CHUNK - 2),
        (b"\xe2\x82", CHUNK - 2),
        (b"\xe2\x82", CHUNK),
    ],
)
def test_a_character_cut_off_at_the_end_is_named_by_its_first_byte(
    loaded: Settings, bad: bytes, at: int, zipped: bool
) -> None:
    content, line = _decisions_with(bad, at, rest=False)
    put(
        loaded, "prosecution", {"decisions.csv.gz": gzip.compress(content, 1)} if zipped else {"decisions.csv": content}
    )
    where = f"prosecution/{YEAR}/decisions.csv{'.gz' if zipped else ''}, line {line}, byte {at}:"
    assert_rejected(loaded, "prosecution", where, "utf-8")


@pytest.mark.parametrize("at", [2_000, CHUNK - 1, CHUNK])
def test_a_byte_that_cp1252_does_not_have(loaded: Settings, at: int) -> None:
    content, line = _decisions_with(b"\xe5\x96\x81", at - 2)
    put_with_manifest(loaded, "prosecution", {"decisions.csv": DECISIONS}, encoding="cp1252")
    (loaded.landing / "prosecution" / str(YEAR) / "decisions.csv").write_bytes(content)
    where = f"prosecution/{YEAR}/decisions.csv, line {line}, byte {at}:"
    assert_rejected(loaded, "prosecution", where, "cp1252")


def test_an_encoding_error_in_the_header(loaded: Settings) -> None:
    put(loaded, "prosecution", {"decisions.csv": "anmärkning;".encode("cp1252") + DECISIONS})
    assert_rejected(loaded, "prosecution", f"prosecution/{YEAR}/decisions.csv, line 1, byte 3:", "utf-8")


def test_an_encoding_error_behind_quoted_line_breaks_and_crlf(loaded: Settings) -> None:
    content = HEADER.encode() + b'AM-1-22;0100-K1-20;7;"m\r\n\r\nm";2022-03-01;ATAL\r\n\r\nAM-1-22;\xe5;'
    put(loaded, "prosecution", {"decisions.csv": content})
    where = f"prosecution/{YEAR}/decisions.csv, line 6, byte {len(content) - 2}:"
    assert_rejected(loaded, "prosecution", where, "utf-8")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_a_wide_encoding(loaded: Settings, encoding: str) -> None:
    put(loaded, "prosecution", {"decisions.csv": DECISIONS.decode().encode(encoding)})
    assert_rejected(loaded, "prosecution", f"prosecution/{YEAR}/decisions.csv, line 1", "utf-8|NUL")


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
@pytest.mark.parametrize("at", [100, 2_000, CHUNK - 1, CHUNK, 3_200_000])
def test_a_nul_byte_is_named_by_its_line(loaded: Settings, at: int, suffix: str) -> None:
    content, line = _decisions_with(b"\0", at) if at > 1000 else (DECISIONS[:at] + b"\0" + DECISIONS[at:], 2)
    content += DECISIONS.split(b"\n", 1)[1]
    put(loaded, "prosecution", {f"decisions{suffix}": gzip.compress(content, 1) if suffix == ".csv.gz" else content})
    assert_rejected(loaded, "prosecution", f"prosecution/{YEAR}/decisions{suffix}, line {line}:", "NUL")


# --- the manifest ----------------------------------------------------------------------------------------------------

POLICE = files_of("police")
POLICE_ROWS = {name: len(CLEAN["police", name.removesuffix(".csv")]) for name in POLICE}
MANIFEST: dict[str, Any] = json.loads(manifest("police", POLICE, POLICE_ROWS))


def _without(key: str) -> dict[str, Any]:
    return {name: value for name, value in MANIFEST.items() if name != key}


def _with_first_file(**said: Any) -> dict[str, Any]:
    first, second = MANIFEST["files"]
    return {**MANIFEST, "files": [{**first, **said}, second]}


def _first_file_without(key: str) -> dict[str, Any]:
    first, second = MANIFEST["files"]
    return {**MANIFEST, "files": [{name: value for name, value in first.items() if name != key}, second]}


FIRST, SECOND = MANIFEST["files"]
WRONG_MANIFESTS: dict[str, tuple[dict[str, Any], str]] = {
    "contract 2": ({**MANIFEST, "contract": "2"}, "version"),
    "contract 1.1": ({**MANIFEST, "contract": "1.1"}, "version"),
    "no contract": (_without("contract"), "version"),
    "contract null": ({**MANIFEST, "contract": None}, "version"),
    "other source": ({**MANIFEST, "source": "prosecution"}, "source"),
    "unknown source": ({**MANIFEST, "source": "polisen"}, "source"),
    "no source": (_without("source"), "source"),
    "source is a list": ({**MANIFEST, "source": ["police"]}, "source"),
    "other year": ({**MANIFEST, "year": YEAR - 1}, "year"),
    "no year": (_without("year"), "year"),
    "year null": ({**MANIFEST, "year": None}, "year"),
    "year is true": ({**MANIFEST, "year": True}, "year"),
    "year with a fraction": ({**MANIFEST, "year": YEAR + 0.5}, "year"),
    "unknown encoding": ({**MANIFEST, "encoding": "mac-roman"}, "encoding"),
    "wide encoding": ({**MANIFEST, "encoding": "utf-16"}, "encoding"),
    "encoding is a number": ({**MANIFEST, "encoding": 1252}, "encoding"),
    "no files": (_without("files"), "files"),
    "files null": ({**MANIFEST, "files": None}, "files"),
    "files is an object": ({**MANIFEST, "files": {"offences.csv": FIRST}}, "files"),
    "files is empty": ({**MANIFEST, "files": []}, "lists"),
    "files are names": ({**MANIFEST, "files": ["offences.csv", "decisions.csv"]}, "files"),
    "one file not listed": ({**MANIFEST, "files": [FIRST]}, "lists"),
    "a file listed twice": ({**MANIFEST, "files": [FIRST, SECOND, FIRST]}, "twice"),
    "a file more": ({**MANIFEST, "files": [FIRST, SECOND, {**FIRST, "name": "suspects.csv"}]}, "lists"),
    "another name": (_with_first_file(name="offences.csv.gz"), "lists"),
    "another spelling": (_with_first_file(name="Offences.csv"), "lists"),
    "a path": (_with_first_file(name=f"../{YEAR}/offences.csv"), "lists"),
    "no name": (_first_file_without("name"), "name"),
    "name is a number": (_with_first_file(name=1), "name"),
    "no rows": (_first_file_without("rows"), "rows"),
    "rows null": (_with_first_file(rows=None), "rows"),
    "rows is text": (_with_first_file(rows="3"), "rows"),
    "rows is true": (_with_first_file(rows=True), "rows"),
    "rows with a fraction": (_with_first_file(rows=3.5), "rows"),
    "rows below zero": (_with_first_file(rows=-3), "rows"),
    "no checksum": (_first_file_without("sha256"), "sha256"),
    "checksum null": (_with_first_file(sha256=None), "sha256"),
}


@pytest.mark.parametrize("what", WRONG_MANIFESTS)
def test_a_wrong_manifest(loaded: Settings, what: str) -> None:
    said, problem = WRONG_MANIFESTS[what]
    put(loaded, "police", {**POLICE, "manifest.json": json.dumps(said).encode()})
    assert_rejected(loaded, "police", f"police/{YEAR}/manifest.json", problem)


WRONG_CHECKSUMS = {
    "of another file": SECOND["sha256"],
    "one digit off": FIRST["sha256"][:-1] + ("0" if FIRST["sha256"][-1] != "0" else "1"),
    "one digit short": FIRST["sha256"][:-1],
    "empty": "",
    "spaces around": f" {FIRST['sha256']} ",
}


@pytest.mark.parametrize("what", WRONG_CHECKSUMS)
def test_a_wrong_checksum(loaded: Settings, what: str) -> None:
    said = _with_first_file(sha256=WRONG_CHECKSUMS[what])
    put(loaded, "police", {**POLICE, "manifest.json": json.dumps(said).encode()})
    assert_rejected(loaded, "police", f"police/{YEAR}/offences.csv", "checksum")


@pytest.mark.parametrize("position", [0, 1])
def test_a_file_that_was_changed_after_its_manifest(loaded: Settings, position: int) -> None:
    name = list(POLICE)[position]
    put(loaded, "police", {**POLICE, name: POLICE[name] + b"\n", "manifest.json": json.dumps(MANIFEST).encode()})
    assert_rejected(loaded, "police", f"police/{YEAR}/{name}", "checksum")


def test_the_checksum_is_that_of_the_file_as_delivered(loaded: Settings) -> None:
    zipped = {"decisions.csv.gz": GZIPPED}
    said = json.loads(manifest("prosecution", {"decisions.csv.gz": DECISIONS}, {"decisions.csv.gz": 2}))
    put(loaded, "prosecution", {**zipped, "manifest.json": json.dumps(said).encode()})
    assert_rejected(loaded, "prosecution", f"prosecution/{YEAR}/decisions.csv.gz", "checksum")


@pytest.mark.parametrize("rows", [0, 2, 4, 3_000_000])
@pytest.mark.parametrize("same_bytes", [True, False], ids=["loaded before", "new"])
def test_a_wrong_row_count(loaded: Settings, rows: int, same_bytes: bool) -> None:
    files = POLICE if same_bytes else {**POLICE, "offences.csv": POLICE["offences.csv"] + b"\n"}
    counts = {**POLICE_ROWS, "offences.csv": rows}
    put(loaded, "police", {**files, "manifest.json": manifest("police", files, counts)})
    error = assert_rejected(loaded, "police", f"police/{YEAR}/offences.csv", f"3 rows.*{rows}")
    assert "manifest" in error.remedy


@pytest.mark.parametrize("suffix", [".csv.gz", ".parquet"])
def test_a_wrong_row_count_of_other_containers(loaded: Settings, suffix: str) -> None:
    files = {f"decisions{suffix}": GZIPPED if suffix == ".csv.gz" else PARQUET}
    said = manifest("prosecution", files, {f"decisions{suffix}": 3})
    put(loaded, "prosecution", {**files, "manifest.json": said})
    assert_rejected(loaded, "prosecution", f"prosecution/{YEAR}/decisions{suffix}", "2 rows.*3")


def test_rows_lost_in_a_quoted_field_are_missed_by_the_manifest(loaded: Settings) -> None:
    rows = [csv_file("prosecution", "decisions").decode().split("\n")[1]]
    content = csv_file("prosecution", "decisions", [*rows, 'AM-2-22;"open', *rows, 'and closed";x', *rows])
    said = manifest("prosecution", {"decisions.csv": content}, {"decisions.csv": 5})
    put(loaded, "prosecution", {"decisions.csv": content, "manifest.json": said})
    assert_rejected(loaded, "prosecution", f"prosecution/{YEAR}/decisions.csv", "rows")


NO_MANIFESTS = {
    "empty": b"",
    "cut": json.dumps(MANIFEST).encode()[:-10],
    "text": b"complete",
    "null": b"null",
    "list": json.dumps([MANIFEST]).encode(),
    "string": json.dumps(json.dumps(MANIFEST)).encode(),
    "not UTF-8": json.dumps({**MANIFEST, "created": "måndag"}, ensure_ascii=False).encode("cp1252"),
    "two documents": json.dumps(MANIFEST).encode() * 2,
    "single quotes": str(MANIFEST).encode(),
    "endlessly nested": b"[" * 100_000,
    "half a character": json.dumps({**MANIFEST, "files": [{**FIRST, "name": "\ud800"}, SECOND]}).encode(),
}


@pytest.mark.parametrize("what", NO_MANIFESTS)
def test_a_manifest_that_is_none(loaded: Settings, what: str) -> None:
    put(loaded, "police", {**POLICE, "manifest.json": NO_MANIFESTS[what]})
    assert_rejected(loaded, "police", f"police/{YEAR}/manifest.json", "JSON|lists")


# --- out of the landing folder ---------------------------------------------------------------------------------------


def _link(path: Path, target: str | Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A good delivery that lies where no delivery may lie."""
    folder = tmp_path / "landing_of_others"
    folder.mkdir()
    for name, content in files_of("prosecution").items():
        (folder / name).write_bytes(content)
    return folder


def test_a_link_out_of_the_landing_folder(loaded: Settings, outside: Path) -> None:
    _link(put(loaded, "prosecution", {}) / "decisions.csv", outside / "decisions.csv")
    assert_rejected(loaded, "prosecution", f"prosecution/{YEAR}/decisions.csv", "out of the landing folder")


def test_a_relative_link_out_of_the_landing_folder(loaded: Settings, outside: Path) -> None:
    folder = put(loaded, "prosecution", {})
    _link(folder / "decisions.csv", Path("../../..") / outside.name / "decisions.csv")
    assert (folder / "decisions.csv").read_bytes() == DECISIONS
    assert_rejected(loaded, "prosecution", f"prosecution/{YEAR}/decisions.csv", "out of the landing folder")


def test_a_link_through_the_landing_folder_and_out_again(loaded: Settings, outside: Path) -> None:
    target = loaded.landing / "police" / ".." / ".." / outside.name / "decisions.csv"
    _link(put(loaded, "prosecution", {}) / "decisions.csv", target)
    assert_rejected(loaded, "prosecution", f"prosecution/{YEAR}/decisions.csv", "out of the landing folder")


def test_a_link_to_a_link_out_of_the_landing_folder(loaded: Settings, outside: Path) -> None:
    folder = put(loaded, "prosecution", {})
    _link(folder / "inner.csv", outside / "decisions.csv")
    _link(folder / "decisions.csv", "inner.csv")
    assert_rejected(loaded, "prosecution", f"prosecution/{YEAR}/decisions.csv", "out of the landing folder")


@pytest.mark.parametrize("level", ["year", "source"])
def test_a_linked_folder_out_of_the_landing_folder(settings: Settings, outside: Path, level: str) -> None:
    if level == "year":
        _link(settings.landing / "prosecution" / str(YEAR), outside)
    else:
        (outside / str(YEAR)).mkdir()
        (outside / "decisions.csv").rename(outside / str(YEAR) / "decisions.csv")
        _link(settings.landing / "prosecution", outside)
    assert_rejected(settings, "prosecution", f"prosecution/{YEAR}/decisions.csv", "out of the landing folder")


def test_a_link_to_a_sibling_whose_name_begins_alike(loaded: Settings, outside: Path) -> None:
    assert outside.name.startswith(loaded.landing.name)
    _link(put(loaded, "prosecution", {}) / "decisions.csv", outside.resolve() / "decisions.csv")
    assert_rejected(loaded, "prosecution", f"prosecution/{YEAR}/decisions.csv", "out of the landing folder")


def test_a_manifest_out_of_the_landing_folder(loaded: Settings, outside: Path) -> None:
    (outside / "manifest.json").write_bytes(manifest("prosecution", {"decisions.csv": DECISIONS}, {"decisions.csv": 2}))
    _link(put(loaded, "prosecution", files_of("prosecution")) / "manifest.json", outside / "manifest.json")
    assert_rejected(loaded, "prosecution", f"prosecution/{YEAR}/manifest.json", "out of the landing folder")


def test_a_link_to_a_device(loaded: Settings) -> None:
    _link(put(loaded, "prosecution", {}) / "decisions.csv", "/dev/zero")
    assert_rejected(loaded, "prosecution", f"prosecution/{YEAR}/decisions.csv", "out of the landing folder")


@pytest.mark.parametrize(
    "target", ["nowhere.csv", "/nowhere/decisions.csv", "decisions.csv"], ids=["gone", "far", "loop"]
)
def test_a_link_to_nothing(loaded: Settings, target: str) -> None:
    _link(put(loaded, "prosecution", {}) / "decisions.csv", target)
    assert_rejected(loaded, "prosecution", f"prosecution/{YEAR}/decisions.csv", "reached|missing|out of")


# --- Parquet types ---------------------------------------------------------------------------------------------------

WRONG_TYPES: list[tuple[str, str, str, pa.Array]] = [
    ("police", "offences", "brottskod", pa.array([424, 424, 424], pa.int32())),
    ("police", "offences", "brottskod", pa.array([424, None, None], pa.int64())),
    ("police", "offences", "brottskod", pa.array([424.0, 424.0, 424.0])),
    ("police", "offences", "kommunkod", pa.array([180, None, 180], pa.int16())),
    ("police", "offences", "lagrum", pa.array([b"BrB", None, None], pa.binary())),
    ("police", "offences", "brottsnummer", pa.array([1.0, 2.0, 3.0])),
    ("police", "offences", "malsagande_alder", pa.array([7.5, None, None])),
    ("police", "offences", "malsagande_alder", pa.array([True, None, None])),
    ("police", "offences", "anmalningsdatum", pa.array([20200601, 20200602, 20200603])),
    ("police", "offences", "brottsdatum", pa.array([None, 0, None], pa.timestamp("us"))),
    ("police", "decisions", "utredning", pa.array([True, False])),
    ("police", "decisions", "beslut", pa.array([["NEDLAGD"], ["OVRIGT"]])),
    ("prosecution", "decisions", "beslutsdatum", pa.array([1_646_100_000] * 2, pa.timestamp("s", "Europe/Stockholm"))),
    ("prosecution", "decisions", "beslutsdatum", pa.array([1_646_100_000] * 2, pa.timestamp("s", "UTC"))),
    ("prosecution", "decisions", "beslutsdatum", pa.array([1_646_100_000_000] * 2, pa.timestamp("ms"))),
    ("prosecution", "decisions", "beslutsdatum", pa.array([1_646_100_000, 0], pa.time64("us"))),
    ("prosecution", "decisions", "aklagarnummer", pa.array([19_000, 19_001], pa.date32())),
    ("prosecution", "decisions", "misstanke_id", pa.array([{"id": "m1"}, {"id": "m2"}])),
    ("prosecution", "decisions", "brottsnummer", pa.array([Decimal("2.50"), Decimal("3.00")])),
]


@pytest.mark.parametrize(
    ("source", "name", "column", "values"), WRONG_TYPES, ids=lambda each: str(getattr(each, "type", each))
)
def test_a_parquet_type_in_which_values_may_be_lost(
    loaded: Settings, source: str, name: str, column: str, values: pa.Array
) -> None:
    content = parquet_of({**parquet_columns(source, name), column: values})
    put(loaded, source, delivery(source, name, content, ".parquet"))
    assert_rejected(loaded, source, f"{source}/{YEAR}/{name}.parquet, column {column}:", "stored as")


def test_parquet_text_that_is_no_utf8(loaded: Settings) -> None:
    text = pa.Array.from_buffers(pa.string(), 2, pa.array([b"m\xe5", b"m"], pa.binary()).buffers())
    put(
        loaded,
        "prosecution",
        {"decisions.parquet": parquet_of({**parquet_columns("prosecution", "decisions"), "misstanke_id": text})},
    )
    assert_rejected(loaded, "prosecution", f"prosecution/{YEAR}/decisions.parquet", "read")


# --- personal identity numbers ---------------------------------------------------------------------------------------


def _assert_refused(
    settings: Settings, caplog: pytest.LogCaptureFixture, source: str, where: str, number: str = PERSONAL_NUMBER
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert_rejected(settings, source, where, "personal identity number", secrets=[number])
    assert number not in caplog.text
    # Nor is anything left of it in a warehouse that has never loaded anything before
    assert not holds(settings.home, number)


NEW_ROW: dict[tuple[str, str], Callable[..., Row]] = {
    ("police", "offences"): offence_row,
    ("police", "decisions"): police_row,
    ("prosecution", "decisions"): prosecution_row,
}
FORMS = [
    PERSONAL_NUMBER,
    PERSONAL_NUMBER_12,
    f"19{PERSONAL_NUMBER}",
    "640823+3234",
    "640883-3231",  # the day + 60: a samordningsnummer
    f"Anna ({PERSONAL_NUMBER}), Umeå",
    f"{PERSONAL_NUMBER}; {PERSONAL_NUMBER}",
    f'"{PERSONAL_NUMBER}"',
    f"\u00a0{PERSONAL_NUMBER}\u00a0",
]


@pytest.mark.parametrize(("source", "name", "column"), ALL_COLUMNS)
def test_a_personal_number_in_any_column(
    loaded: Settings, caplog: pytest.LogCaptureFixture, source: str, name: str, column: str
) -> None:
    value = FORMS[ALL_COLUMNS.index((source, name, column)) % len(FORMS)]
    rows = [*CLEAN[source, name], NEW_ROW[source, name](9, **{column: value})]
    put(loaded, source, delivery(source, name, csv_file(source, name, rows)))
    where = f"{source}/{YEAR}/{name}.csv, line {len(rows) + 1}"
    for number in (PERSONAL_NUMBER, PERSONAL_NUMBER_12, "640823+3234", "640883-3231"):
        if number in value:
            _assert_refused(loaded, caplog, source, where, number)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("source", "name", "column"), [("police", "offences", "lagrum"), ("prosecution", "decisions", "misstanke_id")]
)
def test_every_form_of_a_personal_number_in_free_text(
    loaded: Settings, source: str, name: str, column: str, form: str
) -> None:
    rows = [*CLEAN[source, name], NEW_ROW[source, name](9, **{column: form})]
    put(loaded, source, delivery(source, name, csv_file(source, name, rows)))
    assert_rejected(loaded, source, f"{name}.csv, line {len(rows) + 1}, {column}:", "personal identity number", [form])


ROW = "AM-1-22;0100-K1-20;2;m1;2022-03-01;ATAL"
ROWS_WITH_NUMBERS = {
    "a field more": f"{ROW};{PERSONAL_NUMBER}",
    "fields less": f"{PERSONAL_NUMBER};x",
    "only that": PERSONAL_NUMBER,
    "a closing quote in the middle": ROW.replace("AM-1-22", f'"AM-1-22"{PERSONAL_NUMBER}'),
    "quoted, and a field more": f'{ROW};"{PERSONAL_NUMBER}"',
    "quoted over line breaks, and a field more": f'{ROW};"first\n\n{PERSONAL_NUMBER}\nlast"',
    "a value missing": ROW.replace("0100-K1-20", "").replace("m1", PERSONAL_NUMBER),
    "a value missing, the number in the date": ROW.replace("AM-1-22", "").replace("2022-03-01", PERSONAL_NUMBER),
    "an invalid code": ROW.replace("ATAL", PERSONAL_NUMBER),
    "an invalid integer": ROW.replace(";2;", f";{PERSONAL_NUMBER_12};"),
    "an invalid date": ROW.replace("2022-03-01", PERSONAL_NUMBER_12),
    "outside the year": ROW.replace("2022", "2021").replace("m1", PERSONAL_NUMBER),
    "a duplicate of a bad row": "\n".join([ROW.replace("AM-1-22", PERSONAL_NUMBER)] * 2),
}


STYLES = ["crlf", "cp1252", "gz"]
PLAIN_AND_ONE_OTHER = [
    (what, style)
    for position, what in enumerate(ROWS_WITH_NUMBERS)
    for style in ("plain", STYLES[position % len(STYLES)])
]


@pytest.mark.parametrize(("what", "style"), PLAIN_AND_ONE_OTHER)
def test_a_personal_number_in_a_row_that_would_be_quarantined(
    loaded: Settings, caplog: pytest.LogCaptureFixture, what: str, style: str
) -> None:
    row = ROWS_WITH_NUMBERS[what]
    content = csv_file("prosecution", "decisions", [*CLEAN["prosecution", "decisions"], row])
    suffix = ".csv.gz" if style == "gz" else ".csv"
    content = {"crlf": content.replace(b"\n", b"\r\n"), "gz": gzip.compress(content)}.get(style, content)
    files = {f"decisions{suffix}": content}
    if style == "cp1252":
        put_with_manifest(loaded, "prosecution", files, encoding="cp1252")
    else:
        put(loaded, "prosecution", files)
    number = PERSONAL_NUMBER if PERSONAL_NUMBER in row else PERSONAL_NUMBER_12
    _assert_refused(loaded, caplog, "prosecution", f"decisions{suffix}, line 4", number)


def test_a_personal_number_among_conflicting_offences(loaded: Settings, caplog: pytest.LogCaptureFixture) -> None:
    rows = [offence_row(1), offence_row(1, lagrum=f"se {PERSONAL_NUMBER}")]
    put(loaded, "police", files_of("police", offences=csv_file("police", "offences", rows)))
    _assert_refused(loaded, caplog, "police", "offences.csv, line 3, lagrum")


def test_a_personal_number_in_an_unknown_column_of_a_malformed_row(
    loaded: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    columns = [*COLUMNS["prosecution", "decisions"], "anmarkning"]
    content = csv_text([f"{ROW};x", f"{ROW};{PERSONAL_NUMBER};x"], columns).encode()
    put(loaded, "prosecution", {"decisions.csv": content})
    _assert_refused(loaded, caplog, "prosecution", "decisions.csv, line 3")


PARQUETS_WITH_NUMBERS: dict[str, tuple[str, pa.Array, str]] = {
    "free text": ("misstanke_id", pa.array(["m1", PERSONAL_NUMBER]), PERSONAL_NUMBER),
    "dictionary": ("misstanke_id", pa.array(["m1", PERSONAL_NUMBER]).dictionary_encode(), PERSONAL_NUMBER),
    "case number": ("diarienummer", pa.array(["0100-K1-20", PERSONAL_NUMBER]), PERSONAL_NUMBER),
    "code": ("beslut", pa.array(["ATAL", PERSONAL_NUMBER]), PERSONAL_NUMBER),
    "integer as text": ("brottsnummer", pa.array(["1", PERSONAL_NUMBER_12]), PERSONAL_NUMBER_12),
    "integer": ("brottsnummer", pa.array([1, int(PERSONAL_NUMBER_12)]), PERSONAL_NUMBER_12),
    "date as text": ("beslutsdatum", pa.array(["2022-03-01", PERSONAL_NUMBER]), PERSONAL_NUMBER),
}


@pytest.mark.parametrize("what", PARQUETS_WITH_NUMBERS)
def test_a_personal_number_in_parquet(loaded: Settings, caplog: pytest.LogCaptureFixture, what: str) -> None:
    column, values, number = PARQUETS_WITH_NUMBERS[what]
    content = parquet_of({**parquet_columns("prosecution", "decisions"), column: values})
    put(loaded, "prosecution", {"decisions.parquet": content})
    _assert_refused(loaded, caplog, "prosecution", "decisions.parquet, line 2", number)


def test_nothing_is_left_of_a_first_delivery_that_was_refused(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [*CLEAN["prosecution", "decisions"], prosecution_row(9, misstanke_id=PERSONAL_NUMBER)]
    files = {"decisions.csv": csv_file("prosecution", "decisions", rows)}
    put_with_manifest(settings, "prosecution", files, encoding="cp1252")
    _assert_refused(settings, caplog, "prosecution", "decisions.csv, line 4, misstanke_id")
    assert not settings.ledger.exists()
    assert not settings.raw.exists()


NO_PERSONAL_NUMBERS = [
    "6408233234",  # ten bare digits: serial numbers look the same
    "640823-3235",
    "641323-3230",
    "640823–3234",
    f"m{PERSONAL_NUMBER}",
    f"{PERSONAL_NUMBER}x",
    f"7{PERSONAL_NUMBER}",
    f"{PERSONAL_NUMBER}7",
    f"{PERSONAL_NUMBER_12}7",
]


def test_what_only_looks_like_a_personal_number_is_loaded(settings: Settings) -> None:
    rows = [prosecution_row(number, misstanke_id=value) for number, value in enumerate(NO_PERSONAL_NUMBERS, 1)]
    put(settings, "prosecution", {"decisions.csv": csv_file("prosecution", "decisions", rows)})
    found = outcome(settings, load(settings))
    assert [row["misstanke_id"] for row in found.rows] == [
        pseudonym("misstanke_id", text) for text in NO_PERSONAL_NUMBERS
    ]


def test_a_personal_number_in_a_column_that_is_ignored_is_kept_nowhere(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    columns = [*COLUMNS["prosecution", "decisions"], "anmarkning"]
    rows = [f"{ROW};{PERSONAL_NUMBER}", f"{ROW};{PERSONAL_NUMBER_12}", f"{ROW.replace('ATAL', '?')};{PERSONAL_NUMBER}"]
    put(settings, "prosecution", {"decisions.csv": csv_text(rows, columns).encode()})
    with caplog.at_level(logging.DEBUG):
        found = outcome(settings, load(settings))
    assert (len(found.loaded), found.duplicates, found.reasons) == (1, 1, {4: "invalid_value"})
    for number in (PERSONAL_NUMBER, PERSONAL_NUMBER_12):
        assert not holds(settings.home, number)
        assert number not in caplog.text


def test_values_are_not_shown_whatever_is_wrong_with_the_file(loaded: Settings) -> None:
    row = b"AM-1-22;0100-K77-20;2;pseudonym-7;2022-03-01;ATAL\n"
    content = HEADER.encode() + row
    for broken, problem in [
        (content + b'x;"never closed', "truncated"),
        (content + b"\xe5", "utf-8"),
        (content + b"\0", "NUL"),
        (content + b"x\rx", "carriage return"),
    ]:
        put(loaded, "prosecution", {"decisions.csv": broken})
        assert_rejected(loaded, "prosecution", "decisions.csv, line 3", problem, ["0100-K77-20", "pseudonym-7"])


# --- what is beside it -----------------------------------------------------------------------------------------------


def test_a_rejected_delivery_does_not_touch_the_others(loaded: Settings) -> None:
    put(loaded, "police", files_of("police"), year=2023)
    later = load(loaded, "police", 2023)
    put(loaded, "police", files_of("police", offences=b""))
    assert_rejected(loaded, "police", "offences.csv", "empty")
    active = active_deliveries(loaded)
    assert set(active) == {("police", YEAR), ("prosecution", YEAR), ("police", 2023)}
    assert active["police", 2023] == later


def test_a_rejected_delivery_is_loaded_once_it_was_mended(loaded: Settings) -> None:
    better = csv_file("prosecution", "decisions", [prosecution_row(1), prosecution_row(2), prosecution_row(3)])
    put(loaded, "prosecution", {"decisions.csv": better + b'AM-1-22;"'})
    assert_rejected(loaded, "prosecution", "decisions.csv", "truncated")
    put(loaded, "prosecution", {"decisions.csv": better})
    assert len(outcome(loaded, load(loaded)).rows) == 3
