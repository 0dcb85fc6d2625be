"""Scripts: sequences of police and prosecutor decisions on one offence in one year that lead to an outcome."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dagster_project.contract import input_contract


def _decisions(source: str) -> tuple[str, ...]:
    (file,) = (file for file in input_contract().sources[source] if file.name == "decisions")
    return next(column.values for column in file.columns if column.name == "beslut")


POLICE_DECISIONS, PROSECUTOR_DECISIONS = _decisions("police"), _decisions("prosecution")
CLEARING = ("ATAL", "STRAFFORELAGGANDE", "ATALSUNDERLATELSE")
# Classes of outcomes; from 3 on, an odd number is with a suspect, the next number without.
INDICTMENT, PENALTY_ORDER, WAIVER = 0, 1, 2
LIMITED_INVESTIGATED, OTHER_INVESTIGATED, LIMITED_DISMISSED, OTHER_DISMISSED = 3, 5, 7, 9
PENDING = 11
CLASSES = 12
# When a script applies: always; only with days between report and decision; reopened from an earlier year
ANY, SPREAD, REOPENED = 0, 1, 2
SLOTS = 256
# Points in time: one third and two thirds of the time to the final decision, that decision, a day after it
FIRST, SECOND, LAST, AFTER = 1, 2, 3, 4


@dataclass(frozen=True)
class Police:
    """A police row."""

    decision: str
    investigation: bool
    suspect: bool
    when: int

    def packed(self) -> int:
        """The row as a small number, decoded in `statements.py`."""
        decision = POLICE_DECISIONS.index(self.decision)
        return self.when + 8 * self.suspect + 16 * self.investigation + 32 * decision


@dataclass(frozen=True)
class Prosecutor:
    """A prosecutor row; `suspect` 0 means none."""

    decision: str
    suspect: int
    when: int

    def packed(self) -> int:
        """The row as a small number, decoded in `statements.py`."""
        return self.when + 8 * self.suspect + 32 * PROSECUTOR_DECISIONS.index(self.decision)


@dataclass(frozen=True)
class Script:
    """The decisions of one offence and year, with their weight among scripts of the same class and time."""

    outcome: int
    time: int
    weight: float
    rows: tuple[Police | Prosecutor, ...]

    @property
    def police(self) -> list[int]:
        """Packed police rows."""
        return [row.packed() for row in self.rows if isinstance(row, Police)]

    @property
    def prosecutor(self) -> list[int]:
        """Packed prosecutor rows."""
        return [row.packed() for row in self.rows if isinstance(row, Prosecutor)]


def scripts() -> list[Script]:
    """All scripts in a fixed order."""
    return [
        Script(outcome, time, weight, rows)
        for outcome in range(CLASSES)
        for time, weight, rows in (*_plays(outcome), *_reopened(outcome))
    ]


def picks(plays: list[Script]) -> Iterator[tuple[int, int, int, int]]:
    """The number of the script for every class, time and slot; slots are equally likely."""
    for outcome in range(CLASSES):
        for time in (ANY, SPREAD, REOPENED):
            candidates = [
                (number, play.weight)
                for number, play in enumerate(plays)
                if play.outcome == outcome and (play.time == time or (time == SPREAD and play.time == ANY))
            ]
            total, cumulated, first = sum(weight for _, weight in candidates), 0.0, 0
            for number, weight in candidates:
                cumulated += weight
                end = round(SLOTS * cumulated / total)
                for slot in range(first, end):
                    yield outcome, time, slot, number
                first = end


Play = tuple[int, float, tuple[Police | Prosecutor, ...]]


def _handed_over(suspect: bool, when: int = FIRST) -> Police:
    return Police("OVERLAMNAD", True, suspect, when)


def _plays(outcome: int) -> Iterable[Play]:
    if outcome <= WAIVER:
        return _cleared(outcome)
    if outcome == PENDING:
        return _pending()
    suspect = outcome % 2 == 1
    return {
        LIMITED_INVESTIGATED: _limited_investigated,
        OTHER_INVESTIGATED: _other_investigated,
        LIMITED_DISMISSED: _limited_dismissed,
        OTHER_DISMISSED: _other_dismissed,
    }[outcome - (not suspect)](suspect)


def _cleared(outcome: int) -> list[Play]:
    decision = CLEARING[outcome]
    cleared = Prosecutor(decision, 1, LAST)
    plays: list[Play] = [
        (ANY, 60, (_handed_over(True), cleared)),
        (ANY, 32, (cleared,)),
        (ANY, 13, (_handed_over(True), cleared, Prosecutor(decision, 2, LAST))),
        (ANY, 2, (_handed_over(True), cleared, Prosecutor(decision, 2, AFTER), Prosecutor("EJ_ATAL", 3, LAST))),
        (ANY, 8, (_handed_over(True), cleared, Prosecutor("NEDLAGD", 2, LAST))),
        (ANY, 2, (_handed_over(True), cleared, Prosecutor("EJ_ATAL", 2, AFTER))),
        (ANY, 1, (cleared, Police("NEDLAGD", True, True, AFTER))),
        (SPREAD, 2, (Prosecutor("FU_BEGRANSAD", 2, FIRST), cleared)),
        (SPREAD, 3, (Police("NEDLAGD", True, False, FIRST), Police("ATERUPPTAGEN", True, True, SECOND), cleared)),
        (SPREAD, 2, (_handed_over(True), *_reopened_by_prosecutor("NEDLAGD"), cleared)),
        # a reopening does not undo a clearance
        (SPREAD, 1, (Prosecutor(decision, 1, FIRST), *_prosecutor_steps(("ATERUPPTAGEN", SECOND), ("NEDLAGD", LAST)))),
    ]
    if outcome < WAIVER:
        weaker = CLEARING[outcome + 1]
        plays += [
            (ANY, 2, (_handed_over(True), Prosecutor(weaker, 1, FIRST), cleared)),
            (ANY, 1, (_handed_over(True), cleared, Prosecutor(weaker, 2, AFTER))),
        ]
    return plays


def _prosecutor_steps(*steps: tuple[str, int]) -> tuple[Prosecutor, ...]:
    return tuple(Prosecutor(decision, 1, when) for decision, when in steps)


def _reopened_by_prosecutor(decision: str) -> tuple[Prosecutor, ...]:
    return _prosecutor_steps((decision, FIRST), ("ATERUPPTAGEN", SECOND))


def _limited_investigated(suspect: bool) -> list[Play]:
    number = int(suspect)
    plays: list[Play] = [
        (ANY, 70, (Police("FU_BEGRANSAD", True, suspect, LAST),)),
        (ANY, 15, (_handed_over(suspect), Prosecutor("FU_BEGRANSAD", number, LAST))),
        # limited takes precedence over other, regardless of who decided it and when
        (ANY, 1, (Police("FU_BEGRANSAD", True, suspect, LAST), Prosecutor("NEDLAGD", number, LAST))),
        (SPREAD, 1, (Police("FU_BEGRANSAD", True, suspect, FIRST), Prosecutor("NEDLAGD", number, LAST))),
        (ANY, 3, (Police("NEDLAGD", True, suspect, LAST), Prosecutor("FU_BEGRANSAD", number, LAST))),
        (ANY, 2, (Police("NEDLAGD", True, False, LAST), Police("FU_BEGRANSAD", True, suspect, LAST))),
        (SPREAD, 3, (Police("NEDLAGD", True, suspect, FIRST), Police("FU_BEGRANSAD", True, suspect, LAST))),
        (SPREAD, 2, (*_police_reopened("NEDLAGD", suspect), Police("FU_BEGRANSAD", True, False, LAST))),
        (SPREAD, 1, (Prosecutor("NEDLAGD", number, FIRST), Police("FU_BEGRANSAD", False, False, LAST))),
    ]
    if suspect:
        plays.append((ANY, 2, (Prosecutor("NEDLAGD", 1, LAST), Prosecutor("FU_BEGRANSAD", 2, LAST))))
    return plays


def _police_reopened(decision: str, suspect: bool) -> tuple[Police, ...]:
    return (Police(decision, True, suspect, FIRST), Police("ATERUPPTAGEN", True, False, SECOND))


def _other_investigated(suspect: bool) -> list[Play]:
    number = int(suspect)
    plays: list[Play] = [
        (ANY, 38 if suspect else 80, (Police("NEDLAGD", True, suspect, LAST),)),
        (ANY, 3, (Police("OVRIGT", True, suspect, LAST),)),
        (ANY, 22 if suspect else 6, (_handed_over(suspect), Prosecutor("NEDLAGD", number, LAST))),
        (ANY, 25 if suspect else 5, (Prosecutor("NEDLAGD", number, LAST),)),
        (ANY, 1, (Police("OVERLAMNAD", False, suspect, FIRST), Prosecutor("OVRIGT", number, LAST))),
        (SPREAD, 2, (Police("NEDLAGD", True, suspect, FIRST), Police("NEDLAGD", True, False, LAST))),
        (SPREAD, 2, (*_police_reopened("NEDLAGD", suspect), Police("NEDLAGD", True, False, LAST))),
        (SPREAD, 1, (*_police_reopened("FU_BEGRANSAD", suspect), Police("OVRIGT", True, suspect, LAST))),
        (
            SPREAD,
            2,
            (
                Police("DIREKTAVSKRIVEN", False, False, FIRST),
                Police("ATERUPPTAGEN", True, False, SECOND),
                Police("NEDLAGD", True, suspect, LAST),
            ),
        ),
        # investigated, although only the cancelled decision shows this
        (
            SPREAD,
            1,
            (
                Police("NEDLAGD", True, suspect, FIRST),
                Police("ATERUPPTAGEN", False, False, SECOND),
                Police("NEDLAGD", False, False, LAST),
            ),
        ),
    ]
    if suspect:
        plays += [
            (ANY, 14, (_handed_over(True), Prosecutor("EJ_ATAL", 1, LAST))),
            (ANY, 16, (_handed_over(True), Prosecutor("EJ_ATAL", 1, LAST), Prosecutor("NEDLAGD", 2, LAST))),
            (ANY, 11, (_handed_over(True), *(Prosecutor("NEDLAGD", other, LAST) for other in (1, 2, 3)))),
            (SPREAD, 1, (*_reopened_by_prosecutor("FU_BEGRANSAD"), Prosecutor("EJ_ATAL", 1, LAST))),
        ]
    return plays


def _limited_dismissed(suspect: bool) -> list[Play]:
    return [
        (ANY, 90, (Police("FU_BEGRANSAD", False, suspect, LAST),)),
        (ANY, 3, (Police("NEDLAGD", False, suspect, LAST), Police("FU_BEGRANSAD", False, False, LAST))),
        (SPREAD, 4, (Police("DIREKTAVSKRIVEN", False, suspect, FIRST), Police("FU_BEGRANSAD", False, False, LAST))),
        (SPREAD, 1, (Police("FU_BEGRANSAD", False, False, FIRST), Police("DIREKTAVSKRIVEN", False, suspect, LAST))),
    ]


def _other_dismissed(suspect: bool) -> list[Play]:
    return [
        (ANY, 90, (Police("DIREKTAVSKRIVEN", False, suspect, LAST),)),
        (ANY, 6, (Police("NEDLAGD", False, suspect, LAST),)),
        (ANY, 2, (Police("OVRIGT", False, suspect, LAST),)),
        (
            SPREAD,
            1,
            (
                Police("DIREKTAVSKRIVEN", False, suspect, FIRST),
                Police("ATERUPPTAGEN", False, False, SECOND),
                Police("DIREKTAVSKRIVEN", False, False, LAST),
            ),
        ),
    ]


def _pending() -> list[Play]:
    return [
        (ANY, 1, (Police("ATERUPPTAGEN", True, False, LAST),)),
        (SPREAD, 20, (Police("NEDLAGD", True, False, FIRST), Police("ATERUPPTAGEN", True, False, LAST))),
        (SPREAD, 4, (Police("DIREKTAVSKRIVEN", False, False, FIRST), Police("ATERUPPTAGEN", False, False, LAST))),
        (SPREAD, 8, (_handed_over(True), *_prosecutor_steps(("NEDLAGD", SECOND), ("ATERUPPTAGEN", LAST)))),
    ]


def _reopened(outcome: int) -> list[Play]:
    """The scripts of an offence decided in an earlier year; the row that reopens it may be missing."""
    suspect = outcome <= WAIVER or outcome % 2 == 1
    investigated = outcome < LIMITED_DISMISSED
    reopening = Police("ATERUPPTAGEN", investigated, False, FIRST)
    final: Police | Prosecutor
    if outcome <= WAIVER:
        final = Prosecutor(CLEARING[outcome], 1, LAST)
    elif outcome == PENDING:
        return [(REOPENED, 1, (Police("ATERUPPTAGEN", True, False, LAST),))]
    elif outcome - (not suspect) in (LIMITED_INVESTIGATED, LIMITED_DISMISSED):
        final = Police("FU_BEGRANSAD", investigated, suspect, LAST)
    else:
        final = Police("NEDLAGD", investigated, suspect, LAST)
    return [(REOPENED, 4, (reopening, final)), (REOPENED, 1, (final,))]
