"""What loads cost in counts that no other work on the machine changes: scans of each table, bytes read, files written.

`python tests/bench/costs.py --write` keeps them in `costs.json`, against which `test_costs.py` holds every change: DuckDB's profiler
tells what each query scanned.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
from conftest import settings_in
from reference.worlds import dirty_world

from dagster_project import paths
from dagster_project.ingestion.ingest import changed_folders, ingest
from dagster_project.publication.release import make_draft, release
from dagster_project.quality.audit import audit_warehouse
from dagster_project.settings import Settings
from dagster_project.state import read_state
from dagster_project.transformation.build import build_marts
from dagster_project.transformation.dbt_project import prepare_manifest

BASELINE = Path(__file__).with_name("costs.json")
CASES = ("two years from nothing", "a third year", "nothing new")


class Scans:
    """What the queries of a stage scanned."""

    def __init__(self) -> None:
        self.tables: Counter[str] = Counter()
        self.bytes_read = 0

    def take(self, profile: dict[str, Any]) -> None:
        """Count the scans of a query by what they scanned, places and years left out."""
        self.bytes_read += profile.get("total_bytes_read", 0)
        for operator in _operators(profile):
            details = operator.get("extra_info") or {}
            if "SCAN" in str(operator.get("operator_type")) and (
                what := details.get("Table") or details.get("Filename(s)")
            ):
                self.tables[_named(str(what))] += 1


def _operators(operator: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield operator
    for child in operator.get("children", []):
        yield from _operators(child)


def _named(what: str) -> str:
    """The table, or the file without what is different in each run."""
    for place, pattern in {
        "landing (as UTF-8)": r"^/proc/(self)/(fd)/",
        "landing": r"/landing/(\w+)/\d+/(\w+)\.",
        "raw": r"/raw/(\w+)/.*/(\w+)\.parquet",
        "draft": r"/\.draft/(\w+)/(\w+)\.",
        "publication": r"/\d{8}T\d{6}Z/(\w+)/(\w+)\.",
    }.items():
        if found := re.search(pattern, what):
            return f"{place} {found[1]}/{found[2]}"
    if "/" in what:
        return Path(what).name
    return re.sub(r"__dbt_tmp\d+", "", what.replace('"', "")).removeprefix("temp.main.")


class Counted:
    """A DuckDB connection whose queries are counted; all else is the connection's own."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, scans: Scans) -> None:
        self._connection, self._scans, self._is_pending = connection, scans, False
        connection.execute("pragma enable_profiling = 'no_output'")
        # Several threads read the blocks of a database in another order each time, and some of them twice.
        connection.execute("set threads = 1")

    def execute(self, *query: Any) -> Counted:
        """Run a query; the profile of the one before is complete now."""
        self._harvest()
        self._connection.execute(*query)
        self._is_pending = True
        return self

    def cursor(self) -> Counted:
        """Another connection to the same database."""
        return Counted(self._connection.cursor(), self._scans)

    def rollback(self) -> None:
        """End a transaction, whose last query the profile would not show afterwards."""
        self._harvest()
        self._connection.rollback()

    def close(self) -> None:
        """Close, with the last query counted."""
        self._harvest()
        self._connection.close()

    def __enter__(self) -> Counted:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def _harvest(self) -> None:
        if self._is_pending:
            self._is_pending = False
            self._scans.take(json.loads(self._connection.get_profiling_information(format="json")))


@contextmanager
def counted(stage: str, costs: dict[str, Any]) -> Iterator[None]:
    """Count what is scanned while the block runs, as `costs[stage]`."""
    scans, connect = Scans(), duckdb.connect
    with patch("duckdb.connect", lambda *given, **named: Counted(connect(*given, **named), scans)):
        yield
    costs[stage] = {"scans": dict(sorted(scans.tables.items())), "bytes read": scans.bytes_read}


def load(settings: Settings) -> dict[str, Any]:
    """A load without Dagster, stage by stage; returns what each scanned, and how many files each place holds besides."""
    costs: dict[str, Any] = {}
    before = _files(settings)
    with counted("ingest", costs):
        changed = [ingest(folder, settings) for folder in changed_folders(read_state(settings))]
    if changed:
        with counted("build", costs):
            build_marts(settings)
        with counted("audit", costs):
            audit_warehouse(settings)
        with counted("publish", costs):
            make_draft(settings)
            release(settings)
    return {**costs, "files written": dict(sorted((_files(settings) - before).items()))}


def _files(settings: Settings) -> Counter[str]:
    raw = ("raw", settings.home / paths.RAW_STORE)
    return Counter(
        {
            name: sum(path.is_file() for path in place.rglob("*") if not path.is_symlink())
            for name, place in (raw, ("published", settings.published))
        }
    )


def measure(folder: Path) -> dict[str, dict[str, Any]]:
    """The costs of every case, on generated deliveries that are always the same."""
    prepare_manifest()
    settings = settings_in(folder)
    found = {}
    for case, years in zip(CASES, ((2022, 2023), (2024,), ()), strict=True):
        if years:
            dirty_world(settings.landing, seed=years[0], offences_per_year=300, years=years, dirt=0.0)
        found[case] = load(settings)
    return found


if __name__ == "__main__":
    from deliveries import KEY

    from dagster_project.ingestion.pseudonyms import KEY_VARIABLE

    # Another key gives other pseudonyms, which compress otherwise.
    os.environ[KEY_VARIABLE] = KEY
    with tempfile.TemporaryDirectory() as place:
        text = json.dumps(measure(Path(place)), indent=1)
    print(text)
    if sys.argv[1:] == ["--write"]:
        BASELINE.write_text(text + "\n", encoding="utf-8")
