"""Labels given by hand: the draw is the datasets' own, and a broken file is reported whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmark.datasets import Dataset, select
from benchmark.errors import UsageError
from benchmark.labels import Label, draw, read_labels
from benchmark.types import Example

GOOD = {"run_id": "r", "example_id": "a", "sample": 0, "label": "correct", "note": "", "schema_version": 1}


def test_a_draw_is_that_of_a_dataset_sample(shop: list[Example]) -> None:
    dataset = Dataset(name="shop", split="test", licence="", examples=tuple(shop))
    for seed in range(8):
        sampled = select(dataset, sample=2, seed=seed)
        assert set(draw([example.id for example in shop], 2, seed)) == {example.id for example in sampled.examples}


def test_a_draw_is_fair() -> None:
    ids = [str(number) for number in range(10)]
    times = dict.fromkeys(ids, 0)
    for seed in range(1_000):
        for one in draw(ids, 3, seed):
            times[one] += 1
    assert all(240 < count < 360 for count in times.values()), times  # 300 expected, standard deviation 14.5


def test_a_label_reads_back_and_the_last_word_counts(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    lines = [GOOD, {**GOOD, "labeller": "eve"}, {**GOOD, "label": "unsure", "note": "hm"}]
    path.write_text("\n".join(map(json.dumps, lines)))  # without a last line end, as an editor may leave it
    assert read_labels(path) == [
        Label(run_id="r", example_id="a", label="unsure", note="hm"),
        Label(run_id="r", example_id="a", label="correct", labeller="eve"),
    ]


def test_every_broken_line_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    broken = [
        "no json",
        json.dumps({**GOOD, "label": "maybe"}),
        json.dumps({**GOOD, "example_id": ""}),
        json.dumps({**GOOD, "schema_version": 9}),
        json.dumps({**GOOD, "sample": -1}),
        json.dumps({"run_id": "r", "label": "correct"}),
        '{"run_id": "r",',
    ]
    path.write_text("\n".join([json.dumps(GOOD), *broken, json.dumps(GOOD)]))
    with pytest.raises(UsageError) as caught:
        read_labels(path)
    for number in range(2, 9):
        assert f"line {number}: " in str(caught.value)
    assert "7 broken lines" in str(caught.value)
    assert "'maybe'" in str(caught.value)


def test_no_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_labels(tmp_path / "none.jsonl")
    assert "sqlgauge label" in caught.value.hint
