"""What a training would do, without loading weights: a row with its labels, token counts, steps, memory, time.

Promises: rows and labels are the very ones that training sees. Memory and time are estimates from the architecture and
from this machine's matrix rate, and are said to be.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from benchmark.models.hf import HfModel
from finetune.base import open_base
from finetune.config import Recipe
from finetune.data import IGNORED, Rows, TokenRow, training_rows

#: Share of a machine's matrix rate that a training is taken to reach: a rough guess, for the estimate of its time.
EFFICIENCY = {"cuda": 0.1, "cpu": 0.25}
_GIB = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of a row's text that is learnt, or is not."""

    text: str
    learnt: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A training that has not started. Memory in GiB; `seconds` is None where the matrix rate cannot be measured."""

    sample: tuple[Piece, ...]
    rows: Rows
    watched: Rows | None
    steps: int
    epochs: float
    parameters: int
    trained: int
    memory_gib: float
    seconds: float
    device: str


def preview(recipe: Recipe) -> Preview:
    """Everything about a training but the training. Raises what `finetune.train` would raise first."""
    base = open_base(recipe.model)
    rows, watched = training_rows(recipe.data, recipe.format, base.tokenizer)
    shape = _architecture(base)
    trained = _adapter_size(shape, recipe.lora.r, recipe.lora.target_modules)
    part = recipe.train
    a_step = part.batch_size * part.accumulation
    mean_tokens = rows.stats.tokens / rows.stats.kept
    return Preview(
        sample=pieces(rows.rows[0], base.tokenizer),
        rows=rows,
        watched=watched,
        steps=part.steps,
        epochs=part.steps * a_step / rows.stats.kept,
        parameters=sum(parameter.numel() for parameter in shape.parameters()),
        trained=trained,
        memory_gib=_memory(recipe, shape, trained, rows.stats.p90) / _GIB,
        seconds=_flops(shape, mean_tokens * a_step * part.steps) / (_matrix_rate(base) * EFFICIENCY[base.device]),
        device=base.device,
    )


def pieces(row: TokenRow, tokenizer: Any) -> tuple[Piece, ...]:
    """The row's text cut where learning starts and stops."""
    found: list[tuple[bool, list[int]]] = []
    for token, label in zip(row.input_ids, row.labels, strict=True):
        learnt = label != IGNORED
        if not found or found[-1][0] != learnt:
            found.append((learnt, []))
        found[-1][1].append(token)
    return tuple(Piece(text=tokenizer.decode(tokens), learnt=learnt) for learnt, tokens in found)


def _architecture(base: HfModel) -> Any:
    """The model without weights."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(base.config, trust_remote_code=base.options.trust_remote_code)


def _linears(shape: Any) -> dict[str, tuple[int, int]]:
    import torch

    found = shape.named_modules()
    return {name: module.weight.shape for name, module in found if isinstance(module, torch.nn.Linear)}


def _adapter_size(shape: Any, r: int, targets: tuple[str, ...]) -> int:
    return sum(r * sum(size) for name, size in _linears(shape).items() if name.rpartition(".")[2] in targets)


def _memory(recipe: Recipe, shape: Any, trained: int, tokens_a_row: int) -> float:
    """Bytes: base, adapter with gradient and optimiser states, and the activations of one batch of long rows.

    34 bytes a token, layer and hidden unit without checkpointing (V. Korthikanti et al., MLSys 2023, section 4.1), and
    8 for each input of an adapted module, which the adapter keeps in fp32. SmolLM2-135M, 8 rows: 6.2 GiB seen.
    """
    config, targets = shape.config, recipe.lora.target_modules
    linear = sum(rows * columns for name, (rows, columns) in _linears(shape).items() if "lm_head" not in name)
    rest = sum(parameter.numel() for parameter in shape.parameters()) - linear
    weights = linear * (0.52 if recipe.model.load_in_4bit else 2.0) + 2.0 * rest
    states = 2.0 if "8bit" in recipe.train.optimizer else 8.0
    tokens = tokens_a_row * recipe.train.batch_size
    adapted = sum(shape_of[1] for name, shape_of in _linears(shape).items() if name.rpartition(".")[2] in targets)
    a_layer = 34.0 + 8.0 * adapted / (config.hidden_size * config.num_hidden_layers)
    if recipe.train.gradient_checkpointing:
        a_layer = 2.0
    activations = tokens * config.hidden_size * (a_layer * config.num_hidden_layers + 34.0)
    logits = 2.0 * tokens * config.vocab_size
    return float(weights + trained * (8.0 + states) + activations + logits)


def _flops(shape: Any, tokens: float) -> float:
    """Necessary work: forward, and backward to the activations; frozen weights need no gradient."""
    linear = sum(rows * columns for rows, columns in _linears(shape).values())
    return 4.0 * linear * tokens


def _matrix_rate(base: HfModel) -> float:
    """Operations a second of a big matrix product here, in the recipe's precision."""
    import torch

    size = 4096 if base.device == "cuda" else 1024
    left = torch.randn(size, size, dtype=getattr(torch, base.dtype), device=base.device)
    best = 0.0
    for _ in range(4):
        started = time.perf_counter()
        product = left @ left
        float(product[0, 0])  # waits for the device
        best = max(best, 2.0 * size**3 / (time.perf_counter() - started))
    return best
