"""Receives a file: checks in one pass over its bytes that it is complete and readable, before any row is validated."""

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
from dagster_project.ingestion.header import LINES_SEARCHED, check_header
from dagster_project.ingestion.personal_number import holds_personal_number
from dagster_project.ingestion.rejection import RejectedDeliveryError
from dagster_project.ingestion.value_formats import foreign_format, likely_encoding
from dagster_project.sql import identifier, parquet

CHUNK = 1 << 20
# A row is about a hundred bytes long; a line of a megabyte is an error and must not fill the memory.
LONGEST_LINE = 1 << 20
# CSV text compresses about tenfold; a file that expands more than this is a decompression bomb.
MOST_EXPANSION = 200
# All that str.strip() removes, since suppliers' exports also contain non-breaking spaces.
WHITE_SPACE = "".join(character for character in map(chr, range(0x3001)) if character.isspace())
_ODD_SPACE = WHITE_SPACE.translate({ord(character): None for character in " \r\n"})


@dataclass(frozen=True)
class PlainText:
    """CSV text without quotes, whose only white space besides line feeds is plain spaces.

    Carriage returns are not plain: where one is the last byte of a buffer, DuckDB's reader may miscount the lines of rejects.

    `separators` counts the semicolons after the header.
    """

    separators: int
    has_spaces: bool


@dataclass(frozen=True)
class ReceivedFile:
    """A file whose bytes were read to the end.

    `text_path` is the file that DuckDB reads: the delivered file, or its UTF-8 copy, which exists while `text_file` is open.
    `header` holds the column names in trimmed lower case, `original_names` those of a Parquet file unchanged. `lines` counts a
    CSV file's lines after the header up to the last non-blank line, or a Parquet file's rows. Without `has_odd_space`, all white
    space is plain spaces, which DuckDB trims many times faster. `plain` is set for CSV text that DuckDB's own reader can read.
    `ends_within_line`: the last line has no line end. `modified_ns` is the inode's change time, which copying programs cannot
    reset.
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
    plain: PlainText | None = None
    original_names: tuple[str, ...] = ()
    ends_within_line: bool = False
    text_file: IO[bytes] | None = None

    @property
    def is_parquet(self) -> bool:
        """Whether the rows come from Parquet rather than CSV."""
        return self.path.suffix == ".parquet"

    @property
    def ignored_columns(self) -> tuple[str, ...]:
        """Columns outside the contract, for messages; a personal identity number is masked."""
        known = {column.name for column in self.contract.columns}
        return tuple(
            "(a personal identity number)" if holds_personal_number(name) else name
            for name in self.header
            if name not in known
        )


def receive_file(contract: FileContract, path: Path, where: str, encoding: str, scratch: Path) -> ReceivedFile:
    """Read all bytes of a delivered file once: hash, decompress, decode and count lines.

    Text in another encoding than UTF-8, which DuckDB cannot read, is copied in UTF-8 to an unnamed file in `scratch`. Raises
    `RejectedDeliveryError` with file, line and byte for anything but a readable CSV or Parquet file of the contract.
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
        raise RejectedDeliveryError(where, "the file has a header but no rows", "Deliver it again, with its rows")
    return received


def check_unchanged(path: Path, where: str, size: int, modified_ns: int) -> None:
    """Reject a file that was changed, replaced or removed since it had this size and change time."""
    now = path.stat() if path.exists() else None
    if now is None or (now.st_size, now.st_ctime_ns) != (size, modified_ns):
        raise RejectedDeliveryError(
            where, "the file changed while it was read", "Load again when the delivery is complete"
        )


def _receive_parquet(contract: FileContract, path: Path, where: str) -> ReceivedFile:
    digest = hashlib.sha256()
    size = 0
    for chunk in _hashed(path, digest):
        if size == 0:
            _check_format(chunk, where, "Parquet")
        size += len(chunk)
    try:
        with duckdb.connect() as connection:
            described = connection.execute(f"describe select * from {parquet(path)}").fetchall()
            stored = connection.execute("select name from parquet_schema(?) offset 1", [str(path)]).fetchall()
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
                        f"stored as {types[column.name]}, which is not {column.type}",
                        f"Store it as {either}, so that no value is changed",
                    )
    except duckdb.Error:
        # DuckDB's message may quote data, so it is not chained.
        raise RejectedDeliveryError(
            where, "not a readable Parquet file, or a truncated one", "Deliver it again"
        ) from None
    names = tuple(str(name) for name, *_ in described)
    # `describe` renames duplicate columns.
    header = [str(name).strip().lower() for (name,) in stored]
    if duplicates := [column.name for column in contract.columns if header.count(column.name) > 1]:
        raise RejectedDeliveryError(where, f"duplicate column {', '.join(duplicates)}", "Deliver every column once")
    check_header(contract, where, [name.strip().lower() for name in names])
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
    """Reject a Parquet file whose footer announces far more data than the file stores."""
    # A repeated value is stored once, so each value counts as at least one byte.
    expanded, values, longest = connection.execute(
        """
        select sum(total_uncompressed_size), sum(num_values), max(total_uncompressed_size // greatest(num_values, 1))
        from parquet_metadata(?) where list_contains(?, lower(trim(path_in_schema)))
        """,
        [str(path), [column.name for column in contract.columns]],
    ).fetchone() or (0, 0, 0)
    if max(expanded or 0, values or 0) > max(size * MOST_EXPANSION, CHUNK):
        raise RejectedDeliveryError(
            where, f"it expands to more than {MOST_EXPANSION} times its size", "Deliver it again"
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
    # An unnamed file, which disappears when the process ends for any reason.
    in_utf8 = None if encoding == "utf-8" else tempfile.TemporaryFile(dir=scratch)  # noqa: SIM115 (it lives on)
    lines = _LineCounter(where)
    read = 0
    compressed = path.suffix == ".gz"
    utf_8 = None if encoding == "utf-8" else _Utf8Detector()
    for chunk in _decompressed(path, where, digest) if compressed else _hashed(path, digest):
        if read == 0:
            _check_format(chunk, where, "CSV text")
        if utf_8:
            utf_8.add(chunk, read, lines.newlines)
        try:
            text = decoder.decode(chunk)
        except UnicodeDecodeError as error:
            if utf_8:
                utf_8.reject_utf_8(where, encoding)
            # The decoder counts from the bytes left over from the previous chunk.
            offset = error.start - (len(error.object) - len(chunk))
            line = lines.newlines + chunk[: max(offset, 0)].count(b"\n") + 1
            raise _bad_encoding(where, encoding, line, read + offset, error.object[error.start]) from None
        lines.add(chunk, text)
        if in_utf8:
            in_utf8.write(text.encode())
        read += len(chunk)
    held = len(decoder.getstate()[0])
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise _bad_encoding(where, encoding, lines.newlines + 1, read - held) from None
    lines.end()
    if utf_8:
        utf_8.reject_utf_8(where, encoding)
    header = _header(lines.first_lines[0] if lines.first_lines else b"", where, encoding)
    check_header(contract, where, header, [line.decode(encoding, "replace") for line in lines.first_lines])
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
        plain=lines.plain(len(header)),
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


class _Utf8Detector:
    """Detects UTF-8 in text declared as another encoding.

    UTF-8 nearly always decodes as cp1252 without an error (`§` becomes `Â§`), while other text rarely decodes as UTF-8.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="strict")
        self._is_utf_8 = True
        self._first: tuple[int, int] | None = None  # line and byte of the first character that is not ASCII

    def add(self, chunk: bytes, read: int, newlines: int) -> None:
        """Check the next bytes; `read` and `newlines` count the bytes and line feeds before them."""
        if self._is_utf_8 and (self._first or not chunk.isascii()):
            if not self._first:
                at = len(_ASCII.match(chunk)[0])  # type: ignore[index]
                self._first = newlines + chunk[:at].count(b"\n") + 1, read + at
            try:
                self._decoder.decode(chunk)
            except UnicodeDecodeError:
                self._is_utf_8 = False

    def reject_utf_8(self, where: str, encoding: str) -> None:
        """Raise `RejectedDeliveryError` if the text is UTF-8 with non-ASCII characters."""
        if self._is_utf_8 and self._first:
            raise _bad_encoding(where, encoding, *self._first, likely="utf-8")


def _check_format(start: bytes, where: str, expected: str) -> None:
    if other := foreign_format(start, expected):
        raise RejectedDeliveryError(where, f"it is {other.name}, not {expected}", other.remedy)


class _LineCounter:
    """Counts lines over chunks, and rejects bytes that are not lines of text."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.newlines = 0
        self.last_filled = 0
        self.has_quotes = False
        self.has_odd_space = False
        self.first_lines: list[bytes] = []
        self.ends_within_line = False
        self._open = b""  # the unfinished line of the last chunk
        self._has_returns = False
        self._separators = 0
        self._has_spaces = False

    def add(self, chunk: bytes, text: str) -> None:
        """Count the next bytes, and look at their text, in which a character is found many times faster than its bytes."""
        if b"\0" in chunk:
            line = self.newlines + chunk[: chunk.index(b"\0")].count(b"\n") + 1
            raise RejectedDeliveryError(f"{self.where}, line {line}", "a NUL byte", "Export the file again as text")
        self.has_quotes = self.has_quotes or b'"' in chunk
        self.has_odd_space = self.has_odd_space or any(space in text for space in _ODD_SPACE)
        self._has_spaces = self._has_spaces or b" " in chunk
        self._separators += chunk.count(b";")
        data = self._open + chunk
        # Cut after a line feed, so that no \r\n is split.
        complete = data.rfind(b"\n") + 1
        whole, self._open = data[:complete], data[complete:]
        # Only the first line can begin in an earlier chunk, and only the last can continue in a later one.
        first = data.find(b"\n") if complete else 0
        if first > LONGEST_LINE or len(self._open) > LONGEST_LINE:
            line = self.newlines + 1 + (0 if first > LONGEST_LINE else whole.count(b"\n"))
            raise RejectedDeliveryError(
                f"{self.where}, line {line}", f"a line of more than {LONGEST_LINE} bytes", "Separate rows by line feeds"
            )
        self._count(whole)

    def end(self) -> None:
        """Count the last line, which needs no line feed."""
        self.ends_within_line = bool(self._open)
        self._count(self._open)

    def plain(self, columns: int) -> PlainText | None:
        """The text as DuckDB's CSV reader can read it, if it can; `columns` counts those of the header."""
        if self.has_quotes or self.has_odd_space or self._has_returns:
            return None
        return PlainText(self._separators - (columns - 1), self._has_spaces)

    def _count(self, whole: bytes) -> None:
        if whole and not self.first_lines:
            self.first_lines = [line.rstrip(b"\r") for line in whole.split(b"\n", LINES_SEARCHED)[:LINES_SEARCHED]]
        if b"\r" in whole:
            self._has_returns = True
            if whole.count(b"\r") != whole.count(b"\r\n"):
                at = _LONE_CR.search(whole).start()  # type: ignore[union-attr]
                line = self.newlines + whole.count(b"\n", 0, at) + 1
                raise RejectedDeliveryError(
                    f"{self.where}, line {line}", "a carriage return without line feed", "End lines by LF or CRLF"
                )
        newlines = whole.count(b"\n")
        if filled := whole.rstrip(b"\r\n"):
            self.last_filled = self.newlines + newlines - whole.count(b"\n", len(filled)) + 1
        self.newlines += newlines


_ASCII = re.compile(rb"[\x00-\x7f]*")
_LONE_CR = re.compile(rb"\r(?!\n)")


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


def _decompressed(path: Path, where: str, digest: hashlib._Hash) -> Iterator[bytes]:
    def broken(problem: str) -> RejectedDeliveryError:
        return RejectedDeliveryError(where, problem, "Deliver it again")

    limit = max(path.stat().st_size * MOST_EXPANSION, CHUNK)
    expanded = 0
    member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    for packed in _hashed(path, digest):
        if not expanded:
            _check_format(packed, where, "gzip")
        while packed:
            if member.eof:
                member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            try:
                chunk = member.decompress(packed, CHUNK)
            except zlib.error:
                raise broken("not a readable gzip file") from None
            packed = member.unused_data if member.eof else member.unconsumed_tail
            expanded += len(chunk)
            if expanded > limit:
                raise broken(f"it expands to more than {MOST_EXPANSION} times its size")
            if chunk:
                yield chunk
    if not member.eof:
        raise broken("the gzip file is truncated")
