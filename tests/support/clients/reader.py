"""A reader in a process of its own: reads what is published with one client, again and again, until told to end.

    python reader.py <client> <current> <file whose coming ends it> <file for what was seen>

What it needs of the project is the path; so it runs wherever its client does. How to reach PostgreSQL stands in the environment.
A read is the name of the publication and counts of its figures; who knows the publications knows whether they belong together.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

COUNTS = ("processed", "cleared", "investigated")
SUMS = "count(*), " + ", ".join(f"sum({column})" for column in COUNTS)
NAME = "select max(publication_id) from marts.publication"
FIGURES = f"select {SUMS} from marts.fct_indicator_year"
TOGETHER = f"select ({NAME}), {SUMS} from marts.fct_indicator_year"

# The client's version, and what reads once: the name, then the counts.
Made = tuple[str, Callable[[], list[object]]]


def duckdb_file(current: Path) -> Made:
    """DuckDB's own client, whatever its version; each read opens the file."""
    import duckdb

    def read() -> list[object]:
        with duckdb.connect(os.path.realpath(current / "uppklarat.duckdb"), read_only=True) as connection:
            connection.execute("set threads = 1")
            return list(connection.execute(TOGETHER).fetchone() or ())

    return duckdb.__version__, read


def duckdb_parquet(current: Path) -> Made:
    """DuckDB on Parquet files."""
    import duckdb

    def read() -> list[object]:
        folder = current.resolve(strict=True) / "parquet"
        with duckdb.connect() as connection:
            connection.execute("set threads = 1")
            connection.execute("create schema marts")
            for table in ("publication", "fct_indicator_year"):
                connection.execute(f"create view marts.{table} as from '{folder / table}.parquet'")
            return list(connection.execute(TOGETHER).fetchone() or ())

    return duckdb.__version__, read


def polars(current: Path) -> Made:
    """polars on Parquet files."""
    import polars

    def read() -> list[object]:
        folder = current.resolve(strict=True) / "parquet"
        names = polars.read_parquet(folder / "publication.parquet")["publication_id"]
        figures = polars.read_parquet(folder / "fct_indicator_year.parquet", columns=list(COUNTS))
        return [names.max(), figures.height, *(figures[column].sum() for column in COUNTS)]

    return polars.__version__, read


def pandas(current: Path) -> Made:
    """pandas on CSV files."""
    import pandas

    def read() -> list[object]:
        folder = current.resolve(strict=True) / "csv"
        names = pandas.read_csv(folder / "publication.csv", dtype="str")["publication_id"]
        figures = pandas.read_csv(folder / "fct_indicator_year.csv", usecols=list(COUNTS), dtype="Int64")
        return [names.max(), len(figures), *(figures[column].sum() for column in COUNTS)]

    return pandas.__version__, read


def pyarrow(current: Path) -> Made:
    """pyarrow on Parquet files."""
    import pyarrow
    from pyarrow import compute, parquet

    def read() -> list[object]:
        folder = current.resolve(strict=True) / "parquet"
        names = parquet.read_table(folder / "publication.parquet", use_threads=False)["publication_id"]
        figures = parquet.read_table(folder / "fct_indicator_year.parquet", columns=list(COUNTS), use_threads=False)
        sums = [compute.sum(figures[column]).as_py() for column in COUNTS]
        return [compute.max(names).as_py(), figures.num_rows, *sums]

    return pyarrow.__version__, read


def sqlalchemy_duckdb(current: Path) -> Made:
    """The way of Superset to the file: one URI for ever, and no pool, so that each use opens what is current."""
    import duckdb_engine
    import sqlalchemy

    uri = f"duckdb:///{current / 'uppklarat.duckdb'}?access_mode=read_only&threads=1"
    engine = sqlalchemy.create_engine(uri, poolclass=sqlalchemy.pool.NullPool)

    def read() -> list[object]:
        with engine.connect() as connection:
            return list(connection.execute(sqlalchemy.text(TOGETHER)).one())

    return f"{sqlalchemy.__version__} + {duckdb_engine.__version__}", read


def sqlalchemy_postgresql(current: Path) -> Made:
    """The way of Superset to PostgreSQL; two statements of one transaction."""
    import psycopg
    import sqlalchemy

    engine = sqlalchemy.create_engine("postgresql+psycopg://", poolclass=sqlalchemy.pool.NullPool)

    def read() -> list[object]:
        with engine.connect() as connection:
            name = connection.execute(sqlalchemy.text(NAME)).scalar_one()
            return [name, *connection.execute(sqlalchemy.text(FIGURES)).one()]

    return f"{sqlalchemy.__version__} + psycopg {psycopg.__version__}", read


def psycopg(current: Path) -> Made:
    """psycopg with one connection that stays open; two statements of one transaction."""
    import psycopg

    connection = psycopg.connect("")

    def read() -> list[object]:
        with connection.transaction():
            (name,) = connection.execute(NAME).fetchone() or (None,)
            return [name, *(connection.execute(FIGURES).fetchone() or ())]

    return psycopg.__version__, read


def psql(current: Path) -> Made:
    """psql, started for each read; one statement, which is a transaction by itself."""
    command = [os.environ["READER_PSQL"], "--no-psqlrc", "--csv", "--tuples-only"]
    version = subprocess.run([command[0], "--version"], capture_output=True, text=True, check=True).stdout.split()[2]

    def read() -> list[object]:
        ran = subprocess.run([*command, "--command", TOGETHER], capture_output=True, text=True)
        if ran.returncode:
            raise RuntimeError(f"psql ended with {ran.returncode}: {ran.stderr}")
        return list(ran.stdout.strip().split(","))

    return version, read


CLIENTS: dict[str, Callable[[Path], Made]] = {
    made.__name__: made
    for made in (
        duckdb_file,
        duckdb_parquet,
        polars,
        pandas,
        pyarrow,
        sqlalchemy_duckdb,
        sqlalchemy_postgresql,
        psycopg,
        psql,
    )
}


def main() -> None:
    """Read until told to end, or until whoever started it is gone."""
    client, current, ends, said = sys.argv[1], *map(Path, sys.argv[2:])
    (version, read), parent = CLIENTS[client](current), os.getppid()
    found = {"version": version, "reads": 0, "seconds": 0.0, "errors": {}, "seen": {}}
    began = time.monotonic()

    def tell() -> None:
        found["seconds"] = time.monotonic() - began
        new = said.with_suffix(".new")
        new.write_text(json.dumps(found), encoding="utf-8")
        new.replace(said)

    while not ends.exists() and os.getppid() == parent:
        kind, what = "seen", ""
        try:
            name, *counts = read()
            what = " ".join([str(name), *(str(int(count)) for count in counts)])
        except Exception as error:
            kind, what = "errors", f"{type(error).__name__}: {str(error)[:300]}"
        found["reads"] += 1
        found[kind][what] = found[kind].get(what, 0) + 1
        if found[kind][what] == 1:
            tell()
    tell()


if __name__ == "__main__":
    main()
