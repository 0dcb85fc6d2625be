"""The private part of an explanation: the offences behind a figure, with the code and rules that count them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import duckdb

from dagster_project import paths
from dagster_project.cli.explain.figure import FigureKey
from dagster_project.settings import Settings
from dagster_project.sql import parquet
from dagster_project.state import DeliveryRecord, State, read_state
from dagster_project.transformation.fingerprints import is_built, raw_file
from dagster_project.transformation.kept_figures import KEPT_OFFENCES, kept_file

PRIVATE_NOTE = "private, not to be passed on: rows about people, under pseudonyms, and counts that may be withheld"
_PLACE = {
    "riket": "true",
    "polisregion": "offence.region_code = $geography_code",
    "lan": "offence.county_code = $geography_code",
    "kommun": "offence.municipality_code = $geography_code",
}
_Row = dict[str, Any]


def explain_offences(
    settings: Settings, manifest: Mapping[str, Any], key: FigureKey, figure: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the offences behind a published figure, from the warehouse.

    If the warehouse cannot explain the figure, `available` is false and `why` is the reason. `adds_up` is true if the offences
    give the private counts and the published ones: none if the figure is withheld.
    """
    state = read_state(settings)
    try:
        if why := _reason_unavailable(state, manifest, key.year):
            return {"available": False, "why": why}
        with duckdb.connect(str(settings.home / paths.WAREHOUSE), read_only=True) as connection:
            offences = _offences(connection, state, key)
            counts, withheld = _private_figure(connection, key)
    except duckdb.IOException as error:
        if "lock" in str(error):
            return {
                "available": False,
                "why": "the working database is in use by a load: try again when the load has ended",
            }
        return {"available": False, "why": "the working database or a file of the raw store cannot be read"}
    added = Counter(dict.fromkeys(counts, 0))
    for offence in offences:
        for measure in offence["counts_in"]:
            added[measure] += offence["brottsantal"]
    published = {name: value for name, value in figure["counts"].items() if value is not None}
    return {
        "available": True,
        "note": PRIVATE_NOTE,
        "counts": counts,
        "counts_of_offences": dict(added),
        "adds_up": dict(added) == counts == counts | published,
        "withheld": withheld,
        "offences": offences,
    }


def _reason_unavailable(state: State, manifest: Mapping[str, Any], year: int) -> str | None:
    """Return why the warehouse cannot explain this publication's figures of the year, or None."""
    warehouse = state.settings.home / paths.WAREHOUSE
    before = state.purged.before
    if year < before:
        return f"the rows of {year} were purged: the figure is kept as published"
    if not warehouse.exists():
        return f"there is no working database {warehouse}: `uppklarat load` builds it"
    if not is_built(state):
        return (
            "the working database does not match the present deliveries, code and settings: run `uppklarat load` first"
        )
    now = {label: record.delivery_id for label, record in state.active.items()}
    then = {(delivery["source"], delivery["year"]): delivery["delivery_id"] for delivery in manifest["deliveries"]}

    def relevant(deliveries: Mapping[tuple[str, int], str]) -> dict[tuple[str, int], str]:
        return {
            (source, delivery_year): delivery
            for (source, delivery_year), delivery in deliveries.items()
            if delivery_year == year or (source == "police" and before <= delivery_year < year)
        }

    if relevant(now) != relevant(then):
        return "the working database is built from other deliveries than this publication"
    return None


def _private_figure(connection: duckdb.DuckDBPyConnection, key: FigureKey) -> tuple[dict[str, int], _Row | None]:
    """Return the private counts and, if withheld, the reason."""
    condition = " and ".join(f"{column} = ${column}" for column in FigureKey._fields)
    (row,) = _rows(connection, f"select * from intermediate.int_figure_year where {condition}", key._asdict())
    counts = {name: value for name, value in row.items() if isinstance(value, int) and not isinstance(value, bool)}
    suppressions = _rows(
        connection,
        f"select suppression, because from intermediate.int_suppression where {condition}",
        key._asdict(),
    )
    return {name: value for name, value in counts.items() if name != "year"}, suppressions[0] if suppressions else None


def _offences(connection: duckdb.DuckDBPyConnection, state: State, key: FigureKey) -> list[_Row]:
    counted = f"""
        select offence.* from intermediate.int_processed_offence as offence
        semi join (
            from intermediate.int_class_variant where variant = $variant and indicator_id = $indicator_id
        ) as variant using (classified_by, class_key, indicator_id)
        where offence.year = $year and {_PLACE[key.geography_level]}
            and $victim_group in ('total', offence.victim_group)"""
    values = {name: value for name, value in key._asdict().items() if f"${name}" in counted}
    extracts = connection.execute(f"select distinct extract_year from ({counted})", values).fetchall()
    if not extracts:
        return []
    rows = _rows(
        connection,
        f"""
        select
            counted.*, extract.line, extract.brottskod, extract.kommunkod, extract.handlaggande_region,
            extract.malsagande_kon is not null and extract.malsagande_alder is not null as has_victim_data,
            class.role, class.part, class.relation, class.place, class.victim_group as class_group,
            own.brottskod is not null as is_own_code
        from ({counted}) as counted
        left join ({_extracts(state, [year for (year,) in extracts])}) as extract
            using (extract_year, diarienummer, brottsnummer)
        inner join intermediate.int_offence_class as class using (classified_by, class_key, indicator_id)
        left join raw.own_offence_code as own on counted.classified_by = 'code' and own.brottskod = counted.class_key
        order by counted.is_cleared desc, counted.outcome, counted.diarienummer, counted.brottsnummer
        """,
        values,
    )
    decisions = _decisions(connection, state, counted, values, key.year)
    conditions = _rows(
        connection,
        """
        select attribute, counts, string_agg(value, ', ' order by value) as listed from reference.variant_condition
        where indicator_id = $indicator_id and variant = $variant
        group by attribute, counts order by counts desc, list_position(['role', 'part', 'relation', 'place'], attribute)
        """,
        {"indicator_id": key.indicator_id, "variant": key.variant},
    )
    return [
        _explain_offence(row, decisions[row["diarienummer"], row["brottsnummer"]], conditions, state.active, key)
        for row in rows
    ]


def _extracts(state: State, years: Sequence[int]) -> str:
    """Return a query of police extracts (at least one year), of purged years the kept rows."""
    columns = (
        "line, diarienummer, brottsnummer, brottskod, kommunkod, handlaggande_region, malsagande_kon, malsagande_alder"
    )
    selects = [
        f"select {year} as extract_year, {columns} from {parquet(raw_file(state.settings, state.active['police', year], 'offences'))}"
        for year in years
        if ("police", year) in state.active
    ]
    if any(("police", year) not in state.active for year in years):
        kept_offences = kept_file(state.settings, state.purged.before, KEPT_OFFENCES)
        selects.append(f"select year as extract_year, {columns} from {parquet(kept_offences)}")
    return " union all ".join(selects)


def _decisions(
    connection: duckdb.DuckDBPyConnection,
    state: State,
    counted: str,
    values: Mapping[str, Any],
    year: int,
) -> defaultdict[tuple[UUID, int], list[_Row]]:
    """Return the year's decisions on the counted offences by offence, ordered by date."""
    by_offence: defaultdict[tuple[UUID, int], list[_Row]] = defaultdict(list)
    for source, authority in (("police", "police"), ("prosecution", "prosecutor")):
        record = state.active[source, year]
        for row in _rows(
            connection,
            f"""
            select
                decision.diarienummer, decision.brottsnummer, decision.line, decision.beslutsdatum as date,
                decision.beslut as decision, kind.outcome, kind.ends_handling, quarantined.reason as quarantined
            from {parquet(raw_file(state.settings, record, "decisions"))} as decision
            semi join ({counted}) as counted using (diarienummer, brottsnummer)
            inner join reference.decision_kind as kind on kind.authority = '{authority}' and kind.beslut = decision.beslut
            left join intermediate.int_quarantined_decision as quarantined
                on quarantined.source = '{source}' and quarantined.year = {year} and quarantined.line = decision.line
            """,
            values,
        ):
            key = (row.pop("diarienummer"), row.pop("brottsnummer"))
            file = f"{record.label}/{record.files['decisions'].name}"
            by_offence[key].append({"file": file, "authority": authority, **row})
    for rows in by_offence.values():
        rows.sort(key=lambda row: (row["date"], row["authority"], row["line"]))
    return by_offence


def _explain_offence(
    row: _Row,
    decisions: list[_Row],
    conditions: list[_Row],
    active: Mapping[tuple[str, int], DeliveryRecord],
    key: FigureKey,
) -> _Row:
    deciding = [
        decision
        for decision in decisions
        if decision["date"] == row["decision_date"]
        and decision["outcome"] == row["outcome"]
        and not decision["quarantined"]
    ]
    for decision in decisions:
        decision["decides"] = decision in deciding
    record = active.get(("police", row["extract_year"]))
    file = (
        f"{record.label}/{record.files['offences'].name}" if record else f"police/{row['extract_year']} (purged, kept)"
    )
    return {
        "case": str(row["diarienummer"]),
        "offence": row["brottsnummer"],
        "file": file,
        "line": row["line"],
        "looked_up": row["extract_year"] != key.year,
        "brottskod": row["brottskod"],
        "brottsantal": row["brottsantal"],
        "classified": _describe_class(row),
        "counted_because": _counted_because(row, conditions),
        "victim_group": row["victim_group"],
        "victim_group_from": _group_from(row),
        "place_from": _place_from(row, key.geography_level),
        "reported": row["report_date"],
        "outcome": row["outcome"],
        "decided": row["decision_date"],
        "counts_in": _counts_in(row),
        "decisions": decisions,
    }


def _counts_in(row: _Row) -> list[str]:
    handling = "investigated" if row["is_investigated"] else "dismissed"
    outcome = ["cleared", row["outcome"]] if row["is_cleared"] else [f"{row['outcome']}_{handling}"]
    return ["processed", handling, *(["with_suspect"] if row["has_suspect"] else []), *outcome]


def _describe_class(row: _Row) -> str:
    if row["classified_by"] == "provision":
        return f"code {row['brottskod']} is not in the catalogue, and its provision is {row['class_key']}"
    catalogue = "your own offence_codes.csv" if row["is_own_code"] else "the catalogue"
    return f"code {row['class_key']} is in {catalogue}"


def _counted_because(row: _Row, conditions: list[_Row]) -> str:
    """The conditions of the variant that the code or provision meets."""
    return "; ".join(
        f"{condition['attribute']} {row[condition['attribute']] or '(none)'} is "
        f"{'one' if condition['counts'] else 'none'} of {condition['listed']}"
        for condition in conditions
    )


def _group_from(row: _Row) -> str:
    if row["class_group"]:
        origin = f"the code carries {row['class_group']}"
    elif row["has_victim_data"]:
        origin = "the victim's sex and age in the extract"
    else:
        return "unknown: neither the code nor the extract has it"
    return origin if row["victim_group"] != "okand" else f"{origin}, but the indicator does not report that group"


def _place_from(row: _Row, level: str) -> str:
    if level == "riket":
        return "every offence counts in the country"
    if level == "polisregion" and row["handlaggande_region"]:
        return f"handlaggande_region {row['handlaggande_region']}"
    if row["kommunkod"] is None:
        return "kommunkod is empty"
    if row["has_unknown_municipality"]:
        return f"kommunkod {row['kommunkod']} is no municipality"
    if level == "polisregion":
        return f"kommunkod {row['kommunkod']}, since handlaggande_region is empty"
    return f"kommunkod {row['kommunkod']}"


def _rows(connection: duckdb.DuckDBPyConnection, select: str, values: Mapping[str, Any]) -> list[_Row]:
    cursor = connection.execute(select, dict(values))
    names = [str(column[0]) for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
