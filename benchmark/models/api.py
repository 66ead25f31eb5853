"""Models behind an API: any litellm name, or any OpenAI-compatible server with --api-base."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from benchmark.chat import ChatClient, ChatReply, ChatSettings
from benchmark.models.base import Decoding, Model, ModelOptions
from benchmark.types import Generation, Prompt


class ApiModel:
    """A chat model at a provider; a batch is as many calls as may be under way at once."""

    prompted = True

    def __init__(self, spec: str, options: ModelOptions) -> None:
        self.spec = spec
        self.batch_size = options.concurrency
        self._options = options
        self._client = ChatClient(spec, ChatSettings(concurrency=options.concurrency), options.api_base)

    def identity(self) -> dict[str, Any]:
        return {"spec": self.spec, "api_base": without_credentials(self._options.api_base)}

    def prepare(self) -> None:
        pass

    def count_tokens(self, prompt: Prompt) -> int | None:
        return None

    def generate(self, prompts: Sequence[Prompt], decoding: Decoding) -> list[Generation]:
        self._client.settings = ChatSettings(
            temperature=decoding.temperature,
            top_p=None if decoding.top_p == 1.0 else decoding.top_p,
            max_tokens=decoding.max_new_tokens,
            concurrency=self._options.concurrency,
        )
        replies = self._client.complete([prompt.messages for prompt in prompts])
        return [_generation(prompt, reply) for prompt, reply in zip(prompts, replies, strict=True)]


def without_credentials(url: str | None) -> str | None:
    """A URL as it may be published: no user, password or query.

    >>> without_credentials("https://me:secret@host:8000/v1?key=x")
    'https://host:8000/v1'
    """
    if url is None:
        return None
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def open_api(spec: str, options: ModelOptions) -> Model:
    return ApiModel(spec, options)


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
