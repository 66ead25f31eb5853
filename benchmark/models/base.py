"""What a model is, and how a spec string names one.

Promises: opening a model checks its name, its files and its keys, and loads no weights; `generate` does that.
A failure of one prompt is a Generation with an error, never an answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from benchmark.errors import UnknownName
from benchmark.keys import without_secrets
from benchmark.registry import load
from benchmark.types import Example, Failure, Generation, Prompt

REGISTRY = {
    "builtin": "benchmark.models.builtin:open_builtin",
    "fault": "benchmark.models.fault:open_fault",
    "file": "benchmark.models.file:open_file",
    "gold": "benchmark.models.gold:open_gold",
    "hf": "benchmark.models.hf:open_hf",
    "vllm": "benchmark.models.vllm:open_vllm",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """How tokens are chosen. Greedy by default: temperature 0. `sample` counts the answers to one prompt, from 0."""

    max_new_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int = 0
    sample: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOptions:
    """What a command line may say about a model beside its name."""

    dtype: str = "auto"
    load_in_4bit: bool = False
    load_in_8bit: bool = False
    merge_adapter: bool = False
    batch_size: int | None = None
    api_base: str | None = None
    concurrency: int = 8
    trust_remote_code: bool = False
    attention: str | None = None


class Model(Protocol):
    """A back-end. `batch_size` is how many prompts `generate` is given at once.

    `prompted` says whether prompt, decoding and batch size can change its answers; a look-up of answers has none.
    """

    spec: str
    batch_size: int
    prompted: bool

    def identity(self) -> dict[str, Any]:
        """Everything about the model that changes its answers, as JSON values; read before any weights are."""

    def prepare(self) -> None:
        """Load what `generate` needs. Raises ModelUnavailable; called before anything is written."""

    def count_tokens(self, prompt: Prompt) -> int | None:
        """The prompt's length in the model's own tokens, or None where only the provider knows."""

    def generate(self, prompts: Sequence[Prompt], decoding: Decoding) -> list[Generation]:
        """One generation a prompt, in order."""


def open_model(spec: str, options: ModelOptions, examples: Sequence[Example]) -> Model:
    """The model that a spec string names. Raises UnknownName, ModelUnavailable, MissingKey, MissingDependency.

    `examples` are for the back-ends that look answers up instead of generating them: gold, file, fault.
    """
    kind, _, argument = spec.partition("/")
    if kind in REGISTRY:
        model: Model = load("model", REGISTRY, kind)(spec, argument, options, examples)
        return model
    if "/" not in spec:
        raise UnknownName("model", spec, [*REGISTRY, *KNOWN_EXAMPLES])
    from benchmark.models.api import open_api

    return open_api(spec, options)


#: Specs that a did-you-mean offers.
KNOWN_EXAMPLES = ("builtin/smollm2-135m", "hf/google/gemma-2-2b-it", "openai/gpt-4o-mini")


def chance_of(prompt: Prompt, decoding: Decoding) -> bytes:
    """32 bytes that follow from seed, sample and item alone: what the chance in a sampled answer is made of."""
    return hashlib.sha256(f"{decoding.seed}:{decoding.sample}:{prompt.example_id}".encode()).digest()


def notes_of(model: Model) -> list[str]:
    """What a back-end wants said in the run's log since it was asked last, such as a batch that did not fit."""
    notes: list[str] = getattr(model, "notes", [])
    said = notes.copy()
    notes.clear()
    return said


def failed(prompt: Prompt, error: BaseException, *, retryable: bool) -> Generation:
    """The generation that records a back-end's failure for one prompt."""
    failure = Failure(type=type(error).__name__, message=without_secrets(str(error))[:500], retryable=retryable)
    return Generation(example_id=prompt.example_id, text="", finish_reason="error", error=failure)
