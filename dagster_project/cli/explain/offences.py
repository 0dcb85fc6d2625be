"""The private side of an explanation: the offences behind a figure, each with the code and rules that put it there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from dagster_project.cli.explain.figure import Asked
from dagster_project.settings import Settings
from dagster_project.sql import parquet
from dagster_project.state import DeliveryRecord, active_deliveries, kept_description
from dagster_project.transformation.fingerprints import is_built, raw_file
from dagster_project.transformation.kept_figures import KEPT_OFFENCES, kept_file

NOT_TO_BE_PASSED_ON = (
    "private, not to be passed on: rows about people, under pseudonyms, and counts that may be withheld"
)
_PLACE = {
    "riket": "true",
    "polisregion": "offence.region_code = $geography_code",
    "lan": "offence.county_code = $geography_code",
    "kommun": "offence.municipality_code = $geography_code",
}
_Row = dict[str, Any]


def account(settings: Settings, said: Mapping[str, Any], asked: Asked, figure: Mapping[str, Any]) -> dict[str, Any]:
    """The offences behind a figure of the publication whose manifest is `said`, from the working database.

    Gives `available`, with `why` not, or else the private counts, `adds_up` (the offences give those counts, and where the
    figure is not withheld the published ones too), why it is withheld, and the offences.
    """
    try:
        if why := _why_not(settings, said, asked.year):
            return {"available": False, "why": why}
        with duckdb.connect(str(settings.warehouse_file), read_only=True) as connection:
            offences = _offences(connection, settings, asked)
            counts, withheld = _private_figure(connection, asked)
    except duckdb.IOException as error:
        if "lock" in str(error):
            return {"available": False, "why": "the working database is in use by a load: ask again when it is done"}
        return {"available": False, "why": "the working database or a file of the raw store cannot be read"}
    added = Counter(dict.fromkeys(counts, 0))
    for offence in offences:
        for measure in offence["counts_in"]:
            added[measure] += offence["brottsantal"]
    published = counts if figure["suppression"] else figure["counts"]
    return {
        "available": True,
        "note": NOT_TO_BE_PASSED_ON,
        "counts": counts,
        "counts_of_offences": dict(added),
        "adds_up": dict(added) == counts == published,
        "withheld": withheld,
        "offences": offences,
    }


def _why_not(settings: Settings, said: Mapping[str, Any], year: int) -> str | None:
    """Why the working database cannot tell of this publication's figures of the year; None where it can."""
    before = kept_description(settings)["before"]
    if year < before:
        return f"the rows of {year} were purged: the figure is carried on as it was published"
    if not settings.warehouse_file.exists():
        return f"there is no working database {settings.warehouse_file}: `uppklarat load` builds it"
    if not is_built(settings):
        return "the working database is not that of the present deliveries, code and settings: `uppklarat load` first"
    now = {what: record.delivery_id for what, record in active_deliveries(settings).items()}
    then = {(one["source"], one["year"]): one["delivery_id"] for one in said["deliveries"]}

    def behind(deliveries: Mapping[tuple[str, int], str]) -> dict[tuple[str, int], str]:
        return {
            (source, of): delivery
            for (source, of), delivery in deliveries.items()
            if of == year or (source == "police" and before <= of < year)
        }

    if behind(now) != behind(then):
        return "the working database is built of other deliveries than this publication"
    return None


def _private_figure(connection: duckdb.DuckDBPyConnection, asked: Asked) -> tuple[dict[str, int], _Row | None]:
    """The counts as they are, and why they are withheld if they are."""
    key = " and ".join(f"{column} = ${column}" for column in Asked._fields)
    (row,) = _rows(connection, f"select * from intermediate.int_figure_year where {key}", asked._asdict())
    counts = {name: value for name, value in row.items() if isinstance(value, int) and not isinstance(value, bool)}
    why = _rows(
        connection,
        f"select suppression, because, hides from intermediate.int_suppression where {key}",
        asked._asdict(),
    )
    return {name: value for name, value in counts.items() if name != "year"}, why[0] if why else None


def _offences(connection: duckdb.DuckDBPyConnection, settings: Settings, asked: Asked) -> list[_Row]:
    counted = f"""
        select offence.* from intermediate.int_processed_offence as offence
        semi join (
            from intermediate.int_class_variant where variant = $variant and indicator_id = $indicator_id
        ) as variant using (classified_by, class_key)
        where offence.year = $year and {_PLACE[asked.geography_level]}
            and $victim_group in ('total', offence.victim_group)"""
    values = {name: value for name, value in asked._asdict().items() if f"${name}" in counted}
    active = active_deliveries(settings)
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
        left join ({_extracts(settings, active, [year for (year,) in extracts])}) as extract
            using (extract_year, diarienummer, brottsnummer)
        inner join intermediate.int_offence_class as class using (classified_by, class_key)
        left join raw.own_offence_code as own on counted.classified_by = 'code' and own.brottskod = counted.class_key
        order by counted.is_cleared desc, counted.outcome, counted.diarienummer, counted.brottsnummer
        """,
        values,
    )
    decisions = _decisions(connection, settings, active, counted, values, asked.year)
    conditions = _rows(
        connection,
        """
        select attribute, counts, string_agg(value, ', ' order by value) as listed from reference.variant_condition
        where indicator_id = $indicator_id and variant = $variant
        group by attribute, counts order by counts desc, list_position(['role', 'part', 'relation', 'place'], attribute)
        """,
        {"indicator_id": asked.indicator_id, "variant": asked.variant},
    )
    return [
        _explained(row, decisions[row["diarienummer"], row["brottsnummer"]], conditions, active, asked) for row in rows
    ]


def _extracts(settings: Settings, active: Mapping[tuple[str, int], DeliveryRecord], years: Sequence[int]) -> str:
    """The rows of the police extracts of some years (at least one), of purged ones those that were kept."""
    columns = (
        "line, diarienummer, brottsnummer, brottskod, kommunkod, handlaggande_region, malsagande_kon, malsagande_alder"
    )
    selects = [
        f"select {year} as extract_year, {columns} from {parquet(raw_file(settings, active['police', year], 'offences'))}"
        for year in years
        if ("police", year) in active
    ]
    if any(("police", year) not in active for year in years):
        kept = kept_file(settings, kept_description(settings)["before"], KEPT_OFFENCES)
        selects.append(f"select year as extract_year, {columns} from {parquet(kept)}")
    return " union all ".join(selects)


def _decisions(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    active: Mapping[tuple[str, int], DeliveryRecord],
    counted: str,
    values: Mapping[str, Any],
    year: int,
) -> defaultdict[tuple[str, int], list[_Row]]:
    """All decisions of the year on the counted offences, in the order of their dates, by offence."""
    of_offence: defaultdict[tuple[str, int], list[_Row]] = defaultdict(list)
    for source, authority in (("police", "police"), ("prosecution", "prosecutor")):
        record = active[source, year]
        for row in _rows(
            connection,
            f"""
            select
                decision.diarienummer, decision.brottsnummer, decision.line, decision.beslutsdatum as date,
                decision.beslut as decision, kind.outcome, kind.ends_handling, quarantined.reason as quarantined
            from {parquet(raw_file(settings, record, "decisions"))} as decision
            semi join ({counted}) as counted using (diarienummer, brottsnummer)
            inner join reference.decision_kind as kind on kind.authority = '{authority}' and kind.beslut = decision.beslut
            left join intermediate.int_quarantined_decision as quarantined
                on quarantined.source = '{source}' and quarantined.year = {year} and quarantined.line = decision.line
            """,
            values,
        ):
            key = (row.pop("diarienummer"), row.pop("brottsnummer"))
            file = f"{record.label}/{record.files['decisions'].name}"
            of_offence[key].append({"file": file, "authority": authority, **row})
    for rows in of_offence.values():
        rows.sort(key=lambda row: (row["date"], row["authority"], row["line"]))
    return of_offence


def _explained(
    row: _Row,
    decisions: list[_Row],
    conditions: list[_Row],
    active: Mapping[tuple[str, int], DeliveryRecord],
    asked: Asked,
) -> _Row:
    deciding = [
        one
        for one in decisions
        if one["date"] == row["decision_date"] and one["outcome"] == row["outcome"] and not one["quarantined"]
    ]
    for one in decisions:
        one["decides"] = one in deciding
    record = active.get(("police", row["extract_year"]))
    file = (
        f"{record.label}/{record.files['offences'].name}" if record else f"police/{row['extract_year']} (purged, kept)"
    )
    return {
        "case": row["diarienummer"],
        "offence": row["brottsnummer"],
        "file": file,
        "line": row["line"],
        "looked_up": row["extract_year"] != asked.year,
        "brottskod": row["brottskod"],
        "brottsantal": row["brottsantal"],
        "classified": _classified(row),
        "counted_because": _counted_because(row, conditions),
        "victim_group": row["victim_group"],
        "victim_group_from": _group_from(row),
        "place_from": _place_from(row, asked.geography_level),
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


def _classified(row: _Row) -> str:
    if row["classified_by"] == "provision":
        return f"code {row['brottskod']} is not in the catalogue, and its provision is {row['class_key']}"
    catalogue = "your own offence_codes.csv" if row["is_own_code"] else "the catalogue"
    return f"code {row['class_key']} is in {catalogue}"


def _counted_because(row: _Row, conditions: list[_Row]) -> str:
    """Which conditions of the variant the code or provision meets."""
    return "; ".join(
        f"{condition['attribute']} {row[condition['attribute']] or '(none)'} is "
        f"{'one' if condition['counts'] else 'none'} of {condition['listed']}"
        for condition in conditions
    )


def _group_from(row: _Row) -> str:
    if row["class_group"]:
        told = f"the code carries {row['class_group']}"
    elif row["has_victim_data"]:
        told = "the victim's sex and age in the extract"
    else:
        return "neither the code nor the extract tells"
    return told if row["victim_group"] != "okand" else f"{told}, but the indicator does not report that group"


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
