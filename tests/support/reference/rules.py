"""The counting rules of docs/counting-rules.md in plain Python: what the warehouse must publish for a landing folder."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from math import sqrt
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from .extracts import Decision, Key, Landing, Offence, read_landing
from .facts import REGIONS, TOTAL, UNKNOWN, Classification, facts
from .provisions import parse_provision

MEASURES = (
    "processed",
    "investigated",
    "dismissed",
    "with_suspect",
    "cleared",
    "cleared_indictment",
    "cleared_penalty_order",
    "cleared_waiver",
    "limited_investigated",
    "other_investigated",
    "limited_dismissed",
    "other_dismissed",
)

# The decisions that clear an offence, the highest-ranking first
CLEARED_AS = {
    "ATAL": "cleared_indictment",
    "STRAFFORELAGGANDE": "cleared_penalty_order",
    "ATALSUNDERLATELSE": "cleared_waiver",
}
ENDS_NOTHING = ("OVERLAMNAD", "ATERUPPTAGEN")

ADULT = {"K": "kvinna", "M": "man"}
CHILD = {"K": "flicka", "M": "pojke"}

SMALL_NUMBER = 30
Z = 1.959963984540054  # two-sided, 5 per cent


class Cell(NamedTuple):
    """The key of fct_indicator_year; equal to the plain tuple."""

    indicator_id: str
    variant: str
    year: int
    geography_level: str
    geography_code: str
    victim_group: str


Counts = dict[Cell, dict[str, int]]
Rates = dict[Cell, dict[str, float | bool | None]]


# --- counts ----------------------------------------------------------------------------------------------------------


def expected_counts(landing: Path) -> Counts:
    """Every row of fct_indicator_year, zeros included, with its twelve counts."""
    deliveries = read_landing(landing)
    counts: Counts = {cell: dict.fromkeys(MEASURES, 0) for cell in every_cell(deliveries.complete_years)}
    for cell, measures in _count(deliveries).items():
        counts[cell].update(measures)
    return counts


def nonzero_counts(landing: Path) -> Counts:
    """Return only the rows with counts; much faster on small worlds, with every measure."""
    return _count(read_landing(landing))


def _count(deliveries: Landing) -> Counts:
    counts: Counts = defaultdict(lambda: dict.fromkeys(MEASURES, 0))
    for year, offence, decisions in processed_offences(deliveries):
        for cell in filter(is_published, cells_of(offence, year)):
            for measure in outcome(decisions):
                counts[cell][measure] += offence.number_of_offences
    return dict(counts)


def processed_offences(deliveries: Landing) -> Iterator[tuple[int, Offence, list[Decision]]]:
    """Yield every processed offence of every year, with the year's decisions on it."""
    for year in deliveries.complete_years:
        decisions_on: dict[Key, list[Decision]] = defaultdict(list)
        for decision in deliveries.decisions(year):
            decisions_on[decision.key].append(decision)
        for key, decisions in decisions_on.items():
            offence = deliveries.offence(key, year)
            assert offence is not None, "an orphan is never loaded"
            if standing(decisions):
                yield year, offence, decisions


def as_published(rows: Mapping[Cell, Mapping[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """By key, counts and rates as they are shown: below police regions only processed, cleared and the clearance rate."""
    not_below = {*MEASURES, "prosecution_pct"} - {"processed", "cleared"}
    return {
        tuple(cell): {
            name: None if name in not_below and cell.geography_level in ("lan", "kommun") else value
            for name, value in row.items()
        }
        for cell, row in rows.items()
    }


def every_cell(years: Iterable[int]) -> list[Cell]:
    """Yield every published combination of indicator, variant, year, geography and victim group."""
    cells = [
        Cell(variant.indicator_id, variant.variant, year, level, code, group)
        for variant in facts().variants
        for year in years
        for level, code in every_place()
        for group in facts().groups[variant.indicator_id]
    ]
    return [cell for cell in cells if is_published(cell)]


def is_published(cell: Cell) -> bool:
    """Below police regions there are only the decided indicators in the decided variant, and only the total."""
    if cell.geography_level in ("riket", "polisregion"):
        return True
    return cell.indicator_id in facts().decided and cell.variant == "beslutad" and cell.victim_group == "total"


def every_place() -> list[tuple[str, str]]:
    """All geographies; an unknown region is counted in the country only."""
    return [
        ("riket", "SE"),
        *(("polisregion", region) for region in REGIONS),
        *(("lan", county) for county in [*facts().region_of, UNKNOWN]),
        *(("kommun", municipality) for municipality in [*facts().county_of, UNKNOWN]),
    ]


def standing(decisions: list[Decision]) -> list[Decision]:
    """Return the decisions of a year on an offence that end its handling and that no reopening cancelled."""
    last_reopening = max((d.day for d in decisions if d.kind == "ATERUPPTAGEN"), default=date.min)
    return [d for d in decisions if d.kind in CLEARED_AS or (d.kind not in ENDS_NOTHING and d.day >= last_reopening)]


def outcome(decisions: list[Decision]) -> set[str]:
    """Return the measures that count an offence, given its decisions in a year; none if it is not processed."""
    stand = standing(decisions)
    if not stand:
        return set()

    for kind, cleared_as in CLEARED_AS.items():
        if any(d.kind == kind for d in stand):
            return {"processed", "investigated", "with_suspect", "cleared", cleared_as}

    how = "limited" if any(d.kind == "FU_BEGRANSAD" for d in stand) else "other"
    handling = "investigated" if any(d.shows_investigation for d in decisions) else "dismissed"
    measures = {"processed", handling, f"{how}_{handling}"}
    if any(d.shows_suspect for d in decisions):
        measures.add("with_suspect")
    return measures


def deciding_day(decisions: list[Decision]) -> date:
    """Return the day of the deciding decision on a processed offence."""
    stand = standing(decisions)
    for kind in CLEARED_AS:
        if any(d.kind == kind for d in stand):
            return min(d.day for d in stand if d.kind == kind)
    limited = [d.day for d in stand if d.kind == "FU_BEGRANSAD"]
    return max(limited or [d.day for d in stand])


def cells_of(offence: Offence, year: int) -> list[Cell]:
    """Yield all cells that count the offence."""
    return [
        Cell(variant.indicator_id, variant.variant, year, level, code, group)
        for classification in classify(offence)
        for variant in facts().variants
        if variant.includes(classification)
        for level, code in places(offence)
        for group in (TOTAL, victim_group(offence, classification))
    ]


def classify(offence: Offence) -> tuple[Classification, ...]:
    """Classify by the code if the catalogue has it, otherwise by the legal provision; measures count codes besides."""
    if offence.code in facts().codes:
        return (facts().codes[offence.code], *facts().measures.get(offence.code, ()))
    provision = parse_provision(offence.provision)
    return (facts().provisions[provision],) if provision in facts().provisions else ()


def victim_group(offence: Offence, classification: Classification) -> str:
    """Return the code's group, otherwise that of sex and age, otherwise unknown."""
    group = classification.victim_group
    if not group and offence.victim_sex and offence.victim_age is not None:
        group = (ADULT if offence.victim_age >= 18 else CHILD)[offence.victim_sex]
    return group if group in facts().groups[classification.indicator_id] else UNKNOWN


def places(offence: Offence) -> list[tuple[str, str]]:
    """Return the country, the handling region (or the municipality's), the county and the municipality."""
    county = facts().county_of.get(offence.municipality, UNKNOWN)
    municipality = UNKNOWN if county == UNKNOWN else offence.municipality
    region = offence.handling_region or facts().region_of.get(county, UNKNOWN)
    result = [("riket", "SE"), ("lan", county), ("kommun", municipality)]
    if region != UNKNOWN:
        result.append(("polisregion", region))
    return result


# --- rates -----------------------------------------------------------------------------------------------------------


def expected_rates(counts: Mapping[Cell, Mapping[str, int]]) -> Rates:
    """Return the rates and flags of every row of complete counts."""
    clearance = {cell: percentage(m["cleared"], m["processed"]) for cell, m in counts.items()}
    region_rates: dict[Cell, list[float | None]] = defaultdict(list)
    county_rates: dict[Cell, list[float | None]] = defaultdict(list)
    for cell, rate in clearance.items():
        if cell[3] == "polisregion":
            region_rates[in_country(cell)].append(rate)
        if cell[3] == "lan" and cell[4] != UNKNOWN:
            county_rates[in_country(cell)].append(rate)
    region_median = {cell: median_of_known(rates) for cell, rates in region_rates.items()}
    county_median = {cell: median_of_known(rates) for cell, rates in county_rates.items()}

    rates: Rates = {}
    for key, measures in counts.items():
        cell = Cell(*key)
        low, high = wilson(measures["cleared"], measures["processed"])
        broken = facts().series_break(cell.indicator_id, cell.year)
        before = counts.get(cell._replace(year=cell.year - 1))
        rates[cell] = {
            "clearance_pct": clearance[cell],
            "clearance_pct_low": low,
            "clearance_pct_high": high,
            "prosecution_pct": percentage(
                measures["cleared"], measures["investigated"] - measures["limited_investigated"]
            ),
            "clearance_pct_country": clearance[in_country(cell)],
            "clearance_pct_median_region": region_median[in_country(cell)],
            "clearance_pct_median_county": county_median[in_country(cell)] if cell.geography_level == "lan" else None,
            "clearance_change_pp": None if broken else change(measures, before),
            "clearance_change_significant": None if broken else change_is_significant(measures, before),
            "small_number": measures["processed"] < SMALL_NUMBER,
            "series_break": broken,
            "mixed_year": facts().mixed_year(cell.indicator_id, cell.year),
            "clearance_change_comparable": facts().comparable_with_year_before(cell.indicator_id, cell.year),
        }
    return rates


def in_country(cell: Cell) -> Cell:
    """The country's cell for the same indicator, variant, year and victim group."""
    return Cell(*cell)._replace(geography_level="riket", geography_code="SE")


def percentage(part: int, whole: int) -> float | None:
    """Return a share in per cent; null if the denominator is 0."""
    return 100 * part / whole if whole else None


def median_of_known(rates: Iterable[float | None]) -> float | None:
    """The median of the rates that are not null."""
    known = [rate for rate in rates if rate is not None]
    return median(known) if known else None


def wilson(part: int, whole: int) -> tuple[float | None, float | None]:
    """The 95 % Wilson score interval of a share, in per cent."""
    if whole == 0:
        return None, None
    p = part / whole
    centre = p + Z**2 / (2 * whole)
    margin = Z * sqrt(p * (1 - p) / whole + Z**2 / (4 * whole**2))
    scale = 1 + Z**2 / whole
    # Clipped to 0-100 because of rounding errors.
    return max(0.0, 100 * (centre - margin) / scale), min(100.0, 100 * (centre + margin) / scale)


def change(now: Mapping[str, int], before: Mapping[str, int] | None) -> float | None:
    """The unrounded change of the clearance rate in percentage points."""
    if before is None or now["processed"] == 0 or before["processed"] == 0:
        return None
    return 100 * now["cleared"] / now["processed"] - 100 * before["cleared"] / before["processed"]


def change_is_significant(now: Mapping[str, int], before: Mapping[str, int] | None) -> bool | None:
    """The pooled two-proportion z test, two-sided, at 5 per cent."""
    if before is None or now["processed"] == 0 or before["processed"] == 0:
        return None
    pooled = (now["cleared"] + before["cleared"]) / (now["processed"] + before["processed"])
    error = sqrt(pooled * (1 - pooled) * (1 / now["processed"] + 1 / before["processed"]))
    if error == 0:
        return False  # none or all cleared in both years: no difference at all
    difference = now["cleared"] / now["processed"] - before["cleared"] / before["processed"]
    return abs(difference / error) > Z


# --- suspicions ------------------------------------------------------------------------------------------------------


def expected_prosecutions(landing: Path) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Every row of fct_prosecution_year with a suspicion, by its key."""
    decided: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    prosecuted: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    for year, offence, decisions in processed_offences(read_landing(landing)):
        cells = {
            (cell.indicator_id, year, cell.geography_level, cell.geography_code)
            for cell in cells_of(offence, year)
            if cell.variant in ("beslutad", "egen") and cell.geography_level in ("riket", "polisregion")
        }
        for decision in standing(decisions):
            for cell in cells if decision.suspicion else ():
                decided[cell].add(decision.suspicion)
                if decision.kind in CLEARED_AS:
                    prosecuted[cell].add(decision.suspicion)
    return {
        cell: {"suspicions_decided": len(of_cell), "suspicions_prosecuted": len(prosecuted[cell])}
        for cell, of_cell in decided.items()
    }


# --- cohorts ---------------------------------------------------------------------------------------------------------


def expected_cohorts(landing: Path) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Every row of fct_reported_year, by its key."""
    deliveries = read_landing(landing)
    rows = {}
    for year, reported in deliveries.reports.items():
        decided: set[Key] = set()
        cleared: set[Key] = set()
        by_year = year
        while by_year in deliveries.complete_years:
            for key, decisions in _decisions_on(reported, deliveries.decisions(by_year)).items():
                stand = standing(decisions)
                if stand:
                    decided.add(key)
                if any(decision.kind in CLEARED_AS for decision in stand):
                    cleared.add(key)
            rows.update(_cohort(reported, decided, cleared, year, by_year))
            by_year += 1
    return rows


def _decisions_on(reported: Mapping[Key, Offence], decisions: Iterable[Decision]) -> dict[Key, list[Decision]]:
    """Return the decisions on reported offences, none from before the report."""
    found: dict[Key, list[Decision]] = defaultdict(list)
    for decision in decisions:
        offence = reported.get(decision.key)
        if offence and offence.reported and offence.reported <= decision.day:
            found[decision.key].append(decision)
    return found


def _cohort(
    reported: Mapping[Key, Offence], decided: set[Key], cleared: set[Key], year: int, by_year: int
) -> dict[tuple[Any, ...], dict[str, Any]]:
    counts = {
        (variant.indicator_id, variant.variant, year, by_year, level, code): Counter[str]()
        for variant in facts().variants
        for level, code in every_place()
        if level in ("riket", "polisregion")
    }
    for key, offence in reported.items():
        for cell in cells_of(offence, year):
            if cell.victim_group == TOTAL and cell.geography_level in ("riket", "polisregion"):
                of_cell = counts[
                    cell.indicator_id, cell.variant, year, by_year, cell.geography_level, cell.geography_code
                ]
                of_cell["reported"] += offence.number_of_offences
                of_cell["decided"] += offence.number_of_offences * (key in decided)
                of_cell["cleared"] += offence.number_of_offences * (key in cleared)
    return {
        cell: {
            "reported": count["reported"],
            "decided": count["decided"],
            "cleared": count["cleared"],
            "decided_of_reported_pct": percentage(count["decided"], count["reported"]),
            "cleared_of_reported_pct": percentage(count["cleared"], count["reported"]),
        }
        for cell, count in counts.items()
    }


# --- processing times ------------------------------------------------------------------------------------------------


def expected_processing_times(landing: Path) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Every row of fct_processing_time_year, by its key."""
    deliveries = read_landing(landing)
    handed_over: dict[Key, list[date]] = defaultdict(list)
    for year in deliveries.complete_years:
        for decision in deliveries.decisions(year):
            if decision.kind == "OVERLAMNAD":
                handed_over[decision.key].append(decision.day)

    spans: dict[tuple[Any, ...], list[tuple[int, int | None]]] = defaultdict(list)
    for year, offence, decisions in processed_offences(deliveries):
        reported, decided = offence.reported, deciding_day(decisions)
        if reported is None:
            continue
        handovers = [day for day in handed_over[offence.key] if reported <= day <= decided]
        to_prosecutor = (max(handovers) - reported).days if handovers else None
        how = "cleared" if "cleared" in outcome(decisions) else "not_cleared"
        for cell in cells_of(offence, year):
            if cell.victim_group == TOTAL and cell.geography_level in ("riket", "polisregion"):
                for key in ((*cell[:5], "all"), (*cell[:5], how)):
                    spans[key] += [((decided - reported).days, to_prosecutor)] * offence.number_of_offences
    return {key: _processing_time(of_key, key[2] - 1 in deliveries.complete_years) for key, of_key in spans.items()}


def _processing_time(offences: list[tuple[int, int | None]], knows_year_before: bool) -> dict[str, Any]:
    """Return the measures of offences, given the days until the decision and until the handover, if there was one."""
    days = [in_all for in_all, _ in offences]
    within = sum(in_all <= 90 for in_all in days)
    handed_over = [(before, in_all - before) for in_all, before in offences if before is not None]
    return {
        "offences": len(days),
        **_quantiles("days", days),
        "decided_within_90_days": within,
        "decided_within_90_days_pct": percentage(within, len(days)),
        "handed_over": len(handed_over) if knows_year_before else None,
        **_quantiles("days_to_prosecutor", [before for before, _ in handed_over] if knows_year_before else []),
        **_quantiles("days_at_prosecutor", [after for _, after in handed_over] if knows_year_before else []),
    }


def _quantiles(name: str, days: list[int]) -> dict[str, int | None]:
    """The nearest-rank quantiles: the value at the smallest rank that reaches the share."""
    in_order = sorted(days)
    return {
        f"{name}_{quantile}": in_order[-(-len(days) * percent // 100) - 1] if days else None
        for quantile, percent in (("p25", 25), ("median", 50), ("p75", 75), ("p90", 90))
    }


# --- quarantine ------------------------------------------------------------------------------------------------------


def expected_quarantine(landing: Path) -> Counter[tuple[str, int, str, str]]:
    """Quarantined rows per source, year, file (offences or decisions) and reason."""
    return Counter((source, year, name, reason) for source, year, name, _line, reason in quarantined_lines(landing))


def quarantined_lines(landing: Path) -> set[tuple[str, int, str, int, str]]:
    """Source, year, file, line and reason of every quarantined row."""
    return {
        (file.source, file.year, file.name, line, reason)
        for file in read_landing(landing).files
        for line, reason in file.quarantined
    }


def expected_duplicates(landing: Path) -> dict[tuple[str, int, str], int]:
    """Exact duplicates dropped from each file, zeros included."""
    return {(file.source, file.year, file.name): file.duplicates for file in read_landing(landing).files}
