"""Reads the current publication with one client repeatedly until a stop file exists.

    python reader.py <client> <current> <stop file> <result file>

It imports nothing of the project, so it runs wherever its client does; the connection to PostgreSQL is in the environment. A read
is the id of the publication and counts of its figures.
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

# The client's version, and a function that reads once: id and counts.
Reader = tuple[str, Callable[[], list[object]]]


def duckdb_file(current: Path) -> Reader:
    """DuckDB's own client, whatever its version; each read opens the file."""
    import duckdb

    def read() -> list[object]:
        with duckdb.connect(os.path.realpath(current / "uppklarat.duckdb"), read_only=True) as connection:
            connection.execute("set threads = 1")
            return list(connection.execute(TOGETHER).fetchone() or ())

    return duckdb.__version__, read


def duckdb_parquet(current: Path) -> Reader:
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


def polars(current: Path) -> Reader:
    """polars on Parquet files."""
    import polars

    def read() -> list[object]:
        folder = current.resolve(strict=True) / "parquet"
        names = polars.read_parquet(folder / "publication.parquet")["publication_id"]
        figures = polars.read_parquet(folder / "fct_indicator_year.parquet", columns=list(COUNTS))
        return [names.max(), figures.height, *(figures[column].sum() for column in COUNTS)]

    return polars.__version__, read


def pandas(current: Path) -> Reader:
    """pandas on CSV files."""
    import pandas

    def read() -> list[object]:
        folder = current.resolve(strict=True) / "csv"
        names = pandas.read_csv(folder / "publication.csv", dtype="str")["publication_id"]
        figures = pandas.read_csv(folder / "fct_indicator_year.csv", usecols=list(COUNTS), dtype="Int64")
        return [names.max(), len(figures), *(figures[column].sum() for column in COUNTS)]

    return pandas.__version__, read


def pyarrow(current: Path) -> Reader:
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


def sqlalchemy_duckdb(current: Path) -> Reader:
    """As Superset reads the file: one URI without a pool, so that each use opens the current file."""
    import duckdb_engine
    import sqlalchemy

    uri = f"duckdb:///{current / 'uppklarat.duckdb'}?access_mode=read_only&threads=1"
    engine = sqlalchemy.create_engine(uri, poolclass=sqlalchemy.pool.NullPool)

    def read() -> list[object]:
        with engine.connect() as connection:
            return list(connection.execute(sqlalchemy.text(TOGETHER)).one())

    return f"{sqlalchemy.__version__} + {duckdb_engine.__version__}", read


def sqlalchemy_postgresql(current: Path) -> Reader:
    """As Superset reads PostgreSQL: two statements in one transaction."""
    import psycopg
    import sqlalchemy

    engine = sqlalchemy.create_engine("postgresql+psycopg://", poolclass=sqlalchemy.pool.NullPool)

    def read() -> list[object]:
        with engine.connect() as connection:
            name = connection.execute(sqlalchemy.text(NAME)).scalar_one()
            return [name, *connection.execute(sqlalchemy.text(FIGURES)).one()]

    return f"{sqlalchemy.__version__} + psycopg {psycopg.__version__}", read


def psycopg(current: Path) -> Reader:
    """psycopg with one open connection: two statements in one transaction."""
    import psycopg

    connection = psycopg.connect("")

    def read() -> list[object]:
        with connection.transaction():
            (name,) = connection.execute(NAME).fetchone() or (None,)
            return [name, *(connection.execute(FIGURES).fetchone() or ())]

    return psycopg.__version__, read


def psql(current: Path) -> Reader:
    """psql, started for each read, with one statement."""
    command = [os.environ["READER_PSQL"], "--no-psqlrc", "--csv", "--tuples-only"]
    version = subprocess.run([command[0], "--version"], capture_output=True, text=True, check=True).stdout.split()[2]

    def read() -> list[object]:
        ran = subprocess.run([*command, "--command", TOGETHER], capture_output=True, text=True)
        if ran.returncode:
            raise RuntimeError(f"psql ended with {ran.returncode}: {ran.stderr}")
        return list(ran.stdout.strip().split(","))

    return version, read


CLIENTS: dict[str, Callable[[Path], Reader]] = {
    client.__name__: client
    for client in (
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
    """Read until the stop file exists or the parent process is gone."""
    client, current, stop_file, output = sys.argv[1], *map(Path, sys.argv[2:])
    (version, read), parent = CLIENTS[client](current), os.getppid()
    result = {"version": version, "reads": 0, "seconds": 0.0, "errors": {}, "seen": {}}
    began = time.monotonic()

    def write_result() -> None:
        result["seconds"] = time.monotonic() - began
        new = output.with_suffix(".new")
        new.write_text(json.dumps(result), encoding="utf-8")
        new.replace(output)

    while not stop_file.exists() and os.getppid() == parent:
        kind, value = "seen", ""
        try:
            name, *counts = read()
            value = " ".join([str(name), *(str(int(count)) for count in counts)])
        except Exception as error:
            kind, value = "errors", f"{type(error).__name__}: {str(error)[:300]}"
        result["reads"] += 1
        result[kind][value] = result[kind].get(value, 0) + 1
        if result[kind][value] == 1:
            write_result()
    write_result()


if __name__ == "__main__":
    main()
