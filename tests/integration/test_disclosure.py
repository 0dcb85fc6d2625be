"""Withheld figures: what is small is not shown, and nobody who has all that is published can work it out."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from math import comb

import duckdb
import pytest
from attacker import MEASURES, Map, Place, intervals, worlds_alike
from conftest import copied, settings_in
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference.worlds import dirty_world
from warehouse import build

from dagster_project import paths
from dagster_project.disclosure.suppression import EARLIER, SMALL, Cell, Counts, Table, is_small, tabulate, withhold
from dagster_project.disclosure.withheld import count_figures_withheld_since, remember_withheld
from dagster_project.settings import Settings

BELOW = 5
GROUPS = ("kvinna", "man", "okand")
COUNTY_OF = {
    **{f"01{number:02}": "01" for number in (1, 2, 3)}, "0201": "02", "0202": "02", "0301": "03", "0401": "04", "0501": "05",
    "okand": "okand",
}  # fmt: skip
REGION_OF = {"01": "north", "02": "north", "03": "north", "04": "south", "05": "south", "okand": None}
Offences = Mapping[tuple[str, str, bool], int]


def withheld_of(offences: Offences, before: Sequence[Cell] = ()) -> dict[Cell, str]:
    return withhold(tabulate(offences, GROUPS, COUNTY_OF, REGION_OF), BELOW, before)


# --- the rule ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "small"),
    [
        ((0, 0), False),
        ((0, 1), True),
        ((4, 0), True),
        ((6, 4), True),
        ((90, 5), True),
        ((6, 6), False),
        ((0, 6), False),
    ],
)
def test_small_is_from_one_to_five(counts: tuple[int, int], small: bool) -> None:
    assert is_small(Counts(*counts), BELOW) == small


def test_large_counts_and_zeros_are_shown() -> None:
    assert withheld_of({(code, "kvinna", cleared): 40 for code in COUNTY_OF for cleared in (True, False)}) == {}
    assert withheld_of({}) == {}


def test_a_small_county_takes_the_next_one_of_its_region_with_it() -> None:
    """And all below both; the other region is left alone."""
    offences = {(code, "kvinna", cleared): 40 for code in COUNTY_OF for cleared in (True, False)}
    withheld = withheld_of({**offences, ("0301", "kvinna", True): 3})
    assert {cell.code for cell in withheld if cell.level == "lan" and cell.group == "total"} == {"01", "03"}
    assert {cell for cell, reason in withheld.items() if reason == SMALL} == {
        Cell("lan", "03"), Cell("lan", "03", "kvinna"), Cell("kommun", "0301"),
    }  # fmt: skip
    assert {cell.code for cell in withheld if cell.level == "kommun"} == {"0101", "0102", "0103", "0301"}


def test_a_small_municipality_takes_the_next_one_of_its_county_with_it() -> None:
    offences = {(code, "kvinna", cleared): 40 for code in COUNTY_OF for cleared in (True, False)}
    withheld = withheld_of({**offences, ("0103", "kvinna", False): 2})
    assert set(withheld) == {Cell("kommun", "0101"), Cell("kommun", "0103")}


def test_small_counts_hide_nothing_in_each_other() -> None:
    """Two small municipalities with nothing else between them: a third is withheld, since their sum would be small."""
    offences = {(code, "kvinna", False): 40 for code in COUNTY_OF}
    offences |= {("0101", "kvinna", True): 1, ("0102", "kvinna", True): 1, ("0103", "kvinna", True): 30}
    assert {cell.code for cell in withheld_of(offences)} == {"0101", "0102", "0103"}


def test_a_small_group_takes_a_county_and_a_group_with_it() -> None:
    offences = {(code, group, cleared): 40 for code in COUNTY_OF for group in GROUPS for cleared in (True, False)}
    withheld = withheld_of({**offences, ("0301", "man", True): 3})
    assert {cell for cell in withheld if cell.level == "lan"} == {
        Cell("lan", county, group) for county in ("01", "03") for group in ("man", "okand")
    }


def test_few_offences_without_a_known_place_take_two_counties_with_them() -> None:
    """They are the country less all counties."""
    offences = {(code, "kvinna", cleared): 40 for code in COUNTY_OF for cleared in (True, False)}
    withheld = withheld_of({**offences, ("okand", "kvinna", True): 3})
    assert {cell.code for cell in withheld if cell.level == "lan" and cell.group == "total"} == {"01", "02", "okand"}


def test_what_was_withheld_stays_withheld_and_is_not_alone() -> None:
    offences = {(code, "kvinna", cleared): 40 for code in COUNTY_OF for cleared in (True, False)}
    withheld = withheld_of(offences, [Cell("kommun", "0102"), Cell("kommun", "9999")])
    assert withheld[Cell("kommun", "0102")] == EARLIER
    assert set(withheld) == {Cell("kommun", "0101"), Cell("kommun", "0102")}


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.sampled_from(sorted(COUNTY_OF)), st.sampled_from(GROUPS), st.booleans()),
        st.sampled_from([1, 1, 2, 3, 5, 8, 20]),
    )
)
def test_what_is_decided_once_is_decided_alike_with_a_memory(offences: Offences) -> None:
    withheld = withheld_of(offences)
    assert set(withheld_of(offences, list(withheld))) == set(withheld)


# --- small worlds, against attackers who know the rule ----------------------------------------------------------------


def small_counts(counts: Counts) -> dict[str, int]:
    named = {"cleared": counts.cleared, "not cleared": counts.not_cleared, "processed": sum(counts)}
    return {name: count for name, count in named.items() if 1 <= count < BELOW}


def measured(counts: Counts, measure: str) -> int:
    return {"cleared": counts.cleared, "not cleared": counts.not_cleared, "processed": sum(counts)}[measure]


def leaves_room(values: Sequence[int], truth: int, in_region: int) -> bool:
    """Three values and an interval as wide as the count, or as much as the region's own figure leaves."""
    return len(values) >= min(3, in_region + 1) and max(values) - min(values) >= min(truth, in_region)


SHAPES = {
    # Which municipalities, and which victim groups; a world is as many columns of counts as groups and measures.
    "counties": (("0101", "0201", "0301"), ("kvinna",)),
    "two counties and groups": (("0401", "0501"), ("kvinna", "man")),
    "municipalities": (("0101", "0102", "0103"), ("kvinna",)),
}


@pytest.mark.parametrize("shape", sorted(SHAPES))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_a_pattern_attacker_finds_no_small_count(shape: str, data: st.DataObject) -> None:
    """Who runs the rule on every world that fits what is published still has three values for each small count."""
    places, groups = SHAPES[shape]
    columns = [(group, cleared) for group in groups for cleared in (True, False)]
    count = st.sampled_from([0, 0, 1, 2, 3, 4, 5, 6, 8])
    real = data.draw(st.lists(st.tuples(*[count] * len(columns)), min_size=len(places), max_size=len(places)))
    sizes = [comb(sum(column) + len(places) - 1, len(places) - 1) for column in zip(*real, strict=True)]
    size = 1
    for one in sizes:
        size *= one
    if size > 4_000:
        return

    def table(world: Sequence[Sequence[int]]) -> Table:
        offences = {(code, "kvinna", cleared): 40 for code in COUNTY_OF for cleared in (True, False)}
        offences |= {(code, group, cleared): 40 for code in COUNTY_OF for group in groups for cleared in (True, False)}
        for place, row in zip(places, world, strict=True):
            offences |= {(place, *column): value for column, value in zip(columns, row, strict=True)}
        if shape == "counties":
            offences |= {(code, "kvinna", cleared): 0 for code in ("0102", "0103", "0202") for cleared in (True, False)}
        return tabulate(offences, GROUPS, COUNTY_OF, REGION_OF)

    def publication(world: Sequence[Sequence[int]]) -> object:
        made = table(world)
        withheld = withhold(made, BELOW)
        return {cell: None if cell in withheld else counts for cell, counts in made.counts.items()}

    seen = publication(real)
    if shape == "municipalities" and seen[Cell("lan", "01")] is None:  # type: ignore[index]
        # Their sum is not published, and more worlds are alike than those that are tried.
        return
    alike = [table(world).counts for world in worlds_alike(real, publication)]
    truth = table(real)
    for cell, shown in seen.items():  # type: ignore[attr-defined]
        for measure, value in {} if shown else small_counts(truth.counts[cell]).items():
            values = sorted({measured(counts[cell], measure) for counts in alike})
            county = cell.code if cell.level == "lan" else COUNTY_OF[cell.code]
            whole = sum(
                measured(truth.counts[Cell("lan", code, cell.group)], measure)
                for code, region in REGION_OF.items()
                if region == REGION_OF[county]
            )
            assert leaves_room(values, value, whole), (cell, measure, value, values)


# --- the warehouse, against an attacker with linear programming --------------------------------------------------------


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = settings_in(tmp_path_factory.mktemp("world"), suppress_below=BELOW)
    dirty_world(made.landing, seed=70, offences_per_year=1500, years=(2023, 2024), dirt=0.002)
    build(made)
    return made


def attack_warehouse(connection: duckdb.DuckDBPyConnection) -> tuple[int, list[tuple[object, ...]]]:
    """How many small counts were attacked, and those that could be told to within fewer values than there have to be.

    As if regions were exactly the sums of their counties, or without them where that cannot be.
    """
    places = connection.execute(
        "select geography_level, geography_code, coalesce(county_code, 'okand'), region_code from marts.dim_geography"
    ).fetchall()
    where = Map(
        {code: county for level, code, county, _ in places if level == "kommun"},
        {code: region for level, code, _, region in places if level == "lan"},
    )
    attacked, told = 0, []
    for indicator, year in connection.execute(
        "select distinct indicator_id, year from marts.fct_indicator_year where suppression is not null order by all"
    ).fetchall():
        found = connection.execute(
            """
            select
                geography_level, geography_code, victim_group, suppression is not null,
                counted.cleared, counted.processed - counted.cleared
            from marts.fct_indicator_year as figure
            inner join intermediate.int_figure_year as counted
                using (indicator_id, variant, year, geography_level, geography_code, victim_group)
            where indicator_id = ? and year = ? and variant = 'beslutad'""",
            [indicator, year],
        ).fetchall()
        counts = {Place(*row[:3]): Counts(*row[4:]) for row in found}
        hidden = {Place(*row[:3]) for row in found if row[3]}
        for measure in MEASURES:
            shown = {place: None if place in hidden else measured(counts[place], measure) for place in counts}
            small = [place for place in hidden if measure in small_counts(counts[place])]
            attacked += len(small)
            try:
                ranges = intervals(shown, where, small, regions_are_exact=True)
                # The country less all regions is what they then count without a known place.
                ranges = {place: ends for place, ends in ranges.items() if place.code != "okand"}
            except ValueError:
                ranges = intervals(shown, where, small, regions_are_exact=False)
            for place, (least, most) in ranges.items():
                county = place.code if place.level == "lan" else where.county_of[place.code]
                region = Place("polisregion", str(where.region_of[county]), place.group)
                whole = measured(counts.get(region, counts[Place("riket", "SE", place.group)]), measure)
                truth = measured(counts[place], measure)
                if least <= truth <= most and not leaves_room(range(least, most + 1), truth, whole):
                    told.append((indicator, year, place, measure, truth, (least, most)))
    return attacked, told


def test_linear_programming_finds_no_small_count_of_the_warehouse(world: Settings) -> None:
    with duckdb.connect(str(world.home / paths.WAREHOUSE), read_only=True) as connection:
        attacked, told = attack_warehouse(connection)
    assert attacked > 500
    assert told == []


def test_other_tables_end_at_the_region(world: Settings) -> None:
    with duckdb.connect(str(world.home / paths.WAREHOUSE), read_only=True) as connection:
        for table in ("fct_case_flow_year", "fct_processing_time_year", "fct_report_lag_year"):
            levels = connection.execute(f"select distinct geography_level from marts.{table} order by 1").fetchall()
            assert levels == [("polisregion",), ("riket",)]


def test_below_the_region_only_two_counts_are_shown(world: Settings) -> None:
    """And with them their difference; each further column would be one more."""
    with duckdb.connect(str(world.home / paths.WAREHOUSE), read_only=True) as connection:
        shown = connection.execute(
            "select * from marts.fct_indicator_year where geography_level in ('lan', 'kommun') and suppression is null"
        ).pl()
    counts = [name for name, kind in shown.schema.items() if kind.is_integer() and name != "year"]
    assert [name for name in counts if shown[name].count()] == ["processed", "cleared"]


def test_the_private_account_says_why(world: Settings) -> None:
    with (world.home / paths.SUPPRESSION_AUDIT).open(encoding="utf-8", newline="") as file:
        account = list(csv.DictReader(file))
    with duckdb.connect(str(world.home / paths.WAREHOUSE), read_only=True) as connection:
        (hidden,) = connection.execute(
            "select count(*) from marts.fct_indicator_year where suppression is not null"
        ).fetchone() or (0,)
    assert len(account) == hidden > 0
    assert (world.home / paths.SUPPRESSION_AUDIT).stat().st_mode & 0o077 == 0
    for line in account:
        small = small_counts(Counts(int(line["cleared"]), int(line["processed"]) - int(line["cleared"])))
        assert not small or line["because"] == SMALL


def hidden_and_labels(settings: Settings) -> set[tuple[object, ...]]:
    with duckdb.connect(str(settings.home / paths.WAREHOUSE), read_only=True) as connection:
        return set(
            connection.execute(
                """
                select indicator_id, year, geography_level, geography_code, victim_group, suppression
                from marts.fct_indicator_year where suppression is not null"""
            ).fetchall()
        )


def test_what_was_withheld_once_is_decided_once(world: Settings, settings: Settings) -> None:
    """The same offences are withheld alike with a memory, without the publications, and whatever the threshold is now."""
    places = copied(world, settings).model_copy(update={"suppress_below": BELOW})
    before = hidden_and_labels(places)
    remember_withheld(places)
    remember_withheld(places)
    (places.home / paths.WAREHOUSE).unlink()
    build(places)
    assert hidden_and_labels(places) == before
    shown = places.model_copy(update={"suppress_below": 1})
    build(shown)
    assert {key[:-1] for key in hidden_and_labels(shown)} == {key[:-1] for key in before}


def test_a_file_that_shows_what_was_withheld_is_known(world: Settings, settings: Settings) -> None:
    places = copied(world, settings).model_copy(update={"suppress_below": BELOW})
    remember_withheld(places)
    file, hidden = places.home / "figures.parquet", len(hidden_and_labels(places))
    with duckdb.connect(str(places.home / paths.WAREHOUSE), read_only=True) as connection:
        for shown, label in ((hidden, "null::varchar"), (0, "suppression")):
            connection.execute(
                f"copy (select * replace ({label} as suppression) from marts.fct_indicator_year) to '{file}' (format parquet)"
            )
            assert count_figures_withheld_since(places, file) == shown


@pytest.mark.parametrize("value", ["0", "-1", "five", "2.5"])
def test_a_threshold_that_is_none_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPPKLARAT_SUPPRESS_BELOW", value)
    with pytest.raises(ValueError, match="UPPKLARAT_SUPPRESS_BELOW: Input should be"):
        Settings.from_environment()
