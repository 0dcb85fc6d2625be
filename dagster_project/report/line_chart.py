"""Builds Vega-Lite specifications of line charts by year, broken where years cannot be compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dagster_project.report.charts import (
    CHOSEN,
    INK,
    MUTED,
    PALE,
    PCT_TOPS,
    WASH,
    Picture,
    Spec,
    axis_text,
    empty_plot,
    text_mark,
)

# Dash, thickness and colour of the lines that a chosen one is compared with.
_STYLES = {"country": ([1, 0], 1.5, INK), "median": ([5, 3], 1.5, MUTED), "second": ([6, 2], 2, MUTED)}


@dataclass(frozen=True)
class Point:
    """A year of a line, in per cent; `why` is the reason of a missing value."""

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
    """A series break; its letter refers to the listed reason."""

    year: int
    mixed: bool
    letter: str


@dataclass(frozen=True)
class _Plot:
    """What the layers of a chart share: its axes, the top of the scale, the years without predecessor, and whether it is small."""

    x: Spec
    y: Spec
    top: float
    cuts: Sequence[int]
    small: bool

    def layer(self, name: str, rows: Iterable[Mapping[str, Any]], mark: Spec, **channels: Any) -> list[Spec]:
        """Return the layer, or none without rows, because Vega-Lite derives no scale from a layer without rows."""
        values = list(rows)
        encoding = {"x": self.x, "y": self.y, **channels}
        return [{"name": name, "data": {"values": values}, "mark": mark, "encoding": encoding}] if values else []


def lines(
    all_lines: Sequence[Line],
    spread: Sequence[tuple[int, float, float]],
    years: Sequence[int],
    cuts: Iterable[int],
    breaks: Sequence[Break],
    size: tuple[int, int] = (560, 250),
    label_room: int = 190,
    beside: Sequence[Line] = (),
) -> Picture:
    """Build a line chart; `cuts` are the years not comparable with the year before.

    `beside` are the lines of other charts on the same scale.
    """
    width, height = size
    values = [
        value for line in [*all_lines, *beside] for point in line.points for value in (point.value, point.high) if value
    ]
    top = next(top for top in PCT_TOPS if top >= max([*values, *(high for _, _, high in spread), 0]))
    small = height < 100
    plot = _Plot(_years_axis(years, width), _percent_axis(top, small), top, sorted(cuts), small)
    first, last = plot.x["scale"]["domain"]
    layers = [
        *_break_layers(plot, years, breaks),
        *_spread_layer(plot, spread),
        # The interval bands lie below all lines so that they do not hide them.
        *(layer for number, line in enumerate(_chosen(all_lines)) for layer in _interval_layers(plot, number, line)),
        *(layer for number, line in enumerate(all_lines) for layer in _line_layers(plot, number, line)),
    ]
    if label_room:
        layers += plot.layer(
            "dyn_label",
            _end_labels(all_lines, last, top, height),
            text_mark(13, align="left", dx=6),
            y={"field": "at", "type": "quantitative", "scale": None},
            text={"field": "text"},
            fill={"field": "colour", "type": "nominal", "scale": None},
        )
    content = {"layer": layers} if layers else empty_plot(plot.x, plot.y)
    data = {
        "kind": "lines",
        "w": width,
        "h": height,
        "from": first,
        "to": last,
        "labels": label_room,
        "small": small,
    }
    return Picture(
        {"width": width, "height": height, **content}, (36, 22 if breaks else 10, label_room or 10, 24), data
    )


def _years_axis(years: Sequence[int], width: int) -> Spec:
    return {
        "field": "year",
        "type": "quantitative",
        "scale": {"domain": [years[0] - 0.5, years[-1] + 0.5], "nice": False, "zero": False},
        "axis": {
            "values": _labelled_years(years, width),
            "format": "d",
            "grid": False,
            "title": None,
            "ticks": False,
            **axis_text("bottom"),
        },
    }


def _percent_axis(top: float, small: bool) -> Spec:
    return {
        "field": "value",
        "type": "quantitative",
        "scale": {"domain": [0, top], "nice": False},
        "axis": {
            "values": [0.0, top] if small else [top * part / 4 for part in range(5)],
            "title": None,
            "domain": False,
            "ticks": False,
            "gridColor": PALE,
            **axis_text("left"),
        },
    }


def _break_layers(plot: _Plot, years: Sequence[int], breaks: Sequence[Break]) -> list[Spec]:
    """Return the mixed years, the lines between years that cannot be compared, and the letters of their reasons."""
    return [
        *plot.layer(
            "fixed_mixed",
            [
                {"year": break_.year - 0.5, "to": break_.year + 0.5, "value": 0, "top": plot.top}
                for break_ in breaks
                if break_.mixed
            ],
            {"type": "rect", "color": "#f1f1f1"},
            x2={"field": "to"},
            y2={"field": "top"},
        ),
        *plot.layer(
            "fixed_cut",
            [{"year": cut - 0.5, "value": 0, "top": plot.top} for cut in plot.cuts if cut > years[0]],
            {"type": "rule", "strokeDash": [3, 3], "stroke": MUTED},
            y2={"field": "top"},
        ),
        *plot.layer(
            "fixed_letter",
            [
                {"year": year - (0 if mixed else 0.5), "value": plot.top, "text": letters}
                for (year, mixed), letters in _letters(breaks).items()
            ],
            text_mark(12, dy=-9),
            text={"field": "text"},
        ),
    ]


def _spread_layer(plot: _Plot, spread: Sequence[tuple[int, float, float]]) -> list[Spec]:
    """Return the range of all places by year."""
    return plot.layer(
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


def _chosen(all_lines: Iterable[Line]) -> list[Line]:
    return [line for line in all_lines if line.style == "chosen"]


def _interval_layers(plot: _Plot, number: int, line: Line) -> list[Spec]:
    """Return a line's interval as a band, and as a rule in each year."""
    banded = [
        {**row, "value": row["low"], "to": row["high"]}
        for row in _segments(line.points, plot.cuts)
        if row["low"] is not None
    ]
    return [
        *plot.layer(
            f"dyn_band{number}",
            banded,
            {"type": "area", "color": WASH, "opacity": 0.8},
            y2={"field": "to"},
            detail={"field": "segment"},
        ),
        *plot.layer(
            f"dyn_interval{number}",
            banded,
            {"type": "rule", "stroke": CHOSEN, "strokeWidth": 1, "opacity": 0.5},
            y2={"field": "to"},
        ),
    ]


def _line_layers(plot: _Plot, number: int, line: Line) -> list[Spec]:
    """Return a line with its points, hollow where offences are few, and why values are missing."""
    rows = _segments(line.points, plot.cuts)
    chosen = line.style == "chosen"
    dash, thickness, colour = _STYLES.get(line.style, ([1, 0], 2.5, CHOSEN))
    layers = plot.layer(
        f"dyn_line{number}",
        rows,
        {"type": "line", "stroke": colour, "strokeWidth": thickness, "strokeDash": dash},
        detail={"field": "segment"},
    )
    point = {"type": "point", "opacity": 1, "filled": True, "stroke": colour, "strokeWidth": 1.5}
    if chosen or line.style == "second":
        shape, size = "circle" if chosen else "square", 30 if plot.small else 45
        for hollow in (False, True):
            layers += plot.layer(
                f"dyn_dot{number}{hollow}",
                [row for row in rows if row["small"] == hollow],
                {**point, "shape": shape, "size": size, "fill": "#ffffff" if hollow else colour},
            )
    else:
        # A line of one year has no length, so it is shown as a dash.
        layers += plot.layer(
            f"dyn_dash{number}",
            [row for row in rows if not row["small"]],
            {"type": "tick", "color": colour, "thickness": thickness, "size": 8, "orient": "horizontal"},
        )
        layers += plot.layer(
            f"dyn_few{number}",
            [row for row in rows if row["small"]],
            {**point, "shape": "circle", "size": 20, "fill": "#ffffff"},
        )
    if chosen and not plot.small:
        layers += plot.layer(
            f"dyn_gap{number}",
            [{"year": gap.year, "value": 0, "text": gap.why} for gap in line.points if gap.why],
            text_mark(12, dy=-6, fill=MUTED),
            text={"field": "text"},
        )
    return layers


def _segments(points: Sequence[Point], cuts: Sequence[int]) -> list[dict[str, Any]]:
    """Return the years with a value and the number of the line segment that each belongs to."""
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
    """Return the labels at the line ends, moved apart where they would overlap."""
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
    for break_ in breaks:
        letters[break_.year, break_.mixed] = f"{letters.get((break_.year, break_.mixed), '')} {break_.letter}".strip()
    return letters


def _labelled_years(years: Sequence[int], width: int) -> list[int]:
    """Return the years labelled on the axis: as many as fit, always including the newest."""
    step = 1
    while len(years) / step * 38 > width:
        step += 1
    return sorted(years[::-1][::step])
