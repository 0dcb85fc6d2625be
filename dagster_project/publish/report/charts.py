"""Pictures: rows of figures drawn by Vega-Lite as SVG, in words that are filled in per language afterwards.

All pictures of one kind share their measures, which report.js also reads (`data-` attributes), so that it can draw another
choice into the same frame. Words stand as `§key§` until `in_language` puts them in; one drawing serves every language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import escape
from typing import Any

Spec = dict[str, Any]
FONT = "system-ui"
INK, MUTED, PALE, CHOSEN, WASH = "#1a1a1a", "#595959", "#e4e4e4", "#0b4f8a", "#c9dcee"
ROW = 18
_PCT_TOPS = (4, 8, 12, 20, 40, 60, 80, 100)
_DAY_TOPS = (100, 200, 400, 600, 800, 1200, 1600, 2400, 4000, 8000, 20000)


@dataclass(frozen=True)
class Picture:
    """A Vega-Lite specification, the room around its plot (left, top, right, bottom) and what the script must know of it."""

    spec: Spec
    room: tuple[int, int, int, int]
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Point:
    """A year of a line, in per cent; `why` says why there is no value."""

    year: int
    value: float | None
    low: float | None = None
    high: float | None = None
    small: bool = False
    why: str = ""


@dataclass(frozen=True)
class Line:
    """A line by year; `style` is chosen, second, country or median."""

    style: str
    label: str
    points: Sequence[Point]


@dataclass(frozen=True)
class Break:
    """A change that makes years incomparable; a letter leads to its reason."""

    year: int
    mixed: bool
    letter: str


@dataclass(frozen=True)
class Mark:
    """A row of dots or bars: label, value, and what lies around it; without a value only a text."""

    label: str
    value: float | None
    text: str
    low: float | None = None
    high: float | None = None
    far: float | None = None
    bold: bool = False
    hollow: bool = False
    row: float = 0


def lines(
    all_lines: Sequence[Line],
    spread: Sequence[tuple[int, float, float]],
    years: Sequence[int],
    cuts: Iterable[int],
    breaks: Sequence[Break],
    size: tuple[int, int] = (560, 250),
    label_room: int = 150,
    beside: Sequence[Line] = (),
) -> Picture:
    """Lines by year, broken where years cannot be compared; `cuts` are the years not comparable with the year before.

    `beside` are the lines of other plots on the same scale.
    """
    width, height = size
    small = height < 100
    cuts = sorted(cuts)
    values = [
        value for line in [*all_lines, *beside] for point in line.points for value in (point.value, point.high) if value
    ]
    top = next(top for top in _PCT_TOPS if top >= max([*values, *(high for _, _, high in spread), 0]))
    first, last = years[0] - 0.5, years[-1] + 0.5
    x = {
        "field": "year",
        "type": "quantitative",
        "scale": {"domain": [first, last], "nice": False, "zero": False},
        "axis": {
            "values": _shown(years, width),
            "format": "d",
            "grid": False,
            "title": None,
            "ticks": False,
            **_text(),
        },
    }
    y = {
        "field": "value",
        "type": "quantitative",
        "scale": {"domain": [0, top], "nice": False},
        "axis": {
            "values": [0.0, top] if small else [top * part / 4 for part in range(5)],
            "title": None,
            "domain": False,
            "ticks": False,
            "gridColor": PALE,
            **_text(),
        },
    }
    layers: list[Spec] = []

    def layer(name: str, rows: Sequence[Mapping[str, Any]], mark: Spec, **channels: Any) -> None:
        # Vega-Lite takes no scale from a layer without rows, and an empty one draws nothing.
        if rows:
            layers.append(
                {"name": name, "data": {"values": list(rows)}, "mark": mark, "encoding": {"x": x, "y": y, **channels}}
            )

    layer(
        "fixed_mixed",
        [{"year": one.year - 0.5, "to": one.year + 0.5, "value": 0, "top": top} for one in breaks if one.mixed],
        {"type": "rect", "color": "#f1f1f1"},
        x2={"field": "to"},
        y2={"field": "top"},
    )
    layer(
        "fixed_cut",
        [{"year": cut - 0.5, "value": 0, "top": top} for cut in cuts if cut > years[0]],
        {"type": "rule", "strokeDash": [3, 3], "stroke": MUTED},
        y2={"field": "top"},
    )
    layer(
        "fixed_letter",
        [
            {"year": year - (0 if mixed else 0.5), "value": top, "text": letters}
            for (year, mixed), letters in _letters(breaks).items()
        ],
        {"type": "text", "dy": -9, "fontSize": 12, "font": FONT, "fill": INK},
        text={"field": "text"},
    )
    layer(
        "dyn_spread",
        [
            {"year": year + edge, "value": low, "to": high, "segment": year}
            for year, low, high in spread
            for edge in (-0.5, 0.5)
        ],
        {"type": "area", "color": "#dddddd", "opacity": 0.6},
        y2={"field": "to"},
        detail={"field": "segment"},
    )
    for number, line in enumerate(line for line in all_lines if line.style == "chosen"):
        # The chosen line's band lies below all lines, or it would hide what it is compared with.
        banded = [
            {**row, "value": row["low"], "to": row["high"]}
            for row in _segments(line.points, cuts)
            if row["low"] is not None
        ]
        layer(
            f"dyn_band{number}",
            banded,
            {"type": "area", "color": WASH, "opacity": 0.8},
            y2={"field": "to"},
            detail={"field": "segment"},
        )
        layer(
            f"dyn_interval{number}",
            banded,
            {"type": "rule", "stroke": CHOSEN, "strokeWidth": 1, "opacity": 0.5},
            y2={"field": "to"},
        )
    styles = {"country": ([1, 0], 1.5, INK), "median": ([5, 3], 1.5, MUTED), "second": ([6, 2], 2, MUTED)}
    for number, line in enumerate(all_lines):
        rows = _segments(line.points, cuts)
        chosen = line.style == "chosen"
        dash, thickness, colour = styles.get(line.style, ([1, 0], 2.5, CHOSEN))
        layer(
            f"dyn_line{number}",
            rows,
            {"type": "line", "stroke": colour, "strokeWidth": thickness, "strokeDash": dash},
            detail={"field": "segment"},
        )
        if chosen or line.style == "second":
            for hollow in (False, True):
                layer(
                    f"dyn_dot{number}{hollow}",
                    [row for row in rows if row["small"] == hollow],
                    {
                        "type": "point",
                        "shape": "circle" if chosen else "square",
                        "size": 30 if small else 45,
                        "opacity": 1,
                        "filled": True,
                        "stroke": colour,
                        "strokeWidth": 1.5,
                        "fill": "#ffffff" if hollow else colour,
                    },
                )
        else:
            # A line of one year has no length: it is shown as a dash.
            layer(f"dyn_dash{number}", rows, {"type": "tick", "color": colour, "thickness": thickness, "size": 8,
                                               "orient": "horizontal"})  # fmt: skip
        if chosen and not small:
            gaps = [(point.year, point.why) for point in line.points if point.why]
            upright = {"type": "text", "dy": -6, "fontSize": 12, "font": FONT, "fill": MUTED}
            along = {
                "type": "text",
                "angle": 270,
                "align": "left",
                "dx": 4,
                "fontSize": 11,
                "font": FONT,
                "fill": MUTED,
            }
            layer(
                f"dyn_gap{number}",
                [
                    {
                        "year": year,
                        "value": 0,
                        "text": why.replace("_short", "").replace("§", "§gap_", 1) if beside else why,
                    }
                    for year, why in gaps
                ],
                upright if beside else along,
                text={"field": "text"},
            )
    if label_room:
        layer(
            "dyn_label",
            _end_labels(all_lines, last, top, height),
            {"type": "text", "align": "left", "dx": 6, "fontSize": 13, "font": FONT},
            y={"field": "at", "type": "quantitative", "scale": None},
            text={"field": "text"},
            color={"field": "colour", "type": "nominal", "scale": None},
        )
    spec = {"width": width, "height": height, "layer": layers or [_nothing(x, y)]}
    if not layers:
        spec = {"width": width, "height": height, **_nothing(x, y)}
    data = {
        "kind": "lines",
        "w": width,
        "h": height,
        "from": first,
        "to": last,
        "labels": label_room,
        "small": small,
        "panel": bool(beside),
    }
    return Picture(spec, (36, 22 if breaks else 10, label_room or 10, 24), data)


def dots(
    marks: Sequence[Mark], days: bool = False, reference: float | None = None, width: int = 400, left: int = 190
) -> Picture:
    """Dots in rows, each with the range around it."""
    values = [value for mark in marks for value in (mark.value, mark.high, mark.far) if value is not None]
    tops = _DAY_TOPS if days else _PCT_TOPS
    top = next((top for top in tops if top >= max([*values, 0])), max([*values, 0]))
    height = int(ROW * (max((mark.row for mark in marks), default=0) + 1))
    rows = [{**mark.__dict__, "at": ROW * (mark.row + 0.5)} for mark in marks]
    x = {
        "field": "value",
        "type": "quantitative",
        "scale": {"domain": [0, top], "nice": False},
        "axis": {"values": [top * part / 4 for part in range(5)], "title": None, "gridColor": PALE, "domain": False,
                 "ticks": False, "orient": "top", "format": "d", **_text()},
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
            {"type": "text", "align": "right", "dx": -8, "fontSize": 13, "font": FONT, "fill": INK,
             "fontWeight": 700 if bold else 400},
            text={"field": "label"},
        )  # fmt: skip
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
        {"type": "text", "align": "left", "dx": 10, "fontSize": 13, "font": FONT, "fill": INK},
        text={"field": "text"},
    )
    spec: Spec = {"width": width, "height": height, "layer": layers}
    if not layers:
        spec = {"width": width, "height": height, **_nothing(x, y)}
    return Picture(spec, (left, 24, 130, 8), {"kind": "dots", "w": width, "days": days})


def bars(marks: Sequence[Mark], width: int = 400, left: int = 230) -> Picture:
    """Bars of counts from 0, each with its number beside it."""
    top = max([*(mark.value or 0 for mark in marks), 1])
    height = int((ROW + 8) * len(marks)) or ROW
    rows = [
        {"label": mark.label, "value": mark.value or 0, "text": mark.text, "at": (ROW + 8) * (number + 0.5), "zero": 0}
        for number, mark in enumerate(marks)
    ]
    x = {"field": "value", "type": "quantitative", "scale": {"domain": [0, top], "nice": False}, "axis": None}
    y = {"field": "at", "type": "quantitative", "scale": None, "axis": None}
    text = {"type": "text", "fontSize": 13, "font": FONT, "fill": INK}
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
                "mark": {**text, "align": "right", "dx": -8},
                "encoding": {"x": start, "y": y, "text": {"field": "label"}},
            },
            {
                "name": "dyn_text",
                "mark": {**text, "align": "left", "dx": 6},
                "encoding": {"x": x, "y": y, "text": {"field": "text"}},
            },
        ],
    }
    return Picture(spec, (left, 4, 150, 4), {"kind": "bars", "w": width})


def draw(pictures: Mapping[str, Picture]) -> dict[str, str]:
    """Draw pictures: for each an SVG, lean, its origin at the upper left corner of its plot and its words still to fill in."""
    # Each waits for an engine that is not Python's, and all together would take longer than one by one.
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(pictures, pool.map(_drawn, pictures.values()), strict=True))


def _drawn(picture: Picture) -> str:
    import vl_convert  # starts a JavaScript engine, which only who draws shall wait for

    svg: str = vl_convert.vegalite_to_svg(
        {
            "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
            "autosize": "none",
            "padding": 0,
            "config": {"view": {"stroke": None}, "background": None},
            **picture.spec,
        }
    )
    inner = _lean(svg[svg.index("<g") : svg.rindex("</svg>")])
    left, top, right, bottom = picture.room
    width, height = left + picture.spec["width"] + right, top + picture.spec["height"] + bottom
    data = "".join(f' data-{name}="{value}"' for name, value in picture.data.items())
    return f'<svg viewBox="{-left} {-top} {width} {height}" width="{width}" height="{height}"{data}>{inner}</svg>'


def in_language(svg: str, words: Mapping[str, str], number: Any) -> str:
    """Put words and numbers where a drawing has `§key§`, `§n:1234§` (a count) or `§t:123§` (tenths); escaped for markup."""

    def said(token: re.Match[str]) -> str:
        kind, _, rest = token[1].partition(":")
        return escape(number(kind, int(rest)) if kind in ("n", "t") else words[token[1]])

    return re.sub("§([^§]+)§", said, svg)


def _lean(svg: str) -> str:
    """A drawing without what no reader needs: a page holds many."""
    svg = re.sub(r' class="[^"]*\bdyn_\w*"', ' class="dyn"', svg)
    svg = re.sub(r' class="mark-text role-axis-label"', ' class="al"', svg)
    svg = re.sub(r' class="(?!dyn"|al")[^"]*"', "", svg)
    svg = re.sub(r' (?:aria-[\w-]+|role|pointer-events|stroke-miterlimit)="[^"]*"', "", svg)
    svg = re.sub(r' opacity="1"| fill="none"(?= stroke="none")| d=""', "", svg)
    svg = re.sub(r'<path display="none"/>|<path d="M0,0h0v0h0Z"/>', "", svg)
    svg = re.sub(r"-?\d+\.\d{2,}", lambda number: f"{float(number[0]):.1f}", svg)
    svg = re.sub(r' font-family="[^"]*"', "", svg)
    for _ in range(4):
        svg = re.sub(r"<g[^>]*></g>", "", svg)
    return svg


def _segments(points: Sequence[Point], cuts: Sequence[int]) -> list[dict[str, Any]]:
    """The years with a value, each with the number of the unbroken piece of line that it belongs to."""
    rows: list[dict[str, Any]] = []
    segment, before = 0, None
    for point in points:
        if point.value is None:
            continue
        if before is not None and (point.year - 1 != before or point.year in cuts):
            segment += 1
        rows.append({**point.__dict__, "segment": segment})
        before = point.year
    return rows


def _end_labels(all_lines: Sequence[Line], last: float, top: float, height: int) -> list[dict[str, Any]]:
    """Labels at the end of the lines, moved apart where they would cover each other."""
    labels: list[dict[str, Any]] = []
    for line in all_lines:
        ends = [point for point in line.points if point.value is not None]
        if ends and ends[-1].value is not None:
            colour = CHOSEN if line.style == "chosen" else INK if line.style == "country" else MUTED
            at = height * (1 - ends[-1].value / top)
            labels.append({"year": last, "at": at, "text": line.label, "colour": colour})
    labels.sort(key=lambda label: float(label["at"]))
    lowest = -16.0
    for label in labels:
        label["at"] = max(float(label["at"]), lowest + 16)
        lowest = label["at"]
    return labels


def _letters(breaks: Sequence[Break]) -> dict[tuple[int, bool], str]:
    letters: dict[tuple[int, bool], str] = {}
    for one in breaks:
        letters[one.year, one.mixed] = f"{letters.get((one.year, one.mixed), '')} {one.letter}".strip()
    return letters


def _shown(years: Sequence[int], width: int) -> list[int]:
    """The years named below a plot: as many as there is room for, the newest always."""
    step = 1
    while len(years) / step * 38 > width:
        step += 1
    return sorted(years[::-1][::step])


def _text() -> Spec:
    return {"labelFontSize": 12, "labelColor": MUTED, "labelFont": FONT, "labelFlush": False, "labelOverlap": False,
            "labelPadding": 6}  # fmt: skip


def _nothing(x: Spec, y: Spec) -> Spec:
    """A plot without figures: its axes, so that the frame stays."""
    return {"data": {"values": [{"year": 0, "value": 0}]}, "mark": {"type": "point", "opacity": 0},
            "encoding": {"x": x, "y": y}}  # fmt: skip
