"""The gold as a model: it answers every question with the dataset's own gold, and shows what a perfect score is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.errors import UsageError
from benchmark.models.base import Decoding, Model, ModelOptions
from benchmark.types import Example, Generation, Prompt


class LookupModel:
    """A model that answers from a table of texts, by example id."""

    batch_size = 256
    prompted = False

    def __init__(self, spec: str, texts: Mapping[str, str], extra: Mapping[str, Any] | None = None) -> None:
        self.spec = spec
        self._texts = texts
        self._extra = dict(extra or {})

    def identity(self) -> dict[str, Any]:
        return {"spec": self.spec, **self._extra}

    def prepare(self) -> None:
        pass

    def count_tokens(self, prompt: Prompt) -> int | None:
        return None

    def generate(self, prompts: Sequence[Prompt], decoding: Decoding) -> list[Generation]:
        return [
            Generation(example_id=prompt.example_id, text=self._texts.get(prompt.example_id, ""), finish_reason="stop")
            for prompt in prompts
        ]


def open_gold(spec: str, argument: str, options: ModelOptions, examples: Sequence[Example]) -> Model:
    if argument:
        raise UsageError(f"the model 'gold' takes no argument, not '{argument}'", "Use --model gold.")
    return LookupModel(spec, {example.id: example.golds[0] for example in examples})
