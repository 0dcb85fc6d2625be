"""The definitions that `dagster dev` loads, with the folders that the environment names."""

from __future__ import annotations

import dagster as dg

from dagster_project.defs.all_definitions import build_definitions
from dagster_project.defs.instance import relax_synchronous_writes
from dagster_project.settings import Settings


@dg.definitions
def definitions() -> dg.Definitions:
    """Read the environment when Dagster loads the definitions, not when this module is imported."""
    relax_synchronous_writes()
    return build_definitions(Settings.from_environment())
