"""Withheld figures: what is small is not shown, and nobody who has all that is published can work it out."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence

import duckdb
import pytest
from attacker import TOTAL, Bounds, Found, Map, Place, attack_intervals, attack_pattern
from conftest import copied, settings_in
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.worlds import dirty_world, write_world
from small_worlds import (
    BELOW,
    KINDS,
    WORLDS_TRIED,
    Attacked,
    Offence,
    World,
    attack_random_worlds,
    deliveries_of,
    random_world,
)
from warehouse import build

from dagster_project import paths
from dagster_project.disclosure.suppression import EARLIER, SMALL, Cell, Counts, is_small, tabulate, withhold
from dagster_project.disclosure.withheld import count_figures_withheld_since, remember_withheld
from dagster_project.settings import Settings

GROUPS = ("kvinna", "man", "okand")
COUNTY_OF = {
    **{f"01{number:02}": "01" for number in (1, 2, 3)}, "0201": "02", "0202": "02", "0301": "03", "0401": "04", "0501": "05",
    "okand": "okand",
}  # fmt: skip
REGION_OF = {"01": "north", "02": "north", "03": "north", "04": "south", "05": "south", "okand": None}
TOLD_ONCE = (56, 61, 262, 597, 679, 1048, 1068, 1212, 1621, 2073, 2081)
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
    assert {cell.code for cell in withheld if cell.level == "lan" and cell.group == "total"} == {"04", "05", "okand"}


def test_what_was_withheld_stays_withheld_and_is_not_alone() -> None:
    offences = {(code, "kvinna", cleared): 40 for code in COUNTY_OF for cleared in (True, False)}
    withheld = withheld_of(offences, [Cell("kommun", "0102"), Cell("kommun", "9999")])
    assert withheld[Cell("kommun", "0102")] == EARLIER
    assert set(withheld) == {Cell("kommun", "0101"), Cell("kommun", "0102")}


def test_a_group_that_was_withheld_is_not_alone() -> None:
    """Neither among the groups of its county nor among the counties of its region."""
    offences = {(code, group, cleared): 40 for code in COUNTY_OF for group in GROUPS for cleared in (True, False)}
    assert set(withheld_of(offences, [Cell("lan", "03", "man")])) == {
        Cell("lan", county, group) for county in ("01", "03") for group in ("man", "okand")
    }


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


@pytest.fixture(scope="module")
def attacked_worlds() -> dict[str, Attacked]:
    return attack_random_worlds(range(200))


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_finds_a_small_count_of_random_worlds(kind: str, attacked_worlds: dict[str, Attacked]) -> None:
    """By the bounds that sums set, or by running the rule on every world that fits what is published."""
    attacked = attacked_worlds[kind]
    print(f"{kind}: {attacked}")
    assert attacked.worlds >= 66
    assert attacked.intervals.attacked > 500
    assert attacked.intervals.disclosed == []
    assert attacked.pattern.attacked > 20
    assert attacked.pattern.disclosed == []


def few(kind: str, **counts: int) -> World:
    """Uncleared offences against women, by municipality; what has no place has no region either."""
    where = Map(COUNTY_OF, REGION_OF)
    offences = {
        Offence(code.removeprefix("k"), REGION_OF[COUNTY_OF[code.removeprefix("k")]], "kvinna", "not cleared"): count
        for code, count in counts.items()
    }
    return World(kind, where, GROUPS, offences, ())


def test_a_small_county_of_a_region_that_is_the_sum_of_its_counties_has_other_values() -> None:
    """Region less the other county is what it counts, if that is shown."""
    world = few("without regions", k0401=130, k0501=3, k0101=40)
    counts = world.counted()
    hidden = world.withheld_of(counts)
    assert {place.code for place in hidden if place.level == "lan" and place.group == TOTAL} == {"04", "05"}
    assert attack_intervals(counts, hidden, world.where).disclosed == []


def test_few_offences_without_a_place_have_other_values() -> None:
    """Country less regions says at least three; at most, the country less the counties that are shown."""
    world = few("without regions", okand=3, k0101=40, k0201=1, k0401=40, k0501=40)
    counts = world.counted()["not cleared"]
    hidden = world.withheld_of(world.counted())
    shown = {place: None if place in hidden else count for place, count in counts.items()}
    assert Bounds(shown, world.where, exact=[]).interval(Place("lan", "okand")) == range(3, 45)
    # A limit of what is promised: who knows that the regions are exact knows this one, too.
    regions = ["north", "south"]
    assert Bounds(shown, world.where, exact=regions).interval(Place("lan", "okand")) == range(3, 4)
    assert attack_intervals(world.counted(), hidden, world.where).disclosed == []


@pytest.mark.parametrize("seed", TOLD_ONCE)
def test_worlds_that_were_told_once(seed: int) -> None:
    """By a rule that lacked a step."""
    world = random_world(seed)
    counts = world.counted()
    assert attack_intervals(counts, world.withheld_of(counts), world.where).disclosed == []


def test_the_attackers_find_what_only_the_threshold_rule_withholds() -> None:
    """An attacker who finds nothing anywhere would say nothing."""
    by_bounds, by_pattern = Found(), Found()
    for seed in range(0, 40, 2):
        world = random_world(seed)
        counts = world.counted()

        def small(counts: Mapping[str, Mapping[Place, int]]) -> set[Place]:
            return {
                Place(*cell)
                for cell in tabulate({}, world.groups, world.where.county_of, world.where.region_of).counts  # noqa: B023
                if any(0 < of[Place(*cell)] <= BELOW for of in counts.values())
            }

        by_bounds.add(attack_intervals(counts, small(counts), world.where))
        by_pattern.add(attack_pattern(counts, small(counts), world.where, [], small, WORLDS_TRIED) or Found())
    assert len(by_bounds.disclosed) > 20
    assert len(by_pattern.disclosed) > 10


# --- the warehouse, against an attacker with linear programming --------------------------------------------------------


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = settings_in(tmp_path_factory.mktemp("world"), suppress_below=BELOW)
    dirty_world(made.landing, seed=70, offences_per_year=1500, years=(2023, 2024), dirt=0.002)
    build(made)
    return made


def attack_warehouse(connection: duckdb.DuckDBPyConnection) -> Found:
    """Attack all that is published of each indicator and year by linear programming."""
    places = connection.execute(
        "select geography_level, geography_code, coalesce(county_code, 'okand'), region_code from marts.dim_geography"
    ).fetchall()
    where = Map(
        {code: county for level, code, county, _ in places if level == "kommun"},
        {code: region for level, code, _, region in places if level == "lan"},
    )
    found = Found()
    for indicator, year in connection.execute(
        "select distinct indicator_id, year from marts.fct_indicator_year where suppression is not null order by all"
    ).fetchall():
        rows = connection.execute(
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
        cleared, not_cleared = ({Place(*row[:3]): row[column] for row in rows} for column in (4, 5))
        hidden = [Place(*row[:3]) for row in rows if row[3]]
        found.add(attack_intervals({"cleared": cleared, "not cleared": not_cleared}, hidden, where))
    return found


def test_linear_programming_finds_no_small_count_of_the_warehouse(world: Settings) -> None:
    with duckdb.connect(str(world.home / paths.WAREHOUSE), read_only=True) as connection:
        found = attack_warehouse(connection)
    assert found.attacked > 400
    assert found.disclosed == []


def test_nor_of_years_without_regions_or_places(settings: Settings) -> None:
    places = settings.model_copy(update={"suppress_below": BELOW})
    years = dict(zip((2021, 2022, 2023), KINDS, strict=True))
    write_world(places.landing, deliveries_of(years, offences_per_year=600, seed=5))
    build(places)
    with duckdb.connect(str(places.home / paths.WAREHOUSE), read_only=True) as connection:
        found = attack_warehouse(connection)
    assert found.attacked > 200
    assert found.disclosed == []


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
        cleared, processed = int(line["cleared"]), int(line["processed"])
        assert not {cleared, processed - cleared} & {1, 2, 3, 4} or line["because"] == SMALL


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
