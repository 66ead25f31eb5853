"""From examples to token rows with labels: the benchmark's own prompt, the answer, and what of it is learnt.

Promises: the prompt's tokens are exactly those that the model is given when it is benchmarked; every answer ends with a
labelled end of turn; BOS is not doubled; what is too long is counted, never cut in silence.
Does not: pad or batch; the trainer does, with labels of -100 on padding.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import quantiles
from typing import Any

from benchmark.datasets import Dataset, load_dataset, select
from benchmark.errors import SqlgaugeError, UsageError
from benchmark.identity import digest
from benchmark.models.chat_text import answer_text, prompt_text
from benchmark.prompts import render, render_answer
from benchmark.types import Example
from finetune.config import DataPart, FormatPart
from finetune.guard import Guard, guarded

IGNORED = -100


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """One training row: token ids, and for each the label that is learnt or `IGNORED`."""

    example_id: str
    input_ids: tuple[int, ...]
    labels: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenStats:
    """What became of the rows. Lengths are in tokens."""

    rows: int
    kept: int
    too_long: int
    tokens: int
    learnt: int
    longest: int
    median: int
    p90: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A split as token rows: statistics, the fingerprint of the examples, and their overlap with a test split."""

    rows: tuple[TokenRow, ...]
    stats: TokenStats
    dataset: str
    fingerprint: str
    guard: Guard | None = None


def training_rows(data: DataPart, form: FormatPart, tokenizer: Any) -> tuple[Rows, Rows | None]:
    """The rows to train on and, if any are wanted, those to watch the loss on. Raises DatasetError, UsageError."""
    train, guard = guarded(_chosen(data, data.train_split, data.train_rows), data)
    rows = replace(tokenise(train, form, tokenizer), guard=guard)
    if not data.eval_rows:
        return rows, None
    return rows, tokenise(_chosen(data, data.eval_split, data.eval_rows), form, tokenizer)


def tokenise(dataset: Dataset, form: FormatPart, tokenizer: Any) -> Rows:
    """A dataset's examples as token rows. Raises UsageError when none fits `form.max_length`."""
    whole = [token_row(example, form, tokenizer) for example in dataset.examples]
    long = [row for row in whole if len(row.input_ids) > form.max_length]
    kept = (
        [cut(row, form.max_length) for row in whole] if form.too_long == "cut" else [r for r in whole if r not in long]
    )
    if not kept:
        raise UsageError(
            f"all {len(whole)} rows of {dataset.name} are longer than {form.max_length} tokens",
            "Raise format.max_length, or choose format.schema=compact.",
        )
    return Rows(rows=tuple(kept), stats=statistics(whole, kept, len(long)), dataset=dataset.name,
                fingerprint=dataset.fingerprint)  # fmt: skip


def token_row(example: Example, form: FormatPart, tokenizer: Any) -> TokenRow:
    """One example's tokens and labels. Raises SqlgaugeError for a doubled BOS."""
    prompt = render(example, form.prompt, form.schema)
    before = prompt_text(tokenizer, prompt)
    answer = answer_text(tokenizer, prompt, render_answer(example.golds[0], form.prompt))
    asked = _ids(tokenizer, before)
    whole = _ids(tokenizer, before + answer)
    if whole[: len(asked)] != asked:  # tokens that merge across the border would hide the prompt that is asked
        whole = asked + _ids(tokenizer, answer)
    bos = tokenizer.bos_token_id
    if bos is not None and whole[:2] == [bos, bos]:
        raise SqlgaugeError(f"the prompt of example {example.id} begins with two BOS tokens", "Please report it.")
    learnt_from = 0 if form.loss == "all" else len(asked)
    labels = [IGNORED] * learnt_from + whole[learnt_from:]
    if form.pad == "eos":  # as transformers' own collator has it: what equals the pad token is taken for padding
        labels = [IGNORED if label == tokenizer.eos_token_id else label for label in labels]
    return TokenRow(example_id=example.id, input_ids=tuple(whole), labels=tuple(labels))


def cut(row: TokenRow, length: int) -> TokenRow:
    """A row without what stands beyond `length` tokens."""
    return TokenRow(example_id=row.example_id, input_ids=row.input_ids[:length], labels=row.labels[:length])


def statistics(whole: Sequence[TokenRow], kept: Sequence[TokenRow], too_long: int) -> TokenStats:
    """Counts and lengths, in tokens; lengths are those before any cut."""
    lengths = [len(row.input_ids) for row in whole]
    deciles = quantiles(lengths, n=10, method="inclusive") if len(lengths) > 1 else lengths * 9
    return TokenStats(
        rows=len(whole),
        kept=len(kept),
        too_long=too_long,
        tokens=sum(len(row.input_ids) for row in kept),
        learnt=sum(label != IGNORED for row in kept for label in row.labels),
        longest=max(lengths),
        median=round(deciles[4]),
        p90=round(deciles[8]),
    )


def rows_fingerprint(rows: Iterable[TokenRow]) -> str:
    """The tagged hash of what is trained on: token ids and labels, in order."""
    return digest([[row.input_ids, row.labels] for row in rows])


def _chosen(data: DataPart, split: str, rows: int | None) -> Dataset:
    dataset = load_dataset(data.dataset, split)
    if data.where:
        dataset = select(dataset, where=data.where)
    return dataset if rows is None or rows >= len(dataset.examples) else select(dataset, sample=rows, seed=data.seed)


def _ids(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids
