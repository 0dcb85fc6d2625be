"""Whole small deliveries in, results of the checks out: what is missing, renamed, mixed up or absent is noticed, once and by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from conftest import settings_in
from reference.rendering import deliver, neat_file
from reference.worlds import offence_row, police_row, prosecution_row, report_row
from test_publishing import publish
from warehouse import build, figures

from dagster_project import paths
from dagster_project.cli.status import status_as_text, warehouse_status
from dagster_project.publication.draft import DATABASE
from dagster_project.publication.release import PublishingBlockedError, make_draft
from dagster_project.quality.audit import audit_warehouse, read_audit
from dagster_project.settings import Settings
from dagster_project.state import read_state
from expectations.results import CheckResult

COUPLE_CODE, RENAMED, THEFT = "9367", "9911", "0801"


def deliver_year(
    landing: Path,
    year: int,
    codes: Mapping[str, int],
    without_decision: int = 0,
    mixed_up: int = 0,
    broken_dates: bool = False,
    reported_before: int | None = None,
) -> None:
    """Deliver so many offences of each code, two to a case, of which the last ones lack a decision.

    Of those mixed up, the victim is a boy, and the case lies in two regions. Of the broken dates, two in five, too few to be one cause.
    With a number, there is a file of reports: the offences and so many that the file of the year before holds, too.
    """
    offences, decisions = [], []
    total = sum(codes.values())
    of_each = [code for code, many in codes.items() for _ in range(many)]
    for number, code in enumerate(of_each):
        of_case = {"diarienummer": f"5000-K{year}{number // 2:03}-{year % 100}", "brottsnummer": str(1 + number % 2)}
        is_mixed_up = number < mixed_up
        offences.append(
            offence_row(
                **of_case,
                brottskod=code,
                anmalningsdatum=f"{year}-01-15",
                malsagande_kon="M" if is_mixed_up else "K",
                malsagande_alder="12" if is_mixed_up else "30",
                handlaggande_region="Rn06" if is_mixed_up and number % 2 else "Rn03",
            )
        )
        if number < total - without_decision:
            day = date(year, 2, 1) + timedelta(days=number % 300)
            decided = f"{day} 00:00" if broken_dates and number % 5 < 2 else str(day)
            decisions.append(police_row(**of_case, beslutsdatum=decided))
    first = {"diarienummer": offences[0]["diarienummer"], "brottsnummer": "1"}
    files = [neat_file("police", "offences", offences), neat_file("police", "decisions", decisions)]
    if reported_before is not None:
        before = [
            {
                "diarienummer": f"5000-K{year - 1}{number:03}-{(year - 1) % 100}",
                "brottsnummer": "1",
                "brottskod": COUPLE_CODE,
            }
            for number in range(reported_before)
        ]
        reports = [{column: offence[column] for column in report_row()} for offence in offences]
        reports += [report_row(**one, anmalningsdatum=f"{year}-01-15") for one in before]
        files.append(neat_file("police", "reports", reports))
    deliver(landing, "police", year, files)
    indicted = prosecution_row(**first, aklagarnummer=f"AM-1-{year % 100}", beslutsdatum=f"{year}-12-01")
    deliver(landing, "prosecution", year, [neat_file("prosecution", "decisions", [indicted])])


def results(settings: Settings) -> dict[str, CheckResult]:
    """The results of the checks that are not of one delivery."""
    build(settings)
    return {one.name: one for one in audit_warehouse(settings).results if one.year is None and one.suite != "dbt"}


@pytest.fixture(scope="module")
def second_year(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, dict[str, CheckResult]]:
    """After a sound year, one in which a series of codes is renamed, 8 % lack decisions and columns belong to other rows."""
    settings = settings_in(tmp_path_factory.mktemp("second"))
    deliver_year(settings.landing, 2023, {COUPLE_CODE: 233, THEFT: 67}, reported_before=0)
    deliver_year(
        settings.landing,
        2024,
        {COUPLE_CODE: 1, RENAMED: 232, THEFT: 67},
        without_decision=24,
        mixed_up=20,
        reported_before=100,
    )
    # Victims can only contradict a code that names a group.
    deliver_year(settings.landing, 2022, {COUPLE_CODE: 200, THEFT: 100}, mixed_up=20)
    return settings, results(settings)


def test_a_renamed_series_of_codes_is_listed_and_blocks(second_year: tuple[Settings, dict[str, CheckResult]]) -> None:
    _, found = second_year
    volume = found["volume_is_half_to_twice_the_year_before"]
    assert (volume.result, volume.severity) == ("failed", "block")
    assert volume.observed.startswith("misshandel_nara_relation 2024: 0.0 times (1 offences after 233)")
    codes = found["codes_come_and_go_by_law"]
    assert (codes.result, codes.severity) == ("failed", "warn")
    assert f"brottskod {RENAMED} new in 2024: 232" in codes.observed
    assert COUPLE_CODE not in codes.observed, "one offence is left of it"


def test_missing_decisions_are_counted(second_year: tuple[Settings, dict[str, CheckResult]]) -> None:
    _, found = second_year
    few = found["few_offences_lack_decisions"]
    assert (few.result, few.observed) == ("failed", "2024: 8.00 % (24 of 300)")
    assert found["offences_have_decisions"].result == "passed"


def test_reports_of_decided_offences_and_reports_of_two_years_are_noticed(
    second_year: tuple[Settings, dict[str, CheckResult]],
) -> None:
    _, found = second_year
    decided, again = (
        found[name] for name in ("some_reported_offences_are_not_decided_yet", "offences_are_reported_in_one_year")
    )
    assert (decided.result, decided.severity, decided.observed) == ("failed", "warn", "2023: 100.0 %")
    assert (again.result, again.severity, again.observed) == ("failed", "warn", "2024: 99.0099 %")


def test_columns_of_other_rows_are_counted(second_year: tuple[Settings, dict[str, CheckResult]]) -> None:
    _, found = second_year
    victims, regions = found["codes_agree_with_victims"], found["cases_lie_in_one_region"]
    assert (victims.result, victims.severity) == ("failed", "warn")
    assert victims.observed.startswith("2022: 10.00 %; ")
    assert regions.result == "failed"
    assert regions.observed == "2022: 6.67 %; 2024: 6.67 %"


def test_what_fails_is_named_with_what_was_found(second_year: tuple[Settings, dict[str, CheckResult]]) -> None:
    settings, _ = second_year
    status = warehouse_status(read_state(settings))
    named = {one["check"]: one for one in status["checks"]}
    assert named["int_year_content.few_offences_lack_decisions"]["observed"] == "2024: 8.00 % (24 of 300)"
    assert named["int_year_content.few_offences_lack_decisions"]["owner"] == "supplier"
    text = status_as_text(status)
    assert (
        "warning: int_year_content.few_offences_lack_decisions: found 2024: 8.00 % (24 of 300); limit: at most 1 %"
        in text
    )
    assert "blocks publishing: int_figure_year.volume_is_half_to_twice_the_year_before: found misshandel_nara" in text
    json.dumps(status)


def test_many_missing_decisions_block_even_the_first_year(settings: Settings) -> None:
    deliver_year(settings.landing, 2024, {COUPLE_CODE: 200}, without_decision=70)
    found = results(settings)
    blocking = {name: one for name, one in found.items() if one.blocks}
    assert {name: one.observed for name, one in blocking.items()} == {
        "offences_have_decisions": "2024: 35.00 % (70 of 200)"
    }
    with pytest.raises(PublishingBlockedError, match=r"2024: 35\.00 % \(70 of 200\); limit: at most 10 %"):
        make_draft(settings)
    # What needs earlier years is not judged.
    for name in (
        "volume_is_half_to_twice_the_year_before",
        "volume_like_earlier_years",
        "rate_like_earlier_years",
        "share_investigated_like_earlier_years",
        "rows_read_like_earlier_years",
        "codes_come_and_go_by_law",
    ):
        assert (found[name].result, found[name].passed) == ("not judged", False), name
        assert found[name].observed.startswith("not enough data: needs "), name
    assert "year before" in found["volume_like_earlier_years"].observed


def test_one_wrong_file_in_the_only_year_is_one_reason(settings: Settings) -> None:
    deliver_year(settings.landing, 2024, {COUPLE_CODE: 300}, broken_dates=True)
    build(settings)
    audit = audit_warehouse(settings)
    assert [one.label for one in audit.blocking] == ["int_delivery_balance.quarantine_within_limit"]
    assert not [one.label for one in audit.results if one.error]
    with pytest.raises(PublishingBlockedError) as blocked:
        make_draft(settings)
    lines = str(blocked.value).splitlines()
    assert len(lines) == 3
    assert f"{len(audit.not_judged)} other checks were not judged" in lines[-1]
    assert not any(one.result == "failed" for one in audit.results if one.asset == "int_year_content")


def test_a_year_without_any_offence_of_the_indicators_is_published_with_zeros(settings: Settings) -> None:
    """The delivery `all_zero` of shared/cases, in small."""
    deliver_year(settings.landing, 2023, {THEFT: 30})
    build(settings)
    publication = publish(settings)
    assert publication
    shown = figures(settings.published / paths.CURRENT / DATABASE)
    assert len(shown) > 1000
    assert {one["processed"] for one in shown.values()} == {0}
    assert {one["clearance_pct"] for one in shown.values()} == {None}
    audit = read_audit(settings)
    assert audit
    assert [one.name for one in audit.warnings] == ["every_year_has_offences"]
    with duckdb.connect(str(settings.published / paths.CURRENT / DATABASE), read_only=True) as connection:
        counts = dict(connection.execute("select result, count(*) from marts.quality_check group by 1").fetchall())
        row = connection.execute(
            "select checks_passed, checks_warned, checks_not_judged from marts.publication"
        ).fetchone()
    assert counts == {"passed": row[0], "failed": row[1], "not judged": row[2]} if row else False
    assert counts["not judged"] == len(audit.not_judged) > 50
    assert publication.manifest["checks"]["not_judged"] == counts["not judged"]
