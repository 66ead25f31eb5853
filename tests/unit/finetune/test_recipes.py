"""Recipes: what ships, what overrides do, and every mistake said at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmark.errors import UnknownName, UsageError
from finetune.config import FOLDER, LINEAR, load_recipe, recipe_names


def test_the_seed_recipe_is_the_notebook() -> None:
    recipe = load_recipe("seed")
    assert recipe.model.spec == "hf/google/gemma-2-2b-it"
    assert recipe.model.load_in_4bit
    assert (recipe.data.dataset, recipe.data.train_rows, recipe.data.eval_rows, recipe.data.seed) == (
        "gretel",
        5000,
        2000,
        2024,
    )
    lora, train = recipe.lora, recipe.train
    assert (lora.r, lora.alpha, lora.dropout, lora.target_modules) == (64, 64, 0.05, LINEAR)
    assert (train.steps, train.batch_size, train.accumulation) == (1000, 1, 2)
    assert (train.optimizer, train.learning_rate, train.schedule) == ("paged_adamw_8bit", 2e-4, "cosine")
    assert (train.warmup_ratio, train.weight_decay, train.max_grad_norm, train.seed) == (0.03, 0.05, 0.3, 2024)
    assert (recipe.format.loss, recipe.format.pad, recipe.format.prompt) == ("all", "eos", "seed")


def test_seed_fixed_keeps_the_budget_and_mends_the_faults() -> None:
    seed, mended = load_recipe("seed"), load_recipe("seed_fixed")
    rows = [recipe.train.steps * recipe.train.batch_size * recipe.train.accumulation for recipe in (seed, mended)]
    assert rows[0] == rows[1]
    assert (mended.lora, mended.train.learning_rate) == (seed.lora, seed.train.learning_rate)
    assert (mended.format.loss, mended.format.pad, mended.format.prompt) == ("completion", "tokenizer", "zero_shot")
    assert mended.format.too_long == "drop"


@pytest.mark.parametrize("name", recipe_names())
def test_every_shipped_knob_is_explained(name: str) -> None:
    load_recipe(name)
    lines = (FOLDER / f"{name}.yaml").read_text().splitlines()
    assert lines[0].startswith("# ")
    knobs = [line for line in lines if line.startswith("  ")]
    assert len(knobs) >= 25
    assert [knob for knob in knobs if not re.search(r"# \w", knob)] == []


def test_overrides_win_and_are_typed() -> None:
    recipe = load_recipe("demo", ["train.steps=7", "train.learning_rate=4e-4", "lora.target_modules=[q_proj]"])
    assert (recipe.train.steps, recipe.train.learning_rate, recipe.lora.target_modules) == (7, 4e-4, ("q_proj",))
    assert load_recipe("demo", ["data.train_rows=null"]).data.train_rows is None


def test_all_problems_are_said_at_once() -> None:
    wrong = ["train.step=7", "lora.r=big", "train.batch_size=0", "steps=3", "format.loss=answer", "data.dataset=gretl"]
    with pytest.raises(UsageError) as caught:
        load_recipe("demo", wrong)
    message = str(caught.value)
    for part in ("'train.step'", "train.steps", "'lora.r'", "'steps=3' is no override", "'format.loss'"):
        assert part in message
    with pytest.raises(UsageError) as caught:
        load_recipe("demo", ["train.batch_size=0", "data.dataset=gretl", "lora.dropout=1", "train.eval_steps=5",
                             "model.spec=openai/gpt", "format.prompt=zero", "train.schedule=cosin"])  # fmt: skip
    message = str(caught.value)
    for part in ("train.batch_size", "gretel", "lora.dropout", "data.eval_rows", "model.spec", "zero_shot", "cosine"):
        assert part in message


def test_unknown_recipes(tmp_path: Path) -> None:
    with pytest.raises(UnknownName) as caught:
        load_recipe("seeed")
    assert "'seed'" in caught.value.hint
    with pytest.raises(UsageError, match="no such recipe file"):
        load_recipe(str(tmp_path / "mine.yaml"))
    (tmp_path / "mine.yaml").write_text("- a list")
    with pytest.raises(UsageError, match=r"mine\.yaml"):
        load_recipe(str(tmp_path / "mine.yaml"))
