"""Models behind an API: any litellm name, or any OpenAI-compatible server with --api-base."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmark.chat import ChatClient, ChatReply, ChatSettings, without_credentials
from benchmark.errors import UsageError
from benchmark.models.base import Decoding, Model, ModelOptions
from benchmark.types import Generation, Prompt


class ApiModel:
    """A chat model at a provider; a batch is as many calls as may be under way at once."""

    prompted = True

    def __init__(self, spec: str, options: ModelOptions) -> None:
        self.spec = spec
        self.batch_size = options.concurrency
        self._options = options
        self._client = ChatClient(spec, ChatSettings(concurrency=options.concurrency, seed=0), options.api_base)
        self._takes_seed = "seed" not in self._client.left_out

    def identity(self) -> dict[str, Any]:
        identity = {"spec": self.spec, "api_base": without_credentials(self._options.api_base)}
        return identity if self._takes_seed else {**identity, "not_sent": ["seed"]}

    def prepare(self) -> None:
        pass

    def count_tokens(self, prompt: Prompt) -> int | None:
        return None

    def generate(self, prompts: Sequence[Prompt], decoding: Decoding) -> list[Generation]:
        seed = decoding.seed if self._takes_seed and decoding.temperature > 0 else None
        self._client.use(_settings(decoding, seed, self._options.concurrency))
        if self._client.left_out:
            left_out = ", ".join(f"{name} {getattr(decoding, name)}" for name in self._client.left_out)
            raise UsageError(
                f"{self.spec} does not take {left_out}, and a run never leaves a setting out in silence",
                "Choose a value that it takes, such as --temperature 1 for a reasoning model.",
            )
        replies = self._client.complete([prompt.messages for prompt in prompts])
        return [_generation(prompt, reply) for prompt, reply in zip(prompts, replies, strict=True)]


def open_api(spec: str, options: ModelOptions) -> Model:
    return ApiModel(spec, options)


def _settings(decoding: Decoding, seed: int | None, concurrency: int) -> ChatSettings:
    return ChatSettings(
        temperature=decoding.temperature,
        top_p=None if decoding.top_p == 1.0 else decoding.top_p,
        top_k=decoding.top_k or None,
        max_tokens=decoding.max_new_tokens,
        seed=seed,
        concurrency=concurrency,
    )


def _generation(prompt: Prompt, reply: ChatReply) -> Generation:
    return Generation(
        example_id=prompt.example_id,
        text=reply.text,
        finish_reason=reply.finish_reason,
        prompt_tokens=reply.prompt_tokens,
        completion_tokens=reply.completion_tokens,
        cost_usd=reply.cost_usd,
        error=reply.error,
        timing=reply.timing,
    )
