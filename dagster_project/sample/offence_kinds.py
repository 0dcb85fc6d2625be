"""Kinds of offences that the counting rules distinguish, and the codes of each."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import pairwise

from dagster_project.sample import assumptions
from dagster_project.sample.reference import ALWAYS, FOREVER, UNKNOWN_GROUP, Code, Reference

CONTEXT = "context"
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Listed:
    """A code as the extract shows it, with what determines how often it is used."""

    brottskod: str
    lagrum: str
    group: str
    ages: tuple[int, int]
    weight: float
    valid_from: date
    valid_to: date
    unlisted: bool = False


@dataclass(frozen=True)
class Era:
    """A range of report dates with the same codes in use; `codes` holds (index of the code, weight)."""

    first: date
    last: date
    codes: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Kind:
    """Offences that no published figure distinguishes further; `part` is the measure if only a measure counts them."""

    number: int
    indicator_id: str
    role: str
    part: str
    relation: str
    place: str
    group: str
    share: float
    first: date
    last: date
    eras: tuple[Era, ...]

    def weight(self, year: int) -> float:
        """The kind's share of its indicator's offences decided in a year, before official figures apply."""
        return self.share * self.in_use(year)

    def in_use(self, year: int) -> float:
        """Share of the offences decided in a year that were reported while the kind's codes were in use."""
        return reported_share(year, self.first, self.last)


@cache
def reported_share(year: int, first: date, last: date) -> float:
    """Share of the offences decided in a year that were reported between two days."""
    total = 0.0
    for lag, share in enumerate(assumptions.LAG_YEAR_SHARES):
        opens, closes = date(year - lag, 1, 1), date(year - lag, 12, 31)
        days = (min(last, closes) - max(first, opens)).days + 1
        total += share * max(0, days) / ((closes - opens).days + 1)
    return total / sum(assumptions.LAG_YEAR_SHARES)


class Kinds:
    """All kinds and the codes that they use."""

    def __init__(self, reference: Reference) -> None:
        self.codes: list[Listed] = []
        self.all: list[Kind] = []
        known = {code.brottskod for code in reference.codes}
        self._unlisted = [code for code in assumptions.UNLISTED_CODES if code not in known]
        for indicator_id, groups in reference.indicators.items():
            self._add_indicator(reference, indicator_id, groups)
        self._add_context(reference)
        for measure, groups in reference.measures.items():
            self._add_measure(reference, measure, groups)
        self.other_crime = [
            (self._list(Listed(code, lagrum, "", (0, 95), 1.0, ALWAYS, FOREVER)), weight, victim, shares)
            for code, lagrum, weight, victim, *shares in assumptions.OTHER_CRIME
            if code not in known
        ]

    def _add_indicator(self, reference: Reference, indicator_id: str, groups: tuple[str, ...]) -> None:
        variants = [variant for variant in reference.variants.values() if variant.indicator_id == indicator_id]
        by_relation = any(variant.asks_for("relation") for variant in variants)
        by_place = any(variant.asks_for("place") for variant in variants)
        codes_by_kind: dict[tuple[str, str, str, str, str], list[Code]] = defaultdict(list)
        for code in reference.codes:
            if code.indicator_id != indicator_id or code.role == CONTEXT:
                continue
            relation, place = code.relation if by_relation else "", code.place if by_place else ""
            for group in [code.group] if code.group else [*groups, UNKNOWN_GROUP]:
                if group == UNKNOWN_GROUP or _overlap(code.ages, _ages(reference, group)):
                    codes_by_kind[code.role, code.part, relation, place, group].append(code)
        related = sum(
            assumptions.RELATION_SHARE[relation] for relation in {key[2] for key in codes_by_kind} if relation
        )
        for (role, part, relation, place, group), codes in sorted(codes_by_kind.items()):
            share = _group_share(indicator_id, group) * assumptions.PART_SHARE.get(part, 1.0)
            share *= assumptions.RELATION_SHARE[relation] / related if relation else 1.0
            share *= assumptions.PLACE_SHARE.get(place, 1.0) * assumptions.ROLE_SHARE.get((role, group), 1.0)
            listed = [self._list(_listed(code)) for code in codes]
            self._add((indicator_id, role, part, relation, place, group), listed, share)
        for provision in reference.provisions:
            for group in (*groups, UNKNOWN_GROUP) if provision.indicator_id == indicator_id else ():
                unlisted = self._unlisted[len(self.codes) % len(self._unlisted)]
                only = Listed(unlisted, provision.lagrum, "", (0, 95), 1.0, _since(provision.part), FOREVER, True)
                alone = not any(key[1] == provision.part and key[4] == group for key in codes_by_kind)
                share = _group_share(indicator_id, group) * assumptions.PART_SHARE.get(provision.part, 1.0)
                share *= 1.0 if alone else assumptions.UNLISTED_CODE_SHARE
                self._add((indicator_id, "core", provision.part, "", "", group), [self._list(only)], share)

    def _add_context(self, reference: Reference) -> None:
        codes = [code for code in reference.codes if code.role == CONTEXT and code.group]
        for group in sorted({code.group for code in codes}):
            listed = [self._list(_listed(code)) for code in codes if code.group == group]
            self._add(("", CONTEXT, "", "", "", group), listed, 1.0)

    def _add_measure(self, reference: Reference, measure: str, groups: tuple[str, ...]) -> None:
        """The codes of a measure that no other kind has: codes without a victim group."""
        codes = [code for code in reference.codes if code.brottskod in reference.measure_codes[measure]]
        listed = [self._list(_listed(code)) for code in codes if code.role == CONTEXT and not code.group]
        for group in (*groups, UNKNOWN_GROUP) if listed else ():
            self._add(("", CONTEXT, measure, "", "", group), listed, _group_share(measure, group))

    def _list(self, listed: Listed) -> int:
        self.codes.append(listed)
        return len(self.codes) - 1

    def _add(self, attributes: tuple[str, str, str, str, str, str], listed: list[int], share: float) -> None:
        codes = [(number, self.codes[number]) for number in listed]
        first, last = min(code.valid_from for _, code in codes), max(code.valid_to for _, code in codes)
        self.all.append(Kind(len(self.all), *attributes, share, first, last, tuple(_eras(codes))))


def _eras(codes: list[tuple[int, Listed]]) -> Iterable[Era]:
    opens = sorted({code.valid_from for _, code in codes} | {code.valid_to + DAY for _, code in codes})
    for first, following in pairwise(opens):
        valid = [(number, code) for number, code in codes if code.valid_from <= first <= code.valid_to]
        # in a gap between two codes the earlier one stays in use
        valid = valid or [max((pair for pair in codes if pair[1].valid_to < first), key=lambda pair: pair[1].valid_to)]
        yield Era(first, following - DAY, tuple((number, code.weight) for number, code in valid))


def _listed(code: Code) -> Listed:
    weight = assumptions.STAGE_WEIGHT.get(code.stage, 1.0) * assumptions.PLACE_SHARE.get(code.place, 1.0)
    weight *= assumptions.RELATION_SHARE.get(code.relation, 1.0)
    if ", grov," in code.description:
        weight *= assumptions.GROSS_WEIGHT
    if code.role == CONTEXT and not code.relation:
        weight *= assumptions.CONTEXT_RARE_WEIGHT
    lagrum = code.lagrum.split(",")[0].strip()
    valid_from = max(code.valid_from, _since(code.part)) if code.valid_from == ALWAYS else code.valid_from
    return Listed(code.brottskod, lagrum, code.group, code.ages, weight, valid_from, code.valid_to)


def _group_share(indicator_id: str, group: str) -> float:
    shares = assumptions.GROUP_SHARE.get(indicator_id)
    return assumptions.OTHER_GROUP_SHARE if shares is None else shares.get(group, assumptions.RARE_GROUP_SHARE)


def _since(part: str) -> date:
    return assumptions.PART_SINCE.get(part, ALWAYS)


def _ages(reference: Reference, group: str) -> tuple[int, int]:
    return (18, 95) if reference.groups[group].adult else (0, 17)


def _overlap(first: tuple[int, int], second: tuple[int, int]) -> bool:
    return first[0] <= second[1] and second[0] <= first[1]


def spellings(lagrum: str) -> tuple[str | None, ...]:
    """The spellings of a provision in the extracts, the most common first."""
    found = re.fullmatch(r"(\w+) (\d+):(\d+)(?: ([a-z])\b)?.*", lagrum)
    if found is None:
        return (lagrum or None,) * 8
    law, chapter, section, letter = found[1], found[2], found[3], found[4] or ""
    spaced, joined = f"{section} {letter}".strip(), f"{section}{letter}"
    return (
        f"{law} {chapter} kap. {spaced} §",
        f"{law} {chapter}:{spaced}",
        f"{chapter} kap. {joined} § {law}",
        f"{law} {chapter} kap {joined} §",
        f"{law}  {chapter} kap.{spaced}§",
        f"{chapter} kap. {spaced} § {law}",
        f"{law} {chapter}:{joined}",
        f"{law} {chapter}: {spaced}",
    )
