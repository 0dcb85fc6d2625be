"""The Excel workbook: the labelled figures by level, notes in both languages, and the dimension tables."""

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
from dagster_project.publication.formats.cubes import LevelGroup, level_groups
from dagster_project.publication.formats.texts import LANGUAGES, Text, column_of, columns, notes
from dagster_project.sql import parquet

WORKBOOK = "uppklarat.xlsx"
FIGURES = "indicator_report"
# Swedish label, English label, column name.
HEADING_ROWS = 3
_LOOKUP_SHEETS = {
    "dim_indicator": "Indikatorer Indicators",
    "dim_geography": "Geografi Geography",
    "dim_victim_group": "Offergrupper Victim groups",
    "dim_year": "År Years",
    "series_break": "Tidsseriebrott Breaks",
    "quality_check": "Kontroller Checks",
    "publication": "Publiceringar Publications",
    "revision": "Revideringar Revisions",
}
# Number of frozen columns.
_KEY_COLUMNS = 4
_WIDEST, _LONGEST_NAME = 60, 31
# Takes half the time of the default and a sixth more bytes.
_PACKED = 3
_HEADING = {"bold": True, "wrap_text": True, "align_vertical": "top", "bg_color": "#E7E6E6"}
_NAME = {**_HEADING, "bold": False, "italic": True, "border_bottom": "thin"}
_TITLE = {"bold": True, "font_size": 14.0}
_WRAPPED = {"wrap_text": True, "align_vertical": "top"}
_DECIMALS = {0: "#,##0", 1: "0.0"}
_MOMENTS = {"DATE": "yyyy-mm-dd", "TIMESTAMP": "yyyy-mm-dd hh:mm:ss"}
_ANY_COLUMN = "*"
_Sheet: TypeAlias = tuple[pandas.DataFrame, str, Mapping[str, Any]]
"""Rows, sheet name and format options; several may belong to one sheet."""


def write_workbook(
    draft: Path, manifest: Mapping[str, Any], reader_texts: Sequence[Text], catalogue: Catalogue
) -> None:
    """Write the workbook from the Parquet files of a draft; the same draft gives the same bytes.

    Withheld figures are empty cells, with the kind in column `suppression`. Raises `ValueError` if data exceed Excel's limits.
    """
    workbook = BytesIO()
    with duckdb.connect() as connection:
        for path in sorted((draft / "parquet").glob("*.parquet")):
            connection.execute(f"create view {path.stem} as select * from {parquet(path)}")
        sheets: list[_Sheet] = []
        for group in level_groups():
            name = group.label[LANGUAGES[0]][:_LONGEST_NAME]
            sheets += _table(name, connection.sql(_figures(group)), FIGURES)
        sheets += _notes(manifest, reader_texts, catalogue)
        for table, name in _LOOKUP_SHEETS.items():
            sheets += _table(name, connection.sql(f"select * from {table} order by all"), table)
        sheets += _columns()
        # Compressed fully in `_pack`.
        xlsxturbo.dfs_to_xlsx(sheets, workbook, constant_memory=True, compression_level=1)
    _pack(workbook, draft / WORKBOOK, manifest, catalogue)


def _pack(workbook: BytesIO, path: Path, manifest: Mapping[str, Any], catalogue: Catalogue) -> None:
    """Compress the workbook, with its title and the time of the publication, which the library cannot set."""
    moment = datetime.fromisoformat(manifest["published_at"]).strftime("%Y-%m-%dT%H:%M:%SZ")
    title, publication_id = escape(catalogue.title[LANGUAGES[0]]), escape(manifest["publication_id"])
    properties = f"<dc:title>{title}</dc:title><dc:description>{publication_id}</dc:description>"
    with zipfile.ZipFile(workbook) as parts, zipfile.ZipFile(path, "w") as book:
        for part in parts.infolist():
            content = parts.read(part)
            if part.filename == "docProps/core.xml":
                text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", moment, content.decode())
                content = text.replace("<dc:creator>", f"{properties}<dc:creator>").encode()
            book.writestr(part, content, compresslevel=_PACKED)


def count_sheet_rows(path: Path) -> list[int]:
    """Return the number of rows of each sheet of a workbook."""
    with zipfile.ZipFile(path) as archive:
        sheets = [name for name in archive.namelist() if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name)]
        in_order = sorted(sheets, key=lambda name: int(re.sub(r"\D", "", name)))
        return [archive.read(name).count(b"<row ") for name in in_order]


def _figures(group: LevelGroup) -> str:
    without = f"exclude ({', '.join(group.lacking)})" if group.lacking else ""
    return f"""
        select * {without} from {FIGURES}
        where geography_level in ({", ".join(f"'{level}'" for level in group.levels)})
        order by indicator_number, variant_order, geography_order, victim_group_order, year
    """


def _notes(manifest: Mapping[str, Any], reader_texts: Sequence[Text], catalogue: Catalogue) -> Iterator[_Sheet]:
    name = "Läs först Read first"
    years = f"{min(manifest['years'])}–{max(manifest['years'])}"
    cite = {
        language: f"{catalogue.publisher[language]}: {catalogue.title[language]}, {years}. {manifest['publication_id']}."
        for language in LANGUAGES
    }
    paragraphs: list[Text] = [
        catalogue.description,
        *reader_texts,
        {"sv": f"Källa: {notes()['source']['sv']}", "en": f"Source: {notes()['source']['en']}"},
        {"sv": f"Publicering: {manifest['publication_id']}", "en": f"Publication: {manifest['publication_id']}"},
        {"sv": f"Licens: {catalogue.licence}", "en": f"Licence: {catalogue.licence}"},
        {"sv": f"Kontakt: {catalogue.contact_line['sv']}", "en": f"Contact: {catalogue.contact_line['en']}"},
        {"sv": f"Hänvisa så här: {cite['sv']}", "en": f"Cite it as: {cite['en']}"},
    ]
    widths = dict.fromkeys(range(len(LANGUAGES)), 80)
    title_only = {"header": False, "column_formats": {_ANY_COLUMN: _TITLE}, "column_widths": widths}
    yield _texts([catalogue.title]), name, title_only
    yield _texts(paragraphs), name, {"header": False, "startrow": 1, "column_formats": {_ANY_COLUMN: _WRAPPED}}


def _table(name: str, rows: duckdb.DuckDBPyRelation, table: str) -> Iterator[_Sheet]:
    """Yield a sheet of headings and rows."""
    is_figures = table == FIGURES
    labelled = {column: columns().get(column) if is_figures else None for column in rows.columns}
    formats = {
        column: _DECIMALS[labelled_column.decimals]
        if labelled_column and labelled_column.unit
        else _MOMENTS.get(str(kind))
        for (column, labelled_column), kind in zip(labelled.items(), rows.types, strict=True)
    }
    first = rows.limit(200).fetchall()
    widths = {
        position: 12
        if labelled_column and labelled_column.unit
        else min(_WIDEST, max([len(column) + 3, *(len(str(row[position])) for row in first)]))
        for position, (column, labelled_column) in enumerate(labelled.items())
    }
    labels = pandas.DataFrame([[_label(table, column)[language] for column in rows.columns] for language in LANGUAGES])
    of_sheet = {"column_widths": widths, "freeze_panes": (HEADING_ROWS, _KEY_COLUMNS if is_figures else 0)}
    yield labels, name, {"header": False, "column_formats": {_ANY_COLUMN: _HEADING}, **of_sheet}
    of_rows = {"startrow": HEADING_ROWS - 1, "header_format": _NAME, "autofilter": True}
    yield (
        rows.df(),
        name,
        {
            **of_rows,
            "column_formats": {column: {"num_format": format_} for column, format_ in formats.items() if format_},
        },
    )


def _label(table: str, name: str) -> Text:
    """Return the label of a column, or its name if it has none."""
    labelled = column_of(table, name)
    return labelled.label if labelled else dict.fromkeys(LANGUAGES, name.replace("_", " "))


def _columns() -> Iterator[_Sheet]:
    """Yield the sheet of column labels and units."""
    rows = pandas.DataFrame(
        [
            [labelled.name, *_both(labelled.label), *(_both(labelled.unit) if labelled.unit else ["", ""])]
            for labelled in columns().values()
        ],
        columns=["column", "label_sv", "label_en", "unit_sv", "unit_en"],
    )
    widths = dict.fromkeys(range(len(rows.columns)), 45)
    yield rows, "Kolumner Columns", {"header_format": _HEADING, "column_widths": widths, "freeze_panes": True}


def _texts(texts: Sequence[Text]) -> pandas.DataFrame:
    return pandas.DataFrame([_both(text) for text in texts], columns=LANGUAGES)


def _both(text: Text) -> list[str]:
    return [text[language] for language in LANGUAGES]
