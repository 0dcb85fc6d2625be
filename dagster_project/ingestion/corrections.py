"""Declared corrections: rows of a delivery known to be wrong, which are dropped or overridden when the delivery is read.

They are declared in `corrections.yml` beside the sources' folders, so that the extracts remain as delivered.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

import duckdb
from pydantic import BeforeValidator, Field, StringConstraints, TypeAdapter, ValidationError, model_validator

from dagster_project.contract import DeliveryLabel, input_contract
from dagster_project.declared_files import DeclaredModel, TextLoader, describe_errors, read_yaml
from dagster_project.ingestion.identifiers import PublicText
from dagster_project.ingestion.normal_form import normal_sql

LINE = "line"
DROP, OVERRIDE = "drop", "override"
_Value = Annotated[str, StringConstraints(strip_whitespace=True)]


class CorrectionsError(Exception):
    """The corrections file is invalid; the message names the correction, never a value of a row."""


def _day(text: object) -> object:
    # A number would be parsed as seconds since 1970.
    if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", str(text)):
        raise ValueError("it must be a day like 2025-03-01")
    return text


class Correction(DeclaredModel):
    """One declared correction.

    `rows` selects the rows by the columns' texts as delivered (empty = missing; codes and case numbers in any spelling of the
    same value), by `line`, or by both. `set` contains the columns' new texts if `action` is `override`.
    """

    id: Annotated[PublicText, StringConstraints(pattern="^[a-z][a-z0-9-]{2,59}$")]
    delivery: DeliveryLabel
    file: str
    rows: Annotated[dict[str, _Value], Field(min_length=1)]
    action: Literal["drop", "override"]
    set: dict[str, _Value] = Field(default_factory=dict)
    reason: PublicText
    reported_by: PublicText
    date: Annotated[dt.date, BeforeValidator(_day), Field(strict=False)]

    @model_validator(mode="after")
    def _fits_the_contract(self) -> Self:
        files = {file.name: [column.name for column in file.columns] for file in input_contract().sources[self.source]}
        if self.file not in files:
            raise ValueError(f"its file must be one of {', '.join(files)}")
        if bool(self.set) != (self.action == OVERRIDE):
            raise ValueError(f"set belongs to action {OVERRIDE}, and only there")
        for part, given, known in (("rows", self.rows, [*files[self.file], LINE]), ("set", self.set, files[self.file])):
            if not given.keys() <= {*known}:
                raise ValueError(f"{part} must name columns of the file, spelt as in the contract: {', '.join(known)}")
        line = self.rows.get(LINE, "2")
        if not re.fullmatch("[0-9]{1,12}", line) or int(line) < 2:
            raise ValueError("line must be a line of the file, of which the first is the header")
        return self

    @property
    def source(self) -> str:
        """The source of the delivery that it corrects."""
        return self.delivery.partition("/")[0]

    @property
    def year(self) -> int:
        """The year of that delivery."""
        return int(self.delivery.partition("/")[2])

    @property
    def label(self) -> str:
        """The name shown to people."""
        return f"correction {self.id} of {self.delivery}/{self.file}"

    @property
    def public_fields(self) -> dict[str, str]:
        """The fields that may be shown: all except values of rows."""
        what = "dropped" if self.action == DROP else f"{', '.join(self.set)} overridden"
        return {"what": what, **self.model_dump(mode="json", include={"id", "file", "reason", "reported_by", "date"})}


def read_corrections(path: Path) -> list[Correction]:
    """Read the declared corrections; without a file there are none.

    Raises `CorrectionsError` for anything unknown or invalid.
    """
    if not path.exists():
        return []
    declared = read_yaml(path, TextLoader, CorrectionsError)
    try:
        corrections = TypeAdapter(list[Correction]).validate_python(declared)
    except ValidationError as error:
        raise CorrectionsError(f"{path}: {describe_errors(error)}") from None
    for correction in corrections:
        if sum(other.id == correction.id for other in corrections) > 1:
            raise CorrectionsError(f"{path}: the id {correction.id} is given twice")
    return corrections


def corrections_of(corrections: Sequence[Correction], source: str, year: int) -> list[Correction]:
    """The corrections of one delivery, in declared order."""
    return [one for one in corrections if (one.source, one.year) == (source, year)]


def corrections_version(corrections: Sequence[Correction], key: bytes) -> str:
    """Keyed fingerprint of corrections, since they may name cases; empty if there are none."""
    if not corrections:
        return ""
    return hmac.new(
        key, json.dumps([one.model_dump(mode="json") for one in corrections]).encode(), hashlib.sha256
    ).hexdigest()[:8]


def apply_corrections(corrections: Sequence[Correction], connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Apply a file's corrections to its table `row`; return the number of rows by correction.

    Table `declared_wrong` (`line`) lists rows to drop. Table `as_delivered` (columns of `row`) keeps the affected rows as delivered,
    since errors in them reject the delivery even if they are corrected. All corrections refer to the rows as delivered; raises
    `CorrectionsError` if two refer to the same row.
    """
    connection.execute("create or replace temp table declared_wrong (line bigint)")
    connection.execute("create or replace temp table meant (id varchar, line bigint)")
    for one in corrections:
        condition, values = _condition(one)
        connection.execute(f"insert into meant select ?, line from row where {condition}", [one.id, *values])
    connection.execute("create or replace temp table as_delivered as from row where line in (select line from meant)")
    doubled = connection.execute(
        "select min(id), max(id), any_value(line) from meant group by line having count(*) > 1 order by all limit 1"
    ).fetchone()
    if doubled:
        raise CorrectionsError(f"corrections {doubled[0]} and {doubled[1]} mean the same row, line {doubled[2]}")
    for one in corrections:
        lines = "line in (select line from meant where id = ?)"
        if one.action == DROP:
            connection.execute(f"insert into declared_wrong select line from row where {lines}", [one.id])
        else:
            setting = ", ".join(f"{column} = nullif(?, '')" for column in one.set)
            connection.execute(f"update row set {setting} where {lines}", [*one.set.values(), one.id])
    touched = dict(connection.execute("select id, count(*) from meant group by id").fetchall())
    return {one.id: touched.get(one.id, 0) for one in corrections}


def _condition(correction: Correction) -> tuple[str, list[str]]:
    texts = {column: text for column, text in correction.rows.items() if column != LINE}
    files = input_contract().sources[correction.source]
    columns = {column.name: column for file in files if file.name == correction.file for column in file.columns}
    conditions = ["malformed is null"]
    for name in texts:
        sought = f"(select {normal_sql(columns[name], 'text')} from (select nullif(?, '') as text))"
        conditions.append(f"{normal_sql(columns[name], name)} is not distinct from {sought}")
    if LINE in correction.rows:
        conditions.append(f"{LINE} = {int(correction.rows[LINE])}")
    return " and ".join(conditions), list(texts.values())
