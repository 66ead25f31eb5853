"""Several samples an item: estimators against enumeration, the majority, and a run that asks more than once."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from benchmark.config import make_config
from benchmark.errors import UsageError
from benchmark.generating import Questions, generate, missing
from benchmark.models.base import Decoding
from benchmark.samples import most_agreed, pass_at_k, sample_figures, sampled
from benchmark.sqlengine.results import result_hash
from benchmark.store import RunFolder
from benchmark.types import Generation, Message, Prompt, Score
from sqlgauge import verbs
from sqlgauge.summary import run_lines, summarise


@pytest.mark.parametrize("n", [1, 4, 6])
def test_pass_at_k_is_the_share_of_subsets_with_a_right_one(n: int) -> None:
    for right, k in itertools.product(range(n + 1), range(1, n + 1)):
        answers = [True] * right + [False] * (n - right)
        drawn = list(itertools.combinations(answers, k))
        assert pass_at_k(n, right, k) == pytest.approx(sum(map(any, drawn)) / len(drawn))
    with pytest.raises(ValueError, match="pass@7"):
        pass_at_k(n, 1, 7)


def test_the_majority_is_by_result_and_the_earliest_wins_a_tie() -> None:
    assert most_agreed([("a", 0.0), ("b", 1.0), ("b", 1.0)]) == 1.0
    assert most_agreed([("a", 1.0), ("b", 0.0)]) == 1.0
    assert most_agreed([(None, 0.0), ("b", 1.0)]) == 1.0
    assert most_agreed([(None, 0.0), (None, 0.0)]) == 0.0


def test_a_result_is_known_whatever_the_order_of_its_rows() -> None:
    assert result_hash([(1, "x"), (2.0, None)]) == result_hash([(2, None), (1.0, "x")])
    assert result_hash([(1, "x")]) != result_hash([("x", 1)])
    assert result_hash([(1,)]) != result_hash([("1",)])
    assert result_hash([(1,)]) != result_hash([(1,), (1,)])
    assert result_hash([(b"x",)]) != result_hash([("x",)])


def score(example: str, sample: int, value: float, result: str | None) -> Score:
    evidence = {} if result is None else {"result": result}
    return Score(example_id=example, sample=sample, metric="execution", value=value, status="ok", evidence=evidence)


def test_figures_of_two_items_by_hand() -> None:
    scores = [score("a", 0, 1.0, "r"), score("a", 1, 0.0, "s"), score("a", 2, 1.0, "r")]
    scores += [score("b", 0, 0.0, "s"), score("b", 1, 0.0, "s"), score("b", 2, 1.0, "r")]
    found = sample_figures(sampled(scores), {"a": "x", "b": "y"})
    assert found is not None
    assert found.samples == 3
    assert found.pass_at[1].value == pytest.approx((2 / 3 + 1 / 3) / 2)
    assert found.pass_at[2].value == pytest.approx((1 + 2 / 3) / 2)
    assert list(found.pass_at) == [1, 2]
    assert found.majority.value == 0.5
    assert found.spread.chance == pytest.approx((((0.5 - 0.5) ** 2 + 0.5**2 + 0.5**2) / 2) ** 0.5)
    assert sample_figures(sampled([score("a", 0, 1.0, None)]), {"a": "x"}) is None
    assert sample_figures(sampled(scores), {}) is None


class Dice:
    """A model that says a number for item and sample, and counts what it was asked."""

    spec, batch_size, prompted = "dice", 2, True

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def identity(self) -> dict[str, Any]:
        return {"spec": self.spec}

    def prepare(self) -> None: ...

    def count_tokens(self, prompt: Prompt) -> int | None:
        return None

    def generate(self, prompts: Any, decoding: Decoding) -> list[Generation]:
        self.asked += [(prompt.example_id, decoding.sample) for prompt in prompts]
        return [Generation(example_id=p.example_id, text=f"{decoding.sample}", finish_reason="stop") for p in prompts]


def test_every_sample_is_asked_once_and_a_rerun_asks_for_what_is_missing(tmp_path: Path) -> None:
    prompts = [
        Prompt(example_id=name, messages=(Message(role="user", content=name),), template="t", template_hash="h")
        for name in "abc"
    ]
    model, folder = Dice(), RunFolder(tmp_path)
    questions = Questions(model=model, prompts=prompts, decoding=Decoding(temperature=1.0), samples=2)
    assert missing(questions, folder) == 6
    found = generate(questions, folder, lambda *_: None)
    assert [(one.example_id, one.sample, one.text) for one in found] == [
        (name, sample, str(sample)) for name in "abc" for sample in (0, 1)
    ]
    assert sorted(model.asked) == sorted((name, sample) for name in "abc" for sample in (0, 1))
    lines = (tmp_path / "generations.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "generations.jsonl").write_bytes(b"".join(lines[:-1]))
    gone = json.loads(lines[-1])
    model.asked.clear()
    generate(questions, folder, lambda *_: None)
    assert (gone["example_id"], gone["sample"]) in model.asked
    assert {sample for _, sample in model.asked} == {gone["sample"]}
    assert missing(questions, folder) == 0


def test_samples_of_a_greedy_run_are_refused() -> None:
    with pytest.raises(UsageError, match="all alike when greedy"):
        make_config({"model": "gold", "dataset": "builtin", "n": 3})


@pytest.mark.weights
def test_a_run_with_samples_is_scored_and_told(tmp_path: Path) -> None:
    folder = verbs.run(
        model="builtin/smollm2-135m", dataset="builtin", limit=3, n=3, temperature=0.8, seed=1, max_new_tokens=24,
        metrics=("execution",), out=str(tmp_path),
    )  # fmt: skip
    assert folder.manifest().identity["decoding"]["samples"] == 3
    texts = {(one.example_id, one.sample): one.text for one in folder.generations()}
    assert len(texts) == 9
    assert len({text for (example, _), text in texts.items() if example == folder.examples()[0].id}) > 1
    summary = summarise(folder)
    assert summary["samples"]["samples"] == 3
    assert any("3 samples: pass@1" in line for line in run_lines(summary))
