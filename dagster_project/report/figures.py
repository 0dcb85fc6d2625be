"""Reads the figures of the report from a publication's Parquet files; shares and days are rounded only here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.sql import literal, parquet

Row = dict[str, Any]
Place = tuple[str, str]
"""Level and code of geography."""
Series = Mapping[int, Row]
"""Year → row."""

# The decided variant of an indicator; for a measure, this project's own variant.
MAIN_VARIANT = "variant in ('beslutad', 'egen')"
COUNTRY: Place = ("riket", "SE")
TABLES = (
    "dim_geography",
    "dim_indicator",
    "dim_victim_group",
    "dim_year",
    "fct_case_flow_year",
    "fct_indicator_year",
    "fct_processing_time_year",
    "fct_prosecution_year",
    "fct_reconciliation_year",
    "fct_reported_year",
    "publication",
    "quality_check",
    "revision",
    "series_break",
)
_CELLS = f"""
    with figure as (
        select
            figure.* exclude (clearance_pct_country, clearance_pct_median_region, clearance_pct_median_county),
            -- A withheld row has no values, but its comparison values are published in other rows.
            max(clearance_pct_country) over of_all as clearance_pct_country,
            coalesce(bool_or(small_number) filter (where geography_level = 'riket') over of_all, false) as country_small,
            max(clearance_pct_median_region) over of_all as clearance_pct_median_region,
            case when geography_level = 'lan' then max(clearance_pct_median_county) over of_all end
                as clearance_pct_median_county,
            indicator.first_comparable_year
        from fct_indicator_year as figure
        inner join dim_indicator as indicator using (indicator_id, variant)
        where {MAIN_VARIANT} and not (geography_level = 'kommun' and geography_code = 'okand')
        window of_all as (partition by indicator_id, victim_group, year)
    ),

    beside as (
        select
            *,
            lag(clearance_pct) over in_place as previous_pct,
            lag(year) over in_place as previous_year,
            lag(mixed_year) over in_place as previous_mixed,
            min(year) filter (where year >= coalesce(first_comparable_year, 0)) over whole_place as first_year,
            first_value(clearance_pct) over comparable as first_pct,
            first_value(clearance_pct_low) over comparable as first_low,
            first_value(clearance_pct_high) over comparable as first_high
        from figure
        window
            in_place as (partition by indicator_id, geography_level, geography_code, victim_group order by year),
            whole_place as (partition by indicator_id, geography_level, geography_code, victim_group),
            comparable as (
                partition by indicator_id, geography_level, geography_code, victim_group,
                    year >= coalesce(first_comparable_year, 0)
                order by year
            )
    ),

    compared as (
        select
            *,
            previous_year = year - 1 and clearance_change_comparable as comparable
        from beside
    )

    select
        indicator_id, geography_level, geography_code, victim_group, year,
        processed, cleared, investigated, dismissed, with_suspect,
        cleared_indictment, cleared_penalty_order, cleared_waiver,
        limited_investigated, other_investigated, limited_dismissed, other_dismissed,
        suppression, small_number, series_break, mixed_year, first_comparable_year, first_year,
        -- What neither a break nor a mixed year before explains: old offence codes were used up to the year before.
        coalesce(previous_year = year - 1 and not (clearance_change_comparable or series_break or previous_mixed), false)
            as worked_off,
        coalesce(previous_year = year - 1, false) as follows, coalesce(comparable, false) as comparable,
        tenths_of_percent(cleared, processed) as pct,
        tenths(clearance_pct_low) as low,
        tenths(clearance_pct_high) as high,
        tenths_of_percent(cleared, investigated - limited_investigated) as prosecution,
        case when comparable then tenths(clearance_change_pp) end as change,
        case when comparable then clearance_change_pp end as change_unrounded,
        case when comparable then clearance_change_significant end as significant,
        case when previous_year = year - 1 then tenths(previous_pct) end as previous_pct,
        case when year > first_year then tenths(first_pct) end as first_pct,
        case when year > first_year then tenths(clearance_pct - first_pct) end as since,
        case when year > first_year then clearance_pct_low <= first_high and first_low <= clearance_pct_high end as overlaps,
        tenths(clearance_pct_country) as country,
        country_small,
        tenths(clearance_pct - clearance_pct_country) as to_country,
        clearance_pct_country between clearance_pct_low and clearance_pct_high as country_within,
        tenths(clearance_pct_median_region) as region_median,
        tenths(clearance_pct - clearance_pct_median_region) as to_region_median,
        tenths(clearance_pct_median_county) as county_median,
        tenths(clearance_pct - clearance_pct_median_county) as to_county_median
    from compared
    order by all
"""
# Places with few offences are excluded: their range would only show chance.
_RANGES = f"""
    select
        indicator_id, geography_level, victim_group, year,
        tenths(min(clearance_pct)) as lowest, tenths(max(clearance_pct)) as highest, count(*) as places
    from fct_indicator_year
    where {MAIN_VARIANT} and geography_level in ('polisregion', 'lan') and geography_code <> 'okand'
        and not small_number and clearance_pct is not null
    group by all
    having count(*) >= 3
"""


@dataclass(frozen=True)
class Figures:
    """All figures of the report; shares are in tenths of a per cent."""

    publication: Row
    earlier: Sequence[Row]
    years: Sequence[int]
    deliveries: Sequence[Row]
    indicators: Sequence[Row]
    measures: Sequence[Row]
    """The supporting measures, which follow commitments."""
    variants: Mapping[str, Sequence[Row]]
    places: Mapping[Place, Row]
    groups: Mapping[str, Row]
    breaks: Mapping[str, Sequence[Row]]
    cells: Mapping[str, Mapping[tuple[str, str, str], Series]]
    """Indicator or measure → (level, code, victim group) → year → figures of the decided variant."""
    ranges: Mapping[str, Mapping[tuple[str, str, int], Row]]
    """Indicator or measure → (level, victim group, year) → lowest and highest share of the places with at least 30 offences."""
    flow: Mapping[str, Mapping[Place, Mapping[int, Mapping[str, Row]]]]
    """Indicator → place → year → stage."""
    times: Mapping[str, Mapping[Place, Mapping[int, Mapping[str, Row]]]]
    """Indicator or measure → place → year → outcome."""
    suspicions: Mapping[str, Mapping[Place, Series]]
    """Indicator → place → year → suspicions decided and prosecuted."""
    cohorts: Mapping[int, Mapping[tuple[str, Place], Row]]
    """Year of report → indicator or measure and place → outcomes of the reported offences by the end of the newest year."""
    unfollowed: Sequence[Row]
    """Years of report that are followed up to the same earlier year than the newest, and that year."""
    readings: Mapping[str, Sequence[Row]]
    """Indicator → all its variants in the country in the newest year."""
    revisions: Mapping[str, Sequence[Row]] | None
    """Indicator → figures that differ from the previous publication; None if the publication has no such table."""
    linkage: Sequence[Row]
    withheld: Sequence[Row]
    reconciled: Sequence[Row]
    """Year and place → number of figures that agree with Brå's, and the indicators with figures that do not."""
    compared: Sequence[Row]
    """The figures of all victims beside Brå's, those of supporting measures too."""
    not_compared: Sequence[Row]
    """Year, indicator and note → places and victim groups whose figure is not compared with Brå's."""
    official_files: Sequence[Row]
    """The files that Brå's figures come from, by year and place."""
    checks: Sequence[Row]

    @property
    def newest(self) -> int:
        """The newest year."""
        return self.years[-1]

    def groups_of(self, indicator: str) -> list[str]:
        """Return the victim groups of an indicator, the total first."""
        present = {group for level, _, group in self.cells[indicator] if level == COUNTRY[0]}
        return [group for group in self.groups if group in present]


def read_figures(publication: Path) -> Figures:
    """Read the figures from a publication's folder."""
    folder = publication / "parquet"
    with duckdb.connect() as connection:
        tables = _open_tables(connection, folder)

        def rows(query: str) -> list[Row]:
            cursor = connection.execute(query)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

        publications = rows("from publication order by publication_id")
        newest = publications[-1]["publication_id"]
        measured = rows(f"from dim_indicator where {MAIN_VARIANT} order by indicator_number")
        decided = [row for row in measured if row["kind"] == "decided"]
        ids, all_ids = ([row["indicator_id"] for row in some] for some in (decided, measured))
        cells: dict[str, dict[tuple[str, str, str], dict[int, Row]]] = {indicator: {} for indicator in all_ids}
        for row in rows(_CELLS):
            key = (row["geography_level"], row["geography_code"], row["victim_group"])
            cells[row["indicator_id"]].setdefault(key, {})[row["year"]] = row
        return Figures(
            publication=publications[-1],
            earlier=publications[:-1],
            years=[row["year"] for row in rows("select year from dim_year order by year")],
            deliveries=rows("from dim_year order by year"),
            indicators=decided,
            measures=[row for row in measured if row not in decided],
            variants=_group_by(rows("from dim_indicator order by indicator_number, sort_order"), "indicator_id", ids),
            places={(row["geography_level"], row["geography_code"]): row for row in _places(rows)},
            groups={row["victim_group"]: row for row in rows("from dim_victim_group order by sort_order")},
            breaks=_group_by(
                rows("from series_break where year in (select year from dim_year) order by in_force"),
                "indicator_id",
                all_ids,
            ),
            cells=cells,
            ranges={
                indicator: {(row["geography_level"], row["victim_group"], row["year"]): row for row in ranges}
                for indicator, ranges in _group_by(rows(_RANGES), "indicator_id", all_ids).items()
            },
            flow=_group_steps(rows(f"from fct_case_flow_year where {MAIN_VARIANT} order by stage_order"), ids, "stage"),
            times=_group_steps(rows(f"from fct_processing_time_year where {MAIN_VARIANT}"), all_ids, "outcome"),
            suspicions=_group_steps(rows("from fct_prosecution_year"), ids),
            cohorts=_cohorts(rows(_COHORTS)),
            unfollowed=rows(_UNFOLLOWED),
            readings=_group_by(rows(_READINGS), "indicator_id", ids),
            revisions=_group_by(
                rows(f"from revision where publication_id = {_text(newest)} order by all"), "indicator_id", ids
            )
            if "revision" in tables
            else None,
            linkage=rows(_LINKAGE),
            withheld=rows(_WITHHELD),
            reconciled=rows(_RECONCILED) if "fct_reconciliation_year" in tables else (),
            compared=rows(_COMPARED) if "fct_reconciliation_year" in tables else (),
            not_compared=rows(_NOT_COMPARED) if "fct_reconciliation_year" in tables else (),
            official_files=rows(_OFFICIAL_FILES) if "fct_reconciliation_year" in tables else (),
            checks=rows("from quality_check order by all"),
        )


def _open_tables(connection: duckdb.DuckDBPyConnection, folder: Path) -> list[str]:
    """Make a view of each table that the folder holds, and the macros that round; return the tables."""
    # Rounded from counts where possible; otherwise to 8 decimals first, so that the last bits of a double do not decide.
    connection.execute(
        "create macro tenths_of_percent(part, whole) as cast((2000 * part + whole) // (2 * whole) as integer)"
    )
    connection.execute("create macro tenths(share) as cast(round(round(share * 10, 8)) as integer)")
    tables = [table for table in TABLES if (folder / f"{table}.parquet").is_file()]
    for table in tables:
        connection.execute(f"create view {table} as from {parquet(folder / f'{table}.parquet')}")
    return tables


_READINGS = """
    select indicator_id, variant, processed, cleared, tenths_of_percent(cleared, processed) as pct
    from fct_indicator_year
    inner join dim_indicator using (indicator_id, variant)
    where geography_level = 'riket' and victim_group = 'total' and year = (select max(year) from dim_year)
    order by indicator_number, sort_order
"""
_COHORTS = f"""
    from fct_reported_year where {MAIN_VARIANT} and by_year = (select max(year) from dim_year) order by year
"""
_UNFOLLOWED = """
    select string_agg(year, ', ' order by year) as years, by_year
    from (select year, max(by_year) as by_year from fct_reported_year group by year)
    where by_year < (select max(year) from dim_year)
    group by by_year
    order by by_year
"""
_LINKAGE = """
    select year, tenths(max(linkage_pct)) as linkage
    from fct_case_flow_year
    where geography_level = 'riket'
    group by year
    order by year
"""
_RECONCILED = """
    select
        year, geography_level, geography_code,
        count(*) filter (status = 'equal') as equal,
        count(*) filter (status = 'within 5') as within,
        count(*) filter (status = 'differs') as differs,
        count(*) filter (status = 'not comparable') as not_comparable,
        list(distinct indicator_id) filter (status = 'differs') as differing
    from fct_reconciliation_year
    inner join dim_indicator using (indicator_id, variant)
    where official_processed is not null and kind = 'decided'
    group by all
    order by year desc, geography_level desc, geography_code
"""
# The indicator, with the variant where it is another than the main one.
_NAMES = ", ".join(
    f"name_{language} || if({MAIN_VARIANT}, '', ': ' || variant_name_{language}) as name_{language}"
    for language in ("sv", "en")
)
_COMPARED = f"""
    select
        year, geography_level, geography_code, victim_group, kind, status,
        {_NAMES},
        processed, official_processed, cleared, official_cleared,
        tenths_of_percent(cleared, processed) as pct, tenths(official_clearance_pct) as official_pct,
        official_note_sv as note_sv, official_note as note_en
    from fct_reconciliation_year
    inner join dim_indicator using (indicator_id, variant)
    where
        official_processed is not null
        and (({MAIN_VARIANT} and victim_group = 'total') or (kind = 'decided' and status = 'differs'))
    order by
        indicator_number, year desc, geography_level desc, geography_code, sort_order, victim_group <> 'total', victim_group
"""
_NOT_COMPARED = f"""
    select
        year, indicator_number, sort_order,
        {_NAMES},
        official_note_sv as note_sv,
        official_note as note_en,
        list(distinct (geography_level, geography_code)) as places,
        list(distinct victim_group) as victim_groups
    from fct_reconciliation_year
    inner join dim_indicator using (indicator_id, variant)
    where status = 'not comparable' and official_processed is not null and kind = 'decided'
    group by all
    order by year desc, indicator_number, sort_order, note_en
"""
_OFFICIAL_FILES = """
    select distinct year, geography_level, geography_code, official_file, official_corrected_on, official_sha256
    from fct_reconciliation_year
    where official_processed is not null
    order by year desc, geography_level desc, geography_code, official_file
"""
_WITHHELD = """
    select
        geography_level, count(*) as figures, count(suppression) as withheld
    from fct_indicator_year
    where geography_level in ('lan', 'kommun')
    group by geography_level
    order by geography_level desc
"""


def _places(rows: Any) -> list[Row]:
    """Return the places with their names in Swedish and English."""
    places: list[Row] = rows(
        """
        from dim_geography
        order by geography_order
        """
    )

    def name(row: Row, language: str) -> str:
        # A municipality often has the same name as its county or region.
        kind = f" ({row[f'geography_level_{language}'].lower()})" if row["geography_level"] == "kommun" else ""
        return f"{row[f'name_{language}']}{kind}"

    return [
        {**row, "name_sv": name(row, "sv"), "name_en": name(row, "en")}
        for row in places
        # The unknown municipality gives no more information than the unknown county.
        if (row["geography_level"], row["geography_code"]) != ("kommun", "okand")
    ]


def _group_by(rows: list[Row], key: str, keys: Sequence[str]) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {value: [] for value in keys}
    for row in rows:
        if row[key] in grouped:
            grouped[row[key]].append(row)
    return grouped


def _cohorts(rows: list[Row]) -> dict[int, dict[tuple[str, Place], Row]]:
    cohorts: dict[int, dict[tuple[str, Place], Row]] = {}
    for row in rows:
        place = (row["geography_level"], row["geography_code"])
        cohorts.setdefault(row["year"], {})[row["indicator_id"], place] = row
    return cohorts


def _group_steps(rows: list[Row], indicators: Sequence[str], step: str = "") -> dict[str, dict[Place, dict[int, Any]]]:
    """Group rows by indicator, place and year, and then by column `step` if a year has several rows."""
    grouped: dict[str, dict[Place, dict[int, Any]]] = {indicator: {} for indicator in indicators}
    for row in rows:
        if row["indicator_id"] not in grouped:
            continue
        by_year = grouped[row["indicator_id"]].setdefault((row["geography_level"], row["geography_code"]), {})
        if step:
            by_year.setdefault(row["year"], {})[row[step]] = row
        else:
            by_year[row["year"]] = row
    return grouped


def _text(value: str) -> str:
    return literal(Path(value))
