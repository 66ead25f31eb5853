"""The base model of a recipe: its tokenizer, its weights in NF4, and the fresh adapter on them.

Promises: the same sources, pins and errors as the benchmark's `hf` and `builtin` back-ends.
"""

from __future__ import annotations

from typing import Any

from benchmark.errors import ModelUnavailable, UsageError
from benchmark.models.base import ModelOptions
from benchmark.models.builtin import builtin_source
from benchmark.models.hf import HfModel
from benchmark.models.source import parse_source
from finetune.config import LoraPart, ModelPart


def open_base(part: ModelPart) -> HfModel:
    """The benchmark's back-end on the base model; nothing is loaded yet. Raises ModelUnavailable, MissingDependency."""
    kind, _, argument = part.spec.partition("/")
    source = builtin_source(part.spec, argument) if kind == "builtin" else parse_source(part.spec, argument)
    options = ModelOptions(
        dtype=part.dtype, load_in_4bit=part.load_in_4bit, trust_remote_code=part.trust_remote_code,
        attention=part.attention,
    )  # fmt: skip
    return HfModel(part.spec, source, options)


def with_adapter(model: Any, part: LoraPart, seed: int) -> Any:
    """The model with a fresh LoRA adapter, initialised from `seed`. Raises UsageError for unknown modules."""
    from peft import LoraConfig, get_peft_model
    from transformers import set_seed

    present = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    missing = [name for name in part.target_modules if name not in present]
    if missing:
        raise UsageError(f"the model has no module {', '.join(missing)}", "Set lora.target_modules to its own names.")
    set_seed(seed)
    config = LoraConfig(
        r=part.r,
        lora_alpha=part.alpha,
        lora_dropout=part.dropout,
        target_modules=list(part.target_modules),
        bias="none",
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def pad_token(tokenizer: Any, pad: str) -> str:
    """The token that pads: the tokenizer's own, or the end token as in the seed notebook. Raises ModelUnavailable."""
    token = tokenizer.eos_token if pad == "eos" else tokenizer.pad_token or tokenizer.eos_token
    if token is None:
        raise ModelUnavailable("the tokenizer has neither a pad nor an end token", "Set one in tokenizer_config.json.")
    return str(token)
