"""Pins the reference implementation itself, with numbers calculated by hand from docs/counting-rules.md."""

from collections import Counter
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from reference.extracts import Decision, Row
from reference.provisions import Provision, parse_provision
from reference.rendering import deliver, neat_file
from reference.rules import (
    MEASURES,
    Cell,
    Counts,
    every_cell,
    expected_counts,
    expected_duplicates,
    expected_quarantine,
    expected_rates,
    expected_rows,
    nonzero_counts,
    outcome,
    percentage,
    quarantined_lines,
    wilson,
)
from reference.worlds import World, dirty_world, offence_row, police_row, prosecution_row, small_worlds, write_world

# --- one offence, several decisions ----------------------------------------------------------------------------------


def police(day: str, kind: str, investigated: str = "N", suspect: str = "N") -> Decision:
    return Decision(("K", 1), date.fromisoformat(f"2022-{day}"), kind, False, investigated == "J", suspect == "J")


def prosecutor(day: str, kind: str, suspect: str = "") -> Decision:
    return Decision(("K", 1), date.fromisoformat(f"2022-{day}"), kind, True, True, suspect != "")


NOT_PROCESSED: set[str] = set()
INDICTED = {"processed", "investigated", "with_suspect", "cleared", "cleared_indictment"}
PENALTY_ORDER = {"processed", "investigated", "with_suspect", "cleared", "cleared_penalty_order"}
WAIVED = {"processed", "investigated", "with_suspect", "cleared", "cleared_waiver"}
LIMITED_INVESTIGATED = {"processed", "investigated", "limited_investigated"}
OTHER_INVESTIGATED = {"processed", "investigated", "other_investigated"}
LIMITED_DISMISSED = {"processed", "dismissed", "limited_dismissed"}
OTHER_DISMISSED = {"processed", "dismissed", "other_dismissed"}
SUSPECT = {"with_suspect"}

OUTCOMES = {
    "dismissed at once": ([police("03-01", "DIREKTAVSKRIVEN")], OTHER_DISMISSED),
    "closed without an investigation": ([police("03-01", "NEDLAGD")], OTHER_DISMISSED),
    "closed after an investigation": ([police("03-01", "NEDLAGD", "J")], OTHER_INVESTIGATED),
    "limited without an investigation": ([police("03-01", "FU_BEGRANSAD")], LIMITED_DISMISSED),
    "limited after an investigation": ([police("03-01", "FU_BEGRANSAD", "J")], LIMITED_INVESTIGATED),
    "a suspect, and still dismissed": ([police("03-01", "NEDLAGD", "N", "J")], OTHER_DISMISSED | SUSPECT),
    "a prosecutor's decision is always investigated": ([prosecutor("03-01", "EJ_ATAL")], OTHER_INVESTIGATED),
    "indicted": ([prosecutor("03-01", "ATAL", "m1")], INDICTED),
    "handing over ends nothing": ([police("03-01", "OVERLAMNAD", "J", "J")], NOT_PROCESSED),
    "reopening ends nothing": ([prosecutor("03-01", "ATERUPPTAGEN", "m1")], NOT_PROCESSED),
    # the highest-ranking
    "indictment before penalty order, whatever the dates": (
        [
            prosecutor("03-01", "ATAL", "m1"),
            prosecutor("03-02", "STRAFFORELAGGANDE", "m2"),
            prosecutor("03-03", "ATALSUNDERLATELSE", "m3"),
        ],
        INDICTED,
    ),
    "penalty order before waiver": (
        [prosecutor("03-01", "STRAFFORELAGGANDE", "m1"), prosecutor("03-03", "ATALSUNDERLATELSE", "m2")],
        PENALTY_ORDER,
    ),
    "waiver before any later closing": (
        [prosecutor("03-01", "ATALSUNDERLATELSE", "m1"), prosecutor("12-31", "NEDLAGD"), police("12-31", "OVRIGT")],
        WAIVED,
    ),
    # limited before other, whatever their dates and authorities
    "limited by the police in February and closed by a prosecutor in May": (
        [police("02-01", "FU_BEGRANSAD"), prosecutor("05-01", "NEDLAGD")],
        LIMITED_INVESTIGATED,
    ),
    "limited after it was closed": (
        [police("03-01", "NEDLAGD", "J"), police("03-02", "FU_BEGRANSAD", "J")],
        LIMITED_INVESTIGATED,
    ),
    "limited before it was closed": (
        [police("03-02", "NEDLAGD", "J"), police("03-01", "FU_BEGRANSAD", "J")],
        LIMITED_INVESTIGATED,
    ),
    "limited by a prosecutor and closed by the police": (
        [prosecutor("03-01", "FU_BEGRANSAD"), police("03-02", "OVRIGT")],
        LIMITED_INVESTIGATED,
    ),
    "limited by the police and closed by a prosecutor on one day": (
        [police("03-01", "FU_BEGRANSAD", "J"), prosecutor("03-01", "NEDLAGD")],
        LIMITED_INVESTIGATED,
    ),
    "on one day limited before other, among the police's": (
        [police("03-01", "NEDLAGD"), police("03-01", "FU_BEGRANSAD")],
        LIMITED_DISMISSED,
    ),
    "on one day limited before other, among prosecutors'": (
        [prosecutor("03-01", "FU_BEGRANSAD"), prosecutor("03-01", "EJ_ATAL"), police("03-01", "NEDLAGD")],
        LIMITED_INVESTIGATED,
    ),
    # investigated and with a suspect by any row of the year
    "an investigation shown by an earlier row": (
        [police("03-01", "NEDLAGD", "J", "J"), police("03-02", "NEDLAGD")],
        OTHER_INVESTIGATED | SUSPECT,
    ),
    "an investigation shown by handing over": (
        [police("03-01", "OVERLAMNAD", "J", "J"), police("03-02", "DIREKTAVSKRIVEN")],
        OTHER_INVESTIGATED | SUSPECT,
    ),
    "an investigation shown by a prosecutor's reopening": (
        [prosecutor("03-01", "ATERUPPTAGEN"), police("03-02", "DIREKTAVSKRIVEN")],
        OTHER_INVESTIGATED,
    ),
    "a suspect shown by a prosecutor's row": ([prosecutor("03-01", "NEDLAGD", "m1")], OTHER_INVESTIGATED | SUSPECT),
    # reopening
    "reopened and nothing more": (
        [police("03-01", "NEDLAGD", "J"), police("03-02", "ATERUPPTAGEN")],
        NOT_PROCESSED,
    ),
    "reopened and decided again": (
        [police("03-01", "FU_BEGRANSAD"), police("03-02", "ATERUPPTAGEN"), police("03-03", "NEDLAGD")],
        OTHER_DISMISSED,
    ),
    "reopened on the day of the decision: not earlier, so not cancelled": (
        [police("03-01", "NEDLAGD"), police("03-01", "ATERUPPTAGEN")],
        OTHER_DISMISSED,
    ),
    "the police reopen what a prosecutor closed": (
        [prosecutor("03-01", "NEDLAGD", "m1"), police("03-02", "ATERUPPTAGEN")],
        NOT_PROCESSED,
    ),
    "a prosecutor reopens what the police closed": (
        [police("03-01", "NEDLAGD"), prosecutor("03-02", "ATERUPPTAGEN")],
        NOT_PROCESSED,
    ),
    "reopened twice: the latest counts": (
        [
            police("03-01", "ATERUPPTAGEN"),
            police("03-02", "FU_BEGRANSAD"),
            police("03-03", "ATERUPPTAGEN"),
            police("03-04", "NEDLAGD"),
        ],
        OTHER_DISMISSED,
    ),
    "reopened twice and not decided since": (
        [police("03-01", "ATERUPPTAGEN"), police("03-02", "NEDLAGD"), police("03-03", "ATERUPPTAGEN")],
        NOT_PROCESSED,
    ),
    "a clearing decision is never cancelled": (
        [prosecutor("03-01", "ATALSUNDERLATELSE", "m1"), police("03-02", "ATERUPPTAGEN")],
        WAIVED,
    ),
    "nor overruled by what follows": (
        [
            prosecutor("03-01", "ATAL", "m1"),
            prosecutor("03-02", "ATERUPPTAGEN"),
            prosecutor("03-03", "NEDLAGD"),
        ],
        INDICTED,
    ),
    "cancelled rows still show investigation and suspect": (
        [prosecutor("03-01", "NEDLAGD", "m1"), police("03-02", "ATERUPPTAGEN"), police("03-03", "DIREKTAVSKRIVEN")],
        OTHER_INVESTIGATED | SUSPECT,
    ),
    "a limitation that was cancelled takes no part": (
        [prosecutor("03-01", "FU_BEGRANSAD"), police("03-02", "ATERUPPTAGEN"), police("03-02", "NEDLAGD")],
        OTHER_INVESTIGATED,
    ),
    "a limitation on the day of the reopening stands": (
        [prosecutor("03-02", "FU_BEGRANSAD"), police("03-02", "ATERUPPTAGEN"), police("03-03", "NEDLAGD")],
        LIMITED_INVESTIGATED,
    ),
}


@pytest.mark.parametrize("case", OUTCOMES)
def test_outcome(case: str) -> None:
    decisions, expected = OUTCOMES[case]
    assert outcome(decisions) == expected
    assert outcome(decisions[::-1]) == expected


# --- whole worlds ----------------------------------------------------------------------------------------------------


def counts_of(
    landing: Path, offences: list[Row], police_rows: list[Row], prosecution_rows: list[Row] | None = None
) -> Counts:
    """The counts of a world of one year, 2022."""
    write_world(landing, World({2022: offences}, {2022: police_rows}, {2022: prosecution_rows or []}))
    return nonzero_counts(landing)


def of(
    counts: Counts,
    indicator: str,
    *,
    variant: str = "beslutad",
    year: int = 2022,
    level: str = "riket",
    code: str = "SE",
    group: str = "total",
    measure: str = "processed",
) -> int:
    return counts.get(Cell(indicator, variant, year, level, code, group), dict.fromkeys(MEASURES, 0))[measure]


def test_an_offence_is_weighted_and_its_suspects_are_not(tmp_path: Path) -> None:
    counts = counts_of(
        tmp_path,
        [offence_row(1, brottsantal="3"), offence_row(2)],
        [police_row(2)],
        [prosecution_row(1, misstanke_id="m1"), prosecution_row(1, misstanke_id="m2")],
    )
    assert counts[Cell("grov_fridskrankning", "beslutad", 2022, "riket", "SE", "total")] == {
        "processed": 4,
        "investigated": 4,
        "dismissed": 0,
        "with_suspect": 3,
        "cleared": 3,
        "cleared_indictment": 3,
        "cleared_penalty_order": 0,
        "cleared_waiver": 0,
        "limited_investigated": 0,
        "other_investigated": 1,
        "limited_dismissed": 0,
        "other_dismissed": 0,
    }


@pytest.mark.parametrize(
    ("code", "provision", "counted_in"),
    [
        # 1: couple relation outdoors, and indoors by an ended code; kin; a sibling code that must not count
        ("9357", "", {("misshandel_nara_relation", "beslutad"), ("misshandel_nara_relation", "bred")}),
        (
            "9349",
            "",
            {
                ("misshandel_nara_relation", "beslutad"),
                ("misshandel_nara_relation", "inomhus"),
                ("misshandel_nara_relation", "bred"),
            },
        ),
        ("9373", "", {("misshandel_nara_relation", "bred")}),
        ("0355", "", set()),
        ("0355", "BrB 6:11", set()),
        # 3: an ended code without the relation; a couple relation code
        ("0424", "", {("grov_fridskrankning", "beslutad")}),
        ("9401", "", {("grov_fridskrankning", "beslutad"), ("grov_fridskrankning", "parrelation")}),
        # 9: a couple relation code; a code wins over the provision
        ("9627", "", {("valdtakt", "beslutad"), ("valdtakt", "exkl_oaktsam"), ("valdtakt", "parrelation")}),
        ("0424", "BrB 6:1", {("grov_fridskrankning", "beslutad")}),
        # 5: child marriage is apart
        ("9470", "", {("aktenskapstvang", "med_barnaktenskap")}),
        (
            "0433",
            "",
            {
                ("aktenskapstvang", "beslutad"),
                ("aktenskapstvang", "med_barnaktenskap"),
                ("aktenskapstvang", "endast_aktenskapstvang"),
            },
        ),
        (
            "0434",
            "",
            {
                ("aktenskapstvang", "beslutad"),
                ("aktenskapstvang", "med_barnaktenskap"),
                ("aktenskapstvang", "endast_vilseledande"),
            },
        ),
        # by legal provision, for codes that the catalogue does not have
        ("0000", "BrB 6 kap. 10 a §", {("kontakt_barn_sexuellt_syfte", "beslutad")}),
        ("0000", "BrB 6:1", {("valdtakt", "beslutad"), ("valdtakt", "exkl_oaktsam")}),
        ("0000", "BrB 6:1 a", {("valdtakt", "beslutad")}),
        ("0000", "", set()),
        ("0000", "BrB 3:5", set()),
    ],
)
def test_what_a_code_or_provision_counts_in(
    tmp_path: Path, code: str, provision: str, counted_in: set[tuple[str, str]]
) -> None:
    counts = counts_of(tmp_path, [offence_row(brottskod=code, lagrum=provision)], [police_row()])
    assert {(cell.indicator_id, cell.variant) for cell in counts} == counted_in


@pytest.mark.parametrize(
    ("text", "provision"),
    [
        ("BrB 6 kap. 10 a §", (6, 10, "a")),
        ("6 kap. 10 a § brottsbalken (1962:700)", (6, 10, "a")),
        ("brottsbalken (1962:700) 6 kap. 10 a §.", (6, 10, "a")),
        ("BrB 6 kap. 1 §, 1 st", (6, 1, "")),
        ("BrB 6:1, 1 st.", (6, 1, "")),
        ("6 kap. 10 a § och 23 kap. 1 §", (6, 10, "a")),
        ("6 kap. 10 a § och 23 kap. 1 § brottsbalken (1962:700)", (6, 10, "a")),
        ("BrB 6 kap. 12 § och BrB 23 kap. 2 §", (6, 12, "")),
        ("BrB 6:12, 23:4", (6, 12, "")),
        ("23 kap. 1 § och 6 kap. 1 § BrB", (6, 1, "")),
        ("BrB 6:1, 6:4 och 23:1", None),
        ("BrB 6:1 och 23:3", None),
        ("RB 6:1 och 23:1", None),
        ("1998:408", None),
        ("BrB 6:10 a", (6, 10, "a")),
        ("6 kap. 10a § BrB", (6, 10, "a")),
        ("brb6kap10a§", (6, 10, "a")),
        ("BROTTSBALKEN 6 KAP. 10 A §", (6, 10, "a")),
        ("BrB 6 kap.\N{NO-BREAK SPACE}10\N{NO-BREAK SPACE}a\N{NO-BREAK SPACE}§", (6, 10, "a")),
        ("BrB 6 kap. 1 § 1 st", (6, 1, "")),
        ("BrB 6 kap. 1 § första stycket 2 p.", (6, 1, "")),
        ("BrB 6:11", (6, 11, "")),
        ("BrB 6:1 1 st", (6, 1, "")),
        ("6 kap. 1 §", None),
        ("6:1", None),
        ("BrB 6:1, 6:4", None),
        ("BrB 6 kap. 1 § och 4 §", None),
        ("RB 6:1", None),
        ("BrB 6 kap.", None),
    ],
)
def test_one_provision_in_all_its_spellings(text: str, provision: tuple[int, int, str] | None) -> None:
    assert parse_provision(text) == (provision and Provision(*provision))


@pytest.mark.parametrize(
    ("code", "sex", "age", "group"),
    [
        ("0424", "M", "12", "kvinna"),  # the code carries the group
        ("0433", "K", "18", "kvinna"),
        ("0433", "K", "17", "flicka"),
        ("0433", "M", "18", "man"),
        ("0433", "M", "0", "pojke"),
        ("0433", "K", "", "okand"),
        ("0433", "", "17", "okand"),
        ("9599", "M", "12", "okand"),  # könsstympning cannot have boys
        ("9599", "K", "12", "flicka"),
    ],
)
def test_victim_groups_add_up(tmp_path: Path, code: str, sex: str, age: str, group: str) -> None:
    offence = offence_row(brottskod=code, malsagande_kon=sex, malsagande_alder=age)
    counts = counts_of(tmp_path, [offence], [police_row()])
    assert {cell.victim_group for cell in counts} == {"total", group}


@pytest.mark.parametrize(
    ("municipality", "region", "places"),
    [
        ("0180", "", "riket SE, polisregion Rn03, lan 01, kommun 0180"),
        ("0980", "", "riket SE, polisregion Rn03, lan 09, kommun 0980"),
        ("0180", "Rn05", "riket SE, polisregion Rn05, lan 01, kommun 0180"),
        ("", "", "riket SE, lan okand, kommun okand"),
        ("", "Rn05", "riket SE, polisregion Rn05, lan okand, kommun okand"),
        ("0199", "", "riket SE, lan okand, kommun okand"),  # Stockholm county has no such municipality
    ],
)
def test_places(tmp_path: Path, municipality: str, region: str, places: str) -> None:
    offence = offence_row(kommunkod=municipality, handlaggande_region=region)
    counts = counts_of(tmp_path, [offence], [police_row()])
    assert {f"{cell.geography_level} {cell.geography_code}" for cell in counts} == set(places.split(", "))
    assert all(counts[cell]["processed"] == 1 for cell in counts)


def test_attributes_of_the_decision_year_or_the_nearest_year_before(tmp_path: Path) -> None:
    world = World(
        offences={
            2021: [offence_row(1, kommunkod="1480"), offence_row(2, kommunkod="1480")],
            2022: [offence_row(1, kommunkod="1280")],
            2023: [offence_row(2, kommunkod="0180")],
        },
        police={
            2021: [],
            2022: [police_row(1), police_row(2)],
            2023: [police_row(1, beslutsdatum="2023-03-01"), police_row(2, beslutsdatum="2023-03-01")],
        },
        prosecution={2021: [], 2022: [], 2023: []},
    )
    write_world(tmp_path, world)
    municipalities = {
        (cell.year, cell.geography_code): measures["processed"]
        for cell, measures in nonzero_counts(tmp_path).items()
        if cell.geography_level == "kommun" and cell.victim_group == "total"
    }
    assert municipalities == {(2022, "1280"): 1, (2022, "1480"): 1, (2023, "1280"): 1, (2023, "0180"): 1}


def test_decided_again_in_a_later_year_counts_in_both(tmp_path: Path) -> None:
    world = World(
        offences={2021: [offence_row()], 2022: [offence_row()]},
        police={
            2021: [police_row(beslutsdatum="2021-05-01")],
            2022: [police_row(beslutsdatum="2022-02-01", beslut="ATERUPPTAGEN")],
        },
        prosecution={2021: [], 2022: [prosecution_row()]},
    )
    write_world(tmp_path, world)
    counts = nonzero_counts(tmp_path)
    assert of(counts, "grov_fridskrankning", year=2021, measure="other_investigated") == 1
    assert of(counts, "grov_fridskrankning", year=2022, measure="cleared_indictment") == 1


def test_a_year_waits_for_both_deliveries_but_its_offences_can_be_looked_up(tmp_path: Path) -> None:
    world = World(
        offences={2021: [offence_row()], 2022: []},
        police={2021: [police_row(beslutsdatum="2021-05-01")], 2022: [police_row()]},
        prosecution={2022: []},
    )
    write_world(tmp_path, world)
    counts = nonzero_counts(tmp_path)
    assert {cell.year for cell in counts} == {2022}
    assert of(counts, "grov_fridskrankning") == 1


def test_there_is_a_row_for_everything(tmp_path: Path) -> None:
    counts_of(tmp_path, [offence_row()], [police_row()])
    counts = expected_counts(tmp_path)
    # victim groups with total and okand, summed over the readings: three of indicator 1 with 4, one of 2 with 3,
    # two of 3 with 6, one of 4 with 4, four of 5 with 6, one of 6 with 4, one each of 7 and 8 with 6,
    # three of 9 with 6, one of 10 with 6, one of 11 with 4
    groups = 3 * 4 + 3 + 2 * 6 + 4 + 4 * 6 + 4 + 6 + 6 + 3 * 6 + 6 + 4
    assert groups == 99
    # country and regions have all, counties and municipalities the totals of the decided readings only
    assert len(counts) == (1 + 7) * groups + (21 + 1 + 290 + 1) * 11 == 4235
    assert sum(any(measures.values()) for measures in counts.values()) == 6  # two places with total and kvinna, and two
    assert set(counts) == set(every_cell([2022]))


# --- rates -----------------------------------------------------------------------------------------------------------


def test_official_check_values() -> None:
    assert percentage(57, 584) == pytest.approx(9.76027397)
    assert percentage(3802, 28981) == pytest.approx(13.119, abs=0.0005)
    assert percentage(3802, 26544 - 463) == pytest.approx(14.578, abs=0.0005)
    assert percentage(0, 0) is None


def test_wilson_interval() -> None:
    assert wilson(10, 100) == pytest.approx((5.5229, 17.4366), abs=0.0001)
    assert wilson(0, 10) == pytest.approx((0, 27.7533), abs=0.0001)  # z2 / (n + z2) = 3.84146 / 13.84146
    assert wilson(10, 10) == pytest.approx((72.2467, 100), abs=0.0001)
    assert wilson(0, 0) == (None, None)


def filled(years: list[int], values: dict[tuple[int, str, str], tuple[int, int]], indicator: str) -> Counts:
    """Counts of zeros but for (year, level, code): (cleared, processed), all of it investigated."""
    counts = {cell: dict.fromkeys(MEASURES, 0) for cell in every_cell(years)}
    for (year, level, code), (cleared, processed) in values.items():
        counts[Cell(indicator, "beslutad", year, level, code, "total")].update(
            cleared=cleared, processed=processed, investigated=processed
        )
    return counts


def test_country_and_medians_stand_beside_every_row() -> None:
    values = {
        (2023, "riket", "SE"): (40, 100),
        (2023, "polisregion", "Rn01"): (1, 10),
        (2023, "polisregion", "Rn02"): (3, 10),
        (2023, "polisregion", "Rn05"): (9, 10),
        (2023, "polisregion", "Rn06"): (0, 10),  # the other three have no rate and no say
        (2023, "lan", "01"): (1, 4),
        (2023, "lan", "03"): (1, 2),
        (2023, "lan", "okand"): (5, 5),  # is no county
    }
    rates = expected_rates(filled([2023], values, "koppleri"))
    for level, code in [("riket", "SE"), ("polisregion", "Rn07"), ("lan", "03"), ("lan", "okand"), ("kommun", "0180")]:
        row = rates[Cell("koppleri", "beslutad", 2023, level, code, "total")]
        assert row["clearance_pct_country"] == 40
        assert row["clearance_pct_median_region"] == 20  # of 0, 10, 30, 90
        assert row["clearance_pct_median_county"] == (37.5 if level == "lan" else None)
    assert rates[Cell("koppleri", "beslutad", 2023, "polisregion", "Rn07", "total")]["clearance_pct"] is None
    assert rates[Cell("koppleri", "beslutad", 2023, "riket", "SE", "man")]["clearance_pct_median_region"] is None


def test_change_and_its_significance() -> None:
    values = {
        (2022, "riket", "SE"): (35, 100),
        (2023, "riket", "SE"): (50, 100),  # z = 0.15 / sqrt(0.425 * 0.575 * 0.02) = 2.146
        (2022, "lan", "01"): (35, 100),
        (2023, "lan", "01"): (45, 100),  # z = 0.10 / sqrt(0.4 * 0.6 * 0.02) = 1.443
        (2022, "lan", "03"): (0, 7),
        (2023, "lan", "03"): (0, 29),
        (2022, "lan", "04"): (3, 30),
    }
    rates = expected_rates(filled([2022, 2023], values, "koppleri"))

    def change(year: int, level: str, code: str) -> tuple[object, object]:
        row = rates[Cell("koppleri", "beslutad", year, level, code, "total")]
        return row["clearance_change_pp"], row["clearance_change_significant"]

    assert change(2023, "riket", "SE") == (15, True)
    assert change(2023, "lan", "01") == (pytest.approx(10), False)
    assert change(2023, "lan", "03") == (0, False)
    assert change(2023, "lan", "04") == (None, None)
    assert change(2022, "riket", "SE") == (None, None)
    assert rates[Cell("koppleri", "beslutad", 2023, "lan", "03", "total")]["small_number"] is True
    assert rates[Cell("koppleri", "beslutad", 2022, "lan", "04", "total")]["small_number"] is False


def test_no_change_across_a_break() -> None:
    values = {(2021, "riket", "SE"): (1, 2), (2022, "riket", "SE"): (1, 2), (2023, "riket", "SE"): (1, 2)}
    for indicator, mixed in [("valdtakt", True), ("grov_fridskrankning", False)]:  # 2022-08-01 and 2022-01-01
        rates = expected_rates(filled([2021, 2022, 2023], values, indicator))
        marks = {
            year: (row["series_break"], row["mixed_year"], row["clearance_change_pp"])
            for year in (2021, 2022, 2023)
            for row in [rates[Cell(indicator, "beslutad", year, "riket", "SE", "total")]]
        }
        assert marks == {2021: (False, False, None), 2022: (True, mixed, None), 2023: (False, False, 0)}


# --- quarantine ------------------------------------------------------------------------------------------------------

OFFENCES = '''\ufeffDiarienummer;brottsnummer;brottskod;lagrum;brottsantal;anmalningsdatum;brottsdatum;kommunkod;\
handlaggande_region;malsagande_kon;MALSAGANDE_ALDER ;annat
0100-K1-20;1;0424;"BrB 4:4 a; ""grov""";1;2020-06-01;;0180;;;;x
 0100-K1-20 ;1;0424;BrB 4:4 a;1;2020-06-01;;0180;;;;the same offence with another provision

0100-K2-20;1;0424;;1;2020-06-01;2020-06-02;0180;;;;
0100-K3-20;1;0424;;1;2020-06-01;2020-06-01;9999;;;;"one
two"
0100-K3-20;1; 0424;;1;2020-06-01;2020-06-01;9999;;;;a duplicate
0100-K3-20;1;424;;1;2020-06-01;2020-06-01;9999;;;;
0100-K3-20;1;424;;1;2020-06-01;2020-06-01;9999;;;;a duplicate of a bad row
0100-K4-20;1e3;;;1;2020-06-01;;;;;;missing comes before invalid
0100-K5-20;1;0424;;-0;2020-06-01;;;;;;
0100-K6-20;1;0424;;1;2020-02-30;;;;;;
0100-K7-20;007;0424;;01;2020-06-01;;;;K;120;
0100-K8-20;1;0424;;1;2020-06-01;;;;;121;
0100-K9-20;1;0424;;1;2020-06-01;;;;;

'''
POLICE_DECISIONS = """beslut;beslutsdatum;diarienummer;brottsnummer;utredning;skaligen_misstankt
NEDLAGD;2022-03-01;0100-K1-20;1;J;N
NEDLAGD;2022-03-01;0100-K7-20;7;J;N
NEDLAGD;2020-05-31;0100-K7-20;7;J;N
DIREKTAVSKRIVEN;2022-03-01;0100-K7-20;7;J;N
DIREKTAVSKRIVEN;2023-01-01;0100-K7-20;7;J;N
nedlagd;2022-03-01;0100-K7-20;7;J;N
NEDLAGD;2022-03-01;0100-K7-20;7;J
"""
PROSECUTION_DECISIONS = """aklagarnummer;diarienummer;brottsnummer;misstanke_id;beslutsdatum;beslut
AM-1-22;0100-K7-20;7;;2022-03-01;ATAL
AM-1-22;0100-K7-20;7;;2022-03-01;EJ_ATAL
AM-1-22;0100-K3-20;1;m1;2022-03-01;ATAL
AM-1-22;0100-K3-20;2;m1;2022-03-01;ATAL
"""


def test_every_row_gets_the_first_reason(tmp_path: Path) -> None:
    for path, text in [
        ("police/2022/offences.csv", OFFENCES),
        ("police/2022/decisions.csv", POLICE_DECISIONS),
        ("prosecution/2022/decisions.csv", PROSECUTION_DECISIONS),
    ]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    assert quarantined_lines(tmp_path) == {
        ("police", 2022, "offences", 2, "duplicate_conflict"),
        ("police", 2022, "offences", 3, "duplicate_conflict"),
        ("police", 2022, "offences", 4, "malformed_row"),
        ("police", 2022, "offences", 6, "malformed_row"),
        ("police", 2022, "offences", 7, "malformed_row"),
        ("police", 2022, "offences", 9, "invalid_value"),
        ("police", 2022, "offences", 11, "missing_value"),
        ("police", 2022, "offences", 12, "invalid_value"),
        ("police", 2022, "offences", 16, "malformed_row"),
        ("police", 2022, "decisions", 2, "orphan"),
        ("police", 2022, "decisions", 4, "outside_year"),
        ("police", 2022, "decisions", 5, "contradiction"),
        ("police", 2022, "decisions", 6, "outside_year"),
        ("police", 2022, "decisions", 8, "malformed_row"),
        ("prosecution", 2022, "decisions", 2, "contradiction"),
        ("prosecution", 2022, "decisions", 5, "orphan"),
    }
    assert expected_quarantine(tmp_path)["police", 2022, "offences", "invalid_value"] == 2
    assert expected_duplicates(tmp_path) == {
        ("police", 2022, "offences"): 1,
        ("police", 2022, "decisions"): 1,
        ("prosecution", 2022, "decisions"): 0,
    }
    assert expected_rows(tmp_path)["police", 2022, "offences"] == {
        "read": 15,
        "loaded": 5,
        "quarantined": 9,
        "duplicates": 1,
    }
    counts = nonzero_counts(tmp_path)
    assert of(counts, "grov_fridskrankning") == 2
    assert of(counts, "grov_fridskrankning", measure="cleared_indictment") == 1
    assert of(counts, "grov_fridskrankning", level="kommun", code="okand") == 2


def test_links_look_back_and_never_forward(tmp_path: Path) -> None:
    world = World(
        offences={2021: [offence_row(1)], 2022: [offence_row(2, anmalningsdatum="2022-03-02")], 2023: [offence_row(3)]},
        police={2021: [], 2022: [police_row(number) for number in (1, 2, 3)], 2023: []},
        prosecution={2021: [], 2022: [], 2023: []},
    )
    write_world(tmp_path, world)
    # line 2 is the filler
    assert quarantined_lines(tmp_path) == {
        ("police", 2022, "decisions", 4, "date_order"),
        ("police", 2022, "decisions", 5, "orphan"),
    }


def test_a_quarantined_offence_falls_back_on_the_year_before(tmp_path: Path) -> None:
    deliver(
        tmp_path,
        "police",
        2021,
        [
            neat_file("police", "offences", [offence_row(kommunkod="1480")]),
            neat_file("police", "decisions", [police_row(beslutsdatum="2021-02-01")]),
        ],
    )
    conflicting = [offence_row(kommunkod="0180"), offence_row(kommunkod="1280")]
    deliver(
        tmp_path,
        "police",
        2022,
        [neat_file("police", "offences", conflicting), neat_file("police", "decisions", [police_row()])],
    )
    deliver(tmp_path, "prosecution", 2022, [neat_file("prosecution", "decisions", [prosecution_row()])])
    counts = nonzero_counts(tmp_path)
    assert of(counts, "grov_fridskrankning", level="kommun", code="1480", measure="cleared") == 1
    assert expected_quarantine(tmp_path) == Counter({("police", 2022, "offences", "duplicate_conflict"): 2})


# --- the worlds ------------------------------------------------------------------------------------------------------

OF_ALL_FILES = {"missing_value", "invalid_value"}
REASONS = {
    ("police", "offences"): OF_ALL_FILES | {"duplicate_conflict"},
    ("police", "decisions"): OF_ALL_FILES | {"outside_year", "contradiction", "orphan", "date_order"},
    ("prosecution", "decisions"): OF_ALL_FILES | {"outside_year", "contradiction", "orphan", "date_order"},
}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_dirty_world_has_every_fault_and_keeps_the_gate_open(tmp_path: Path, seed: int) -> None:
    dirty_world(tmp_path, seed)
    quarantine = expected_quarantine(tmp_path)
    for (source, year, name), rows in expected_rows(tmp_path).items():
        is_parquet = (tmp_path / source / str(year) / f"{name}.parquet").exists()
        reasons = {reason for *file, reason in quarantine if file == [source, year, name]}
        assert reasons == REASONS[source, name] | (set() if is_parquet else {"malformed_row"})
        assert rows["quarantined"] < 0.005 * rows["read"]
        assert rows["read"] == rows["loaded"] + rows["quarantined"] + rows["duplicates"]
        assert rows["duplicates"] > 0


def test_dirty_world_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    for copy in ("a", "b"):
        dirty_world(tmp_path / copy, seed=7, offences_per_year=300, dirt=0.1)
    files = [path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*")]
    assert len(files) == 15
    assert all((tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes() for file in files)


@given(small_worlds())
@settings(max_examples=40, deadline=None)
def test_small_worlds_are_clean_and_their_parts_add_up(world: World) -> None:
    with TemporaryDirectory() as landing:
        write_world(Path(landing), world)
        assert not expected_quarantine(Path(landing))
        for m in nonzero_counts(Path(landing)).values():
            assert m["processed"] == m["investigated"] + m["dismissed"]
            assert m["investigated"] == m["cleared"] + m["limited_investigated"] + m["other_investigated"]
            assert m["dismissed"] == m["limited_dismissed"] + m["other_dismissed"]
            assert m["cleared"] == m["cleared_indictment"] + m["cleared_penalty_order"] + m["cleared_waiver"]
            assert m["cleared"] <= m["with_suspect"] <= m["processed"]
