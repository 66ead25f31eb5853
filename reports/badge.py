"""A small SVG badge with a run's headline, for a README.

Promises: foreign text is escaped; a screen reader hears the figure with its interval; no script, no link, no font file.
Does not: colour a figure as good or bad; that depends on the test split.
"""

from __future__ import annotations

from html import escape

from reports.figures import Cell
from reports.wording import interval, percent

#: Average advance of the font at 11 px, and the space on each side of a text.
ADVANCE, PADDING = 6.6, 6.0
FONT = "Verdana,DejaVu Sans,Geneva,sans-serif"


def render_badge(label: str, cell: Cell) -> str:
    """The badge as SVG: the label on dark grey, the figure on blue."""
    figure = percent(cell.value) if cell.known else "no figure"
    said = f"{label}: {figure}" + (f", 95% interval {interval(cell)}, n {cell.n}" if cell.known else "")
    left, right = (round(len(text) * ADVANCE + 2 * PADDING, 1) for text in (label, figure))
    width = round(left + right, 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{escape(said)}">'
        f"<title>{escape(said)}</title>"
        f'<rect width="{width}" height="20" rx="3" fill="#1f5c8f"/>'
        f'<path d="M3 0h{left - 3:g}v20H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z" fill="#3f444b"/>'
        f'<g fill="#fff" text-anchor="middle" font-family="{FONT}" font-size="11">'
        f'<text x="{left / 2:g}" y="14">{escape(label)}</text>'
        f'<text x="{left + right / 2:g}" y="14">{escape(figure)}</text>'
        "</g></svg>\n"
    )
