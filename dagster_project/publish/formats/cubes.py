"""The figures as cubes without holes, as statistical formats want them: one of each indicator for levels of the same detail.

Municipalities have fewer variants and victim groups than the country. One cube of all levels would be mostly empty.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, product
from math import prod
from pathlib import Path
from typing import Any, TypeAlias

import duckdb

from dagster_project.publish.formats.texts import LANGUAGES, Text, columns, notes
from dagster_project.settings import SEEDS
from dagster_project.sql import parquet

MEASURE = "measure"
DIMENSIONS = ("variant", "geography_code", "victim_group", "year")
# What others' figures a row is compared with, and what holds for the whole year: shown in withheld rows too.
_NEVER_WITHHELD = {
    "clearance_pct_country",
    "clearance_pct_median_region",
    "clearance_pct_median_county",
    "series_break",
    "mixed_year",
}
Number: TypeAlias = int | float | None


@dataclass(frozen=True)
class Dimension:
    """One dimension; `categories` maps codes to labels, in their order."""

    name: str
    label: Text
    categories: Mapping[str, Text]


@dataclass(frozen=True)
class Cube:
    """The figures of an indicator at some levels.

    `values` run through the categories of the dimensions, the last one fastest; yes and no are 1 and 0. `withheld` says of a
    position in `values`, by why the row is withheld, that its number is not shown. `breaks` are causes by year.
    """

    indicator_id: str
    number: int
    levels: tuple[str, ...]
    title: Text
    dimensions: tuple[Dimension, ...]
    values: Sequence[Number]
    withheld: Mapping[int, str]
    notes: Sequence[Text]
    breaks: Mapping[str, Sequence[Text]]

    @property
    def name(self) -> str:
        """What its files are called."""
        return f"{self.indicator_id}.{'_'.join(self.levels)}"

    @cached_property
    def size(self) -> tuple[int, ...]:
        """How many categories each dimension has."""
        return tuple(len(dimension.categories) for dimension in self.dimensions)


def level_groups() -> list[tuple[tuple[str, ...], Text]]:
    """The levels whose figures have the same detail, and what they are called together; from the widest to the narrowest."""
    with (SEEDS / "geography_level.csv").open(encoding="utf-8", newline="") as file:
        levels = sorted(csv.DictReader(file), key=lambda row: int(row["sort_order"]))
    groups = [
        list(group) for _, group in groupby(levels, lambda row: (row["has_all_variants"], row["has_all_victim_groups"]))
    ]
    return [
        (
            tuple(level["geography_level"] for level in group),
            {language: ", ".join(level[f"name_{language}"] for level in group) for language in LANGUAGES},
        )
        for group in groups
    ]


def read_cubes(draft: Path) -> Iterator[Cube]:
    """Cubes of all figures in the Parquet files of a draft.

    Raises `ValueError` where a cube would have holes or a figure would be in none.
    """
    measures = [name for name, column in columns().items() if column.unit]
    with duckdb.connect() as connection:
        for path in sorted((draft / "parquet").glob("*.parquet")):
            connection.execute(f"create view {path.stem} as select * from {parquet(path)}")
        figures = _rows(connection, "select count(*) from fct_indicator_year")[0][0]
        indicators = _rows(
            connection,
            f"select distinct indicator_id, number, {', '.join(f'name_{one}' for one in LANGUAGES)} from dim_indicator order by number",
        )
        read = 0
        for indicator_id, number, *names in indicators:
            for levels, level_label in level_groups():
                cube = _cube(connection, indicator_id, number, levels, measures, (names, level_label))
                read += len(cube.values) // len(measures)
                yield cube
        if read != figures:
            raise ValueError(f"the cubes hold {read} figures of {figures}")


def _cube(
    connection: duckdb.DuckDBPyConnection,
    indicator_id: str,
    number: int,
    levels: tuple[str, ...],
    measures: Sequence[str],
    names: tuple[Sequence[str], Text],
) -> Cube:
    of_indicator = {"indicator": indicator_id, "levels": list(levels)}
    rows = _rows(
        connection,
        f"""
        select {", ".join(f"figure.{name}" for name in (*DIMENSIONS, "suppression", *measures))}
        from fct_indicator_year as figure
        inner join dim_indicator as indicator using (indicator_id, variant)
        inner join dim_victim_group as victim_group using (victim_group)
        where indicator_id = $indicator and geography_level in $levels
        order by indicator.sort_order, list_position($levels, geography_level), geography_code, victim_group.sort_order, year
        """,
        of_indicator,
    )
    categories = [dict.fromkeys(row[position] for row in rows) for position in range(len(DIMENSIONS))]
    cells = [row[: len(DIMENSIONS)] for row in rows]
    if prod(map(len, categories)) != len(cells) or cells != list(product(*categories)):
        raise ValueError(f"{indicator_id}, {levels}: the figures are no cube without holes")
    values: list[Number] = []
    withheld: dict[int, str] = {}
    for row in rows:
        suppression, figures = row[len(DIMENSIONS)], row[len(DIMENSIONS) + 1 :]
        for measure, figure in zip(measures, figures, strict=True):
            if figure is None and suppression and measure not in _NEVER_WITHHELD:
                withheld[len(values)] = suppression
            values.append(int(figure) if isinstance(figure, bool) else figure)
    labels = _labels(connection, of_indicator)
    of_measures = {name: columns()[name].label for name in measures}
    in_order = [
        {str(code): labels[name][str(code)] for code in codes}
        for name, codes in zip(DIMENSIONS, categories, strict=True)
    ]
    dimensions = [
        *(Dimension(name, columns()[name].label, one) for name, one in zip(DIMENSIONS, in_order, strict=True)),
        Dimension(MEASURE, notes()["measure"], of_measures),
    ]
    indicator_name, level_label = names
    return Cube(
        indicator_id,
        number,
        levels,
        {
            language: f"{name}: {level_label[language].lower()}"
            for language, name in zip(LANGUAGES, indicator_name, strict=True)
        },
        tuple(dimensions),
        values,
        withheld,
        _meanings(connection, of_indicator, in_order[0]),
        _breaks(connection, indicator_id, in_order[-1]),
    )


def _labels(connection: duckdb.DuckDBPyConnection, of_indicator: Mapping[str, Any]) -> Mapping[str, Mapping[str, Text]]:
    """Labels of the codes of every dimension."""
    queries = {
        "variant": "select variant, variant_name_sv, variant_name_en from dim_indicator where indicator_id = $indicator",
        "geography_code": "select geography_code, name, name_en from dim_geography where geography_level in $levels",
        "victim_group": "select victim_group, name_sv, name_en from dim_victim_group",
        "year": "select year, year, year from dim_year",
    }
    labels: dict[str, dict[str, Text]] = {}
    for name, query in queries.items():
        needed = {key: value for key, value in of_indicator.items() if f"${key}" in query}
        labels[name] = {
            str(code): dict(zip(LANGUAGES, map(str, texts), strict=True))
            for code, *texts in _rows(connection, query, needed)
        }
    return labels


def _meanings(
    connection: duckdb.DuckDBPyConnection, of_indicator: Mapping[str, Any], variants: Mapping[str, Text]
) -> list[Text]:
    """What the indicator is, and what each of the cube's variants counts."""
    wordings, *_ = _rows(
        connection,
        "select wording_sv, wording_en from dim_indicator where indicator_id = $indicator limit 1",
        {"indicator": of_indicator["indicator"]},
    )
    told: list[Text] = [dict(zip(LANGUAGES, wordings, strict=True))]
    for variant, *texts in _rows(
        connection,
        "select variant, includes_sv, includes_en from dim_indicator where indicator_id = $indicator order by sort_order",
        {"indicator": of_indicator["indicator"]},
    ):
        if variant in variants:
            told.append(
                {
                    language: f"{variants[variant][language]}: {text}"
                    for language, text in zip(LANGUAGES, texts, strict=True)
                }
            )
    return told


def _breaks(
    connection: duckdb.DuckDBPyConnection, indicator_id: str, years: Mapping[str, Text]
) -> dict[str, list[Text]]:
    breaks: dict[str, list[Text]] = {}
    for year, *causes in _rows(
        connection,
        "select year, cause_sv, cause_en from series_break where indicator_id = $indicator order by in_force, provision",
        {"indicator": indicator_id},
    ):
        if str(year) in years:
            breaks.setdefault(str(year), []).append(dict(zip(LANGUAGES, causes, strict=True)))
    return breaks


def _rows(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: Mapping[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    return connection.execute(query, dict(parameters or {})).fetchall()
