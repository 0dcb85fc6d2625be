"""Withheld figures: what is small is not shown, and nobody who has all that is published can work it out."""

from __future__ import annotations

import csv
from collections import Counter

import duckdb
import pytest
from attacker import COLUMNS, MEASURES, PARTS, Place, Row, Wanted, bounds, learn, possible_values
from conftest import copied, settings_in
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference.worlds import dirty_world
from warehouse import build

from dagster_project.disclosure.suppression import Cell, Counts, Offence, Table, is_small, withhold
from dagster_project.disclosure.withheld import count_figures_withheld_since, remember_withheld
from dagster_project.settings import Settings

BELOW = 5
GROUPS = ("kvinna", "man", "okand")
COUNTY_OF = {"0101": "01", "0102": "01", "0103": "01", "0201": "02", "0202": "02", "0301": "03", "okand": "okand"}


# --- small worlds, against an exact attacker -------------------------------------------------------------------------

# How an offence ended and whether there was a suspect: what a row's columns tell of it.
ENDS = [(part, suspect) for part in PARTS for suspect in (True, False) if suspect or not part.startswith("cleared")]


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Some offences in a few municipalities, mostly few, sometimes many of a sort in one place."""
    lines = draw(
        st.lists(
            st.tuples(
                st.sampled_from(sorted(COUNTY_OF)),
                st.sampled_from(GROUPS),
                st.sampled_from(ENDS),
                st.sampled_from([1, 1, 1, 2, 3, 5, 20]),
            ),
            min_size=1,
            max_size=14,
        )
    )
    offences: Counter[Offence] = Counter()
    for place, group, (part, suspect), number in lines:
        offences[Offence(place, group, (part.startswith("cleared"), f"{part} {suspect}"))] += number
    return Table(offences, GROUPS, COUNTY_OF)


def rows_of(table: Table, hidden: set[Cell]) -> dict[Place, Row]:
    """Rows of fct_indicator_year as they would be published."""
    rows: dict[Place, dict[str, int | None]] = {
        Place(*cell): dict.fromkeys(("processed", *COLUMNS), 0) for cell in table.counts
    }
    rows |= {Place("riket", "SE", group): dict.fromkeys(("processed", *COLUMNS), 0) for group in ("total", *GROUPS)}
    for (municipality, group, (_, kind)), number in table.offences.items():
        part, suspect = kind.split()
        county = table.county_of[municipality]
        for place in (
            Place("riket", "SE", "total"), Place("riket", "SE", group), Place("lan", county, "total"),
            Place("lan", county, group), Place("kommun", municipality, "total"),
        ):  # fmt: skip
            for column in ("processed", part, *(["with_suspect"] if suspect == "True" else [])):
                rows[place][column] += number  # type: ignore[operator]
    for cell in hidden:
        rows[Place(*cell)] = dict.fromkeys(("processed", *COLUMNS))
    return rows  # type: ignore[return-value]


def small_counts(counts: Counts) -> dict[str, int]:
    named = {"cleared": counts.cleared, "not cleared": counts.not_cleared, "processed": sum(counts)}
    return {name: count for name, count in named.items() if 1 <= count < BELOW}


def enough(country: Row, measure: str) -> int:
    """Three values, or as many as the country's own count leaves."""
    return min(3, 1 + sum(country[part] or 0 for part in MEASURES[measure]))


def assert_nothing_is_told(table: Table) -> None:
    """Every small count is withheld and could be at least three numbers for all that is published."""
    withheld = {one.cell: one for one in withhold(table, BELOW)}
    rows = rows_of(table, set(withheld))
    primary = [Place(*cell) for cell, one in withheld.items() if one.suppression == "primary"]
    known = learn(rows, COUNTY_OF, primary)
    for cell, counts in table.counts.items():
        for measure, truth in small_counts(counts).items():
            assert cell in withheld
            found = list(possible_values(known, Wanted(Place(*cell), measure), truth, primary, BELOW))
            assert truth in found
            assert len(found) >= enough(rows[Place("riket", "SE", cell.group)], measure), (cell, measure, found)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(table=tables())
def test_an_exact_attacker_finds_no_small_count_of_a_small_world(table: Table) -> None:
    assert_nothing_is_told(table)


def test_the_sum_of_two_hidden_parts_is_hidden() -> None:
    """One offence that was cleared and one that was not: each part could be another number, and so must be both together."""
    cleared, not_cleared = (True, "cleared_indictment True"), (False, "limited_investigated True")
    offences = Counter({Offence("0101", "kvinna", kind): 1 for kind in (cleared, not_cleared)})
    assert_nothing_is_told(Table(offences, GROUPS, COUNTY_OF))


def test_an_offence_is_exchanged_once() -> None:
    """Of the kind that both counties have, one has a single man: exchanging him twice would make a world that cannot be."""
    both, here, there = (
        (False, f"{part} False") for part in ("other_dismissed", "limited_dismissed", "limited_investigated")
    )
    assert_nothing_is_told(
        Table(
            Counter(
                {
                    Offence("0101", "kvinna", both): 2,
                    Offence("0101", "man", both): 1,
                    Offence("0101", "man", here): 40,
                    Offence("0101", "okand", here): 1000,
                    Offence("0201", "kvinna", both): 1,
                    Offence("0201", "kvinna", there): 30,
                    Offence("0201", "man", there): 30,
                }
            ),
            GROUPS,
            COUNTY_OF,
        )
    )


def test_a_municipality_without_offences_gives_none() -> None:
    """What is small in one municipality is hidden by its neighbours that have offences; the counties need not be withheld."""
    waived = (True, "cleared_waiver True")
    offences = Counter(
        {
            Offence("0101", "kvinna", waived): 1,
            Offence("0103", "kvinna", waived): 50,
            Offence("0201", "kvinna", waived): 50,
        }
    )
    withheld = {one.cell for one in withhold(Table(offences, GROUPS, COUNTY_OF), BELOW)}
    assert {cell.level for cell in withheld} == {"kommun"}


def test_the_attacker_finds_what_is_withheld_alone() -> None:
    """An attacker who finds nothing anywhere would prove nothing."""
    table = Table(Counter({Offence("0101", "kvinna", (False, "other_dismissed False")): 3}), GROUPS, COUNTY_OF)
    alone = Cell("kommun", "0101")
    known = learn(rows_of(table, {alone}), COUNTY_OF, [Place(*alone)])
    wanted = Wanted(Place(*alone), "processed")
    assert list(possible_values(known, wanted, 3, [Place(*alone)], BELOW)) == [3]
    assert bounds(known, [wanted]) == {wanted: 1}


def test_a_label_that_would_tell_is_not_given() -> None:
    """Two offences in the country, one in each of two counties: were both called small, all would be told."""
    kind = (False, "other_dismissed False")
    offences = Counter({Offence("0101", "kvinna", kind): 1, Offence("0201", "kvinna", kind): 1})
    withheld = {one.cell: one for one in withhold(Table(offences, GROUPS, COUNTY_OF), BELOW)}
    counties = [withheld[Cell("lan", code)] for code in ("01", "02")]
    assert [one.possible_values for one in counties] == [3, 3]
    assert "secondary" in {one.suppression for one in counties}
    assert all(one.because == "not cleared, processed from 1 to 4" for one in counties)


def test_large_counts_and_zeros_are_shown() -> None:
    kinds = [(True, "cleared_waiver True"), (False, "other_dismissed False")]
    offences = Counter({Offence(code, "kvinna", kind): 40 for code in COUNTY_OF for kind in kinds})
    assert withhold(Table(offences, GROUPS, COUNTY_OF), BELOW) == []


@pytest.mark.parametrize(
    ("counts", "small"),
    [
        ((0, 0), False),
        ((0, 1), True),
        ((4, 0), True),
        ((5, 4), True),
        ((4, 90), True),
        ((5, 5), False),
        ((0, 5), False),
    ],
)
def test_small_is_from_one_to_four(counts: tuple[int, int], small: bool) -> None:
    assert is_small(Counts(*counts), BELOW) == small


def test_what_was_withheld_stays_withheld() -> None:
    offences = Counter({Offence("0101", "kvinna", (False, "other_dismissed False")): 40})
    cell = Cell("kommun", "0101")
    (kept,) = withhold(Table(offences, GROUPS, COUNTY_OF), BELOW, {cell: "primary", Cell("kommun", "9999"): "primary"})
    assert (kept.cell, kept.suppression, kept.because) == (cell, "secondary", "withheld in an earlier publication")


# --- the warehouse, against an attacker with linear programming --------------------------------------------------------


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = settings_in(tmp_path_factory.mktemp("world"), suppress_below=BELOW)
    dirty_world(made.landing, seed=70, offences_per_year=1500, years=(2023, 2024), dirt=0.002)
    build(made)
    return made


def published_rows(
    connection: duckdb.DuckDBPyConnection, indicator: str, year: int
) -> tuple[dict[Place, Row], list[Place]]:
    """The rows of the decided variant but those of regions, and which of them are labelled primary."""
    columns = ("processed", *COLUMNS)
    found = connection.execute(
        f"""
        select geography_level, geography_code, victim_group, suppression, {", ".join(columns)}
        from marts.fct_indicator_year
        where indicator_id = ? and year = ? and variant = 'beslutad' and geography_level <> 'polisregion'""",
        [indicator, year],
    ).fetchall()
    rows = {Place(*row[:3]): dict(zip(columns, row[4:], strict=True)) for row in found}
    return rows, [Place(*row[:3]) for row in found if row[3] == "primary"]


def attack_warehouse(connection: duckdb.DuckDBPyConnection) -> tuple[int, list[tuple[str, int, Wanted, int]]]:
    """How many small counts were attacked, and those that could be told to within fewer values than there have to be."""
    county_of = dict(
        connection.execute(
            "select geography_code, coalesce(county_code, 'okand') from marts.dim_geography where geography_level = 'kommun'"
        ).fetchall()
    )
    attacked, told = 0, []
    for indicator, year in connection.execute(
        "select distinct indicator_id, year from marts.fct_indicator_year where suppression is not null order by all"
    ).fetchall():
        rows, primary = published_rows(connection, indicator, year)
        counted = connection.execute(
            """
            select geography_level, geography_code, victim_group, cleared, processed - cleared
            from intermediate.int_figure_year
            where indicator_id = ? and year = ? and geography_level in ('lan', 'kommun')""",
            [indicator, year],
        ).fetchall()
        small = [
            Wanted(Place(*row[:3]), measure) for row in counted for measure in small_counts(Counts(row[3], row[4]))
        ]
        attacked += len(small)
        for wanted, values in bounds(learn(rows, county_of, primary), small).items():
            if values < enough(rows[Place("riket", "SE", wanted.place.group)], wanted.measure):
                told.append((indicator, year, wanted, values))
    return attacked, told


def test_linear_programming_finds_no_small_count_of_the_warehouse(world: Settings) -> None:
    with duckdb.connect(str(world.warehouse_file), read_only=True) as connection:
        attacked, told = attack_warehouse(connection)
    assert attacked > 500
    assert told == []


def test_other_tables_show_no_county_that_the_figures_withhold(world: Settings) -> None:
    with duckdb.connect(str(world.warehouse_file), read_only=True) as connection:
        for table in ("fct_case_flow_year", "fct_processing_time_year"):
            shown, hidden = connection.execute(
                f"""
                select count(*) filter (where other.offences is not null), count(*)
                from marts.{table} as other
                inner join marts.fct_indicator_year as figure
                    using (indicator_id, variant, year, geography_level, geography_code)
                where figure.victim_group = 'total' and figure.suppression is not null"""
            ).fetchone()  # type: ignore[misc]
            assert hidden > 0
            assert shown == 0
        levels = connection.execute(
            "select distinct geography_level from marts.fct_report_lag_year union select distinct geography_level from "
            "marts.fct_case_flow_year where geography_level = 'kommun'"
        ).fetchall()
        assert set(levels) == {("riket",), ("polisregion",)}


def test_the_private_account_says_why(world: Settings) -> None:
    with world.suppression_audit.open(encoding="utf-8", newline="") as file:
        account = list(csv.DictReader(file))
    with duckdb.connect(str(world.warehouse_file), read_only=True) as connection:
        (hidden,) = connection.execute(
            "select count(*) from marts.fct_indicator_year where suppression is not null"
        ).fetchone() or (0,)
    assert len(account) == hidden > 0
    assert world.suppression_audit.stat().st_mode & 0o077 == 0
    for line in account:
        small = small_counts(Counts(int(line["cleared"]), int(line["processed"]) - int(line["cleared"])))
        assert bool(line["hides"]) != bool(small)
        assert bool(line["possible_values"]) == bool(small)


def hidden_and_labels(settings: Settings) -> set[tuple[object, ...]]:
    with duckdb.connect(str(settings.warehouse_file), read_only=True) as connection:
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
    places.warehouse_file.unlink()
    build(places)
    assert hidden_and_labels(places) == before
    shown = places.model_copy(update={"suppress_below": 1})
    build(shown)
    assert {key[:-1] for key in hidden_and_labels(shown)} == {key[:-1] for key in before}


def test_a_file_that_shows_what_was_withheld_is_known(world: Settings, settings: Settings) -> None:
    places = copied(world, settings).model_copy(update={"suppress_below": BELOW})
    remember_withheld(places)
    file, hidden = places.home / "figures.parquet", len(hidden_and_labels(places))
    with duckdb.connect(str(places.warehouse_file), read_only=True) as connection:
        for shown, label in ((hidden, "null::varchar"), (0, "suppression")):
            connection.execute(
                f"copy (select * replace ({label} as suppression) from marts.fct_indicator_year) to '{file}' (format parquet)"
            )
            assert count_figures_withheld_since(places, file) == shown


def test_what_is_secondary_stays_that() -> None:
    """A label that says more than an earlier one did might tell why it said less."""
    offences = Counter({Offence(code, "kvinna", (False, "other_dismissed False")): 3 for code in COUNTY_OF})
    table = Table(offences, GROUPS, COUNTY_OF)
    cell = Cell("kommun", "0101")
    assert {one.cell: one.suppression for one in withhold(table, BELOW)}[cell] == "primary"
    assert {one.cell: one.suppression for one in withhold(table, BELOW, {cell: "secondary"})}[cell] == "secondary"


@pytest.mark.parametrize("value", ["0", "-1", "five", "2.5"])
def test_a_threshold_that_is_none_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPPKLARAT_SUPPRESS_BELOW", value)
    with pytest.raises(ValueError, match="UPPKLARAT_SUPPRESS_BELOW: Input should be"):
        Settings.from_environment()
