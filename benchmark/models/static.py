"""Decoding over a cache of fixed size: on CUDA the whole step is one graph, so that no kernel waits for Python.

Promises: the tokens of `generate` in exact arithmetic; a sampled token depends on the model, its item's own random
numbers and the settings, not on what else is in the batch. Grouped attention reads the cache without copying it and
honours a softcap (Gemma 2), which transformers' sdpa does not.
Does not: slide a window. A model whose window is shorter than prompt and answer together is left to `generate`.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmark.models.base import Decoding, chance_of
from benchmark.types import Prompt

#: The name under which the attention is known to transformers.
ATTENTION = "sqlgauge_grouped"
#: Cache lengths are multiples of this, so that batches of similar length share a graph.
ROUND = 128
#: Prompt tokens that are read at once: what attention holds grows with it.
CHUNK = 256
#: Steps between two looks at whether all answers have ended.
LOOK = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How a token is chosen: the likeliest at temperature 0; else by chance among the `top_k` and `top_p` likeliest."""

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0


def register() -> None:
    """Make the attention known to transformers; call before a model is loaded with it."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface, eager_mask

    AttentionInterface.register(ATTENTION, grouped_attention)
    AttentionMaskInterface.register(ATTENTION, eager_mask)


def grouped_attention(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any,
    dropout: float = 0.0,
    scaling: float | None = None,
    softcap: float | None = None,
    **_: Any,
) -> tuple[Any, None]:
    """Attention of queries (batch, heads, t, d) over keys (batch, key heads, s, d) with an additive mask.

    Query heads that share a key head are one matrix, so keys are never repeated. Scores are in fp32.
    """
    import torch

    batch, heads, t, d = query.shape
    shared = key.shape[1]
    stacked = query.reshape(batch, shared, heads // shared * t, d)
    scores = torch.matmul(stacked, key.transpose(2, 3)).float() * (d**-0.5 if scaling is None else scaling)
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    scores = scores.view(batch, shared, heads // shared, t, -1)
    if attention_mask is not None:
        scores = scores + attention_mask[:, :, None, :, : scores.shape[-1]]
    weights = torch.softmax(scores, -1).to(query.dtype).view(batch, shared, heads // shared * t, -1)
    mixed = torch.matmul(weights, value).view(batch, heads, t, d)
    return mixed.transpose(1, 2).contiguous(), None


def use_grouped_attention(model: Any) -> None:
    """Let a loaded model attend by `grouped_attention`, with fused norms; one that cannot keeps its own."""
    register()
    if supports(model, 1):
        model.set_attn_implementation(ATTENTION)
        fuse_norms(model)


def fuse_norms(model: Any) -> None:
    """Let RMS norms written out in five kernels, as Gemma's are, use torch's one kernel for the same formula."""
    from torch.nn.functional import rms_norm

    for module in model.modules():
        if hasattr(module, "_norm") and hasattr(module, "eps") and type(module).__name__.endswith("RMSNorm"):
            module._norm = partial(_one_kernel, rms_norm, module.eps)


def _one_kernel(rms_norm: Any, eps: float, x: Any) -> Any:
    return rms_norm(x, x.shape[-1:], eps=eps)


def supports(model: Any, length: int) -> bool:
    """Whether a model can be decoded here over a cache of `length` tokens."""
    compilable = getattr(model, "_can_compile_fullgraph", False)  # transformers' word for 'works with a static cache'
    return bool(compilable) and fits(model.config.get_text_config(), length)


def uniforms(prompts: Sequence[Prompt], decoding: Decoding) -> Any:
    """Random numbers in [0, 1), shape (prompts, max_new_tokens): each row follows from seed, item and sample alone."""
    import numpy as np
    import torch

    def row(prompt: Prompt) -> Any:
        philox = np.random.Philox(key=int.from_bytes(chance_of(prompt, decoding)[:16], "little"))
        return np.random.Generator(philox).random(decoding.max_new_tokens, dtype=np.float32)

    return torch.from_numpy(np.stack([row(prompt) for prompt in prompts]))


def fits(config: Any, length: int) -> bool:
    """Whether a cache of `length` holds all that any layer may see."""
    window: int | None = getattr(config, "sliding_window", None)
    types = getattr(config, "layer_types", None) or []
    if any(kind not in ("full_attention", "sliding_attention") for kind in types):
        return False
    slides = not types or "sliding_attention" in types
    return window is None or not slides or length <= window


def rounded(length: int) -> int:
    """A cache length for at least `length` tokens.

    >>> rounded(1), rounded(129)
    (128, 256)
    """
    return -(-length // ROUND) * ROUND


def pick(logits: Any, choice: Choice, uniform: Any) -> Any:
    """One token a row, shape (batch, 1), from logits (batch, words) and, unless greedy, numbers in [0, 1) (batch, 1).

    The kept words are ordered by probability and `uniform` says where on their line the token lies, so the same number
    gives the same token whatever the other rows are.
    """
    import torch

    if choice.temperature == 0:
        return logits.argmax(-1, keepdim=True)
    width = logits.shape[-1]
    kept = min(choice.top_k, width) if choice.top_k else width
    best, words = torch.topk(logits.float() / choice.temperature, kept, dim=-1, sorted=True)
    weights = torch.softmax(best, -1)
    before = weights.cumsum(-1) - weights
    weights = torch.where(before < choice.top_p, weights, torch.zeros_like(weights))  # the likeliest always stays
    line = weights.cumsum(-1)
    place = (line <= uniform * line[:, -1:]).sum(-1, keepdim=True)
    return words.gather(-1, place.clamp(max=kept - 1))


class StaticDecoder:
    """One batch size and cache length of a model: reads prompts, then steps; on CUDA the step is captured once."""

    def __init__(self, model: Any, batch: int, length: int, choice: Choice) -> None:
        import torch
        from transformers import StaticCache

        self._torch, self._model, self._choice = torch, model, choice
        self.batch, self.length, self.size = batch, length, (batch, length, choice)
        self._device, self._dtype = model.device, model.dtype
        self._hidden = torch.finfo(self._dtype).min
        config = copy.deepcopy(model.config.get_text_config())
        if getattr(config, "layer_types", None):
            config.layer_types = ["full_attention"] * config.num_hidden_layers
        config.sliding_window = None
        self._cache = StaticCache(config=config, max_cache_len=length)
        whole = {"device": self._device, "dtype": torch.long}
        self._token = torch.zeros(batch, 1, **whole)
        self._position = torch.zeros(batch, 1, **whole)
        self._mask = torch.zeros(batch, 1, 1, length, dtype=self._dtype, device=self._device)
        self._at = torch.zeros(1, **whole)
        self._said = torch.zeros(batch, length, **whole)
        self._uniform = torch.zeros(batch, length, device=self._device)
        self._ended = torch.zeros(batch, 1, dtype=torch.bool, device=self._device)
        self._ends = torch.zeros(0, **whole)
        self._graph: Any = None

    def run(self, ids: Any, mask: Any, steps: int, ends: Sequence[int], uniform: Any = None) -> Any:
        """Up to `steps` tokens after left-padded prompts (batch, n), shape (batch, said); ends early when all ended.

        `uniform` (batch, steps) holds each row's random numbers where tokens are chosen by chance.
        """
        with self._torch.inference_mode():
            width = ids.shape[1]
            self._set_ends(ends)
            if uniform is not None:
                self._uniform[:, width : width + steps] = uniform.to(self._uniform)
            self._note(self._read(ids, mask), width)
            self._capture()
            for done in range(1, steps):
                if done % LOOK == 0 and bool(self._ended.all()):
                    return self._said[:, width : width + done].clone()
                self._step() if self._graph is None else self._graph.replay()
            return self._said[:, width : width + steps].clone()

    def _set_ends(self, ends: Sequence[int]) -> None:
        found = self._torch.tensor(list(ends), device=self._device, dtype=self._torch.long)
        if self._ends.shape != found.shape:
            self._ends, self._graph = found, None
        self._ends.copy_(found)

    def _read(self, ids: Any, mask: Any) -> Any:
        """Fill the cache with the prompts; the logits after their last tokens. Sets mask and positions of a step."""
        torch, width = self._torch, ids.shape[1]
        if getattr(self._cache.layers[0], "is_initialized", False):
            self._cache.reset()
        visible = torch.zeros(self.batch, self.length, dtype=torch.bool, device=self._device)
        visible[:, :width] = mask.bool()
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        order = torch.arange(self.length, device=self._device)
        for start in range(0, width, CHUNK):
            part = slice(start, min(start + CHUNK, width))
            causal = order[None, :] <= order[part][:, None]
            seen = self._additive(causal[None, None] & visible[:, None, None, :])
            logits = self._logits(ids[:, part], seen, positions[:, part])
        self._mask.copy_(self._additive(visible)[:, None, None])
        self._position.copy_(positions[:, -1:] + 1)
        self._at.fill_(width)
        self._ended.fill_(False)
        return logits

    def _additive(self, visible: Any) -> Any:
        return self._torch.where(visible, 0.0, self._hidden).to(self._dtype)

    def _logits(self, ids: Any, mask: Any, positions: Any) -> Any:
        answer = self._model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return answer.logits[:, -1]

    def _note(self, logits: Any, at: int) -> None:
        """Choose the first tokens, which stand at place `at`."""
        token = pick(logits, self._choice, self._uniform[:, at : at + 1])
        self._token.copy_(token)
        self._said[:, at : at + 1] = token
        self._ended |= self._torch.isin(token, self._ends)

    def _step(self) -> None:
        """Read the last token, choose the next one: the same kernels on the same memory each time."""
        self._mask.index_fill_(3, self._at, 0.0)
        logits = self._logits(self._token, self._mask, self._position)
        self._at.add_(1)
        token = pick(logits, self._choice, self._uniform.index_select(1, self._at))
        self._position.add_(1)
        self._token.copy_(token)
        self._said.index_copy_(1, self._at, token)
        self._ended.logical_or_(self._torch.isin(token, self._ends))

    def _capture(self) -> None:
        """Record a step as a graph, with everything that recording changes put back."""
        torch = self._torch
        if self._device.type != "cuda" or self._graph is not None:
            return
        state = [self._mask, self._position, self._token, self._at, self._said, self._ended]
        state += [layer.cumulative_length for layer in self._cache.layers]
        before = [tensor.clone() for tensor in state]

        def restore() -> None:
            for tensor, old in zip(state, before, strict=True):
                tensor.copy_(old)

        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):  # what kernels and libraries do at their first call must not be recorded
            self._step()
        torch.cuda.current_stream().wait_stream(aside)
        restore()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._step()
        restore()
        self._graph = graph
