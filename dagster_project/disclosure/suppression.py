"""Disclosure control: which county and municipality figures are withheld, so that no small number among them can be worked out.

A figure is withheld for its own sake (`primary`) where one of its counts is small. That alone protects nothing: what is withheld
is the total less what is shown. Others are withheld besides (`secondary`) until every small count could just as well be another
number. What could be is shown by *moving offences*: from one municipality to another, or by two offences in different counties
and otherwise alike exchanging their victim groups. Where such moves change withheld figures only, whoever knows everything that
is published cannot tell the moved world from the real one. No move changes anything that riket or polisregion shows, whatever is
shown there.

The label itself must not tell: `primary` says that a count is small, so a world in which it is not would be known to be another.
Where only such worlds are to be had, the label becomes `secondary`, which says nothing of the figure. Reasons and limits:
docs/decisions/0023.
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

# As many values a small count must be able to have, itself included.
POSSIBLE_VALUES = 3
# Of which offences, cleared or not, a measure consists.
_PARTS = {"cleared": (True,), "not cleared": (False,), "processed": (True, False)}
TOTAL = "total"
UNKNOWN = "okand"
EARLIER = "withheld in an earlier publication"
# A county of the same region is withheld instead of another one even if that takes so many more offences: a region's figure is
# nearly that of its counties, and one that is withheld alone could be guessed.
_WORTH_THE_REGION = 100
# Of the variants, only this one is published below the police region.
DECIDED = "beslutad"


class Cell(NamedTuple):
    """One figure of an indicator and year below the police region."""

    level: str
    code: str
    group: str = TOTAL


class Counts(NamedTuple):
    """The two counts whose sum is `processed`."""

    cleared: int
    not_cleared: int


Kind: TypeAlias = tuple[bool, str]
"""Whether an offence was cleared, and all else that is published of it but its place and victim group."""


class Offence(NamedTuple):
    """What is published of an offence of an indicator and year."""

    municipality: str
    group: str
    kind: Kind


@dataclass(frozen=True)
class Table:
    """The offences of one indicator and year, how many of each there are, the municipalities' counties and their regions."""

    offences: Counter[Offence]
    groups: tuple[str, ...]
    county_of: Mapping[str, str]
    region_of: Mapping[str, str | None] = field(default_factory=dict)

    @cached_property
    def counts(self) -> dict[Cell, Counts]:
        """What every cell counts, zeros included."""
        return tabulate(self.offences, self.groups, self.county_of)

    @cached_property
    def municipalities(self) -> dict[str, list[str]]:
        """Those of each county."""
        found: dict[str, list[str]] = defaultdict(list)
        for municipality, county in sorted(self.county_of.items()):
            found[county].append(municipality)
        return found

    @cached_property
    def offences_of(self) -> dict[tuple[str, bool], list[Offence]]:
        """The offences of each county, cleared ones and others."""
        found: dict[tuple[str, bool], list[Offence]] = defaultdict(list)
        for offence in sorted(self.offences):
            found[self.county_of[offence.municipality], offence.kind[0]].append(offence)
        return found


@dataclass
class Withheld:
    """Why a figure is withheld, what readers are told, and how many values its small counts could have at the least."""

    cell: Cell
    suppression: str
    because: str
    hides: Cell | None = None
    possible_values: int | None = None


@dataclass
class _World:
    """Where a world differs from the real one: what cells count there, and how many more offences there are."""

    counts: dict[Cell, Counts] = field(default_factory=dict)
    offences: Counter[Offence] = field(default_factory=Counter)

    def counted(self, table: Table, cell: Cell) -> Counts:
        """What a cell counts in this world."""
        return self.counts.get(cell) or table.counts[cell]

    def take(self, table: Table, move: _Move, cleared: bool) -> None:
        for cell, step in move.steps:
            self.counts[cell] = _moved_by(self.counted(table, cell), cleared, step)
        for before, after in move.offences:
            self.offences[before] -= 1
            self.offences[after] += 1


@dataclass(frozen=True)
class _Move:
    """Which offences become which, by how much that changes each cell, and what must be withheld or relabelled for it."""

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
    """Whether a figure is withheld for its own sake: processed, cleared or what is not cleared is at least 1 and less than `below`.

    A small number processed needs no look of its own: one of its two parts is small then.
    """
    cleared, not_cleared = counts
    return 0 < cleared < below or 0 < not_cleared < below


def withhold(table: Table, below: int, withheld_before: Mapping[Cell, str] = MappingProxyType({})) -> list[Withheld]:
    """Decide what is withheld of one indicator and year, in the order of the cells.

    What was withheld in an earlier publication (cell → label) stays so: what that one shows beside it would tell it. And what was
    called `secondary` stays that, since there was a reason not to say more.
    """
    small = {cell for cell, counts in table.counts.items() if is_small(counts, below)}
    found = {
        cell: Withheld(cell, withheld_before.get(cell, "primary"), _smallness(table.counts[cell], below))
        for cell in small
    }
    for cell in (withheld_before.keys() & table.counts.keys()) - small:
        found[cell] = Withheld(cell, "secondary", EARLIER)
    primary = {cell for cell, one in found.items() if one.suppression == "primary"}
    # Counties first: what they need withheld serves their municipalities and groups too.
    for cell in sorted(small, key=lambda one: (one.group != TOTAL, one.level == "kommun", one)):
        for measure, count in _measures(table.counts[cell]).items():
            if 1 <= count < below:
                values = _hide(table, found, primary, cell, measure, below)
                found[cell].possible_values = min(values, found[cell].possible_values or values)
    return [found[cell] for cell in sorted(found)]


def _moved_by(counts: Counts, cleared: bool, by: int) -> Counts:
    return (
        Counts(counts.cleared + by, counts.not_cleared) if cleared else Counts(counts.cleared, counts.not_cleared + by)
    )


def _measures(counts: Counts) -> dict[str, int]:
    """What is looked at; the sum last, since it is hidden where its parts are, unless the country has too few of them."""
    return {"cleared": counts.cleared, "not cleared": counts.not_cleared, "processed": sum(counts)}


def _smallness(counts: Counts, below: int) -> str:
    return f"{', '.join(name for name, count in _measures(counts).items() if 1 <= count < below)} from 1 to {below - 1}"


def _hide(table: Table, found: dict[Cell, Withheld], primary: set[Cell], cell: Cell, measure: str, below: int) -> int:
    """Withhold besides, or call `secondary`, what worlds with other counts take; returns how many values are possible then.

    Counts move up and down from the real one, always where it costs least. `primary` are those of `found` that are called so, kept
    beside it since they are asked for hundreds of thousands of times.
    """
    worlds = {1: _World(), -1: _World()}
    for values in range(1, POSSIBLE_VALUES):
        cheapest: tuple[_Move, _World, bool] | None = None
        for (step, world), cleared in product(worlds.items(), _PARTS[measure]):
            limit = cheapest[0].price if cheapest else math.inf
            move = _cheapest_move(table, world, found, primary, cell, cleared, step, below, limit)
            if move is not None:
                cheapest = move, world, cleared
                if move.price == 0:
                    break
        if cheapest is None:
            return values
        move, world, cleared = cheapest
        world.take(table, move, cleared)
        for one, _ in move.steps:
            if one not in found:
                found[one] = Withheld(one, "secondary", f"hides {measure} of", cell)
            elif one in primary and not is_small(world.counted(table, one), below):
                found[one].suppression = "secondary"
                primary.remove(one)
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
    """The move that changes a count by `step` for which the fewest offences, and figures, must be withheld besides.

    None where no move costs less than `limit`. What cannot cost less is left out as soon as that is known: counties are many.
    """

    @cache
    def price(changed: Cell, by: int) -> float:
        """What it costs that a cell changes: nothing where that is no matter, little for another label; infinite where it cannot.

        Or any price that is no less than the limit, which only falls: what was said once holds to the end.
        """
        needed = 0 if changed in withheld else 2 + sum(table.counts[changed])
        if needed >= limit:
            return needed
        after = _moved_by(world.counted(table, changed), cleared, by)
        if min(after) < 0:
            return math.inf
        return needed or int(changed in primary and not is_small(after, below))

    def cost(steps: Iterable[tuple[Cell, int]], extra: int = 0) -> float:
        """What steps cost together, or any price that is no less than the limit."""
        together: float = extra
        for one in steps:
            if together >= limit:
                break
            together += price(*one)
        return together

    def move(steps: tuple[tuple[Cell, int], ...], *offences: tuple[Offence, Offence], extra: int = 0) -> _Move | None:
        price_of_all = cost(steps, extra)
        return _Move(price_of_all, steps, offences) if price_of_all < limit else None

    @cache
    def elsewhere(county: str) -> int:
        """What it costs that the other county belongs to another region."""
        return 0 if table.region_of.get(county) == table.region_of.get(home) else _WORTH_THE_REGION

    def there_are(offence: Offence) -> bool:
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
        """One offence of each municipality and victim group of a county that could lose one, or costs too much anyway."""
        seen = set()
        for offence in table.offences_of[county, cleared]:
            place = offence[:2]
            if place not in seen and price(Cell("kommun", offence.municipality), -1) < math.inf and there_are(offence):
                seen.add(place)
                yield offence

    def within_the_county() -> Iterator[_Move | None]:
        """From one municipality to another."""
        if cell.level != "kommun" or (other := cheapest_municipality(home, -step, cell.code)) is None:
            return
        giving, taking = (other, cell) if step > 0 else (cell, other)
        for offence in offences_to_take(home):
            if offence.municipality == giving.code:
                yield move(((giving, -1), (taking, 1)), (offence, offence._replace(municipality=taking.code)))
                return

    def between_counties() -> Iterator[_Move | None]:
        """From a municipality of one county to one of another; counties and victim groups change with it."""
        # Those first whose figures are withheld anyway.
        for other in sorted(table.municipalities, key=lambda one: Cell("lan", one) not in withheld):
            giving, taking = (other, home) if step > 0 else (home, other)
            counties = ((Cell("lan", giving), -1), (Cell("lan", taking), 1))
            if other == home or cost(counties, elsewhere(other)) >= limit:
                continue
            to = cell if cell.level == "kommun" and step > 0 else cheapest_municipality(taking, 1)
            if to is None or cost((*counties, (to, 1)), elsewhere(other)) >= limit:
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
                    extra=elsewhere(other),
                )

    def between_groups() -> Iterator[_Move | None]:
        """Two offences of one kind in two counties exchange their victim groups."""
        if cell.group == TOTAL:
            return
        for other in table.municipalities:
            if other == home or elsewhere(other) >= limit:
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
                if cost(steps, elsewhere(other)) >= limit:
                    continue
                kinds = {
                    one.kind: one for one in table.offences_of[other, cleared] if one.group == away and there_are(one)
                }
                for one in table.offences_of[home, cleared]:
                    if one.group == at_home and one.kind in kinds and there_are(one):
                        exchanged = kinds[one.kind]
                        yield move(
                            steps,
                            (one, one._replace(municipality=exchanged.municipality)),
                            (exchanged, exchanged._replace(municipality=one.municipality)),
                            extra=elsewhere(other),
                        )
                        break

    home = table.county_of[cell.code] if cell.level == "kommun" else cell.code
    cheapest: _Move | None = None
    for sort in (within_the_county, between_groups, between_counties):
        for found in sort():
            if found is not None:
                cheapest, limit = found, found.price
                if found.price == 0:
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
    """What is withheld of all indicators and years, as rows of `int_suppression`.

    `offences` are rows of `int_offence_kind`, `withheld_before` of `int_withheld_before`; `county_of` maps municipalities (the unknown
    one to None), `region_of` counties, `groups_of` indicators to their victim groups. Where the offences and the
    threshold are those of an earlier publication, what was decided then holds: another choice beside it could tell.
    """
    tables: dict[tuple[str, int], dict[Offence, int]] = defaultdict(dict)
    for year, indicator, municipality, group, cleared, kind, number in offences:
        tables[indicator, year][Offence(municipality, group, (cleared, kind))] = number
    before: dict[tuple[str, int], list[tuple[Withheld, str | None]]] = defaultdict(list)
    for indicator, year, level, code, group, suppression, because, hides, values, basis in withheld_before:
        hidden = Cell(*hides.split(" ")) if hides else None
        before[indicator, year].append(
            (Withheld(Cell(level, code, group), suppression, because or EARLIER, hidden, values), basis)
        )
    counties = {municipality: county or UNKNOWN for municipality, county in county_of.items()}
    rows: list[dict[str, object]] = []
    for indicator, year in sorted(tables.keys() | before.keys()):
        rests_on = _fingerprint(tables[indicator, year], below)
        earlier = [one for one, _ in before[indicator, year]]
        if not earlier or any(basis != rests_on for _, basis in before[indicator, year]):
            groups = (*groups_of[indicator], UNKNOWN)
            table = Table(Counter(tables[indicator, year]), groups, counties, region_of)
            earlier = withhold(table, below, {one.cell: one.suppression for one in earlier})
        rows += [
            {
                "indicator_id": indicator,
                "variant": DECIDED,
                "year": year,
                "geography_level": one.cell.level,
                "geography_code": one.cell.code,
                "victim_group": one.cell.group,
                "suppression": one.suppression,
                "because": one.because,
                "hides": " ".join(one.hides) if one.hides else None,
                "possible_values": one.possible_values,
                "rests_on": rests_on,
            }
            for one in earlier
        ]
    return rows


def _fingerprint(offences: Mapping[Offence, int], below: int) -> str:
    return hashlib.sha256(repr((below, sorted(offences.items()))).encode()).hexdigest()[:16]
