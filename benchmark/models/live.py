"""A model that lives in this process already, such as one that is being trained.

Promises: its mode, its cache setting and the random state are as they were afterwards; its identity is a fingerprint of
its weights, so that another checkpoint is another run. Does not: change how it attends, as opening a model may.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from benchmark.identity import digest
from benchmark.models.base import Decoding, ModelOptions
from benchmark.models.hf import HfModel
from benchmark.models.source import HfSource
from benchmark.types import Prompt

#: Prompts at once, beside whatever a training keeps in memory.
BATCH = 16


class LiveModel(HfModel):
    """A transformers model with its tokenizer, as a back-end."""

    def __init__(self, name: str, model: Any, tokenizer: Any, options: ModelOptions) -> None:
        spec = f"live/{name}"
        super().__init__(spec, HfSource(name=name, identity={"spec": spec, "weights": fingerprint(model)}), options)
        self.device, self.dtype = model.device.type, str(model.dtype).removeprefix("torch.")
        self._model, self._tokenizer = model, _for_generating(tokenizer)

    def identity(self) -> dict[str, Any]:
        return {**self.source.identity, "dtype": self.dtype, "device": self.device}

    def _usual_batch(self) -> int:
        return BATCH

    def _decode(self, prompts: Sequence[Prompt], ids: Any, mask: Any, decoding: Decoding, ends: list[int]) -> Any:
        with as_it_was(self._torch, self._model):
            if decoding.temperature > 0:
                self._torch.manual_seed(decoding.seed + decoding.sample)
            settings = self._generation_config(decoding, ends)
            with self._torch.no_grad():
                output = self._model.generate(input_ids=ids, attention_mask=mask, generation_config=settings)
        return output[:, ids.shape[1] :]


def fingerprint(model: Any) -> str:
    """The tagged hash of two sums over each weight: another training step gives another one."""
    weights = (
        (name, list(weight.shape), float(weight.detach().double().sum()), float(weight.detach().double().abs().sum()))
        for name, weight in model.named_parameters()
    )
    return digest([*weights])


@contextmanager
def as_it_was(torch: Any, model: Any) -> Iterator[None]:
    """The model in evaluation mode, with training mode and random state restored in the end."""
    training = [module for module in model.modules() if module.training]
    devices = [model.device] if model.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        model.eval()
        try:
            yield
        finally:
            for module in training:
                module.training = True


def _for_generating(tokenizer: Any) -> Any:
    """A copy that pads on the left."""
    found = copy.deepcopy(tokenizer)
    found.padding_side = "left"
    if found.pad_token is None:
        found.pad_token = found.eos_token
    return found
