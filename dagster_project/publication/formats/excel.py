"""One Excel workbook for people, in both languages: what to know, the figures by level, and the tables that explain them."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import pandas
import xlsxturbo

from dagster_project.publication.formats.catalogue import Catalogue
from dagster_project.publication.formats.cubes import level_groups
from dagster_project.publication.formats.texts import LANGUAGES, Text, columns, notes
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
_WIDEST, _LONGEST_NAME = 60, 31
# Half the time of the default, and a sixth more bytes.
_PACKED = 3
_HEADING = {"bold": True, "wrap_text": True, "align_vertical": "top", "bg_color": "#E7E6E6"}
_NAME = {**_HEADING, "bold": False, "italic": True, "border_bottom": "thin"}
_TITLE = {"bold": True, "font_size": 14.0}
_WRAPPED = {"wrap_text": True, "align_vertical": "top"}
_DECIMALS = {0: "#,##0", 1: "0.0"}
_MOMENTS = {"DATE": "yyyy-mm-dd", "TIMESTAMP": "yyyy-mm-dd hh:mm:ss"}
_ANY_COLUMN = "*"
_Sheet: TypeAlias = tuple[pandas.DataFrame, str, Mapping[str, Any]]
"""Rows for a sheet, its name, and how they look; further rows of the same sheet may follow."""


def write_workbook(draft: Path, said: Mapping[str, Any], told: Sequence[Text], catalogue: Catalogue) -> None:
    """Write the workbook from the Parquet files of a draft; the same draft gives the same bytes.

    Codes, names and figures stand in the order of the marts. Withheld figures are empty cells, and column `suppression` says why.
    Raises `ValueError` where Excel would cut something off.
    """
    made = BytesIO()
    with duckdb.connect() as connection:
        for path in sorted((draft / "parquet").glob("*.parquet")):
            connection.execute(f"create view {path.stem} as select * from {parquet(path)}")
        sheets = [*_notes(said, told, catalogue)]
        for levels, label in level_groups():
            sheets += _table(label[LANGUAGES[0]][:_LONGEST_NAME], connection.sql(_figures(levels)), of_figures=True)
        for table, name in _EXPLAINING.items():
            sheets += _table(name, connection.sql(f"select * from {table} order by all"))
        sheets += _columns()
        # Packed for good below.
        xlsxturbo.dfs_to_xlsx(sheets, made, constant_memory=True, compression_level=1)
    _pack(made, draft / WORKBOOK, said, catalogue)


def _pack(made: BytesIO, path: Path, said: Mapping[str, Any], catalogue: Catalogue) -> None:
    """Pack a workbook again with its title and the time of the publication: the library knows no title and takes the time of now."""
    moment = datetime.fromisoformat(said["published_at"]).strftime("%Y-%m-%dT%H:%M:%SZ")
    told = f"<dc:title>{escape(catalogue.title[LANGUAGES[0]])}</dc:title><dc:description>{escape(said['publication_id'])}</dc:description>"
    with zipfile.ZipFile(made) as parts, zipfile.ZipFile(path, "w") as book:
        for part in parts.infolist():
            content = parts.read(part)
            if part.filename == "docProps/core.xml":
                text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", moment, content.decode())
                content = text.replace("<dc:creator>", f"{told}<dc:creator>").encode()
            book.writestr(part, content, compresslevel=_PACKED)


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


def _notes(said: Mapping[str, Any], told: Sequence[Text], catalogue: Catalogue) -> Iterator[_Sheet]:
    name = "Läs först Read first"
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
    widths = dict.fromkeys(range(len(LANGUAGES)), 80)
    title_only = {"header": False, "column_formats": {_ANY_COLUMN: _TITLE}, "column_widths": widths}
    yield _texts([catalogue.title]), name, title_only
    yield _texts(said_of_it), name, {"header": False, "startrow": 1, "column_formats": {_ANY_COLUMN: _WRAPPED}}


def _table(name: str, rows: duckdb.DuckDBPyRelation, of_figures: bool = False) -> Iterator[_Sheet]:
    """Rows with their headings above them."""
    known = {column: columns().get(column) if of_figures else None for column in rows.columns}
    formats = {
        column: _DECIMALS[known_column.decimals] if known_column and known_column.unit else _MOMENTS.get(str(kind))
        for (column, known_column), kind in zip(known.items(), rows.types, strict=True)
    }
    first = rows.limit(200).fetchall()
    widths = {
        position: 12
        if known_column and known_column.unit
        else min(_WIDEST, max([len(column) + 3, *(len(str(row[position])) for row in first)]))
        for position, (column, known_column) in enumerate(known.items())
    }
    labels = pandas.DataFrame([[_label(column)[language] for column in rows.columns] for language in LANGUAGES])
    of_sheet = {"column_widths": widths, "freeze_panes": (HEADING_ROWS, _KEY_COLUMNS if of_figures else 0)}
    yield labels, name, {"header": False, "column_formats": {_ANY_COLUMN: _HEADING}, **of_sheet}
    of_rows = {"startrow": HEADING_ROWS - 1, "header_format": _NAME, "autofilter": True}
    yield (
        rows.df(),
        name,
        {**of_rows, "column_formats": {column: {"num_format": one} for column, one in formats.items() if one}},
    )


def _label(name: str) -> Text:
    """What a column is called; one that only explains is called by its name."""
    known = columns().get(name)
    return known.label if known else dict.fromkeys(LANGUAGES, name.replace("_", " "))


def _columns() -> Iterator[_Sheet]:
    """What the columns of the figures are called and measured in."""
    told = pandas.DataFrame(
        [
            [known.name, *_both(known.label), *(_both(known.unit) if known.unit else ["", ""])]
            for known in columns().values()
        ],
        columns=["column", "label_sv", "label_en", "unit_sv", "unit_en"],
    )
    widths = dict.fromkeys(range(len(told.columns)), 45)
    yield told, "Kolumner Columns", {"header_format": _HEADING, "column_widths": widths, "freeze_panes": True}


def _texts(texts: Sequence[Text]) -> pandas.DataFrame:
    return pandas.DataFrame([_both(text) for text in texts], columns=LANGUAGES)


def _both(text: Text) -> list[str]:
    return [text[language] for language in LANGUAGES]
