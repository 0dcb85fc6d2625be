"""What is built anew when something changes, decided from the ledger and a working database of three small tables.

`test_incremental.py` holds the same decisions against builds from nothing; here each has its own case, without a build.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pytest

from dagster_project.deliveries.ledger import DeliveryRecord, activate, record_folder, write_record
from dagster_project.settings import Settings
from dagster_project.transform.plan import (
    BuildPlan,
    built_from,
    is_built,
    note_build_begins,
    note_build_done,
    plan_build,
    raw_file,
)

YEARS = (2021, 2022, 2023)


def deliver(settings: Settings, source: str, year: int, version: str = "first", rules: str = "rules") -> None:
    """Make a delivery the active one; a police delivery lists the offences `all` and the year's own."""
    record = DeliveryRecord(version, source, year, "2026-01-01", rules, "utf-8", True, None, {})
    folder = record_folder(settings, source, year, version, rules)
    folder.mkdir(parents=True, exist_ok=True)
    write_record(folder, record)
    offences(settings, record, ["all", str(year)])
    activate(settings, record)


def offences(settings: Settings, record: DeliveryRecord, cases: Iterable[str]) -> None:
    path = raw_file(settings, record, "offences")
    listed = ", ".join(f"('{case}', 1)" for case in cases)
    duckdb.execute(
        f"copy (select * from (values {listed}) as o (diarienummer, brottsnummer)) to '{path}' (format parquet)"
    )


def built(
    settings: Settings, looked_up: Iterable[tuple[int, int]] = (), missing: Iterable[tuple[int, str]] = ()
) -> None:
    """Note everything as built; `looked_up` are years and the earlier extract that an offence was found in."""
    plan = plan_build(settings)
    with duckdb.connect(str(settings.warehouse_file)) as connection:
        connection.execute(
            """
            create schema if not exists intermediate;
            create or replace table intermediate.int_looked_up_offence (year integer, extract_year integer);
            create or replace table intermediate.int_unmatched_decision (
                year integer, diarienummer varchar, brottsnummer integer, is_missing boolean
            )"""
        )
        for row in looked_up:
            connection.execute("insert into intermediate.int_looked_up_offence values (?, ?)", list(row))
        for row in missing:
            connection.execute("insert into intermediate.int_unmatched_decision values (?, ?, 1, true)", list(row))
        note_build_begins(connection, plan)
        note_build_done(connection, plan)


@pytest.fixture
def three_years(settings: Settings) -> Settings:
    for year in YEARS:
        for source in ("police", "prosecution"):
            deliver(settings, source, year)
    settings.home.mkdir(exist_ok=True)
    return settings


def test_at_first_everything_is_built(three_years: Settings) -> None:
    plan = plan_build(three_years)
    assert (plan.years, plan.complete_years, plan.fact_years, plan.full_refresh) == (YEARS, YEARS, YEARS, True)
    assert not is_built(three_years)
    assert built_from(three_years.warehouse_file) == ({}, {})


def test_what_is_built_is_not_built_again(three_years: Settings) -> None:
    built(three_years)
    plan = plan_build(three_years)
    assert (plan.years, plan.complete_years, plan.fact_years, plan.full_refresh) == ((), YEARS, (), False)
    assert is_built(three_years)


def test_what_a_build_rests_on_is_kept(three_years: Settings) -> None:
    built(three_years)
    whole, by_year = built_from(three_years.warehouse_file)
    plan = plan_build(three_years)
    assert (whole, by_year) == (plan.whole, plan.by_year)
    assert set(whole) == {
        "transformation",
        "purged before",
        "suppress below",
        "own offence codes",
        *(f"police/{year}" for year in YEARS),
    }
    assert whole["own offence codes"] == ""
    assert whole["police/2022"] == "police-first-rules-"
    assert {year: json.loads(rests_on) for year, rests_on in by_year.items()} == {
        year: ["police-first-rules-", "prosecution-first-rules-"] for year in YEARS
    }


def test_an_empty_database_is_built_from_nothing(three_years: Settings) -> None:
    duckdb.connect(str(three_years.warehouse_file)).close()
    assert built_from(three_years.warehouse_file) == ({}, {})
    with duckdb.connect(str(three_years.warehouse_file)) as connection:
        connection.execute("create schema build; create table build.other (name varchar, rests_on varchar)")
        connection.execute("create table main.basis (name varchar, rests_on varchar)")
    assert built_from(three_years.warehouse_file) == ({}, {})


def test_the_plan_is_told_to_dbt(three_years: Settings) -> None:
    built(three_years)
    deliver(three_years, "prosecution", 2021, "second")
    assert plan_build(three_years).variables == {
        "years": [2021],
        "fact_years": [2021, 2022],
        "complete_years": [2021, 2022, 2023],
    }


@pytest.mark.parametrize("source", ["police", "prosecution"])
@pytest.mark.parametrize(("version", "rules"), [("second", "rules"), ("first", "others")])
def test_a_year_with_another_delivery_is_built(three_years: Settings, source: str, version: str, rules: str) -> None:
    built(three_years)
    deliver(three_years, source, 2023, version, rules)
    plan = plan_build(three_years)
    assert (plan.years, plan.fact_years, plan.full_refresh) == ((2023,), (2023,), False)
    assert not is_built(three_years)


def test_facts_of_the_year_after_are_built_too_where_it_is_complete(three_years: Settings) -> None:
    built(three_years)
    deliver(three_years, "prosecution", 2021, "second")
    deliver(three_years, "prosecution", 2023, "second")
    deliver(three_years, "police", 2024)
    plan = plan_build(three_years)
    assert (plan.years, plan.fact_years, plan.complete_years) == ((2021, 2023), (2021, 2022, 2023), YEARS)


@pytest.mark.parametrize("looking", [(2022, 2021), (2023, 2021)])
def test_a_year_that_found_offences_in_a_changed_extract_is_built(
    three_years: Settings, looking: tuple[int, int]
) -> None:
    built(three_years, looked_up=[looking, (2023, 2022)])
    deliver(three_years, "police", 2021, "second")
    assert plan_build(three_years).years == (2021, looking[0])


def test_a_year_that_finds_offences_in_a_changed_extract_is_built(three_years: Settings) -> None:
    built(three_years, missing=[(2023, "new"), (2022, "nowhere"), (2021, "new")])
    deliver(three_years, "police", 2021, "second")
    record = DeliveryRecord("second", "police", 2021, "2026-01-01", "rules", "utf-8", True, None, {})
    offences(three_years, record, ["new"])
    assert plan_build(three_years).years == (2021, 2023)


def test_a_later_extract_is_never_looked_into(three_years: Settings) -> None:
    built(three_years, looked_up=[(2022, 2021)], missing=[(2021, "all"), (2022, "all")])
    deliver(three_years, "police", 2023, "second")
    assert plan_build(three_years).years == (2023,)


def test_a_prosecutors_delivery_is_looked_up_nowhere(three_years: Settings) -> None:
    built(three_years, looked_up=[(2022, 2021)], missing=[(2022, "all")])
    deliver(three_years, "prosecution", 2021, "second")
    assert plan_build(three_years).years == (2021,)


def test_decisions_with_an_offence_of_their_year_look_nowhere(three_years: Settings) -> None:
    built(three_years)
    with duckdb.connect(str(three_years.warehouse_file)) as connection:
        connection.execute("insert into intermediate.int_unmatched_decision values (2023, 'all', 1, false)")
    deliver(three_years, "police", 2021, "second")
    assert plan_build(three_years).years == (2021,)


def test_an_extract_that_is_there_no_more_was_looked_into(three_years: Settings) -> None:
    """A year that waits may be looked into; when its delivery goes, what was found there is no more."""
    deliver(three_years, "police", 2020)
    built(three_years, looked_up=[(2022, 2020)])
    entries = json.loads(three_years.ledger.read_text(encoding="utf-8"))
    three_years.ledger.write_text(json.dumps([one for one in entries if one["year"] != 2020]), encoding="utf-8")
    assert plan_build(three_years).years == (2022,)


def test_a_new_extract_of_an_incomplete_year_is_looked_into(three_years: Settings) -> None:
    built(three_years, missing=[(2022, "2020"), (2023, "2021")])
    deliver(three_years, "police", 2020)
    plan = plan_build(three_years)
    assert (plan.years, plan.complete_years) == ((2022,), YEARS)


def test_a_year_that_is_not_complete_any_more_is_no_more_built(three_years: Settings) -> None:
    built(three_years)
    entries = json.loads(three_years.ledger.read_text(encoding="utf-8"))
    without = [one for one in entries if (one["source"], one["year"]) != ("prosecution", 2022)]
    three_years.ledger.write_text(json.dumps(without), encoding="utf-8")
    plan = plan_build(three_years)
    assert (plan.years, plan.complete_years) == ((), (2021, 2023))


def test_other_own_codes_build_everything(three_years: Settings) -> None:
    built(three_years)
    three_years.own_offence_codes.write_text("brottskod,role\n0001,context\n", encoding="utf-8")
    plan = plan_build(three_years)
    assert (plan.years, plan.full_refresh) == (YEARS, True)
    built(three_years)
    assert is_built(three_years)
    three_years.own_offence_codes.write_text("brottskod,role\n0002,context\n", encoding="utf-8")
    assert plan_build(three_years).full_refresh


def test_another_transformation_builds_everything(three_years: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    built(three_years)
    monkeypatch.setattr("dagster_project.transform.plan.transformation_version", lambda: "another")
    plan = plan_build(three_years)
    assert (plan.years, plan.full_refresh) == (YEARS, True)
    assert not is_built(three_years)


def test_without_a_complete_year_another_transformation_is_still_to_be_built(settings: Settings) -> None:
    settings.home.mkdir()
    assert plan_build(settings).years == ()
    assert not is_built(settings)


def begin(settings: Settings, plan: BuildPlan) -> tuple[dict[str, str], dict[int, str]]:
    with duckdb.connect(str(settings.warehouse_file)) as connection:
        note_build_begins(connection, plan)
    return built_from(settings.warehouse_file)


def test_a_build_that_was_cut_short_is_begun_again(three_years: Settings) -> None:
    built(three_years)
    deliver(three_years, "prosecution", 2022, "second")
    whole, by_year = begin(three_years, plan_build(three_years))
    assert set(by_year) == {2021, 2023}
    assert len(whole) == 7
    deliver(three_years, "prosecution", 2022, "first")
    assert plan_build(three_years).years == (2022,)


def test_a_build_of_nothing_forgets_nothing(three_years: Settings) -> None:
    built(three_years)
    assert begin(three_years, plan_build(three_years)) == begin(three_years, plan_build(three_years))
    assert is_built(three_years)


def test_a_full_build_that_was_cut_short_forgets_all(three_years: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    built(three_years)
    monkeypatch.setattr("dagster_project.transform.plan.transformation_version", lambda: "another")
    plan = plan_build(three_years)
    monkeypatch.undo()
    assert begin(three_years, plan) == ({}, {})
    assert plan_build(three_years).full_refresh


def test_raw_files_lie_with_their_delivery(settings: Settings) -> None:
    record = DeliveryRecord("id", "police", 2022, "2026-01-01", "rules", "utf-8", True, None, {})
    assert raw_file(settings, record, "offences") == settings.raw / "police" / "2022" / "id-rules" / "offences.parquet"
    assert isinstance(raw_file(settings, record, "offences"), Path)


def test_a_plan_is_made_while_somebody_else_reads(three_years: Settings) -> None:
    built(three_years, looked_up=[(2022, 2021)])
    deliver(three_years, "police", 2021, "second")
    with duckdb.connect(str(three_years.warehouse_file), read_only=True):
        assert plan_build(three_years).years == (2021, 2022)
