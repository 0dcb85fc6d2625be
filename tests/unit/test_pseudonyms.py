"""Secrecy: case numbers and suspects are kept as keyed pseudonyms only, the same in every year, and a lost key is noticed."""

from __future__ import annotations

import hashlib
import hmac
import re
import shutil
import stat
import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from conftest import settings_in
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from deliveries import (
    KEY,
    YEAR,
    csv_file,
    files_of,
    holds,
    load,
    outcome,
    parquet_file,
    pseudonym,
    put,
)
from pydantic import SecretStr
from reference.worlds import offence_row, police_row, prosecution_row

from dagster_project import paths
from dagster_project.contract import input_contract
from dagster_project.ingestion.pseudonyms import (
    KEY_VARIABLE,
    SHORTEST_KEY,
    PseudonymKeyError,
    create_pseudonym_functions,
    key_id,
    pseudonym_key,
    pseudonym_sql,
)
from dagster_project.settings import Settings
from dagster_project.state import Purged, State, read_state
from dagster_project.transformation.raw_schema import create_sources

CASE, PROSECUTOR, SUSPECT = "4711-K47110-21", "AM-47110-22", "suspect-of-47110"
SECRETS = (CASE, PROSECUTOR, SUSPECT)


@pytest.fixture
def without_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE)


def secret_row(**values: str) -> dict[str, str]:
    return prosecution_row(1, **{"aklagarnummer": PROSECUTOR, "diarienummer": CASE, "misstanke_id": SUSPECT, **values})


def test_a_pseudonym_is_what_anybody_with_the_key_can_compute(settings: Settings) -> None:
    put(settings, "prosecution", {"decisions.csv": csv_file("prosecution", "decisions", [secret_row()])})
    (row,) = outcome(settings, load(settings)).rows
    assert row["diarienummer"] == pseudonym("diarienummer", CASE)
    assert row["aklagarnummer"] == pseudonym("aklagarnummer", PROSECUTOR)
    assert row["misstanke_id"] == pseudonym("misstanke_id", SUSPECT)


@pytest.mark.parametrize("key", ["k" * SHORTEST_KEY, "k" * 64, "k" * 65, "nyckel-åäö-" * 20])
def test_keys_of_any_length(settings: Settings, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    settings = settings.model_copy(update={"key": SecretStr(key)})
    monkeypatch.setattr("deliveries.KEY", key)
    put(settings, "prosecution", {"decisions.csv": csv_file("prosecution", "decisions", [secret_row()])})
    (row,) = outcome(settings, load(settings)).rows
    assert row["diarienummer"] == pseudonym("diarienummer", CASE)


LONGEST = {"diarienummer": "9999-K9999999-99", "aklagarnummer": "AM-9999999-99"}


def test_every_valid_case_number_is_one_block() -> None:
    patterns = {
        column.name: column.pattern for file in input_contract().files for column in file.columns if column.identifying
    }
    assert {name for name, pattern in patterns.items() if pattern} == {*LONGEST}
    for name, number in LONGEST.items():
        assert re.fullmatch(str(patterns[name]), number)
        assert not any(
            re.fullmatch(str(patterns[name]), number.replace(digits, digits + "9"))
            for digits in re.findall("9+", number)
        )
        assert len(number.encode()) <= 16


def made(kind: str, values: Iterable[str | None], key: bytes = KEY.encode()) -> list[uuid.UUID | None]:
    """The pseudonyms of values of a kind that has a pattern."""
    with duckdb.connect() as connection:
        create_pseudonym_functions(connection, key)
        connection.execute("create table given as select unnest(?) as value", [list(values)])
        found = connection.execute(f"select {pseudonym_sql(kind, 'value', may_fit=True)} from given").fetchall()
    return [name for (name,) in found]


# Around the size of a block, in characters of one to four bytes, with what could be taken for padding.
NEAR_A_BLOCK = [
    part * number + end
    for part in ("", "a", "å", "€", "😀", "ÿ", "\0")
    for number in (1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 40)
    for end in ("", "a", " ", "\0", "ÿ")
]


def test_no_two_values_share_a_pseudonym() -> None:
    values = [*dict.fromkeys(NEAR_A_BLOCK), *(f"5000-K{number}-24" for number in range(20_000))]
    assert made("diarienummer", values) == [pseudonym("diarienummer", value) for value in values]
    assert len({*made("diarienummer", values)}) == len(values)


def test_a_missing_value_has_no_pseudonym() -> None:
    assert made("diarienummer", [None, CASE]) == [None, pseudonym("diarienummer", CASE)]


def test_a_pseudonym_depends_on_the_key_and_the_kind() -> None:
    long = CASE * 2
    names = {name for kind in LONGEST for key in (b"k" * 32, b"l" * 32) for name in made(kind, [CASE, long], key)}
    assert len(names) == 8


def test_a_holder_of_the_key_can_undo_a_case_number() -> None:
    """docs/security.md says so."""
    derived = hmac.new(KEY.encode(), b"uppklarat:block diarienummer", hashlib.sha256).digest()
    decryptor = Cipher(algorithms.AES(derived), modes.CBC(bytes(16))).decryptor()
    assert decryptor.update(pseudonym("diarienummer", CASE).bytes).rstrip(b"\xff").decode() == CASE


def test_an_offence_has_one_name_in_all_files_and_years(settings: Settings) -> None:
    for year in (YEAR, YEAR + 1):
        rows = [police_row(1, diarienummer=CASE, beslutsdatum=f"{year}-03-01")]
        files = {**files_of("police", offences=csv_file("police", "offences", [offence_row(1, diarienummer=CASE)]))}
        put(settings, "police", {**files, "decisions.csv": csv_file("police", "decisions", rows)}, year)
        put(
            settings,
            "prosecution",
            {"decisions.csv": csv_file("prosecution", "decisions", [secret_row(beslutsdatum=f"{year}-03-02")])},
            year,
        )
    names = {
        row["diarienummer"]
        for year in (YEAR, YEAR + 1)
        for source, file in (("police", "offences"), ("police", "decisions"), ("prosecution", "decisions"))
        for row in outcome(settings, load(settings, source, year), file).rows
    }
    assert names == {pseudonym("diarienummer", CASE)}


FAULTY = {
    "a good row": [secret_row()],
    "an invalid decision": [secret_row(beslut="?")],
    "a case number that is not well formed": [secret_row(diarienummer=f"{CASE} A")],
    "an exact duplicate": [secret_row(), secret_row()],
    "a field too few": [f"{PROSECUTOR};{CASE};1;{SUSPECT};2022-03-01"],
    "a field too many": [f"{PROSECUTOR};{CASE};1;{SUSPECT};2022-03-01;ATAL;"],
    "a quote that opens in the middle": [f'{PROSECUTOR};"{CASE}"x;1;{SUSPECT};2022-03-01;ATAL'],
    "columns that were swapped": [secret_row(beslut=CASE, beslutsdatum=PROSECUTOR)],
    "small letters in the wrong column": [secret_row(beslut=f"se {CASE.lower()}")],
    "a suspect in the wrong column": [secret_row(beslut=SUSPECT)],
    "a number written otherwise in the wrong column": [secret_row(beslut=SUSPECT, brottsnummer=CASE.replace("-", ""))],
}  # fmt: skip


@pytest.mark.parametrize("what", FAULTY)
def test_the_number_itself_is_kept_nowhere(settings: Settings, caplog: pytest.LogCaptureFixture, what: str) -> None:
    put(settings, "prosecution", {"decisions.csv": csv_file("prosecution", "decisions", FAULTY[what])})
    load(settings)
    for secret in (*SECRETS, CASE.lower()):
        assert not holds(settings.home, secret)
        assert secret not in caplog.text


def test_nor_from_parquet(settings: Settings) -> None:
    rows = [secret_row(), secret_row(beslut="?"), secret_row(diarienummer=f"{CASE}?")]
    put(settings, "prosecution", {"decisions.parquet": parquet_file("prosecution", "decisions", rows)})
    load(settings)
    assert not any(holds(settings.home, secret) for secret in SECRETS)


def test_a_case_number_in_a_free_text_is_hidden_and_the_rest_stays(settings: Settings) -> None:
    rows = [
        offence_row(1, lagrum=f"BrB 3 kap. 5 §, se {CASE.lower()} och {PROSECUTOR}"),
        offence_row(2, lagrum="BrB 3:5"),
    ]
    put(settings, "police", files_of("police", offences=csv_file("police", "offences", rows)))
    found = outcome(settings, load(settings, "police"), "offences").rows
    assert [row["lagrum"] for row in found] == ["BrB 3 kap. 5 §, se (identifier) och (identifier)", "BrB 3:5"]


def test_nor_does_one_stay_that_is_padded_with_zeros(settings: Settings) -> None:
    rows = [offence_row(1, lagrum=f"se {CASE.replace('-K', '-K000000')} och {PROSECUTOR.replace('AM-', 'am-0000')}")]
    put(settings, "police", files_of("police", offences=csv_file("police", "offences", rows)))
    (row,) = outcome(settings, load(settings, "police"), "offences").rows
    assert row["lagrum"] == "se (identifier) och (identifier)"


def test_what_is_invalid_can_still_be_read_in_quarantine(settings: Settings) -> None:
    put(settings, "prosecution", {"decisions.csv": csv_file("prosecution", "decisions", [secret_row(beslut="FRIAD")])})
    ((_reason, row),) = outcome(settings, load(settings)).quarantined.values()
    assert '"beslut":"FRIAD"' in row
    assert f'"diarienummer":"{pseudonym("diarienummer", CASE)}"' in row


# --- the key ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("without_variable")
def test_the_first_load_makes_a_key_of_its_own(settings: Settings, tmp_path: Path) -> None:
    key_file = settings.home / paths.KEY_FILE
    put(settings, "prosecution", files_of("prosecution"))
    load(settings)
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    key = key_file.read_text(encoding="utf-8")
    assert len(key.strip()) == 64
    load(settings)
    assert key_file.read_text(encoding="utf-8") == key
    other = settings_in(tmp_path / "other")
    put(other, "prosecution", files_of("prosecution"))
    load(other)
    assert (other.home / paths.KEY_FILE).read_text(encoding="utf-8") != key


@pytest.mark.usefixtures("without_variable")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_file_that_others_may_read_is_refused(settings: Settings, mode: int) -> None:
    put(settings, "prosecution", files_of("prosecution"))
    load(settings)
    (settings.home / paths.KEY_FILE).chmod(mode)
    with pytest.raises(PseudonymKeyError, match="chmod 600"):
        load(settings)


@pytest.mark.parametrize("key", ["x", "x" * (SHORTEST_KEY - 1)])
def test_a_short_key_is_refused(settings: Settings, key: str) -> None:
    with pytest.raises(PseudonymKeyError, match="fewer than 32") as caught:
        pseudonym_key(read_state(settings.model_copy(update={"key": SecretStr(key)})))
    assert "xxx" not in str(caught.value)


def lose_file(settings: Settings) -> Settings:
    (settings.home / paths.KEY_FILE).unlink()
    return settings


def replace_file(settings: Settings) -> Settings:
    (settings.home / paths.KEY_FILE).write_text("another key, which is long enough too")
    return settings


def set_another(settings: Settings) -> Settings:
    return settings.model_copy(update={"key": SecretStr("another key, which is long enough too")})


@pytest.mark.usefixtures("without_variable")
@pytest.mark.parametrize("how", [lose_file, replace_file, set_another])
def test_a_lost_key_is_noticed_and_loading_again_recovers(
    settings: Settings, how: Callable[[Settings], Settings]
) -> None:
    """Half of the rows under one key and half under another would quietly lose every link between them."""
    put(settings, "police", files_of("police"))
    put(settings, "prosecution", files_of("prosecution"))
    load(settings, "police")
    settings = how(settings)
    with pytest.raises(PseudonymKeyError, match="pseudonym key") as caught:
        load(settings, "prosecution")
    assert str(settings.home / paths.RAW_STORE) in str(caught.value)
    assert "another key" not in str(caught.value)
    assert ("prosecution", YEAR) not in read_state(settings).active
    assert (settings.home / paths.KEY_FILE).exists() == (
        how is not lose_file
    )  # nobody may take a new one for the lost one
    shutil.rmtree(settings.home / paths.RAW_STORE)
    (settings.home / paths.LEDGER).unlink()
    load(settings, "police")
    load(settings, "prosecution")
    assert len({record.key_id for record in read_state(settings).active.values()}) == 1


EARLIER = hmac.new(KEY.encode(), b"uppklarat:key", hashlib.sha256).hexdigest()[:12]


def of_an_earlier_version(state: State, *sources: str) -> State:
    active = {
        key: replace(record, key_id=EARLIER) if record.source in sources else record
        for key, record in state.active.items()
    }
    return replace(state, active=active)


def test_deliveries_of_an_earlier_version_are_loaded_again_from_their_files(loaded: Settings) -> None:
    """Its pseudonyms were others; a change of the code validates again what lies in the landing folder."""
    state = of_an_earlier_version(read_state(loaded), "police", "prosecution")
    assert pseudonym_key(state) == KEY.encode()
    shutil.rmtree(loaded.landing / "police" / str(YEAR))
    with pytest.raises(
        PseudonymKeyError, match=f"^police/{YEAR} were loaded by an earlier version.* Put their files back"
    ):
        pseudonym_key(state)


def test_pseudonyms_of_two_versions_are_not_brought_together(loaded: Settings) -> None:
    state = of_an_earlier_version(read_state(loaded), "prosecution")
    with duckdb.connect() as connection, pytest.raises(ValueError, match="other pseudonyms than the rest"):
        create_sources(connection, state, {})


def test_offences_kept_of_purged_years_by_an_earlier_version_are_told_of(loaded: Settings) -> None:
    state = replace(read_state(loaded), purged=Purged(before=2020, key_id=EARLIER))
    with pytest.raises(
        PseudonymKeyError, match=r"of an earlier version, which cannot be made again .* set key_id"
    ) as caught:
        pseudonym_key(state)
    assert key_id(KEY.encode()) in str(caught.value)
