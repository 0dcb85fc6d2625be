"""The page that shows what an audit found: one HTML file that needs nothing but itself.

It shows counts, aggregates and declared text; `expectations.observed` keeps out anything else.
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
    """Write the page of one audit; a reader sees the old page or the new one, never half of one.

    Args:
        results: All results of the run, in any order.
        heading: What the page is about, label by label; the first value also names it in the title.
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
        failed=[_shown(one) for one in sorted(results, key=_worst_first) if one.blocks or one.warns],
        layers=_by_layer(results),
    )
    destination.parent.mkdir(parents=True, exist_ok=True)
    # not `tempfile`: its files are for their owner only, and this one is to be read by others
    temporary = destination.with_name(f".{destination.name}.{uuid.uuid4().hex}.tmp")
    try:
        temporary.write_text(html, encoding="utf-8")
        temporary.replace(destination)  # atomic
    finally:
        temporary.unlink(missing_ok=True)
    return destination


def _verdict(results: Sequence[CheckResult]) -> dict[str, Any]:
    blocked = sum(one.blocks for one in results)
    warned = sum(one.warns for one in results)
    not_judged = sum(one.result == "not judged" for one in results)
    if not results:
        word, kind, sentence = "Blocked", "block", "No check was run, so nothing may be published."
    elif blocked:
        word, kind, sentence = "Blocked", "block", "Nothing was published: what blocks must be put right first."
    elif warned:
        word, kind, sentence = "Published, with warnings", "warn", "No check blocks publication; mind the warnings."
    else:
        word, kind, sentence = "Published", "pass", "Every check that could be judged passed."
    counts = {
        "checks in all": len(results),
        "passed": sum(one.passed for one in results),
        "warned": warned,
        "blocked": blocked,
        "not judged": not_judged,
    }
    return {"word": word, "kind": kind, "sentence": sentence, "counts": counts}


def _shown(one: CheckResult) -> dict[str, Any]:
    kind = one.severity if one.result == "failed" else one.result.replace(" ", "-")
    return {
        "kind": kind,
        "word": {
            "passed": "Passed",
            "block": "Blocks",
            "warn": "Warns",
            "waived": "Waived",
            "not-judged": "Not judged",
        }[kind],
        "title": one.name.replace("_", " ").capitalize(),
        "reason": one.reason[:1].upper() + one.reason[1:],
        # a check that was not evaluated or not judged has counted nothing: a 0 would calm where there is no reason to
        "rows": "not counted" if (one.error or one.result == "not judged") and not one.rows else f"{one.rows:,}",
        "owner": _OWNERS[one.owner],
        "result": one,
    }


def _by_layer(results: Sequence[CheckResult]) -> list[dict[str, Any]]:
    in_order = sorted(results, key=lambda one: (_ORDER[one.layer], one.asset))
    return [
        {
            "title": _LAYERS[layer],
            "assets": [
                {"name": asset, "checks": [_shown(one) for one in checks]}
                for asset, checks in groupby(in_layer, key=lambda one: one.asset)
            ],
        }
        for layer, in_layer in groupby(in_order, key=lambda one: one.layer)
    ]


def _worst_first(one: CheckResult) -> tuple[bool, int, str]:
    return not one.blocks, _ORDER[one.layer], one.asset
