"""The history of publications: the tables `publication` and `revision` of a draft, and the difference of any two publications."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from dagster_project import paths
from dagster_project.publication.causes import causes_between, causes_not_described
from dagster_project.publication.comparison import COLUMNS, FIGURES, KEY, Comparison, compare_figures, lacking_measures
from dagster_project.publications import Publication, changed_files, publications
from dagster_project.settings import Settings
from dagster_project.sql import parquet

logger = logging.getLogger("uppklarat")

PUBLICATIONS, _REVISIONS = "parquet/publication.parquet", "parquet/revision.parquet"
_NEEDED = (FIGURES, PUBLICATIONS, _REVISIONS)


@dataclass(frozen=True)
class Difference:
    """The difference from an earlier publication; `rows` is the number of rows of the table created."""

    changes: tuple[str, ...]
    new_years: tuple[int, ...]
    not_compared: tuple[str, ...]
    rows: int


def describe_history(
    connection: duckdb.DuckDBPyConnection, settings: Settings, description: Mapping[str, Any]
) -> dict[str, Any]:
    """Fill the tables `marts.publication` and `marts.revision` of the draft; return `revisions` of its manifest.

    The draft is compared with the newest undamaged publication. Earlier revisions are copied from it, so that they remain when
    older publications are deleted.
    """
    draft = settings.published / paths.DRAFT
    sound, damaged = _sound_publications(settings)
    before = sound[-1] if sound else None
    _copy_from_newest(connection, "marts.revision", sound, _REVISIONS)
    revised: dict[str, Any] = {
        "predecessor": before.publication_id if before else None,
        "changes": [],
        "new_years": list(description["years"]),
        "values": 0,
        "not_compared": damaged,
    }
    if before:
        compared = difference(connection, "difference", before, draft / FIGURES, description)
        connection.execute(
            f"insert into marts.revision by name select ? as publication_id, {', '.join(COLUMNS)} from difference",
            [description["publication_id"]],
        )
        revised |= {
            "changes": list(compared.changes),
            "new_years": list(compared.new_years),
            "values": compared.rows,
            "not_compared": [*damaged, *compared.not_compared],
        }
    for text in revised["not_compared"]:
        logger.warning("revisions: not compared: %s", text)
    _withhold_values(connection, draft / FIGURES)
    _copy_from_newest(connection, "marts.publication", sound, PUBLICATIONS)
    manifests = [
        *(publication.manifest for publication in publications(settings)),
        {**description, "revisions": revised},
    ]
    # Manifests are more complete than rows written by older code.
    connection.executemany(
        "delete from marts.publication where publication_id = ?",
        [[manifest["publication_id"]] for manifest in manifests],
    )
    rows = [_row(manifest) for manifest in manifests]
    connection.executemany(
        f"insert into marts.publication ({', '.join(rows[0])}) values ({', '.join('?' for _ in rows[0])})",
        [list(row.values()) for row in rows],
    )
    return revised


def _withhold_values(connection: duckdb.DuckDBPyConnection, figures: Path) -> None:
    """Remove the values of figures that the draft withholds or does not have, because their history would reveal them."""
    same = " and ".join(f"revision.{name} = withheld.{name}" for name in KEY)
    connection.execute(
        f"update marts.revision set old_value = null, new_value = null from {parquet(figures)} as withheld "
        f"where withheld.suppression is not null and {same}"
    )
    connection.execute(
        "update marts.revision set old_value = null, new_value = null "
        "where list_contains(?::varchar[], geography_level || '/' || measure)",
        [["/".join(one) for one in lacking_measures(connection, figures)]],
    )


def difference(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    before: Publication,
    figures: Path,
    description: Mapping[str, Any],
) -> Difference:
    """Create a table (`COLUMNS`) of the figures in a file of `fct_indicator_year` that differ from an earlier publication."""
    causes = causes_between(before.manifest, description)
    if FIGURES in before.manifest["files"] and figures.exists():
        compared = compare_figures(
            connection, table, before.folder / FIGURES, figures, published_years=_years_so_far(before), causes=causes
        )
    else:
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        connection.execute(f"create or replace table {table} ({columns})")
        compared = Comparison((), (f"no figure, since a publication has no {FIGURES}",))
    (rows,) = connection.execute(f"select count(*) from {table}").fetchone() or (0,)
    return Difference(
        tuple(cause.text for cause in causes),
        compared.new_years,
        (*compared.not_compared, *causes_not_described(before.manifest, description)),
        int(rows),
    )


def _sound_publications(settings: Settings) -> tuple[list[Publication], list[str]]:
    """Return the publications up to the newest undamaged one, and texts on newer damaged ones."""
    sound, damaged = publications(settings), []
    while sound:
        if not (files := changed_files(sound[-1], among=_NEEDED)):
            break
        damaged.append(f"{sound[-1].publication_id}, which is damaged ({', '.join(files)})")
        sound.pop()
    return sound, damaged


def _copy_from_newest(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    sound: Sequence[Publication],
    name: str,
) -> None:
    """Insert the rows of the newest publication that has this table."""
    candidates = (
        publication
        for publication in reversed(sound)
        if name in publication.manifest["files"] and not changed_files(publication, among=[name])
    )
    if newest := next(candidates, None):
        file = newest.folder / name
        available = [column for column, *_ in connection.execute(f"describe select * from {parquet(file)}").fetchall()]
        declared = connection.execute(f"describe {table}").fetchall()
        columns = ", ".join(column for column, *_ in declared if column in available)
        connection.execute(f"insert into {table} by name select {columns} from {parquet(file)}")


def _years_so_far(publication: Publication) -> set[int]:
    """Return all years published up to a publication."""
    listed = publication.folder / PUBLICATIONS
    with duckdb.connect() as connection:
        rows = connection.execute(f"select years from {parquet(listed)}").fetchall() if listed.exists() else []
    return {*publication.manifest["years"], *(int(year) for (years,) in rows for year in years.split(","))}


def _row(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of table `publication` from a manifest."""
    revised = manifest.get("revisions", {})
    return {
        "publication_id": manifest["publication_id"],
        "published_at": datetime.fromisoformat(manifest["published_at"]).replace(tzinfo=None),
        "is_synthetic": manifest["synthetic"],
        "first_year": min(manifest["years"]),
        "last_year": max(manifest["years"]),
        "years": _joined(manifest["years"]),
        "deliveries": _joined(
            f"{delivery['source']}/{delivery['year']}:{delivery['delivery_id']}" for delivery in manifest["deliveries"]
        ),
        "code_version": manifest["code_version"],
        "checks_passed": manifest["checks"]["passed"],
        "checks_warned": manifest["checks"]["warned"],
        # Not counted by older code.
        "checks_not_judged": manifest["checks"].get("not_judged"),
        "waivers": "; ".join(manifest.get("waivers", [])) or None,
        "predecessor": revised.get("predecessor"),
        "changes": ", ".join(revised.get("changes", ())) or None,
        "new_years": _joined(revised.get("new_years", ())),
        "revisions": revised.get("values"),
        "not_compared": "; ".join(revised.get("not_compared", ())) or None,
    }


def _joined(parts: Any) -> str | None:
    return ",".join(map(str, parts)) or None
