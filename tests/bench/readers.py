"""Mixed clients read files and PostgreSQL without pause while load after load publishes; `make readers` runs it and prints the counts.

It ends with 1 where a reader got an error or a mixture. `--write` keeps the table in docs/clients.md; `--readers` and
`--publications` change the numbers. With 32 readers and 20 publications it takes 5 to 10 minutes on two cores.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from client_readers import Reads, crowd_of, figures_of, mixed_reads, reading
from clients_at_hand import CLIENTS, Client, at_hand
from conftest import settings_in
from kills import YEARS, redeliver
from loads import Way, broken_promises, run
from postgres_server import database
from reference.worlds import dirty_world

from dagster_project.contract.input_page import print_or_write
from dagster_project.publications import active_publication, publications
from dagster_project.settings import DSN_VARIABLE, REPOSITORY, Settings

PAGE = REPOSITORY / "docs" / "clients.md"
OFFENCES = 60


def main() -> int:
    """Publish among readers, print the table, keep it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--readers", type=int, default=32)
    parser.add_argument("--publications", type=int, default=20)
    options = parser.parse_args()
    # Stop the started processes and remove their files also when this is terminated.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    clients, wrong = at_hand(CLIENTS)
    folder = Path(tempfile.mkdtemp(prefix="uppklarat-readers-"))
    settings = settings_in(folder / "warehouse")
    began = time.monotonic()
    try:
        dirty_world(settings.landing, seed=40, offences_per_year=OFFENCES, years=YEARS, dirt=0.002)
        with database() as db:
            way = Way(without_dagster=True, more=((DSN_VARIABLE, db.loader), ("UPPKLARAT_POSTGRES_READER", db.reader)))
            _load(settings, way)
            with reading(settings, crowd_of(clients, options.readers), db) as readers:
                for number in range(options.publications):
                    readers.wait_until_all_saw(str(active_publication(settings)), seconds=120)
                    redeliver(settings, folder / f"delivery {number}", OFFENCES, seed=41 + number)
                    _load(settings, way)
                    print(f"{time.monotonic() - began:.0f} s: {number + 1} published", file=sys.stderr, flush=True)
                readers.wait_until_all_saw(str(active_publication(settings)), seconds=120)
        wrong += broken_promises(settings)
        published = len(publications(settings)) - 1
        if len({figures_of(one.folder).partition(" ")[2] for one in publications(settings)}) != published + 1:
            wrong.append("two publications have the same figures, so that a mixture of them would not be seen")
        mixed = {client: mixed_reads(settings, reads.seen) for client, reads in readers.found.items()}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    wrong += [
        f"{client.name}: {error}, {n} times"
        for client, reads in readers.found.items()
        for error, n in reads.errors.items()
    ]
    wrong += [f"{client.name}: mixed {what}, {n} times" for client, seen in mixed.items() for what, n in seen.items()]
    if published != options.publications:
        wrong.append(f"{published} publications instead of {options.publications}")
    table = _table(readers.found, {client: sum(seen.values()) for client, seen in mixed.items()}, published)
    print_or_write(
        PAGE,
        f"{table}\n\nMeasured by `make readers` on {date.today()}, {os.cpu_count()} cores, {time.monotonic() - began:.0f} s.",
    )
    for fault in wrong:
        print(f"WRONG: {fault}")
    return 1 if wrong else 0


def _load(settings: Settings, way: Way) -> None:
    ended = run(settings, way, timeout=600)
    if ended.returncode:
        raise RuntimeError(f"a load ended with {ended.returncode}: {ended.stderr[-600:]}")


def _table(found: Mapping[Client, Reads], mixed: Mapping[Client, int], published: int) -> str:
    rows = [
        f"| {client.name} | {reads.version} | {client.reads} | {reads.readers} | {reads.reads:,} | {reads.errors.total():,} |"
        f" {mixed[client]:,} | {len(reads.publications)} |"
        for client, reads in found.items()
    ]
    for place in ("files", "PostgreSQL"):
        of_place = [client for client in found if client.needs_server == (place == "PostgreSQL")]
        readers, reads = (sum(getattr(found[client], what) for client in of_place) for what in ("readers", "reads"))
        errors = sum(found[client].errors.total() for client in of_place)
        rows.append(
            f"| **together** | | **{place}** | **{readers}** | **{reads:,}** | **{errors:,}** |"
            f" **{sum(mixed[client] for client in of_place):,}** | |"
        )
    return "\n".join(
        [
            f"{sum(reads.readers for reads in found.values())} readers during {published} publications by real loads:",
            "",
            "| client | version | on | readers | reads | errors | mixed reads | publications seen |",
            "|---|---|---|---:|---:|---:|---:|---:|",
            *rows,
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
