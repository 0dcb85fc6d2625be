"""The figures as complete cubes, as statistical formats need them: one per indicator and group of levels.

Municipalities have fewer measures, variants and victim groups than the country, so one cube of all levels would be mostly empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, compress, groupby, product
from math import prod
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import duckdb
import orjson

from dagster_project.publication.formats.texts import LANGUAGES, Text, columns, notes
from dagster_project.seeds import seed_rows
from dagster_project.sql import parquet

MEASURE = "measure"
NULL = "null"
DIMENSIONS = ("variant", "geography_code", "victim_group", "year")
# What levels differ in, as columns `has_all_…` of the seed geography_level.
_DETAIL = ("measures", "variants", "victim_groups")
# Comparison values and properties of the year, which are also shown in withheld rows.
_NEVER_WITHHELD = {
    "clearance_pct_country",
    "clearance_pct_median_region",
    "clearance_pct_median_county",
    "clearance_change_comparable",
    "series_break",
    "mixed_year",
}
Number: TypeAlias = int | float | None


@dataclass(frozen=True)
class Dimension:
    """A dimension; `categories` maps codes to labels, in order."""

    name: str
    label: Text
    categories: Mapping[str, Text]


@dataclass(frozen=True)
class Cube:
    """The figures of an indicator at some levels.

    `values` are in row-major order of the dimensions; yes and no are 1 and 0. `withheld` maps positions in `values` to the kind
    of suppression, `breaks` years to causes.
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
        """The base name of its files."""
        return f"{self.indicator_id}.{'_'.join(self.levels)}"

    @cached_property
    def size(self) -> tuple[int, ...]:
        """The number of categories of each dimension."""
        return tuple(len(dimension.categories) for dimension in self.dimensions)

    @cached_property
    def texts(self) -> list[str]:
        """The values as JSON: the shortest exact digits, or `NULL`."""
        return orjson.dumps(self.values).decode()[1:-1].split(",")


class LevelGroup(NamedTuple):
    """Levels with all details, or one with less: the columns of fct_indicator_year that it lacks, and its measures."""

    levels: tuple[str, ...]
    label: Text
    lacking: tuple[str, ...]
    measures: tuple[str, ...]


def level_groups() -> list[LevelGroup]:
    """Return the groups of levels from the widest to the narrowest."""
    levels = sorted(seed_rows("geography_level"), key=lambda row: int(row["sort_order"]))
    groups = []
    for (has, _), rows in groupby(levels, _detail):
        group = list(rows)
        lacking = () if has[0] else tuple(name for name, column in columns().items() if not column.at_every_level)
        groups.append(
            LevelGroup(
                tuple(level["geography_level"] for level in group),
                {language: ", ".join(level[f"name_{language}"] for level in group) for language in LANGUAGES},
                lacking,
                tuple(name for name, column in columns().items() if column.unit and name not in lacking),
            )
        )
    return groups


def _detail(level: Mapping[str, str]) -> tuple[list[bool], str]:
    """Return whether a level has all of each detail. With less, it is alone: counties and municipalities both have `okand`."""
    has = [level[f"has_all_{what}"] == "true" for what in _DETAIL]
    return has, "" if all(has) else level["geography_level"]


def read_cubes(draft: Path) -> Iterator[Cube]:
    """Yield cubes of all figures in the Parquet files of a draft.

    Raises `ValueError` if a cube is incomplete or a figure is in no cube.
    """
    measures = [name for name, column in columns().items() if column.unit]
    groups = level_groups()
    with duckdb.connect() as connection:
        for path in sorted((draft / "parquet").glob("*.parquet")):
            connection.execute(f"create view {path.stem} as select * from {parquet(path)}")
        lookup_tables = {
            "dim_indicator": _dicts(connection, "dim_indicator order by sort_order"),
            "dim_geography": _dicts(connection, "dim_geography"),
            "dim_victim_group": _dicts(connection, "dim_victim_group"),
            "dim_year": _dicts(connection, "dim_year"),
            "series_break": _dicts(connection, "series_break order by in_force, provision"),
        }
        (figures,) = connection.execute("select count(*) from fct_indicator_year").fetchone() or (0,)
        # One query for all cubes: one for each takes four times as long.
        in_order = _figures(connection, measures, groups)
    read = 0
    for (indicator_id, group), rows in groupby(in_order, lambda row: row[:2]):
        has = [True] * (len(DIMENSIONS) + 1) + [name in groups[group].measures for name in measures]
        cube = _cube(indicator_id, groups[group], [tuple(compress(row[2:], has)) for row in rows], lookup_tables)
        read += len(cube.values) // len(groups[group].measures)
        yield cube
    if read != figures:
        raise ValueError(f"the cubes hold {read} figures of {figures}")


def _figures(
    connection: duckdb.DuckDBPyConnection, measures: Sequence[str], groups: Sequence[LevelGroup]
) -> list[tuple[Any, ...]]:
    """Return all figures by cube: indicator, index of `groups`, dimensions, suppression and measures as numbers."""
    kinds = {name: kind for name, kind, *_ in connection.execute("describe fct_indicator_year").fetchall()}
    numbers = (f"figure.{name}{'::integer' if kinds[name] == 'BOOLEAN' else ''}" for name in measures)
    group_of = {level: position for position, group in enumerate(groups) for level in group.levels}
    return connection.execute(
        f"""
        select
            indicator_id, map {group_of}[geography_level] as level_group,
            {", ".join(f"figure.{name}" for name in (*DIMENSIONS, "suppression"))}, {", ".join(numbers)}
        from fct_indicator_year as figure
        inner join dim_indicator as indicator using (indicator_id, variant)
        inner join dim_victim_group as victim_group using (victim_group)
        order by
            indicator_number, level_group, indicator.sort_order, list_position({list(group_of)}, geography_level), geography_code,
            victim_group.sort_order, year
        """
    ).fetchall()


def _cube(
    indicator_id: str,
    group: LevelGroup,
    rows: Sequence[tuple[Any, ...]],
    lookup_tables: Mapping[str, Sequence[Mapping[str, Any]]],
) -> Cube:
    """Build a cube from rows of dimensions, suppression and measures, with labels from `lookup_tables`."""
    levels, measures = group.levels, group.measures
    categories = [dict.fromkeys(row[position] for row in rows) for position in range(len(DIMENSIONS))]
    cells = [row[: len(DIMENSIONS)] for row in rows]
    if prod(map(len, categories)) != len(cells) or cells != list(product(*categories)):
        raise ValueError(f"{indicator_id}, {levels}: the cube has holes")
    values: list[Number] = list(chain.from_iterable(row[len(DIMENSIONS) + 1 :] for row in rows))
    withheld = {
        position: suppression
        for cell, suppression in enumerate(row[len(DIMENSIONS)] for row in rows)
        if suppression
        for position, measure in enumerate(measures, cell * len(measures))
        if values[position] is None and measure not in _NEVER_WITHHELD
    }
    variants = [row for row in lookup_tables["dim_indicator"] if row["indicator_id"] == indicator_id]
    places = [row for row in lookup_tables["dim_geography"] if row["geography_level"] in levels]
    labels: dict[str, dict[Any, Text]] = {
        "variant": {row["variant"]: _text(row, "variant_name") for row in variants},
        "geography_code": {row["geography_code"]: _text(row, "name") for row in places},
        "victim_group": {row["victim_group"]: _text(row, "name") for row in lookup_tables["dim_victim_group"]},
        "year": {row["year"]: dict.fromkeys(LANGUAGES, str(row["year"])) for row in lookup_tables["dim_year"]},
    }
    in_order = {
        name: {str(code): labels[name][code] for code in codes}
        for name, codes in zip(DIMENSIONS, categories, strict=True)
    }
    breaks: dict[str, list[Text]] = {}
    for row in lookup_tables["series_break"]:
        if row["indicator_id"] == indicator_id and (year := str(row["year"])) in in_order["year"]:
            breaks.setdefault(year, []).append(_text(row, "cause"))
    name = _text(variants[0], "name")
    return Cube(
        indicator_id,
        variants[0]["indicator_number"],
        levels,
        {language: f"{name[language]}: {group.label[language].lower()}" for language in LANGUAGES},
        (
            *(Dimension(name, columns()[name].label, of_dimension) for name, of_dimension in in_order.items()),
            Dimension(MEASURE, notes()["measure"], {name: columns()[name].label for name in measures}),
        ),
        values,
        withheld,
        [
            _text(variants[0], "wording"),
            *(
                {language: f"{label[language]}: {row[f'includes_{language}']}" for language in LANGUAGES}
                for row in variants
                if (label := in_order["variant"].get(row["variant"]))
            ),
        ],
        breaks,
    )


def _text(row: Mapping[str, Any], name: str) -> Text:
    return {language: row[f"{name}_{language}"] for language in LANGUAGES}


def _dicts(connection: duckdb.DuckDBPyConnection, table: str) -> list[dict[str, Any]]:
    cursor = connection.execute(f"select * from {table}")
    names = [name for name, *_ in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
