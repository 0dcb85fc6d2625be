"""The input contract as typed data, read once from `input.yml`: the only source of column lists and codes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator

CONTRACT_FILE = Path(__file__).with_name("input.yml")


@dataclass(frozen=True)
class Column:
    """A column of the contract: its type and the rules for its values."""

    name: str
    type: Literal["text", "integer", "date"]
    meaning: str
    required: bool = False
    pattern: str | None = None
    values: tuple[str, ...] = ()
    min: int | None = None
    max: int | None = None
    max_length: int | None = None
    within_year: bool = False
    identifying: bool = False
    """Whether it identifies a person or a case; stored as a pseudonym only."""
    serial_after: str | None = None
    """The text before a serial number, which is compared without leading zeros and in upper case."""
    unusable: Literal["missing"] | None = None
    """How an invalid value is treated; by default, the row is quarantined."""
    not_after: str | None = None
    """The date column whose date it may not exceed."""

    def __post_init__(self) -> None:
        if self.serial_after and (self.pattern or "").count(self.serial_after) != 1:
            raise ValueError(f"{self.name}: its pattern must contain {self.serial_after} once")
        if self.unusable and (self.required or self.identifying):
            raise ValueError(f"{self.name}: unusable is only for optional columns that are not identifying")
        if self.not_after and not self.unusable:
            raise ValueError(f"{self.name}: not_after needs unusable")

    @property
    def is_free_text(self) -> bool:
        """Whether any text is a valid value."""
        return self.type == "text" and not self.pattern and not self.values


@dataclass(frozen=True)
class RowCheck:
    """A condition on a row's typed columns that quarantines the row with the reason; `columns` are those it concerns."""

    reason: str
    when: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class FileContract:
    """A file of a delivery: grain, columns in published order, key and row checks."""

    source: str
    name: str
    grain: str
    columns: tuple[Column, ...]
    checks: tuple[RowCheck, ...]
    key: tuple[str, ...] = ()
    optional: bool = False
    """Whether a delivery may lack it."""

    @property
    def table(self) -> str:
        """Name of the raw table with all years of this file, e.g. `police_offences`."""
        return f"{self.source}_{self.name}"

    @property
    def usable_or_missing(self) -> tuple[Column, ...]:
        """The columns whose invalid values become missing."""
        return tuple(column for column in self.columns if column.unusable)


@dataclass(frozen=True)
class Contract:
    """The whole input contract."""

    version: str
    first_year: int
    suffixes: tuple[str, ...]
    encodings: tuple[str, ...]
    encoding_aliases: Mapping[str, tuple[str, ...]]
    quarantine_limit_pct: float
    sources: Mapping[str, tuple[FileContract, ...]]
    quarantine_reasons: Mapping[str, str]
    linked_reasons: Mapping[str, Sequence[str]]
    """The columns of each quarantine reason that compares deliveries."""

    @property
    def files(self) -> tuple[FileContract, ...]:
        """Every file of every source, in declared order."""
        return tuple(file for files in self.sources.values() for file in files)

    def encoding_named(self, name: str) -> str | None:
        """The encoding with this name or alias, in any spelling; None if the contract has none."""
        normal = name.strip().lower().replace("_", "-")
        return next(
            (encoding for encoding in self.encodings if normal in (encoding, *self.encoding_aliases.get(encoding, ()))),
            None,
        )


@cache
def input_contract() -> Contract:
    """Return the contract declared in `input.yml`."""
    declared: dict[str, Any] = yaml.safe_load(CONTRACT_FILE.read_text(encoding="utf-8"))
    return Contract(
        version=declared["version"],
        first_year=declared["first_year"],
        suffixes=tuple(declared["suffixes"]),
        encodings=tuple(declared["encodings"]),
        encoding_aliases={name: tuple(aliases) for name, aliases in declared["encoding_aliases"].items()},
        quarantine_limit_pct=declared["quarantine_limit_pct"],
        sources={
            source: tuple(_file(source, name, file) for name, file in files.items())
            for source, files in declared["sources"].items()
        },
        quarantine_reasons=declared["quarantine_reasons"],
        linked_reasons=declared["linked_reasons"],
    )


def _file(source: str, name: str, declared: dict[str, Any]) -> FileContract:
    return FileContract(
        source=source,
        name=name,
        grain=declared["grain"],
        key=tuple(declared.get("key", ())),
        optional=declared.get("optional", False),
        columns=tuple(
            Column(name=column, **{**rules, "values": tuple(rules.get("values", ()))})
            for column, rules in declared["columns"].items()
        ),
        checks=tuple(RowCheck(**{**check, "columns": tuple(check["columns"])}) for check in declared.get("checks", ())),
    )


def _delivery_label(text: str) -> str:
    source, _, year = text.partition("/")
    if source not in input_contract().sources or not re.fullmatch("[0-9]{4}", year):
        raise ValueError("it must be like police/2024")
    return text


DeliveryLabel = Annotated[str, AfterValidator(_delivery_label)]
"""The name by which people refer to a delivery: `police/2024`."""
