"""How many prompts fit on a GPU at once, from a model's configuration and the card's memory.

Promises: the same model on the same kind of card gives the same number, so that it can be part of a run's identity; no
weights are read for it. Does not: promise that a batch of very long prompts fits; one that does not is halved.
"""

from __future__ import annotations

from typing import Any

#: Tokens of prompt and answer together that a batch is sized for.
TOKENS = 2_048
#: Share of the card's memory that is counted on, and the most prompts at once.
SHARE, MOST = 0.8, 256
BYTES = {"bfloat16": 2, "float16": 2, "float32": 4}


def fitting_batch(config: Any, memory: int, dtype: str, *, four_bit: bool = False) -> int:
    """The largest power of two of prompts that fits into `memory` bytes, at most `MOST`; at least 1."""
    left = SHARE * memory - weight_bytes(config, dtype, four_bit=four_bit)
    fits = int(left // row_bytes(config.get_text_config(), dtype))
    return 1 if fits < 2 else min(MOST, 1 << (fits.bit_length() - 1))


def weight_bytes(config: Any, dtype: str, *, four_bit: bool = False) -> float:
    """Bytes of a model's weights; a 4-bit one keeps its embeddings as they are, and some scales."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    embedded = {id(p): p.numel() for m in model.modules() if isinstance(m, torch.nn.Embedding) for p in m.parameters()}
    others = sum(p.numel() for p in model.parameters() if id(p) not in embedded)
    return float(sum(embedded.values()) * BYTES[dtype] + others * (0.56 if four_bit else BYTES[dtype]))


def row_bytes(config: Any, dtype: str) -> float:
    """Bytes that one prompt needs: keys and values, attention scores of a chunk, logits in fp32."""
    from benchmark.models.static import CHUNK

    heads = config.num_attention_heads
    shared = getattr(config, "num_key_value_heads", None) or heads
    width = getattr(config, "head_dim", None) or config.hidden_size // heads
    kept = 2 * config.num_hidden_layers * shared * width * TOKENS * BYTES[dtype]
    return float(kept + 3 * heads * CHUNK * TOKENS * 4 + 3 * config.vocab_size * 4)
