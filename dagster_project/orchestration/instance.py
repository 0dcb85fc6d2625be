"""The Dagster instance, kept in the private warehouse."""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg

from dagster_project.files import write_text
from dagster_project.settings import Settings

CONFIGURATION = Path(__file__).with_name("dagster.yaml")


def prepare_instance_folder(settings: Settings) -> Path:
    """Make the instance's folder with our configuration in it, and name it to Dagster."""
    folder = settings.dagster_home
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "dagster.yaml", CONFIGURATION.read_text(encoding="utf-8"))
    os.environ["DAGSTER_HOME"] = str(folder)
    return folder


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """Open the instance that `dagster dev` shows too."""
    return dg.DagsterInstance.from_config(str(prepare_instance_folder(settings)))
