"""Declared corrections: rows of a delivery that people know to be wrong, dropped or overridden when the delivery is read.

They stand in `corrections.yml` beside the sources' folders, so that the extracts themselves stay as they came.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.contract import input_contract
from dagster_project.ingestion.identifiers import holds_identifier
from dagster_project.ingestion.normal_form import normal_sql
from dagster_project.strict_yaml import TextLoader, read_yaml

LINE = "line"
DROP, OVERRIDE = "drop", "override"
_REQUIRED = {"id", "delivery", "file", "rows", "action", "reason", "reported_by", "date"}
_OPTIONAL = {"set"}
_ID = re.compile(r"[a-z][a-z0-9-]{2,59}")


class CorrectionsError(Exception):
    """The file of corrections is not what it should be; the message names the correction, never a value of a row."""


@dataclass(frozen=True)
class Correction:
    """One declared correction.

    `rows` says which rows are meant: the texts that columns hold as delivered (empty = missing; codes and case numbers in any
    spelling of the same value), or `line`, or both. `set` holds the texts that columns get when `action` is `override`.
    """

    id: str
    source: str
    year: int
    file: str
    rows: Mapping[str, str]
    action: str
    set: Mapping[str, str]
    reason: str
    reported_by: str
    date: str

    @property
    def label(self) -> str:
        """How people call it."""
        return f"correction {self.id} of {self.source}/{self.year}/{self.file}"

    @property
    def told(self) -> dict[str, str]:
        """What may be told of it: everything but values of rows."""
        what = "dropped" if self.action == DROP else f"{', '.join(self.set)} overridden"
        return {
            "id": self.id,
            "file": self.file,
            "what": what,
            "reason": self.reason,
            "reported_by": self.reported_by,
            "date": self.date,
        }


def read_corrections(path: Path) -> list[Correction]:
    """Read the declared corrections; none where there is no file.

    Raises `CorrectionsError` for anything that is not wholly understood.
    """
    if not path.exists():
        return []
    declared = read_yaml(path, TextLoader, CorrectionsError)
    if not isinstance(declared, list):
        raise CorrectionsError(f"{path}: it must hold a list of corrections")
    corrections = [_correction(path, number, one) for number, one in enumerate(declared, 1)]
    for correction in corrections:
        if sum(other.id == correction.id for other in corrections) > 1:
            raise CorrectionsError(f"{path}: the id {correction.id} is given twice")
    return corrections


def corrections_of(corrections: Sequence[Correction], source: str, year: int) -> list[Correction]:
    """Those of one delivery, in the order declared."""
    return [one for one in corrections if (one.source, one.year) == (source, year)]


def corrections_version(corrections: Sequence[Correction], key: bytes) -> str:
    """Fingerprint of some corrections, keyed since they may name cases; empty for none."""
    if not corrections:
        return ""
    return hmac.new(key, json.dumps([asdict(one) for one in corrections]).encode(), hashlib.sha256).hexdigest()[:8]


def apply_corrections(corrections: Sequence[Correction], connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Apply a file's corrections to its table `row`; returns the number of rows by correction.

    Rows to drop are noted in table `declared_wrong` (`line`). Touched rows stand in table `as_delivered` (columns of `row`) as they
    came, since what is found in them condemns the delivery even if it is corrected. All corrections mean the rows as delivered;
    raises `CorrectionsError` where two mean the same one.
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


def _correction(path: Path, number: int, declared: Any) -> Correction:
    where = f"{path}, correction {number}"

    def require(condition: object, problem: str) -> None:
        if not condition:
            raise CorrectionsError(f"{where}: {problem}")

    require(isinstance(declared, dict), "it must be a mapping")
    require(
        set(declared) >= _REQUIRED and set(declared) <= _REQUIRED | _OPTIONAL,
        f"it needs {', '.join(sorted(_REQUIRED))}, with action {OVERRIDE} also set, and nothing else",
    )
    texts = [declared[name] for name in ("id", "delivery", "file", "action", "reason", "reported_by", "date")]
    require(
        all(isinstance(text, str) and text.strip() for text in texts), "id, delivery, file … date must be filled texts"
    )
    require(_ID.fullmatch(declared["id"]), "its id must be a short name of small letters, digits and hyphens")
    where = f"{path}, correction {declared['id']}"
    source, _, year = declared["delivery"].partition("/")
    files = {file.name: file for file in input_contract().sources.get(source, ())}
    require(files and re.fullmatch("[0-9]{4}", year), "its delivery must be like police/2024")
    require(declared["file"] in files, f"its file must be one of {', '.join(files)}")
    require(declared["action"] in (DROP, OVERRIDE), f"its action must be {DROP} or {OVERRIDE}")
    require(_is_date(declared["date"]), "its date must be a day like 2025-03-01")
    changes = declared.get("set", {})
    require(bool(changes) == (declared["action"] == OVERRIDE), f"set belongs to action {OVERRIDE}, and only there")
    columns = {column.name for column in files[declared["file"]].columns}
    for part, allowed in (("rows", columns | {LINE}), ("set", columns)):
        value = declared.get(part, {})
        require(
            isinstance(value, dict) and set(value) <= allowed and all(isinstance(text, str) for text in value.values()),
            f"{part} must give texts for columns of the file, spelt as in the contract",
        )
    require(declared["rows"], "rows must say which rows are meant")
    line = declared["rows"].get(LINE, "2")
    require(
        re.fullmatch("[0-9]{1,12}", line) and int(line) > 1,
        "line must be a line of the file, of which the first is the header",
    )
    public = [declared["id"], declared["reason"], declared["reported_by"]]
    require(
        not any(holds_identifier(text) for text in public),
        "its id, reason and reported_by are published: no case number and no personal identity number may stand there",
    )
    return Correction(
        id=declared["id"],
        source=source,
        year=int(year),
        file=declared["file"],
        rows={column: text.strip() for column, text in declared["rows"].items()},
        action=declared["action"],
        set={column: text.strip() for column, text in changes.items()},
        reason=" ".join(declared["reason"].split()),
        reported_by=declared["reported_by"].strip(),
        date=declared["date"],
    )


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
