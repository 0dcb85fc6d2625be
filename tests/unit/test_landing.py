"""Finding deliveries in the landing folder, by folders and manifests alone; what is refused is in `test_rejections.py`."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dagster_project.ingestion.landing import DeliveryFolder, check_year, find_delivery_folders, open_delivery
from dagster_project.ingestion.rejection import RejectedDeliveryError

HASH = "AB" * 32


@pytest.fixture
def folder(tmp_path: Path) -> DeliveryFolder:
    """A police delivery of 2022 with both files and no manifest."""
    found = DeliveryFolder(tmp_path, "police", 2022)
    found.path.mkdir(parents=True)
    for name in ("offences.csv", "decisions.csv.gz"):
        (found.path / name).write_text("x", encoding="utf-8")
    return found


def say(folder: DeliveryFolder, **other: Any) -> None:
    files = [{"name": name, "rows": 1, "sha256": HASH} for name in ("offences.csv", "decisions.csv.gz")]
    fields = {"contract": "1", "source": "police", "year": 2022, "files": files, **other}
    text = json.dumps({key: value for key, value in fields.items() if value != "left out"})
    (folder.path / "manifest.json").write_text(text, encoding="utf-8")


def test_folders_are_found_by_year_and_source(tmp_path: Path) -> None:
    for name in (
        "prosecution/2022",
        "police/2023",
        "police/2022",
        "police/20221",
        "police/x",
        "police/２０２２",
        "other/2022",
    ):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "police" / "2021").write_text("a file", encoding="utf-8")
    found = list(find_delivery_folders(tmp_path))
    assert [(one.landing, one.source, one.year) for one in found] == [
        (tmp_path, "police", 2022),
        (tmp_path, "prosecution", 2022),
        (tmp_path, "police", 2023),
    ]
    assert found[0].path == tmp_path / "police" / "2022"
    assert found[0].label == "police/2022"


@pytest.mark.parametrize("there", [[], ["police"]])
def test_a_source_without_a_folder_has_no_deliveries(tmp_path: Path, there: list[str]) -> None:
    for name in there:
        (tmp_path / name).mkdir()
    assert list(find_delivery_folders(tmp_path)) == []


def test_a_delivery_is_complete_with_its_manifest(folder: DeliveryFolder) -> None:
    assert not folder.is_complete
    say(folder)
    assert folder.is_complete


def test_a_signature_tells_every_change_of_a_file(folder: DeliveryFolder) -> None:
    path = folder.path / "offences.csv"
    os.utime(path, ns=(0, 0))
    first = folder.signature()
    assert folder.signature() == first
    assert "offences" not in first  # people name files by all sorts of things
    seen = {first}
    changes: list[Callable[[], object]] = [
        lambda: os.utime(path, ns=(0, 1)),
        lambda: path.chmod(0o600),  # changes only the time of the inode
        lambda: (path.write_bytes(b"other"), os.utime(path, ns=(0, 1))),
        lambda: (shutil.copy2(path, path.with_name("x")), path.with_name("x").replace(path)),
        lambda: (folder.path / "more").touch(),
    ]
    for number, change in enumerate(changes, 2):
        change()
        seen.add(folder.signature())
        assert len(seen) == number


def test_without_a_manifest_nothing_is_promised(folder: DeliveryFolder) -> None:
    delivery = open_delivery(folder)
    assert delivery.folder == folder
    assert delivery.files == {"offences": folder.path / "offences.csv", "decisions": folder.path / "decisions.csv.gz"}
    assert delivery.manifest is None


@pytest.mark.parametrize(
    ("given", "encoding"),
    [
        ("left out", "utf-8"),
        ("UTF-8", "utf-8"),
        ("utf8", "utf-8"),
        (" UTF_8 ", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("cp1252", "cp1252"),
        ("Cp1252", "cp1252"),
        ("cp-1252", "cp1252"),
        ("Windows-1252", "cp1252"),
        ("latin-1", "cp1252"),
        ("ISO-8859-1", "cp1252"),
    ],
)
def test_what_a_manifest_promises(folder: DeliveryFolder, given: str, encoding: str) -> None:
    say(folder, encoding=given)
    manifest = open_delivery(folder).manifest
    assert manifest is not None
    assert manifest.encoding == encoding
    for name in ("offences.csv", "decisions.csv.gz"):
        promised = manifest.promised(name)
        assert (promised.rows, promised.sha256) == (1, HASH.lower())
    assert manifest.synthetic is None


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"seed": 1}, {"seed": 1}),
        ({"seed": 1, "note": "121212-1212", "scale": "all"}, {"seed": 1}),
        ({}, {}),
        (True, {"says": True}),
        ("yes", {"says": True}),
        (False, None),
        (0, None),
    ],
)
def test_what_is_synthetic_says_so(folder: DeliveryFolder, fields: object, kept: object) -> None:
    say(folder, synthetic=fields)
    manifest = open_delivery(folder).manifest
    assert manifest is not None
    assert manifest.synthetic == kept


AS_DESCRIBED = "Write it as docs/input.md describes"
FILES = [{"name": name, "rows": 0, "sha256": HASH} for name in ("offences.csv", "decisions.csv.gz")]


def files(**first: object) -> list[dict[str, object]]:
    return [{key: value for key, value in {**FILES[0], **first}.items() if value != "left out"}, FILES[1]]


@pytest.mark.parametrize(
    ("fields", "problem", "remedy"),
    [
        ({"contract": "2"}, "contract: an unknown version of the contract; deliver by version 1", AS_DESCRIBED),
        ({"contract": None}, "contract: an unknown version of the contract; deliver by version 1", AS_DESCRIBED),
        ({"contract": "left out"}, "contract: Field required (add it)", AS_DESCRIBED),
        ({"source": "prosecution"}, "its source is not the folder's", "Put the delivery into its own folder"),
        ({"source": "left out"}, "source: Field required (add it)", AS_DESCRIBED),
        ({"source": ["police"]}, "source: Input should be a valid string", AS_DESCRIBED),
        ({"year": 2021}, "its year is not the folder's", "Put the delivery into its own folder"),
        ({"year": -2022}, "its year is not the folder's", "Put the delivery into its own folder"),
        ({"year": "left out"}, "year: Field required (add it)", AS_DESCRIBED),
        *(
            ({"year": wrong}, "year: Input should be a valid integer", AS_DESCRIBED)
            for wrong in ("2022", 2022.0, True, None, [2022], {})
        ),
        ({"encoding": "utf-16"}, "encoding: an unknown encoding; use utf-8 or cp1252", AS_DESCRIBED),
        ({"encoding": None}, "encoding: Input should be a valid string", AS_DESCRIBED),
        ({"files": "left out"}, "files: Field required (add it)", AS_DESCRIBED),
        ({"files": {}}, "files: Input should be a valid array", AS_DESCRIBED),
        ({"files": ["offences.csv"]}, "files, entry 1: Input should be an object", AS_DESCRIBED),
        ({"files": [FILES[0], 7]}, "files, entry 2: Input should be an object", AS_DESCRIBED),
        *(
            ({"files": files(**{name: wrong})}, f"files, entry 1, {name}: Input should be {expected}", AS_DESCRIBED)
            for name, wrong, expected in (
                ("name", 1, "a valid string"),
                ("sha256", 1, "a valid string"),
                ("rows", "1", "a valid integer"),
                ("rows", True, "a valid integer"),
                ("rows", -1, "greater than or equal to 0"),
                ("rows", 1.0, "a valid integer"),
            )
        ),
        *(
            ({"files": files(**{name: "left out"})}, f"files, entry 1, {name}: Field required (add it)", AS_DESCRIBED)
            for name in ("name", "rows", "sha256")
        ),
        *(
            (
                fields,
                f"{place}: Extra inputs are not permitted (remove it, or correct its spelling)",
                AS_DESCRIBED,
            )
            for fields, place in (
                ({"syntetic": {"seed": 1}}, "syntetic"),
                ({"121212-1212": 1}, "a name"),
                ({"files": files(line_count=1)}, "files, entry 1, line_count"),
            )
        ),
        (
            {"files": [7] * 8},
            "; ".join([*(f"files, entry {number}: Input should be an object" for number in range(1, 6)), "and 3 more"]),
            AS_DESCRIBED,
        ),
        ({"files": [*FILES, FILES[0]]}, "it lists a file twice", "List every file once"),
        (
            {"files": FILES[1:]},
            "it lists decisions.csv.gz but decisions.csv.gz, offences.csv are there",
            "Deliver the listed files, or correct the manifest",
        ),
        (
            {"files": []},
            "it lists no file but decisions.csv.gz, offences.csv are there",
            "Deliver the listed files, or correct the manifest",
        ),
        (
            {"files": [*FILES, {**FILES[0], "name": "a.csv"}]},
            "it lists a.csv, decisions.csv.gz, offences.csv but decisions.csv.gz, offences.csv are there",
            "Deliver the listed files, or correct the manifest",
        ),
    ],
)
def test_a_manifest_that_speaks_of_something_else(
    folder: DeliveryFolder, fields: dict[str, Any], problem: str, remedy: str
) -> None:
    say(folder, **fields)
    with pytest.raises(RejectedDeliveryError) as refused:
        open_delivery(folder)
    assert str(refused.value) == str(RejectedDeliveryError("police/2022/manifest.json", problem, remedy))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "Invalid JSON: EOF while parsing a value at line 1 column 0"),
        (b"\xff", "Invalid JSON: expected value at line 1 column 1"),
        (b"[]", "Input should be an object"),
    ],
)
def test_a_manifest_that_is_none(folder: DeliveryFolder, content: bytes, problem: str) -> None:
    (folder.path / "manifest.json").write_bytes(content)
    with pytest.raises(RejectedDeliveryError) as refused:
        open_delivery(folder)
    assert str(refused.value) == str(RejectedDeliveryError("police/2022/manifest.json", problem, AS_DESCRIBED))


def test_a_manifest_may_begin_with_a_byte_order_mark(folder: DeliveryFolder) -> None:
    say(folder)
    path = folder.path / "manifest.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert open_delivery(folder).manifest is not None


def refusal(folder: DeliveryFolder) -> str:
    with pytest.raises(RejectedDeliveryError) as refused:
        open_delivery(folder)
    return str(refused.value)


def test_files_are_there_once(folder: DeliveryFolder) -> None:
    (folder.path / "offences.parquet").touch()
    assert refusal(folder) == str(
        RejectedDeliveryError(
            "police/2022/offences",
            "delivered more than once, as offences.csv and offences.parquet",
            "Leave exactly one of them",
        )
    )
    for name in ("offences.parquet", "offences.csv"):
        (folder.path / name).unlink()
    assert refusal(folder) == str(
        RejectedDeliveryError(
            "police/2022/offences",
            "the file is missing",
            "Deliver it as offences.csv or offences.csv.gz or offences.parquet",
        )
    )


def test_files_are_those_of_the_landing_folder(
    folder: DeliveryFolder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = folder.path / "offences.csv"
    remedy = "Deliver the file itself"
    outside = tmp_path_factory.mktemp("outside") / "offences.csv"
    outside.touch()
    path.unlink()
    for target, problem, link in (
        (folder.path / "nothing", "the file cannot be reached", ", not a link to it"),
        (outside, "it leads out of the landing folder", ", not a link to it"),
        (folder.path, "it is not a regular file", ""),
    ):
        path.symlink_to(target)
        assert refusal(folder) == str(RejectedDeliveryError("police/2022/offences.csv", problem, remedy + link))
        path.unlink()


@pytest.mark.parametrize("year", [2014, date.today().year - 1])
def test_years_that_can_be(tmp_path: Path, year: int) -> None:
    check_year(DeliveryFolder(tmp_path, "police", year))


@pytest.mark.parametrize(
    ("year", "problem", "remedy"),
    [
        (
            2013,
            "the year lies before 2014, where the definition of processed offences begins",
            "Deliver later years only",
        ),
        (date.today().year, "the year is not over", "Deliver whole years, each in the folder of its year"),
    ],
)
def test_years_that_cannot_be(tmp_path: Path, year: int, problem: str, remedy: str) -> None:
    with pytest.raises(RejectedDeliveryError) as refused:
        check_year(DeliveryFolder(tmp_path, "police", year))
    assert str(refused.value) == str(RejectedDeliveryError(f"police/{year}", problem, remedy))


@pytest.mark.parametrize(
    ("there", "named"),
    [
        ("Offences.CSV", True),
        ("offence.csv", True),
        ("offences.xlsx", True),
        ("offences.csv.zip", True),
        ("offences_2022.csv", True),
        ("offences_22.csv", False),
        ("offences;.csv", False),
        ("decisions.csv", False),
        ("notes.csv", False),
        (".offences.csv", False),
    ],
)
def test_a_file_that_is_missing_may_lie_there_under_a_similar_name(
    folder: DeliveryFolder, there: str, named: bool
) -> None:
    (folder.path / "offences.csv").unlink()
    (folder.path / there).touch()
    missing = f"the file is missing, but {there} is there" if named else "the file is missing"
    remedy = "Deliver it as offences.csv or offences.csv.gz or offences.parquet"
    assert refusal(folder) == str(RejectedDeliveryError("police/2022/offences", missing, remedy))


@pytest.mark.parametrize("there", ["Manifest.json", "MANIFEST.JSON", "manifest.json.txt", "manifest", "manifest.txt"])
def test_a_manifest_under_another_name_is_refused(folder: DeliveryFolder, there: str) -> None:
    (folder.path / there).touch()
    expected = RejectedDeliveryError(f"police/2022/{there}", "it is not named manifest.json", "Name it manifest.json")
    assert refusal(folder) == str(expected)


@pytest.mark.parametrize("there", ["manifest.json.part", "old manifest.json", ".manifest.json"])
def test_other_names_are_no_manifest(folder: DeliveryFolder, there: str) -> None:
    (folder.path / there).touch()
    assert open_delivery(folder).manifest is None
