"""Receiving a file: one pass over its bytes that proves them whole and readable before any row is looked at."""

from __future__ import annotations

import codecs
import csv
import hashlib
import re
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import duckdb

from dagster_project.contract import FileContract
from dagster_project.ingestion.header import LINES_SEARCHED, refuse_header
from dagster_project.ingestion.personal_number import holds_personal_number
from dagster_project.ingestion.rejection import RejectedDeliveryError
from dagster_project.ingestion.value_formats import foreign_format, likely_encoding
from dagster_project.sql import identifier, parquet

CHUNK = 1 << 20
# A row of the contract is some hundred bytes long; a line of a megabyte is no row, and must not be read into memory.
LONGEST_LINE = 1 << 20
# Text compresses some ten times; a file that grows more than this is made to fill a disk. One row repeated grows 300 times.
MOST_EXPANSION = 200


@dataclass(frozen=True)
class ReceivedFile:
    """A file whose bytes were read to the end.

    `text_path` is what DuckDB shall read: the file itself, or its text in UTF-8 if it came in another encoding, for as long as
    `text_file` is open.
    `header` holds the column names as trimmed lower case. For CSV, `lines` counts the lines after the header up to the last
    one that is not blank; for Parquet, the rows, and `original_names` holds the header as it is spelt there. Without
    `has_odd_space` all white space is plain blanks, which DuckDB trims many times faster. `ends_within_line` is true of text whose
    last line has no line end, as that of a file that was cut. `modified_ns` is the time of the last
    change by the file system's own reckoning: programs that copy files put the time of modification back, this one they cannot.
    """

    contract: FileContract
    where: str
    path: Path
    text_path: Path
    sha256: str
    size: int
    modified_ns: int
    header: tuple[str, ...]
    lines: int
    has_quotes: bool = False
    has_odd_space: bool = True
    original_names: tuple[str, ...] = ()
    ends_within_line: bool = False
    text_file: IO[bytes] | None = None

    @property
    def is_parquet(self) -> bool:
        """Whether the rows come from Parquet rather than CSV."""
        return self.path.suffix == ".parquet"

    @property
    def ignored_columns(self) -> tuple[str, ...]:
        """Columns that the contract does not name, for people to read; a personal identity number is not repeated."""
        known = {column.name for column in self.contract.columns}
        return tuple(
            "(a personal identity number)" if holds_personal_number(name) else name
            for name in self.header
            if name not in known
        )


def receive_file(contract: FileContract, path: Path, where: str, encoding: str, scratch: Path) -> ReceivedFile:
    """Read all bytes of a delivered file once: hash, decompress, decode and count lines.

    A file in another encoding than UTF-8 is rewritten in UTF-8 in a nameless file of `scratch`, since DuckDB reads no other. Raises
    `RejectedDeliveryError` naming file, line and byte for anything that is not a readable CSV or Parquet file of the contract.
    """
    before = path.stat()
    if before.st_size == 0:
        raise RejectedDeliveryError(where, "the file is empty", "Deliver it again, with a header and rows")
    received = (
        _receive_parquet(contract, path, where)
        if path.suffix == ".parquet"
        else _receive_csv(contract, path, where, encoding, scratch)
    )
    check_unchanged(path, where, before.st_size, before.st_ctime_ns)
    if received.lines == 0:
        raise RejectedDeliveryError(where, "the file holds a header but no rows", "Deliver it again, with its rows")
    return received


def check_unchanged(path: Path, where: str, size: int, modified_ns: int) -> None:
    """Reject a file that was written to or replaced since it had this size and time of change."""
    now = path.stat()
    if (now.st_size, now.st_ctime_ns) != (size, modified_ns):
        raise RejectedDeliveryError(
            where, "the file changed while it was read", "Load again when the delivery is complete"
        )


def _receive_parquet(contract: FileContract, path: Path, where: str) -> ReceivedFile:
    digest = hashlib.sha256()
    size = 0
    for chunk in _hashed(path, digest):
        if size == 0:
            _refuse_other_format(chunk, where, "Parquet")
        size += len(chunk)
    try:
        with duckdb.connect() as connection:
            described = connection.execute(f"describe select * from {parquet(path)}").fetchall()
            spelt = connection.execute("select name from parquet_schema(?) offset 1", [str(path)]).fetchall()
            (rows,) = connection.execute(
                "select sum(num_rows) from parquet_file_metadata(?)", [str(path)]
            ).fetchone() or (0,)
            _check_expansion(contract, connection, path, where, size)
            types = {str(name).strip().lower(): str(type_) for name, type_, *_ in described}
            originals = {str(name).strip().lower(): str(name) for name, *_ in described}
            for column in contract.columns:
                allowed = {
                    "text": _TEXT_TYPES,
                    "integer": _TEXT_TYPES | _INTEGER_TYPES,
                    "date": _TEXT_TYPES | {"DATE"},
                }[column.type]
                if column.name not in types or types[column.name] in allowed or types[column.name].startswith("ENUM"):
                    continue
                counted = f"select count({identifier(originals[column.name])}) from {parquet(path)}"
                (filled,) = connection.execute(counted).fetchone() or (0,)
                if filled:
                    either = "text" if column.type == "text" else f"text or as {column.type}"
                    raise RejectedDeliveryError(
                        f"{where}, column {column.name}",
                        f"stored as {types[column.name]}, which is no {column.type}",
                        f"Store it as {either}, so that nothing of a value is lost",
                    )
    except duckdb.Error:
        # The cause may quote what it could not read; it stays out of the chain that logs print.
        raise RejectedDeliveryError(
            where, "it is no readable Parquet file, or a truncated one", "Deliver it again"
        ) from None
    names = tuple(str(name) for name, *_ in described)
    # DuckDB gives doubled columns names of its own.
    header = [str(name).strip().lower() for (name,) in spelt]
    if doubled := [column.name for column in contract.columns if header.count(column.name) > 1]:
        raise RejectedDeliveryError(where, f"doubled column {', '.join(doubled)}", "Deliver every column once")
    refuse_header(contract, where, [name.strip().lower() for name in names])
    return ReceivedFile(
        contract=contract,
        where=where,
        path=path,
        text_path=path,
        sha256=digest.hexdigest(),
        size=size,
        modified_ns=path.stat().st_ctime_ns,
        header=tuple(name.strip().lower() for name in names),
        lines=int(rows or 0),
        original_names=names,
    )


def _check_expansion(
    contract: FileContract, connection: duckdb.DuckDBPyConnection, path: Path, where: str, size: int
) -> None:
    """Refuse a Parquet file of which little is stored and much would be read, by what its footer says."""
    # A value repeated a million times is stored once, so the values count too, with a byte each.
    unpacked, values, longest = connection.execute(
        """
        select sum(total_uncompressed_size), sum(num_values), max(total_uncompressed_size // greatest(num_values, 1))
        from parquet_metadata(?) where list_contains(?, lower(trim(path_in_schema)))
        """,
        [str(path), [column.name for column in contract.columns]],
    ).fetchone() or (0, 0, 0)
    if max(unpacked or 0, values or 0) > max(size * MOST_EXPANSION, CHUNK):
        raise RejectedDeliveryError(
            where, f"it unpacks to more than {MOST_EXPANSION} times its size", "Deliver it again"
        )
    if (longest or 0) > LONGEST_LINE:
        raise RejectedDeliveryError(
            where, f"a value of more than {LONGEST_LINE} bytes", "Deliver values of the contract only"
        )


_TEXT_TYPES = frozenset({"VARCHAR"})
_INTEGER_TYPES = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
)


def _receive_csv(contract: FileContract, path: Path, where: str, encoding: str, scratch: Path) -> ReceivedFile:
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    # Without a name, so that nothing of the text outlives this process, however it ends.
    in_utf8 = None if encoding == "utf-8" else tempfile.TemporaryFile(dir=scratch)  # noqa: SIM115 (it lives on)
    lines = _LineCounter(where, encoding)
    read = 0
    compressed = path.suffix == ".gz"
    as_utf_8 = None if encoding == "utf-8" else _Utf8Look()
    for chunk in _unpacked(path, where, digest) if compressed else _hashed(path, digest):
        if read == 0:
            _refuse_other_format(chunk, where, "CSV text")
        if as_utf_8:
            as_utf_8.add(chunk, read, lines.newlines)
        try:
            text = decoder.decode(chunk)
        except UnicodeDecodeError as error:
            if as_utf_8:
                as_utf_8.refuse_utf_8(where, encoding)
            # The decoder counts from the bytes it still held of the chunk before.
            offset = error.start - (len(error.object) - len(chunk))
            line = lines.newlines + chunk[: max(offset, 0)].count(b"\n") + 1
            raise _bad_encoding(where, encoding, line, read + offset, error.object[error.start]) from None
        lines.add(chunk)
        if in_utf8:
            in_utf8.write(text.encode())
        read += len(chunk)
    held = len(decoder.getstate()[0])
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise _bad_encoding(where, encoding, lines.newlines + 1, read - held) from None
    lines.end()
    if as_utf_8:
        as_utf_8.refuse_utf_8(where, encoding)
    header = _header(lines.first_lines[0] if lines.first_lines else b"", where, encoding)
    refuse_header(contract, where, header, [line.decode(encoding, "replace") for line in lines.first_lines])
    if in_utf8:
        in_utf8.flush()
    return ReceivedFile(
        contract=contract,
        where=where,
        path=path,
        text_path=Path(f"/proc/self/fd/{in_utf8.fileno()}") if in_utf8 else path,
        text_file=in_utf8,
        sha256=digest.hexdigest(),
        size=path.stat().st_size,
        modified_ns=path.stat().st_ctime_ns,
        header=header,
        lines=lines.last_filled - 1,
        has_quotes=lines.has_quotes,
        has_odd_space=lines.has_odd_space,
        ends_within_line=lines.ends_within_line,
    )


def _bad_encoding(
    where: str, encoding: str, line: int, byte: int, value: int | None = None, likely: str | None = None
) -> RejectedDeliveryError:
    if encoding == "utf-8" and value is not None:
        likely = likely_encoding(value)
    return RejectedDeliveryError(
        f"{where}, line {line}, byte {byte}",
        f"not {encoding}; it seems to be {likely}" if likely else f"not {encoding}",
        "Deliver it as UTF-8, or name its encoding in the manifest",
    )


class _Utf8Look:
    """Finds out whether text that is said to be in another encoding is UTF-8, as which little other text can be read.

    Nearly all bytes mean something in cp1252, so that UTF-8 read as cp1252 is no error: `§` becomes `Â§`.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="strict")
        self._fits = True
        self._first: tuple[int, int] | None = None  # line and byte of the first character that is not ASCII

    def add(self, chunk: bytes, read: int, newlines: int) -> None:
        """Look at the next bytes, before which so many bytes and line feeds were read."""
        if self._fits and (self._first or not chunk.isascii()):
            if not self._first:
                at = len(_ASCII.match(chunk)[0])  # type: ignore[index]
                self._first = newlines + chunk[:at].count(b"\n") + 1, read + at
            try:
                self._decoder.decode(chunk)
            except UnicodeDecodeError:
                self._fits = False

    def refuse_utf_8(self, where: str, encoding: str) -> None:
        """Raise `RejectedDeliveryError` if all that was read is UTF-8, with other characters than ASCII."""
        if self._fits and self._first:
            raise _bad_encoding(where, encoding, *self._first, likely="utf-8")


def _refuse_other_format(start: bytes, where: str, expected: str) -> None:
    if other := foreign_format(start, expected):
        raise RejectedDeliveryError(where, f"it is {other.name}, not {expected}", other.remedy)


class _LineCounter:
    """Counts lines over chunks, and refuses what is no line of text."""

    def __init__(self, where: str, encoding: str) -> None:
        self.where = where
        self.newlines = 0
        self.last_filled = 0
        self.has_quotes = False
        self.has_odd_space = encoding != "utf-8"
        self.first_lines: list[bytes] = []
        self.ends_within_line = False
        self._open = b""  # the bytes of the line that the last chunk left unfinished

    def add(self, chunk: bytes) -> None:
        if b"\0" in chunk:
            line = self.newlines + chunk[: chunk.index(b"\0")].count(b"\n") + 1
            raise RejectedDeliveryError(f"{self.where}, line {line}", "a NUL byte", "Export the file again as text")
        self.has_quotes = self.has_quotes or b'"' in chunk
        data = self._open + chunk
        # Cut after a line feed, so that an \r\n is never seen in halves.
        complete = data.rfind(b"\n") + 1
        whole, self._open = data[:complete], data[complete:]
        # Only the first line can have begun in an earlier chunk, and only the last can go on in a later one.
        first = data.find(b"\n") if complete else 0
        if first > LONGEST_LINE or len(self._open) > LONGEST_LINE:
            line = self.newlines + 1 + (0 if first > LONGEST_LINE else whole.count(b"\n"))
            raise RejectedDeliveryError(
                f"{self.where}, line {line}", f"a line of more than {LONGEST_LINE} bytes", "Separate rows by line feeds"
            )
        self._take(whole)

    def end(self) -> None:
        """Take the last line, which needs no line feed."""
        self.ends_within_line = bool(self._open)
        self._take(self._open)

    def _take(self, whole: bytes) -> None:
        if whole and not self.first_lines:
            self.first_lines = [line.rstrip(b"\r") for line in whole.split(b"\n", LINES_SEARCHED)[:LINES_SEARCHED]]
        stray = _STRAY_CR.search(whole) if whole.count(b"\r") != whole.count(b"\r\n") else None
        if stray:
            line = self.newlines + whole[: stray.start()].count(b"\n") + 1
            raise RejectedDeliveryError(
                f"{self.where}, line {line}", "a carriage return without line feed", "End lines by LF or CRLF"
            )
        self.has_odd_space = self.has_odd_space or _holds_odd_space(whole)
        if filled := whole.rstrip(b"\r\n"):
            self.last_filled = self.newlines + filled.count(b"\n") + 1
        self.newlines += whole.count(b"\n")


def _holds_odd_space(chunk: bytes) -> bool:
    """Whether the bytes may hold white space other than blanks and line ends; a false alarm costs only time."""
    return len(chunk.translate(None, _CONTROL_SPACES)) != len(chunk) or any(space in chunk for space in _WIDE_SPACES)


_CONTROL_SPACES = bytes([9, 11, 12, 28, 29, 30, 31])
_WIDE_SPACES = tuple(map(bytes.fromhex, ("c285", "c2a0", "e19a80", "e280", "e2819f", "e38080")))
_ASCII = re.compile(rb"[\x00-\x7f]*")
_STRAY_CR = re.compile(rb"\r(?!\n)")


def _header(first_line: bytes, where: str, encoding: str) -> tuple[str, ...]:
    text = first_line.decode(encoding).removeprefix("\ufeff")
    try:
        (names,) = csv.reader([text], delimiter=";", strict=True) if text else ([],)
    except (csv.Error, ValueError) as error:
        raise RejectedDeliveryError(
            f"{where}, line 1", "the header cannot be read", "Separate its names by ';'"
        ) from error
    return tuple(name.strip().lower() for name in names)


def _raw_chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _hashed(path: Path, digest: hashlib._Hash) -> Iterator[bytes]:
    for chunk in _raw_chunks(path):
        digest.update(chunk)
        yield chunk


def _unpacked(path: Path, where: str, digest: hashlib._Hash) -> Iterator[bytes]:
    def broken(problem: str) -> RejectedDeliveryError:
        return RejectedDeliveryError(where, problem, "Deliver it again")

    limit = max(path.stat().st_size * MOST_EXPANSION, CHUNK)
    unpacked = 0
    member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    for packed in _hashed(path, digest):
        if not unpacked:
            _refuse_other_format(packed, where, "gzip")
        while packed:
            if member.eof:
                member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            try:
                chunk = member.decompress(packed, CHUNK)
            except zlib.error:
                raise broken("it is no readable gzip file") from None
            packed = member.unused_data if member.eof else member.unconsumed_tail
            unpacked += len(chunk)
            if unpacked > limit:
                raise broken(f"it unpacks to more than {MOST_EXPANSION} times its size")
            if chunk:
                yield chunk
    if not member.eof:
        raise broken("the gzip file is truncated")
