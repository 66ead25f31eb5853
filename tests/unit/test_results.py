"""The comparison policies: what agrees, what never does, and that no order of the engine's matters."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.sqlengine.results import (
    POLICIES,
    Cell,
    Row,
    Table,
    Ties,
    compare_default,
    compare_spider,
    compare_subset,
)


def table(*rows: Row) -> Table:
    return Table(len(rows[0]), list(rows))


def agree(gold: list[Row], pred: list[Row], ties: Ties | None = None) -> bool:
    """The default policy, which must say the same with the sides exchanged when nothing is ordered."""
    forward = compare_default(table(*gold), table(*pred), ties)
    if ties is None:
        assert compare_default(table(*pred), table(*gold), ties) == forward
    return forward


@pytest.mark.parametrize(
    ("gold", "pred"),
    [
        (7, 7.0),
        (7, 7.000001),
        (1e9, 1e9 + 500),
        (0.1 + 0.2, 0.3),
        (0.0, 1e-13),
        (-0.0, 0),
        (10**17, float(10**17)),
        (float("inf"), float("inf")),
        (None, None),
        ("é", "é"),
        (b"\x00", b"\x00"),
    ],
)
def test_cells_that_are_equal(gold: Cell, pred: Cell) -> None:
    assert agree([(gold, 1), (gold, 2)], [(pred, 2), (pred, 1)])


@pytest.mark.parametrize(
    ("gold", "pred"),
    [
        ("7", 7),
        ("7.0", 7.0),
        (b"7", "7"),
        (b"", ""),
        (None, ""),
        (None, 0),
        (None, "NULL"),
        (None, float("inf")),
        (7, 8),
        (7, 7.00001),
        (10**17, 10**17 + 1),
        (0.0, 1e-9),
        (float("inf"), 1e308),
        (float("inf"), float("-inf")),
        ("a", "A"),
        ("a", "a "),
    ],
)
def test_cells_that_differ(gold: Cell, pred: Cell) -> None:
    assert not agree([(gold, 1)], [(pred, 1)])
    assert not agree([(gold, 1), (3.5, 2)], [(pred, 1), (3.5, 2)])


@pytest.mark.parametrize(("offset", "expected"), [(0.99e-6, True), (1.01e-6, False)])
def test_edge_of_the_tolerance(offset: float, expected: bool) -> None:
    assert agree([(1000.0,)], [(1000.0 * (1 + offset),)]) is expected
    assert agree([(-1000.0,)], [(-1000.0 * (1 + offset),)]) is expected


def test_near_ties_that_sorting_mispairs() -> None:
    """Sorted by their first cells, the two rows of each side stand in opposite orders."""
    assert agree([(1.0, 10.0), (1.0000001, 20.0)], [(1.0000001, 10.0), (1.0, 20.0)])
    assert agree([(1.0, "a"), (1.0000001, "b")], [(1.0000001, "a"), (1.0, "b")])
    assert not agree([(1.0, 10.0), (1.0000001, 20.0)], [(1.0000001, 10.0), (1.0, 30.0)])


def test_near_ties_in_a_long_result() -> None:
    """The averages of 2,000 groups, added up in another order: each differs in its last bits only."""
    noise = random.Random(7)
    gold: list[Row] = [(1 / 3 + noise.uniform(-1, 1) * 1e-12, f"group {i}") for i in range(2000)]
    pred: list[Row] = [(1 / 3 + noise.uniform(-1, 1) * 1e-12, name) for _, name in gold]
    assert agree(gold, pred[::-1])
    assert not agree(gold, [*pred[:-1], (1 / 3, "group 0")])


def test_a_chain_of_near_ties() -> None:
    """Each number is close to two of the other side; only one matching serves all three."""
    gold: list[Row] = [(1.0,), (1.0 + 0.7e-6,), (1.0 + 1.4e-6,)]
    pred: list[Row] = [(1.0 + 0.69e-6,), (1.0 + 1.39e-6,), (1.0 + 2.09e-6,)]
    assert agree(gold, pred[::-1])
    assert not agree(gold, [pred[0], pred[2], pred[2]])


def test_duplicates_matter() -> None:
    assert not agree([(1,), (1,), (2,)], [(1,), (2,), (2,)])
    assert not agree([(1,), (1,)], [(1,)])
    assert not agree([(1.5,), (1.5,), (2.5,)], [(1.5,), (2.5,), (2.5,)])


def test_rows_are_never_taken_apart() -> None:
    assert not agree([("a", 1), ("b", 2)], [("a", 2), ("b", 1)])
    assert not agree([("a", 1.5), ("b", 2.5)], [("a", 2.5), ("b", 1.5)])


def test_width_and_emptiness() -> None:
    assert compare_default(Table(2, []), Table(2, []), None)
    assert not compare_default(Table(2, []), Table(1, []), None)
    assert not compare_default(Table(1, []), Table(1, [(None,)]), None)
    assert not agree([(1,)], [(1, 1)])


def test_columns_may_trade_places() -> None:
    assert agree([("a", 1, None), ("b", 2, None)], [(None, 2, "b"), (None, 1, "a")])
    assert not agree([("a", 1), ("b", 2)], [(1, "b"), (2, "a")])


def test_identical_columns() -> None:
    assert agree([(1, 1, 2), (3, 3, 4)], [(2, 1, 1), (4, 3, 3)])
    assert not agree([(1, 1, 2), (3, 3, 4)], [(2, 2, 1), (4, 4, 3)])
    assert agree([(0,) * 30, (1,) * 30], [(1,) * 30, (0,) * 30])


def one_hot(width: int, order: list[int]) -> list[Row]:
    return [tuple(int(order[row] == column) for column in range(width)) for row in range(width)]


def test_many_look_alike_columns_are_told_apart_quickly() -> None:
    """A pivot: forty columns that hold the same cells in other rows have 40! orders."""
    width = 40
    names = [f"row {i}" for i in range(width)]
    shuffled = list(range(width))
    random.Random(3).shuffle(shuffled)
    gold = [(name, *row) for name, row in zip(names, one_hot(width, list(range(width))), strict=True)]
    pred = [(*row, name) for name, row in zip(names, one_hot(width, shuffled), strict=True)]
    started = time.perf_counter()
    assert agree(gold, pred)
    assert not agree(gold, [*pred[:-1], (*pred[0][:-1], pred[-1][-1])])
    without_last = [(*row[:-1], 0) for row in one_hot(width, shuffled)]
    assert not agree(one_hot(width, list(range(width))), without_last)
    assert time.perf_counter() - started < 5


def test_ordered_up_to_ties() -> None:
    gold: list[Row] = [("a", 1), ("b", 1), ("c", 2)]
    assert agree(gold, [("b", 1), ("a", 1), ("c", 2)], [2, 1])
    assert not agree(gold, [("b", 1), ("a", 1), ("c", 2)], [1, 1, 1])
    assert not agree(gold, [("c", 2), ("a", 1), ("b", 1)], [2, 1])
    assert agree(gold, [(1, "b"), (1, "a"), (2, "c")], [2, 1])


def test_strict_policy() -> None:
    strict = POLICIES["strict"]
    gold = table((1, "a"), (2, "b"))
    assert strict(gold, table((2, "b"), (1, "a")), None)
    assert not strict(gold, table((2, "b"), (1, "a")), ())
    assert not strict(gold, table(("a", 1), ("b", 2)), None)
    assert not strict(table((1.0,)), table((1.0000001,)), None)
    assert not strict(table((1,), (1,)), table((1,), (2,)), None)


def test_bird_policy_compares_sets() -> None:
    bird = POLICIES["bird"]
    assert bird(table((1, "a"), (1, "a")), table((1, "a")), ())
    assert bird(table((1,), (2,)), table((2,), (1,)), ())
    assert not bird(table((1, "a")), table(("a", 1)), None)
    assert not bird(table((1,)), table(("1",)), None)


# Numbers are whole or halves, texts are short: two unequal ones are further apart than any tolerance.
CELLS: st.SearchStrategy[Cell] = st.one_of(
    st.none(),
    st.integers(-3, 3),
    st.integers(-3, 3).map(lambda half: half + 0.5),
    st.sampled_from(["", "a", "1"]),
    st.sampled_from([b"", b"a"]),
)
TABLES: st.SearchStrategy[list[Row]] = st.integers(1, 5).flatmap(
    lambda width: st.lists(st.tuples(*[CELLS] * width), min_size=1, max_size=12)
)
STRANGER: Cell = "found in no generated table"


@settings(max_examples=200, deadline=None)
@given(rows=TABLES, randomness=st.randoms(use_true_random=False))
def test_any_order_of_rows_and_columns_agrees(rows: list[Row], randomness: random.Random) -> None:
    columns = list(range(len(rows[0])))
    randomness.shuffle(columns)
    pred: list[Row] = [tuple(row[column] for column in columns) for row in rows]
    randomness.shuffle(pred)
    assert agree(rows, pred)


@settings(max_examples=200, deadline=None)
@given(rows=TABLES, randomness=st.randoms(use_true_random=False), cell=CELLS)
def test_one_changed_cell_never_agrees(rows: list[Row], randomness: random.Random, cell: Cell) -> None:
    """Also when the new cell is one that other rows hold: the bag of all cells has changed."""
    number, column = randomness.randrange(len(rows)), randomness.randrange(len(rows[0]))
    changed = list(rows)
    old = changed[number][column]
    new = STRANGER if type(old) is type(cell) and old == cell else cell
    changed[number] = (*changed[number][:column], new, *changed[number][column + 1 :])
    randomness.shuffle(changed)
    assert not agree(rows, changed)
    assert not POLICIES["strict"](table(*rows), table(*changed), None)


@settings(max_examples=100, deadline=None)
@given(rows=TABLES, randomness=st.randoms(use_true_random=False))
def test_ties_decide_which_shuffles_agree(rows: list[Row], randomness: random.Random) -> None:
    cut = randomness.randrange(len(rows) + 1)
    head, tail = rows[:cut], rows[cut:]
    randomness.shuffle(head)
    randomness.shuffle(tail)
    ties = [length for length in (len(head), len(tail)) if length]
    assert agree(rows, [*head, *tail], ties)


def test_subset_allows_extra_columns_but_not_other_rows() -> None:
    gold = Table(1, [("a",), ("b",)])
    assert compare_subset(gold, Table(2, [(1, "b"), (2, "a")]), None)
    assert not compare_default(gold, Table(2, [(1, "b"), (2, "a")]), None)
    assert not compare_subset(gold, Table(2, [(1, "b"), (2, "c")]), None)
    assert not compare_subset(Table(2, [(1, "b")]), Table(1, [("b",)]), None)
    assert not compare_subset(gold, Table(2, [(1, "b"), (2, "a"), (3, "a")]), None)


def test_spider_is_exact_about_numbers_and_free_about_columns() -> None:
    assert compare_spider(Table(2, [(1, "a"), (2, "b")]), Table(2, [("b", 2), ("a", 1.0)]), None)
    assert not compare_spider(Table(2, [(1, "a"), (2, "b")]), Table(2, [("b", 2), ("a", 1)]), ())
    assert not compare_spider(Table(1, [(0.1,)]), Table(1, [(0.1 + 1e-12,)]), None)
    assert compare_spider(Table(1, []), Table(3, []), None)
    assert not compare_spider(Table(1, []), Table(1, [(None,)]), None)
