"""A dashboard for Apache Superset, as the zip file that its own import reads (`superset import-dashboards`)."""

from __future__ import annotations

import uuid
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from dagster_project.declared_files import StrictLoader
from dagster_project.publication.formats.texts import notes
from dagster_project.transformation.dbt_project import MartDeclaration, mart_declarations

DASHBOARD = "superset.zip"
_FORMAT = "1.0.0"
_NAMES = uuid.uuid5(uuid.NAMESPACE_DNS, "uppklarat.superset")


def write_superset(draft: Path, manifest: Mapping[str, Any]) -> None:
    """Write the dashboard of `indicator_report`, with the columns as the mart declares them.

    It opens with the newest of the manifest's `years`, and says so if the data are `synthetic`.
    """
    declared = yaml.load(Path(__file__).with_suffix(".yml").read_text(encoding="utf-8"), Loader=StrictLoader)  # noqa: S506
    with zipfile.ZipFile(draft / DASHBOARD, "w", zipfile.ZIP_DEFLATED) as archive:
        if manifest["synthetic"]:
            declared["dashboard"]["note"] = f"**{notes()['synthetic']['sv']}** {declared['dashboard']['note']}"
        for name, content in _files(declared, mart_declarations()[declared["table"]], max(manifest["years"])):
            # The same publication gives the same bytes.
            entry = zipfile.ZipInfo(f"uppklarat/{name}.yaml", date_time=(1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, yaml.safe_dump(content, allow_unicode=True, sort_keys=False))


def _files(
    declared: Mapping[str, Any], mart: MartDeclaration, newest_year: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The files of the archive, dependencies of the dashboard first."""
    table, dashboard, charts = declared["table"], declared["dashboard"], declared["charts"]
    only = {"expressionType": "SIMPLE", "clause": "WHERE", "operator": "=="}
    only |= {"subject": "adds_up_in", "comparator": declared["adds_up_in"]}
    yield "metadata", {"version": _FORMAT, "type": "Dashboard", "timestamp": "1980-01-01T00:00:00+00:00"}
    yield (
        "databases/uppklarat",
        {**declared["database"], "expose_in_sqllab": True, "extra": {}, "uuid": _uuid("database"), "version": _FORMAT},
    )
    yield (
        f"datasets/Uppklarat/{table}",
        {
            "table_name": table,
            "schema": declared["schema"],
            "description": mart.description,
            "columns": [_column(name, *column, declared["labels"].get(name)) for name, column in mart.columns.items()],
            "metrics": [{"metric_name": name, **metric} for name, metric in declared["metrics"].items()],
            "uuid": _uuid(table),
            "database_uuid": _uuid("database"),
            "version": _FORMAT,
        },
    )
    for name, chart in charts.items():
        yield f"charts/{name}", _chart(name, chart, only, _uuid(table))
    yield (
        "dashboards/uppklarat",
        {
            "dashboard_title": dashboard["title"],
            "slug": dashboard["slug"],
            "published": True,
            "uuid": _uuid("dashboard"),
            "position": _position(charts, dashboard["note"]),
            "metadata": {
                "native_filter_configuration": [
                    _filter(name, {"default": newest_year, **of}, charts, only, _uuid(table))
                    for name, of in declared["filters"].items()
                ]
            },
            "version": _FORMAT,
        },
    )


def _column(name: str, kind: str, description: str, label: str | None) -> dict[str, Any]:
    return {
        "column_name": name,
        "verbose_name": label,
        "type": kind.upper(),
        "description": description,
        "is_dttm": kind in ("date", "timestamp"),
        "is_active": True,
        "groupby": True,
        "filterable": True,
    }


def _chart(name: str, chart: Mapping[str, Any], only: Mapping[str, Any], dataset: str) -> dict[str, Any]:
    return {
        "slice_name": chart["slice_name"],
        "viz_type": chart["viz_type"],
        "params": {"viz_type": chart["viz_type"], "adhoc_filters": [dict(only)], **chart["params"]},
        "uuid": _uuid(name),
        "dataset_uuid": dataset,
        "version": _FORMAT,
    }


def _position(charts: Mapping[str, Mapping[str, Any]], note: str) -> dict[str, Any]:
    """The note, then the charts, in rows of twelve columns."""
    position: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"id": "ROOT_ID", "type": "ROOT", "children": ["GRID_ID"]},
        "GRID_ID": {"id": "GRID_ID", "type": "GRID", "children": [], "parents": ["ROOT_ID"]},
    }
    elements: list[tuple[str, str, dict[str, Any]]] = [
        ("MARKDOWN-note", "MARKDOWN", {"code": note, "width": 12, "height": 16})
    ]
    elements += [
        (
            f"CHART-{name}",
            "CHART",
            {"chartId": number, "uuid": _uuid(name), "sliceName": chart["slice_name"], "width": chart["width"], "height": 60},
        )
        for number, (name, chart) in enumerate(charts.items(), start=1)
    ]  # fmt: skip
    row, taken = "", 12
    for key, kind, meta in elements:
        if taken + meta["width"] > 12:
            row, taken = f"ROW-{key}", 0
            position["GRID_ID"]["children"].append(row)
            position[row] = {
                "id": row,
                "type": "ROW",
                "children": [],
                "parents": ["ROOT_ID", "GRID_ID"],
                "meta": {"background": "BACKGROUND_TRANSPARENT"},
            }
        taken += meta["width"]
        position[row]["children"].append(key)
        position[key] = {
            "id": key,
            "type": kind,
            "children": [],
            "parents": ["ROOT_ID", "GRID_ID", row],
            "meta": meta,
        }
    return position


def _filter(
    name: str,
    of: Mapping[str, Any],
    charts: Mapping[str, Mapping[str, Any]],
    only: Mapping[str, Any],
    dataset: str,
) -> dict[str, Any]:
    """A filter that has one value at a time, for all charts but those that ignore it."""
    ignored = [number for number, chart in enumerate(charts.values(), start=1) if name in chart["ignores"]]
    return {
        "id": f"NATIVE_FILTER-{of['column']}",
        "type": "NATIVE_FILTER",
        "filterType": "filter_select",
        "name": name,
        "targets": [{"datasetUuid": dataset, "column": {"name": of["column"]}}],
        "adhoc_filters": [dict(only)],
        "defaultDataMask": {
            "extraFormData": {"filters": [{"col": of["column"], "op": "IN", "val": [of["default"]]}]},
            "filterState": {"value": [of["default"]]},
        },
        "controlValues": {"multiSelect": False, "enableEmptyFilter": True, "defaultToFirstItem": False},
        "cascadeParentIds": [],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": ignored},
    }


def _uuid(name: str) -> str:
    return str(uuid.uuid5(_NAMES, name))
