"""The leaderboard as a small static site: one page, one style sheet, and the same figures as Markdown, CSV and JSON.

Promises: no script, no request to another host, no time of rendering (the same runs give the same bytes); foreign text
is escaped by the templates; a page that this module did not write is never overwritten.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmark.errors import UsageError
from benchmark.store import write_atomically
from reports import wording
from reports.board import EXCLUDED, FAILURES, HEADLINE, SCORED_ZERO, Board, Cell
from reports.exports import render_csv, render_json
from reports.markdown import render_markdown

TEMPLATES = Path(__file__).with_name("templates")
PAGE, STYLE = "index.html", "style.css"
DATA = ("leaderboard.md", "leaderboard.csv", "leaderboard.json")
GENERATOR = '<meta name="generator" content="sqlgauge">'
SHADES = 10
BAR_WIDTH = 200.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure as lengths on a scale of `BAR_WIDTH` units for 0 to 1."""

    length: float
    low: float
    high: float


def write_site(board: Board, out: Path) -> list[Path]:
    """Write index.html, style.css and leaderboard.md, .csv and .json into `out`; returns their paths.

    Each file is replaced in one step. Raises UsageError where `out` is no folder, or holds a page of somebody else's.
    """
    refuse_foreign(out)
    out.mkdir(parents=True, exist_ok=True)
    data = (render_markdown(board).encode(), render_csv(board), render_json(board))
    files = {
        PAGE: render_page(board).encode(),  # first: from then on the folder is known as ours
        STYLE: (TEMPLATES / STYLE).read_bytes(),
        **dict(zip(DATA, data, strict=True)),
    }
    for name, body in files.items():
        write_atomically(out / name, body)
    return [out / name for name in files]


def refuse_foreign(out: Path) -> None:
    """Raise UsageError unless `out` is free, or holds a site that this module wrote."""
    hint = "Choose another --out."
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file, not a folder", hint)
    page = out / PAGE
    if page.exists():
        foreign = [] if GENERATOR.encode() in page.read_bytes() else [page]
    else:
        foreign = [path for path in (out / name for name in (STYLE, *DATA)) if path.exists()]
    if foreign:
        raise UsageError(f"{foreign[0]} was not written by sqlgauge; it is left as it is", hint)


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
        bar=bar,
        shade=shade,
        HEADLINE=HEADLINE,
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
