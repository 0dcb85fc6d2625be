"""Declared corrections: applied, counted, reported, and refused as soon as they match nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from deliveries import (
    PERSONAL_NUMBER,
    YEAR,
    assert_rejected,
    csv_file,
    delivery,
    load,
    outcome,
    parquet_file,
    pseudonym,
    put,
)
from reference.worlds import offence_row, prosecution_row

from dagster_project import paths
from dagster_project.ingestion.corrections import CorrectionsError, read_corrections
from dagster_project.ingestion.ingest import changed_folders, uncorrected_deliveries
from dagster_project.settings import Settings
from dagster_project.state import read_state

ROWS = [prosecution_row(number, misstanke_id=f"m{number}") for number in (1, 2, 3)]
LABEL = f"prosecution/{YEAR}"


def correction(**changes: Any) -> dict[str, Any]:
    """A correction that overrides one decision; `...` takes a key away."""
    output = {
        "id": "typing-error-1",
        "delivery": LABEL,
        "file": "decisions",
        "rows": {"misstanke_id": "m2"},
        "action": "override",
        "set": {"beslut": "EJ_ATAL"},
        "reason": "indicted by mistake in the register",
        "reported_by": "register keeper of the authority",
        "date": "2023-03-01",
        **changes,
    }
    return {name: value for name, value in output.items() if value is not ...}


def drop(**changes: Any) -> dict[str, Any]:
    return correction(action="drop", set=..., **changes)


def declare(settings: Settings, *corrections: Any) -> None:
    settings.landing.mkdir(exist_ok=True)
    (settings.landing / paths.CORRECTIONS).write_text(
        yaml.safe_dump(list(corrections), allow_unicode=True), encoding="utf-8"
    )


def deliver(settings: Settings, rows: list[dict[str, str]] = ROWS) -> None:
    put(settings, "prosecution", {"decisions.csv": csv_file("prosecution", "decisions", rows)})


def decisions(settings: Settings) -> list[str]:
    return [row["beslut"] for row in outcome(settings, load(settings)).rows]


def test_a_column_is_overridden(settings: Settings) -> None:
    deliver(settings)
    declare(settings, correction())
    assert decisions(settings) == ["ATAL", "EJ_ATAL", "ATAL"]
    (record,) = read_state(settings).active.values()
    assert record.files["decisions"].corrected == {"typing-error-1": 1}


def test_rows_are_dropped_and_accounted_for(settings: Settings) -> None:
    deliver(settings)
    declare(settings, drop(rows={"beslut": "ATAL", "line": "3"}), drop(id="twice", rows={"misstanke_id": "m3"}))
    found = outcome(settings, load(settings))
    assert found.reasons == {3: "declared_wrong", 4: "declared_wrong"}
    assert sorted(found.loaded) == [2]


def test_many_rows_and_several_columns(settings: Settings) -> None:
    deliver(settings)
    declare(settings, correction(rows={"beslut": "ATAL"}, set={"beslut": "EJ_ATAL", "misstanke_id": ""}))
    found = outcome(settings, load(settings))
    assert [(row["beslut"], row["misstanke_id"]) for row in found.rows] == [("EJ_ATAL", None)] * 3
    (record,) = read_state(settings).active.values()
    assert record.files["decisions"].corrected == {"typing-error-1": 3}


def test_an_empty_text_means_a_missing_value(settings: Settings) -> None:
    deliver(settings, [prosecution_row(1, beslut="EJ_ATAL", misstanke_id=""), *ROWS])
    declare(settings, correction(rows={"misstanke_id": ""}, set={"misstanke_id": "m9"}))
    assert outcome(settings, load(settings)).rows[0]["misstanke_id"] == pseudonym("misstanke_id", "m9")


def test_codes_keep_their_zeros(settings: Settings) -> None:
    """In YAML, a bare 0412 is the number 266."""
    rows = [offence_row(1, brottskod="0355"), offence_row(2, brottskod="0355")]
    put(settings, "police", delivery("police", "offences", csv_file("police", "offences", rows)))
    (settings.landing / paths.CORRECTIONS).write_text(
        f"- id: wrong-code\n  delivery: police/{YEAR}\n  file: offences\n  rows: {{brottskod: 0355, brottsnummer: 1}}\n"
        "  action: override\n  set: {brottskod: 0412}\n  reason: wrong code\n  reported_by: police\n  date: 2023-03-01\n",
        encoding="utf-8",
    )
    found = outcome(settings, load(settings, "police"), "offences").rows
    assert sorted(row["brottskod"] for row in found) == ["0355", "0412"]


def test_parquet_is_corrected_too(settings: Settings) -> None:
    put(settings, "prosecution", {"decisions.parquet": parquet_file("prosecution", "decisions", ROWS)})
    declare(settings, correction(rows={"line": "2"}))
    assert decisions(settings) == ["ATAL", "EJ_ATAL", "ATAL"]


def test_what_a_correction_sets_is_judged_like_everything(settings: Settings) -> None:
    deliver(settings)
    declare(settings, correction(set={"misstanke_id": ""}))
    assert outcome(settings, load(settings)).reasons == {3: "contradiction"}


def test_a_faulty_row_can_be_mended(settings: Settings) -> None:
    deliver(settings, [*ROWS, prosecution_row(4, beslut="ÅTAL")])
    declare(settings, correction(rows={"beslut": "ÅTAL"}, set={"beslut": "ATAL"}))
    found = outcome(settings, load(settings))
    assert found.reasons == {}
    assert len(found.rows) == 4


@pytest.mark.parametrize(
    ("delivered", "meant"),
    [("am-0007-22", "AM-7-22"), ("AM-7-22", "am-07-22"), ("am-0007-22", "am-0007-22")],
)
def test_a_row_is_found_in_any_spelling_of_its_case_number(settings: Settings, delivered: str, meant: str) -> None:
    deliver(settings, [*ROWS, prosecution_row(4, aklagarnummer=delivered, beslut="atal")])
    declare(settings, correction(rows={"aklagarnummer": meant, "beslut": "Atal"}, set={"beslut": "ej_atal"}))
    assert decisions(settings) == ["ATAL"] * 3 + ["EJ_ATAL"]


def test_what_was_declared_later_is_applied_by_the_next_load(settings: Settings) -> None:
    deliver(settings)
    assert decisions(settings) == ["ATAL"] * 3
    declare(settings, correction())
    assert [folder.label for folder in changed_folders(read_state(settings))] == [LABEL]
    assert decisions(settings) == ["ATAL", "EJ_ATAL", "ATAL"]
    assert list(changed_folders(read_state(settings))) == []
    (settings.landing / paths.CORRECTIONS).unlink()
    assert [folder.label for folder in changed_folders(read_state(settings))] == [LABEL]
    assert decisions(settings) == ["ATAL"] * 3


@pytest.mark.parametrize("other", ["prosecution/2019", "police/2022"])
def test_another_delivery_is_left_alone_by_it(settings: Settings, other: str) -> None:
    deliver(settings)
    declare(settings, correction(delivery=other, rows={"line": "2"}, set={"beslutsdatum": ""}))
    if other.startswith("police"):
        declare(settings, drop(delivery=other, rows={"line": "2"}))
    assert decisions(settings) == ["ATAL"] * 3
    (record,) = read_state(settings).active.values()
    assert (record.corrections, record.files["decisions"].corrected) == ((), {})


# --- refused ---------------------------------------------------------------------------------------------------------


def test_all_mean_the_rows_as_delivered(settings: Settings) -> None:
    deliver(settings)
    first = correction(rows={"misstanke_id": "m2"}, set={"misstanke_id": "m3"})
    declare(settings, first, correction(id="second-one", rows={"misstanke_id": "m3"}, set={"beslut": "EJ_ATAL"}))
    assert decisions(settings) == ["ATAL", "ATAL", "EJ_ATAL"]


def test_two_that_mean_the_same_row_stop_the_load(settings: Settings) -> None:
    deliver(settings)
    declare(settings, correction(), correction(id="second-one", rows={"line": "3"}))
    with pytest.raises(CorrectionsError, match="second-one and typing-error-1 mean the same row, line 3"):
        load(settings)


NOTHING = {
    "a value that is not there": {"misstanke_id": "m7"},
    "a line behind the last": {"line": "9"},
    "the right line with another value": {"line": "3", "misstanke_id": "m1"},
    "the value in other letters": {"misstanke_id": "M2"},
}


@pytest.mark.parametrize("what", NOTHING)
@pytest.mark.parametrize("make", [correction, drop])
def test_one_that_matches_nothing_rejects_the_delivery(loaded: Settings, make: Any, what: str) -> None:
    deliver(loaded)
    declare(loaded, make(rows=NOTHING[what]))
    assert_rejected(loaded, "prosecution", "typing-error-1", "no longer matches any row", secrets=["m7", "M2"])


def test_a_redelivery_that_mended_the_row_is_rejected_until_the_correction_is_taken_away(settings: Settings) -> None:
    deliver(settings)
    declare(settings, correction(rows={"misstanke_id": "m2", "beslut": "ATAL"}))
    load(settings)
    deliver(settings, [ROWS[0], prosecution_row(2, misstanke_id="m2", beslut="EJ_ATAL"), ROWS[2]])
    assert_rejected(settings, "prosecution", "typing-error-1", "no longer matches any row")
    declare(settings)
    assert decisions(settings) == ["ATAL", "EJ_ATAL", "ATAL"]


def test_one_for_a_delivery_that_is_not_loaded_fails_the_load(loaded: Settings) -> None:
    declare(loaded, correction(delivery="prosecution/2019"))
    (text,) = uncorrected_deliveries(read_state(loaded)).values()
    assert re.search("typing-error-1.*no such delivery is loaded", text)


def test_one_for_files_that_are_gone_fails_the_load(settings: Settings) -> None:
    deliver(settings)
    load(settings)
    assert uncorrected_deliveries(read_state(settings)) == {}
    (settings.landing / LABEL / "decisions.csv").unlink()
    (settings.landing / LABEL).rmdir()
    declare(settings, correction())
    (text,) = uncorrected_deliveries(read_state(settings)).values()
    assert "Put its files into the landing folder" in text
    (settings.landing / paths.CORRECTIONS).unlink()
    assert uncorrected_deliveries(read_state(settings)) == {}


def test_a_personal_number_is_not_made_good_by_a_correction(loaded: Settings) -> None:
    rows = [*ROWS, prosecution_row(4, misstanke_id=PERSONAL_NUMBER)]
    for one in (correction(rows={"line": "5"}, set={"misstanke_id": "m4"}), drop(rows={"line": "5"})):
        deliver(loaded, rows)
        declare(loaded, one)
        assert_rejected(loaded, "prosecution", "line 5", "personal identity number", secrets=[PERSONAL_NUMBER])


WRONG: dict[str, Any] = {
    "no list": {"id": "x"},
    "an entry that is a text": ["drop everything"],
    **{f"without {name}": [correction(**{name: ...})] for name in correction() if name != "set"},
    "an unknown key": [correction(until="2030-01-01")],
    "override without what to set": [correction(set=...)],
    "drop with what to set": [correction(action="drop")],
    "another action": [correction(action="delete")],
    "no rows named": [correction(rows={})],
    "rows as a text": [correction(rows="all")],
    "a case number for a key": [correction(**{"2200-K1276-14": "x"})],
    "a case number for a column": [correction(rows={"2200-K1276-14": "x"})],
    "a case number for the file": [correction(file="2200-K1276-14")],
    "an unknown column": [correction(rows={"fritext": "x"})],
    "an unknown column to set": [correction(set={"line": "5"})],
    "a column of another file": [correction(rows={"brottskod": "0355"})],
    "line 1, the header": [correction(rows={"line": "1"})],
    "a line that is no number": [correction(rows={"line": "2 or 1=1"})],
    "an unknown source": [correction(delivery=f"courts/{YEAR}")],
    "no year": [correction(delivery="prosecution")],
    "an unknown file": [correction(file="offences")],
    "a day that does not exist": [correction(date="2023-02-30")],
    "a day written otherwise": [correction(date="1/3/2023")],
    "a list of days": [correction(date=["2023-03-01"])],
    "a day as a number of seconds": [correction(date="1677628800")],
    "an empty reason": [correction(reason=" ")],
    "an id that is a sentence": [correction(id="Typing error")],
    "the same id twice": [correction(), correction(rows={"misstanke_id": "m1"})],
    "a case number in the reason": [correction(reason="see 2200-K1276-14")],
    "a number of the other authority in the reason": [correction(reason="see am-1276-14")],
    "a personal number in the reason": [correction(reason=f"concerns {PERSONAL_NUMBER}")],
    "a personal number as the reporter": [correction(reported_by=PERSONAL_NUMBER)],
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_not_wholly_understood_stops_the_load(loaded: Settings, what: str) -> None:
    (loaded.landing / paths.CORRECTIONS).write_text(yaml.safe_dump(WRONG[what], allow_unicode=True), encoding="utf-8")
    with pytest.raises(CorrectionsError) as caught:
        load(loaded)
    assert (loaded.landing / paths.CORRECTIONS).name in str(caught.value)
    assert PERSONAL_NUMBER not in str(caught.value)
    assert "2200-K" not in str(caught.value)


@pytest.mark.parametrize("text", ["- {", "- {id: one, id: two}", "\tid: x", "- id: x\n  id: &a [*a"])
def test_what_is_no_yaml_stops_the_load(loaded: Settings, text: str) -> None:
    (loaded.landing / paths.CORRECTIONS).write_text(text, encoding="utf-8")
    with pytest.raises(CorrectionsError, match="YAML"):
        read_corrections(loaded.landing / paths.CORRECTIONS)
