"""Detects a file's format and encoding from its bytes, so that a rejection can name them."""

from __future__ import annotations

from typing import NamedTuple


class Format(NamedTuple):
    """A file format: its first bytes, its name, and the remedy if it is delivered under another name."""

    magic: bytes
    name: str
    remedy: str


_AS_UTF_8 = "Export the file again as CSV text in UTF-8"
_AS_CSV = "Export its table as CSV, with ';' between fields, in UTF-8"
_UNPACKED = "Deliver the unpacked file, or pack it by gzip and name it .csv.gz"
# A longer magic number precedes its own prefix.
_FORMATS = (
    Format(b"\xff\xfe\0\0", "text in UTF-32", _AS_UTF_8),
    Format(b"\0\0\xfe\xff", "text in UTF-32", _AS_UTF_8),
    Format(b"\xff\xfe", "text in UTF-16", _AS_UTF_8),
    Format(b"\xfe\xff", "text in UTF-16", _AS_UTF_8),
    Format(b"PK\x03\x04", "a workbook (xlsx or ods) or another zip archive", _AS_CSV),
    Format(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a workbook (xls)", _AS_CSV),
    Format(b"\x1f\x8b", "gzip", "Pack it by gzip once and name it .csv.gz"),
    Format(b"PAR1", "Parquet", "Name it .parquet"),
    Format(b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACKED),
    Format(b"BZh", "a bzip2 file", _UNPACKED),
    Format(b"\xfd7zXZ\0", "an xz file", _UNPACKED),
    Format(b"\x28\xb5\x2f\xfd", "a Zstandard file", _UNPACKED),
    Format(b"%PDF", "a PDF document", _AS_CSV),
    Format(b"<", "HTML or XML", _AS_CSV),
    Format(b"{", "JSON", _AS_CSV),
    Format(b"[", "JSON", _AS_CSV),
)
# The bytes of Swedish letters and the section sign; no byte occurs in two of these encodings.
_SWEDISH = {
    "cp1252": "åäöÅÄÖé§".encode("cp1252"),
    "cp850 (DOS)": "åäöÅÄÖ".encode("cp850"),
    "Mac Roman": "åäöÅÄÖ§".encode("mac_roman"),
}
_SAMPLE = 1000


def foreign_format(start: bytes, expected: str) -> Format | None:
    """The file's format by its first bytes; None if it is the expected or an unknown one."""
    text = start.lstrip(b" \t\r\n")
    for known in _FORMATS:
        if (text if known.magic in b"<{[" else start).startswith(known.magic):
            return None if known.name == expected else known
    return Format(b"", "text in UTF-16", _AS_UTF_8) if _is_every_other_byte_nul(start[:_SAMPLE]) else None


def _is_every_other_byte_nul(start: bytes) -> bool:
    # Mostly Latin letters in UTF-16 without a byte order mark.
    return sum(2 * half.count(0) > len(half) > 2 for half in (start[::2], start[1::2])) == 1


def likely_encoding(byte: int) -> str | None:
    """The encoding in which a byte that is invalid in UTF-8 is a Swedish letter; None if unknown."""
    return next((name for name, letters in _SWEDISH.items() if byte in letters), None)
