"""The leaderboard as a web page with one style sheet.

Promises: no script, no request to another host, no time of rendering (the same runs give the same bytes); foreign text
is escaped by the templates.
Does not: write files (`reports.site`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reports import judging, wording
from reports.board import EXCLUDED, FAILURES, SCORED_ZERO, Board, Cell

TEMPLATES = Path(__file__).with_name("templates")
PAGE, STYLE = "index.html", "style.css"
GENERATOR = '<meta name="generator" content="sqlgauge">'
SHADES = 10
BAR_WIDTH = 200.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure as lengths on a scale of `BAR_WIDTH` units for 0 to 1."""

    length: float
    low: float
    high: float


def render_page(board: Board) -> str:
    """The page as HTML; it expects `style.css` beside it."""
    return environment().get_template("index.html.j2").render(board=board)


def environment() -> Environment:
    """The template environment: everything is escaped, an undefined name is an error."""
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    env.globals.update(
        w=wording,
        j=judging,
        bar=bar,
        shade=shade,
        FAILURES=FAILURES,
        SCORED_ZERO=SCORED_ZERO,
        EXCLUDED=EXCLUDED,
        METRIC_NOTES=wording.METRIC_NOTES,
    )
    return env


def bar(cell: Cell) -> Bar:
    """The lengths to draw for a cell that is known."""
    return Bar(*(round(BAR_WIDTH * part, 2) for part in (cell.value, cell.low, cell.high)))


def shade(value: float) -> int:
    """The shade of a proportion: 0 for below 10%, 9 for 90% and above.

    >>> shade(0.0), shade(0.95), shade(1.0)
    (0, 9, 9)
    """
    return min(int(value * SHADES), SHADES - 1)
