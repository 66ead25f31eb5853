"""What a chat model is asked with, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmark.types import Failure, FinishReason, Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatReply:
    """What came back for one chat, or why nothing did. `attempts` counts the requests that were sent for it.

    `place` is the base URL that said it, without credentials (None: the provider's own); `final` says of an error that
    no other chat will fare better, as with a wrong key.
    """

    text: str
    finish_reason: FinishReason
    model_version: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: float | None = None
    error: Failure | None = None
    timing: Timing | None = None
    attempts: int = 1
    place: str | None = None
    final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSettings:
    """How a model is asked: decoding, and limits of patience (seconds) and of calls at once.

    `response_schema` is a JSON schema that the answer must have; it is sent where the provider can hold a model to it.
    A failed request is sent again `retries` times, after `backoff` seconds, then twice as many and so on, or after the
    provider's own Retry-After; one that is longer than `longest_wait` is not waited for. No `window` of seconds holds
    more than `rpm` requests and `tpm` tokens of prompts and answers, repeated requests among them; none of these limits
    changes an answer. With a `seed`, the k-th repeat of a chat (from 0) is asked with seed + k.
    """

    temperature: float | None = 0.0
    top_p: float | None = None
    top_k: int | None = None
    max_tokens: int = 512
    seed: int | None = None
    response_schema: Mapping[str, Any] | None = None
    concurrency: int = 8
    timeout: float = 120.0
    retries: int = 4
    backoff: float = 0.5
    longest_wait: float = 120.0
    rpm: int | None = None
    tpm: int | None = None
    window: float = 60.0

    def wanted(self) -> dict[str, Any]:
        """The parameters of a call that are set, by litellm's names; max_tokens every provider takes."""
        schema = self.response_schema
        form = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}
        named = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "top_k": self.top_k,
            "seed": self.seed,
            "response_format": None if schema is None else form,
        }
        return {name: value for name, value in named.items() if value is not None}
