"""The pages of a site, with one style sheet and a few scripts of our own.

Promises: without scripts the leaderboard and the runs' pages say everything; no request to another host, no time of
rendering (the same runs give the same bytes); foreign text is escaped by the templates.
Does not: write files (`reports.site`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reports import judging, wording
from reports.board import EXCLUDED, FAILURES, SCORED_ZERO, Board, Row, Table
from reports.charts import curve, tradeoffs
from reports.figures import Cell
from reports.places import Place, places

TEMPLATES = Path(__file__).with_name("templates")
PAGE, STYLE = "index.html", "style.css"
SCRIPTS = ("site.js", "sql.js", "leaderboard.js", "items.js", "item.js", "compare.js")
#: Scripts and styles are files of the site. Where a browser knows Trusted Types, no text can become markup or a script.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types shards"
)
GENERATOR = '<meta name="generator" content="sqlgauge">'
SHADES = 10
BAR_WIDTH = 200.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure as lengths on a scale of `BAR_WIDTH` units for 0 to 1."""

    length: float
    low: float
    high: float


def render_page(board: Board, *, items: bool = False) -> str:
    """The leaderboard; it expects `style.css` and the scripts beside it, and `items` says that the items have pages."""
    return environment().get_template("index.html.j2").render(board=board, places=places(board, items=items), root="")


def render_run(table: Table, row: Row, place: Place) -> str:
    """The page of one run."""
    page = environment().get_template("run.html.j2")
    return page.render(table=table, row=row, place=place.from_inside(), root="../")


def render_items(table: Table, place: Place) -> str:
    """The page of a dataset's items."""
    page = environment().get_template("items.html.j2")
    return page.render(table=table, place=place.from_inside(), root="../")


def render_compare(table: Table, place: Place) -> str:
    """The page that compares any two runs of a dataset."""
    page = environment().get_template("compare.html.j2")
    return page.render(table=table, place=place.from_inside(), root="../")


@cache
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
        curve=curve,
        tradeoffs=tradeoffs,
        POLICY=POLICY,
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
