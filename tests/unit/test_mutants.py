"""The list of mutants is true of the files as they are; whether tests notice them is for `make soak` and `make mutants`."""

from __future__ import annotations

import re

from mutants import REPOSITORY, all_mutants, cannot_be_made, named_mutants


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
