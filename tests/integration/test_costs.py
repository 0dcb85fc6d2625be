"""Loads scan no table oftener, read no more bytes and write no more files than they are known to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from costs import BASELINE, CASES, measure

pytestmark = pytest.mark.soak
# Pseudonyms compress a little otherwise each time. A checkpoint comes a query earlier or later, after which blocks of the database
# are read again: runs of the same code differed by three.
LEEWAY, BLOCKS = 0.05, 4 * 262_144


@pytest.fixture(scope="module")
def tables_only() -> None:
    """The formats and the report count too."""


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return measure(Path(tmp_path_factory.mktemp("costs")))


@pytest.mark.parametrize("case", CASES)
def test_a_load_costs_what_it_is_known_to(measured: dict[str, dict[str, Any]], case: str) -> None:
    """If this fails for a reason that is worth it: `python tests/bench/costs.py --write`, and say why in the commit."""
    known = json.loads(BASELINE.read_text(encoding="utf-8"))[case]
    assert measured[case].keys() == known.keys()
    assert measured[case]["files written"] == known["files written"]
    for stage in known.keys() - {"files written"}:
        assert measured[case][stage]["scans"] == known[stage]["scans"], stage
        assert measured[case][stage]["bytes read"] == pytest.approx(
            known[stage]["bytes read"], rel=LEEWAY, abs=BLOCKS
        ), stage


def test_another_year_reads_no_decisions_of_the_years_before(measured: dict[str, dict[str, Any]]) -> None:
    """Their offences once, since decisions on offences that its own extract does not hold are looked up there."""
    first, another = (measured[case] for case in CASES[:2])
    for table in ("raw police/decisions", "raw prosecution/decisions"):
        assert another["build"]["scans"][table] < first["build"]["scans"][table]


def test_nothing_new_reads_nothing(measured: dict[str, dict[str, Any]]) -> None:
    assert measured["nothing new"] == {"ingest": {"scans": {}, "bytes read": 0}, "files written": {}}
