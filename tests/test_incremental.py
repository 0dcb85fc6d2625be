"""Loading in steps gives the same marts, row for row, as a build from nothing of what is active in the end."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import duckdb
import pytest
from conftest import settings_in
from reference.worlds import dirty_world
from warehouse import build, marts

from dagster_project.deliveries.ingest import changed_folders, ingest
from dagster_project.deliveries.ledger import take_back
from dagster_project.deliveries.pseudonyms import KEY_VARIABLE
from dagster_project.transform.basis import is_built
from dagster_project.transform.build import build_marts

FOLDERS = [(source, year) for year in (2022, 2023, 2024) for source in ("police", "prosecution")]


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Landing folders over the same years with other rows, one of them with fewer, to redeliver from."""
    made = {}
    for name, seed, offences in (("first", 31, 400), ("second", 32, 400), ("fewer", 31, 150)):
        made[name] = tmp_path_factory.mktemp(name)
        dirty_world(made[name], seed=seed, offences_per_year=offences, dirt=0.02)
    return made


class Ledger:
    """What must be active, kept as plainly as it can be said."""

    def __init__(self) -> None:
        self.loaded: dict[tuple[str, int], list[str]] = {folder: [] for folder in FOLDERS}
        self.withdrawn: set[tuple[str, str, int]] = set()

    def take(self, version: str, source: str, year: int) -> None:
        """A withdrawn delivery stays withdrawn; one that comes again is the latest."""
        if (version, source, year) not in self.withdrawn:
            others = [one for one in self.loaded[source, year] if one != version]
            self.loaded[source, year] = [*others, version]

    def withdraw(self, source: str, year: int) -> bool:
        if not self.loaded[source, year]:
            return False
        self.withdrawn.add((self.loaded[source, year].pop(), source, year))
        return True


def deliver(version: Path, landing: Path, source: str, year: int) -> None:
    target = landing / source / str(year)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(version / source / str(year), target)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 4))])
def test_any_order_of_deliveries_redeliveries_and_withdrawals(
    versions: dict[str, Path], tmp_path: Path, seed: int
) -> None:
    stepwise = settings_in(tmp_path / "stepwise")
    order = random.Random(seed)
    ledger = Ledger()
    steps = [("first", *folder) for folder in FOLDERS]
    order.shuffle(steps)
    steps += [(order.choice([*versions, "withdraw"]), *order.choice(FOLDERS)) for _ in range(9)]
    while steps:
        for what, source, year in [steps.pop(0) for _ in range(min(len(steps), order.choice([1, 2, 4])))]:
            if what == "withdraw":
                if ledger.withdraw(source, year):
                    take_back(stepwise, source, year)
            else:
                deliver(versions[what], stepwise.landing, source, year)
                for folder in changed_folders(stepwise):
                    ingest(folder, stepwise)
                ledger.take(what, source, year)
        build(stepwise)

    at_once = settings_in(tmp_path / "at_once")
    for (source, year), loaded in ledger.loaded.items():
        if loaded:
            deliver(versions[loaded[-1]], at_once.landing, source, year)
    build(at_once)
    assert ledger.withdrawn
    assert marts(stepwise.warehouse_file) == marts(at_once.warehouse_file)
    assert is_built(stepwise)


def test_a_lost_key_costs_a_build_from_nothing_and_no_figure(
    versions: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing made under the old key may meet what is made under the new one."""
    settings = settings_in(tmp_path)
    for folder in FOLDERS:
        deliver(versions["first"], settings.landing, *folder)
    build(settings)
    before = marts(settings.warehouse_file)
    monkeypatch.setenv(KEY_VARIABLE, "another key, which is long enough too")
    shutil.rmtree(settings.raw)
    settings.ledger.unlink()
    build(settings)
    assert marts(settings.warehouse_file) == before
    with duckdb.connect(str(settings.warehouse_file), read_only=True) as connection:
        for table in ("int_processed_offence", "int_looked_up_offence"):
            (strangers,) = connection.execute(
                f"select count(*) from intermediate.{table} anti join raw.police_offences using (diarienummer, brottsnummer)"
            ).fetchone() or (None,)
            assert strangers == 0


def test_a_new_year_leaves_the_others_alone(versions: dict[str, Path], tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    for source, year in FOLDERS[:4]:
        deliver(versions["first"], settings.landing, source, year)
    build(settings)
    for source, year in FOLDERS[4:]:
        deliver(versions["first"], settings.landing, source, year)
    for folder in changed_folders(settings):
        ingest(folder, settings)
    stale, _ = build_marts(settings)
    assert stale == [2024]


def test_a_year_that_came_out_empty_is_emptied(versions: dict[str, Path], tmp_path: Path) -> None:
    """Its offences are now all of codes that no indicator counts: not one row of before may stay."""
    settings = settings_in(tmp_path)
    for source, year in FOLDERS:
        deliver(versions["first"], settings.landing, source, year)
    # before the first build: other own codes would build everything from nothing, and nothing would have to be emptied
    settings.home.mkdir()
    settings.own_offence_codes.write_text("brottskod,role\n9999,context\n", encoding="utf-8")
    build(settings)
    with_figures = [
        row for row in marts(settings.warehouse_file)["fct_indicator_year"] if row[2] == 2023 and row[6] > 0
    ]
    folder = settings.landing / "police" / "2023"
    for path in folder.iterdir():
        path.unlink()
    (folder / "offences.csv").write_text(
        "diarienummer;brottsnummer;brottskod;lagrum;brottsantal;anmalningsdatum;brottsdatum;kommunkod;handlaggande_region;"
        "malsagande_kon;malsagande_alder\n9999-K1-23;1;9999;;1;2023-01-01;;;;;\n",
        encoding="utf-8",
    )
    (folder / "decisions.csv").write_text(
        "diarienummer;brottsnummer;beslutsdatum;beslut;utredning;skaligen_misstankt\n9999-K1-23;1;2023-02-01;NEDLAGD;J;N\n",
        encoding="utf-8",
    )
    for changed in changed_folders(settings):
        ingest(changed, settings)
    stale, _ = build_marts(settings)
    # 2022 does not look back to 2023, and 2024 may.
    assert stale == [2023, 2024]
    at_once = settings_in(tmp_path / "at_once")
    shutil.copytree(settings.landing, at_once.landing)
    at_once.home.mkdir()
    shutil.copy(settings.own_offence_codes, at_once.own_offence_codes)
    build(at_once)
    assert with_figures
    assert marts(settings.warehouse_file) == marts(at_once.warehouse_file)
