"""A comparison of two runs for a terminal, as Markdown, and as a page of its own."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from benchmark.errors import UsageError
from benchmark.stats.clustered import Estimate
from benchmark.store import write_atomically
from reports.comparison import Comparison, Won
from reports.html import STYLE, TEMPLATES, environment
from reports.markdown import grid, text
from reports.wording import percent


def verdict(found: Comparison) -> str:
    """One sentence that a reader may quote.

    It says 'better' or 'worse' only where the 95% interval leaves out zero and the exact test agrees.
    """
    gap = points(found.difference)
    if math.isnan(found.difference.low):
        return f"B - A is {gap}; these items allow no interval."
    if found.separated:
        word = "better" if found.difference.value > 0 else "worse"
        return f"B is {word} than A: {gap} points."
    if found.leaves_out_zero:
        apart = len(found.only_a) + len(found.only_b)
        return f"B - A is {gap} points, but only {apart} of {found.n} items tell A and B apart: too few to be sure."
    return f"These {found.n} items do not separate A and B: {gap} points."


def points(estimate: Estimate) -> str:
    """A difference in percentage points with its interval, for instance '+3.8 (95% +1.2 to +6.3)'."""
    value = f"{100 * estimate.value:+.1f}"
    if math.isnan(estimate.low):
        return value
    return f"{value} ({100 * estimate.confidence:.0f}% {100 * estimate.low:+.1f} to {100 * estimate.high:+.1f})"


def how(found: Comparison) -> str:
    """How the interval and the p-value were made."""
    estimate = found.difference
    made = f"t, clustered by {estimate.clusters} groups"
    if estimate.exact or found.by_item:
        made = f"{'exact' if estimate.exact else 't'}, items as independent"
    few = "; few clusters, so it may be too narrow" if estimate.few_clusters and not estimate.exact else ""
    p = "" if math.isnan(found.p_value) else f"; exact McNemar p = {found.p_value:.2g}"
    return f"Interval: {made}{few}{p}."


def as_text(found: Comparison, items: int = 5) -> str:
    """The comparison for a terminal."""
    lines = [
        f"{found.metric} on {found.dataset}, {found.n} items"
        + (f", {found.left_out} left out" if found.left_out else ""),
        f"  A  {percent(found.a.value):>6}  {found.a.model}  ({found.a.run_id})",
        f"  B  {percent(found.b.value):>6}  {found.b.model}  ({found.b.run_id})",
        verdict(found),
        how(found),
        f"both right {found.both}, only A {len(found.only_a)}, only B {len(found.only_b)}, neither {found.neither}",
    ]
    if found.slices:
        lines.append("")
        width = max(len(part.name) for part in found.slices)
        lines += [
            f"  {part.name:<{width}} n {part.difference.n:>4}   A {percent(part.a):>6}   B {percent(part.b):>6}   "
            f"{points(part.difference)}"
            for part in found.slices
        ]
    for side, won in (("A", found.only_a), ("B", found.only_b)):
        if won and items:
            more = f", the first {items}" if len(won) > items else ""
            lines += ["", f"only {side} has right ({len(won)}{more}):"]
            lines += [f"  {one.example_id}: {one.question[:150]}" for one in won[:items]]
    return "\n".join([*lines, *(f"\nCare: {warning}" for warning in found.warnings)])


def as_markdown(found: Comparison) -> str:
    """The comparison for a pull request; ends in one newline."""
    heads = ["", "run", found.metric, "95% interval"]
    sides = (("A", found.a), ("B", found.b))
    rows = [
        [
            name,
            f"{text(side.model)}",
            percent(side.value),
            f"{percent(side.interval.low)} to {percent(side.interval.high)}",
        ]
        for name, side in sides
    ]
    blocks = [
        f"# {text(found.a.model)} against {text(found.b.model)}",
        f"{text(found.metric)} on {text(found.dataset)}, {found.n} items, {found.left_out} left out.",
        grid(heads, rows),
        f"**{verdict(found)}** {how(found)}",
        grid(
            ["both right", "only A", "only B", "neither"],
            [[str(found.both), str(len(found.only_a)), str(len(found.only_b)), str(found.neither)]],
        ),
    ]
    if found.slices:
        blocks.append(grid(["slice", "n", "A", "B", "B - A, points"], _slice_rows(found)))
    for side, won in (("A", found.only_a), ("B", found.only_b)):
        if won:
            blocks += [
                f"## Only {side} has right",
                grid(["item", "question", "gold", "A said", "B said"], map(_won, won)),
            ]
    blocks += [f"> {text(warning)}" for warning in found.warnings]
    return "\n\n".join(blocks) + "\n"


def as_page(found: Comparison) -> str:
    """The comparison as an HTML page, which expects `style.css` beside it."""
    return environment().get_template("comparison.html.j2").render(found=found, verdict=verdict, how=how, points=points)


def write_comparison(found: Comparison, out: Path) -> None:
    """Write the comparison as .html (with style.css beside it) or .md. Raises UsageError for another ending."""
    if out.suffix not in (".html", ".md"):
        raise UsageError(f"cannot write a comparison as '{out.suffix}'", "Give a path that ends in .html or .md.")
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix == ".html" and not (out.parent / STYLE).exists():
        write_atomically(out.parent / STYLE, (TEMPLATES / STYLE).read_bytes())
    write_atomically(out, (as_page(found) if out.suffix == ".html" else as_markdown(found)).encode())


def _slice_rows(found: Comparison) -> Iterator[list[str]]:
    for part in found.slices:
        yield [text(part.name), str(part.difference.n), percent(part.a), percent(part.b), points(part.difference)]


def _won(one: Won) -> list[str]:
    return [text(part) for part in (one.example_id, one.question, one.gold, one.a, one.b)]
