"""JSON-stat 2.0 (https://json-stat.org/full/): a dataset per cube and language, and a collection per language."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from dagster_project.files import write_json, write_text
from dagster_project.publication.formats.catalogue import Catalogue
from dagster_project.publication.formats.cubes import DIMENSIONS, MEASURE, Cube, Dimension
from dagster_project.publication.formats.texts import LANGUAGES, Text, columns, notes

_ROLES = {"time": [DIMENSIONS[3]], "geo": [DIMENSIONS[1]], "metric": [MEASURE]}


def write_json_stat(cube: Cube, folder: Path, manifest: Mapping[str, Any], reader_texts: Sequence[Text]) -> None:
    """Write a cube as `<cube>.<language>.json` with notes for readers."""
    # Encoded once for all languages, because it is most of the file.
    same = {
        **({"status": {str(position): why for position, why in cube.withheld.items()}} if cube.withheld else {}),
        "value": orjson.Fragment(f"[{','.join(cube.texts)}]"),
    }
    tail = orjson.dumps(same).decode()
    for language in LANGUAGES:
        head = json.dumps(_metadata(cube, manifest, reader_texts, language), ensure_ascii=False)
        write_text(folder / f"{cube.name}.{language}.json", f"{head.removesuffix('}')}, {tail.removeprefix('{')}\n")


def write_collections(
    cubes: Sequence[tuple[str, Text]], folder: Path, manifest: Mapping[str, Any], catalogue: Catalogue
) -> None:
    """Write the collection of all cubes as `<language>.json`; links are relative if no base URL is configured."""
    base = f"{catalogue.base_url}{manifest['publication_id']}/{folder.name}/" if catalogue.base_url else ""
    for language in LANGUAGES:
        items = [
            {"class": "dataset", "href": f"{base}{name}.{language}.json", "label": label[language]}
            for name, label in cubes
        ]
        collection = {
            "version": "2.0",
            "class": "collection",
            "label": catalogue.title[language],
            "updated": manifest["published_at"],
            "link": {"item": items},
        }
        write_json(folder / f"{language}.json", collection)


def read_values(path: Path) -> tuple[list[Any], dict[int, str]]:
    """Read the values and withheld positions of a cube."""
    read = orjson.loads(path.read_bytes())
    return read["value"], {int(position): why for position, why in read.get("status", {}).items()}


def _metadata(cube: Cube, manifest: Mapping[str, Any], reader_texts: Sequence[Text], language: str) -> dict[str, Any]:
    return {
        "version": "2.0",
        "class": "dataset",
        "label": cube.title[language],
        "source": notes()["source"][language],
        "updated": manifest["published_at"],
        "note": [text[language] for text in (*reader_texts, *cube.notes)],
        "extension": {
            "publication_id": manifest["publication_id"],
            "synthetic": manifest["synthetic"],
            "status": {"label": {why: text[language] for why, text in notes()["no_number"].items() if why != "none"}},
        },
        "role": _ROLES,
        "id": [dimension.name for dimension in cube.dimensions],
        "size": list(cube.size),
        "dimension": {dimension.name: _dimension(cube, dimension, language) for dimension in cube.dimensions},
    }


def _dimension(cube: Cube, dimension: Dimension, language: str) -> dict[str, Any]:
    category: dict[str, Any] = {
        "index": list(dimension.categories),
        "label": {code: label[language] for code, label in dimension.categories.items()},
    }
    if dimension.name == MEASURE:
        category["unit"] = {
            code: {"label": unit[language], "decimals": columns()[code].decimals}
            for code in dimension.categories
            if (unit := columns()[code].unit)
        }
    if dimension.name in _ROLES["time"] and cube.breaks:
        category["note"] = {year: [cause[language] for cause in causes] for year, causes in cube.breaks.items()}
    return {"label": dimension.label[language], "category": category}
