"""The headline metric by every tag that the examples carry, and by their group.

Promises: a tag with 2 to 30 values is shown; others, up to 1,000 values, are in the data files only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.stats import wilson
from reports.board import Slicing
from reports.figures import Cell
from reports.reading import Column, FloatArray, IntArray, Items

UNTAGGED = "untagged"
GROUP = "group"
MOST_SHOWN, MOST_KEPT = 30, 1_000

#: From easy to hard, as the datasets name it (Gretel and builtin, Spider, BIRD); other names follow by alphabet.
COMPLEXITY_ORDER = (
    "basic SQL",
    "aggregation",
    "single join",
    "multiple_joins",
    "subqueries",
    "set operations",
    "window functions",
    "CTEs",
    "easy",
    "medium",
    "hard",
    "extra",
    "simple",
    "moderate",
    "challenging",
)
#: Tags that come first; others follow by name.
TAG_ORDER = ("complexity", "task_type")


@dataclass(frozen=True, slots=True)
class Partition:
    """A slicing, and the number of the value that each item has, shape (n,)."""

    slicing: Slicing
    codes: IntArray


def partitions(items: Items) -> list[Partition]:
    """One for each tag, and one for the group where no tag says the same."""
    names = sorted({tag for tags in items.tags for tag in tags}, key=tag_order)
    texts = {name: [tags.get(name, UNTAGGED) for tags in items.tags] for name in names}
    if GROUP not in texts and items.groups not in texts.values():
        texts[GROUP] = items.groups
    made = (partition(name, values) for name, values in texts.items())
    kept = [one for one in made if len(one.slicing.values) <= MOST_KEPT]
    return [one for one in kept if one.slicing.tag != GROUP or len(one.slicing.values) < len(items.groups)]


def partition(tag: str, texts: Sequence[str]) -> Partition:
    """Items by their tag's text."""
    values = tuple(sorted(set(texts), key=complexity_order))
    number = {value: code for code, value in enumerate(values)}
    codes = np.fromiter((number[text] for text in texts), np.int64, len(texts))
    return Partition(Slicing(tag=tag, values=values, shown=2 <= len(values) <= MOST_SHOWN), codes)


def slice_cells(column: Column, parts: Sequence[Partition]) -> dict[str, dict[str, Cell]]:
    """A column's figure for each value of each tag; values without any answer are left out."""
    if not parts:
        return {}
    means = column.by_item(len(parts[0].codes))
    places, _, values = column.arrays()
    excluded = places[np.isnan(values)]
    return {part.slicing.tag: _known(part, _cells(means, excluded, part)) for part in parts}


def _known(part: Partition, cells: Sequence[Cell]) -> dict[str, Cell]:
    named = zip(part.slicing.values, cells, strict=True)
    return {value: cell for value, cell in named if cell.n or cell.excluded}


def _cells(means: FloatArray, excluded_places: IntArray, part: Partition) -> list[Cell]:
    known, many = ~np.isnan(means), len(part.slicing.values)
    n = np.bincount(part.codes[known], minlength=many).tolist()
    totals = np.bincount(part.codes[known], weights=means[known], minlength=many).tolist()
    excluded = np.bincount(part.codes[excluded_places], minlength=many).tolist()
    return [cell_of(*parts) for parts in zip(totals, n, excluded, strict=True)]


def mean_cell(column: Column, n: int) -> Cell:
    """A column's mean over n items with its Wilson interval: `n` of the cell counts those that have a value."""
    means = column.by_item(n)
    known = means[~np.isnan(means)]
    return cell_of(math.fsum(known.tolist()), known.size, int(np.isnan(column.arrays()[2]).sum()))


def cell_of(total: float, n: int, excluded: int) -> Cell:
    """A figure from a sum over n items.

    >>> cell_of(18.0, 30, 0).low.__round__(3)
    0.423
    """
    low, high = wilson(min(total, n), n)
    return Cell(value=total / n if n else math.nan, n=n, low=low, high=high, excluded=excluded)


def tag_order(tag: str) -> tuple[int, str]:
    """Complexity and task type first, others by name."""
    return (TAG_ORDER.index(tag) if tag in TAG_ORDER else len(TAG_ORDER), tag)


def complexity_order(name: str) -> tuple[bool, int, str]:
    """From easy to hard where that is known, then by name; untagged items last."""
    rank = COMPLEXITY_ORDER.index(name) if name in COMPLEXITY_ORDER else len(COMPLEXITY_ORDER)
    return (name == UNTAGGED, rank, name)
