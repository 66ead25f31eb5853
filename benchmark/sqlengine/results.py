"""When two results agree: the comparison policies, as pure functions over rows.

Promises: typed comparison ('7' is not 7, NULL equals NULL only), rows are never taken apart, and every answer is
the same whatever the order in which the engine returned unordered rows.
Does not: decide what a failure means; a result that does not exist is never compared.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

#: Characters of a text that are shown.
_CELL_CHARS = 200

Cell = None | int | float | str | bytes
Row = tuple[Cell, ...]

#: Two numbers are equal within this relative difference under the default policy.
RELATIVE_TOLERANCE = 1e-6
#: ... or within this absolute one, for sums of floats that should be zero.
ABSOLUTE_TOLERANCE = 1e-12
#: Cells compared, and beginnings of column orders tried, before the search among look-alike columns is given up.
MAX_SEARCH_CELLS, MAX_SEARCH_STEPS = 20_000_000, 5_000


class Table(NamedTuple):
    """A result: how many columns, and the rows as the engine returned them."""

    width: int
    rows: list[Row]


#: Runs of gold rows that tie under its ORDER BY, as lengths that sum to the number of rows.
Ties = Sequence[int]
Policy = Callable[[Table, Table, Ties | None], bool]
#: Whether two lists of rows are the same bag.
SameBag = Callable[[list[Row], list[Row]], bool]


def compare_default(gold: Table, pred: Table, ties: Ties | None) -> bool:
    """The default policy: bags of rows, any column order, numbers within `RELATIVE_TOLERANCE`.

    `ties` is None for a gold that does not order its result; otherwise the prediction's rows must follow the
    gold's order, free only inside a run of ties.
    """
    if len(gold.rows) != len(pred.rows) or gold.width != pred.width:
        return False
    if gold.rows == pred.rows:  # Python keeps the kinds apart: 7 != '7', '' != b'', and None equals only None
        return True
    return _bags_equal(gold.rows, pred.rows, ties) or _some_column_order_agrees(gold, pred, ties)


def compare_subset(gold: Table, pred: Table, ties: Ties | None) -> bool:
    """As default, but the prediction may have more columns: one choice of them must be the gold's result."""
    if len(gold.rows) != len(pred.rows) or pred.width < gold.width:
        return False
    return not gold.rows or _some_column_order_agrees(gold, pred, ties)


def same_bag(gold: list[Row], pred: list[Row]) -> bool:
    """Whether two lists hold the same rows in any order, columns in place, with the default policy's numbers."""
    return len(gold) == len(pred) and _bag_equal(gold, pred)


def compare_strict(gold: Table, pred: Table, ties: Ties | None) -> bool:
    """Lists if the gold orders, else bags; columns in place; Python equality of cells."""
    if ties is not None:
        return gold.rows == pred.rows
    return gold.rows == pred.rows or Counter(gold.rows) == Counter(pred.rows)


def compare_bird(gold: Table, pred: Table, ties: Ties | None) -> bool:
    """BIRD's official evaluator: sets of rows, columns in place."""
    return set(gold.rows) == set(pred.rows)


def compare_spider(gold: Table, pred: Table, ties: Ties | None) -> bool:
    """Spider's official test-suite comparison on one database (R. Zhong, T. Yu, D. Klein, EMNLP 2020).

    Lists if the gold's text orders, else bags; any column order; Python equality of cells; two empty results agree.
    The official evaluator strips DISTINCT from both queries before it runs them: `benchmark.sqlengine.parse`.
    """
    if not gold.rows or not pred.rows:
        return gold.rows == pred.rows
    if len(gold.rows) != len(pred.rows) or gold.width != pred.width:
        return False
    each_row_alone = None if ties is None else [1] * len(gold.rows)
    return _some_column_order_agrees(gold, pred, each_row_alone, _exact_bag_equal)


#: Changes when any policy's meaning does: part of a run's identity.
POLICY_VERSION = "2026-11-25"
POLICIES: dict[str, Policy] = {
    "default": compare_default,
    "strict": compare_strict,
    "spider": compare_spider,
    "bird": compare_bird,
    "subset": compare_subset,
}
#: Policies under which a gold's order counts only up to ties of its ORDER BY keys.
TIE_AWARE = frozenset({"default", "subset"})
#: Policies under which an answer must read a table where the gold does; the others are official evaluators' own.
ASK_FOR_TABLE = frozenset({"default", "subset"})


def shown_cell(cell: Cell) -> Cell:
    """A cell as a JSON value: bytes as hexadecimal text, long texts cut, numbers beyond 64 bits as text."""
    if isinstance(cell, bytes):
        return cell.hex()[:_CELL_CHARS]
    if isinstance(cell, str):
        return cell[:_CELL_CHARS]
    return str(cell) if isinstance(cell, int) and abs(cell) >> 63 else cell  # beyond what msgpack and JSON readers hold


def result_hash(rows: Iterable[Row]) -> str:
    """16 hexadecimal digits that rows share whatever their order: columns in place, numbers to six digits."""
    lines = sorted(repr(tuple(map(_counted, row))) for row in rows)
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _counted(cell: Cell) -> object:
    return f"{cell:.6g}" if isinstance(cell, int | float) else ("bytes", cell) if isinstance(cell, bytes) else (cell,)


def _kind(cell: Cell) -> int:
    """0 NULL, 1 number, 2 text, 3 bytes: cells of different kinds are never equal."""
    if cell is None:
        return 0
    return 1 if isinstance(cell, (int, float)) else 2 if isinstance(cell, str) else 3


def _cells_equal(a: Cell, b: Cell) -> bool:
    if a == b:
        return True
    if _kind(a) == _kind(b) == 1 and (isinstance(a, float) or isinstance(b, float)):
        return math.isclose(a, b, rel_tol=RELATIVE_TOLERANCE, abs_tol=ABSOLUTE_TOLERANCE)  # type: ignore[arg-type]
    return False


def _rows_equal(a: Row, b: Row) -> bool:
    return all(map(_cells_equal, a, b))


def _sort_key(row: Row) -> tuple[tuple[tuple[int, Cell], ...], tuple[Cell, ...]]:
    """What must be equal exactly comes first: numbers that differ in their last bits then pair within equal texts."""
    kinds = tuple(map(_kind, row))
    exact = tuple((kind, cell if kind > 1 else 0) for kind, cell in zip(kinds, row, strict=True))
    return exact, tuple(cell for kind, cell in zip(kinds, row, strict=True) if kind == 1)


def _bags_equal(gold: list[Row], pred: list[Row], ties: Ties | None, same: SameBag | None = None) -> bool:
    same = same or _bag_equal
    if ties is None:
        return same(gold, pred)
    start = 0
    for length in ties:
        if not same(gold[start : start + length], pred[start : start + length]):
            return False
        start += length
    return True


def _bag_equal(gold: list[Row], pred: list[Row]) -> bool:
    """Equality of bags up to numeric tolerance. Exact bags first, then sorted neighbours, then a matching."""
    rest_gold, rest_pred = Counter(gold), Counter(pred)
    if rest_gold == rest_pred:
        return True
    left = sorted((rest_gold - rest_pred).elements(), key=_sort_key)
    right = sorted((rest_pred - rest_gold).elements(), key=_sort_key)
    if not any(isinstance(cell, float) for row in (*left, *right) for cell in row):
        return False  # only floats may differ and still be equal
    return all(map(_rows_equal, left, right)) or _matching(left, right)


def _exact_bag_equal(gold: list[Row], pred: list[Row]) -> bool:
    return gold == pred or Counter(gold) == Counter(pred)


def _matching(left: list[Row], right: list[Row]) -> bool:
    """A perfect matching of tolerant row equality (Kuhn's augmenting paths), for near-ties that sorting mispairs."""
    if len(left) > 500:
        return False
    edges = [[j for j, b in enumerate(right) if _rows_equal(a, b)] for a in left]
    partner: dict[int, int] = {}

    def augment(i: int, seen: set[int]) -> bool:
        for j in edges[i]:
            if j not in seen:
                seen.add(j)
                if j not in partner or augment(partner[j], seen):
                    partner[j] = i
                    return True
        return False

    return all(augment(i, set()) for i in range(len(left)))


def _some_column_order_agrees(gold: Table, pred: Table, ties: Ties | None, same: SameBag | None = None) -> bool:
    """Whether the prediction's columns can be put in an order that makes its rows the gold's.

    Orders are built column by column, those with the fewest look-alikes first. Only columns with the same bag of
    cells are tried, of identical ones only the first, and a beginning is kept only while the beginnings of the rows
    agree; so a crowd of look-alike columns (a pivot, an adjacency matrix) is told apart without trying every order.
    """
    gold_columns = list(zip(*gold.rows, strict=True))
    pred_columns = list(zip(*pred.rows, strict=True))
    same = same or _bag_equal
    candidates = [[j for j, have in enumerate(pred_columns) if _alike(want, have, same)] for want in gold_columns]
    if not all(candidates) or len({j for options in candidates for j in options}) < gold.width:
        return False
    wanted = sorted(range(gold.width), key=lambda i: len(candidates[i]))
    steps = max(1, min(MAX_SEARCH_STEPS, MAX_SEARCH_CELLS // (gold.width * len(gold.rows))))

    def extend(chosen: tuple[int, ...]) -> bool:
        nonlocal steps
        size = len(chosen)
        if size == gold.width:
            return True
        options = {pred_columns[j]: j for j in reversed(candidates[wanted[size]]) if j not in chosen}
        for j in sorted(options.values(), key=lambda j: j != wanted[size]):  # in place first
            beginning = (*chosen, j)
            if len(options) > 1 or size == gold.width - 1:
                if steps == 0:
                    return False
                steps -= 1
                if not _bags_equal(_columns(gold.rows, wanted[: size + 1]), _columns(pred.rows, beginning), ties, same):
                    continue
            if extend(beginning):
                return True
        return False

    return extend(())


def _columns(rows: list[Row], order: Sequence[int]) -> list[Row]:
    if tuple(order) == tuple(range(len(rows[0]))):
        return rows
    return [tuple(row[j] for j in order) for row in rows]


def _alike(a: tuple[Cell, ...], b: tuple[Cell, ...], same: SameBag) -> bool:
    return same([(cell,) for cell in a], [(cell,) for cell in b])
