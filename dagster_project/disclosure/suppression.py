"""Disclosure control: which figures of counties and municipalities are withheld.

**Threshold rule (primary suppression).** A figure is withheld if its `cleared` or its `not cleared` is from 1 to `below`. Counts less
than `below` are sensitive; `below` itself is withheld with them, so that a withheld count of `below - 1` is not known to be less.

**Complementary suppression.** A reader who knows a sum and all of its terms but one can derive that term. If a term of a sum is
withheld, the first two terms of the sum, its partners, are withheld too, whatever their counts. If all these together count less
than `below` plus one for each withheld term that is not a partner, in either measure, but not zero, every term is withheld.
The sums are

- a police region: its counties, as if no offence were handled elsewhere, which nearly holds for most regions;
- a county that is shown: its municipalities. All municipalities of a withheld county are withheld;
- the country: `okand` is withheld if it counts from 1 to twice `below`, or if all counties of a region are withheld. Whole regions
  are withheld with it, the last one first, until they and `okand` count more than twice `below`.

The labels therefore depend only on which figures are small and on whether such a sum is reached, and all withheld figures have
the same label. Remaining disclosure risks: docs/decisions/0023; threat model: docs/security.md.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

TOTAL = "total"
UNKNOWN = "okand"
# Below the police region only this variant is published.
DECIDED = "beslutad"
LABEL = "secondary"
PARTNERS = 2
# Multiple of the threshold. The regions give a lower bound of `okand`; a withheld 4 must not also be known to be at most 5.
ENOUGH_WITHOUT_PLACE = 2

SMALL = "small count"
COMPLEMENT = "complement of a small count"
WITHHELD_COUNTY = "part of a withheld county"
EARLIER = "withheld in an earlier publication"


class Cell(NamedTuple):
    """One figure of an indicator and year below the police region."""

    level: str
    code: str


class Counts(NamedTuple):
    """The two counts whose sum is `processed`."""

    cleared: int = 0
    not_cleared: int = 0


class Table(NamedTuple):
    """The counts of every cell of one indicator and year, and the hierarchy of cells."""

    counts: Mapping[Cell, Counts]
    municipalities: Mapping[str, Sequence[Cell]]
    """By county, in order; the unknown county has the unknown municipality."""
    counties: Mapping[str, Sequence[Cell]]
    """By police region, in order; the unknown county is in none."""


def tabulate(
    offences: Mapping[tuple[str, bool], int], county_of: Mapping[str, str], region_of: Mapping[str, str | None]
) -> Table:
    """Count offences, given by municipality and clearance, in every cell, including zeros."""
    found: Counter[tuple[Cell, bool]] = Counter()
    for (municipality, cleared), number in offences.items():
        found[Cell("kommun", municipality), cleared] += number
        found[Cell("lan", county_of[municipality]), cleared] += number
    municipalities: dict[str, list[Cell]] = defaultdict(list)
    for municipality, county in sorted(county_of.items()):
        municipalities[county].append(Cell("kommun", municipality))
    counties: dict[str, list[Cell]] = defaultdict(list)
    for county in sorted(municipalities):
        if region := region_of.get(county):
            counties[region].append(Cell("lan", county))
    cells = [Cell("lan", county) for county in municipalities] + [Cell("kommun", code) for code in county_of]
    counts = {cell: Counts(found[cell, True], found[cell, False]) for cell in sorted(cells)}
    return Table(counts, municipalities, counties)


def is_small(counts: Counts, below: int) -> bool:
    """Whether the threshold rule withholds a figure.

    `processed` needs no separate test: if it is small, so is one of its two parts.
    """
    return any(0 < count <= below for count in counts)


def withhold(table: Table, below: int, withheld_before: Collection[Cell] = ()) -> dict[Cell, str]:
    """Decide which figures of one indicator and year are withheld, with the reasons.

    A figure withheld in an earlier publication remains withheld, because the other figures of that publication would disclose it.
    """
    reasons = {cell: EARLIER for cell in withheld_before if cell in table.counts}
    reasons |= {
        cell: SMALL
        for cell, counts in table.counts.items()
        if is_small(counts, ENOUGH_WITHOUT_PLACE * below if cell.code == UNKNOWN else below)
    }

    def add(cells: Iterable[Cell], reason: str = COMPLEMENT) -> None:
        for cell in cells:
            reasons.setdefault(cell, reason)

    for counties in table.counties.values():
        add(_complements(table.counts, counties, reasons, below))
    add(_country_complements(table, reasons, below))
    for county, municipalities in table.municipalities.items():
        if Cell("lan", county) in reasons:
            add(municipalities, WITHHELD_COUNTY)
        else:
            add(_complements(table.counts, municipalities, reasons, below))
    return reasons


def _complements(
    counts: Mapping[Cell, Counts], terms: Sequence[Cell], withheld: Collection[Cell], below: int
) -> Sequence[Cell]:
    """The complementary suppressions of a sum: the partners, or all terms."""
    hidden = {term for term in terms if term in withheld}
    if not hidden:
        return ()
    partners = terms[:PARTNERS]
    others = len(hidden.difference(partners))
    return partners if _count_enough(counts, hidden.union(partners), below + others) else terms


def _country_complements(table: Table, withheld: Collection[Cell], below: int) -> Iterator[Cell]:
    """The complementary suppressions of the country: `okand` and whole regions, the last one first, until they count enough.

    A reader who assumes that each other region is the sum of its counties can derive the total of these from the country's figure.
    """
    unknown = Cell("lan", UNKNOWN)
    regions = [set(region) for region in table.counties.values()]
    whole = [region for region in regions if region.issubset(withheld)]
    if not whole and unknown not in withheld:
        return
    hidden = {unknown}.union(*whole)
    yield unknown
    for region in reversed(regions):
        if len(hidden) > 1 and _count_enough(table.counts, hidden, ENOUGH_WITHOUT_PLACE * below + 1):
            return
        yield from region
        hidden |= region


def _count_enough(counts: Mapping[Cell, Counts], withheld: Collection[Cell], at_least: int) -> bool:
    """Whether the sum of withheld figures is large enough to hide small ones, in each measure in which it is not zero."""
    totals = [sum(column) for column in zip(*(counts[cell] for cell in withheld), strict=True)]
    return all(total >= at_least for total in totals if total)


def withheld_figures(
    offences: Iterable[tuple[int, str, str, bool, int]],
    withheld_before: Iterable[tuple[str, int, str, str]],
    county_of: Mapping[str, str | None],
    region_of: Mapping[str, str | None],
    below: int,
) -> list[dict[str, object]]:
    """The withheld figures of all indicators and years, as rows of `int_suppression`.

    `offences` are rows of `int_offence_count`, `withheld_before` of `int_withheld_before`; `county_of` maps municipalities (the
    unknown one to None), `region_of` counties. `below` is the threshold; with 1, only
    previously withheld figures and their complements are withheld.
    """
    tables: dict[tuple[str, int], dict[tuple[str, bool], int]] = defaultdict(dict)
    for year, indicator, municipality, cleared, number in offences:
        tables[indicator, year][municipality, cleared] = number
    before: dict[tuple[str, int], list[Cell]] = defaultdict(list)
    for indicator, year, level, code in withheld_before:
        before[indicator, year].append(Cell(level, code))
    counties = {municipality: county or UNKNOWN for municipality, county in county_of.items()}
    rows: list[dict[str, object]] = []
    for indicator, year in sorted(tables.keys() | before.keys()):
        table = tabulate(tables[indicator, year], counties, region_of)
        threshold = below if below > 1 else 0
        rows += [
            {
                "indicator_id": indicator,
                "variant": DECIDED,
                "year": year,
                "geography_level": cell.level,
                "geography_code": cell.code,
                "victim_group": TOTAL,
                "suppression": LABEL,
                "because": reason,
            }
            for cell, reason in sorted(withhold(table, threshold, before[indicator, year]).items())
        ]
    return rows
