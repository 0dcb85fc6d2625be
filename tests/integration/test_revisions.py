"""Revisions: what a publication tells otherwise than the one before, over redeliveries and withdrawals, and what it can come from."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from conftest import copied, settings_in
from reference.extracts import Row
from reference.rendering import deliver, neat_file
from reference.worlds import offence_row, police_row, prosecution_row
from test_publishing import publish
from warehouse import build

from dagster_project.cli import main as cli
from dagster_project.cli.diff import DamagedPublicationError, describe_difference
from dagster_project.publication import release as release_module
from dagster_project.publication.draft import DATABASE
from dagster_project.publication.history import describe_history
from dagster_project.publication.release import PublishingBlockedError, make_draft
from dagster_project.publications import Publication, publications
from dagster_project.quality.audit import audit_warehouse
from dagster_project.settings import REPOSITORY, Settings
from dagster_project.state import read_state, withdraw

KEY = ("indicator_id", "variant", "year", "geography_level", "geography_code", "victim_group")
COUNTS = (
    *("processed", "investigated", "dismissed", "with_suspect", "cleared", "cleared_indictment", "cleared_penalty_order"),
    *("cleared_waiver", "limited_investigated", "other_investigated", "limited_dismissed", "other_dismissed"),
)  # fmt: skip
MEASURES = (*COUNTS, "clearance_pct", "prosecution_pct")
FIRST, REDELIVERED, WITHDRAWN, NEWEST = range(4)
Figures = dict[tuple[Any, ...], dict[str, Any]]


# --- a world with a history ------------------------------------------------------------------------------------------


def police(settings: Settings, year: int, offences: list[Row], decided: list[int]) -> None:
    decisions = [police_row(number, beslutsdatum=f"{year}-03-01") for number in decided]
    files = [neat_file("police", "offences", offences), neat_file("police", "decisions", decisions)]
    deliver(settings.landing, "police", year, files)


def prosecution(settings: Settings, year: int, decisions: dict[int, str]) -> None:
    rows = [prosecution_row(number, beslutsdatum=f"{year}-04-01", beslut=what) for number, what in decisions.items()]
    deliver(settings.landing, "prosecution", year, [neat_file("prosecution", "decisions", rows)])


def first_world(settings: Settings) -> None:
    police(settings, 2022, [offence_row(number) for number in range(1, 7)], [1, 2, 4])
    prosecution(settings, 2022, {5: "ATAL", 6: "NEDLAGD"})
    police(settings, 2023, [offence_row(number) for number in range(11, 22)], [*range(11, 13), *range(15, 22)])
    # Offence 3 is in the police extract of 2022 only.
    prosecution(settings, 2023, {3: "ATAL", 13: "ATAL", 14: "NEDLAGD"})
    police(settings, 2024, [offence_row(number) for number in range(31, 41)], [*range(31, 39)])
    prosecution(settings, 2024, {39: "ATAL", 40: "STRAFFORELAGGANDE"})


@dataclass(frozen=True)
class Step:
    """A publication of the history, as it was just after it was made, whatever became of its folder."""

    publication: Publication
    figures: Figures
    delivered: dict[tuple[str, int], str]
    table: list[dict[str, Any]]

    @property
    def publication_id(self) -> str:
        return self.publication.publication_id

    @property
    def own(self) -> list[dict[str, Any]]:
        """The revisions that it brought."""
        return [row for row in self.table if row["publication_id"] == self.publication_id]

    def causes(self, year: int) -> set[str]:
        return {row["causes"] for row in self.own if row["year"] == year}


def rows_of(file: Path) -> list[dict[str, Any]]:
    return [dict(row) for row in pq.read_table(file).to_pylist()]


def figures_of(file: Path) -> Figures:
    return {tuple(row[name] for name in KEY): row for row in rows_of(file)}


def step(settings: Settings, *, built: bool = True) -> Step:
    if built:
        build(settings)
    publication = publish(settings)
    assert publication is not None
    parquet = publication.folder / "parquet"
    delivered = {what: record.delivery_id for what, record in read_state(settings).active.items()}
    return Step(
        publication,
        figures_of(parquet / "fct_indicator_year.parquet"),
        delivered,
        rows_of(parquet / "revision.parquet"),
    )


@dataclass(frozen=True)
class History:
    settings: Settings
    steps: list[Step]

    def __getitem__(self, number: int) -> Step:
        return self.steps[number]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Four publications; the folder of the second was deleted before the fourth, which withholds small numbers."""
    settings = settings_in(tmp_path_factory.mktemp("history"))
    first_world(settings)
    steps = [step(settings)]
    moved = {2: "1280", 3: "1480"}
    police(
        settings, 2022, [offence_row(number, kommunkod=moved.get(number, "0180")) for number in range(1, 7)], [1, 2, 4]
    )
    prosecution(settings, 2023, {3: "ATAL", 13: "NEDLAGD", 14: "NEDLAGD"})
    steps.append(step(settings))
    withdraw(read_state(settings), "prosecution", 2023)
    withdraw(read_state(settings), "police", 2024)
    steps.append(step(settings))
    shutil.rmtree(steps[REDELIVERED].publication.folder)
    settings = settings.model_copy(update={"suppress_below": 5})
    police(settings, 2024, [offence_row(number) for number in range(31, 41)], [*range(31, 38)])
    steps.append(step(settings))
    return History(settings, steps)


# --- which figures ---------------------------------------------------------------------------------------------------


def expected_revisions(old: Figures, new: Figures, new_years: set[int]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """By key and measure: kind, old and new value; compared row by row."""
    expected: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for key in {key for key in (*old, *new) if key[2] not in new_years}:
        before, after = old.get(key), new.get(key)
        was_hidden, is_hidden = (bool(figure and figure["suppression"]) for figure in (before, after))
        if was_hidden and not is_hidden:
            expected[*key, "suppression"] = ("shown" if after else "removed", None, None)
        elif is_hidden and not was_hidden:
            expected[*key, "suppression"] = ("withheld" if before else "appeared", None, None)
        if was_hidden or is_hidden:
            continue
        for measure in MEASURES:
            was = before[measure] if before else None
            becomes = after[measure] if after else None
            if before and after:
                if was != becomes:
                    expected[*key, measure] = ("changed", was, becomes)
            elif was or becomes:
                expected[*key, measure] = ("removed" if before else "appeared", was, becomes)
    return expected


@pytest.mark.parametrize("number", [REDELIVERED, WITHDRAWN, NEWEST])
def test_revisions_are_exactly_the_figures_that_differ(history: History, number: int) -> None:
    expected = expected_revisions(history[number - 1].figures, history[number].figures, new_years=set())
    found = {
        (*(row[name] for name in KEY), row["measure"]): (row["kind"], row["old_value"], row["new_value"])
        for row in history[number].own
    }
    assert len(found) == len(history[number].own) > 10
    assert found == expected


def test_a_first_publication_revises_nothing(history: History) -> None:
    assert history[FIRST].table == []
    output = history[FIRST].publication.manifest["revisions"]
    assert (output["predecessor"], output["new_years"], output["values"]) == (None, [2022, 2023, 2024], 0)


def test_what_was_withdrawn_is_revised_back(history: History) -> None:
    def in_the_country(number: int, *values: str) -> dict[Any, Any]:
        rows = [row for row in history[number].own if row["geography_level"] == "riket" and row["year"] == 2023]
        return {(*(row[name] for name in KEY), row["measure"]): tuple(row[value] for value in values) for row in rows}

    there, back = (
        in_the_country(REDELIVERED, "old_value", "new_value"),
        in_the_country(WITHDRAWN, "new_value", "old_value"),
    )
    assert there == back != {}


def test_a_year_that_goes_and_one_that_comes_again(history: History) -> None:
    assert {row["kind"] for row in history[WITHDRAWN].own if row["year"] == 2024} == {"removed"}
    again = [row for row in history[NEWEST].own if row["year"] == 2024]
    assert {row["kind"] for row in again} == {"appeared"}
    assert {row["measure"] for row in again} > {"suppression", "processed", "clearance_pct"}
    assert history[NEWEST].publication.manifest["revisions"]["new_years"] == []


# --- what they can come from -----------------------------------------------------------------------------------------


def test_a_redelivery_is_named_where_later_years_look_back_to_it_too(history: History) -> None:
    before, after = history[FIRST].delivered, history[REDELIVERED].delivered
    looked_back_to, own = after["police", 2022], after["prosecution", 2023]
    assert (looked_back_to, own) != (before["police", 2022], before["prosecution", 2023])
    assert history[REDELIVERED].causes(2022) == {f"redelivered police/2022:{looked_back_to}"}
    assert history[REDELIVERED].causes(2023) == {
        f"redelivered police/2022:{looked_back_to}, redelivered prosecution/2023:{own}"
    }
    moved = [row for row in history[REDELIVERED].own if row["year"] == 2023 and row["geography_code"] == "1480"]
    assert moved


def test_a_withdrawal_is_named_by_what_was_withdrawn(history: History) -> None:
    before = history[REDELIVERED].delivered
    assert history[WITHDRAWN].causes(2023) == {f"withdrawn prosecution/2023:{before['prosecution', 2023]}"}
    left_out = f"prosecution/2024:{before['prosecution', 2024]}"
    assert history[WITHDRAWN].causes(2024) == {f"withdrawn police/2024:{before['police', 2024]}, left_out {left_out}"}
    added = f"added police/2024:{history[NEWEST].delivered['police', 2024]}, added {left_out}"
    assert history[NEWEST].causes(2024) == {added, f"{added}, suppress_below"}


def test_a_threshold_changes_what_is_withheld_and_nothing_else(history: History) -> None:
    rows = [row for row in history[NEWEST].own if row["year"] == 2022]
    assert {(row["measure"], row["kind"], row["causes"]) for row in rows} == {
        ("suppression", "withheld", "suppress_below")
    }


# --- over several publications ---------------------------------------------------------------------------------------


def test_the_newest_tells_the_whole_history(history: History) -> None:
    """Of the one whose folder is gone too; rows are the same but for values that are withheld since."""
    hidden = {key for key, figure in history[NEWEST].figures.items() if figure["suppression"]}
    expected = [
        {**row, "old_value": None, "new_value": None} if tuple(row[name] for name in KEY) in hidden else row
        for one in history.steps
        for row in one.own
    ]
    order = [*KEY, "measure"]
    assert history[NEWEST].table == sorted(
        expected, key=lambda row: [row["publication_id"], *(row[name] for name in order)]
    )
    listed = rows_of(history[NEWEST].publication.folder / "parquet" / "publication.parquet")
    assert [row["publication_id"] for row in listed] == [one.publication_id for one in history.steps]
    assert [row["predecessor"] for row in listed] == [None, *(one.publication_id for one in history.steps[:-1])]
    assert [row["revisions"] for row in listed] == [len(one.own) for one in history.steps]


def test_the_history_tells_nothing_that_is_withheld_now(history: History) -> None:
    hidden = {key for key, figure in history[NEWEST].figures.items() if figure["suppression"]}
    told_before = [row for row in history[WITHDRAWN].table if tuple(row[name] for name in KEY) in hidden]
    assert any(row["old_value"] or row["new_value"] for row in told_before)
    of_hidden = [row for row in history[NEWEST].table if tuple(row[name] for name in KEY) in hidden]
    assert len(of_hidden) > len(told_before)
    assert {(row["old_value"], row["new_value"]) for row in of_hidden} == {(None, None)}


@pytest.fixture
def other_code(history: History, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The same warehouse under another version of the code, which counts the same."""
    for module in ("quality.audit_basis", "publication.release"):
        monkeypatch.setattr(f"dagster_project.{module}.code_version", lambda: "0.0.0+another")
    return copied(history.settings, settings.model_copy(update={"suppress_below": 5}))


def test_other_code_that_counts_the_same_revises_nothing(history: History, other_code: Settings) -> None:
    new = step(other_code, built=False)
    assert new.own == []
    assert new.table == history[NEWEST].table
    assert new.publication.manifest["revisions"]["changes"] == ["code"]


def test_a_damaged_publication_is_not_compared_with(history: History, other_code: Settings) -> None:
    damaged = publications(other_code)[-1]
    file = damaged.folder / "parquet" / "fct_indicator_year.parquet"
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DamagedPublicationError, match=damaged.publication_id):
        describe_difference(other_code, "newest", history[FIRST].publication_id)
    new = step(other_code, built=False)
    output = new.publication.manifest["revisions"]
    assert output["predecessor"] == history[WITHDRAWN].publication_id
    assert [damaged.publication_id in text and "damaged" in text for text in output["not_compared"]] == [True]
    assert len(new.own) == len(history[NEWEST].own)
    assert damaged.publication_id not in {row["publication_id"] for row in new.table}


def test_a_history_that_cannot_be_is_not_published(
    history: History, other_code: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def twice(connection: duckdb.DuckDBPyConnection, *given: Any) -> dict[str, Any]:
        revised = describe_history(connection, *given)
        connection.execute("insert into marts.revision from marts.revision limit 1")
        return revised

    audit_warehouse(other_code)
    monkeypatch.setattr(release_module, "describe_history", twice)
    with pytest.raises(PublishingBlockedError, match=r"fail unique_combination_revision$"):
        make_draft(other_code)
    assert publications(other_code)[-1].publication_id == history[NEWEST].publication_id
    # Nothing is released of a draft that was refused.
    with pytest.raises(PublishingBlockedError, match="load again"):
        release_module.release(other_code)


# --- the commands ----------------------------------------------------------------------------------------------------


@pytest.fixture
def command(history: History, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    monkeypatch.setattr(cli.Settings, "from_environment", lambda: history.settings)
    return lambda *arguments: cli.main(list(arguments))


def test_diff_tells_what_the_table_tells(
    history: History, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = history[WITHDRAWN].publication_id, history[NEWEST].publication_id
    assert command("diff", before, after, "--json") == cli.OK
    output = json.loads(capsys.readouterr().out)
    assert (output["earlier"], output["later"]) == (before, after)
    assert [{"publication_id": after, **row} for row in output["revisions"]] == history[NEWEST].own
    assert sum(one["values"] for one in output["by_indicator_and_year"]) == len(output["revisions"])
    assert command("diff", "newest", before, "--json") == cli.OK  # in any order
    assert json.loads(capsys.readouterr().out) == output


def test_diff_over_several_publications(
    history: History, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    first, later = history[FIRST], history[NEWEST]
    assert command("diff", first.publication_id, later.publication_id, "--json") == cli.OK
    output = json.loads(capsys.readouterr().out)
    found = {
        (*(row[name] for name in KEY), row["measure"]): (row["kind"], row["old_value"], row["new_value"])
        for row in output["revisions"]
    }
    assert found == expected_revisions(first.figures, later.figures, set())
    assert command("diff", first.publication_id, later.publication_id, "--json", "--year", "2022") == cli.OK
    of_year = json.loads(capsys.readouterr().out)
    assert of_year["revisions"] == [row for row in output["revisions"] if row["year"] == 2022] != []


@pytest.mark.parametrize("slip", [("--indicator", "valtakt"), ("--year", "1999")])
def test_diff_of_what_no_figure_is_of_is_refused(
    history: History, command: Callable[..., int], capsys: pytest.CaptureFixture[str], slip: tuple[str, str]
) -> None:
    assert command("diff", history[FIRST].publication_id, history[NEWEST].publication_id, *slip) == cli.USAGE
    assert f"neither publication has {slip[1]}; there are " in capsys.readouterr().err


def test_diff_for_people(history: History, command: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    ids = history[FIRST].publication_id, history[WITHDRAWN].publication_id
    assert command("diff", *ids, "--indicator", "grov_fridskrankning") == cli.OK
    output = capsys.readouterr().out
    assert f"from {ids[0]} to {ids[1]}" in output
    assert "grov_fridskrankning beslutad 2023 lan 14 total: cleared 0 → 1" in output
    assert "grov_fridskrankning beslutad 2023 lan 14 total: clearance_pct – → 100.0000" in output
    assert command("diff", *ids, "--indicator", "valdtakt") == cli.OK
    assert "no figure differs" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["20200101T000000Z", "../published", ""])
def test_diff_with_what_is_no_publication_is_wrong_usage(
    command: Callable[..., int], capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert command("diff", "current", name) == cli.USAGE
    assert "there is no publication" in capsys.readouterr().err


def test_publications_are_listed_with_what_they_revised(
    history: History, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("publications") == cli.OK
    output = capsys.readouterr().out
    back, before = history[WITHDRAWN], history[REDELIVERED]
    assert f"{len(back.own)} values revised since {before.publication_id}" in output
    assert f"differs: withdrawn prosecution/2023:{before.delivered['prosecution', 2023]}" in output
    assert f"→ {history[NEWEST].publication_id}" in output
    assert command("publications", "--json") == cli.OK
    listed = json.loads(capsys.readouterr().out)
    assert [one["revisions"]["values"] for one in listed] == [
        len(one.own) for number, one in enumerate(history.steps) if number != REDELIVERED
    ]


# --- beside each other -----------------------------------------------------------------------------------------------


def test_any_kept_publication_can_be_read_beside_the_present_one(history: History) -> None:
    """The recipes of the documentation, as they stand there."""
    page = (REPOSITORY / "docs" / "revisions.md").read_text(encoding="utf-8")
    recipes = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    assert len(recipes) >= 3
    answers = []
    for recipe in recipes:
        named = recipe.replace("<published>", str(history.settings.published)).replace(
            "<id>", history[WITHDRAWN].publication_id
        )
        with duckdb.connect(str(history[NEWEST].publication.folder / DATABASE), read_only=True) as connection:
            answers.append(connection.execute(named).fetchall())
    assert all(answers)
    (series,) = [answer for recipe, answer in zip(recipes, answers, strict=True) if "filename" in recipe]
    processed = {
        (one.publication_id, year): one.figures["grov_fridskrankning", "beslutad", year, "riket", "SE", "total"][
            "processed"
        ]
        for number, one in enumerate(history.steps)
        for year in (2022, 2023, 2024)
        if number != REDELIVERED and not (number == WITHDRAWN and year == 2024)
    }
    assert {(publication_id, year): value for publication_id, year, value, *_ in series} == processed
