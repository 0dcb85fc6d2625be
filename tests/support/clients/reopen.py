"""Prints what a process reads that has a publication open while another becomes current; waits for a line on standard input.

python reopen.py <path to the database file through `current`>
"""

import json
import os
import sys

import duckdb

through_link = sys.argv[1]


def publication(connection: duckdb.DuckDBPyConnection) -> str:
    return str(connection.execute("select max(publication_id) from marts.publication").fetchall()[0][0])


def opened(path: str) -> str:
    with duckdb.connect(path, read_only=True) as connection:
        return publication(connection)


def main() -> None:
    held = duckdb.connect(through_link, read_only=True)
    publication(held)
    print("open", flush=True)
    sys.stdin.readline()
    publications = {
        "held open": publication(held),
        "same path": opened(through_link),
        "real path": opened(os.path.realpath(through_link)),
    }
    held.close()
    publications["same path, after closing"] = opened(through_link)
    print(json.dumps(publications))


if __name__ == "__main__":
    main()
