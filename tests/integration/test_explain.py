"""`uppklarat explain`: the offences behind a figure are those of the rules in plain Python, and what cannot be explained is reported."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from conftest import copied
from deliveries import pseudonym
from reference.extracts import Decision, Landing, _decision, _key, read_landing
from reference.rules import CLEARED_AS, ENDS_NOTHING, Cell, cells_of, nonzero_counts, outcome
from reference.worlds import dirty_world
from test_docs import DOCS, anchors
from warehouse import build, environment

from dagster_project import paths
from dagster_project.cli import main as cli
from dagster_project.cli.explain.lineage import RULES, lineage
from dagster_project.cli.explain.text import format_explanation
from dagster_project.cli.purge import purge
from dagster_project.files import write_json
from dagster_project.ingestion.ingest import changed_folders, ingest
from dagster_project.publication.draft import DATABASE
from dagster_project.publications import MANIFEST
from dagster_project.settings import Settings
from dagster_project.state import read_state

Output = tuple[int, str, str]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Ask as a user does; gives exit code, what is printed and what is complained of."""

    def asked(settings: Settings, *arguments: str) -> Output:
        for name, value in environment(settings).items():
            monkeypatch.setenv(name, value)
        try:
            code = cli.main(["explain", *arguments])
        except SystemExit as stopped:
            code = int(str(stopped.code))
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return asked


def question(cell: Cell) -> list[str]:
    return [
        "--indicator", cell.indicator_id, "--variant", cell.variant, "--year", str(cell.year),
        "--geography", f"{cell.geography_level}/{cell.geography_code}", "--victim-group", cell.victim_group,
    ]  # fmt: skip


WHOLE_COUNTRY = Cell("valdtakt", "beslutad", 2024, "riket", "SE", "total")


@pytest.fixture(scope="module")
def landing(published_world: Settings) -> Landing:
    return read_landing(published_world.landing)


@pytest.fixture(scope="module")
def behind(landing: Landing) -> dict[Cell, dict[tuple[str, int], dict[str, Any]]]:
    """By cell and offence, what the plain rules say of it."""
    cells: dict[Cell, dict[tuple[str, int], dict[str, Any]]] = defaultdict(dict)
    for year in landing.complete_years:
        decided: dict[Any, list[tuple[Decision, str, int]]] = defaultdict(list)
        for file in landing.files:
            if file.year == year and file.name == "decisions":
                for line, row in file.loaded:
                    decided[_key(row)].append((_decision(file.source, row), file.source, line))
        for key, decisions in decided.items():
            measures, offence = outcome([one for one, _, _ in decisions]), landing.offence(key, year)
            if measures and offence:
                extract = max(of for of in landing.offences if of <= year and key in landing.offences[of])
                for cell in cells_of(offence, year):
                    cells[cell][str(pseudonym("diarienummer", key[0])), key[1]] = {
                        "brottsantal": offence.number_of_offences,
                        "brottskod": offence.code,
                        "counts_in": measures,
                        "line": line_of(landing, extract, key),
                        "looked_up": extract != year,
                        "deciding": deciding(decisions),
                    }
    return cells


def line_of(landing: Landing, year: int, key: Any) -> int:
    (file,) = (one for one in landing.files if (one.year, one.name) == (year, "offences"))
    (line,) = (line for line, row in file.loaded if _key(row) == key)
    return line


def deciding(decisions: list[tuple[Decision, str, int]]) -> set[tuple[str, int]]:
    """Source and line of what made the outcome; several where suspects were decided on together."""
    reopened = max((one.day for one, _, _ in decisions if one.kind == "ATERUPPTAGEN"), default=None)
    for kind in CLEARED_AS:
        days = [one.day for one, _, _ in decisions if one.kind == kind]
        if days:
            return {(source, line) for one, source, line in decisions if one.kind == kind and one.day == min(days)}
    standing = [
        found for found in decisions if found[0].kind not in ENDS_NOTHING and (not reopened or found[0].day >= reopened)
    ]

    highest = [found for found in standing if found[0].kind == "FU_BEGRANSAD"] or standing
    last = max(one.day for one, _, _ in highest)
    return {(source, line) for one, source, line in highest if one.day == last}


def test_the_offences_are_those_that_the_rules_count(
    published_world: Settings, behind: dict[Cell, dict[tuple[str, int], dict[str, Any]]], ask: Any
) -> None:
    by_sort = defaultdict(list)
    for cell in sorted(behind):
        if cell.geography_level in ("riket", "polisregion") or (
            cell.variant == "beslutad" and cell.victim_group == "total"
        ):
            sort = (
                cell.geography_level,
                cell.variant == "beslutad",
                cell.victim_group == "total",
                cell.geography_code == "okand",
            )
            by_sort[sort].append(cell)
    rng = Random(1)
    looked_up = 0
    for cell in [WHOLE_COUNTRY, *(rng.choice(cells) for cells in by_sort.values())]:
        code, printed, complaint = ask(published_world, *question(cell), "--json")
        assert (code, complaint) == (0, ""), cell
        private = json.loads(printed)["private"]
        assert private["adds_up"] is True
        found = {
            (one["case"], one["offence"]): {
                "brottsantal": one["brottsantal"],
                "brottskod": one["brottskod"],
                "counts_in": set(one["counts_in"]),
                "line": one["line"],
                "looked_up": one["looked_up"],
                "deciding": {
                    (decision["file"].split("/")[0], decision["line"])
                    for decision in one["decisions"]
                    if decision["decides"]
                },
            }
            for one in private["offences"]
        }
        assert found == behind[cell], cell
        looked_up += sum(one["looked_up"] for one in found.values())
    assert looked_up
    assert len(by_sort) == 4 + 4 + 2 + 2


def test_an_offence_without_a_report_date_is_told_as_such(published_world: Settings, ask: Any) -> None:
    with duckdb.connect(str(published_world.home / paths.WAREHOUSE), read_only=True) as connection:
        found = connection.execute(
            "select indicator_id, variant, year, geography_level, geography_code, victim_group "
            "from intermediate.int_counted_offence where report_date is null and geography_level = 'riket' order by all"
        ).fetchone()
    assert found
    _, printed, _ = ask(published_world, *question(Cell(*found)), "--json")
    output = json.loads(printed)
    undated = [one for one in output["private"]["offences"] if one["reported"] is None]
    assert undated
    text = format_explanation({**output, "private": {**output["private"], "offences": undated[:1]}})
    assert "reported on an unknown day" in text


def test_the_figure_is_the_published_one_with_its_formula(published_world: Settings, ask: Any) -> None:
    _, printed, _ = ask(published_world, *question(WHOLE_COUNTRY), "--json")
    output = json.loads(printed)
    counts = nonzero_counts(published_world.landing)[WHOLE_COUNTRY]
    assert output["figure"]["counts"] == counts
    rate = 100 * counts["cleared"] / counts["processed"]
    (formula,) = (one for one in output["formulas"] if one["measure"] == "clearance_pct")
    numbers, _, result = formula["with_numbers"].partition(" = ")
    assert numbers == f"100 × {counts['cleared']} / {counts['processed']}"
    assert abs(float(result) - rate) < 1e-9
    manifest = json.loads((published_world.published / paths.CURRENT / MANIFEST).read_text(encoding="utf-8"))
    delivered = {(one["source"], one["year"]): one["delivery_id"] for one in manifest["deliveries"]}
    listed = {(one["source"], one["year"]): one["delivery_id"] for one in output["deliveries"]}
    assert listed == {what: delivered[what] for what in (("police", 2024), ("prosecution", 2024), ("police", 2023))}
    assert output["definition"]["indicator_number"] == 9
    assert output["private"]["counts"] == counts


def test_a_measure_is_explained_by_its_own_offences(published_world: Settings, ask: Any) -> None:
    """They count in indicator 1 too."""
    cell = WHOLE_COUNTRY._replace(indicator_id="misshandel_par_slakt_familj", variant="egen")
    _, printed, _ = ask(published_world, *question(cell), "--json")
    private = json.loads(printed)["private"]
    assert private["counts"] == nonzero_counts(published_world.landing)[cell]
    assert private["adds_up"] is True
    _, printed, _ = ask(published_world, *question(cell))
    assert "wording (commitment): Andel handlagda misshandelsbrott inom parrelation" in printed


def test_text_tells_the_same_without_a_case_number(published_world: Settings, landing: Landing, ask: Any) -> None:
    code, printed, _ = ask(published_world, *question(WHOLE_COUNTRY))
    assert code == 0
    counts = nonzero_counts(published_world.landing)[WHOLE_COUNTRY]
    assert f"100 × {counts['cleared']} / {counts['processed']} = " in printed
    assert "not to be passed on" in printed
    assert "int_processed_offence ← int_scoped_offence" in printed
    assert (
        printed.count("\ncase ")
        == 50
        < len(json.loads(ask(published_world, *question(WHOLE_COUNTRY), "--json")[1])["private"]["offences"])
    )
    cases = {key[0] for offences in landing.offences.values() for key in offences}
    assert not [case for case in cases if case in printed]
    assert sum(str(pseudonym("diarienummer", case)) in printed for case in cases) > 30


def first_cell(published_world: Settings, condition: str) -> Cell:
    """The first published figure for which a condition in SQL is true."""
    with duckdb.connect(str(published_world.published / paths.CURRENT / DATABASE), read_only=True) as connection:
        row = connection.execute(
            f"select {', '.join(Cell._fields)} from marts.fct_indicator_year where {condition} order by all"
        ).fetchone()
    assert row
    return Cell(*row)


def test_a_withheld_figure_says_why_and_keeps_its_counts_private(published_world: Settings, ask: Any) -> None:
    cell = first_cell(published_world, "suppression is not null and geography_level = 'lan'")
    code, printed, _ = ask(published_world, *question(cell), "--json")
    output = json.loads(printed)
    assert code == 0
    assert set(output["figure"]["counts"].values()) == {None}
    assert output["formulas"] == []
    assert output["private"]["withheld"]["suppression"] == "secondary"
    assert output["private"]["counts"] == nonzero_counts(published_world.landing)[cell]
    public, private = ask(published_world, *question(cell))[1].split("--- private")
    assert "WITHHELD" in public
    assert "withheld: " in private


def test_what_a_level_does_not_have_is_said_and_not_called_withheld(published_world: Settings, ask: Any) -> None:
    cell = first_cell(published_world, "suppression is null and processed > 0 and geography_level = 'lan'")
    counts = nonzero_counts(published_world.landing)[cell]
    code, printed, _ = ask(published_world, *question(cell), "--json")
    output = json.loads(printed)
    assert code == 0
    shown = {name: value for name, value in output["figure"]["counts"].items() if value is not None}
    assert shown == {name: counts[name] for name in ("processed", "cleared")}
    assert {*output["figure"]["not_published"]} == {*counts, "prosecution_pct"} - {"processed", "cleared"}
    assert [one["measure"] for one in output["formulas"]] == ["clearance_pct", "clearance_change_pp"]
    assert output["private"]["adds_up"] is True
    public, _ = ask(published_world, *question(cell))[1].split("--- private")
    assert "not published below the police region: investigated, dismissed" in public
    assert "WITHHELD" not in public


def test_a_zero_is_explained_too(published_world: Settings, behind: dict[Cell, Any], ask: Any) -> None:
    cell = first_cell(published_world, "processed = 0 and geography_level = 'kommun'")
    assert cell not in behind
    code, printed, _ = ask(published_world, *question(cell), "--json")
    output = json.loads(printed)
    assert code == 0
    assert output["figure"]["counts"]["processed"] == 0
    assert output["formulas"][0]["with_numbers"] == "100 × 0 / 0: nothing to divide by, so null"
    assert output["private"]["offences"] == []
    assert output["private"]["adds_up"] is True


@pytest.mark.parametrize(
    ("changed", "there_is"),
    [
        ({"--indicator": "mord"}, "valdtakt"),
        ({"--year": "1999"}, "2023, 2024"),
        ({"--geography": "0099"}, "Rn03"),
        ({"--geography": "okand"}, "lan/okand"),
        ({"--geography": "lan/0180"}, "01"),
        ({"--variant": "bred"}, "exkl_oaktsam"),
        ({"--victim-group": "hund"}, "flicka"),
        ({"--geography": "0180", "--victim-group": "kvinna"}, "beslutad of total"),
        ({"--geography": "0180", "--indicator": "barnfridsbrott"}, "nothing of barnfridsbrott"),
        ({"--year": "i fjol"}, "usage"),
        ({"--geography": ""}, "Rn03"),
    ],
)
def test_what_there_is_not_exits_2_and_says_what_there_is(
    published_world: Settings, ask: Any, changed: dict[str, str], there_is: str
) -> None:
    asked = {"--indicator": "valdtakt", "--year": "2024", "--geography": "SE", **changed}
    code, printed, complaint = ask(published_world, *(word for pair in asked.items() for word in pair))
    assert (code, printed) == (2, "")
    assert there_is in complaint


def test_nothing_published(settings: Settings, ask: Any) -> None:
    code, _, complaint = ask(settings, *question(WHOLE_COUNTRY))
    assert code == 1
    assert "nothing is published yet" in complaint


@pytest.fixture
def world(published_world: Settings, settings: Settings) -> Settings:
    """A world that may be changed."""
    return copied(published_world, settings.model_copy(update={"suppress_below": 5}))


def private(output: Output) -> dict[str, Any]:
    code, printed, _ = output
    assert code == 0
    document = json.loads(printed)
    assert document["figure"]["counts"]["processed"] > 0
    return dict(document["private"])


def test_without_a_working_database_the_rest_is_told(world: Settings, ask: Any) -> None:
    (world.home / paths.WAREHOUSE).unlink()
    output = private(ask(world, *question(WHOLE_COUNTRY), "--json"))
    assert output.keys() == {"available", "why"}
    assert "no working database" in output["why"]


def test_a_load_that_has_the_database_is_not_disturbed(world: Settings, ask: Any) -> None:
    hold = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(world.home / paths.WAREHOUSE)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout and other.stdout.readline() == "held\n"
        output = private(ask(world, *question(WHOLE_COUNTRY), "--json"))
        other.communicate("\n")
    assert "in use by a load" in output["why"]


def test_deliveries_that_are_not_built_yet(world: Settings, ask: Any) -> None:
    dirty_world(world.landing, seed=28, offences_per_year=300, years=(2024,), dirt=0.0)
    for folder in changed_folders(read_state(world)):
        ingest(folder, world)
    assert "load` first" in private(ask(world, *question(WHOLE_COUNTRY), "--json"))["why"]


@pytest.mark.parametrize(("source", "year"), [("police", 2024), ("prosecution", 2024), ("police", 2023)])
def test_a_publication_of_other_deliveries(world: Settings, ask: Any, source: str, year: int) -> None:
    path = world.published / paths.CURRENT / MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8"))
    (delivery,) = (one for one in manifest["deliveries"] if (one["source"], one["year"]) == (source, year))
    delivery["delivery_id"] = "another"
    path.chmod(0o644)
    write_json(path, manifest)
    assert "other deliveries than this publication" in private(ask(world, *question(WHOLE_COUNTRY), "--json"))["why"]


def test_offences_that_do_not_add_up_are_told_loudly(world: Settings, ask: Any) -> None:
    with duckdb.connect(str(world.home / paths.WAREHOUSE)) as connection:
        connection.execute(
            "delete from intermediate.int_processed_offence where rowid = "
            "(select min(rowid) from intermediate.int_processed_offence where year = 2024 and indicator_id = 'valdtakt')"
        )
    code, printed, complaint = ask(world, *question(WHOLE_COUNTRY))
    assert code == 1
    assert "DO NOT ADD UP" in printed
    assert "do not add up" in complaint


def test_purged_years_have_no_rows_and_later_ones_still_look_back(
    world: Settings, behind: dict[Cell, dict[tuple[str, int], dict[str, Any]]], ask: Any
) -> None:
    purge(world, 2024)
    before = question(WHOLE_COUNTRY._replace(year=2023))
    assert "purged" in private(ask(world, *before, "--json"))["why"]
    build(world)
    cell = next(
        cell
        for cell in sorted(behind)
        if cell.year == 2024
        and cell.geography_level == "riket"
        and any(one["looked_up"] for one in behind[cell].values())
    )
    output = private(ask(world, *question(cell), "--json"))
    assert output["adds_up"] is True
    found = {(one["case"], one["offence"]): one["line"] for one in output["offences"]}
    assert found == {key: one["line"] for key, one in behind[cell].items()}


def test_every_rule_is_a_heading_and_every_model_is_on_the_way() -> None:
    models = {one["name"]: one for one in lineage()}
    assert set(RULES) <= set(models)
    assert {anchor for of in RULES.values() for anchor in of} <= anchors(DOCS / "counting-rules.md")
    assert {one["name"] for one in models.values() if one["kind"] == "source"} >= {
        "police_offences",
        "prosecution_decisions",
    }
    assert all(one["description"] for one in models.values())


def test_nothing_private_is_in_messages(world: Settings, ask: Any, tmp_path: Path) -> None:
    for path in (world.home / paths.RAW_STORE).glob("police/2024/*/decisions.parquet"):
        path.unlink()
    output = private(ask(world, *question(WHOLE_COUNTRY), "--json"))
    assert output == {"available": False, "why": "the working database or a file of the raw store cannot be read"}
