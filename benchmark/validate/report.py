"""A dataset's health as files and as text: JSON lines for machines, a page in Markdown, a summary for a terminal.

Promises: each kind of trouble comes with what to do about it, and with the items that have it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from benchmark.datasets import Dataset
from benchmark.files import line_of, write_atomically
from benchmark.health import (
    ADVICE,
    BLANKET,
    MEANING,
    TELLS_NOTHING,
    Health,
    blanket_scores,
    by_status,
    excluded,
    healthy_share,
)
from benchmark.markdown import cell, table

#: Items of a kind that the summary names; the files hold all.
SHOWN = 5
FILES = ("health.jsonl", "health.md")


def write_report(folder: Path, dataset: Dataset, health: Sequence[Health]) -> list[Path]:
    """Write both files into a folder, made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    lines, page = (folder / name for name in FILES)
    write_atomically(lines, b"".join(map(line_of, health)))
    write_atomically(page, as_markdown(dataset, health).encode())
    return [lines, page]


def as_json(dataset: Dataset, health: Sequence[Health]) -> dict[str, Any]:
    """The figures, and every item that is not healthy or has a note."""
    listed = [one for one in health if not one.healthy or one.notes]
    return {
        "dataset": dataset.name,
        "fingerprint": dataset.fingerprint,
        "items": len(health),
        "healthy_share": healthy_share(health),
        "statuses": {status: len(items) for status, items in by_status(health).items()},
        "leave_the_headline": excluded({one.example_id: one for one in health}),
        "blanket_writes": msgspec.to_builtins(blanket_scores(health)),
        "listed": msgspec.to_builtins(listed),
    }


def summary(dataset: Dataset, health: Sequence[Health]) -> list[str]:
    """Lines for a terminal."""
    lines = [f"{dataset.name}: {_share(health)}"]
    for status, items in by_status(health).items():
        leaves = "; leaves the headline" if status in TELLS_NOTHING else ""
        lines.append(f"  {status:<16} {len(items):>6}  {MEANING[status]}{leaves}")
        if status in ADVICE:
            lines.append(f"{'':<26} {ADVICE[status]}")
            lines += [f"{'':<26} {line}" for line in _named(items)]
    scores = blanket_scores(health)
    if scores:
        told = ", ".join(f"{BLANKET[score.kind]} {score.right}" for score in scores if score.right)
        lines.append(f"  of {scores[0].of} items that write, blanket writes get right: {told or 'none'}")
    noted = [one for one in health if one.notes and one.healthy]
    lines += [f"  {len(noted)} healthy items have a note:"] if noted else []
    lines += [f"    {one.example_id}: {'; '.join(one.notes)}" for one in noted[:SHOWN]]
    lines += [f"    and {len(noted) - SHOWN} more"] if len(noted) > SHOWN else []
    return lines


def _named(items: Sequence[Health]) -> list[str]:
    """The first items with their reasons, or on one line where the status says it all."""
    rest = len(items) - SHOWN
    more = f"and {rest} more" if rest > 0 else ""
    if all(one.reason == MEANING[one.status] for one in items[:SHOWN]):
        return [" ".join(filter(None, [", ".join(one.example_id for one in items[:SHOWN]), more]))]
    return [*(f"{one.example_id}: {one.reason}" for one in items[:SHOWN]), *([more] if more else [])]


def as_markdown(dataset: Dataset, health: Sequence[Health]) -> str:
    """The page."""
    return "\n".join(_page(dataset, health)) + "\n"


def _share(health: Sequence[Health]) -> str:
    healthy = sum(one.healthy for one in health)
    return f"{healthy} of {len(health)} items are healthy ({healthy_share(health):.1%})"


def _page(dataset: Dataset, health: Sequence[Health]) -> Iterator[str]:
    yield f"# Health of {cell(dataset.name)}\n"
    yield f"{_share(health)}. Fingerprint `{dataset.fingerprint}`.\n"
    yield from table(
        ("status", "items", "means", "what to do"),
        [(status, len(items), MEANING[status], ADVICE.get(status, ""))
         for status, items in by_status(health).items()],
    )  # fmt: skip
    scores = blanket_scores(health)
    if scores:
        yield "\n## What blanket writes get right\n"
        yield "Of the items that write and run. With a table in it: for the table that serves it best.\n"
        shares = [(BLANKET[one.kind], one.right, one.of, f"{one.right / one.of:.1%}") for one in scores]
        yield from table(("blanket write", "right", "of", "share"), shares)
    trouble = [one for one in health if not one.healthy]
    if trouble:
        yield "\n## Items that fail, or tell nothing\n"
        yield from table(("id", "status", "why"), [(one.example_id, one.status, one.reason) for one in trouble])
    noted = [one for one in health if one.notes]
    if noted:
        yield "\n## Notes\n"
        yield from table(("id", "notes"), [(one.example_id, "; ".join(one.notes)) for one in noted])
