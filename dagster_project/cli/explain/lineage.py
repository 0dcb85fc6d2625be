"""The models between the deliveries and a figure, with the counting rules that each of them holds."""

from __future__ import annotations

import json
from typing import Any

from dagster_project.transformation.dbt_project import require_manifest

RULES_PAGE = "docs/counting-rules.md"
# Headings of the page, by the model that the page names for them.
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
    """The model and all that it is made of, nearest first: name, kind (model, seed, source), description, reads and rules."""
    manifest = json.loads(require_manifest().read_text(encoding="utf-8"))
    nodes = {**manifest["nodes"], **manifest["sources"]}
    (start,) = [key for key, node in nodes.items() if node["resource_type"] == "model" and node["name"] == model]
    steps, waiting = [], [start]
    seen = set(waiting)
    while waiting:
        node = nodes[waiting.pop(0)]
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
        waiting.extend(new)
    return steps
