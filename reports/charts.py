"""Charts as SVG that takes its colours from the page: Vega-Lite specifications, drawn by vl-convert.

Promises: the same figures give the same bytes; of what the library draws only plain shapes and texts reach the page,
by an allow-list of elements and attributes. Does not: hold anything that the tables beside it do not say.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import quoteattr

import msgspec
from markupsafe import Markup, escape

from reports.board import Row, Table

WIDTH, HEIGHT = 430, 270
#: Points of a curve that are shown as dots too.
MOST_DOTS = 60
_ELEMENTS = frozenset({"svg", "g", "path", "line", "rect", "text", "tspan", "title"})
_ATTRIBUTES = frozenset(
    {"viewBox", "transform", "d", "x", "y", "x1", "y1", "x2", "y2", "width", "height", "text-anchor", "font-size"}
    | {"fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "fill-opacity", "opacity"}
    | {"font-weight", "font-family"}
)
_VALUE = re.compile(r"[\w.,()#%\s+\-]*")
_CONFIG = {
    "background": None,
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--muted)",
        "titleColor": "var(--ink)",
        "gridColor": "var(--rule)",
        "domainColor": "var(--rule)",
        "tickColor": "var(--rule)",
        "titleFontWeight": "normal",
        "labelFontSize": 12,
        "titleFontSize": 12.5,
    },
}


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing and the sentence under it."""

    svg: Markup
    caption: str


@dataclass(frozen=True, slots=True)
class Point:
    """A run in a chart of accuracy against what it takes."""

    model: str
    takes: float
    value: float
    low: float
    high: float


def tradeoffs(table: Table) -> list[Chart]:
    """Accuracy against cost and against time, where two runs or more say what an answer took."""
    named = (
        ("USD an answer", "cost", lambda row: _mean_cost(row)),
        ("seconds an answer", "time", lambda row: row.usage.mean_seconds),
    )
    charts = []
    for title, what, of in named:
        points = points_of(table.rows, of)
        if len(points) > 1:
            charts.append(Chart(svg=scatter(points, title, short(str(table.headline))), caption=_caption(points, what)))
    return charts


def points_of(rows: Iterable[Row], takes: Any) -> list[Point]:
    """The rows that have both figures, from cheap to dear."""
    found = [
        Point(row.model, takes(row), row.headline.value, row.headline.low, row.headline.high)
        for row in rows
        if row.headline.known and 0 < takes(row) < math.inf
    ]
    return sorted(found, key=lambda point: (point.takes, -point.value, point.model))


def front(points: Sequence[Point]) -> list[Point]:
    """The Pareto front: each point that is better than all that take no more."""
    best, found = -math.inf, []
    for point in points:
        if point.value > best:
            best = point.value
            found.append(point)
    return found


def scatter(points: Sequence[Point], takes: str, metric: str) -> Markup:
    """Runs as points with their intervals, and the steps of the Pareto front."""
    across = axis_of([point.takes for point in points])
    up = (max(0.0, min(p.low for p in points) - 0.02), min(1.0, max(p.high for p in points) + 0.02))
    rows = [{"x": p.takes, "y": p.value, "low": p.low, "high": p.high} for p in points]
    steps = [{"x": p.takes, "y": p.value} for p in front(points)]
    x = {
        "field": "x",
        "type": "quantitative",
        "title": takes,
        "scale": {"type": "log" if across.log else "linear", "domain": [across.low, across.high], "nice": False},
        "axis": {"values": across.ticks, "format": "~g"},
    }
    y = {
        "field": "y",
        "type": "quantitative",
        "title": metric,
        "axis": {"format": "%", "tickCount": 6},
        "scale": {"domain": list(up), "nice": False, "zero": False},
    }
    layers = [
        {"data": {"values": steps}, "mark": _mark("line", "var(--fill)", interpolate="step-after", strokeDash=[5, 4]),
         "encoding": {"x": x, "y": y}},
        {"data": {"values": rows}, "mark": _mark("rule", "var(--muted)"),
         "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}},
        {"data": {"values": rows}, "mark": _mark("point", "var(--fill)", filled=True, size=70, opacity=1),
         "encoding": {"x": x, "y": y}},
    ]  # fmt: skip
    for place, named in _labels(points, across, up).items():
        layers.append({"data": {"values": named}, "mark": _mark("text", "var(--ink)", fontSize=12, **PLACES[place]),
                       "encoding": {"x": x, "y": y, "text": {"field": "name"}}})  # fmt: skip
    return draw({"layer": layers}, f"{metric} against {takes}, {len(points)} models")


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis from `low` to `high` with its ticks."""

    low: float
    high: float
    log: bool
    ticks: list[float]

    def share(self, value: float) -> float:
        """How far along the axis a value lies, 0 to 1."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def axis_of(values: Sequence[float]) -> Axis:
    """An axis for positive values with room on both sides: logarithmic where they spread over more than a power of ten.

    >>> axis_of([0.001, 0.5]).ticks
    [0.001, 0.01, 0.1, 1.0]
    >>> axis_of([2.0, 5.0]).ticks
    [2.0, 3.0, 4.0, 5.0]
    """
    least, most = min(values), max(values)
    if most / least > 10:
        low, high = least / 2, most * 2
        powers = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
        ticks = [float(f"{step}e{power}") for power in range(powers.start - 1, powers.stop + 1) for step in (1, 2, 5)]
        few = [tick for tick in ticks if low <= tick <= high]
        tens = [float(f"1e{power}") for power in powers[:: math.ceil(len(powers) / 8)]]
        return Axis(low, high, True, few if len(few) <= 6 else tens)
    margin = (most - least) / 8 or least / 8
    low, high = max(0.0, least - margin), most + margin
    size = 10.0 ** math.floor(math.log10(high - low))
    step = next(size * part for part in (0.1, 0.2, 0.5, 1.0, 2.0) if (high - low) / (size * part) <= 7)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return Axis(low, high, False, [round(number * step, 12) for number in range(first, last + 1)])


#: Where a label can stand beside its point, best first.
PLACES: dict[str, dict[str, Any]] = {
    "right above": {"dx": 8, "dy": -8, "align": "left"},
    "right below": {"dx": 8, "dy": 12, "align": "left"},
    "left above": {"dx": -8, "dy": -8, "align": "right"},
    "left below": {"dx": -8, "dy": 12, "align": "right"},
}
_LETTER, _LINE = 6.6, 13.0


def _labels(points: Sequence[Point], across: Axis, up: tuple[float, float]) -> dict[str, list[dict[str, Any]]]:
    """The points by where their label stands: the first place that no label before it has taken, nor a point."""
    found: dict[str, list[dict[str, Any]]] = {}
    at = [(WIDTH * across.share(p.takes), HEIGHT * (1 - (p.value - up[0]) / (up[1] - up[0]))) for p in points]
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in at]
    for point, (x, y) in zip(points, at, strict=True):
        boxes = {name: _box(short(point.model), x, y, place) for name, place in PLACES.items()}
        inside = [name for name, box in boxes.items() if box[0] > 0 and box[2] < WIDTH + 60]
        free = (name for name in inside if not any(_overlap(boxes[name], one) for one in taken))
        name = next(free, "right above")
        taken.append(boxes[name])
        found.setdefault(name, []).append({"x": point.takes, "y": point.value, "name": short(point.model)})
    return found


Box = tuple[float, float, float, float]


def _box(text: str, x: float, y: float, place: Mapping[str, Any]) -> Box:
    left = x + place["dx"] - (_LETTER * len(text) if place["align"] == "right" else 0)
    return left, y + place["dy"] - _LINE / 2, left + _LETTER * len(text), y + place["dy"] + _LINE / 2


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def curve(steps: Sequence[tuple[int, float]], checked: Sequence[tuple[int, float]], title: str) -> Markup:
    """A training's loss by step, and the loss on held-out rows where there is one."""
    rows = [{"x": x, "y": y, "of": "training"} for x, y in steps] + [
        {"x": x, "y": y, "of": "held out"} for x, y in checked
    ]
    x = {"field": "x", "type": "quantitative", "title": "step", "axis": {"tickMinStep": 1}}
    y = {"field": "y", "type": "quantitative", "title": "loss", "scale": {"zero": False}}
    colour = {
        "field": "of",
        "type": "nominal",
        "title": None,
        "scale": {"domain": ["training", "held out"], "range": ["var(--fill)", "var(--care-edge)"]},
        "legend": {"labelColor": "var(--ink)", "labelFontSize": 12, "orient": "top"} if checked else None,
    }
    return draw({"data": {"values": rows}, "mark": {"type": "line", "point": len(rows) <= MOST_DOTS},
                 "encoding": {"x": x, "y": y, "color": colour}}, title)  # fmt: skip


def _drawable(value: Any) -> Any:
    """A specification without characters that no drawing can hold: the library would end the process at one."""
    if isinstance(value, dict):
        return {key: _drawable(item) for key, item in value.items()}
    if isinstance(value, list):
        return list(map(_drawable, value))
    return "".join(c if c.isprintable() else " " for c in value) if isinstance(value, str) else value


def _mark(kind: str, colour: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "color": colour, "clip": False, **more}


def draw(spec: dict[str, Any], title: str) -> Markup:
    """A specification as inline SVG with `title` for those who cannot see it."""
    full = {"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "config": _CONFIG, "width": WIDTH,
            "height": HEIGHT, "padding": {"left": 5, "right": 70, "top": 16, "bottom": 5}, **spec}  # fmt: skip
    return inline(_svg(msgspec.json.encode(_drawable(full)).decode()), title)


@lru_cache(maxsize=64)
def _svg(spec: str) -> str:
    import vl_convert

    return str(vl_convert.vegalite_to_svg(spec))


def inline(svg: str, title: str) -> Markup:
    """SVG for a page: known elements and attributes only, scaled to its place."""
    from defusedxml import ElementTree

    root = ElementTree.fromstring(svg)
    inner = "".join(map(_element, root))
    box = quoteattr(root.get("viewBox", f"0 0 {WIDTH} {HEIGHT}"))
    return Markup(f'<svg viewBox={box} role="img" aria-label="{escape(title)}">{inner}</svg>')  # noqa: S704 - see _element


def _element(element: Any) -> str:
    """An element with what is allowed in it; names and values are checked, texts are escaped."""
    name = str(element.tag).rpartition("}")[2]
    if name not in _ELEMENTS:
        return ""
    given = ((key, value) for key, value in element.items() if key in _ATTRIBUTES and _VALUE.fullmatch(value))
    attributes = "".join(f" {key}={quoteattr(value)}" for key, value in given)
    inner = escape(element.text or "") + Markup("").join(Markup(_element(child)) for child in element)  # noqa: S704
    return f"<{name}{attributes}>{inner}</{name}>"


def short(model: str) -> str:
    """A model's name as a label: its last part, cut."""
    name = model.rstrip("/").rpartition("/")[2] or model
    return name if len(name) <= 28 else name[:27] + "…"


def _mean_cost(row: Row) -> float:
    usage = row.usage
    return usage.cost_usd / usage.priced if usage.cost_usd is not None and usage.priced else math.nan


def _caption(points: Sequence[Point], what: str) -> str:
    names = ", ".join(short(point.model) for point in front(points))
    return f"Accuracy with its 95% interval against {what}. On the Pareto front (none better for less): {names}."
