"""Disclosure control: decides which county and municipality figures are withheld so that no small count can be derived.

A figure is suppressed by the threshold rule (`primary`) if one of its counts is small. Because the total less the shown figures
would reveal it, complementary suppression (`secondary`) withholds further figures until every small count could also be another
number. To show that, the module moves offences: from one municipality to another, or two offences that differ only in county and
victim group exchange their groups. If such moves change withheld figures only, the published figures fit the moved world as well
as the real one. No move changes a figure of riket or polisregion.

A `primary` label itself reveals that a count is small. If protection is only possible in worlds where it is not small, the label
becomes `secondary`. Reasons and limits: docs/decisions/0023.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import product
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

# The number of values that a small count must be able to have, including its own.
POSSIBLE_VALUES = 3
# Which offences a measure counts: cleared (True), not cleared (False).
_PARTS = {"cleared": (True,), "not cleared": (False,), "processed": (True, False)}
TOTAL = "total"
UNKNOWN = "okand"
EARLIER = "withheld in an earlier publication"
# Added cost of withholding a county of another region: a county withheld alone in its region could be guessed from the region.
_OTHER_REGION_SURCHARGE = 100
# The only variant that is published below the police region.
DECIDED = "beslutad"


class Cell(NamedTuple):
    """A figure of an indicator and year below the police region."""

    level: str
    code: str
    group: str = TOTAL


class Counts(NamedTuple):
    """The two counts whose sum is `processed`."""

    cleared: int
    not_cleared: int


Kind: TypeAlias = tuple[bool, str]
"""Whether an offence was cleared, and its other published attributes except place and victim group."""


class Offence(NamedTuple):
    """The published attributes of an offence of an indicator and year."""

    municipality: str
    group: str
    kind: Kind


@dataclass(frozen=True)
class Table:
    """The offences of an indicator and year with their number, and the county and region of each municipality."""

    offences: Counter[Offence]
    groups: tuple[str, ...]
    county_of: Mapping[str, str]
    region_of: Mapping[str, str | None] = field(default_factory=dict)

    @cached_property
    def counts(self) -> dict[Cell, Counts]:
        """The counts of every cell, including zeros."""
        return tabulate(self.offences, self.groups, self.county_of)

    @cached_property
    def municipalities(self) -> dict[str, list[str]]:
        """The municipalities of each county."""
        by_county: dict[str, list[str]] = defaultdict(list)
        for municipality, county in sorted(self.county_of.items()):
            by_county[county].append(municipality)
        return by_county

    @cached_property
    def offences_of(self) -> dict[tuple[str, bool], list[Offence]]:
        """The offences by county and whether they were cleared."""
        by_county: dict[tuple[str, bool], list[Offence]] = defaultdict(list)
        for offence in sorted(self.offences):
            by_county[self.county_of[offence.municipality], offence.kind[0]].append(offence)
        return by_county


@dataclass
class Withheld:
    """A withheld figure: its published label, the reason, and the least number of values its small counts could have."""

    cell: Cell
    suppression: str
    because: str
    hides: Cell | None = None
    possible_values: int | None = None


@dataclass
class _World:
    """The differences of a hypothetical world from the real one: counts of cells and number of offences."""

    counts: dict[Cell, Counts] = field(default_factory=dict)
    offences: Counter[Offence] = field(default_factory=Counter)

    def counted(self, table: Table, cell: Cell) -> Counts:
        """Return the counts of a cell in this world."""
        return self.counts.get(cell) or table.counts[cell]

    def take(self, table: Table, move: _Move, cleared: bool) -> None:
        for cell, step in move.steps:
            self.counts[cell] = _shift(self.counted(table, cell), cleared, step)
        for before, after in move.offences:
            self.offences[before] -= 1
            self.offences[after] += 1


@dataclass(frozen=True)
class _Move:
    """A move of offences: the changed offences, the change of each cell, and the price in figures withheld or relabelled."""

    price: float
    steps: tuple[tuple[Cell, int], ...]
    offences: tuple[tuple[Offence, Offence], ...]


def tabulate(
    offences: Mapping[Offence, int], groups: Iterable[str], county_of: Mapping[str, str]
) -> dict[Cell, Counts]:
    """Count the offences of every county, its victim groups and its municipalities."""
    counts: Counter[tuple[Cell, bool]] = Counter()
    for (municipality, group, (cleared, _)), number in offences.items():
        county = county_of[municipality]
        for cell in (Cell("lan", county), Cell("lan", county, group), Cell("kommun", municipality)):
            counts[cell, cleared] += number
    cells = {Cell("kommun", code) for code in county_of}
    cells |= {Cell("lan", code, group) for code in county_of.values() for group in (TOTAL, *groups)}
    return {cell: Counts(counts[cell, True], counts[cell, False]) for cell in sorted(cells)}


def is_small(counts: Counts, below: int) -> bool:
    """Return whether the threshold rule applies: a count is at least 1 and less than `below`.

    The number processed is not checked: if it is small, one of its two parts is small.
    """
    cleared, not_cleared = counts
    return 0 < cleared < below or 0 < not_cleared < below


def withhold(table: Table, below: int, withheld_before: Mapping[Cell, str] = MappingProxyType({})) -> list[Withheld]:
    """Return the withheld figures of an indicator and year, in the order of the cells.

    Figures withheld in an earlier publication (cell → label) stay withheld, because that publication would reveal them. A
    `secondary` label is kept too.
    """
    small = {cell for cell, counts in table.counts.items() if is_small(counts, below)}
    withheld = {
        cell: Withheld(cell, withheld_before.get(cell, "primary"), _describe_small_counts(table.counts[cell], below))
        for cell in small
    }
    for cell in (withheld_before.keys() & table.counts.keys()) - small:
        withheld[cell] = Withheld(cell, "secondary", EARLIER)
    primary = {cell for cell, entry in withheld.items() if entry.suppression == "primary"}
    # Counties first: their complementary suppression also protects municipalities and groups.
    for cell in sorted(small, key=lambda cell: (cell.group != TOTAL, cell.level == "kommun", cell)):
        for measure, count in _measures(table.counts[cell]).items():
            if 1 <= count < below:
                values = _protect(table, withheld, primary, cell, measure, below)
                withheld[cell].possible_values = min(values, withheld[cell].possible_values or values)
    return [withheld[cell] for cell in sorted(withheld)]


def _shift(counts: Counts, cleared: bool, by: int) -> Counts:
    return (
        Counts(counts.cleared + by, counts.not_cleared) if cleared else Counts(counts.cleared, counts.not_cleared + by)
    )


def _measures(counts: Counts) -> dict[str, int]:
    """Return the measures to protect; the sum last, because protecting the parts usually protects it."""
    return {"cleared": counts.cleared, "not cleared": counts.not_cleared, "processed": sum(counts)}


def _describe_small_counts(counts: Counts, below: int) -> str:
    return f"{', '.join(name for name, count in _measures(counts).items() if 1 <= count < below)} from 1 to {below - 1}"


def _protect(
    table: Table, withheld: dict[Cell, Withheld], primary: set[Cell], cell: Cell, measure: str, below: int
) -> int:
    """Withhold or relabel the figures that hypothetical worlds with other counts change; return the number of possible values.

    Counts move up and down from the real count by the cheapest move. `primary` are the cells of `withheld` with that label, kept
    as a set because they are looked up hundreds of thousands of times.
    """
    worlds = {1: _World(), -1: _World()}
    for values in range(1, POSSIBLE_VALUES):
        cheapest: tuple[_Move, _World, bool] | None = None
        for (step, world), cleared in product(worlds.items(), _PARTS[measure]):
            limit = cheapest[0].price if cheapest else math.inf
            move = _cheapest_move(table, world, withheld, primary, cell, cleared, step, below, limit)
            if move is not None:
                cheapest = move, world, cleared
                if move.price == 0:
                    break
        if cheapest is None:
            return values
        move, world, cleared = cheapest
        world.take(table, move, cleared)
        for changed, _ in move.steps:
            if changed not in withheld:
                withheld[changed] = Withheld(changed, "secondary", f"hides {measure} of", cell)
            elif changed in primary and not is_small(world.counted(table, changed), below):
                withheld[changed].suppression = "secondary"
                primary.remove(changed)
    return POSSIBLE_VALUES


def _cheapest_move(
    table: Table,
    world: _World,
    withheld: Collection[Cell],
    primary: Collection[Cell],
    cell: Cell,
    cleared: bool,
    step: int,
    below: int,
    limit: float,
) -> _Move | None:
    """Return the move that changes a count by `step` at the lowest price, or None if none is cheaper than `limit`.

    The price is the number of offences and figures to be withheld in addition.
    """

    @cache
    def price(changed: Cell, by: int) -> float:
        """Return the price of changing a cell: 0 if it is withheld already, 1 for a new label, infinite if impossible.

        A price that reaches the limit may be inexact. The limit only falls, so cached prices stay valid.
        """
        needed = 0 if changed in withheld else 2 + sum(table.counts[changed])
        if needed >= limit:
            return needed
        after = _shift(world.counted(table, changed), cleared, by)
        if min(after) < 0:
            return math.inf
        return needed or int(changed in primary and not is_small(after, below))

    def cost(steps: Iterable[tuple[Cell, int]], extra: int = 0) -> float:
        """Return the price of all steps; inexact once it reaches the limit."""
        total: float = extra
        for step_ in steps:
            if total >= limit:
                break
            total += price(*step_)
        return total

    def move(steps: tuple[tuple[Cell, int], ...], *offences: tuple[Offence, Offence], extra: int = 0) -> _Move | None:
        price_of_all = cost(steps, extra)
        return _Move(price_of_all, steps, offences) if price_of_all < limit else None

    @cache
    def region_surcharge(county: str) -> int:
        """Return the added price of a county in another region."""
        return 0 if table.region_of.get(county) == table.region_of.get(home) else _OTHER_REGION_SURCHARGE

    def exists(offence: Offence) -> bool:
        return table.offences.get(offence, 0) + world.offences.get(offence, 0) > 0

    def cheapest_municipality(county: str, by: int, but: str = "") -> Cell | None:
        cheapest: tuple[float, Cell] | None = None
        for code in table.municipalities[county]:
            cost = math.inf if code == but else price(Cell("kommun", code), by)
            if cost < (cheapest[0] if cheapest else math.inf):
                cheapest = cost, Cell("kommun", code)
            if cost == 0:
                break
        return cheapest[1] if cheapest else None

    def offences_to_take(county: str) -> Iterator[Offence]:
        """Yield an offence of each municipality and victim group of a county that can lose one."""
        seen = set()
        for offence in table.offences_of[county, cleared]:
            place = offence[:2]
            if place not in seen and price(Cell("kommun", offence.municipality), -1) < math.inf and exists(offence):
                seen.add(place)
                yield offence

    def within_county() -> Iterator[_Move | None]:
        """Move an offence to or from another municipality of the county."""
        if cell.level != "kommun" or (other := cheapest_municipality(home, -step, cell.code)) is None:
            return
        giving, taking = (other, cell) if step > 0 else (cell, other)
        for offence in offences_to_take(home):
            if offence.municipality == giving.code:
                yield move(((giving, -1), (taking, 1)), (offence, offence._replace(municipality=taking.code)))
                return

    def between_counties() -> Iterator[_Move | None]:
        """Move an offence between municipalities of two counties, which changes counties and victim groups."""
        # Counties that are withheld already come first: they are cheaper.
        for other in sorted(table.municipalities, key=lambda county: Cell("lan", county) not in withheld):
            giving, taking = (other, home) if step > 0 else (home, other)
            counties = ((Cell("lan", giving), -1), (Cell("lan", taking), 1))
            if other == home or cost(counties, region_surcharge(other)) >= limit:
                continue
            to = cell if cell.level == "kommun" and step > 0 else cheapest_municipality(taking, 1)
            if to is None or cost((*counties, (to, 1)), region_surcharge(other)) >= limit:
                continue
            for offence in offences_to_take(giving):
                if cell.group not in (TOTAL, offence.group):
                    continue
                if cell.level == "kommun" and step < 0 and offence.municipality != cell.code:
                    continue
                yield move(
                    (
                        *counties,
                        (to, 1),
                        (Cell("kommun", offence.municipality), -1),
                        (Cell("lan", giving, offence.group), -1),
                        (Cell("lan", taking, offence.group), 1),
                    ),
                    (offence, offence._replace(municipality=to.code)),
                    extra=region_surcharge(other),
                )

    def between_groups() -> Iterator[_Move | None]:
        """Exchange the victim groups of two offences of the same kind in two counties."""
        if cell.group == TOTAL:
            return
        for other in table.municipalities:
            if other == home or region_surcharge(other) >= limit:
                continue
            for group in table.groups:
                if group == cell.group:
                    continue
                at_home, away = (group, cell.group) if step > 0 else (cell.group, group)
                steps = (
                    (cell, step),
                    (Cell("lan", home, group), -step),
                    (Cell("lan", other, cell.group), -step),
                    (Cell("lan", other, group), step),
                )
                if cost(steps, region_surcharge(other)) >= limit:
                    continue
                candidates = {
                    offence.kind: offence
                    for offence in table.offences_of[other, cleared]
                    if offence.group == away and exists(offence)
                }
                for offence in table.offences_of[home, cleared]:
                    if offence.group == at_home and offence.kind in candidates and exists(offence):
                        exchanged = candidates[offence.kind]
                        yield move(
                            steps,
                            (offence, offence._replace(municipality=exchanged.municipality)),
                            (exchanged, exchanged._replace(municipality=offence.municipality)),
                            extra=region_surcharge(other),
                        )
                        break

    home = table.county_of[cell.code] if cell.level == "kommun" else cell.code
    cheapest: _Move | None = None
    for search in (within_county, between_groups, between_counties):
        for move_ in search():
            if move_ is not None:
                cheapest, limit = move_, move_.price
                if move_.price == 0:
                    return cheapest
    return cheapest


def withheld_figures(
    offences: Iterable[tuple[int, str, str, str, bool, str, int]],
    withheld_before: Iterable[tuple[str, int, str, str, str, str, str | None, str | None, int | None, str | None]],
    county_of: Mapping[str, str | None],
    region_of: Mapping[str, str | None],
    groups_of: Mapping[str, Collection[str]],
    below: int,
) -> list[dict[str, object]]:
    """Return the withheld figures of all indicators and years as rows of `int_suppression`.

    `offences` are rows of `int_offence_kind`, `withheld_before` of `int_withheld_before`; `county_of` maps municipalities (the unknown
    one to None), `region_of` counties, `groups_of` indicators to their victim groups. If offences and threshold
    equal those of an earlier publication, its decision is kept, because a different one could reveal figures.
    """
    tables: dict[tuple[str, int], dict[Offence, int]] = defaultdict(dict)
    for year, indicator, municipality, group, cleared, kind, number in offences:
        tables[indicator, year][Offence(municipality, group, (cleared, kind))] = number
    withheld_by_table: dict[tuple[str, int], list[tuple[Withheld, str | None]]] = defaultdict(list)
    for indicator, year, level, code, group, suppression, because, hides, values, basis in withheld_before:
        hidden = Cell(*hides.split(" ")) if hides else None
        withheld_by_table[indicator, year].append(
            (Withheld(Cell(level, code, group), suppression, because or EARLIER, hidden, values), basis)
        )
    counties = {municipality: county or UNKNOWN for municipality, county in county_of.items()}
    rows: list[dict[str, object]] = []
    for indicator, year in sorted(tables.keys() | withheld_by_table.keys()):
        rests_on = _fingerprint(tables[indicator, year], below)
        withheld = [entry for entry, _ in withheld_by_table[indicator, year]]
        if not withheld or any(basis != rests_on for _, basis in withheld_by_table[indicator, year]):
            groups = (*groups_of[indicator], UNKNOWN)
            table = Table(Counter(tables[indicator, year]), groups, counties, region_of)
            withheld = withhold(table, below, {entry.cell: entry.suppression for entry in withheld})
        rows += [
            {
                "indicator_id": indicator,
                "variant": DECIDED,
                "year": year,
                "geography_level": entry.cell.level,
                "geography_code": entry.cell.code,
                "victim_group": entry.cell.group,
                "suppression": entry.suppression,
                "because": entry.because,
                "hides": " ".join(entry.hides) if entry.hides else None,
                "possible_values": entry.possible_values,
                "rests_on": rests_on,
            }
            for entry in withheld
        ]
    return rows


def _fingerprint(offences: Mapping[Offence, int], below: int) -> str:
    return hashlib.sha256(repr((below, sorted(offences.items()))).encode()).hexdigest()[:16]
