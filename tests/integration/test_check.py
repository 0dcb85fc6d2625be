"""`uppklarat check`: a supplier sees what a load would do with a delivery, without a warehouse, a key, or a value in the output."""

from __future__ import annotations

from pathlib import Path

import pytest
from deliveries import YEAR, csv_file, files_of, put, put_with_manifest
from reference.worlds import offence_row, police_row

from dagster_project.cli import main as cli
from dagster_project.settings import Settings


def offences(unusable: int = 0, faulty: int = 0, rows: int = 100) -> bytes:
    """Rows of a delivery; of the first ones the municipality cannot be used, of the last ones the offence code is no code."""
    return csv_file(
        "police",
        "offences",
        [
            offence_row(
                number,
                kommunkod="180" if number <= unusable else "0180",
                brottskod="SECRET" if number > rows - faulty else "0412",
            )
            for number in range(1, rows + 1)
        ],
    )


def check(settings: Settings, capsys: pytest.CaptureFixture[str], folder: Path) -> tuple[int, str]:
    """The exit code and what was printed; fails if the warehouse was touched."""
    code = cli.main(["check", str(folder)])
    printed = capsys.readouterr()
    assert not settings.home.exists()
    return code, printed.out + printed.err


@pytest.fixture
def police(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(Settings, "from_environment", lambda: settings)
    return settings


def test_a_sound_delivery_would_be_taken(police: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    decisions = csv_file("police", "decisions", [police_row(number) for number in range(1, 101)])
    files = files_of("police", offences=offences(), decisions=decisions)
    code, output = check(police, capsys, put_with_manifest(police, "police", files))
    assert code == cli.OK
    assert output.startswith("a load would take it\n")
    assert "offences: 100 rows read = 100 loaded + 0 quarantined + 0 exact duplicates" in output


def test_quarantined_rows_are_listed_without_their_values(police: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    _, output = check(police, capsys, put(police, "police", files_of("police", offences=offences(faulty=2))))
    assert output.count("no manifest") == 1
    assert (
        "no manifest, so the delivery could not be verified as complete; a scheduled load waits for the manifest"
        in output
    )
    assert "offences: 100 rows read = 98 loaded + 2 quarantined + 0 exact duplicates" in output
    for line in (100, 101):
        assert f"invalid_value\tpolice/{YEAR}/offences.csv\tline {line}\tbrottskod" in output
    assert "SECRET" not in output
    assert "0100-K" not in output


@pytest.mark.parametrize(("rows", "code"), [(199, cli.REJECTED), (200, cli.OK)])
def test_quarantined_rows_above_the_limit_would_block(
    police: Settings, capsys: pytest.CaptureFixture[str], rows: int, code: int
) -> None:
    """The limit is 0.5 % of a file's rows, as for a load."""
    ended, output = check(
        police, capsys, put(police, "police", files_of("police", offences=offences(faulty=1, rows=rows)))
    )
    assert ended == code
    assert ("checks would block publishing" in output) == (code == cli.REJECTED)
    assert ("blocks publishing: int_delivery_balance.quarantine_within_limit" in output) == (code == cli.REJECTED)
    assert "not compared with other deliveries" in output


def test_too_many_unusable_values_would_block(police: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    code, output = check(police, capsys, put(police, "police", files_of("police", offences=offences(unusable=6))))
    assert code == cli.REJECTED
    assert output.startswith("a load would take it, and its checks would block publishing\n")
    assert "offences: 6 loaded rows without a usable kommunkod" in output
    for line in range(2, 8):
        assert f"unusable\tpolice/{YEAR}/offences.csv\tline {line}\tkommunkod\t999\n" in output
    assert "blocks publishing: unusable_field.unusable_values_within_limit" in output


def test_an_unusable_date_says_what_it_is_later_than(police: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [offence_row(number) for number in range(1, 301)]
    rows[4] |= {"brottsdatum": f"{YEAR}-12-31", "anmalningsdatum": f"{YEAR}-01-01"}
    content = csv_file("police", "offences", rows)
    code, output = check(police, capsys, put(police, "police", files_of("police", offences=content)))
    assert code == cli.OK
    assert "offences: 1 loaded row without a usable brottsdatum" in output
    assert f"unusable\tpolice/{YEAR}/offences.csv\tline 6\tbrottsdatum\tlater than anmalningsdatum" in output


def test_a_rejection_quotes_the_header_and_names_the_column(
    police: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    misspelt = offences().replace(b"brottskod", b"brottskood", 1)
    code, output = check(police, capsys, put(police, "police", files_of("police", offences=misspelt)))
    assert code == cli.REJECTED
    assert "a load would reject it: " in output
    assert "brottskood is probably meant for brottskod" in output


def test_a_folder_of_another_form_is_wrong_usage(police: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    code, output = check(police, capsys, police.landing)
    assert code == cli.USAGE
    assert "name the folder of a source and year" in output
    code, output = check(police, capsys, police.landing / "police" / "2019")
    assert (code, "police/2019 does not exist" in output) == (cli.USAGE, True)
