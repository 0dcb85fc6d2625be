"""The models between deliveries and a figure, with links to their counting rules."""

from __future__ import annotations

import json
from typing import Any

from dagster_project.transformation.dbt_project import prepare_manifest

RULES_PAGE = "docs/counting-rules.md"
# Headings of the page by model.
RULES = {
    "fct_indicator_year": ("rates",),
    "int_figure_year": ("rates",),
    "series_break": ("breaks-in-the-series",),
    "int_counted_offence": ("geography",),
    "int_class_variant": ("from-code-to-indicator",),
    "int_processed_offence": ("what-is-counted", "one-offence-several-decisions", "reopening-ours"),
    "int_scoped_offence": ("from-code-to-indicator", "victim-groups", "geography"),
    "int_looked_up_offence": ("where-the-attributes-come-from",),
    "int_unmatched_decision": ("where-the-attributes-come-from",),
}


def lineage(model: str = "fct_indicator_year") -> list[dict[str, Any]]:
    """Return a model and its upstream nodes, nearest first."""
    manifest = json.loads(prepare_manifest().read_text(encoding="utf-8"))
    nodes = {**manifest["nodes"], **manifest["sources"]}
    (start,) = [key for key, node in nodes.items() if node["resource_type"] == "model" and node["name"] == model]
    steps, queue = [], [start]
    seen = set(queue)
    while queue:
        node = nodes[queue.pop(0)]
        parents = node.get("depends_on", {}).get("nodes", [])
        steps.append(
            {
                "name": node["name"],
                "kind": node["resource_type"],
                "description": " ".join(node["description"].split()),
                "reads": [nodes[parent]["name"] for parent in parents],
                "rules": [f"{RULES_PAGE}#{anchor}" for anchor in RULES.get(node["name"], ())],
            }
        )
        new = [parent for parent in parents if parent not in seen]
        seen.update(new)
        queue.extend(new)
    return steps
