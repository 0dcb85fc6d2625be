"""The list of mutants is true of the files as they are; whether tests notice them is for `make soak` and `make mutants`."""

from __future__ import annotations

import re
from dataclasses import replace

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


def mutant(old: str, new: str) -> Mutant:
    return Mutant("a name", REPOSITORY / "README.md", "unit tests", old, new, "a rule")


def test_a_change_is_made_where_it_is_meant() -> None:
    in_sql = replace(mutant("a b", "c"), by="suites")
    assert in_sql.changed("x a\n  b y") == "x c y"
    assert mutant("ab", "c").changed("x ab y") == "x c y"


@pytest.mark.parametrize(("old", "new"), [("a", "x"), ("nowhere", "x"), ("b", "b")])
def test_a_change_that_cannot_be_made_is_an_error(old: str, new: str) -> None:
    with pytest.raises(ValueError, match="a name: "):
        mutant(old, new).changed("a a b")
