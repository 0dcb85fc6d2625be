"""The warehouse against the plain reference, on small worlds that Hypothesis looks for."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from conftest import settings_in
from hypothesis import HealthCheck, given, settings
from reference import rules
from reference.worlds import World, small_worlds, write_world
from warehouse import build, differences, figures

ALL_CHECKS = list(HealthCheck)


@settings(max_examples=8, deadline=None, suppress_health_check=ALL_CHECKS, derandomize=True)
@given(world=small_worlds(faults=True))
def test_small_worlds_count_as_the_rules_say(world: World) -> None:
    assert_counted(world)


@pytest.mark.soak
@settings(max_examples=20, deadline=None, suppress_health_check=ALL_CHECKS, database=None, print_blob=True)
@given(world=small_worlds(faults=True))
def test_other_small_worlds_count_as_the_rules_say(world: World) -> None:
    assert_counted(world)


def assert_counted(world: World) -> None:
    with tempfile.TemporaryDirectory() as folder:
        places = settings_in(Path(folder))
        write_world(places.landing, world)
        build(places)
        counts = rules.nonzero_counts(places.landing)
        expected = {tuple(key): dict(cell) for key, cell in counts.items()}
        assert differences(expected, figures(places.warehouse_file, "processed > 0")) == []
