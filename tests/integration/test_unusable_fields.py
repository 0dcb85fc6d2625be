"""Optional fields that cannot be read, from the delivery to what is reported and what blocks publishing."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml
from conftest import settings_in
from reference.worlds import World, offence_row, police_row, prosecution_row, write_world
from warehouse import build, uppklarat

from dagster_project import paths
from dagster_project.cli import summaries
from dagster_project.quality.audit import audit_warehouse
from dagster_project.settings import Settings
from dagster_project.state import read_state
from expectations.results import CheckResult

OFFENCES = 199  # and the filler
CHECK = "unusable_values_within_limit"


def warehouse(folder: Path, unusable: int) -> Settings:
    """A warehouse of one complete year with so many unusable municipalities, and one unusable age."""
    settings = settings_in(folder)
    offences = [
        offence_row(number, kommunkod="180" if number <= unusable else "0180") for number in range(1, OFFENCES + 1)
    ]
    offences[-1]["malsagande_alder"] = "18 år"
    decisions = [police_row(number) for number in range(1, OFFENCES + 1)]
    write_world(settings.landing, World({2022: offences}, {2022: decisions}, {2022: [prosecution_row(1)]}))
    build(settings)
    return settings


def results(settings: Settings) -> dict[str, CheckResult]:
    return {one.name: one for one in audit_warehouse(settings).results if one.asset == "unusable_field"}


@pytest.mark.parametrize(
    ("unusable", "warns", "blocks"),
    [(1, False, False), (2, True, False), (10, True, False), (11, True, True)],
)
def test_half_a_per_cent_warns_and_five_block(tmp_path: Path, unusable: int, warns: bool, blocks: bool) -> None:
    found = results(warehouse(tmp_path, unusable))
    assert (found["few_values_are_unusable"].passed, found[CHECK].passed) == (not warns, not blocks)
    assert (found["few_values_are_unusable"].severity, found[CHECK].severity) == ("warn", "block")
    assert found[CHECK].rows == (unusable if blocks else 0)
    if unusable > 1:
        share = f"{100 * unusable / 200:.2f} % ({unusable} of 200 rows)"
        assert found[CHECK].observed == f"police/2022/offences kommunkod: {share}"


def test_a_waiver_lets_just_so_many_rows_pass(tmp_path: Path) -> None:
    settings = warehouse(tmp_path, 12)
    for rows, result in ((11, "failed"), (12, "waived")):
        waiver = {
            "check": f"unusable_field.{CHECK}",
            "rows": rows,
            "reason": "the register lost them",
            "decided_by": "head of statistics",
            "decided": date.today(),
            "expires": date.today() + timedelta(days=1),
        }
        (settings.home / paths.WAIVERS).write_text(yaml.safe_dump([waiver]), encoding="utf-8")
        assert results(settings)[CHECK].result == result


def test_they_are_counted_wherever_people_look(tmp_path: Path) -> None:
    settings = warehouse(tmp_path, 3)
    counted = {"kommunkod": 3, "malsagande_alder": 1}
    output = json.loads(uppklarat(settings, "status", "--json").stdout)
    files = {(one["source"], name): file for one in output["deliveries"] for name, file in one["files"].items()}
    assert files["police", "offences"]["unusable"] == counted
    assert files["police", "decisions"]["unusable"] == files["prosecution", "decisions"]["unusable"] == {}
    assert (
        "unusable values became missing: offences kommunkod 3, malsagande_alder 1"
        in uppklarat(settings, "status").stdout
    )
    assert summaries.quarantine_as_text(read_state(settings), None, None) == "no row is quarantined"
