"""Builds Vega-Lite specifications of dot and bar charts, and what all charts share; line charts are in line_chart.py.

report.js reads the dimensions from `data-` attributes to draw another choice into the same frame. Words are placeholders
(`§key§`) until drawing.py fills them in, so that each chart is drawn once for all languages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Spec = dict[str, Any]
INK, MUTED, PALE, CHOSEN, WASH = "#1a1a1a", "#595959", "#e4e4e4", "#0b4f8a", "#c9dcee"
ROW = 18
PCT_TOPS = (4, 8, 12, 20, 40, 60, 80, 100)
DAY_TOPS = (100, 200, 400, 600, 800, 1200, 1600, 2400, 4000, 8000, 20000)


@dataclass(frozen=True)
class Picture:
    """A Vega-Lite specification, the margins of its plot (left, top, right, bottom) and its `data-` attributes for the script."""

    spec: Spec
    margins: tuple[int, int, int, int]
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Mark:
    """A row of a dot or bar chart: label, value and range; without a value only a text."""

    label: str
    value: float | None
    text: str
    low: float | None = None
    high: float | None = None
    far: float | None = None
    bold: bool = False
    hollow: bool = False
    row: float = 0


def dots(
    marks: Sequence[Mark], days: bool = False, reference: float | None = None, width: int = 400, left: int = 190
) -> Picture:
    """Build a dot chart with ranges."""
    values = [value for mark in marks for value in (mark.value, mark.high, mark.far) if value is not None]
    tops = DAY_TOPS if days else PCT_TOPS
    top = next((top for top in tops if top >= max([*values, 0])), max([*values, 0]))
    height = int(ROW * (max((mark.row for mark in marks), default=0) + 1))
    rows = [{**mark.__dict__, "at": ROW * (mark.row + 0.5)} for mark in marks]
    x = {
        "field": "value",
        "type": "quantitative",
        "scale": {"domain": [0, top], "nice": False},
        "axis": {"values": [top * part / 4 for part in range(5)], "title": None, "gridColor": PALE, "domain": False,
                 "ticks": False, "orient": "top", "format": "d", **axis_text("top")},
    }  # fmt: skip
    y = {"field": "at", "type": "quantitative", "scale": None, "axis": None}
    shown = [row for row in rows if row["value"] is not None]
    layers: list[Spec] = []

    def layer(name: str, values: Sequence[Any], mark: Spec, **channels: Any) -> None:
        if values:
            layers.append(
                {"name": name, "data": {"values": list(values)}, "mark": mark, "encoding": {"x": x, "y": y, **channels}}
            )

    for bold in (False, True):
        layer(
            f"dyn_label{bold}",
            [{**row, "value": 0} for row in rows if row["bold"] == bold],
            text_mark(13, align="right", dx=-8, fontWeight=700 if bold else 400),
            text={"field": "label"},
        )
    if reference is not None:
        layer(
            "dyn_reference",
            [{"value": reference, "at": 0, "bottom": height}],
            {"type": "rule", "stroke": INK, "strokeWidth": 1},
            y2={"field": "bottom", "scale": None},
        )
    layer(
        "dyn_far",
        [{**row, "value": row["high"], "to": row["far"]} for row in shown if row["far"] is not None],
        {"type": "rule", "stroke": MUTED, "strokeWidth": 1},
        x2={"field": "to"},
    )
    for bold in (False, True):
        colour = CHOSEN if bold else MUTED
        layer(
            f"dyn_range{bold}",
            [
                {**row, "value": row["low"], "to": row["high"]}
                for row in shown
                if row["low"] is not None and row["bold"] == bold
            ],
            {"type": "rule", "stroke": colour, "strokeWidth": 4 if days else 1.5, "opacity": 0.6},
            x2={"field": "to"},
        )
        for hollow in (False, True):
            layer(
                f"dyn_dot{bold}{hollow}",
                [row for row in shown if row["bold"] == bold and row["hollow"] == hollow],
                {
                    "type": "point",
                    "shape": "diamond" if bold else "circle",
                    "size": 90 if bold else 45,
                    "opacity": 1,
                    "stroke": colour,
                    "strokeWidth": 1.5,
                    "filled": True,
                    "fill": "#ffffff" if hollow else colour,
                },
            )
    layer(
        "dyn_text",
        [{**row, "value": top} for row in rows],
        text_mark(13, align="left", dx=10),
        text={"field": "text"},
    )
    spec: Spec = {"width": width, "height": height, "layer": layers}
    if not layers:
        spec = {"width": width, "height": height, **empty_plot(x, y)}
    return Picture(spec, (left, 24, 130, 8), {"kind": "dots", "w": width, "days": days})


def bars(marks: Sequence[Mark], width: int = 400, left: int = 230) -> Picture:
    """Build a bar chart of counts with value labels."""
    top = max([*(mark.value or 0 for mark in marks), 1])
    height = int((ROW + 8) * len(marks)) or ROW
    rows = [
        {"label": mark.label, "value": mark.value or 0, "text": mark.text, "at": (ROW + 8) * (number + 0.5), "zero": 0}
        for number, mark in enumerate(marks)
    ]
    x = {"field": "value", "type": "quantitative", "scale": {"domain": [0, top], "nice": False}, "axis": None}
    y = {"field": "at", "type": "quantitative", "scale": None, "axis": None}
    start = {**x, "field": "zero"}
    spec: Spec = {
        "width": width,
        "height": height,
        "data": {"values": rows},
        "layer": [
            {
                "name": "dyn_bar",
                "mark": {"type": "rule", "strokeWidth": ROW, "stroke": CHOSEN},
                "encoding": {"x": start, "x2": {"field": "value"}, "y": y},
            },
            {
                "name": "dyn_label",
                "mark": text_mark(13, align="right", dx=-8),
                "encoding": {"x": start, "y": y, "text": {"field": "label"}},
            },
            {
                "name": "dyn_text",
                "mark": text_mark(13, align="left", dx=6),
                "encoding": {"x": x, "y": y, "text": {"field": "text"}},
            },
        ],
    }
    return Picture(spec, (left, 4, 150, 4), {"kind": "bars", "w": width})


def text_mark(size: int, dy: int = 0, **more: Any) -> Spec:
    """Build a text mark, vertically centred on its position.

    The font size is negative because Vega then skips measuring the text, which took most of the rendering time;
    drawing.py restores the sign.
    """
    return {
        "type": "text",
        "fontSize": -size,
        "baseline": "alphabetic",
        "dy": dy + round(0.3 * size),
        "fill": INK,
        **more,
    }


def axis_text(orient: str) -> Spec:
    """Return the properties of axis labels; positions are explicit because the text is not measured (see `text_mark`)."""
    down = {"left": 0, "bottom": 9, "top": 3}[orient]
    beside = {"labelOffset": 4} if orient == "left" else {}
    return {"labelFontSize": -12, "labelBaseline": "alphabetic", "labelColor": MUTED, "labelFlush": False,
            "labelOverlap": False, "labelPadding": 6 + down, **beside}  # fmt: skip


def empty_plot(x: Spec, y: Spec) -> Spec:
    """Return an empty plot that keeps its axes."""
    return {"data": {"values": [{"year": 0, "value": 0}]}, "mark": {"type": "point", "opacity": 0},
            "encoding": {"x": x, "y": y}}  # fmt: skip
