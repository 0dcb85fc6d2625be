"""One Excel workbook for people, in both languages: what to know, the figures by level, and the tables that explain them."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from dagster_project.publish.formats.catalogue import Catalogue
from dagster_project.publish.formats.cubes import level_groups
from dagster_project.publish.formats.texts import LANGUAGES, Text, columns, notes
from dagster_project.sql import parquet

WORKBOOK = "uppklarat.xlsx"
FIGURES = "fct_indicator_year"
# Swedish label, English label, name in the marts.
HEADING_ROWS = 3
_EXPLAINING = {
    "dim_indicator": "Indikatorer Indicators",
    "dim_geography": "Geografi Geography",
    "dim_victim_group": "Offergrupper Victim groups",
    "dim_year": "År Years",
    "series_break": "Tidsseriebrott Breaks",
    "quality_check": "Kontroller Checks",
    "publication": "Publiceringar Publications",
    "revision": "Revideringar Revisions",
}
# The names, which stay in view when a sheet is scrolled to the right.
_KEY_COLUMNS = 5
_WIDEST, _LONGEST_NAME, _LONGEST_TEXT, _MOST_ROWS = 60, 31, 32_767, 1_048_576
_Formats: TypeAlias = Mapping[str, Any]


def write_workbook(draft: Path, said: Mapping[str, Any], told: Sequence[Text], catalogue: Catalogue) -> None:
    """Write the workbook from the Parquet files of a draft; the same draft gives the same bytes.

    Codes, names and figures stand in the order of the marts. Withheld figures are empty cells, and column `suppression` says why.
    Raises `ValueError` where Excel would cut something off.
    """
    moment = datetime.fromisoformat(said["published_at"]).replace(tzinfo=None)
    with (
        duckdb.connect() as connection,
        xlsxwriter.Workbook(draft / WORKBOOK, {"constant_memory": True}) as book,
    ):
        for path in sorted((draft / "parquet").glob("*.parquet")):
            connection.execute(f"create view {path.stem} as select * from {parquet(path)}")
        book.set_properties(
            {"title": catalogue.title[LANGUAGES[0]], "created": moment, "comments": said["publication_id"]}
        )
        styles = _styles(book)
        _write_notes(book.add_worksheet("Läs först Read first"), styles, said, told, catalogue)
        for levels, label in level_groups():
            sheet = book.add_worksheet(label[LANGUAGES[0]][:_LONGEST_NAME])
            _write_table(sheet, styles, connection.execute(_figures(levels)), of_figures=True)
        for table, name in _EXPLAINING.items():
            _write_table(book.add_worksheet(name), styles, connection.execute(f"select * from {table} order by all"))
        _write_columns(book.add_worksheet("Kolumner Columns"), styles)


def rows_of_sheets(path: Path) -> list[int]:
    """How many rows each sheet of a written workbook holds, in their order."""
    with zipfile.ZipFile(path) as archive:
        sheets = [name for name in archive.namelist() if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name)]
        in_order = sorted(sheets, key=lambda name: int(re.sub(r"\D", "", name)))
        return [archive.read(name).count(b"<row ") for name in in_order]


def _figures(levels: Sequence[str]) -> str:
    return f"""
        select
            number,
            {_in_both("indicator.name_sv", "indicator.name_en")} as indicator_name,
            {_in_both("variant_name_sv", "variant_name_en")} as variant_name,
            {_in_both("geography.name", "geography.name_en")} as geography_name,
            {_in_both("victim_group.name_sv", "victim_group.name_en")} as victim_group_name,
            figure.*
        from {FIGURES} as figure
        inner join dim_indicator as indicator using (indicator_id, variant)
        inner join dim_geography as geography using (geography_level, geography_code)
        inner join dim_victim_group as victim_group using (victim_group)
        where geography_level in ({", ".join(f"'{level}'" for level in levels)})
        order by number, indicator.sort_order, geography_level desc, geography_code, victim_group.sort_order, year
    """


def _in_both(swedish: str, english: str) -> str:
    """Both languages in one cell: columns of either would be a fifth of the file."""
    return f"case when {swedish} = {english} then {swedish} else {swedish} || ' / ' || {english} end"


def _styles(book: xlsxwriter.Workbook) -> _Formats:
    heading = {"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#E7E6E6"}
    return {
        "heading": book.add_format(heading),
        "name": book.add_format({**heading, "bold": False, "italic": True, "bottom": 1}),
        "title": book.add_format({"bold": True, "font_size": 14}),
        "wrapped": book.add_format({"text_wrap": True, "valign": "top"}),
        "date": book.add_format({"num_format": "yyyy-mm-dd"}),
        "datetime": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        "0": book.add_format({"num_format": "#,##0"}),
        "1": book.add_format({"num_format": "0.0"}),
    }


def _write_notes(
    sheet: Worksheet, styles: _Formats, said: Mapping[str, Any], told: Sequence[Text], catalogue: Catalogue
) -> None:
    years = f"{min(said['years'])}–{max(said['years'])}"
    cite = {
        language: f"{catalogue.publisher[language]}: {catalogue.title[language]}, {years}. {said['publication_id']}."
        for language in LANGUAGES
    }
    said_of_it: list[Text] = [
        catalogue.description,
        *told,
        {"sv": f"Källa: {notes()['source']['sv']}", "en": f"Source: {notes()['source']['en']}"},
        {"sv": f"Publicering: {said['publication_id']}", "en": f"Publication: {said['publication_id']}"},
        {"sv": f"Licens: {catalogue.licence}", "en": f"Licence: {catalogue.licence}"},
        {"sv": f"Kontakt: {catalogue.contact_line['sv']}", "en": f"Contact: {catalogue.contact_line['en']}"},
        {"sv": f"Hänvisa så här: {cite['sv']}", "en": f"Cite it as: {cite['en']}"},
    ]
    sheet.set_column(0, len(LANGUAGES) - 1, 80, styles["wrapped"])
    for row, text in enumerate([catalogue.title, *said_of_it]):
        for column, language in enumerate(LANGUAGES):
            _write_text(sheet, row, column, text[language], styles["title" if row == 0 else "wrapped"])


def _write_table(
    sheet: Worksheet, styles: _Formats, cursor: duckdb.DuckDBPyConnection, of_figures: bool = False
) -> None:
    names = [name for name, *_ in cursor.description]
    rows = cursor.fetchall()
    if HEADING_ROWS + len(rows) > _MOST_ROWS:
        raise ValueError(f"{sheet.get_name()}: {len(rows)} rows are too many for a sheet")
    for column, name in enumerate(names):
        known = columns().get(name) if of_figures else None
        longest = max([len(name) + 3, *(len(str(row[column])) for row in rows[:200])])
        is_measure = known is not None and known.unit is not None
        style = styles[str(known.decimals)] if known is not None and is_measure else None
        sheet.set_column(column, column, 12 if is_measure else min(_WIDEST, longest), style)
    # Row by row, since the library forgets a row when the next one begins.
    for row, language in enumerate(LANGUAGES):
        for column, name in enumerate(names):
            _write_text(sheet, row, column, _label(name)[language], styles["heading"])
    for column, name in enumerate(names):
        _write_text(sheet, HEADING_ROWS - 1, column, name, styles["name"])
    for row, cells in enumerate(rows, HEADING_ROWS):
        for column, cell in enumerate(cells):
            if cell is not None:
                _write_cell(sheet, styles, row, column, cell)
    sheet.autofilter(HEADING_ROWS - 1, 0, HEADING_ROWS - 1 + len(rows), len(names) - 1)
    sheet.freeze_panes(HEADING_ROWS, _KEY_COLUMNS if of_figures else 0)


def _label(name: str) -> Text:
    """What a column is called; one that only explains is called by its name."""
    known = columns().get(name)
    return known.label if known else dict.fromkeys(LANGUAGES, name.replace("_", " "))


def _write_columns(sheet: Worksheet, styles: _Formats) -> None:
    """What the columns of the figures are called and measured in."""
    sheet.set_column(0, 4, 45)
    for column, name in enumerate(("column", "label_sv", "label_en", "unit_sv", "unit_en")):
        _write_text(sheet, 0, column, name, styles["heading"])
    for row, known in enumerate(columns().values(), 1):
        texts = [known.name, *_both(known.label), *(_both(known.unit) if known.unit else [])]
        for column, text in enumerate(texts):
            _write_text(sheet, row, column, text)
    sheet.freeze_panes(1, 0)


def _both(text: Text) -> list[str]:
    return [text[language] for language in LANGUAGES]


class _Exact(float):
    """A number that is written with all its digits: the library asks for 16, and some need 17."""

    def __format__(self, _: str) -> str:
        return float.__repr__(self)


def _write_cell(sheet: Worksheet, styles: _Formats, row: int, column: int, cell: Any) -> None:
    if isinstance(cell, bool):
        sheet.write_boolean(row, column, cell)
    elif isinstance(cell, int):
        sheet.write_number(row, column, cell)
    elif isinstance(cell, float):
        sheet.write_number(row, column, _Exact(cell))
    elif isinstance(cell, datetime):
        sheet.write_datetime(row, column, cell, styles["datetime"])
    elif isinstance(cell, date):
        sheet.write_datetime(row, column, cell, styles["date"])
    else:
        _write_text(sheet, row, column, cell)


def _write_text(sheet: Worksheet, row: int, column: int, text: str, style: Any = None) -> None:
    """Write a text as such: `write_string` makes no formula or link of it, whatever it begins with."""
    if len(text) > _LONGEST_TEXT:
        raise ValueError(f"{sheet.get_name()}: a text is too long for a cell")
    sheet.write_string(row, column, text, style)
