"""Describes the CSV and Parquet files as a Data Package (https://datapackage.org, version 2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from dagster_project.files import write_json
from dagster_project.publication.formats.catalogue import Catalogue
from dagster_project.publication.formats.texts import LANGUAGES, column_of, notes, reader_notes
from dagster_project.publications import hash_file
from dagster_project.transformation.dbt_project import MartDeclaration, mart_declarations

PACKAGE = "datapackage.json"
_TYPES: Mapping[str, Mapping[str, str]] = {
    "varchar": {"type": "string"},
    "integer": {"type": "integer"},
    "bigint": {"type": "integer"},
    "double": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "date"},
    "timestamp": {"type": "datetime", "format": "%Y-%m-%d %H:%M:%S"},
}
_ENGLISH = LANGUAGES[1]


def write_datapackage(draft: Path, tables: Iterable[str], manifest: Mapping[str, Any], catalogue: Catalogue) -> None:
    """Write the Data Package descriptor of a draft."""
    declared = mart_declarations()
    reader_texts = " ".join(text[_ENGLISH] for text in reader_notes(manifest))
    publisher = {"title": catalogue.publisher[_ENGLISH], "roles": ["publisher"]}
    package = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": "uppklarat",
        "title": catalogue.title[_ENGLISH],
        "description": f"{catalogue.description[_ENGLISH]} {reader_texts}",
        "version": manifest["publication_id"],
        "created": manifest["published_at"],
        "keywords": list(catalogue.keywords[_ENGLISH]),
        "licenses": [{"name": catalogue.licence_name, "path": catalogue.licence}],
        "sources": [{"title": notes()["source"][_ENGLISH]}],
        "contributors": [
            {**publisher, **({"path": catalogue.publisher_uri} if catalogue.publisher_uri else {})},
            {"title": catalogue.contact[_ENGLISH], "email": catalogue.contact_email, "roles": ["contact"]},
        ],
        **({"homepage": catalogue.landing_page} if catalogue.landing_page else {}),
        "resources": [resource for table in sorted(tables) for resource in _resources(draft, table, declared)],
    }
    write_json(draft / PACKAGE, package)


def _resources(draft: Path, table: str, declared: Mapping[str, MartDeclaration]) -> Iterator[dict[str, Any]]:
    """Yield a table as CSV with its schema, and as Parquet, which contains its own."""
    declaration = declared[table]

    def file(path: str) -> dict[str, Any]:
        about = hash_file(draft / path)
        return {
            "path": path,
            "description": declaration.description,
            "scheme": "file",
            "bytes": about["bytes"],
            "hash": f"sha256:{about['sha256']}",
        }

    yield {
        "name": table,
        "type": "table",
        **file(f"csv/{table}.csv"),
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": {
            "fields": [_field(table, name, kind, meaning) for name, (kind, meaning) in declaration.columns.items()],
            "missingValues": [""],
            "primaryKey": list(declaration.key),
            **({"foreignKeys": keys} if (keys := _foreign_keys(table, declared)) else {}),
        },
    }
    yield {
        "name": f"{table}-parquet",
        "type": "file",
        **file(f"parquet/{table}.parquet"),
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
    }


def _field(table: str, name: str, kind: str, meaning: str) -> dict[str, Any]:
    labelled = column_of(table, name)
    allowed = _allowed_values().get((table, name))
    return {
        "name": name,
        **({"title": labelled.label[_ENGLISH]} if labelled else {}),
        **_TYPES[kind],
        "description": meaning,
        **({"constraints": {"enum": allowed}} if allowed else {}),
    }


@cache
def _allowed_values() -> Mapping[tuple[str, str], list[Any]]:
    """Return the sets of allowed values in the expectations by table and column."""
    from great_expectations import expectations as gxe

    from expectations.suites import load_suites

    return {
        (suite.meta["asset"], expectation.column): expectation.value_set
        for suite in load_suites("marts")
        for expectation in suite.expectations
        if isinstance(expectation, gxe.ExpectColumnValuesToBeInSet | gxe.ExpectColumnDistinctValuesToEqualSet)
    }


def _foreign_keys(table: str, declared: Mapping[str, MartDeclaration]) -> list[dict[str, Any]]:
    """Return a foreign key of a fact for every dimension whose key it has."""
    return [
        {"fields": list(dimension.key), "reference": {"resource": name, "fields": list(dimension.key)}}
        for name, dimension in declared.items()
        if table.startswith("fct_") and name.startswith("dim_") and set(dimension.key) <= set(declared[table].columns)
    ]
