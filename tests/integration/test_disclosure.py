"""Withheld figures: what is small is not shown, and nobody who has all that is published can work it out."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

import duckdb
import pytest
from attacker import SENSITIVE, Bounds, Found, Map, Place, attack_intervals, attack_pattern, leaves_room
from conftest import copied, settings_in
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.worlds import dirty_world, write_world
from small_worlds import (
    BELOW,
    KINDS,
    MEASURES,
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
from dagster_project.disclosure import suppression
from dagster_project.disclosure.suppression import EARLIER, SMALL, Cell, Counts, Table, is_small, tabulate, withhold
from dagster_project.disclosure.withheld import count_figures_withheld_since, remember_withheld
from dagster_project.settings import REPOSITORY, Settings

COUNTY_OF = {
    **{f"01{number:02}": "01" for number in (1, 2, 3, 4)}, "0201": "02", "0202": "02", "0301": "03", "0401": "04", "0501": "05",
    "0601": "06", "okand": "okand",
}  # fmt: skip
REGION_OF = {"01": "north", "02": "north", "03": "north", "04": "north", "05": "south", "06": "south", "okand": None}
MANY = {(code, cleared): 40 for code in COUNTY_OF for cleared in (True, False)}
# By a rule that lacked a step.
TOLD_ONCE = (12, 28, 60, 110, 166, 340, 343, 375, 459, 646, 968)
Offences = Mapping[tuple[str, bool], int]


def withheld_of(offences: Offences, before: Sequence[Cell] = ()) -> dict[Cell, str]:
    return withhold(tabulate(offences, COUNTY_OF, REGION_OF), BELOW, before)


def codes(level: str, withheld: Collection[Cell]) -> set[str]:
    return {cell.code for cell in withheld if cell.level == level}


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
    assert withheld_of(MANY) == {}
    assert withheld_of({**MANY, ("0301", True): 0}) == {}
    assert withheld_of({}) == {}


def test_a_small_county_takes_the_first_two_of_its_region_with_it() -> None:
    """And all below these; another county and the other region are left alone."""
    withheld = withheld_of({**MANY, ("0301", True): 3})
    assert codes("lan", withheld) == {"01", "02", "03"}
    assert codes("kommun", withheld) == {"0101", "0102", "0103", "0104", "0201", "0202", "0301"}
    assert {cell for cell, reason in withheld.items() if reason == SMALL} == {Cell("lan", "03"), Cell("kommun", "0301")}


def test_a_small_municipality_takes_the_first_two_of_its_county_with_it() -> None:
    assert set(withheld_of({**MANY, ("0104", False): 2})) == {Cell("kommun", code) for code in ("0101", "0102", "0104")}
    assert set(withheld_of({**MANY, ("0102", False): 2})) == {Cell("kommun", code) for code in ("0101", "0102")}


@pytest.mark.parametrize(("small", "partners", "is_enough"), [(1, 5, True), (1, 4, False), (3, 3, True), (5, 0, False)])
def test_all_are_withheld_where_those_withheld_count_too_little(small: int, partners: int, is_enough: bool) -> None:
    """Fewer than five, and one more for each that is no partner; in the other measure the partners count enough."""
    offences = {**MANY, ("0101", True): partners, ("0102", True): 0, ("0104", True): small}
    assert codes("kommun", withheld_of(offences)) == {"0101", "0102", *(() if is_enough else ["0103"]), "0104"}


def test_what_nobody_counts_hides_nothing() -> None:
    """A county in which nothing is cleared shows that, and hides the rest as any other."""
    offences = {(code, cleared): 0 if cleared else 40 for code, cleared in MANY}
    assert codes("kommun", withheld_of({**offences, ("0104", False): 2})) == {"0101", "0102", "0104"}


@pytest.mark.parametrize(("number", "withheld"), [(0, False), (1, True), (10, True), (11, False)])
def test_few_offences_without_a_known_place_take_the_last_region_with_them(number: int, withheld: bool) -> None:
    """They are the country less all counties. Up to ten are withheld, so that a four is not known to be at most five."""
    expected = {"05", "06", "okand"} if withheld else set()
    assert codes("lan", withheld_of({**MANY, ("okand", True): number})) == expected


def test_offences_without_a_known_place_are_shown_beside_a_region_that_is_withheld_in_part() -> None:
    withheld = codes("lan", withheld_of({**MANY, ("okand", True): 3, ("0301", True): 3}))
    assert withheld == {"01", "02", "03", "05", "06", "okand"}


def test_they_are_withheld_beside_a_whole_region() -> None:
    """Which would be the country less the others otherwise."""
    assert codes("lan", withheld_of({**MANY, ("0501", True): 3})) == {"05", "06", "okand"}


@pytest.mark.parametrize(("unknown", "is_enough"), [(5, True), (4, False)])
def test_whole_regions_are_withheld_until_there_is_enough(unknown: int, is_enough: bool) -> None:
    few = {("0501", True): 6, ("0601", True): 0, ("okand", True): unknown}
    north = () if is_enough else ("01", "02", "03", "04")
    assert codes("lan", withheld_of({**MANY, **few})) == {"05", "06", "okand", *north}


def test_what_was_withheld_stays_withheld_and_is_not_alone() -> None:
    withheld = withheld_of(MANY, [Cell("kommun", "0103"), Cell("kommun", "9999")])
    assert withheld[Cell("kommun", "0103")] == EARLIER
    assert set(withheld) == {Cell("kommun", "0101"), Cell("kommun", "0102"), Cell("kommun", "0103")}
    assert codes("lan", withheld_of(MANY, [Cell("lan", "okand")])) == {"05", "06", "okand"}


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.sampled_from(sorted(COUNTY_OF)), st.booleans()), st.sampled_from([1, 1, 2, 3, 5, 8, 20])
    )
)
def test_what_is_decided_once_is_decided_alike_with_a_memory(offences: Offences) -> None:
    withheld = withheld_of(offences)
    assert set(withheld_of(offences, list(withheld))) == set(withheld)


def test_no_county_is_alone_in_its_region() -> None:
    """Its counts would be those of the region, which are published."""
    with (REPOSITORY / "dbt/seeds/county.csv").open(encoding="utf-8", newline="") as file:
        regions = [row["region_code"] for row in csv.DictReader(file) if row["region_code"]]
    assert regions
    assert min(Counter(regions).values()) > 1


# --- all worlds of one sum --------------------------------------------------------------------------------------------

# Number of terms, and the most that is cleared and not cleared.
EXTENTS = ((2, 12, 6), (3, 9, 4), (4, 14, 0), (4, 6, 2), (5, 11, 0))


class Labelled(NamedTuple):
    """What the terms of a sum count, by measure, and which are withheld."""

    counts: tuple[tuple[int, ...], tuple[int, ...]]
    withheld: tuple[bool, ...]

    @property
    def sensitive(self) -> tuple[bool, ...]:
        return tuple(is_small(Counts(*both), BELOW) for both in zip(*self.counts, strict=True))

    @property
    def shown(self) -> tuple[object, ...]:
        """Which are withheld, and what the others count; the sum is known besides."""
        columns = (
            tuple(None if hidden else count for count, hidden in zip(of, self.withheld, strict=True))
            for of in self.counts
        )
        return (self.withheld, *map(sum, self.counts), *columns)


def compositions(total: int, terms: int) -> list[tuple[int, ...]]:
    if terms == 1:
        return [(total,)]
    return [(first, *rest) for first in range(total + 1) for rest in compositions(total - first, terms - 1)]


def labelled_worlds(terms: int, cleared: int, not_cleared: int) -> Iterator[Labelled]:
    """All worlds of a region with these sums, and so of a county, which is the same rule."""
    counties = [Cell("lan", str(number)) for number in range(terms)]
    below = {county.code: () for county in counties}
    for counts in product(compositions(cleared, terms), compositions(not_cleared, terms)):
        of = dict(zip(counties, map(Counts._make, zip(*counts, strict=True)), strict=True))
        table = Table({**of, Cell("lan", "okand"): Counts()}, {**below, "okand": ()}, {"region": counties})
        withheld = withhold(table, BELOW)
        yield Labelled(counts, tuple(county in withheld for county in counties))


def revealed_by_labels(extents: Sequence[tuple[int, int, int]]) -> tuple[int, list[Labelled]]:
    """How many small counts there are, and the worlds in which one has fewer values than are promised."""
    attacked, revealed = 0, []
    for terms, most_cleared, most_not in extents:
        for sums in product(range(most_cleared + 1), range(most_not + 1)):
            alike: dict[tuple[object, ...], list[Labelled]] = defaultdict(list)
            for world in labelled_worlds(terms, *sums):
                alike[world.shown].append(world)
            for worlds in alike.values():
                for measure, term in product((0, 1), range(terms)):
                    values = {world.counts[measure][term] for world in worlds}
                    for world in worlds:
                        truth = world.counts[measure][term]
                        if world.withheld[term] and truth in SENSITIVE:
                            attacked += 1
                            if not leaves_room(sorted(values), truth, sums[measure]):
                                revealed.append(world)
    return attacked, revealed


def test_labels_tell_no_small_count_of_any_sum() -> None:
    attacked, revealed = revealed_by_labels(EXTENTS)
    print(f"{attacked:,} small counts in all worlds of {EXTENTS}")
    assert attacked > 25_000
    assert revealed == []


def test_worlds_with_equal_published_values_and_equal_sensitive_cells_have_equal_labels() -> None:
    """Unless all terms are withheld in one of them, which tells that the partners and the sensitive ones count too little."""
    compared = 0
    for terms, most_cleared, most_not in EXTENTS:
        for sums in product(range(most_cleared + 1), range(most_not + 1)):
            same: dict[tuple[bool, ...], list[Labelled]] = defaultdict(list)
            for world in labelled_worlds(terms, *sums):
                same[world.sensitive].append(world)
            for worlds in same.values():
                published = {world.shown: world.withheld for world in worlds}
                for shown, withheld in published.items():
                    if not all(withheld):
                        alike = [one for one in worlds if one._replace(withheld=withheld).shown == shown]
                        compared += len(alike)
                        assert {one.withheld for one in alike if not all(one.withheld)} == {withheld}
                        assert all(one.withheld == withheld for one in alike)
    assert compared > 1_000


@pytest.mark.parametrize(
    ("step", "weaker"),
    [
        ("PARTNERS", 0),
        ("_count_enough", lambda *_: True),
        ("_count_enough", lambda counts, some, least: is_five(counts, some)),
    ],
)
def test_labels_tell_if_the_rule_is_weaker(step: str, weaker: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suppression, step, weaker)
    assert len(revealed_by_labels([(4, 12, 0)])[1]) > 1


def is_five(counts: Mapping[Cell, Counts], some: Collection[Cell]) -> bool:
    """Whether there are five, however many are no partners."""
    return all(sum(column) >= BELOW or not any(column) for column in zip(*(counts[cell] for cell in some), strict=True))


# --- all worlds of a small country --------------------------------------------------------------------------------------

SMALL_COUNTRY = {"first": ("A", "B"), "last": ("C", "D")}
MOST_OFFENCES = 14


class Country(NamedTuple):
    """What four counties and `okand` count, what their regions do, and which of these are exact sums."""

    counts: tuple[int, ...]
    regions: tuple[int, int]
    exact: tuple[bool, bool]

    def withheld(self) -> tuple[bool, ...]:
        regions = {name: [Cell("lan", code) for code in of] for name, of in SMALL_COUNTRY.items()}
        cells = [*regions["first"], *regions["last"], Cell("lan", "okand")]
        table = Table(
            {cell: Counts(count) for cell, count in zip(cells, self.counts, strict=True)},
            {cell.code: () for cell in cells},
            regions,
        )
        withheld = withhold(table, BELOW)
        return tuple(cell in withheld for cell in cells)


def small_countries(offences: int) -> Iterator[Country]:
    """All countries of so many offences, each in a county or without a place, and then in a region or in none."""
    for *counties, first, last, nowhere in compositions(offences, 7):
        a, b, c, d = counties
        yield Country((a, b, c, d, first + last + nowhere), (a + b + first, c + d + last), (not first, not last))


def test_no_small_county_of_any_small_country_is_told() -> None:
    """Whichever regions are known to be the exact sums of their counties; the others are at least these."""
    attacked = 0
    for offences in range(1, MOST_OFFENCES + 1):
        alike: dict[tuple[object, ...], set[tuple[int, ...]]] = defaultdict(set)
        for country in small_countries(offences):
            withheld = country.withheld()
            shown = tuple(None if hidden else count for count, hidden in zip(country.counts, withheld, strict=True))
            for reading in product(*[(False, True) if exact else (False,) for exact in country.exact]):
                alike[country.regions, shown, reading].add(country.counts)
        for (regions, shown, _), worlds in alike.items():
            for number in range(4):
                values = sorted({world[number] for world in worlds})
                for truth in values:
                    if truth in SENSITIVE:
                        attacked += 1
                        assert shown[number] is None
                        assert leaves_room(values, truth, regions[number // 2])
    assert attacked > 25_000


# --- small worlds, against attackers who know the rule ----------------------------------------------------------------


@pytest.fixture(scope="module")
def attacked_worlds() -> dict[str, Attacked]:
    return attack_random_worlds(range(99))


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_finds_a_small_count_of_random_worlds(kind: str, attacked_worlds: dict[str, Attacked]) -> None:
    """By the bounds that sums set, or by running the rule on every world that fits what is published."""
    attacked = attacked_worlds[kind]
    print(f"{kind}: {attacked}")
    assert attacked.worlds == 33
    assert attacked.intervals.attacked == attacked.pattern.attacked > 400
    assert attacked.intervals.disclosed == attacked.pattern.disclosed == []
    assert attacked.pattern.undecided == 0


def few(kind: str, **counts: int) -> World:
    """Uncleared offences, by municipality; what has no place has no region either."""
    numbers = {code.removeprefix("k"): count for code, count in counts.items()}
    offences = {Offence(code, REGION_OF[COUNTY_OF[code]], "not cleared"): count for code, count in numbers.items()}
    return World(kind, Map(COUNTY_OF, REGION_OF), offences)


def test_few_offences_without_a_place_have_other_values() -> None:
    """Country less regions says at least three; at most, the country less the counties that are shown."""
    world = few("without regions", okand=3, k0101=40, k0201=40, k0301=40, k0401=40, k0501=20, k0601=20)
    counts = world.counted()["not cleared"]
    hidden = world.withheld_of(world.counted())
    shown = {place: None if place in hidden else count for place, count in counts.items()}
    assert Bounds(shown, world.where, {"north": False, "south": False}).interval(Place("lan", "okand")) == range(3, 44)
    # A limit of what is promised: who knows that the regions are exact knows this one, too.
    assert Bounds(shown, world.where, {"north": True, "south": True}).interval(Place("lan", "okand")) == range(3, 4)
    assert attack_intervals(world.counted(), hidden, world.where).disclosed == []


@pytest.mark.parametrize("seed", TOLD_ONCE)
def test_worlds_that_were_told_once(seed: int) -> None:
    """By a rule or to an attacker that lacked a step."""
    found = attack_random_worlds([seed])[random_world(seed).kind]
    assert (found.intervals.disclosed, found.pattern.disclosed, found.pattern.undecided) == ([], [], 0)


@pytest.mark.parametrize(
    ("step", "weaker", "seeds"),
    [
        ("_count_enough", lambda *_: True, (0, 16, 23, 58)),
        ("_complements", lambda *_: (), (4, 7, 10, 12, 15, 22)),
        ("_country_complements", lambda *_: (), (39, 58, 62, 74, 110, 132)),
    ],
)
def test_the_attackers_find_what_a_weaker_rule_tells(
    step: str, weaker: object, seeds: Sequence[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attacker who finds nothing anywhere would say nothing."""
    monkeypatch.setattr(suppression, step, weaker)
    found = Found()
    for attacked in attack_random_worlds(seeds).values():
        found.add(attacked.intervals)
        found.add(attacked.pattern)
    print(step, len(found.disclosed), found.undecided)
    assert found.disclosed


# --- the warehouse, against an attacker with linear programming --------------------------------------------------------


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = settings_in(tmp_path_factory.mktemp("world"), suppress_below=BELOW)
    dirty_world(made.landing, seed=70, offences_per_year=1500, years=(2023, 2024), dirt=0.002)
    build(made)
    return made


def attack_warehouse(connection: duckdb.DuckDBPyConnection, years: Sequence[int] = ()) -> Attacked:
    """Attack all that is published of each indicator and year, or of some years, by both means."""
    places = connection.execute(
        "select geography_level, geography_code, coalesce(county_code, 'okand'), region_code from marts.dim_geography"
    ).fetchall()
    where = Map(
        {code: county for level, code, county, _ in places if level == "kommun"},
        {code: region for level, code, _, region in places if level == "lan"},
    )
    withheld_of = World("", where, {}).withheld_of
    attacked = Attacked(0, Found(), Found())
    for indicator, year in connection.execute(
        "select distinct indicator_id, year from marts.fct_indicator_year where suppression is not null order by all"
    ).fetchall():
        if years and year not in years:
            continue
        rows = connection.execute(
            """
            select
                geography_level, geography_code, suppression is not null,
                counted.cleared, counted.processed - counted.cleared
            from marts.fct_indicator_year as figure
            inner join intermediate.int_figure_year as counted
                using (indicator_id, variant, year, geography_level, geography_code, victim_group)
            where indicator_id = ? and year = ? and variant = 'beslutad' and victim_group = 'total'""",
            [indicator, year],
        ).fetchall()
        measures = {
            measure: {Place(*row[:2]): row[3 + number] for row in rows} for number, measure in enumerate(MEASURES)
        }
        hidden = [Place(*row[:2]) for row in rows if row[2]]
        attacked.intervals.add(attack_intervals(measures, hidden, where))
        attacked.pattern.add(attack_pattern(measures, hidden, where, withheld_of, WORLDS_TRIED))
    return attacked


def test_nobody_finds_a_small_count_of_the_warehouse(world: Settings) -> None:
    with duckdb.connect(str(world.home / paths.WAREHOUSE), read_only=True) as connection:
        found = attack_warehouse(connection)
    assert found.intervals.attacked > 400
    assert found.intervals.disclosed == found.pattern.disclosed == []
    assert found.pattern.undecided == 0


def test_nor_of_years_without_regions_or_places(settings: Settings) -> None:
    places = settings.model_copy(update={"suppress_below": BELOW})
    years = dict(zip((2021, 2022, 2023), KINDS, strict=True))
    write_world(places.landing, deliveries_of(years, offences_per_year=600, seed=5))
    build(places)
    with duckdb.connect(str(places.home / paths.WAREHOUSE), read_only=True) as connection:
        found = attack_warehouse(connection)
    assert found.intervals.attacked > 200
    assert found.intervals.disclosed == found.pattern.disclosed == []
    assert found.pattern.undecided == 0


def test_other_tables_end_at_the_region(world: Settings) -> None:
    with duckdb.connect(str(world.home / paths.WAREHOUSE), read_only=True) as connection:
        for table in (
            "fct_case_flow_year",
            "fct_processing_time_year",
            "fct_prosecution_year",
            "fct_report_lag_year",
            "fct_reported_year",
        ):
            levels = connection.execute(f"select distinct geography_level from marts.{table} order by 1").fetchall()
            # Nothing is in the table of reported offences without reports.csv.
            assert levels == ([] if table == "fct_reported_year" else [("polisregion",), ("riket",)])


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


@pytest.mark.parametrize("value", ["0", "-1", "2", "five", "2.5"])
def test_a_threshold_that_is_none_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPPKLARAT_SUPPRESS_BELOW", value)
    with pytest.raises(ValueError, match=r"UPPKLARAT_SUPPRESS_BELOW: .*Input should be"):
        Settings.from_environment()
