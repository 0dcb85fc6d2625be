"""What the draft tells of earlier publications: which there were, and which figures it revises; and the difference of any two."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.publication.causes import causes_between, causes_not_described
from dagster_project.publication.comparison import COLUMNS, FIGURES, KEY, Comparison, compare_figures
from dagster_project.publications import Publication, changed_files, publications
from dagster_project.settings import Settings
from dagster_project.sql import parquet

logger = logging.getLogger("uppklarat")

PUBLICATIONS, _REVISIONS = "parquet/publication.parquet", "parquet/revision.parquet"
_NEEDED = (FIGURES, PUBLICATIONS, _REVISIONS)


@dataclass(frozen=True)
class Difference:
    """How a publication differs from an earlier one; `rows` counts figures, whose table was left in the connection."""

    changes: tuple[str, ...]
    new_years: tuple[int, ...]
    not_compared: tuple[str, ...]
    rows: int


def describe_history(
    connection: duckdb.DuckDBPyConnection, settings: Settings, description: Mapping[str, Any]
) -> dict[str, Any]:
    """Fill the tables `marts.publication` and `marts.revision`, as they are declared, for the draft that is described.

    The draft is compared with the newest publication whose files are what its manifest says. Revisions that earlier publications
    brought are taken over from it, so that they are still told when those are deleted. Returns what the manifest says of it.
    """
    sound, damaged = _sound_publications(settings)
    before = sound[-1] if sound else None
    _take_over(connection, "marts.revision", sound, _REVISIONS)
    revised: dict[str, Any] = {
        "predecessor": before.publication_id if before else None,
        "changes": [],
        "new_years": list(description["years"]),
        "values": 0,
        "not_compared": damaged,
    }
    if before:
        found = difference(connection, "found", before, settings.draft / FIGURES, description)
        connection.execute(
            f"insert into marts.revision by name select ? as publication_id, {', '.join(COLUMNS)} from found",
            [description["publication_id"]],
        )
        revised |= {
            "changes": list(found.changes),
            "new_years": list(found.new_years),
            "values": found.rows,
            "not_compared": [*damaged, *found.not_compared],
        }
    for text in revised["not_compared"]:
        logger.warning("revisions: not compared: %s", text)
    _withhold_values(connection, settings.draft / FIGURES)
    _take_over(connection, "marts.publication", sound, PUBLICATIONS)
    said = [*(one.said for one in publications(settings)), {**description, "revisions": revised}]
    # What is still there tells more than what was said of it by older code.
    connection.executemany(
        "delete from marts.publication where publication_id = ?", [[one["publication_id"]] for one in said]
    )
    rows = [_row(one) for one in said]
    connection.executemany(
        f"insert into marts.publication ({', '.join(rows[0])}) values ({', '.join('?' for _ in rows[0])})",
        [list(row.values()) for row in rows],
    )
    return revised


def _withhold_values(connection: duckdb.DuckDBPyConnection, figures: Path) -> None:
    """Remove the values of what the draft withholds: the history must not tell them either."""
    same = " and ".join(f"revision.{name} = withheld.{name}" for name in KEY)
    connection.execute(
        f"update marts.revision set old_value = null, new_value = null from {parquet(figures)} as withheld "
        f"where withheld.suppression is not null and {same}"
    )


def difference(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    before: Publication,
    figures: Path,
    description: Mapping[str, Any],
) -> Difference:
    """Create a table (`COLUMNS`) of the figures in a file of `fct_indicator_year` that an earlier publication tells otherwise."""
    causes = causes_between(before.said, description)
    if FIGURES in before.said["files"] and figures.exists():
        compared = compare_figures(
            connection, table, before.folder / FIGURES, figures, published_years=_years_so_far(before), causes=causes
        )
    else:
        columns = ", ".join(f"{name} {of}" for name, of in COLUMNS.items())
        connection.execute(f"create or replace table {table} ({columns})")
        compared = Comparison((), (f"no figure, since a publication has no {FIGURES}",))
    (rows,) = connection.execute(f"select count(*) from {table}").fetchone() or (0,)
    return Difference(
        tuple(one.text for one in causes),
        compared.new_years,
        (*compared.not_compared, *causes_not_described(before.said, description)),
        int(rows),
    )


def _sound_publications(settings: Settings) -> tuple[list[Publication], list[str]]:
    """The publications up to the newest one whose files can be trusted, and what is said of newer ones that are damaged."""
    kept, damaged = publications(settings), []
    while kept:
        if not (files := changed_files(kept[-1], among=_NEEDED)):
            break
        damaged.append(f"{kept[-1].publication_id}, which is damaged ({', '.join(files)})")
        kept.pop()
    return kept, damaged


def _take_over(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    sound: Sequence[Publication],
    name: str,
) -> None:
    """Insert what the newest publication that has this table says of itself and those before it."""
    having = (one for one in reversed(sound) if name in one.said["files"] and not changed_files(one, among=[name]))
    if newest := next(having, None):
        file = newest.folder / name
        there = [column for column, *_ in connection.execute(f"describe select * from {parquet(file)}").fetchall()]
        declared = connection.execute(f"describe {table}").fetchall()
        told = ", ".join(column for column, *_ in declared if column in there)
        connection.execute(f"insert into {table} by name select {told} from {parquet(file)}")


def _years_so_far(publication: Publication) -> set[int]:
    """All years that were ever published up to a publication."""
    listed = publication.folder / PUBLICATIONS
    with duckdb.connect() as connection:
        told = connection.execute(f"select years from {parquet(listed)}").fetchall() if listed.exists() else []
    return {*publication.said["years"], *(int(year) for (years,) in told for year in years.split(","))}


def _row(said: Mapping[str, Any]) -> dict[str, Any]:
    """A publication's row in table `publication`, from its manifest."""
    revised = said.get("revisions", {})
    return {
        "publication_id": said["publication_id"],
        "published_at": datetime.fromisoformat(said["published_at"]).replace(tzinfo=None),
        "is_synthetic": said["synthetic"],
        "first_year": min(said["years"]),
        "last_year": max(said["years"]),
        "years": _joined(said["years"]),
        "deliveries": _joined(f"{one['source']}/{one['year']}:{one['delivery_id']}" for one in said["deliveries"]),
        "code_version": said["code_version"],
        "checks_passed": said["checks"]["passed"],
        "checks_warned": said["checks"]["warned"],
        # Older code did not count them.
        "checks_not_judged": said["checks"].get("not_judged"),
        "waivers": "; ".join(said.get("waivers", [])) or None,
        "predecessor": revised.get("predecessor"),
        "changes": ", ".join(revised.get("changes", ())) or None,
        "new_years": _joined(revised.get("new_years", ())),
        "revisions": revised.get("values"),
        "not_compared": "; ".join(revised.get("not_compared", ())) or None,
    }


def _joined(parts: Any) -> str | None:
    return ",".join(map(str, parts)) or None
