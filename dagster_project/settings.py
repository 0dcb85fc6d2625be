"""All settings, read from the environment."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ByteSize,
    ConfigDict,
    PositiveInt,
    SecretStr,
    ValidationError,
    WrapValidator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

CODE = Path(__file__).resolve().parent
# The root of a checkout; in an installed wheel, the folder of all packages.
REPOSITORY = CODE.parent


def _folder(name: str) -> Path:
    """A folder beside the code, which the wheel holds inside our package: dbt-core's own package is called `dbt`."""
    return in_wheel if (in_wheel := CODE / f"_{name}").is_dir() else REPOSITORY / name


DBT_PROJECT = _folder("dbt")
DOCS = _folder("docs")
SEEDS = DBT_PROJECT / "seeds"
PREFIX = "UPPKLARAT_"
DSN_VARIABLE = f"{PREFIX}POSTGRES_DSN"
# Memory of Python with dbt, Dagster, Great Expectations and the figures (measured: docs/performance.md).
PYTHON_MEMORY = 1 << 30
_LEAST_MEMORY = PYTHON_MEMORY + (512 << 20)


def _enough_memory(given: object, parse: Callable[[object], ByteSize]) -> ByteSize:
    with suppress(ValueError):
        if (size := parse(given)) >= _LEAST_MEMORY:
            return size
    raise ValueError("it must be a size like 4GB, and 1.5GiB at least")


WEB_SCHEMES = ("http", "https")
MAIL_SCHEMES = ("mailto", "smtp", "smtps")


def _leaves_three_values(threshold: int) -> int:
    # With a threshold of 2, a withheld count would be known to be 1 or 2.
    if threshold == 2:
        raise ValueError("Input should be 1, which withholds nothing, or at least 3")
    return threshold


def _notifiable(target: SecretStr) -> SecretStr:
    text = target.get_secret_value()
    parts = urlsplit(text)
    if parts.scheme in WEB_SCHEMES:
        is_usable = bool(parts.hostname)
    elif parts.scheme in MAIL_SCHEMES:
        is_usable = "@" in parts.path and (parts.scheme == "mailto" or bool(parts.hostname))
    else:
        try:
            is_usable = "://" not in text and (not text or bool(shlex.split(text)))
        except ValueError:
            is_usable = False
    if is_usable:
        return target
    raise ValueError("it must be a command, mailto:…, smtp(s)://host/recipient or http(s)://…")


# Variables that a build sets for dbt (dbt/profiles.yml, dbt/dbt_project.yml), and variables that configure the tests.
_NOT_SETTINGS = ("WAREHOUSE_FILE", "SCRATCH", "DUCKDB_MEMORY", "DATA_TESTS", "TEST_")

_Place = Annotated[Path, AfterValidator(Path.absolute)]


class PostgresSettings(BaseModel):
    """The PostgreSQL server that also serves the marts, if there is a connection string."""

    model_config = ConfigDict(frozen=True)

    dsn: SecretStr = SecretStr("")
    reader: str = "uppklarat_reader"
    """The role with read access to the marts only."""
    keep: PositiveInt = 5
    """The number of publications kept in PostgreSQL, including the current one."""


class NotifySettings(BaseSettings):
    """The recipient of notifications, read separately because invalid values of other settings are notified too.

    Values that are not passed come from the environment (`UPPKLARAT_HOME`, `UPPKLARAT_POSTGRES_DSN`) or from the defaults here.
    An empty variable counts as unset. Secrets are hidden when settings are printed.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        env_nested_delimiter="_",
        env_nested_max_split=1,
        frozen=True,
        hide_input_in_errors=True,
    )

    home: _Place = Path("data/warehouse")
    """The private warehouse."""
    notify: Annotated[SecretStr, AfterValidator(_notifiable)] = SecretStr("")
    """The recipient of failure notifications; may contain a password."""

    @classmethod
    def from_environment(cls) -> Self:
        """Read the environment; raise ValueError with the name of each invalid variable, but not its value."""
        try:
            return cls()
        except ValidationError as error:
            problems = [
                f"{PREFIX}{'_'.join(map(str, one['loc'])).upper()}: {one['msg'].removeprefix('Value error, ')}"
                for one in error.errors(include_input=False)
            ]
            raise ValueError("; ".join(problems)) from None


class Settings(NotifySettings):
    """All settings."""

    landing: _Place = Path("data/landing")
    """The landing folder: deliveries as received."""
    published: _Place = Path("data/published")
    """The folder that BI tools read."""
    suppress_below: Annotated[PositiveInt, AfterValidator(_leaves_three_values)] = 5
    """County and municipality counts from 1 to this number are withheld; 1 withholds only what was withheld before."""
    memory: Annotated[ByteSize, WrapValidator(_enough_memory)] = ByteSize(4 << 30)
    """The memory limit of a load."""
    key: SecretStr = SecretStr("")
    """The key of the pseudonyms; if it is unset, the key file is used."""
    schedule: str = "0 6 1 3 *"
    """The schedule of the yearly load, in cron notation."""
    postgres: PostgresSettings = PostgresSettings()


def unknown_variables() -> list[str]:
    """Names of environment variables that look like settings but are unknown, probably misspelt."""
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    known |= {f"{PREFIX}postgres_{name}".upper() for name in PostgresSettings.model_fields}
    return sorted(
        name
        for name in os.environ
        if name.upper().startswith(PREFIX)
        and name.upper() not in known
        and not name.removeprefix(PREFIX).startswith(_NOT_SETTINGS)
    )
