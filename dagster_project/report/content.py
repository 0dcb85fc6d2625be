"""Runs content.js as a browser does, to generate the published sentences, tables and charts of a choice as text."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("content.js").read_text(encoding="utf-8")


def content(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a page with this embedded data for its own choice."""
    made: dict[str, Any] = json.loads(_engine()(json.dumps(data)))
    return made


@cache
def _engine() -> Callable[[str], str]:
    import quickjs

    context = quickjs.Context()
    run: Callable[[str], str] = context.eval(
        f"{SOURCE}; (text) => {{ const data = JSON.parse(text); return JSON.stringify(content(data, data.choice)); }}"
    )
    return run
