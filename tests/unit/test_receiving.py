"""What the contract tolerates: however a supplier writes the same rows, the same rows are loaded."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deliveries import (
    CLEAN,
    COLUMNS,
    YEAR,
    Outcome,
    csv_file,
    csv_line,
    csv_text,
    everything_in,
    files_of,
    load,
    load_file,
    long_decisions,
    outcome,
    parquet_columns,
    parquet_file,
    parquet_of,
    pseudonym,
    put,
    put_with_manifest,
    quoted,
    typed,
)
from reference.extracts import Row
from reference.worlds import dirty_world, offence_row, police_row, prosecution_row

from dagster_project import paths
from dagster_project.ingestion.corrections import apply_corrections
from dagster_project.ingestion.ingest import ingest
from dagster_project.ingestion.landing import find_delivery_folders
from dagster_project.ingestion.read import CHUNK
from dagster_project.ingestion.rejection import RejectedDeliveryError
from dagster_project.settings import Settings

NO_BREAK_SPACE = "\u00a0"
ROWS: dict[tuple[str, str], list[Row]] = {
    ("police", "offences"): [
        offence_row(
            1,
            lagrum="BrB 6 kap. 10 a §",
            brottskod="0004",
            brottsdatum="2020-02-29",
            handlaggande_region="Rn05",
            malsagande_kon="K",
            malsagande_alder="0",
        ),
        offence_row(2, lagrum='se "Räven"; å ä ö – 5 €', brottsantal="17", malsagande_kon="M", malsagande_alder="120"),
        offence_row(3, lagrum='"', kommunkod=""),
        offence_row(2147483647, lagrum="a;b;c;d;e;f;g;h;i;j;k;l"),
        offence_row(5, lagrum="'"),
    ],
    ("police", "decisions"): [
        police_row(1, beslut="DIREKTAVSKRIVEN", utredning="N"),
        police_row(2, beslut="OVERLAMNAD", skaligen_misstankt="J"),
    ],
    ("prosecution", "decisions"): [
        prosecution_row(2, misstanke_id="Ö" * 64),
        prosecution_row(3, beslut="EJ_ATAL", misstanke_id=""),
        prosecution_row(4, misstanke_id='"; –'),
    ],
}


def the_rows(source: str, name: str) -> list[dict[str, Any]]:
    return [typed(row) for row in ROWS[source, name]]


# --- CSV -------------------------------------------------------------------------------------------------------------


def _lines(rows: Iterable[Row], columns: Iterable[str], field: Callable[[str], str]) -> list[str]:
    return [";".join(field(row.get(column, "")) for column in columns) for row in rows]


def _plain(value: str) -> str:
    return quoted(value) if ";" in value or '"' in value else value


Writer = Callable[[list[str], list[Row]], str]


def _rewritten(change: Callable[[str], str]) -> Writer:
    return lambda columns, rows: change(csv_text(rows, columns))


def _with_header(change: Callable[[str], str]) -> Writer:
    return lambda columns, rows: "\n".join(
        [";".join(map(change, columns)), *(csv_line(row, columns) for row in rows), ""]
    )


def _with_fields(field: Callable[[str], str]) -> Writer:
    return lambda columns, rows: "\n".join([";".join(columns), *_lines(rows, columns, field), ""])


def _with_extra_columns(names: list[str], values: list[str]) -> Writer:
    def write(columns: list[str], rows: list[Row]) -> str:
        """The contract's columns in reverse, with a column that it does not name after each of the first ones."""
        header: list[str] = []
        for position, column in enumerate(reversed(columns)):
            header += [column, *names[position : position + 1]]
        lines = [";".join(header)]
        for row in rows:
            fields: list[str] = []
            for position, column in enumerate(reversed(columns)):
                fields += [_plain(row[column]), *values[position : position + 1]]
            lines.append(";".join(fields))
        return "\n".join([*lines, ""])

    return write


def _alternating(text: str) -> str:
    lines = text.split("\n")[:-1]
    return "".join(line + ("\n" if number % 2 else "\r\n") for number, line in enumerate(lines))


WRITERS: dict[str, tuple[Writer, str]] = {
    "plain": (_rewritten(str), "utf-8"),
    "byte order mark": (_rewritten(str), "utf-8-sig"),
    "CRLF": (_rewritten(lambda text: text.replace("\n", "\r\n")), "utf-8"),
    "CRLF and byte order mark": (_rewritten(lambda text: text.replace("\n", "\r\n")), "utf-8-sig"),
    "mixed line ends": (_rewritten(_alternating), "utf-8"),
    "mixed line ends, header LF": (_rewritten(lambda text: text.replace("\n", "\r\n").replace("\r\n", "\n", 1)), "utf-8"),
    "no line end at the end": (_rewritten(lambda text: text[:-1]), "utf-8"),
    "blank lines at the end": (_rewritten(lambda text: text + "\n\n\n"), "utf-8"),
    "CRLF, blank lines at the end": (_rewritten(lambda text: (text + "\n\n").replace("\n", "\r\n")), "utf-8"),
    "columns in reverse": (lambda columns, rows: csv_text(rows, columns[::-1]), "utf-8"),
    "columns in order of the alphabet": (lambda columns, rows: csv_text(rows, sorted(columns)), "utf-8"),
    "header in capitals": (_with_header(str.upper), "utf-8"),
    "header capitalised": (_with_header(str.title), "utf-8"),
    "header with spaces": (_with_header(lambda name: f"  {name} "), "utf-8"),
    "header with no-break spaces and tabs": (_with_header(lambda name: f"{NO_BREAK_SPACE}{name}\t"), "utf-8"),
    "header quoted": (_with_header(quoted), "utf-8"),
    "header quoted, byte order mark": (_with_header(quoted), "utf-8-sig"),
    "header quoted with spaces and capitals": (_with_header(lambda name: f'" {name.upper()} "'), "utf-8"),
    "everything quoted": (_with_fields(quoted), "utf-8"),
    "everything filled quoted": (_with_fields(lambda value: quoted(value) if value else ""), "utf-8"),
    "spaces within quotes": (_with_fields(lambda value: quoted(f"  {value} ")), "utf-8"),
    "spaces": (_with_fields(lambda value: quoted(f" {value}  ") if _plain(value) != value else f" {value}  "), "utf-8"),
    "no-break spaces": (_with_fields(lambda value: quoted(f"{NO_BREAK_SPACE}{value}{NO_BREAK_SPACE}")), "utf-8"),
    "tabs": (_with_fields(lambda value: quoted(f"\t{value}\t")), "utf-8"),
    "spaces of every kind": (_with_fields(lambda value: quoted(f"\u2003\u2009{value}\u202f\u3000\u2028\x0b\x85")), "utf-8"),
    "cp1252": (_rewritten(str), "cp1252"),
    "cp1252, CRLF": (_rewritten(lambda text: text.replace("\n", "\r\n")), "cp1252"),
    "cp1252, no-break spaces": (_with_fields(lambda value: quoted(f"{NO_BREAK_SPACE}{value}\t")), "cp1252"),
}  # fmt: skip


def _load_both(settings: Settings, files: dict[str, bytes], encoding: str = "utf-8") -> dict[str, Outcome]:
    if encoding == "utf-8":
        put(settings, "police", files)
    else:
        put_with_manifest(settings, "police", files, encoding=encoding)
    record = load(settings, "police")
    return {name: outcome(settings, record, name) for name in record.files}


@pytest.mark.parametrize("way", WRITERS)
def test_the_same_rows_in_csv(settings: Settings, way: str) -> None:
    write, encoding = WRITERS[way]
    files = {
        f"{name}.csv": write(COLUMNS["police", name], ROWS["police", name]).encode(encoding)
        for name in ("offences", "decisions")
    }
    found = _load_both(settings, files, "cp1252" if encoding == "cp1252" else "utf-8")
    for name, file in found.items():
        assert file.rows == the_rows("police", name)
        assert (file.quarantined, file.duplicates) == ({}, 0)
        warnings = [warning for warning in file.warnings if "no manifest" not in warning]
        assert bool(warnings) == (way == "no line end at the end")
        assert all("the last line has no line end" in warning for warning in warnings)


def test_cp1252_is_taken_at_its_word(settings: Settings) -> None:
    every_byte = bytes(set(range(0x80, 0x100)) - {0x81, 0x8D, 0x8F, 0x90, 0x9D})
    halves = (every_byte[:64], every_byte[64:])
    rows = [offence_row(number, lagrum=f"x{half.decode('cp1252')}x") for number, half in enumerate(halves, 1)]
    content = csv_file("police", "offences", rows, encoding="cp1252")
    found = load_file(settings, "police", "offences", content, encoding="cp1252")
    assert found.rows == [typed(row) for row in rows]


@pytest.mark.parametrize("encoding", ["CP1252", "Cp1252"])
def test_the_encoding_may_be_spelt_in_capitals(settings: Settings, encoding: str) -> None:
    content = csv_file("prosecution", "decisions", ROWS["prosecution", "decisions"], "cp1252")
    put_with_manifest(settings, "prosecution", {"decisions.csv": content}, encoding=encoding)
    assert outcome(settings, load(settings)).rows == the_rows("prosecution", "decisions")


# --- gzip and Parquet ------------------------------------------------------------------------------------------------


def _members(content: bytes, *cuts: int) -> bytes:
    ends = [*cuts, len(content)]
    return b"".join(gzip.compress(content[start:end]) for start, end in zip([0, *cuts], ends, strict=True))


def _member(content: bytes, flags: int, fields: bytes) -> bytes:
    """A member with more in its header, as RFC 1952 has it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    head = b"\x1f\x8b\x08" + bytes([flags]) + b"\0\0\0\0\0\x03" + fields
    tail = zlib.crc32(content).to_bytes(4, "little") + len(content).to_bytes(4, "little")
    return head + packer.compress(content) + packer.flush() + tail


ZIPPERS: dict[str, Callable[[bytes], bytes]] = {
    "one member": gzip.compress,
    "not compressed": lambda content: gzip.compress(content, 0),
    "a file name, as gzip writes it": lambda content: _member(content, 8, b"offences.csv\0"),
    "two members with file names": lambda content: _member(content[:200], 8, b"a.csv\0") + _member(content[200:], 8, b"b.csv\0"),
    "an extra field, as bgzip writes it": lambda content: _member(content, 4, b"\x06\0BC\x02\0\x1b\0"),
    "two members cut in a line": lambda content: _members(content, 200),
    "three members cut in a character": lambda content: _members(content, content.index("§".encode()) + 1, content.index("€".encode()) + 2),
    "a member for every byte": lambda content: _members(content, *range(1, len(content))),
    "an empty member in the middle": lambda content: gzip.compress(content[:90]) + gzip.compress(b"") + gzip.compress(content[90:]),
    "an empty member at the end": lambda content: gzip.compress(content) + gzip.compress(b""),
    "CRLF cut in two": lambda content: _members(content.replace(b"\n", b"\r\n"), content.index(b"\n") + 1),
}  # fmt: skip


@pytest.mark.parametrize("way", ZIPPERS)
def test_the_same_rows_in_gzip(settings: Settings, way: str) -> None:
    content = csv_file("police", "offences", ROWS["police", "offences"])
    found = load_file(settings, "police", "offences", ZIPPERS[way](content), ".csv.gz")
    assert found.rows == the_rows("police", "offences")


OFFENCES = ROWS["police", "offences"]
TABLE = pa.table(parquet_columns("police", "offences", OFFENCES))
DATE_COLUMNS = ["anmalningsdatum", "brottsdatum", "beslutsdatum"]
DATES = dict.fromkeys(DATE_COLUMNS, pa.date32())


def _in_types(types: dict[str, pa.DataType]) -> bytes:
    return parquet_file("police", "offences", OFFENCES, types)


def _all_columns_in(one_type: pa.DataType) -> bytes:
    return _in_types(dict.fromkeys(TABLE.column_names, one_type))


def _integers_in(one_type: pa.DataType) -> dict[str, pa.DataType]:
    return {"brottsnummer": one_type, "brottsantal": one_type, "malsagande_alder": pa.uint8()}


def _padded(values: pa.ChunkedArray) -> pa.Array:
    return pa.array([f"{NO_BREAK_SPACE} {value or ''}\t" for value in values.to_pylist()])


PARQUETS: dict[str, bytes] = {
    "text": parquet_of(TABLE),
    "dates": _in_types(DATES),
    "64-bit dates": _in_types(dict.fromkeys(DATE_COLUMNS, pa.date64())),
    **{
        f"dates and {integer}": _in_types({**DATES, **_integers_in(integer)})
        for integer in (pa.int32(), pa.int64(), pa.uint32(), pa.uint64())
    },
    "small integers": _in_types({"brottsantal": pa.int8(), "malsagande_alder": pa.int16()}),
    "large text": _all_columns_in(pa.large_string()),
    "dictionaries": _all_columns_in(pa.dictionary(pa.int8(), pa.string())),
    "no dictionaries": parquet_of(TABLE, use_dictionary=False),
    "a row group for every row": parquet_of(TABLE, row_group_size=1),
    **{
        f"{compression}, version {version}": parquet_of(TABLE, compression=compression, data_page_version=version)
        for compression, version in [
            ("none", "2.0"),
            ("gzip", "1.0"),
            ("zstd", "2.0"),
            ("brotli", "1.0"),
            ("lz4", "2.0"),
        ]
    },
    "columns in reverse": parquet_of(TABLE.select(TABLE.column_names[::-1])),
    "header in capitals": parquet_of(TABLE.rename_columns([name.upper() for name in TABLE.column_names])),
    "header with spaces": parquet_of(TABLE.rename_columns([f" {name}{NO_BREAK_SPACE}" for name in TABLE.column_names])),
    "empty text for null": parquet_of({name: TABLE[name].fill_null("") for name in TABLE.column_names}),
    "spaces": parquet_of({name: _padded(TABLE[name]) for name in TABLE.column_names}),
}


@pytest.mark.parametrize("way", PARQUETS)
def test_the_same_rows_in_parquet(settings: Settings, way: str) -> None:
    found = load_file(settings, "police", "offences", PARQUETS[way], ".parquet")
    assert found.rows == the_rows("police", "offences")
    assert (sorted(found.loaded), found.quarantined, found.duplicates) == ([1, 2, 3, 4, 5], {}, 0)


def test_a_parquet_column_without_values_may_have_any_type(settings: Settings) -> None:
    rows = [{**row, "brottsdatum": "", "malsagande_alder": "", "lagrum": "", "kommunkod": ""} for row in OFFENCES]
    columns = parquet_columns("police", "offences", rows)
    for column, no_type in [
        ("brottsdatum", pa.null()),
        ("malsagande_alder", pa.float64()),
        ("lagrum", pa.int32()),
        ("kommunkod", pa.timestamp("us")),
    ]:
        columns[column] = pa.nulls(len(rows), no_type)
    found = load_file(settings, "police", "offences", parquet_of(columns), ".parquet")
    assert found.rows == [typed(row) for row in rows]


@pytest.mark.parametrize(("source", "name"), ROWS)
def test_csv_gzip_and_parquet_of_the_same_rows_load_the_same(settings: Settings, source: str, name: str) -> None:
    rows = ROWS[source, name]
    content = csv_file(source, name, rows)
    typed_parquet = parquet_file(source, name, rows, {**DATES, "brottsnummer": pa.int64()})
    in_csv = load_file(settings, source, name, content)
    zipped = load_file(settings, source, name, gzip.compress(content), ".csv.gz")
    as_text = load_file(settings, source, name, parquet_file(source, name, rows), ".parquet")
    dates = load_file(settings, source, name, typed_parquet, ".parquet")
    assert in_csv.rows == zipped.rows == as_text.rows == dates.rows == the_rows(source, name)
    assert in_csv.loaded == zipped.loaded
    assert as_text.loaded == dates.loaded


# --- columns that the contract does not name -------------------------------------------------------------------------

EXTRA = ["anmärkning", "Enhet ID ", "line", "file_row_number", "malformed", "text", "fields", "record", "filename"]


def test_unknown_columns_in_csv_are_ignored_with_a_warning(settings: Settings) -> None:
    write = _with_extra_columns(EXTRA, ['"a;b"', "0424", "", '"two; lines"', '""""', "NEDLAGD", "x", "y", "z"])
    content = write(COLUMNS["police", "offences"], OFFENCES).encode()
    found = load_file(settings, "police", "offences", content)
    assert found.rows == the_rows("police", "offences")
    _assert_warned(found, f"police/{YEAR}/offences.csv", ["anmärkning", "enhet id", *EXTRA[2:]])


@pytest.mark.parametrize("extra", [*EXTRA, 'a "quoted" name', "année", "row", "key"])
def test_unknown_columns_in_parquet_are_ignored_with_a_warning(settings: Settings, extra: str) -> None:
    columns = parquet_columns("prosecution", "decisions", ROWS["prosecution", "decisions"])
    content = parquet_of({extra: pa.array([7, 8, 9]), **columns})
    found = load_file(settings, "prosecution", "decisions", content, ".parquet")
    assert found.rows == the_rows("prosecution", "decisions")
    assert sorted(found.loaded) == [1, 2, 3]
    _assert_warned(found, f"prosecution/{YEAR}/decisions.parquet", [extra.strip().lower()])


def test_unknown_columns_of_any_parquet_type(settings: Settings) -> None:
    columns = parquet_columns("prosecution", "decisions", ROWS["prosecution", "decisions"])
    extra = {
        "when": pa.array([0, 1, 2], pa.timestamp("ms", "Europe/Stockholm")),
        "list": pa.array([[1], [], None]),
        "struct": pa.array([{"a": 1}, {"a": 2}, None]),
        "binary": pa.array([b"\xff", b"", None]),
    }
    found = load_file(settings, "prosecution", "decisions", parquet_of({**columns, **extra}), ".parquet")
    assert found.rows == the_rows("prosecution", "decisions")
    _assert_warned(found, f"prosecution/{YEAR}/decisions.parquet", list(extra))


def test_unknown_columns_may_have_no_name_or_the_same(settings: Settings) -> None:
    columns = COLUMNS["prosecution", "decisions"]
    header = [*columns, "", "x", "x", "", '"a;b"']
    rows = [f"{csv_line(row, columns)};1;2;3;4;5" for row in ROWS["prosecution", "decisions"]]
    found = load_file(settings, "prosecution", "decisions", csv_text(rows, header).encode())
    assert found.rows == the_rows("prosecution", "decisions")
    assert any("a;b" in warning for warning in found.warnings)


def test_every_file_is_warned_of_by_itself(settings: Settings) -> None:
    files = {
        f"{name}.csv": csv_text([{**row, extra: "x"} for row in CLEAN["police", name]], [*COLUMNS["police", name], extra]).encode()
        for name, extra in (("offences", "enhet"), ("decisions", "beslutsfattare"))
    }  # fmt: skip
    found = _load_both(settings, files)["offences"]
    assert any("offences.csv" in warning and "enhet" in warning for warning in found.warnings)
    assert any("decisions.csv" in warning and "beslutsfattare" in warning for warning in found.warnings)


def _assert_warned(found: Outcome, where: str, names: list[str]) -> None:
    (warning,) = [warning for warning in found.warnings if where in warning]
    assert all(name in warning for name in names)
    assert not any(column in warning for column in COLUMNS["police", "offences"][:3])


# --- manifests -------------------------------------------------------------------------------------------------------


def test_without_a_manifest_completeness_could_not_be_verified(settings: Settings) -> None:
    put(settings, "prosecution", files_of("prosecution"))
    record = load(settings)
    (warning,) = record.warnings
    assert f"prosecution/{YEAR}" in warning
    assert "manifest" in warning
    assert "could not be verified" in warning
    assert not record.complete


def test_with_a_manifest_there_is_nothing_to_warn_of(settings: Settings) -> None:
    put_with_manifest(settings, "police", files_of("police"))
    record = load(settings, "police")
    assert (record.complete, record.warnings) == (True, ())


@pytest.mark.parametrize("manifest_fields", [{"created": None}, {"synthetic": {"seed": 1}}], ids=str)
def test_a_manifest_may_say_more(settings: Settings, manifest_fields: dict[str, Any]) -> None:
    put_with_manifest(settings, "prosecution", files_of("prosecution"), **manifest_fields)
    record = load(settings)
    assert record.complete
    assert record.synthetic == manifest_fields.get("synthetic")


def test_a_manifest_may_be_written_otherwise(settings: Settings) -> None:
    path = put_with_manifest(settings, "police", files_of("police")) / "manifest.json"
    manifest_fields = json.loads(path.read_bytes())
    manifest_fields["files"] = [
        {**file, "sha256": file["sha256"].upper()} for file in reversed(manifest_fields["files"])
    ]
    del manifest_fields["encoding"], manifest_fields["created"]
    path.write_bytes(json.dumps(manifest_fields, indent=4).replace("\n", "\r\n").encode("utf-8-sig"))
    assert load(settings, "police").complete


@pytest.mark.parametrize("suffix", [".csv.gz", ".parquet"])
def test_the_manifest_of_other_containers(settings: Settings, suffix: str) -> None:
    content = csv_file("prosecution", "decisions")
    packed = gzip.compress(content) if suffix == ".csv.gz" else parquet_file("prosecution", "decisions")
    put_with_manifest(settings, "prosecution", {f"decisions{suffix}": packed})
    assert load(settings).complete


def test_quarantined_and_repeated_rows_count_as_rows(settings: Settings) -> None:
    rows = [
        prosecution_row(1),
        prosecution_row(1),
        "x",
        "",
        prosecution_row(2, beslut="?", misstanke_id='a\n"b"\n'),
    ]  # three lines
    content = csv_file("prosecution", "decisions", [*rows, prosecution_row(3)]) + b"\n\n"
    put_with_manifest(settings, "prosecution", {"decisions.csv": content})
    assert outcome(settings, load(settings)).rows_read == 8


# --- folders ---------------------------------------------------------------------------------------------------------


def test_other_things_in_the_folder_do_not_matter(settings: Settings) -> None:
    folder = put_with_manifest(settings, "prosecution", files_of("prosecution"))
    for name in ("README.txt", "decisions.csv.sha256", ".decisions.csv.swp", "decisions.csv.part", "offences.csv"):
        (folder / name).write_bytes(b"x")
    (folder / "old").mkdir()
    assert load(settings).complete


@pytest.mark.parametrize("target", ["nowhere", "link"], ids=["dead link", "loop"])
def test_nor_does_a_link_that_leads_nowhere(settings: Settings, target: str) -> None:
    (put_with_manifest(settings, "prosecution", files_of("prosecution")) / "link").symlink_to(target)
    assert load(settings).complete


def test_a_link_within_the_landing_folder_is_followed(settings: Settings) -> None:
    shared = settings.landing / "uploads" / "part1.csv"
    shared.parent.mkdir(parents=True)
    shared.write_bytes(csv_file("prosecution", "decisions", ROWS["prosecution", "decisions"]))
    (put(settings, "prosecution", {}) / "decisions.csv").symlink_to("../../uploads/part1.csv")
    assert outcome(settings, load(settings)).rows == the_rows("prosecution", "decisions")


def test_the_landing_folder_may_itself_be_a_link(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    settings.landing.symlink_to(tmp_path / "disk")
    content = csv_file("prosecution", "decisions", ROWS["prosecution", "decisions"])
    put(settings, "prosecution", {"decisions.csv": content})
    through_dots = settings.model_copy(update={"landing": settings.home / ".." / settings.landing.name})
    settings.home.mkdir()
    assert outcome(settings, load(through_dots)).rows == the_rows("prosecution", "decisions")


@pytest.mark.parametrize("name", ["år 2022, 12 o'clock, 50 % of $HOME", '[1-9]*? "a"', "unit=7", "beslut=NEDLAGD"])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_folders_may_have_any_name(tmp_path: Path, name: str, suffix: str) -> None:
    folder = tmp_path / name
    settings = Settings(landing=folder / "landing", home=folder / "home", published=folder / "published")
    rows = ROWS["prosecution", "decisions"]
    write = csv_file if suffix == ".csv" else parquet_file
    content = write("prosecution", "decisions", rows)
    found = load_file(settings, "prosecution", "decisions", content, suffix)
    assert found.rows == the_rows("prosecution", "decisions")
    assert len(found.warnings) == 1


def test_extracts_are_never_changed(settings: Settings) -> None:
    dirty_world(settings.landing, seed=3, offences_per_year=40, years=(2023,), dirt=0.3)
    before = everything_in(settings.landing)
    stats = {path: path.stat() for path in settings.landing.rglob("*")}
    for folder in find_delivery_folders(settings.landing):
        ingest(folder, settings)
    assert everything_in(settings.landing) == before
    assert all(path.stat().st_mtime_ns == stat.st_mtime_ns for path, stat in stats.items())
    assert not any((settings.home / paths.SCRATCH).iterdir())


# --- files of more than one chunk ------------------------------------------------------------------------------------

# What may straddle the border between two pieces of a file, and where in the line the border is to fall
PREFIX = "AM-1-22;0100-K1-20;7;"
STRADDLING: dict[str, tuple[str, str]] = {
    "two-byte character": ("må", "må"),
    "three-byte character": ("m€", "m€"),
    "four-byte character": ("m😀", "m😀"),
    "no-break spaces": ("\u00a0m\u00a0", "m"),
    "line separators": ("\u2028m\u2028", "m"),
    "next-line characters": ("\u0085m\u0085", "m"),
    "em spaces": ("\u2003m\u2003", "m"),
    "quotes": ('"m;1"', "m;1"),
    "doubled quotes": ('"m""1"', 'm"1'),
}


@pytest.mark.parametrize("what", STRADDLING)
def test_whatever_straddles_the_border_between_two_pieces(settings: Settings, what: str) -> None:
    written, value = STRADDLING[what]
    line = f"{PREFIX}{written};2022-03-01;ATAL;\n".encode()
    length = len(written.encode())
    for back in range(1, min(length, 4)):
        content, number = long_decisions(CHUNK - back, line, len(PREFIX))
        found = load_file(settings, "prosecution", "decisions", content)
        assert found.loaded[number]["misstanke_id"] == pseudonym("misstanke_id", value)
        assert found.quarantined == {}


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_line_ends_that_straddle_the_border(settings: Settings, suffix: str) -> None:
    for at in (CHUNK - 1, CHUNK):
        content, number = long_decisions(at + 1, b"")
        # The long file's lines get one byte longer, so the piece before the border loses as many
        lines = content.split(b"\n")
        surplus = len(lines) - 2
        while surplus > 0:
            cut = min(surplus, 100)
            position = len(lines) - 2 - surplus // 100
            assert lines[position].endswith(b"i" * cut)
            lines[position] = lines[position][:-cut]
            surplus -= cut
        content = b"\r\n".join(lines)
        content += f"{PREFIX}m;2022-03-01;ATAL;x\r\n\r\n{PREFIX}m;2022-03-02;?;x\r\n".encode()
        packed = gzip.compress(content, 1) if suffix == ".csv.gz" else content
        found = load_file(settings, "prosecution", "decisions", packed, suffix)
        assert found.reasons == {number + 1: "malformed_row", number + 2: "invalid_value"}
        assert found.rows_read == number + 1


def test_quotes_that_come_late_in_a_long_file(settings: Settings) -> None:
    line = f'{PREFIX}"a;b";2022-03-01;ATAL;"two;fields"\n{PREFIX}m;2022-03-02;?;\n'.encode()
    content, number = long_decisions(2 * CHUNK + 5, line)
    found = load_file(settings, "prosecution", "decisions", content)
    assert found.loaded[number]["misstanke_id"] == pseudonym("misstanke_id", "a;b")
    assert found.reasons == {number + 1: "invalid_value"}


@pytest.mark.parametrize("most_lines_in_memory", [0, 2_000_000])
def test_no_received_text_lies_on_disk_while_it_is_validated(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, most_lines_in_memory: int
) -> None:
    """So that nobody reads what is left of it if the process is killed."""
    monkeypatch.setattr("dagster_project.ingestion.ingest.MOST_LINES_IN_MEMORY", most_lines_in_memory)
    found: list[bytes] = []

    def look(*arguments: Any) -> dict[str, int]:
        found.extend(path.read_bytes() for path in (settings.home / paths.SCRATCH).rglob("*") if path.is_file())
        return apply_corrections(*arguments)

    monkeypatch.setattr("dagster_project.ingestion.validate.apply_corrections", look)
    rows = [prosecution_row(number, misstanke_id=f"suspect å{number}") for number in range(1, 1_001)]
    content = csv_file("prosecution", "decisions", rows, encoding="cp1252")
    assert len(load_file(settings, "prosecution", "decisions", content, encoding="cp1252").loaded) == 1_000
    assert (sum(map(len, found)) > 10_000) is (most_lines_in_memory == 0)
    assert not any(text in file for file in found for text in (b"suspect", rows[0]["aklagarnummer"].encode()))


@pytest.mark.parametrize("before", [9_000, 10_000, 20_000])
def test_a_personal_number_at_the_end_of_a_long_malformed_line_rejects_the_delivery(
    settings: Settings, before: int
) -> None:
    content = csv_file("prosecution", "decisions", [prosecution_row(1)]) + f"x;{'e' * before} 19121212-1212\n".encode()
    with pytest.raises(RejectedDeliveryError, match="line 3, a faulty row: a Swedish personal identity number"):
        load_file(settings, "prosecution", "decisions", content)


def test_a_long_file_in_cp1252(settings: Settings) -> None:
    rows = [prosecution_row(number, misstanke_id=f"€{'å' * 60}") for number in range(1, 12_001)]
    content = csv_file("prosecution", "decisions", rows, encoding="cp1252")
    assert len(content) > CHUNK
    found = load_file(settings, "prosecution", "decisions", content, encoding="cp1252")
    assert len(found.loaded) == 12_000
    assert {row["misstanke_id"] for row in found.rows} == {pseudonym("misstanke_id", f"€{'å' * 60}")}
