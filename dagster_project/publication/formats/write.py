"""A draft in all formats that others read, each read back before the draft is sealed."""

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
from dagster_project.publication.formats.excel import FIGURES, HEADING_ROWS, WORKBOOK, rows_of_sheets, write_workbook
from dagster_project.publication.formats.texts import LANGUAGES, Text, notes_of
from dagster_project.publications import file_hashes
from dagster_project.sql import parquet


class FormatError(Exception):
    """A format does not hold what the draft's Parquet files hold; the message names the file."""


def write_formats(
    draft: Path, said: Mapping[str, Any], earlier: Sequence[Mapping[str, Any]], catalogue: Catalogue
) -> None:
    """Write every format from the Parquet files of a complete draft, and read back what was written.

    `said` is what the manifest will say, `earlier` the manifests of what was published before. Raises `FormatError` where something
    reads otherwise than it should.
    """
    told = notes_of(said)
    names: list[tuple[str, Text]] = []
    # The workbook is written and packed outside Python, so the cubes cost no time beside it.
    with ThreadPoolExecutor(1) as beside:
        workbook = beside.submit(write_workbook, draft, said, told, catalogue)
        for cube in read_cubes(draft):
            json_stat.write_json_stat(cube, draft / "json-stat", said, told)
            px.write_px(cube, draft / "px", said, catalogue)
            _compare(draft, cube)
            names.append((cube.name, cube.title))
        workbook.result()
    _compare_workbook(draft)
    json_stat.write_collections(names, draft / "json-stat", said, catalogue)
    write_datapackage(draft, [path.stem for path in (draft / "csv").glob("*.csv")], said, catalogue)
    # Last, since it tells size and hash of all others.
    write_dcat(draft, {**said, "files": file_hashes(draft)}, earlier, catalogue)


def _compare(draft: Path, cube: Cube) -> None:
    """Compare the files of a cube with it, number by number."""
    written = {
        **{f"json-stat/{cube.name}.{language}.json": json_stat.read_values for language in LANGUAGES},
        f"px/{cube.name}.px": px.read_values,
    }
    for name, read in written.items():
        if read(draft / name) != (cube.values, cube.withheld):
            raise FormatError(f"{name} does not hold the figures that it should")


def _compare_workbook(draft: Path) -> None:
    """Compare how many rows the sheets of figures have with how many there are; the first sheet holds the notes."""
    levels = level_groups()
    with duckdb.connect() as connection:
        counted = dict(
            connection.execute(
                f"select geography_level, count(*) from {parquet(draft / 'parquet' / f'{FIGURES}.parquet')} group by all"
            ).fetchall()
        )
    expected = [HEADING_ROWS + sum(counted.get(level, 0) for level in group) for group, _ in levels]
    if rows_of_sheets(draft / WORKBOOK)[1 : 1 + len(levels)] != expected:
        raise FormatError(f"{WORKBOOK} does not hold all figures")
