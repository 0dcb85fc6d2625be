"""Renders Vega-Lite specifications as compact SVG and fills in the words of a language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any

from dagster_project.report.charts import Picture


def draw(pictures: Mapping[str, Picture]) -> dict[str, str]:
    """Render each picture as SVG with the origin at the plot's upper left corner and placeholders for words."""
    return {name: _draw_one(picture) for name, picture in pictures.items()}


def _draw_one(picture: Picture) -> str:
    import vl_convert  # imported here because it starts a JavaScript engine

    svg: str = vl_convert.vegalite_to_svg(
        {
            "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
            "autosize": "none",
            "padding": 0,
            "config": {"view": {"stroke": None}, "background": None, "aria": False},
            **picture.spec,
        }
    )
    inner = _lean(svg[svg.index("<g") : svg.rindex("</svg>")])
    left, top, right, bottom = picture.margins
    width, height = left + picture.spec["width"] + right, top + picture.spec["height"] + bottom
    data = "".join(f' data-{name}="{value}"' for name, value in picture.data.items())
    return f'<svg viewBox="{-left} {-top} {width} {height}" width="{width}" height="{height}"{data}>{inner}</svg>'


def fill_in_words(svg: str, words: Mapping[str, str], number: Any) -> str:
    """Replace `§key§`, `§n:1234§` (a count) and `§t:123§` (tenths) by escaped words and numbers."""

    def replace(token: re.Match[str]) -> str:
        kind, _, rest = token[1].partition(":")
        return escape(number(kind, int(rest)) if kind in ("n", "t") else words[token[1]])

    return re.sub("§([^§]+)§", replace, svg)


def _lean(svg: str) -> str:
    """Remove attributes and elements that are not needed, because a page holds many drawings."""
    svg = re.sub(r' class="[^"]*\bdyn_\w*"', ' class="dyn"', svg)
    svg = re.sub(r' class="mark-text role-axis-label"', ' class="al"', svg)
    svg = re.sub(r' class="(?!dyn"|al")[^"]*"', "", svg)
    svg = re.sub(r' (?:aria-[\w-]+|role|pointer-events|stroke-miterlimit)="[^"]*"', "", svg)
    svg = re.sub(r' opacity="1"| fill="none"(?= stroke="none")| d=""', "", svg)
    svg = re.sub(r'<path display="none"/>|<path d="M0,0h0v0h0Z"/>', "", svg)
    svg = re.sub(r"-?\d+\.\d{2,}", lambda number: f"{float(number[0]):.1f}", svg)
    svg = re.sub(r' font-family="[^"]*"', "", svg).replace('font-size="-', 'font-size="')
    for _ in range(4):
        svg = re.sub(r"<g[^>]*></g>", "", svg)
    return svg
