"""The two ways to read a file give the same rows: DuckDB's CSV reader for plain text, and the one that reads any text."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import duckdb
import pytest
from deliveries import COLUMNS, csv_line
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reference.worlds import prosecution_row

from dagster_project.contract import input_contract
from dagster_project.ingestion import rows
from dagster_project.ingestion.read import ReceivedFile, receive_file
from dagster_project.ingestion.rejection import RejectedDeliveryError
from dagster_project.ingestion.rows import read_any, read_plain, read_rows

CONTRACT = next(file for file in input_contract().files if file.table == "prosecution_decisions")
HEADER = ";".join(COLUMNS["prosecution", "decisions"])
WIDTH = len(HEADER.split(";"))
Rows = list[tuple[object, ...]]

# Mostly what is plain, so that most files reach DuckDB's reader.
VALUES = st.sampled_from(
    [
        "",
        "",
        "a",
        "0100-K1-22",
        "2022-03-01",
        "å§€😀",
        " ",
        " a",
        "a ",
        "  a b  ",
        ",",
        "'",
        "\\",
        "#",
        "\\n",
        "null",
        "x" * 3000,
        "é" * 6000,
    ]
)
ODD_VALUES = st.sampled_from(
    ['"', '"a"', '"a;b"', '"a\nb"', 'a"b', "\u00a0a", "a\t", "\x0b", "\u2028", "\x00", "\r", "\x85"]
)
PLAIN_LINE = st.lists(VALUES, min_size=WIDTH, max_size=WIDTH)
LINES = st.one_of(PLAIN_LINE, PLAIN_LINE, st.lists(VALUES, max_size=WIDTH + 3).map(lambda fields: [*fields, "x"]))
ODD_LINES = st.one_of(
    LINES, PLAIN_LINE.map(lambda fields: [*fields, ""]), st.lists(st.one_of(VALUES, ODD_VALUES), max_size=WIDTH + 1)
)
ENDS = st.sampled_from(["\n", "\r\n"])


@st.composite
def files(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file of some lines: mostly plain, with every way to be otherwise."""
    lines = [
        ";".join(fields) for fields in draw(st.lists(draw(st.sampled_from([LINES, LINES, ODD_LINES])), max_size=12))
    ]
    all_ends = draw(ENDS)
    ends = [draw(ENDS) if draw(st.integers(0, 20)) == 0 else all_ends for _ in lines]
    text = HEADER + all_ends + "".join(line + end for line, end in zip(lines, ends, strict=True))
    if draw(st.booleans()):
        text = text.removesuffix("\n").removesuffix("\r")
    text += draw(st.sampled_from(["", "", all_ends, all_ends * 3, " "]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "cp1252"]))
    return encoding.removesuffix("-sig"), text.encode(encoding, "replace")


def _received(folder: Path, content: bytes, encoding: str = "utf-8") -> ReceivedFile:
    path = folder / "decisions.csv"
    path.write_bytes(content)
    return receive_file(CONTRACT, path, "decisions.csv", encoding, folder)


def _both(received: ReceivedFile, connection: duckdb.DuckDBPyConnection) -> tuple[Rows | None, Rows]:
    """The rows of a file by the two ways; None where the first leaves it to the second."""
    everything = "select * from row order by line"
    is_read = received.plain is not None and read_plain(received, received.plain, connection)
    plainly = connection.execute(everything).fetchall() if is_read else None
    read_any(received, connection)
    return plainly, connection.execute(everything).fetchall()


@settings(max_examples=80, deadline=None)
@given(files())
@example(("utf-8", f"{HEADER}\n1;2;3;4;5;6\n1;2;3;4;5;6;\n1;2\n;;;;;\n1;2;3;4;5;6;7;8\n a ;2;3;4;5;6".encode()))
def test_both_ways_read_the_same_rows(file: tuple[str, bytes]) -> None:
    encoding, content = file
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        try:
            received = _received(Path(folder), content, encoding)
        except RejectedDeliveryError:
            return  # before either way
        plainly, exactly = _both(received, connection)
        assert plainly is None or plainly == exactly
        assert [line for line, *_ in exactly] == [*range(2, received.lines + 2)]


def _lines(count: int, faulty: float) -> bytes:
    """A large file with malformed lines, many of them in a row."""
    chance = random.Random(18)
    columns = COLUMNS["prosecution", "decisions"]
    lines = [csv_line(prosecution_row(number, misstanke_id="m" * (number % 50)), columns) for number in range(1, 1001)]
    odd = ["1;2", "no field", *(lines[0] + ";x" * more for more in (1, 2, 9)), " " + lines[0] + " "]
    chosen = (chance.choice(odd if chance.random() < faulty else lines) for _ in range(count))
    return "\n".join([HEADER, *chosen, ""]).encode()


@pytest.mark.parametrize(
    ("faulty", "line_size"),
    [(0.0002, None), (0.3, 200)],
)
def test_both_ways_read_the_same_rows_of_a_file_of_many_buffers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, faulty: float, line_size: int | None
) -> None:
    if line_size:
        monkeypatch.setattr(rows, "_LINE_SIZE", line_size)
    content = _lines(20_000 if line_size else 200_000, faulty)
    with duckdb.connect() as connection:
        received = _received(tmp_path, content)
        plainly, exactly = _both(received, connection)
    assert plainly == exactly


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("a quote", '1;2;3;"4";5;6'),
        ("odd space", "1;2;3;\u00a04;5;6"),
        ("another line end", "1;2;3;4;5;6\r"),
        ("a blank line", ""),
        ("one empty field too many", "1;2;3;4;5;6;"),
        ("a long malformed line", "1;" + "e" * 10_001),
        ("a long malformed line of letters of two bytes", "12;" + "é" * 6_000),
    ],
)
def test_text_that_is_not_plain_is_read_exactly(tmp_path: Path, name: str, line: str) -> None:
    with duckdb.connect() as connection:
        received = _received(tmp_path, f"{HEADER}\n1;2;3;4;5;6\n{line}\n1;2;3;4;5;6\n".encode())
        plainly, exactly = _both(received, connection)
    assert plainly is None, name
    assert len(exactly) == 3


def test_plain_text_is_read_by_duckdb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "read_any", lambda *_: pytest.fail("read line by line"))
    with duckdb.connect() as connection:
        read_rows(_received(tmp_path, f"{HEADER}\n a;2;3;4;5;6\n1;2\n".encode()), connection)
        found = connection.execute("select line, aklagarnummer, malformed, fields_found from row").fetchall()
    assert found == [(2, "a", None, None), (3, None, "1;2", 2)]
