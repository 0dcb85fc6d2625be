"""The sample is judged by counting its files again, in plain Python, by the rules of the definitions."""

from __future__ import annotations

import csv
import hashlib
import itertools
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from reference.facts import Classification, facts

from dagster_project.contract import Column, FileContract, input_contract
from dagster_project.sample import write_sample
from dagster_project.sample.nation import Nation
from dagster_project.sample.offence_kinds import Kinds
from dagster_project.sample.plan import plan
from dagster_project.sample.reference import read_reference
from dagster_project.sample.scripts import (
    AFTER,
    ANY,
    PENDING,
    POLICE_DECISIONS,
    PROSECUTOR_DECISIONS,
    SLOTS,
    Police,
    Script,
    picks,
    scripts,
)

SEEDS = Path(__file__).parents[2] / "dbt" / "seeds"
CLEARING = ("ATAL", "STRAFFORELAGGANDE", "ATALSUNDERLATELSE")
CLEARED = ("cleared_indictment", "cleared_penalty_order", "cleared_waiver")
SCALE, SEED, YEARS = 0.02, 7, (2018, 2019, 2020)
LATELY = (2023, 2024)
Key = tuple[str, str]
# Date, whether a prosecutor's, decision, whether an investigation, whether a suspect
Decision = tuple[date, bool, str, bool, bool]


def seed_rows(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def catalogue() -> dict[str, dict[str, str]]:
    return {row["brottskod"]: row for row in seed_rows("offence_code")}


@cache
def provisions() -> dict[tuple[str, str], dict[str, str]]:
    return {(row["chapter"], row["section"].replace(" ", "")): row for row in seed_rows("legal_provision")}


@cache
def region_of_municipality() -> dict[str, str]:
    county = {row["county_code"]: row["region_code"] for row in seed_rows("county")}
    return {row["municipality_code"]: county[row["county_code"]] for row in seed_rows("municipality")}


@cache
def possible_groups() -> dict[str, set[str]]:
    groups: dict[str, set[str]] = defaultdict(set)
    for row in seed_rows("indicator_victim_group"):
        groups[row["indicator_id"]].add(row["victim_group"])
    return groups


def classified(row: dict[str, str]) -> dict[str, str] | None:
    """What the code, or else the provision, says of an offence."""
    code = catalogue().get(row["brottskod"])
    if code is not None:
        return code
    squeezed = re.sub(r"BrB|kap\.?|§|\s", lambda found: ":" if found[0].startswith("kap") else "", row["lagrum"])
    chapter, _, section = squeezed.partition(":")
    provision = provisions().get((chapter, section))
    if provision is None:
        return None
    return {
        **{"role": "core", "relation": "", "place": "", "victim_group": ""},
        **{"indicator_id": provision["indicator_id"], "part": provision["part"]},
    }


def victim_group(row: dict[str, str], kind: dict[str, str]) -> str:
    group = kind["victim_group"]
    if not group and row["malsagande_kon"] and row["malsagande_alder"]:
        adult = int(row["malsagande_alder"]) >= 18
        group = {"K": ("flicka", "kvinna"), "M": ("pojke", "man")}[row["malsagande_kon"]][adult]
    return group if group in possible_groups()[kind["indicator_id"]] else "okand"


def wrong(column: Column, value: str) -> bool:
    if not value:
        return False
    if column.type == "date":
        try:
            return date.fromisoformat(value).isoformat() != value
        except ValueError:
            return True
    if column.type == "integer":
        if not re.fullmatch(r"-?\d+", value):
            return True
        number = int(value)
        return (column.min is not None and number < column.min) or (column.max is not None and number > column.max)
    return bool(
        (column.pattern and not re.fullmatch(column.pattern, value))
        or (column.values and value not in column.values)
        or (column.max_length and len(value) > column.max_length)
    )


def reason(file: FileContract, fields: list[str], year: int) -> str | None:
    """Why a row is quarantined, as far as the row alone tells."""
    if len(fields) != len(file.columns):
        return "malformed_row"
    row = dict(zip((column.name for column in file.columns), fields, strict=True))
    if any(column.required and not row[column.name] for column in file.columns):
        return "missing_value"
    if any(wrong(column, row[column.name]) for column in file.columns):
        return "invalid_value"
    if any(column.within_year and row[column.name][:4] != str(year) for column in file.columns):
        return "outside_year"
    if row.get("beslut") == "DIREKTAVSKRIVEN" and row["utredning"] == "J":
        return "contradiction"
    if row.get("beslut") in CLEARING and not row["misstanke_id"]:
        return "contradiction"
    return None


def lines(landing: Path, file: FileContract, year: int) -> Iterator[list[str]]:
    with (landing / file.source / str(year) / f"{file.name}.csv").open(encoding="utf-8", newline="") as opened:
        reader = csv.reader(opened, delimiter=";")
        assert next(reader) == [column.name for column in file.columns]
        yield from reader


def files() -> tuple[FileContract, FileContract, FileContract]:
    offences, police, prosecution = (file for file in input_contract().files if not file.optional)
    return offences, police, prosecution


def reports() -> FileContract:
    (file,) = (file for file in input_contract().files if file.optional)
    return file


def good_rows(landing: Path, file: FileContract, year: int, wanted: set[Key] | None = None) -> Iterator[dict[str, str]]:
    """The rows that pass the checks of the row; exact duplicates once. With keys wanted, of these only."""
    names = [column.name for column in file.columns]
    at = names.index("diarienummer"), names.index("brottsnummer")
    seen = set()
    for fields in lines(landing, file, year):
        if wanted is not None and (len(fields) <= max(at) or (fields[at[0]], fields[at[1]]) not in wanted):
            continue
        whole = tuple(fields)
        if reason(file, fields, year) is None and whole not in seen:
            seen.add(whole)
            yield dict(zip(names, fields, strict=True))


def key_of(row: dict[str, str]) -> Key:
    return row["diarienummer"], row["brottsnummer"]


def offences_in_scope(landing: Path, year: int) -> dict[Key, tuple[dict[str, str], dict[str, str]]]:
    found: dict[Key, tuple[dict[str, str], dict[str, str]]] = {}
    conflicts = set()
    names = [column.name for column in files()[0].columns]
    seen: set[tuple[str, ...]] = set()
    for fields in lines(landing, files()[0], year):
        if len(fields) != len(names) or (fields[2] in catalogue() and not catalogue()[fields[2]]["indicator_id"]):
            continue
        row = dict(zip(names, fields, strict=True))
        kind = classified(row)
        if kind is None or reason(files()[0], fields, year) is not None or tuple(fields) in seen:
            continue
        seen.add(tuple(fields))
        if key_of(row) in found:
            conflicts.add(key_of(row))
        found[key_of(row)] = row, kind
    return {key: offence for key, offence in found.items() if key not in conflicts}


def decisions_on(
    landing: Path, year: int, offences: dict[Key, tuple[dict[str, str], dict[str, str]]]
) -> dict[Key, list[Decision]]:
    taken = defaultdict(list)
    for file in files()[1:]:
        for row in good_rows(landing, file, year, set(offences)):
            key, day = key_of(row), date.fromisoformat(row["beslutsdatum"])
            if day < date.fromisoformat(offences[key][0]["anmalningsdatum"]):
                continue
            prosecutor = file.source == "prosecution"
            suspect = bool(row["misstanke_id"]) if prosecutor else row["skaligen_misstankt"] == "J"
            taken[key].append((day, prosecutor, row["beslut"], prosecutor or row["utredning"] == "J", suspect))
    return taken


def outcome_of(decisions: list[Decision]) -> tuple[str, bool] | None:
    """Outcome of an offence in a year and whether with a suspect; none if it was not processed."""
    reopened = [day for day, _, decision, *_ in decisions if decision == "ATERUPPTAGEN"]
    ending = [one for one in decisions if one[2] not in ("OVERLAMNAD", "ATERUPPTAGEN")]
    standing = [one for one in ending if one[2] in CLEARING or not any(day > one[0] for day in reopened)]
    if not standing:
        return None
    suspect = any(one[4] for one in decisions)
    for decision, outcome in zip(CLEARING, CLEARED, strict=True):
        if any(one[2] == decision for one in standing):
            return outcome, True
    limited = "limited" if any(one[2] == "FU_BEGRANSAD" for one in standing) else "other"
    investigated = any(one[3] for one in decisions)
    return f"{limited}_{'investigated' if investigated else 'dismissed'}", suspect


def counted(landing: Path, year: int) -> Counter[tuple[str, ...]]:
    """Offences by indicator, role, part, relation, place, victim group, region, outcome and suspect."""
    offences = offences_in_scope(landing, year)
    counts: Counter[tuple[str, ...]] = Counter()
    for key, decisions in decisions_on(landing, year, offences).items():
        row, kind = offences[key]
        outcome = outcome_of(decisions)
        if outcome is None:
            continue
        region = row["handlaggande_region"] or region_of_municipality().get(row["kommunkod"], "")
        attributes = [kind[name] for name in ("indicator_id", "role", "part", "relation", "place")]
        counts[*attributes, victim_group(row, kind), region, outcome[0], "JN"[not outcome[1]]] += int(
            row["brottsantal"]
        )
    return counts


def official_differences(counts: Counter[tuple[str, ...]], year: int) -> tuple[int, list[str]]:
    """How many official measures were compared, and those that the counts do not give."""
    variants = {(variant.indicator_id, variant.variant): variant for variant in facts().variants}
    compared, differences = 0, []
    sums = {
        "processed": {"cleared", "limited", "other"},
        "cleared": {"cleared"},
        **{name: {name} for name in (*CLEARED, "limited_investigated", "limited_dismissed")},
    }
    for row in seed_rows("official_figure"):
        if int(row["year"]) != year or row["indicator_id"] not in facts().decided:
            continue
        reading = variants[row["indicator_id"], row["variant"]]
        totals: Counter[str] = Counter()
        for (indicator, role, part, relation, place, group, region, outcome, _), count in counts.items():
            if (
                reading.includes(Classification(indicator, role, part, group, relation, place))
                and row["victim_group"] in ("total", group)
                and row["geography_code"] in ("SE", region)
            ):
                totals[outcome] += count
        for measure in ("processed", "investigated", "dismissed", "cleared", *sums):
            if not row[measure]:
                continue
            if measure in ("investigated", "dismissed"):
                names = [name for name in totals if ("dismissed" in name) == (measure == "dismissed")]
            else:
                names = [name for name in totals if name in sums[measure] or name.split("_")[0] in sums[measure]]
            compared += 1
            found = sum(totals[name] for name in names)
            if found != int(row[measure]):
                keys = ("geography_code", "indicator_id", "variant", "victim_group")
                differences.append(f"{[row[key] for key in keys]} {measure}: {row[measure]}, counted {found}")
    return compared, differences


def write(landing: Path, years: tuple[int, ...] = YEARS, scale: float = SCALE, seed: int = SEED) -> Path:
    write_sample(landing, years, scale, seed, lambda _: None)
    return landing


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def lately(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Years with the optional file of reports."""
    return write(tmp_path_factory.mktemp("lately"), LATELY)


def hashes(landing: Path, years: tuple[int, ...]) -> dict[str, str]:
    return {
        str(path.relative_to(landing)): hashlib.sha256(path.read_bytes()).hexdigest()
        for year in years
        for path in sorted(landing.glob(f"*/{year}/*"))
    }


def test_same_seed_gives_the_same_bytes_whichever_years_are_written_beside(
    landing: Path, lately: Path, tmp_path: Path
) -> None:
    assert hashes(write(tmp_path, (2019,)), (2019,)) == hashes(landing, (2019,))
    assert hashes(write(tmp_path, (2024,)), (2024,)) == hashes(lately, (2024,))


def test_another_seed_gives_other_rows(landing: Path, tmp_path: Path) -> None:
    once, other = hashes(landing, (2019,)), hashes(write(tmp_path, (2019,), seed=SEED + 1), (2019,))
    assert once.keys() == other.keys()
    assert not set(once.values()) & set(other.values())


def test_manifests_are_true_and_nothing_is_left_beside(landing: Path) -> None:
    for year, (source, declared) in itertools.product(YEARS, input_contract().sources.items()):
        contracts = [contract for contract in declared if not contract.optional]
        folder = landing / source / str(year)
        manifest = json.loads((folder / "manifest.json").read_text())
        assert (manifest["contract"], manifest["source"], manifest["year"]) == (input_contract().version, source, year)
        assert manifest["synthetic"] == {"scale": SCALE, "others": 1.0, "seed": SEED, "generator": "uppklarat sample"}
        assert [file["name"] for file in manifest["files"]] == [f"{contract.name}.csv" for contract in contracts]
        for file in manifest["files"]:
            content = (folder / file["name"]).read_bytes()
            assert file["sha256"] == hashlib.sha256(content).hexdigest()
            assert file["rows"] == content.count(b"\n") - 1
        assert len(list(folder.iterdir())) == len(contracts) + 1


def planned(year: int, scale: float = SCALE) -> tuple[Counter[tuple[str, ...]], set[str], set[str]]:
    """The plan counted as the files are, and the indicators that differ by relation and by place."""
    reference = read_reference(SEEDS)
    kinds = Kinds(reference)
    nation = Nation(reference, kinds)
    counts: Counter[tuple[str, ...]] = Counter()
    names = (*CLEARED, "limited_investigated", "other_investigated", "limited_dismissed", "other_dismissed")
    for cell in plan(nation, year, scale, 1, SEED):
        kind = kinds.all[cell.kind]
        if not kind.indicator_id or cell.outcome == PENDING:
            continue
        name = names[cell.outcome if cell.outcome < 3 else 3 + (cell.outcome - 3) // 2]
        suspect = "JN"[cell.outcome >= 3 and cell.outcome % 2 == 0]
        attributes = (kind.indicator_id, kind.role, kind.part, kind.relation, kind.place, kind.group)
        counts[*attributes, nation.regions[cell.region], name, suspect] += cell.rows * cell.brottsantal
    by_relation = {kind.indicator_id for kind in kinds.all if kind.relation}
    return counts, by_relation, {kind.indicator_id for kind in kinds.all if kind.place}


@pytest.mark.parametrize("year", YEARS)
def test_every_planned_cell_is_counted_as_planned(landing: Path, year: int) -> None:
    expected, by_relation, by_place = planned(year)
    found: Counter[tuple[str, ...]] = Counter()
    for (indicator, role, part, relation, place, *rest), count in counted(landing, year).items():
        shown = relation if indicator in by_relation else "", place if indicator in by_place else ""
        found[indicator, role, part, *shown, *rest] += count
    assert found == expected
    assert {key[0] for key in expected} >= facts().decided - {"konsstympning"}


def test_totals_follow_the_scale() -> None:
    reference = read_reference(SEEDS)
    kinds = Kinds(reference)
    nation = Nation(reference, kinds)
    for scale, others in ((0.01, 1.0), (0.2, 1.0), (1.0, 0.01)):
        drawn: Counter[str] = Counter()
        for cell in plan(nation, 2022, scale, others, SEED):
            if cell.outcome != PENDING:
                drawn[kinds.all[cell.kind].indicator_id] += cell.rows * cell.brottsantal
        whole: dict[str, float] = defaultdict(float)
        for kind, figures in nation.year(2022):
            whole[kind.indicator_id] += sum(map(sum, figures.values()))
        shares = {indicator: scale if indicator else scale * others for indicator in whole}
        assert all(abs(drawn[indicator] - shares[indicator] * count) < 2 for indicator, count in whole.items())


@pytest.mark.parametrize("year", sorted({int(row["year"]) for row in seed_rows("official_figure")}))
def test_the_plan_of_the_country_meets_every_official_figure(year: int) -> None:
    counts, _, _ = planned(year, 1.0)
    compared, differences = official_differences(counts, year)
    assert compared > 60
    assert not differences


@pytest.mark.parametrize("play", scripts())
def test_a_script_comes_to_its_own_outcome(play: Script) -> None:
    start = date(2020, 3, 1).toordinal()
    outcomes = (*CLEARED, "limited_investigated", "other_investigated", "limited_dismissed", "other_dismissed")
    for span, after in itertools.product((0, 1, 2, 3, 50) if play.time == ANY else (3, 50), (0, 9)):
        decisions = []
        for row in play.rows:
            day = date.fromordinal(start + (span + after if row.when == AFTER else span * row.when // 3))
            if isinstance(row, Police):
                assert row.decision in POLICE_DECISIONS
                assert not (row.decision == "DIREKTAVSKRIVEN" and row.investigation)
                decisions.append((day, False, row.decision, row.investigation, row.suspect))
            else:
                assert row.decision in PROSECUTOR_DECISIONS
                assert row.suspect or row.decision not in CLEARING
                decisions.append((day, True, row.decision, True, bool(row.suspect)))
        if play.outcome == PENDING:
            assert outcome_of(decisions) is None
        elif play.outcome < 3:
            assert outcome_of(decisions) == (outcomes[play.outcome], True)
        else:
            assert outcome_of(decisions) == (outcomes[3 + (play.outcome - 3) // 2], play.outcome % 2 == 1)


def test_every_slot_has_one_script() -> None:
    slots = [(outcome, time, slot) for outcome, time, slot, _ in picks(scripts())]
    assert len(slots) == len(set(slots)) == 12 * 3 * SLOTS


def test_dirt_of_every_reason_in_every_file_and_far_below_the_gate(landing: Path, lately: Path) -> None:
    known: dict[Key, str] = {}
    for earlier in YEARS:
        known |= {key_of(row): row["anmalningsdatum"] for row in good_rows(landing, files()[0], earlier)}
    for file, folder, year in (*((file, landing, 2020) for file in files()), (reports(), lately, 2024)):
        names = [column.name for column in file.columns]
        reasons: Counter[str] = Counter()
        seen: set[tuple[str, ...]] = set()
        keys: Counter[Key] = Counter()
        rows = 0
        for fields in lines(folder, file, year):
            rows += 1
            found = reason(file, fields, year)
            row = dict(zip(names, fields, strict=False))
            if found is None and tuple(fields) in seen:
                found = "exact duplicate"
            elif found is None and not file.key and key_of(row) not in known:
                found = "orphan"
            elif found is None and not file.key and row["beslutsdatum"] < known[key_of(row)]:
                found = "decided before report"
            elif found is None and file.key:
                keys[key_of(row)] += 1
            seen.add(tuple(fields))
            reasons[found or "good"] += 1
        reasons["duplicate_conflict"] = sum(count for count in keys.values() if count > 1)
        expected = {"malformed_row", "missing_value", "invalid_value", "exact duplicate"}
        expected |= {"duplicate_conflict"} if file.key else {"contradiction", "orphan", "decided before report"}
        expected |= {"outside_year"} if any(column.within_year for column in file.columns) else set()
        assert {name for name, count in reasons.items() if count} - {"good"} == expected
        times = max(2, reasons["good"] // 10_000)
        assert all(reasons[name] == times * (1 + (name == "duplicate_conflict")) for name in expected)
        assert (rows - reasons["good"] + reasons["duplicate_conflict"]) / rows < 0.003


def test_no_dirt_in_tiny_files(tmp_path: Path) -> None:
    write(tmp_path, (2019,), scale=0.001)
    for file in files():
        found = list(lines(tmp_path, file, 2019))
        assert 200 < len(found) < 2000
        assert all(reason(file, fields, 2019) is None for fields in found)
        assert len({tuple(fields) for fields in found}) == len(found)


def test_nothing_looks_like_a_personal_identity_number(landing: Path) -> None:
    number = re.compile(rb"(?<![0-9A-Za-z])(\d{6}[-+]\d{4}|\d{8}-?\d{4})(?![0-9A-Za-z])")
    assert not [path for path in landing.glob("*/*/*.csv") if number.search(path.read_bytes())]


def test_what_the_rules_know_does_occur(landing: Path) -> None:
    offences = {key_of(row): row for row in good_rows(landing, files()[0], 2020)}
    in_scope = offences_in_scope(landing, 2020)
    kinds = {key: kind for key, (_, kind) in in_scope.items()}
    police = list(good_rows(landing, files()[1], 2020))
    prosecutor = list(good_rows(landing, files()[2], 2020))
    by_code = [row for row, kind in in_scope.values() if "brottskod" in kind]
    assert {row["brottsantal"] for row in offences.values()} == set("12345")
    assert 0.8 < sum(row["anmalningsdatum"][:4] == "2020" for row in offences.values()) / len(offences) < 0.9
    assert any(catalogue()[row["brottskod"]]["valid_to"].startswith(("2017", "2018")) for row in by_code)
    assert sum((catalogue()[row["brottskod"]]["valid_to"] or "9") < row["anmalningsdatum"] for row in by_code) < 20
    girls = [key for key, kind in kinds.items() if kind["indicator_id"] == "kontakt_barn_sexuellt_syfte"]
    girls = [key for key in girls if victim_group(*in_scope[key]) == "flicka"]
    assert girls and all(offences[key]["brottskod"] not in catalogue() for key in girls)
    assert any(row["brottskod"] in catalogue() and key not in kinds for key, row in offences.items())
    assert sum(row["brottskod"] not in catalogue() for row in offences.values()) > len(offences) / 2
    assert {"", "9999"} < {row["kommunkod"] for row in offences.values()}
    assert any(not row["handlaggande_region"] for row in offences.values())
    assert any(not row["brottsdatum"] for row in offences.values())
    assert {row["beslut"] for row in police} == set(POLICE_DECISIONS)
    assert {row["beslut"] for row in prosecutor} == set(PROSECUTOR_DECISIONS)
    assert any(not row["misstanke_id"] for row in prosecutor)
    suspects = defaultdict(set)
    for row in prosecutor:
        suspects[key_of(row)].add(row["misstanke_id"])
    assert max(map(len, suspects.values())) >= 3
    taken = decisions_on(landing, 2020, in_scope)
    assert taken.keys() == in_scope.keys()
    assert any(outcome_of(decisions) is None for decisions in taken.values())


def test_an_offence_may_be_decided_again_in_a_later_year(landing: Path) -> None:
    names = [column.name for column in files()[0].columns]
    once, later = offences_in_scope(landing, 2019), offences_in_scope(landing, 2020)
    both = once.keys() & later.keys()
    assert both
    assert all(once[key][0][name] == later[key][0][name] for key in both for name in names)
    for year, offences in ((2019, once), (2020, later)):
        decisions = decisions_on(landing, year, offences)
        assert all(outcome_of(decisions[key]) is not None for key in both)
    assert any(one[2] == "ATERUPPTAGEN" for key in both for one in decisions[key])


def test_the_reports_of_a_year_are_its_offences_and_some_that_nobody_has_decided_yet(lately: Path) -> None:
    decided = {
        key_of(row): [row[column.name] for column in reports().columns]
        for year in LATELY
        for row in good_rows(lately, files()[0], year)
    }
    for year in LATELY:
        reported = {
            key_of(row): [row[column.name] for column in reports().columns]
            for row in good_rows(lately, reports(), year)
            if not row["diarienummer"].startswith("99")
        }
        dated = [column.name for column in reports().columns].index("anmalningsdatum")
        of_year = {key: values for key, values in decided.items() if values[dated][:4] == str(year)}
        of_year = {key: values for key, values in of_year.items() if not key[0].startswith("99")}
        assert of_year.items() <= reported.items()
        assert 0.001 < 1 - len(of_year) / len(reported) < 0.2


def test_every_measure_has_offences(lately: Path) -> None:
    codes = defaultdict(set)
    for row in seed_rows("measure_code"):
        codes[row["indicator_id"]].add(row["brottskod"])
    for year in LATELY:
        offences = [row["brottskod"] for row in good_rows(lately, files()[0], year)]
        for measure, of_measure in codes.items():
            assert sum(code in of_measure for code in offences) > 50, measure


def test_every_county_has_rows_of_the_large_indicators(tmp_path: Path) -> None:
    write(tmp_path, (2021,), scale=0.05)
    municipalities = region_of_municipality()
    counties = defaultdict(set)
    for row, kind in offences_in_scope(tmp_path, 2021).values():
        if row["kommunkod"] in municipalities:
            counties[kind["indicator_id"]].add(row["kommunkod"][:2])
    assert len(counties["misshandel_nara_relation"]) == len(counties["valdtakt"]) == 21


def test_a_real_delivery_is_never_overwritten(tmp_path: Path) -> None:
    real = tmp_path / "prosecution" / "2020"
    real.mkdir(parents=True)
    (real / "decisions.csv").write_text("real")
    for manifest in (None, "no json", json.dumps({"contract": "1", "source": "prosecution", "year": 2020})):
        if manifest is not None:
            (real / "manifest.json").write_text(manifest)
        with pytest.raises(FileExistsError, match="not synthetic"):
            write(tmp_path, (2019, 2020), scale=0.001)
    assert not (tmp_path / "police").exists()
    assert (real / "decisions.csv").read_text() == "real"


def test_a_synthetic_delivery_is_replaced(tmp_path: Path) -> None:
    write(tmp_path, (2019,), scale=0.001)
    before = hashes(tmp_path, (2019,))
    (tmp_path / "police" / "2019" / ".offences.csv.unfinished").write_text("left by an interrupted run")
    write(tmp_path, (2019,), scale=0.001, seed=SEED + 1)
    after = hashes(tmp_path, (2019,))
    assert before.keys() == after.keys()
    assert before != after


@pytest.mark.parametrize("scale", [0, -1, 7])
def test_an_impossible_scale_is_refused(tmp_path: Path, scale: float) -> None:
    with pytest.raises(ValueError, match="scale"):
        write(tmp_path, scale=scale)


@pytest.mark.parametrize("others", [-0.1, 1.1])
def test_an_impossible_share_of_other_offences_is_refused(tmp_path: Path, others: float) -> None:
    with pytest.raises(ValueError, match="other offences"):
        write_sample(tmp_path, YEARS, SCALE, SEED, lambda _: None, others)


@pytest.mark.soak
@pytest.mark.national
@pytest.mark.parametrize("year", [2019, 2025])
def test_national_volume_gives_the_official_figures_exactly(tmp_path: Path, year: int) -> None:
    write(tmp_path, (year,), scale=1)
    rows = {
        f"{path.parent.parent.name}/{file['name']}": file["rows"]
        for path in tmp_path.glob("*/*/manifest.json")
        for file in json.loads(path.read_text())["files"]
    }
    assert 1_450_000 < rows["police/offences.csv"] < 1_550_000
    assert 1_400_000 < rows["police/decisions.csv"] < 1_500_000
    assert 540_000 < rows["prosecution/decisions.csv"] < 660_000
    compared, differences = official_differences(counted(tmp_path, year), year)
    assert compared > 100
    assert not differences
