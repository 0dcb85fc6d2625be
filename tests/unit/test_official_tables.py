"""Reading Brå's table 300 as it is downloaded, and what rejects a file."""

from __future__ import annotations

import csv
import re
import struct
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from dagster_project.ingestion.official_tables import COUNTS, OfficialTable, read_official_table
from dagster_project.ingestion.rejection import RejectedDeliveryError
from dagster_project.seeds import decided_indicators, seed_rows

OWN = Path(__file__).parents[1] / "support" / "official"
# More files, where the folder that this project shares with others is at hand.
SHARED = Path(__file__).parents[3] / "shared" / "reference" / "official"
FILES = [
    (folder / expected, name)
    for folder, expected in ((OWN, "expected.csv"), (SHARED, "official_expected.csv"))
    for name in sorted({path.name for path in folder.glob("300*-*.xls*")})
]


def read(content: bytes, name: str) -> OfficialTable:
    area, _, year = name.partition(".")[0].removeprefix("300").partition("-")
    return read_official_table(content, f"official/{name}", int(year), area)


def cells(table: OfficialTable, year: int) -> dict[tuple[str, str, str], dict[str, int]]:
    """The figures of each cell of the decided indicators: the sums of its declared rows."""
    decided = {row["indicator_id"] for row in decided_indicators()}
    rows = {(row.lagrum_label, row.row_path): row.counts for row in table.rows}
    found: dict[tuple[str, str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(COUNTS, 0))
    for declared in seed_rows("official_cell"):
        if int(declared["from_year"]) <= year <= int(declared["to_year"]) and declared["indicator_id"] in decided:
            cell = found[declared["indicator_id"], declared["variant"], declared["victim_group"]]
            for name, count in rows[declared["lagrum_label"], declared["row_path"]].items():
                cell[name] += count
    return found


@pytest.mark.parametrize(("expected", "name"), FILES, ids=[f"{path.parent.name}-{name}" for path, name in FILES])
def test_every_file_is_read_to_the_last_value(expected: Path, name: str) -> None:
    with expected.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["file"] == name]
    assert rows
    found = cells(read((expected.parent / name).read_bytes(), name), int(name.partition(".")[0][-4:]))
    assert found == {
        (row["indicator_id"], row["variant"], row["victim_group"]): {count: int(row[count]) for count in COUNTS}
        for row in rows
    }


def test_assault_by_a_partner_or_kin_has_the_rows_of_the_wide_variant_of_indicator_1() -> None:
    measure, wide = (
        [
            {name: value for name, value in row.items() if name not in ("indicator_id", "variant")}
            for row in seed_rows("official_cell")
            if (row["indicator_id"], row["variant"]) == cell
        ]
        for cell in (("misshandel_par_slakt_familj", "egen"), ("misshandel_nara_relation", "bred"))
    )
    assert measure == wide != []


def test_what_must_be_known_of_a_row_is_said_in_both_languages() -> None:
    """And without straight quotes, which readers of the CSV file would have to unescape."""
    notes = {(row["match"], row["note"], row["note_sv"]) for row in seed_rows("official_cell")}
    assert [one for one in notes if bool(one[1]) != bool(one[2]) or '"' in one[1] + one[2]] == []
    assert {match for match, note, _ in notes if not note} == {"exact"}


def test_the_day_of_the_correction_is_read() -> None:
    days = {name: read((OWN / name).read_bytes(), name).corrected_on for _, name in FILES if (OWN / name).exists()}
    assert days == {
        "300La-2014.xls": date(2018, 6, 14),
        "300Rn03-2021.xlsx": date(2026, 7, 7),
        "300La-2025.xlsx": date(2026, 7, 7),
    }


A, B, C = "Samtliga handlagda brott", "Utredda brott", "Direktavskrivna brott"
PARTNER = "Mot kvinna 18 år eller äldre, närstående genom parrelation"
ASSAULT = "3 kap. 5, 6 § BrB Misshandel inkl. grov"
OTHER_PROVISION = "3 kap. 5, 6 a § BrB Misshandel inkl. synnerligen grov"
UNKNOWN_LAYOUT = "this version does not know its layout: report it in an issue"


def row_of(book: Workbook, sheet: str, *labels: str) -> int:
    """The number of the row with these labels."""
    return next(
        number
        for number, row in enumerate(book[sheet].iter_rows(values_only=True), 1)
        if tuple(row[: len(labels)]) == labels
    )


def rename_row(book: Workbook) -> None:
    for sheet in (A, B, C):
        book[sheet].cell(row_of(book, sheet, ASSAULT, PARTNER), 2).value = "Mot kvinna 18 år eller äldre, i parrelation"


def change_provision(book: Workbook) -> None:
    for sheet in (A, B, C):
        book[sheet].cell(row_of(book, sheet, ASSAULT, PARTNER), 1).value = OTHER_PROVISION


def remove_row(book: Workbook) -> None:
    for sheet in (A, B, C):
        book[sheet].delete_rows(row_of(book, sheet, "4 kap 4 d § BrB Vilseledande till äktenskapsresa"))


def move_sheet(book: Workbook) -> None:
    book.move_sheet(B, -1)


def rename_sheet(book: Workbook) -> None:
    book[C].title = "Avskrivna brott"


def swap_columns(book: Workbook) -> None:
    book[B].cell(2, 5).value, book[B].cell(2, 6).value = book[B].cell(2, 6).value, book[B].cell(2, 5).value


def break_total(book: Workbook) -> None:
    book[A].cell(row_of(book, A, ASSAULT, PARTNER), 3).value += 1


def break_cleared(book: Workbook) -> None:
    book[B].cell(row_of(book, B, ASSAULT, PARTNER), 5).value += 1


def break_rate(book: Workbook) -> None:
    book[A].cell(row_of(book, A, ASSAULT, PARTNER), 7).value += 0.001


def contradict_sheet(book: Workbook) -> None:
    row = row_of(book, A, ASSAULT, PARTNER)
    book[A].cell(row, 3).value += 1
    book[A].cell(row, 4).value += 1


def write_text(book: Workbook) -> None:
    book[C].cell(row_of(book, C, ASSAULT, PARTNER), 4).value = "uppgift saknas"


def exceed_offence(book: Workbook) -> None:
    row = row_of(book, C, ASSAULT, PARTNER)
    for column in (3, 5):
        book[C].cell(row, column).value += 50_000


def other_year(book: Workbook) -> None:
    for sheet in (A, B, C):
        book[sheet]["A1"].value = book[sheet]["A1"].value.replace("2025", "2023")


def other_area(book: Workbook) -> None:
    for sheet in (A, B, C):
        book[sheet]["A1"].value = book[sheet]["A1"].value.replace("hela landet", "region Väst")


def changed(change: Callable[[Workbook], None], name: str = "300La-2025.xlsx") -> bytes:
    book = load_workbook(OWN / name)
    change(book)
    content = BytesIO()
    book.save(content)
    return content.getvalue()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (rename_row, [A, PARTNER, "row 14, “Mot kvinna 18 år eller äldre, i parrelation”", "official_cell.csv"]),
        (
            change_provision,
            [PARTNER, f"row 14 has this label, but provision “{OTHER_PROVISION}” instead of “{ASSAULT}”"],
        ),
        (remove_row, [A, "“Vilseledande till äktenskapsresa”", "below “Brott mot frihet och frid, totalt”"]),
        (move_sheet, [f"are not {A}, {B}, {C}", f"but {B}, {A}, {C}", UNKNOWN_LAYOUT]),
        (rename_sheet, ["Avskrivna brott", f"are not {A}, {B}, {C}", UNKNOWN_LAYOUT]),
        (swap_columns, [f"sheet {B}, column 5", "cleared_indictment", UNKNOWN_LAYOUT]),
        (break_total, [f"sheet {A}, row 14", "processed", "investigated + dismissed"]),
        (break_cleared, [f"sheet {B}, row 14", "cleared_indictment + cleared_penalty_order + cleared_waiver"]),
        (break_rate, [f"sheet {A}", PARTNER, "clearance_pct"]),
        (contradict_sheet, [f"sheet {B}, row 14", "investigated", f"in sheet {A}"]),
        (write_text, [f"sheet {C}, row 14", "limited_dismissed is not a whole number"]),
        (exceed_offence, [f"sheet {C}, row 14", PARTNER, "more than “Misshandel, totalt”"]),
        (other_year, [f"sheet {A}", "does not name 2025"]),
        (
            other_area,
            [f"sheet {A}", "names “region väst”, its file name “hela landet”", "name that the file has at Brå"],
        ),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_changed_file_is_rejected(change: Callable[[Workbook], None], words: list[str]) -> None:
    with pytest.raises(RejectedDeliveryError) as rejected:
        read(changed(change), "300La-2025.xlsx")
    text = str(rejected.value)
    assert text.startswith("official/300La-2025.xlsx")
    assert [word for word in words if word not in text] == [], text


# Nothing at hand writes `.xls` (BIFF 8), so single values of such a file are overwritten where they stand, at their own length.
OLD, OLD_ROW, OLD_SHEET = "300La-2014.xls", 62, "Tabell 300"
OLD_LABEL = "Grov kvinnofridskränkning (4 a §)"


def overwritten(old: str, new: str) -> bytes:
    """The file with a text replaced by one as long."""
    content = (OWN / OLD).read_bytes()
    assert (content.count(old.encode("latin-1")), len(old)) == (1, len(new))
    return content.replace(old.encode("latin-1"), new.encode("latin-1"))


def raised(kind: int, first_column: int, size: int, more: Callable[[bytes], bytes]) -> bytes:
    """The file with the first value of a record of the row changed."""
    content = (OWN / OLD).read_bytes()
    # A record: kind and length; row and first column, counted from 0; the format of the first cell; its value.
    begins = (OLD_ROW - 1).to_bytes(2, "little") + first_column.to_bytes(2, "little")
    (at,) = (
        found.end() + 2
        for found in re.finditer(re.escape(kind.to_bytes(2, "little")) + b".." + begins, content, re.DOTALL)
    )
    return content[:at] + more(content[at : at + size]) + content[at + size :]


def one_more(value: bytes) -> bytes:
    """A whole number of an RK value, which is kept times four, plus 2."""
    return (int.from_bytes(value, "little") + 4).to_bytes(4, "little")


def a_thousandth_more(value: bytes) -> bytes:
    return struct.pack("<d", struct.unpack("<d", value)[0] + 0.001)


def renamed_row_of_xls() -> bytes:
    return overwritten(OLD_LABEL, OLD_LABEL.replace("4 a", "4 b"))


def renamed_sheet_of_xls() -> bytes:
    # Its length and encoding stand before a sheet's name, which the title repeats.
    return overwritten(f"\n\0{OLD_SHEET}", "\n\0Tabell 301")


def broken_total_of_xls() -> bytes:
    return raised(0x00BD, 1, 4, one_more)


def broken_rate_of_xls() -> bytes:
    return raised(0x0203, 13, 8, a_thousandth_more)


def other_year_of_xls() -> bytes:
    return overwritten("procent, år 2014.", "procent, år 2015.")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (renamed_row_of_xls, [f"sheet {OLD_SHEET}", OLD_LABEL, f"row {OLD_ROW}, “{OLD_LABEL.replace('4 a', '4 b')}”", "official_cell.csv"]),
        (renamed_sheet_of_xls, [f"are not {OLD_SHEET}", "but Tabell 301", UNKNOWN_LAYOUT]),
        (broken_total_of_xls, [f"sheet {OLD_SHEET}, row {OLD_ROW}", "processed", "investigated + dismissed", "Download it again"]),
        (broken_rate_of_xls, [f"sheet {OLD_SHEET}", OLD_LABEL, "clearance_pct", "Download it again"]),
        (other_year_of_xls, [f"sheet {OLD_SHEET}", "does not name 2014"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)  # fmt: skip
def test_a_changed_file_of_the_oldest_layout_is_rejected(content: Callable[[], bytes], words: list[str]) -> None:
    """In its own format, `.xls`. It has one sheet, so none can stand in another's place."""
    with pytest.raises(RejectedDeliveryError) as rejected:
        read(content(), OLD)
    text = str(rejected.value)
    assert text.startswith(f"official/{OLD}")
    assert [word for word in words if word not in text] == [], text


@pytest.mark.parametrize(
    ("name", "title", "named"),
    [
        ("300Rn05-2021.xlsx", "i region Stockholm", "“region stockholm”"),
        ("300La-2021.xlsx", "i region Stockholm", "“region stockholm”"),
        ("300Rn03-2021.xlsx", "i hela landet", "“hela landet”"),
        ("300Rn03-2021.xlsx", "i Stockholms län", "neither the country nor a police region"),
    ],
)
def test_the_table_of_another_place_is_rejected(name: str, title: str, named: str) -> None:
    def change(book: Workbook) -> None:
        for sheet in (A, B, C):
            book[sheet]["A1"].value = book[sheet]["A1"].value.replace("i region Stockholm", title)

    with pytest.raises(RejectedDeliveryError) as rejected:
        read(changed(change, "300Rn03-2021.xlsx"), name)
    assert str(rejected.value).startswith(f"official/{name}, sheet {A}: its title names {named}, its file name ")


def test_the_older_layout_names_its_place_in_a_line_of_its_own() -> None:
    with pytest.raises(RejectedDeliveryError, match=r"names “hela landet”, its file name “region mitt”"):
        read((OWN / "300La-2014.xls").read_bytes(), "300Rn02-2014.xls")


def test_a_place_in_a_note_below_the_title_is_not_taken_for_the_tables() -> None:
    def change(book: Workbook) -> None:
        title = book[A]["A1"]
        title.value = f"{title.value.replace('region', 'polisregion')}. Ett stort ärende gäller region Väst."

    assert read(changed(change, "300Rn03-2021.xlsx"), "300Rn03-2021.xlsx").rows


def test_a_row_is_not_taken_from_another_offence() -> None:
    """Labels repeat from offence to offence: where one is missing, the next one's row must not stand in."""

    def remove_group(book: Workbook) -> None:
        for sheet in (A, B, C):
            above = row_of(book, sheet, "Grov fridskränkning (4 a §)")
            woman = next(
                row for row in range(above, above + 9) if book[sheet].cell(row, 1).value.startswith("Mot kvinna")
            )
            book[sheet].delete_rows(woman)

    with pytest.raises(RejectedDeliveryError, match="“Mot kvinna 18 år eller äldre” is not where it belongs"):
        read(changed(remove_group, "300Rn03-2021.xlsx"), "300Rn03-2021.xlsx")


def test_a_dash_is_zero_and_a_footnote_is_not_part_of_a_label() -> None:
    def change(book: Workbook) -> None:
        for sheet in (A, B, C):
            row = row_of(book, sheet, "Lag (1982:316) med förbud mot könsstympning av kvinnor")
            book[sheet].cell(row, 2).value += "3"
            for cell in book[sheet][row][2:]:
                cell.value = "−"

    found = cells(read(changed(change), "300La-2025.xlsx"), 2025)
    assert set(found["konsstympning", "beslutad", "total"].values()) == {0}


def test_a_file_that_is_no_workbook_is_rejected() -> None:
    with pytest.raises(RejectedDeliveryError, match="cannot be read as an Excel workbook"):
        read(b"<html>not found</html>", "300La-2025.xlsx")


def test_a_year_that_nobody_declared_is_rejected() -> None:
    with pytest.raises(RejectedDeliveryError, match=r"no row of the table of 2013 is declared.*official_cell.csv"):
        read((OWN / "300La-2014.xls").read_bytes(), "300La-2013.xls")


def test_a_layout_of_other_years_is_rejected() -> None:
    with pytest.raises(
        RejectedDeliveryError, match=rf"the table of 2014 is known in layout 2014-2019 .xls only.*{UNKNOWN_LAYOUT}"
    ):
        read((OWN / "300La-2025.xlsx").read_bytes(), "300La-2014.xlsx")
