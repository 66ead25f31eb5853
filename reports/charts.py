"""Charts as SVG that takes its colours from the page: Vega-Lite specifications, drawn by vl-convert.

Promises: the same figures give the same bytes; of what the library draws only plain shapes and texts reach the page,
by an allow-list of elements and attributes. Does not: hold anything that the tables beside it do not say.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import quoteattr

import msgspec
from markupsafe import Markup, escape

from reports.board import Row, Table

WIDTH, HEIGHT = 430, 270
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
        if row.headline.known and takes(row) > 0
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
    best = front(points)
    spread = points[-1].takes / points[0].takes
    rows = [{"name": short(p.model), "x": p.takes, "y": p.value, "low": p.low, "high": p.high} for p in points]
    steps = [{"x": p.takes, "y": p.value} for p in best]
    x = {
        "field": "x",
        "type": "quantitative",
        "title": takes,
        "scale": {"type": "log" if spread > 10 else "linear", "zero": False, "nice": True, "padding": 24},
    }
    y = {
        "field": "y",
        "type": "quantitative",
        "title": metric,
        "axis": {"format": "%"},
        "scale": {"zero": False, "nice": True},
    }
    layers = [
        {"data": {"values": steps}, "mark": _mark("line", "var(--fill)", interpolate="step-after", strokeDash=[5, 4]),
         "encoding": {"x": x, "y": y}},
        {"data": {"values": rows}, "mark": _mark("rule", "var(--muted)"),
         "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}},
        {"data": {"values": rows}, "mark": _mark("point", "var(--fill)", filled=True, size=70, opacity=1),
         "encoding": {"x": x, "y": y}},
        {"data": {"values": rows}, "mark": _mark("text", "var(--ink)", dx=8, dy=-8, align="left", fontSize=12),
         "encoding": {"x": x, "y": y, "text": {"field": "name"}}},
    ]  # fmt: skip
    return draw({"layer": layers}, f"{metric} against {takes}, {len(points)} models")


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
        "legend": {"labelColor": "var(--ink)", "orient": "top"} if checked else None,
    }
    return draw({"data": {"values": rows}, "mark": {"type": "line", "point": True},
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
