"""Every named bad delivery gets exactly what the contract says: see `corpus.py` for the cases."""

from __future__ import annotations

import gzip
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from corpus import CASES, DECISIONS, GZIPPED, PARQUET, findings
from corpus_diagnosis import DIAGNOSED, one_column_wrong
from deliveries import (
    YEAR,
    csv_file,
    csv_text,
    files_of,
    load,
    manifest,
    parquet_file,
    put,
    rows_of_parquet,
)
from reference.worlds import offence_row, prosecution_row
from warehouse import uppklarat

from dagster_project import paths
from dagster_project.ingestion.rejection import RejectedDeliveryError
from dagster_project.paths import MANIFEST
from dagster_project.settings import Settings
from dagster_project.state import read_state

ALL_CASES = {**CASES, **DIAGNOSED}
EACH = [pytest.param(name, marks=[pytest.mark.soak] * case.is_slow) for name, case in ALL_CASES.items()]


@pytest.mark.parametrize("name", EACH)
def test_a_bad_delivery(loaded: Settings, name: str) -> None:
    assert findings(ALL_CASES[name], loaded) == []


@pytest.mark.parametrize(("suffix", "content"), [(".csv", DECISIONS), (".csv.gz", GZIPPED), (".parquet", PARQUET)])
def test_a_file_with_a_manifest_that_is_cut_at_any_byte(loaded: Settings, suffix: str, content: bytes) -> None:
    name = f"decisions{suffix}"
    output = manifest("prosecution", {name: content}, {name: 2})
    before = read_state(loaded).active
    # Parquet is some thousand bytes long; its footer, of which every byte counts, is the last quarter.
    lengths = (
        range(len(content))
        if suffix != ".parquet"
        else [*range(0, len(content), 40), *range(len(content) - 40, len(content))]
    )
    for length in lengths:
        put(loaded, "prosecution", {name: content[:length], MANIFEST: output})
        with pytest.raises(RejectedDeliveryError) as caught:
            load(loaded)
        assert caught.value.where.startswith(f"prosecution/{YEAR}/{name}")
    assert read_state(loaded).active == before


def test_a_manifest_that_came_while_the_files_were_judged_is_noted_by_the_next_load(loaded: Settings) -> None:
    name = "the manifest comes while the files are judged"
    assert findings(ALL_CASES[name], loaded) == []
    folder = loaded.landing / "prosecution" / str(YEAR)
    content = (folder / "decisions.csv").read_bytes()
    (folder / MANIFEST).write_bytes(manifest("prosecution", {"decisions.csv": content}, {"decisions.csv": 3}))
    assert not read_state(loaded).active["prosecution", YEAR].complete
    assert load(loaded).complete


def test_one_column_wrong_is_rejected_by_a_load(settings: Settings) -> None:
    one_column_wrong(settings)
    done = uppklarat(settings, "load")
    assert done.returncode == 3, done.stderr
    output = " ".join(done.stderr.split())
    assert (
        f"police/{YEAR}/offences.csv, column anmalningsdatum: 250 of its 250 values have a time of day after the date; "
        "most look like 9999-99-99 99:99:99. Deliver dates as YYYY-MM-DD, without a time."
    ) in output
    assert "2022-02-01" not in output
    assert ("police", YEAR) not in read_state(settings).active


# --- a personal identity number, the whole way -----------------------------------------------------------------------

# Made-up persons; the check digits are right.
REJECTED_NUMBERS = ["640823-3234", "196408233234", "701063-2391"]
IGNORED_NUMBER = "811218-9876"
KNOWN = "Kontrolltext 4711"
CLEAN_OFFENCES = [offence_row(number, lagrum=KNOWN) for number in (1, 2, 3)]


def _texts_in(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every file below a folder as text, databases and packed files unpacked."""
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        content = path.read_bytes()
        yield path, content.decode("latin-1")
        if path.suffix == ".parquet":
            yield path, str(rows_of_parquet(path))
        elif content.startswith(b"\x1f\x8b"):
            yield path, gzip.decompress(content).decode("latin-1")
        elif content.startswith(b"SQLite format 3"):
            yield path, "\n".join(_texts_of_sqlite(path))
        elif path.suffix == ".duckdb":
            with duckdb.connect(str(path), read_only=True) as connection:
                for schema, table in connection.execute(
                    "select schema_name, table_name from duckdb_tables() where not internal"
                ).fetchall():
                    yield path, str(connection.execute(f'select * from "{schema}"."{table}"').fetchall())


def _texts_of_sqlite(path: Path) -> Iterator[str]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        for (table,) in connection.execute("select name from sqlite_master where type = 'table'").fetchall():
            for row in connection.execute(f'select * from "{table}"'):
                yield str(row)
                for value in row:
                    if isinstance(value, bytes):
                        try:
                            yield zlib.decompress(value).decode("latin-1")
                        except zlib.error:
                            yield value.decode("latin-1")


def test_a_personal_number_appears_nowhere_on_the_whole_way(settings: Settings) -> None:
    dash, twelve, coordination = REJECTED_NUMBERS
    offences = csv_file("police", "offences", [*CLEAN_OFFENCES, offence_row(9, lagrum=f"se {dash}")])
    put(settings, "police", files_of("police", offences=offences), year=YEAR - 1)
    malformed = csv_file("prosecution", "decisions", [prosecution_row(2), f"{twelve};x"])
    put(settings, "prosecution", {"decisions.csv.gz": gzip.compress(malformed)}, year=YEAR - 1)
    rows = [prosecution_row(2, misstanke_id=coordination)]
    put(settings, "prosecution", {"decisions.parquet": parquet_file("prosecution", "decisions", rows)}, year=YEAR - 2)
    put(settings, "police", files_of("police", offences=csv_file("police", "offences", CLEAN_OFFENCES)))
    columns = [*prosecution_row(), "anmarkning"]
    decisions = csv_text([{**prosecution_row(2), "anmarkning": IGNORED_NUMBER}], columns).encode()
    put(settings, "prosecution", {"decisions.csv": decisions})
    done = uppklarat(settings, "load")
    assert done.returncode == 3, done.stderr
    assert done.stderr.count("a Swedish personal identity number") >= 3
    assert (settings.published / paths.CURRENT).is_dir()
    assert (settings.home / paths.VALIDATION_PAGE).is_file()
    output = [done, *(uppklarat(settings, command) for command in ("status", "quarantine"))]
    texts = [(None, each.stdout + each.stderr) for each in output]
    texts += [each for place in (settings.home, settings.published) for each in _texts_in(place)]
    for number in (*REJECTED_NUMBERS, IGNORED_NUMBER):
        assert {path for path, text in texts if number in text} == set()
    # That the search finds what is there: a value of a row, one of the marts, and the rejection itself.
    for suffix, known in {
        ".parquet": KNOWN,
        ".duckdb": "valdtakt",
        ".db": "a Swedish personal identity number",
    }.items():
        assert any(path and path.suffix == suffix and known in text for path, text in texts), suffix
