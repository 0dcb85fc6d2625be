"""Disclosure control: which figures of counties and municipalities are withheld.

**Threshold rule.** A figure is withheld where its `cleared` or its `not cleared` is from 1 to `below`. Counts less than `below` are
sensitive; `below` itself is withheld with them, so that a withheld count of `below - 1` is not known to be less.

**Complementary suppression.** Whoever knows a sum and all its terms but one knows that one, too. Terms of a sum are therefore
withheld together, further ones in a fixed order, until the sensitive counts among them could be others. All withheld figures have
the same label. The sums are

- a police region: its counties, as if no offence were handled elsewhere. For most that is nearly so;
- a county: its municipalities. Below a withheld county nothing is shown;
- a county: its victim groups, and a region's victim group: that of its counties;
- the country: its counties and the offences without a known place.

A complement of one sum is a term of others, so that the sums of counties and victim groups are gone through until nothing is added.

Threat model, limits and losses: docs/security.md and docs/decisions/0023.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import product
from math import inf
from typing import NamedTuple

TOTAL = "total"
UNKNOWN = "okand"
# Of the variants, only this one is published below the police region.
DECIDED = "beslutad"
LABEL = "secondary"

SMALL = "small count"
COMPLEMENT = "complement of a small count"
WITHHELD_COUNTY = "part of a withheld county"
EARLIER = "withheld in an earlier publication"


class Cell(NamedTuple):
    """One figure of an indicator and year below the police region."""

    level: str
    code: str
    group: str = TOTAL


class Counts(NamedTuple):
    """The two counts whose sum is `processed`."""

    cleared: int = 0
    not_cleared: int = 0


class Table(NamedTuple):
    """What every cell of one indicator and year counts, the victim groups, and what belongs to what."""

    counts: Mapping[Cell, Counts]
    groups: tuple[str, ...]
    municipalities: Mapping[str, Sequence[str]]
    """By county, in order; the unknown county has the unknown municipality."""
    counties: Mapping[str, Sequence[str]]
    """By police region, in order; the unknown county is in none."""


def tabulate(
    offences: Mapping[tuple[str, str, bool], int],
    groups: Iterable[str],
    county_of: Mapping[str, str],
    region_of: Mapping[str, str | None],
) -> Table:
    """Count offences, given by municipality, victim group and whether they were cleared, in every cell; zeros included."""
    found: Counter[tuple[Cell, bool]] = Counter()
    for (municipality, group, cleared), number in offences.items():
        county = county_of[municipality]
        for cell in (Cell("lan", county), Cell("lan", county, group), Cell("kommun", municipality)):
            found[cell, cleared] += number
    municipalities: dict[str, list[str]] = defaultdict(list)
    for municipality, county in sorted(county_of.items()):
        municipalities[county].append(municipality)
    counties: dict[str, list[str]] = defaultdict(list)
    for county in sorted(municipalities):
        if region := region_of.get(county):
            counties[region].append(county)
    cells = [Cell("kommun", code) for code in county_of]
    cells += [Cell("lan", code, group) for code in municipalities for group in (TOTAL, *groups)]
    counts = {cell: Counts(found[cell, True], found[cell, False]) for cell in sorted(cells)}
    return Table(counts, tuple(groups), municipalities, counties)


def is_small(counts: Counts, below: int) -> bool:
    """Whether the threshold rule withholds a figure.

    `processed` needs no look of its own: where it is small, so is one of its two parts.
    """
    return any(0 < count <= below for count in counts)


def withhold(table: Table, below: int, withheld_before: Collection[Cell] = ()) -> dict[Cell, str]:
    """Decide what is withheld of one indicator and year, and why.

    What was withheld in an earlier publication stays so: what is shown beside it there would disclose it.
    """
    reasons = {cell: EARLIER for cell in withheld_before if cell in table.counts}
    reasons |= {cell: SMALL for cell, counts in table.counts.items() if is_small(counts, below)}

    def add(cells: Iterable[Cell], reason: str = COMPLEMENT) -> None:
        for cell in cells:
            reasons.setdefault(cell, reason)

    before = -1
    while before < len(reasons):
        before = len(reasons)
        for counties in table.counties.values():
            add(_complements(table.counts, [Cell("lan", county) for county in counties], reasons, below))
        for county in table.municipalities:
            if Cell("lan", county) in reasons:
                add(Cell("lan", county, group) for group in table.groups)
        for counties in table.counties.values():
            add(_group_complements(table, counties, reasons, below))
        groups = [Cell("lan", UNKNOWN, group) for group in reversed(table.groups)]
        add(_complements(table.counts, groups, reasons, below))
        for group in (TOTAL, *table.groups):
            add(_country_complements(table, reasons, group, below))
    for county, municipalities in table.municipalities.items():
        cells = [Cell("kommun", municipality) for municipality in municipalities]
        if Cell("lan", county) in reasons:
            add(cells, WITHHELD_COUNTY)
        else:
            add(_complements(table.counts, cells, reasons, below))
    return reasons


def _complements(
    counts: Mapping[Cell, Counts], terms: Sequence[Cell], withheld: Collection[Cell], below: int
) -> Iterator[Cell]:
    """Terms of a sum that are withheld besides, first ones first, until two are and they hide each other's small counts."""
    hidden = [term for term in terms if term in withheld]
    if not hidden:
        return
    for term in [term for term in terms if term not in withheld]:
        if len(hidden) > 1 and _hide_each_other([counts[cell] for cell in hidden], below):
            return
        hidden.append(term)
        yield term


def _hide_each_other(hidden: Sequence[Counts], below: int, at_most: tuple[float, float] = (inf, inf)) -> bool:
    """Whether the sum of withheld terms leaves room for other values of each small count, in either measure.

    `at_most` is the sum where all terms are withheld that are not zero: there is no more to withhold.
    """
    return all(
        sum(column) >= min(2 * below, most)
        for column, most in zip(zip(*hidden, strict=True), at_most, strict=True)
        if any(0 < count <= below for count in column)
    )


def _group_complements(table: Table, counties: Sequence[str], withheld: Collection[Cell], below: int) -> Iterator[Cell]:
    """Victim groups of a region's counties that are withheld besides.

    Withheld are all those of `rows` × `columns`: the counties and the groups of which any is withheld, and as many more as it takes
    for each small count to have room, the last group first, since it has the fewest offences. Counties withheld in total are rows
    with all their groups; where they do not hide each other's small counts of a group, it is a column.
    """
    whole = [county for county in counties if Cell("lan", county) in withheld]
    others = [county for county in counties if county not in whole]
    cells = {(county, group): Cell("lan", county, group) for county in counties for group in table.groups}
    rows = [county for county in others if any(cells[county, group] in withheld for group in table.groups)]
    columns = [
        group
        for group in table.groups
        if any(cells[county, group] in withheld for county in others)
        or not _hide_each_other([table.counts[cells[county, group]] for county in whole] or [Counts()], below)
    ]
    more_rows = [county for county in others if county not in rows]
    more_columns = [group for group in table.groups if group not in columns]
    if not columns or not others:
        return
    if len(columns) < 2:
        columns.append(more_columns.pop())
    if not rows or (len(rows) + len(whole) < 2 and more_rows):
        rows.append(more_rows.pop(0))
    while not _has_room(table, rows, columns, whole, counties, below):
        if more_rows:
            rows.append(more_rows.pop(0))
        elif more_columns:
            columns.append(more_columns.pop())
        else:
            # The counties' totals leave no room: they are withheld, too.
            yield from (Cell("lan", county, group) for county in counties for group in (TOTAL, *table.groups))
            return
    yield from (cells[county, group] for county in rows for group in columns if cells[county, group] not in withheld)


def _has_room(
    table: Table, rows: Sequence[str], columns: Sequence[str], whole: Sequence[str], counties: Sequence[str], below: int
) -> bool:
    """Whether each small count of rows × columns could be others, by the bounds that the known sums of rows and columns set.

    These are Fréchet's: a cell is at most its row's and its column's sum, and at least what its column has too much for the other
    rows. Counties withheld in total have a known sum together. Room is an interval as wide as the threshold, or all that the
    region's own figure leaves.
    """
    for measure in (0, 1):
        count = {
            (county, group): table.counts[Cell("lan", county, group)][measure]
            for county in counties
            for group in columns
        }
        of_row = {county: sum(count[county, group] for group in columns) for county in rows}
        of_whole = sum(count[county, group] for county in whole for group in columns)
        for county, group in product((*rows, *whole), columns):
            if 0 < count[county, group] <= below:
                of_column = sum(count[one, group] for one in (*rows, *whole))
                of_others = sum(of_row.values()) - of_row.get(county, 0) + (of_whole if [*whole] != [county] else 0)
                most = min(of_row.get(county, of_whole), of_column)
                least = max(0, of_column - of_others)
                in_region = sum(count[one, group] for one in counties)
                # The row's sum is known, whether or not the region is the sum of its counties.
                if of_row.get(county, below) < below or most - least < min(below, in_region):
                    return False
    return True


def _country_complements(table: Table, withheld: Collection[Cell], group: str, below: int) -> Iterator[Cell]:
    """Counties that are withheld besides, since the country is the sum of all: the unknown place first.

    Then the first two counties of a region at a time, since one could be told from the region's own figure; the last region first.
    What is withheld has room where it sums up to enough, or to all that the country has.
    """
    counts = table.counts
    counties = [Cell("lan", county, group) for county in table.municipalities]
    in_country = (
        sum(counts[county].cleared for county in counties),
        sum(counts[county].not_cleared for county in counties),
    )
    of_regions = table.counties.values()
    further = [*(some[2:] for some in of_regions), *(some[:2] for some in of_regions), [UNKNOWN]]
    hidden = [county for county in counties if county in withheld]
    while hidden and further:
        if len(hidden) > 1 and _hide_each_other([counts[county] for county in hidden], below, in_country):
            break
        more = [Cell("lan", county, group) for county in further.pop()]
        hidden += [county for county in more if county not in hidden]
        yield from more
    unknown = Cell("lan", UNKNOWN, group)
    if unknown in hidden and group != TOTAL:
        # Counties can count no more in a group than is withheld of them. Where that is too little, their totals are withheld, too.
        beside = [Cell("lan", county.code, one) for county in hidden if county != unknown for one in table.groups]
        own = [Cell("lan", UNKNOWN, one) for one in table.groups]
        for measure, count in enumerate(counts[unknown]):
            of_column = sum(counts[county][measure] for county in hidden)
            of_others = sum(counts[cell][measure] for cell in beside if cell in withheld or cell in hidden)
            of_row = sum(counts[cell][measure] for cell in own if cell in withheld or cell in hidden)
            most = of_column if Cell("lan", UNKNOWN) in withheld else min(of_row, of_column)
            room = most - max(0, of_column - of_others)
            if 0 < count <= below and room < min(below, in_country[measure]):
                yield from (Cell("lan", county.code) for county in hidden)


def withheld_figures(
    offences: Iterable[tuple[int, str, str, str, bool, int]],
    withheld_before: Iterable[tuple[str, int, str, str, str]],
    county_of: Mapping[str, str | None],
    region_of: Mapping[str, str | None],
    groups_of: Mapping[str, Collection[str]],
    below: int,
) -> list[dict[str, object]]:
    """What is withheld of all indicators and years, as rows of `int_suppression`.

    `offences` are rows of `int_offence_count`, `withheld_before` of `int_withheld_before`; `county_of` maps municipalities (the
    unknown one to None), `region_of` counties, `groups_of` indicators to their victim groups. `below` is the first number shown; with
    1 only what was withheld before is withheld.
    """
    tables: dict[tuple[str, int], dict[tuple[str, str, bool], int]] = defaultdict(dict)
    for year, indicator, municipality, group, cleared, number in offences:
        tables[indicator, year][municipality, group, cleared] = number
    before: dict[tuple[str, int], list[Cell]] = defaultdict(list)
    for indicator, year, level, code, group in withheld_before:
        before[indicator, year].append(Cell(level, code, group))
    counties = {municipality: county or UNKNOWN for municipality, county in county_of.items()}
    rows: list[dict[str, object]] = []
    for indicator, year in sorted(tables.keys() | before.keys()):
        table = tabulate(tables[indicator, year], (UNKNOWN, *groups_of[indicator]), counties, region_of)
        threshold = below if below > 1 else 0
        rows += [
            {
                "indicator_id": indicator,
                "variant": DECIDED,
                "year": year,
                "geography_level": cell.level,
                "geography_code": cell.code,
                "victim_group": cell.group,
                "suppression": LABEL,
                "because": reason,
            }
            for cell, reason in sorted(withhold(table, threshold, before[indicator, year]).items())
        ]
    return rows
