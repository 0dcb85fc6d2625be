"""Deliveries made of Brå's published totals give Brå's unrounded percentages."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from conftest import settings_in
from reference.worlds import World, offence_row, police_row, prosecution_row, write_world
from warehouse import build, figures

from dagster_project import paths
from dagster_project.settings import SEEDS

REGIONS = [f"Rn0{number}" for number in range(1, 8)]
# One code per indicator, variant and group whose offences the official row counts.
CODES = {
    ("grov_fridskrankning", "beslutad", "total"): "0422",
    ("grov_fridskrankning", "beslutad", "flicka"): "0422",
    ("grov_fridskrankning", "beslutad", "pojke"): "0423",
    ("grov_fridskrankning", "beslutad", "kvinna"): "0424",
    ("grov_fridskrankning", "beslutad", "man"): "0425",
    ("grov_fridskrankning", "parrelation", "kvinna"): "9401",
    ("grov_fridskrankning", "parrelation", "man"): "9403",
    ("grov_kvinnofridskrankning", "beslutad", "total"): "0412",
    ("kontakt_barn_sexuellt_syfte", "beslutad", "total"): "0682",
    ("kontakt_barn_sexuellt_syfte", "beslutad", "pojke"): "0682",
    ("kontakt_barn_sexuellt_syfte", "beslutad", "flicka"): "7777",
    ("koppleri", "beslutad", "total"): "0609",
    ("konsstympning", "beslutad", "total"): "9599",
    ("kop_av_sexuell_tjanst", "beslutad", "total"): "4024",
    ("misshandel_nara_relation", "beslutad", "kvinna"): "9365",
    ("misshandel_nara_relation", "beslutad", "man"): "9369",
    ("manniskohandel_sexuella_andamal", "beslutad", "total"): "0418",
    ("utnyttjande_barn_kop_sexuell_handling", "beslutad", "total"): "0610",
    ("valdtakt", "exkl_oaktsam", "total"): "0641",
    ("valdtakt", "beslutad", "total"): "9611",
    ("aktenskapstvang", "beslutad", "total"): "0433",
    ("aktenskapstvang", "endast_vilseledande", "total"): "0434",
}


@dataclass(frozen=True)
class Placed:
    """An official row and the region in which its offences are put, so that rows of one year do not add up."""

    row: dict[str, str]
    region: str

    @property
    def key(self) -> tuple[str, str, str]:
        return self.row["indicator_id"], self.row["variant"], self.row["victim_group"]

    def count(self, measure: str) -> int:
        return int(self.row[measure] or 0)


def official_rows() -> list[Placed]:
    with (SEEDS / "official_figure.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    used: dict[tuple[str, str], int] = {}
    placed = []
    for row in rows:
        if row["geography_code"] != "Rn03" or (row["indicator_id"], row["variant"], row["victim_group"]) not in CODES:
            continue
        slot = (row["year"], row["indicator_id"])
        placed.append(Placed(row, REGIONS[used.get(slot, 0)]))
        used[slot] = used.get(slot, 0) + 1
    return placed


def offences_of(placed: Placed) -> Iterator[tuple[str, int]]:
    """Decision and weight of each kind of offence that makes up the row (investigated unless it is `dismissed`)."""
    cleared = placed.count("cleared")
    penalty, waiver = placed.count("cleared_penalty_order"), placed.count("cleared_waiver")
    limited, limited_dismissed = placed.count("limited_investigated"), placed.count("limited_dismissed")
    yield "ATAL", cleared - penalty - waiver
    yield "STRAFFORELAGGANDE", penalty
    yield "ATALSUNDERLATELSE", waiver
    yield "FU_BEGRANSAD", limited
    yield "NEDLAGD", placed.count("investigated") - cleared - limited
    yield "dismissed limited", limited_dismissed
    yield "dismissed", placed.count("dismissed") - limited_dismissed


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[object, ...], dict[str, object]]:
    settings = settings_in(tmp_path_factory.mktemp("official"))
    years = sorted({int(placed.row["year"]) for placed in official_rows()})
    world = World(*({year: [] for year in years} for _ in range(3)))
    number = 0
    for placed in official_rows():
        year = int(placed.row["year"])
        for decision, weight in offences_of(placed):
            if weight:
                number += 1
                values = {"anmalningsdatum": f"{year}-01-02", "brottsdatum": f"{year}-01-01"}
                world.offences[year].append(
                    offence_row(
                        number,
                        brottskod=CODES[placed.key],
                        lagrum="BrB 6 kap. 10 a §" if CODES[placed.key] == "7777" else "",
                        brottsantal=str(weight),
                        handlaggande_region=placed.region,
                        kommunkod="",
                        malsagande_kon="K",
                        malsagande_alder="12",
                        **values,
                    )
                )
                if decision.startswith("dismissed"):
                    made = "FU_BEGRANSAD" if decision == "dismissed limited" else "DIREKTAVSKRIVEN"
                    row = police_row(
                        number, beslutsdatum=f"{year}-06-01", beslut=made, utredning="N", skaligen_misstankt="N"
                    )
                    world.police[year].append(row)
                else:
                    row = prosecution_row(number, beslutsdatum=f"{year}-06-01", beslut=decision, misstanke_id="a1")
                    world.prosecution[year].append(row)
    write_world(settings.landing, world)
    build(settings)
    return figures(settings.home / paths.WAREHOUSE, "geography_level = 'polisregion'")


@pytest.mark.parametrize(
    "placed", official_rows(), ids=lambda one: "-".join([one.row["year"], one.row["geography_code"], *one.key])
)
def test_official_percentages(shown: dict[tuple[object, ...], dict[str, float]], placed: Placed) -> None:
    indicator, variant, group = placed.key
    figure = shown[indicator, variant, int(placed.row["year"]), "polisregion", placed.region, group]
    for measure in ("processed", "investigated", "dismissed", "cleared"):
        assert figure[measure] == placed.count(measure), measure
    for measure in ("clearance_pct", "prosecution_pct"):
        assert figure[measure] == pytest.approx(float(placed.row[measure]), abs=5e-7), measure


def test_all_indicators_are_among_them() -> None:
    assert len({placed.row["indicator_id"] for placed in official_rows()}) == 11
