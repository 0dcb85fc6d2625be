"""Renders the validation page: a self-contained HTML file with the results of an audit.

The page shows only counts, aggregates and declared text, which `expectations.observed` ensures.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, get_args

import jinja2

from expectations.results import CheckResult, Layer

_LAYERS: dict[Layer, str] = {
    "raw": "Raw: the deliveries as received",
    "intermediate": "Intermediate: the offences",
    "marts": "Marts: the figures",
    "published": "Published: the files, read back",
}
_ORDER = {layer: place for place, layer in enumerate(get_args(Layer))}
_OWNERS = {"us": "We do: the fault is in our code or our limits", "supplier": "The supplier of the delivery"}


def render_page(results: Sequence[CheckResult], *, heading: Mapping[str, str], destination: Path) -> Path:
    """Write the page of an audit, replacing any existing file atomically.

    Args:
        results: All results of the run, in any order.
        heading: Label and value of each heading line; the first value is also in the page title.
        destination: The file to write or replace.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    html = environment.get_template("page.html.j2").render(
        heading=heading,
        verdict=_verdict(results),
        failed=[_describe(result) for result in sorted(results, key=_worst_first) if result.blocks or result.warns],
        layers=_group_by_layer(results),
    )
    destination.parent.mkdir(parents=True, exist_ok=True)
    # `tempfile` would create a file that only its owner can read.
    temporary = destination.with_name(f".{destination.name}.{uuid.uuid4().hex}.tmp")
    try:
        temporary.write_text(html, encoding="utf-8")
        temporary.replace(destination)
    finally:
        temporary.unlink(missing_ok=True)
    return destination


def _verdict(results: Sequence[CheckResult]) -> dict[str, Any]:
    blocked = sum(result.blocks for result in results)
    warned = sum(result.warns for result in results)
    not_judged = sum(result.result == "not judged" for result in results)
    if not results:
        word, kind, sentence = "Blocked", "block", "No check was run, so nothing may be published."
    elif blocked:
        word, kind, sentence = "Blocked", "block", "Nothing was published: correct the blocking checks first."
    elif warned:
        word, kind, sentence = "Published, with warnings", "warn", "No check blocks publication; see the warnings."
    else:
        word, kind, sentence = "Published", "pass", "Every check that could be judged passed."
    counts = {
        "checks in all": len(results),
        "passed": sum(result.passed for result in results),
        "warned": warned,
        "blocked": blocked,
        "not judged": not_judged,
    }
    return {"word": word, "kind": kind, "sentence": sentence, "counts": counts}


def _describe(result: CheckResult) -> dict[str, Any]:
    kind = result.severity if result.result == "failed" else result.result.replace(" ", "-")
    return {
        "kind": kind,
        "word": {
            "passed": "Passed",
            "block": "Blocks",
            "warn": "Warns",
            "waived": "Waived",
            "not-judged": "Not judged",
        }[kind],
        "title": result.name.replace("_", " ").capitalize(),
        "reason": result.reason[:1].upper() + result.reason[1:],
        # 0 would suggest that the rows were counted.
        "rows": "not counted"
        if (result.error or result.result == "not judged") and not result.rows
        else f"{result.rows:,}",
        "owner": _OWNERS[result.owner],
        "result": result,
    }


def _group_by_layer(results: Sequence[CheckResult]) -> list[dict[str, Any]]:
    in_order = sorted(results, key=lambda result: (_ORDER[result.layer], result.asset))
    return [
        {
            "title": _LAYERS[layer],
            "assets": [
                {"name": asset, "checks": [_describe(result) for result in checks]}
                for asset, checks in groupby(in_layer, key=lambda result: result.asset)
            ],
        }
        for layer, in_layer in groupby(in_order, key=lambda result: result.layer)
    ]


def _worst_first(result: CheckResult) -> tuple[bool, int, str]:
    return not result.blocks, _ORDER[result.layer], result.asset
