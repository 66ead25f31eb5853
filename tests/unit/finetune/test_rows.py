"""From an example to labels, on the real Gemma template: the mask, one BOS, the end of turn, long rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.datasets import Dataset
from benchmark.errors import UsageError
from benchmark.models import ModelOptions, open_model
from benchmark.models.chat_text import answer_text, prompt_text
from benchmark.models.hf import HfModel
from benchmark.prompts import render, render_answer
from benchmark.types import Example
from finetune.base import pad_token
from finetune.config import FormatPart
from finetune.data import IGNORED, token_row, tokenise
from finetune.preview import pieces

CHAT = FormatPart(max_length=4000)
SEED = FormatPart(prompt="seed", schema="full", loss="all", pad="eos", too_long="cut", max_length=4000)


@pytest.fixture
def model(tiny_gemma: Path) -> HfModel:
    opened = open_model(f"hf/{tiny_gemma}", ModelOptions(dtype="float32"), ())
    assert isinstance(opened, HfModel)
    return opened


@pytest.fixture
def tokenizer(model: HfModel) -> Any:
    return model.tokenizer


def test_the_mask_is_exact(tokenizer: Any, shop: list[Example]) -> None:
    row = token_row(shop[0], CHAT, tokenizer)
    learnt = [label for label in row.labels if label != IGNORED]
    assert tokenizer.decode(learnt) == f"```sql\n{shop[0].golds[0]}\n```<end_of_turn>"
    start = len(row.labels) - len(learnt)
    assert row.labels[:start] == (IGNORED,) * start
    assert row.labels[start:] == row.input_ids[start:]


def test_the_prompt_is_what_the_benchmark_asks(model: HfModel, shop: list[Example]) -> None:
    for example in shop:
        row = token_row(example, CHAT, model.tokenizer)
        asked = model.tokenizer(prompt_text(model.tokenizer, render(example)), add_special_tokens=False)["input_ids"]
        assert list(row.input_ids[: row.labels.index(row.labels[-1]) and len(asked)]) == asked
        assert row.labels[len(asked) - 1] == IGNORED
        assert row.labels[len(asked)] != IGNORED


@pytest.mark.parametrize("form", [CHAT, SEED], ids=["chat", "seed"])
def test_one_bos_and_a_labelled_end_of_turn(tokenizer: Any, shop: list[Example], form: FormatPart) -> None:
    row = token_row(shop[0], form, tokenizer)
    assert row.input_ids.count(tokenizer.bos_token_id) == 1
    assert row.input_ids[0] == tokenizer.bos_token_id
    assert row.labels[-1] == tokenizer.convert_tokens_to_ids("<end_of_turn>")
    assert tokenizer.pad_token_id not in row.input_ids


def test_the_seed_format_has_the_notebooks_faults(tokenizer: Any, shop: list[Example]) -> None:
    row = token_row(shop[0], SEED, tokenizer)
    assert row.labels == row.input_ids, "the loss covers the prompt"
    text = tokenizer.decode(row.input_ids)
    assert text.startswith("<bos><start_of_turn>user\n")
    assert text.endswith(f"\n<end_of_turn>\n<start_of_turn>model\n{shop[0].golds[0]}\n<end_of_turn>")
    assert "INSERT INTO item" in text
    assert pad_token(tokenizer, "eos") == tokenizer.eos_token
    assert pad_token(tokenizer, "tokenizer") == "<pad>"


def test_padding_with_the_end_token_hides_it_from_learning(tokenizer: Any, shop: list[Example]) -> None:
    tokenizer.eos_token = "<end_of_turn>"  # as chat models other than Gemma have it
    faulty = token_row(shop[0], replace(CHAT, pad="eos"), tokenizer)
    sound = token_row(shop[0], CHAT, tokenizer)
    assert (faulty.labels[-1], sound.labels[-1]) == (IGNORED, tokenizer.eos_token_id)
    assert faulty.labels[:-1] == sound.labels[:-1]


def test_a_model_without_a_template_is_led_on_by_a_fence(tokenizer: Any, shop: list[Example]) -> None:
    tokenizer.chat_template = None
    prompt = render(shop[0])
    assert prompt_text(tokenizer, prompt).endswith("```sql\n")
    assert answer_text(tokenizer, prompt, render_answer("SELECT 1")) == "SELECT 1\n```<eos>"


def test_long_rows_are_counted_and_dropped_or_cut(tokenizer: Any, shop: list[Example]) -> None:
    long = replace(shop[0], id="long", question="Why? " * 200)
    dataset = Dataset(name="shop", split="train", examples=(*shop, long), licence="none")
    limit = max(len(token_row(example, CHAT, tokenizer).input_ids) for example in shop)
    dropped = tokenise(dataset, replace(CHAT, max_length=limit), tokenizer)
    assert (dropped.stats.rows, dropped.stats.kept, dropped.stats.too_long) == (4, 3, 1)
    assert "long" not in {row.example_id for row in dropped.rows}
    cut = tokenise(dataset, replace(CHAT, max_length=limit, too_long="cut"), tokenizer)
    assert (cut.stats.kept, cut.stats.too_long) == (4, 1)
    assert max(len(row.input_ids) for row in cut.rows) == limit
    assert cut.stats.tokens == sum(len(row.input_ids) for row in cut.rows)
    with pytest.raises(UsageError, match="all 4 rows"):
        tokenise(dataset, replace(CHAT, max_length=10), tokenizer)


def test_a_preview_cuts_the_text_where_learning_starts(tokenizer: Any, shop: list[Example]) -> None:
    asked, learnt = pieces(token_row(shop[1], CHAT, tokenizer), tokenizer)
    assert (asked.learnt, learnt.learnt) == (False, True)
    assert asked.text.endswith("<start_of_turn>model\n")
    assert learnt.text.startswith("```sql\nSELECT id")
