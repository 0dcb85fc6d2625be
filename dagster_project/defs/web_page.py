"""Starts Dagster's web page on the warehouse's own instance."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dagster_project.defs.instance import prepare_instance_folder
from dagster_project.settings import Settings


def main() -> None:
    """Replace this process by `dagster dev`; further arguments (such as `--port`) are passed on."""
    prepare_instance_folder(Settings.from_environment())
    dagster = Path(sys.executable).with_name("dagster")
    os.execv(dagster, [str(dagster), "dev", "-m", "dagster_project.definitions", *sys.argv[1:]])  # noqa: S606


if __name__ == "__main__":
    main()
