"""No test item is trained on unasked, and what was found is written down."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.datasets import load_dataset
from benchmark.errors import DatasetError, UsageError
from finetune.config import DataPart, load_recipe
from finetune.guard import guarded

ROWS = [
    {
        "sql_prompt": f"Which a is {n}, of {word}?",
        "sql_context": "CREATE TABLE t (a INT)",
        "sql": f"SELECT {word} FROM t",
    }
    for n, word in enumerate(("apple", "birch", "cedar", "dogwood"))
]


def write(path: Path, rows: Sequence[Mapping[str, str]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return f"gretel:{path}"


@pytest.fixture
def data(tmp_path: Path) -> DataPart:
    """Four rows to train on, one of which is in the test with other white space."""
    leaked = {**ROWS[2], "sql_prompt": f"  {ROWS[2]['sql_prompt'].upper()}", "sql": f"{ROWS[2]['sql']} ;"}
    other = {
        "sql_prompt": "Something quite different?",
        "sql_context": "CREATE TABLE u (b INT)",
        "sql": "SELECT b FROM u",
    }
    test = write(tmp_path / "test.jsonl", [leaked, other])
    return DataPart(dataset=write(tmp_path / "train.jsonl", ROWS), test=test)


def test_a_test_item_in_the_training_rows_is_refused(data: DataPart) -> None:
    with pytest.raises(UsageError, match=r"1 of 4 training rows .* are items of gretel:test.jsonl/test") as refused:
        guarded(load_dataset(data.dataset, "train"), data)
    assert "data.test_items=drop" in refused.value.hint


def test_dropped_or_allowed_it_is_written_down(data: DataPart) -> None:
    train = load_dataset(data.dataset, "train")
    kept, guard = guarded(train, replace(data, test_items="drop"))
    assert len(kept.examples) == 3
    record = guard.record()
    assert (record["same_items"], record["dropped"], record["exact"], record["test_items"]) == (1, 1, 0, "drop")
    kept, guard = guarded(train, replace(data, test_items="allow"))
    assert kept == train
    record = guard.record()
    assert (record["same_items"], record["dropped"], record["seen"], record["normal"]) == (1, 0, 1, 1)
    assert (record["items"], record["test"]) == (2, "gretel:test.jsonl/test")
    assert [one.seen for one in guard.overlaps] == [True, False]


def test_the_test_split_of_the_same_dataset_is_the_default() -> None:
    data = DataPart(dataset="builtin")
    kept, guard = guarded(load_dataset("builtin", "train"), data)
    assert (len(kept.examples), guard.test, guard.same) == (2000, "builtin/test", 0)
    with pytest.raises(UsageError, match="240 of 240 training rows of builtin/test are items of builtin/test"):
        guarded(load_dataset("builtin", "test"), replace(data, train_split="test"))
    with pytest.raises(UsageError, match="every row of builtin/test"):
        guarded(load_dataset("builtin", "test"), replace(data, train_split="test", test_items="drop"))


def test_where_there_is_no_test_split_the_manifest_says_so(data: DataPart) -> None:
    alone = replace(data, test="")
    kept, guard = guarded(load_dataset(alone.dataset, "train"), alone)
    assert len(kept.examples) == 4
    assert "one file without splits" in guard.record()["unchecked"]
    with pytest.raises(DatasetError, match="no such file"):
        guarded(kept, replace(data, test="gretel:nowhere.jsonl"))


def test_a_recipe_takes_the_keys_and_refuses_other_words() -> None:
    recipe = load_recipe("demo", ["data.test_items=drop", "data.test=builtin"])
    assert (recipe.data.test_items, recipe.data.test) == ("drop", "builtin")
    with pytest.raises(UsageError, match=r"data\.test_items"):
        load_recipe("demo", ["data.test_items=ignore"])
    with pytest.raises(UsageError, match=r"data\.test': no 'bultin'"):
        load_recipe("demo", ["data.test=bultin"])
