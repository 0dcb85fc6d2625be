"""The list of mutants is true of the files as they are; whether tests notice them is for `make soak` and `make mutants`."""

from __future__ import annotations

import re

import pytest
from mutants import REPOSITORY, Mutant, all_mutants, cannot_be_made, named_mutants


def test_every_mutant_can_be_made() -> None:
    assert cannot_be_made(all_mutants()) == []


def test_every_mutant_says_which_rule_it_breaks_or_why_it_breaks_none() -> None:
    for mutant in named_mutants():
        assert len(mutant.breaks) > 8 or mutant.equivalent, mutant.label
        assert len(mutant.equivalent) > 30 or not mutant.equivalent, mutant.label


def test_the_tests_that_should_notice_are_there() -> None:
    for test in {test for mutant in named_mutants() if isinstance(mutant.by, tuple) for test in mutant.by}:
        path, _, name = test.partition("[")[0].partition("::")
        assert re.search(rf"^def {name}\(", (REPOSITORY / path).read_text(encoding="utf-8"), re.MULTILINE), test


def mutant(old: str, new: str | None = "x", within: str = "") -> Mutant:
    return Mutant("a name", REPOSITORY / "README.md", "unit tests", old, new, "a rule", within)


SUITE = "expectations:\n  - name: first\n    limit: 1\n\n  - name: second\n    limit: 1\n"


def test_a_change_is_made_where_it_is_meant() -> None:
    assert mutant("limit: 1", "limit: 2", "second").changed(SUITE) == SUITE[:-2] + "2\n"
    assert mutant("limit: 1", "limit: 2", "first").changed(SUITE) == SUITE.replace("limit: 1", "limit: 2", 1)
    assert mutant("", None, "second").changed(SUITE) == "expectations:\n  - name: first\n    limit: 1\n\n"


@pytest.mark.parametrize(
    ("old", "new", "within"), [("limit: 1", "x", ""), ("nowhere", "x", ""), ("first", "first", "")]
)
def test_a_change_that_cannot_be_made_is_an_error(old: str, new: str, within: str) -> None:
    with pytest.raises(ValueError, match="a name: "):
        mutant(old, new, within).changed(SUITE)


def test_an_expectation_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ValueError, match="there is no expectation third"):
        mutant("limit: 1", "x", "third").changed(SUITE)
