"""Optional fields that cannot be read, from the delivery to what is reported and what blocks publishing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import yaml
from conftest import copied, settings_in
from reference.worlds import World, offence_row, police_row, prosecution_row, write_world
from warehouse import build

from dagster_project import paths
from dagster_project.cli.quarantine import quarantine_as_text
from dagster_project.cli.status import status_as_text, warehouse_status
from dagster_project.quality.audit import audit_warehouse
from dagster_project.settings import Settings
from dagster_project.state import read_state
from expectations.results import CheckResult

OFFENCES = 199  # and the filler
CHECK = "unusable_values_within_limit"
UNUSABLE = {2021: 1, 2022: 2, 2023: 10, 2024: 11}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Years with so many unusable municipalities each, and one unusable age."""
    settings = settings_in(tmp_path_factory.mktemp("made"))
    world = World({}, {}, {})
    for year, unusable in UNUSABLE.items():
        first, numbers = year % 10 * 1000, range(1, OFFENCES + 1)
        world.offences[year] = [
            offence_row(
                first + number,
                kommunkod="180" if number <= unusable else "0180",
                anmalningsdatum=f"{year}-01-02",
                brottsdatum=f"{year}-01-01",
            )
            for number in numbers
        ]
        world.offences[year][-1]["malsagande_alder"] = "18 år"
        world.police[year] = [police_row(first + number, beslutsdatum=f"{year}-03-01") for number in numbers]
        world.prosecution[year] = [prosecution_row(first + 1, beslutsdatum=f"{year}-04-01")]
    write_world(settings.landing, world)
    build(settings)
    return settings


def results(settings: Settings) -> dict[str, CheckResult]:
    return {one.name: one for one in audit_warehouse(settings).results if one.asset == "unusable_field"}


def test_half_a_per_cent_warns_and_five_block(made: Settings) -> None:
    found = results(made)
    few, limit = found["few_values_are_unusable"], found[CHECK]
    # 1 of 200 is within the first limit, and 10 of 200 within the second one.
    assert (few.result, few.severity, few.rows) == ("failed", "warn", 2 + 10 + 11)
    assert (limit.result, limit.severity, limit.rows) == ("failed", "block", 11)
    for one in (few, limit):
        assert one.observed == "police/2024/offences kommunkod: 5.50 % (11 of 200 rows)"


def test_a_waiver_lets_just_so_many_rows_pass(made: Settings, settings: Settings) -> None:
    copied(made, settings)
    for rows, result in ((10, "failed"), (11, "waived")):
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


def test_they_are_counted_wherever_people_look(made: Settings) -> None:
    status = warehouse_status(read_state(made))
    files = {
        (one["source"], name): file
        for one in status["deliveries"]
        if one["year"] == 2022
        for name, file in one["files"].items()
    }
    assert files["police", "offences"]["unusable"] == {"kommunkod": 2, "malsagande_alder": 1}
    assert files["police", "decisions"]["unusable"] == files["prosecution", "decisions"]["unusable"] == {}
    assert "unusable values became missing: offences kommunkod 2, malsagande_alder 1" in status_as_text(status)
    first, *fields = quarantine_as_text(read_state(made), None, None).splitlines()
    assert first == "no row is quarantined"
    assert {field.split("\t")[0] for field in fields} == {"unusable"}
    columns = [field.split("\t")[3] for field in fields]
    assert {name: columns.count(name) for name in columns} == {"kommunkod": 24, "malsagande_alder": 4}
