"""Disclosure control: which figures of counties and municipalities are withheld.

**Threshold rule.** A figure is withheld where its `cleared` or its `not cleared` is from 1 to `below`. Counts less than `below` are
sensitive; `below` itself is withheld with them, so that a withheld count of `below - 1` is not known to be less.

**Complementary suppression.** Who knows a sum and all its terms but one knows that one, too. Terms of a sum are therefore withheld
together, further ones in the order of their codes, until the sensitive counts among them could be others. The order is fixed and
all withheld figures have the same label, so that the pattern says no more than that some count among them is small. The sums are

- a police region: its counties, as if no offence were handled elsewhere. For most that is nearly so;
- a county: its municipalities. Below a withheld county nothing is shown;
- a county: its victim groups, and a region's victim group: that of its counties;
- the country: its counties and the offences without a known place.

Threat model, limits and losses: docs/security.md and docs/decisions/0023.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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

    for counties in table.counties.values():
        add(_complements(table.counts, [Cell("lan", county) for county in counties], reasons, below))
    _protect_unknown_place(table, reasons, TOTAL, below)
    for county in table.municipalities:
        if Cell("lan", county) in reasons:
            add(Cell("lan", county, group) for group in table.groups)
    for counties in table.counties.values():
        add(_group_complements(table, counties, reasons, below))
    for group in table.groups:
        _protect_unknown_place(table, reasons, group, below)
    for counties in table.counties.values():
        add(_group_complements(table, counties, reasons, below))
    add(_group_complements(table, [UNKNOWN], reasons, below))
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


def _hide_each_other(hidden: Sequence[Counts], below: int) -> bool:
    """Whether the sum of withheld terms leaves room for other values of each small count, in either measure."""
    return all(
        sum(column) >= 2 * below for column in zip(*hidden, strict=True) if any(0 < count <= below for count in column)
    )


def _group_complements(table: Table, counties: Sequence[str], withheld: Collection[Cell], below: int) -> Iterator[Cell]:
    """Victim groups of a region's counties that are withheld besides.

    Withheld are all those of `rows` × `columns`: the counties and the groups of which any is withheld, and as many more as it takes
    for each small count to have room, the last group first, since it has the fewest offences. Counties withheld in total take part
    with all their groups.
    """
    whole = [county for county in counties if Cell("lan", county) in withheld]
    others = [county for county in counties if county not in whole]
    cells = {(county, group): Cell("lan", county, group) for county in others for group in table.groups}
    rows = [county for county in others if any(cells[county, group] in withheld for group in table.groups)]
    columns = [group for group in table.groups if any(cells[county, group] in withheld for county in others)]
    if not rows:
        return
    more_rows = [county for county in others if county not in rows]
    more_columns = [group for group in table.groups if group not in columns]
    if len(columns) < 2:
        columns.append(more_columns.pop())
    if len(rows) + len(whole) < 2 and more_rows:
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

    These are Fréchet's: a cell is at most its row's and its column's sum, and at least what both have too much for the others. Room
    are three values up to the threshold and an interval as wide as the threshold, or all that the region's own figure leaves.
    """
    for measure in (0, 1):
        count = {
            (county, group): table.counts[Cell("lan", county, group)][measure]
            for county in counties
            for group in columns
        }
        of_column = {group: sum(count[county, group] for county in (*rows, *whole)) for group in columns}
        together = sum(of_column.values())
        for county in rows:
            of_row = sum(count[county, group] for group in columns)
            for group in columns:
                if 0 < count[county, group] <= below:
                    most = min(of_row, of_column[group])
                    least = max(0, of_row + of_column[group] - together)
                    in_region = sum(count[other, group] for other in counties)
                    if min(most, below) - max(least, 1) + 1 < min(3, in_region):
                        return False
                    if most - least < min(below, in_region):
                        return False
    return True


def _protect_unknown_place(table: Table, reasons: dict[Cell, str], group: str, below: int) -> None:
    """Withhold counties beside the offences without a known place, which are the country less all counties.

    Two counties of a region at a time, since one could be told from the region's own figure.
    """
    unknown = Cell("lan", UNKNOWN, group)
    if unknown not in reasons:
        return
    for counties in table.counties.values():
        hidden = [cell for cell in reasons if cell.level == "lan" and cell.group == group]
        beside = [table.counts[cell] for cell in hidden if cell != unknown]
        small = [measure for measure, count in enumerate(table.counts[unknown]) if 0 < count <= below]
        if beside and all(sum(counts[measure] for counts in beside) >= 2 * below for measure in small):
            return
        for county in counties[:2]:
            reasons.setdefault(Cell("lan", county, group), COMPLEMENT)


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
