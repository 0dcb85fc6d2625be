"""Writes rows as delivered files, in every style that the input contract allows, with manifests."""

import csv
import gzip
import hashlib
import io
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from .extracts import CONTRACT, Row, calendar_date, integer

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
PADDINGS = (" ", "  ", "\t", NO_BREAK_SPACE)
EXTRA_COLUMNS = ("anmärkning", "Enhet ID", "uttagsdatum")  # the contract does not name these
INTEGERS = ("brottsnummer", "brottsantal", "malsagande_alder")
DATES = ("beslutsdatum", "anmalningsdatum", "brottsdatum")
REMARKS = ("", "", "se PM", "ring; hör av er", 'kallad "Räven"', "å ä ö – §")


@dataclass(frozen=True)
class Record:
    """A row to write; `damage` names how its number of fields is made invalid."""

    row: Row
    damage: str = ""


@dataclass(frozen=True)
class Style:
    """How a file is written."""

    container: str = "csv"  # csv, csv.gz or parquet
    encoding: str = "utf-8"
    byte_order_mark: bool = False
    newline: str = "\n"
    ending: str = "newline"  # the end of the file: newline, nothing or blank_lines
    typed_columns: bool = False  # Parquet with real integers and dates instead of texts

    def can_write(self, row: Row) -> bool:
        """Return whether encoding and column types can represent the row."""
        if self.typed_columns and not all(_fits(column, row.get(column, "")) for column in (*INTEGERS, *DATES)):
            return False
        try:
            "".join(row.values()).encode(self.encoding)
        except UnicodeEncodeError:
            return False
        return True


@dataclass(frozen=True)
class Delivered:
    """A finished file of a delivery."""

    file_name: str
    content: bytes
    rows: int


def deliver(landing: Path, source: str, year: int, files: list[Delivered], encoding: str = "utf-8") -> None:
    """Write the files of one delivery, and last the manifest."""
    folder = landing / source / str(year)
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        (folder / file.file_name).write_bytes(file.content)
    manifest = {
        "contract": "1",
        "source": source,
        "year": year,
        "created": f"{year + 1}-02-03T08:00:00+01:00",
        "encoding": encoding,
        "files": [
            {"name": file.file_name, "rows": file.rows, "sha256": hashlib.sha256(file.content).hexdigest()}
            for file in files
        ],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2), encoding="utf-8")


def neat_file(source: str, name: str, rows: list[Row]) -> Delivered:
    """A plain CSV file with the contract's columns and no surprises."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, CONTRACT[source, name], delimiter=";", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return Delivered(f"{name}.csv", buffer.getvalue().encode(), len(rows))


def odd_file(rng: Random, source: str, name: str, records: list[Record], style: Style) -> Delivered:
    """A file in the given style with its columns shuffled and columns that the contract does not name."""
    columns = [*CONTRACT[source, name], *rng.sample(EXTRA_COLUMNS, rng.randint(1, len(EXTRA_COLUMNS)))]
    rng.shuffle(columns)
    if style.container == "parquet":
        return Delivered(f"{name}.parquet", _parquet(rng, columns, records, style), len(records))
    content = _csv(rng, columns, records, style)
    if style.container == "csv.gz":
        content = gzip.compress(content, mtime=0)
    return Delivered(f"{name}.{style.container}", content, len(records))


# --- CSV -------------------------------------------------------------------------------------------------------------


def _csv(rng: Random, columns: list[str], records: list[Record], style: Style) -> bytes:
    lines = [";".join(_header(rng, column) for column in columns)]
    lines += [_line(rng, columns, record, style) for record in records]
    end = {"newline": style.newline, "nothing": "", "blank_lines": 3 * style.newline}[style.ending]
    content = (style.newline.join(lines) + end).encode(style.encoding)
    return b"\xef\xbb\xbf" + content if style.byte_order_mark else content


def _header(rng: Random, column: str) -> str:
    title = rng.choice([column, column, column, column.upper(), column.capitalize()])
    return rng.choice([title, title, title, f" {title} ", f'"{title}"'])


def _line(rng: Random, columns: list[str], record: Record, style: Style) -> str:
    if record.damage == "blank":
        return ""
    if record.damage == "only_spaces":
        return "   "
    if record.damage == "one_text":
        return "Summa rader: 3000"
    fields = [_field(rng, column, record.row.get(column), style) for column in columns]
    if record.damage == "stray_quote":
        place = rng.randrange(len(fields))
        fields[place] = '"' + fields[place].strip('"')
        fields[place + 1 :] = [field.replace('"', "") for field in fields[place + 1 :]]
    elif record.damage == "one_field_more":
        fields.append("x")
    elif record.damage == "semicolon_at_end":
        fields.append("")
    elif record.damage == "semicolon_not_quoted":
        fields.insert(rng.randrange(len(fields)), "BrB 6 kap.")
    elif record.damage == "one_field_less":
        fields.pop()
    elif record.damage == "first_half":
        fields = fields[: len(fields) // 2]
    elif record.damage:
        raise ValueError(record.damage)
    return ";".join(fields)


def _field(rng: Random, column: str, value: str | None, style: Style) -> str:
    if value is None:
        value = rng.choice(REMARKS)
    if rng.random() < 0.02:
        value = rng.choice(PADDINGS) + value + rng.choice(PADDINGS)
    if any(character in value for character in ';"\r\n') or rng.random() < 0.03:
        return '"' + value.replace('"', '""') + '"'
    return value


# --- Parquet ---------------------------------------------------------------------------------------------------------


def _parquet(rng: Random, columns: list[str], records: list[Record], style: Style) -> bytes:
    arrays = {}
    for column in columns:
        values = [record.row.get(column, "tillägg") for record in records]
        if style.typed_columns and column in INTEGERS:
            arrays[column] = pa.array([int(value) if value else None for value in values], pa.int32())
        elif style.typed_columns and column in DATES:
            arrays[column] = pa.array([date.fromisoformat(value) if value else None for value in values], pa.date32())
        else:  # a missing value is mostly null, at times an empty text
            arrays[column] = pa.array([None if value == "" and rng.random() < 0.9 else value for value in values])
    buffer = io.BytesIO()
    pq.write_table(pa.table(arrays), buffer)
    return buffer.getvalue()


def _fits(column: str, value: str) -> bool:
    return value == "" or (integer(0)(value) if column in INTEGERS else calendar_date(value))
