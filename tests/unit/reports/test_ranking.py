"""Ranks: what the data separate, whatever the order of runs and items."""

from __future__ import annotations

import random

import numpy as np
import pytest

from benchmark.stats.bootstrap import bootstrap_differences
from reports.ranking import rank_runs
from reports.reading import Items
from reports.tables import build_board


def items_of(n, groups=None):
    items = Items()
    for number in range(n):
        items.place(f"e{number:04}")
    items.groups[:] = [f"g{number % (groups or n)}" for number in range(n)]
    return items


def values_of(n, **shares):
    """0/1 values of which the first `share` per cent are right."""
    return {name: (np.arange(n) < n * share / 100).astype(float) for name, share in shares.items()}


def test_models_that_the_data_cannot_separate_share_a_rank():
    generator = np.random.default_rng(5)
    values = {name: (generator.random(400) < p).astype(float) for name, p in (("a", 0.83), ("b", 0.8), ("c", 0.5))}
    assert values["a"].mean() > values["b"].mean()
    ranks, ranking = rank_runs(values, items_of(400))
    assert {name: str(rank) for name, rank in ranks.items()} == {"a": "1-2", "b": "1-2", "c": "3"}
    assert [(p.upper, p.lower, p.separated) for p in ranking.pairs] == [
        ("a", "b", False),
        ("a", "c", True),
        ("b", "c", True),
    ]
    assert (ranking.items, ranking.clusters, ranking.by_item, ranking.unranked) == (400, 400, False, ())


def test_a_pair_is_the_bootstrap_of_that_pair_the_better_one_first():
    generator = np.random.default_rng(7)
    values = {name: (generator.random(300) < p).astype(float) for name, p in (("worse", 0.4), ("better", 0.6))}
    items = items_of(300, groups=30)
    _, ranking = rank_runs(values, items)
    (pair,) = ranking.pairs
    (expected,) = bootstrap_differences([values["worse"], values["better"]], items.groups)
    assert (pair.upper, pair.lower) == ("better", "worse")
    assert pair.difference == pytest.approx(values["better"].mean() - values["worse"].mean())
    assert pair.low < pair.difference < pair.high
    assert pair.p_value == pytest.approx(expected.p_value, rel=0.2)


def test_four_items_that_only_one_has_right_separate_nothing():
    right = np.zeros(240)
    right[:4] = 1.0
    ranks, ranking = rank_runs({"a": right, "b": np.zeros(240)}, items_of(240, groups=24))
    (pair,) = ranking.pairs
    assert pair.low > 0, "the bootstrap alone is sure"
    assert pair.p_value == 0.125
    assert not pair.separated
    assert {str(rank) for rank in ranks.values()} == {"1-2"}


def test_holm_makes_many_models_harder_to_tell_apart():
    values = values_of(100, a=70, b=64)
    _, alone = rank_runs(values, items_of(100))
    crowd = {**values, **{f"x{i}": values["b"] for i in range(8)}}
    _, among = rank_runs(crowd, items_of(100))
    p = {(pair.upper, pair.lower): pair.p_value for pair in among.pairs}
    assert alone.pairs[0].separated
    assert p["a", "b"] > alone.pairs[0].p_value


def test_the_order_of_items_and_runs_changes_nothing():
    generator = np.random.default_rng(3)
    values = {name: (generator.random(200) < 0.5).astype(float) for name in "abc"}
    order = list(range(200))
    random.Random(1).shuffle(order)
    mixed = Items()
    for number in order:
        mixed.place(f"e{number:04}")
    mixed.groups[:] = [f"g{number % 25}" for number in order]
    shuffled = {name: values[name][order] for name in "cab"}
    assert rank_runs(values, items_of(200, groups=25)) == rank_runs(shuffled, mixed)


def test_a_short_run_takes_no_items_from_the_others():
    values = values_of(200, a=80, b=40, c=60)
    values["c"][100:] = np.nan
    ranks, ranking = rank_runs(values, items_of(200))
    assert (ranking.items, ranking.unranked) == (200, ("c",))
    assert set(ranks) == {"a", "b"}
    values["c"][100:190] = 0.0
    assert rank_runs(values, items_of(200))[1].items == 190


def test_one_group_for_all_items_compares_items():
    _, ranking = rank_runs(values_of(200, a=80, b=40), items_of(200, groups=1))
    assert (ranking.by_item, ranking.clusters) == (True, 1)
    assert ranking.pairs[0].separated


def test_equal_models_and_a_single_one_and_none():
    ranks, ranking = rank_runs(values_of(50, a=50, b=50), items_of(50))
    assert {str(rank) for rank in ranks.values()} == {"1-2"}
    assert not ranking.pairs[0].separated
    alone, of = rank_runs(values_of(50, a=50), items_of(50))
    assert (alone, of.pairs) == ({}, ())
    assert rank_runs({}, items_of(0)) == ({}, None)


def test_the_board_ranks_by_the_headline_and_two_runs_of_one_id_stay_two(make_run, score_list, tmp_path):
    good, bad = score_list("execution", *[1.0] * 60), score_list("execution", *[0.0] * 60)
    runs = [make_run("good", good), make_run("bad", bad)]
    for run in runs:
        text = run.manifest_path.read_text()
        run.manifest_path.write_text(text.replace(run.path.name, "same-name"))
    (table,) = build_board(runs).tables
    assert [(row.model, row.run_id, str(row.rank)) for row in table.rows] == [
        ("good", "same-name", "1"),
        ("bad", "same-name #2", "2"),
    ]
    ((upper, lower, pair),) = table.neighbours()
    assert (upper.model, lower.model, pair.separated) == ("good", "bad", True)
