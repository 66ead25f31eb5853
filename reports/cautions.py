"""What a reader must know before comparing two rows: one sentence each.

Promises: every sentence opens with our own words, never with a model's name, and names the run it is about.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from benchmark.types import RunManifest
from reports.board import HEADLINE, Cell, Row
from reports.facts import as_text

#: Identity keys that make two rows hard to compare when they differ.
COMPARED = ("dtype", "decoding", "prompt", "policy")
FEW_ITEMS = 100
SHOWN_VALUES = 4


def cautions(manifests: Sequence[RunManifest], rows: Sequence[Row]) -> tuple[str, ...]:
    """The warnings of one table, from its runs' manifests and rows (both in the same order)."""
    names = row_names(rows)
    by_row = chain.from_iterable(map(about_row, rows, names))
    return (*by_row, *excluded(rows, names), *differing_settings(manifests), *differing_n(rows), *few_items(rows))


def row_names(rows: Sequence[Row]) -> list[str]:
    """What to call each run: its model, with the run id where two runs share a model."""
    models = Counter(row.model for row in rows)
    return [row.model if models[row.model] == 1 else f"{row.model} (run {row.run_id})" for row in rows]


def about_row(row: Row, name: str) -> Iterator[str]:
    """Warnings about one run alone."""
    if not row.complete:
        of = f" of {row.examples}" if row.examples is not None else ""
        yield f"Incomplete run: {name} has answered {row.generated}{of} items."
    elif row.examples is not None and row.scored < row.examples:
        yield f"Not all scored: {name} has scores for {row.scored} of {row.examples} items."
    if not row.headline.known:
        yield f"No {HEADLINE} accuracy for {name}: it is listed after the runs that have one."


def excluded(rows: Sequence[Row], names: Sequence[str]) -> Iterator[str]:
    """One sentence on the answers without a value: how many, in which columns, of which runs."""
    parts = [f"{name} ({part})" for row, name in zip(rows, names, strict=True) for part in excluded_in(row)]
    if parts:
        yield f"Answers without a value, which are no fault of the model, are left out of n: {'; '.join(parts)}."


def excluded_in(row: Row) -> Iterator[str]:
    """What a run leaves out, for instance '3 in exact, ast', if anything."""
    columns: dict[int, list[str]] = defaultdict(list)
    for column, cell in row.cells.items():
        columns[cell.excluded].append(column)
    parts = [f"{count} in {', '.join(columns[count])}" for count in sorted(columns, reverse=True) if count]
    if parts:
        yield " and ".join(parts) if len(columns) > 1 else f"{max(columns)} in every column"


def differing_settings(manifests: Sequence[RunManifest]) -> Iterator[str]:
    """One sentence that names every compared setting in which the runs differ, with its values."""
    found = []
    for key in COMPARED:
        values_of_runs = [manifest.identity.get(key) for manifest in manifests]
        leaves = [flatten(key, value) for value in values_of_runs if value is not None]  # None: does not apply
        for name in sorted({name for leaf in leaves for name in leaf}):
            values = distinct([leaf.get(name) for leaf in leaves])
            if len(values) > 1:
                found.append(f"{name} ({shown(values)})")
    if found:
        yield f"The runs differ in {'; '.join(found)}. A gap between rows may come from that and not from the model."


def differing_n(rows: Sequence[Row]) -> Iterator[str]:
    """Rows whose headline rests on differing numbers of items."""
    counts = sorted({row.headline.n for row in rows if row.headline.known})
    if len(counts) > 1:
        yield f"The rows rest on differing numbers of items (n from {counts[0]} to {counts[-1]})."


def few_items(rows: Sequence[Row]) -> Iterator[str]:
    """Fewer than 100 items, with the width of the widest interval in percentage points."""
    cells = [cell for cell in map(leading_cell, rows) if cell is not None and 0 < cell.n < FEW_ITEMS]
    if cells:
        width = max(cell.high - cell.low for cell in cells)
        least = min(cell.n for cell in cells)
        yield f"Fewer than {FEW_ITEMS} items (n = {least}): the 95% interval is up to {100 * width:.0f} points wide."


def leading_cell(row: Row) -> Cell | None:
    """The headline, else the first figure of the row."""
    return row.headline if row.headline.known else next(iter(row.cells.values()), None)


def flatten(name: str, value: object) -> dict[str, Any]:
    """Nested settings as dotted names: 'decoding.temperature'."""
    if not isinstance(value, Mapping):
        return {name: value}
    parts = (flatten(f"{name}.{key}", item) for key, item in value.items())
    return dict(chain.from_iterable(part.items() for part in parts))


def distinct(values: Sequence[Any]) -> list[Any]:
    """The different values, in order of first appearance; 0 and 0.0 are one value."""
    found: list[Any] = []
    for value in values:
        if value not in found:
            found.append(value)
    return found


def shown(values: Sequence[Any]) -> str:
    """A few values on one line, each cut to a readable length."""
    texts = ["none" if value is None else as_text(value) for value in values[:SHOWN_VALUES]]
    short = [text if len(text) <= 24 else text[:19] + "…" for text in texts]
    return ", ".join(short) + (", …" if len(values) > SHOWN_VALUES else "")
