"""Writes a draft in all formats and reads each back before the draft is sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.publication.formats import json_stat, px
from dagster_project.publication.formats.catalogue import Catalogue
from dagster_project.publication.formats.cubes import Cube, level_groups, read_cubes
from dagster_project.publication.formats.datapackage import write_datapackage
from dagster_project.publication.formats.dcat import write_dcat
from dagster_project.publication.formats.excel import FIGURES, HEADING_ROWS, WORKBOOK, count_sheet_rows, write_workbook
from dagster_project.publication.formats.superset import write_superset
from dagster_project.publication.formats.texts import LANGUAGES, Text, reader_notes
from dagster_project.publications import file_hashes
from dagster_project.sql import parquet


class FormatError(Exception):
    """A format differs from the draft's Parquet files; the message names the file."""


def write_formats(
    draft: Path, manifest: Mapping[str, Any], earlier: Sequence[Mapping[str, Any]], catalogue: Catalogue
) -> None:
    """Write every format from the Parquet files of a complete draft and read it back.

    `earlier` are the manifests of earlier publications. Raises `FormatError` if a format differs from the Parquet files.
    """
    reader_texts = reader_notes(manifest)
    names: list[tuple[str, Text]] = []
    # The workbook is written outside Python, in parallel to the cubes.
    with ThreadPoolExecutor(1) as executor:
        workbook = executor.submit(write_workbook, draft, manifest, reader_texts, catalogue)
        for cube in read_cubes(draft):
            json_stat.write_json_stat(cube, draft / "json-stat", manifest, reader_texts)
            px.write_px(cube, draft / "px", manifest, catalogue)
            _verify_cube(draft, cube)
            names.append((cube.name, cube.title))
        workbook.result()
    _verify_workbook(draft)
    json_stat.write_collections(names, draft / "json-stat", manifest, catalogue)
    write_datapackage(draft, [path.stem for path in (draft / "csv").glob("*.csv")], manifest, catalogue)
    write_superset(draft, manifest)
    # Last, because it contains sizes and hashes of all other files.
    write_dcat(draft, {**manifest, "files": file_hashes(draft)}, earlier, catalogue)


def _verify_cube(draft: Path, cube: Cube) -> None:
    """Compare the files of a cube with its values."""
    written = {
        **{f"json-stat/{cube.name}.{language}.json": json_stat.read_values for language in LANGUAGES},
        f"px/{cube.name}.px": px.read_values,
    }
    for name, read in written.items():
        if read(draft / name) != (cube.values, cube.withheld):
            raise FormatError(f"{name} does not hold the figures that it should")


def _verify_workbook(draft: Path) -> None:
    """Compare the number of rows of the sheets with the number of figures."""
    groups = level_groups()
    with duckdb.connect() as connection:
        counted = dict(
            connection.execute(
                f"select geography_level, count(*) from {parquet(draft / 'parquet' / f'{FIGURES}.parquet')} group by all"
            ).fetchall()
        )
    expected = [HEADING_ROWS + sum(counted.get(level, 0) for level in group.levels) for group in groups]
    if count_sheet_rows(draft / WORKBOOK)[: len(groups)] != expected:
        raise FormatError(f"{WORKBOOK} does not hold all figures")
