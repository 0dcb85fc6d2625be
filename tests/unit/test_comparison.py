"""Comparing the figures of two publications, and concluding from two manifests what a difference can come from: case by case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_project.publication.causes import causes_between, causes_not_described, describe_causes
from dagster_project.publication.comparison import compare_figures, lacking_measures
from dagster_project.publication.described import create_described_tables
from dagster_project.publication.history import _withhold_values

KEY = {
    "indicator_id": "valdtakt",
    "variant": "beslutad",
    "year": 2024,
    "geography_level": "lan",
    "geography_code": "01",
    "victim_group": "total",
}
SHOWN: dict[str, Any] = {**KEY, "processed": 9, "cleared": 0, "clearance_pct": 0.0, "suppression": None}
HIDDEN: dict[str, Any] = {**KEY, "processed": None, "cleared": None, "clearance_pct": None, "suppression": "primary"}
OTHER = {**SHOWN, "geography_code": "03"}
TYPES = {"year": pa.int32(), "processed": pa.int64(), "cleared": pa.int64(), "clearance_pct": pa.float64()}


def file_of(path: Path, rows: list[dict[str, Any]], without: str | None = None) -> Path:
    columns = [name for name in SHOWN if name != without]
    pq.write_table(
        pa.table({name: pa.array([row[name] for row in rows], TYPES.get(name, pa.string())) for name in columns}), path
    )
    return path


def compared(before: Path, after: Path, years: tuple[int, ...] = (2024,)) -> tuple[list[tuple[Any, ...]], Any]:
    with duckdb.connect() as connection:
        output = compare_figures(connection, "found", before, after, published_years=years, causes=[])
        return connection.execute(
            "select measure, kind, old_value, new_value, causes from found order by all"
        ).fetchall(), output


WHY = "undetermined"
CASES = {
    "nothing": ([SHOWN], [SHOWN], []),
    "a count": ([SHOWN], [{**SHOWN, "processed": 8}], [("processed", "changed", 9, 8, WHY)]),
    "from nothing processed": (
        [{**SHOWN, "processed": 0, "clearance_pct": None}],
        [SHOWN],
        [("clearance_pct", "changed", None, 0, WHY), ("processed", "changed", 0, 9, WHY)],
    ),
    "the last bits of a rate": ([SHOWN], [{**SHOWN, "clearance_pct": 1e-12}], []),
    "a rate": ([SHOWN], [{**SHOWN, "clearance_pct": 1e-6}], [("clearance_pct", "changed", 0, 1e-6, WHY)]),
    "withheld": ([SHOWN], [HIDDEN], [("suppression", "withheld", None, None, WHY)]),
    "shown again": ([HIDDEN], [SHOWN], [("suppression", "shown", None, None, WHY)]),
    "withheld all the time": ([HIDDEN], [{**HIDDEN, "suppression": "secondary"}], []),
    "a row goes": ([SHOWN, OTHER], [OTHER], [("processed", "removed", 9, None, WHY)]),
    "a row comes": ([OTHER], [SHOWN, OTHER], [("processed", "appeared", None, 9, WHY)]),
    "a withheld row goes": ([HIDDEN, OTHER], [OTHER], [("suppression", "removed", None, None, WHY)]),
    "a withheld row comes": ([OTHER], [HIDDEN, OTHER], [("suppression", "appeared", None, None, WHY)]),
}


@pytest.mark.parametrize("case", CASES)
def test_what_differs(tmp_path: Path, case: str) -> None:
    before, after, expected = CASES[case]
    found, output = compared(file_of(tmp_path / "a", before), file_of(tmp_path / "b", after))
    assert found == expected
    assert (output.new_years, output.not_compared) == ((), ())


def test_a_new_year_is_no_revision_and_one_that_was_published_is(tmp_path: Path) -> None:
    before, after = (
        file_of(tmp_path / "a", [{**SHOWN, "year": 2023}]),
        file_of(tmp_path / "b", [SHOWN, {**SHOWN, "year": 2023}]),
    )
    found, output = compared(before, after, years=(2023,))
    assert (found, output.new_years) == ([], (2024,))
    found, output = compared(before, after, years=(2023, 2024))
    assert ([row[:2] for row in found], output.new_years) == ([("processed", "appeared")], ())


@pytest.mark.parametrize(
    ("without", "of"), [("processed", "earlier"), ("cleared", "later"), ("suppression", "earlier")]
)
def test_a_column_of_one_only_is_named_and_the_rest_compared(tmp_path: Path, without: str, of: str) -> None:
    changed = {**SHOWN, "processed": 8, "cleared": 1, "clearance_pct": 12.5}
    before = file_of(tmp_path / "a", [SHOWN], without=without if of == "earlier" else None)
    after = file_of(tmp_path / "b", [changed], without=without if of == "later" else None)
    found, output = compared(before, after)
    assert {row[0] for row in found} == {"processed", "cleared", "clearance_pct"} - {without}
    assert output.not_compared == (f"{without} is only in the {'later' if of == 'earlier' else 'earlier'} one",)


def test_a_measure_that_a_level_has_in_one_only_is_named_and_the_rest_compared(tmp_path: Path) -> None:
    """What a level no longer has was not revised, and its earlier values are not shown again."""
    country = {**SHOWN, "geography_level": "riket", "geography_code": "SE"}
    full = [country, SHOWN, {**OTHER, "cleared": 3}]
    fewer = [{**country, "cleared": 1}, {**SHOWN, "cleared": None, "processed": 8}, {**OTHER, "cleared": None}]
    for one, other, where in ((full, fewer, "earlier"), (fewer, full, "later")):
        found, output = compared(file_of(tmp_path / "a", one), file_of(tmp_path / "b", other))
        assert {(measure, kind) for measure, kind, *_ in found} == {("cleared", "changed"), ("processed", "changed")}
        assert [row[0] for row in found] == ["cleared", "processed"]
        assert output.not_compared == (f"cleared of lan is only in the {where} one",)


def test_a_rate_of_nothing_is_compared(tmp_path: Path) -> None:
    none = {**SHOWN, "processed": 0, "clearance_pct": None}
    assert lacking_in(tmp_path, [none, HIDDEN]) == set()
    assert lacking_in(tmp_path, [{**SHOWN, "processed": None, "clearance_pct": None}, OTHER]) == set()
    assert lacking_in(tmp_path, [HIDDEN]) == set()
    without = {**SHOWN, "processed": None, "clearance_pct": None}
    assert lacking_in(tmp_path, [without]) == {("lan", "processed"), ("lan", "clearance_pct")}


def lacking_in(folder: Path, rows: list[dict[str, Any]]) -> set[tuple[str, str]]:
    with duckdb.connect() as connection:
        return lacking_measures(connection, file_of(folder / "one", rows))


def test_the_history_tells_no_values_of_what_a_level_no_longer_has(tmp_path: Path) -> None:
    figures = file_of(tmp_path / "now", [{**SHOWN, "cleared": None}, {**SHOWN, "geography_level": "riket"}])
    with duckdb.connect() as connection:
        create_described_tables(connection)
        for level, measure in (("lan", "cleared"), ("lan", "processed"), ("riket", "cleared")):
            connection.execute(
                "insert into marts.revision (geography_level, measure, old_value, new_value) values (?, ?, 3, 4)",
                [level, measure],
            )
        _withhold_values(connection, figures)
        disclosed = connection.execute(
            "select geography_level, measure, old_value, new_value from marts.revision order by all"
        ).fetchall()
    assert disclosed == [("lan", "cleared", None, None), ("lan", "processed", 3, 4), ("riket", "cleared", 3, 4)]


def test_without_a_part_of_the_key_nothing_is_compared(tmp_path: Path) -> None:
    before, after = file_of(tmp_path / "a", [SHOWN], without="victim_group"), file_of(tmp_path / "b", [OTHER])
    found, output = compared(before, after)
    assert found == []
    assert any("no figure, since victim_group" in text for text in output.not_compared)


# --- what it can come from -------------------------------------------------------------------------------------------


def delivery(
    source: str, year: int, delivery_id: str, judged_by: str = "rules", loaded_last: str = "1"
) -> dict[str, Any]:
    return {
        "source": source,
        "year": year,
        "delivery_id": delivery_id,
        "judged_by": judged_by,
        "loaded_last": loaded_last,
        "files": {},
    }


def manifest(*deliveries: dict[str, Any], **output: Any) -> dict[str, Any]:
    grounds = {"code_version": "1", "own_offence_codes": None, "suppress_below": 5, "kept_from": None, "withdrawn": []}
    return {**grounds, "deliveries": list(deliveries), **output}


BEFORE = manifest(delivery("police", 2022, "a"), delivery("prosecution", 2022, "b"))
TAKEN_BACK = [{"source": "police", "year": 2022, "delivery_id": "a", "at": "5"}]
PROSECUTION = delivery("prosecution", 2022, "b")


@pytest.mark.parametrize(
    ("after", "of_2022", "of_2023"),
    [
        (BEFORE, "undetermined", "undetermined"),
        (manifest(delivery("police", 2022, "c"), PROSECUTION), *["redelivered police/2022:c"] * 2),
        (
            manifest(delivery("police", 2022, "a"), delivery("prosecution", 2022, "c")),
            "redelivered prosecution/2022:c",
            "undetermined",
        ),
        (manifest(delivery("police", 2022, "a", "rules-corrected"), PROSECUTION), *["corrected police/2022:a"] * 2),
        (manifest(delivery("police", 2022, "a", "others"), PROSECUTION), *["revalidated police/2022:a"] * 2),
        # An earlier one is active again, or one that was delivered after the withdrawal.
        (manifest(delivery("police", 2022, "c"), PROSECUTION, withdrawn=TAKEN_BACK), *["withdrawn police/2022:a"] * 2),
        (
            manifest(delivery("police", 2022, "c", loaded_last="6"), PROSECUTION, withdrawn=TAKEN_BACK),
            *["withdrawn police/2022:a, redelivered police/2022:c"] * 2,
        ),
        (
            manifest(*BEFORE["deliveries"], code_version="2", own_offence_codes="x", kept_from="y"),
            *["code, own_offence_codes, purge"] * 2,
        ),
        (manifest(*BEFORE["deliveries"], suppress_below=9), "undetermined", "undetermined"),
    ],
)
def test_causes(after: dict[str, Any], of_2022: str, of_2023: str) -> None:
    causes = causes_between(BEFORE, after)
    assert [describe_causes(causes, year, of_suppression=False) for year in (2022, 2023)] == [of_2022, of_2023]
    assert "2022" not in describe_causes(causes, 2021, of_suppression=False)


def test_the_threshold_is_a_cause_of_withholding_only() -> None:
    causes = causes_between(BEFORE, manifest(*BEFORE["deliveries"], suppress_below=9))
    assert describe_causes(causes, 2022, of_suppression=True) == "suppress_below"


def test_what_an_older_manifest_does_not_tell_is_said() -> None:
    older = {name: value for name, value in BEFORE.items() if name not in ("suppress_below", "withdrawn")}
    older["deliveries"] = [
        {name: value for name, value in one.items() if name not in ("judged_by", "loaded_last")}
        for one in BEFORE["deliveries"]
    ]
    assert causes_between(older, BEFORE) == []
    assert causes_not_described(older, BEFORE) == [
        "whether suppress_below changed, which the earlier manifest does not tell"
    ]
