"""Creates schema `raw` of the working database: views on the raw store and tables about deliveries."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from pathlib import Path

import duckdb

from dagster_project import paths
from dagster_project.contract import FileContract, input_contract
from dagster_project.disclosure.withheld import create_withheld_source
from dagster_project.ingestion.official import TABLE, official_file
from dagster_project.ingestion.official_tables import COUNTS
from dagster_project.seeds import seed_rows
from dagster_project.sql import literal, parquet
from dagster_project.state import DeliveryRecord, State
from dagster_project.transformation.fingerprints import raw_file
from dagster_project.transformation.kept_figures import KEPT_OFFENCES, create_kept_sources, kept_file

# Columns that decide what a code counts as; only values of the shipped catalogue are valid.
_CLOSED_COLUMNS = ("role", "indicator_id", "part", "victim_group", "relation", "place")
_SQL_TYPES = {"text": "varchar", "integer": "integer", "date": "date"}


def create_sources(
    connection: duckdb.DuckDBPyConnection,
    state: State,
    year_fingerprints: Mapping[int, str],
) -> None:
    """Create the views and tables of the dbt project's source `raw`; `year_fingerprints` contains the complete years.

    Raises ValueError if deliveries have pseudonyms of different keys, which would silently fail to match.
    """
    if len({record.key_id for record in state.active.values()}) > 1:
        newest = max(state.active.values(), key=lambda record: record.loaded_at).key_id
        others = [record.label for record in state.active.values() if record.key_id != newest]
        raise ValueError(
            f"{', '.join(others)} have other pseudonyms than the rest: deliver again what was rejected, and load"
        )
    connection.execute("create schema if not exists raw")
    for file in input_contract().files:
        connection.execute(f"create or replace view raw.{file.table} as {_union_of_years(state, file)}")
    list_delivered_files(connection, state.active, year_fingerprints)
    list_unusable_fields(connection, state.active, year_fingerprints)
    connection.execute("create or replace table raw.complete_year (year integer, year_fingerprint varchar)")
    for year, year_fingerprint in year_fingerprints.items():
        connection.execute("insert into raw.complete_year values (?, ?)", [year, year_fingerprint])
    _create_official_rows(connection, state)
    create_kept_sources(connection, state)
    create_withheld_source(connection, state.settings)
    _load_own_offence_codes(connection, state.settings.home / paths.OWN_OFFENCE_CODES)
    _load_population(connection, state.settings.home / paths.POPULATION)


def list_delivered_files(
    connection: duckdb.DuckDBPyConnection,
    active: Mapping[tuple[str, int], DeliveryRecord],
    complete_years: Collection[int],
) -> None:
    """Create table `raw.delivery_file`: the row balance of each delivered file."""
    connection.execute("create schema if not exists raw")
    connection.execute(
        """
        create or replace table raw.delivery_file (
            source varchar, year integer, file varchar, delivery_id varchar, is_complete_year boolean, is_synthetic boolean,
            rows_read bigint, rows_loaded bigint, rows_quarantined bigint, duplicates bigint
        )"""
    )
    for record in active.values():
        for name, file_record in record.files.items():
            connection.execute(
                "insert into raw.delivery_file values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    record.source,
                    record.year,
                    name,
                    record.delivery_id,
                    record.year in complete_years,
                    record.synthetic is not None,
                    file_record.rows_read,
                    file_record.rows_loaded,
                    sum(file_record.quarantined.values()),
                    file_record.duplicates,
                ],
            )


def list_unusable_fields(
    connection: duckdb.DuckDBPyConnection,
    active: Mapping[tuple[str, int], DeliveryRecord],
    complete_years: Collection[int],
) -> None:
    """Create table `raw.unusable_field`: a row for each column with `unusable: missing`, even without any."""
    connection.execute("create schema if not exists raw")
    connection.execute(
        """
        create or replace table raw.unusable_field (
            source varchar, year integer, file varchar, column_name varchar, is_complete_year boolean,
            rows_read bigint, rows_unusable bigint
        )"""
    )
    for record in active.values():
        for file in input_contract().sources[record.source]:
            if (file_record := record.files.get(file.name)) is None:
                continue
            for column in file.usable_or_missing:
                connection.execute(
                    "insert into raw.unusable_field values (?, ?, ?, ?, ?, ?, ?)",
                    [
                        record.source,
                        record.year,
                        file.name,
                        column.name,
                        record.year in complete_years,
                        file_record.rows_read,
                        file_record.unusable.get(column.name, 0),
                    ],
                )


def typed_rows(file: FileContract, *selects: str) -> str:
    """Return a query of all rows of the selects with the file's columns, year and line.

    A column that was added to the contract after a delivery was stored is null for this delivery.
    """
    typed = ", ".join(
        f"cast(null as {'uuid' if column.identifying else _SQL_TYPES[column.type]}) as {column.name}"
        for column in file.columns
    )
    empty = f"select cast(null as integer) as year, cast(null as bigint) as line, {typed} where false"
    columns = ", ".join(column.name for column in file.columns)
    return f"select year, line, {columns} from ({' union all by name '.join([empty, *selects])})"


def _union_of_years(state: State, file: FileContract) -> str:
    """One select per delivery with a constant year, so that a build of some years opens only their files."""
    selects = [
        f"select cast({year} as integer) as year, * from {parquet(raw_file(state.settings, record, file.name))}"
        for (source, year), record in state.active.items()
        if source == file.source and file.name in record.files
    ]
    kept = kept_file(state.settings, state.purged.before, KEPT_OFFENCES)
    if file.table == KEPT_OFFENCES and kept.exists():
        selects.append(f"select * from {parquet(kept)}")
    return typed_rows(file, *selects)


def _create_official_rows(connection: duckdb.DuckDBPyConnection, state: State) -> None:
    """Create table `raw.official_row`: the active and the previous version of each of Brå's tables."""
    counts = ", ".join(f"{name} bigint" for name in COUNTS)
    connection.execute(
        f"""
        create or replace table raw.official_row (
            year integer, geography_level varchar, geography_code varchar, is_active boolean, file varchar, sha256 varchar,
            corrected_on date, lagrum_label varchar, row_path varchar, {counts}
        )"""
    )
    for (source, year), versions in state.official.items():
        area = source.rpartition("/")[2]
        place = ["riket", "SE"] if area == "La" else ["polisregion", area]
        for record in versions:
            file = record.files[TABLE]
            connection.execute(
                f"""
                insert into raw.official_row by name
                select
                    ? as year, ? as geography_level, ? as geography_code, ? as is_active, ? as file, ? as sha256, rows.*
                from {parquet(official_file(state.settings, record))} as rows""",
                [year, *place, record is versions[0], file.name, file.sha256],
            )


def _load_own_offence_codes(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Load the user's own codes, in the form of the seed `offence_code` (columns may be left out).

    Raises ValueError for an invalid code, role, indicator or attribute, which would silently misclassify offences.
    """
    shipped = seed_rows("offence_code")
    columns = list(shipped[0])
    known = {column: {row[column] for row in shipped} for column in _CLOSED_COLUMNS}
    definition = ", ".join(f"{column} varchar" for column in columns)
    connection.execute(f"create or replace table raw.own_offence_code ({definition})")
    if not path.exists():
        return
    seen: set[str] = set()
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        header = list(reader.fieldnames or [])
        if not {"brottskod", "role"} <= set(header) <= set(columns):
            raise ValueError(
                f"{path}, line 1: needs columns brottskod and role, and only columns among {', '.join(columns)}"
            )
        for number, line in enumerate(reader, 2):
            code, role, indicator = line["brottskod"] or "", line["role"], line.get("indicator_id") or ""
            valid = len(code) == 4 and code.isascii() and code.isdigit() and code not in seen and None not in line
            valid = valid and (role in ("core", "broad")) == bool(indicator)
            unknown = [column for column in _CLOSED_COLUMNS if (line.get(column) or "") not in known[column]]
            if not valid or unknown:
                raise ValueError(
                    f"{path}, line {number}: "
                    + (
                        f"{', '.join(unknown)} has a value that is not in the shipped catalogue"
                        if unknown
                        else "needs a four-digit brottskod (each once), and role core or broad with an indicator_id or "
                        "role context without one"
                    )
                )
            seen.add(code)
            connection.execute(
                f"insert into raw.own_offence_code values ({', '.join('?' * len(columns))})",
                [line.get(column) or None for column in columns],
            )


def _load_population(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Load the user's inhabitants of each municipality and year, if declared.

    Raises ValueError for an unknown municipality, and for a year without all municipalities, whose counties would have too few.
    """
    connection.execute(
        "create or replace table raw.population (municipality_code varchar, year integer, population bigint)"
    )
    if not path.exists():
        return
    # DuckDB would round decimals.
    numbers = ", ".join(
        f"if(regexp_full_match({name}, '[0-9]+'), {name}, error('')) as {name}" for name in ("year", "population")
    )
    try:
        connection.execute(
            f"insert into raw.population by name "
            f"select * replace ({numbers}) from read_csv({literal(path)}, all_varchar = true)"
        )
    except duckdb.Error as error:
        raise ValueError(f"{path}: needs whole numbers in columns municipality_code, year and population") from error
    expected = {row["municipality_code"] for row in seed_rows("municipality")}
    for year, codes, filled in connection.execute(
        "select year, list(municipality_code), bool_and(coalesce(population > 0, false)) "
        "from raw.population group by year order by year"
    ).fetchall():
        if unknown := sorted(set(codes) - expected):
            raise ValueError(f"{path}: {year} has municipalities that are not in the catalogue: {', '.join(unknown)}")
        if sorted(codes) != sorted(expected) or not filled:
            raise ValueError(f"{path}: {year} needs each of the {len(expected)} municipalities once, with inhabitants")
