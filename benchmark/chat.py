"""The one client for chat models behind an API: the api back-end and the judges both use it, through litellm.

Promises: a missing key or an unknown provider is said before any call; retries honour the provider's Retry-After;
parameters that a provider does not take are an error, never dropped; keys stay in the environment.
Does not: cache. Whoever calls decides what was already paid for.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.errors import MissingKey, UnknownName
from benchmark.types import Failure, FinishReason, Message, Timing

_FINISH: dict[str, FinishReason] = {"stop": "stop", "length": "length", "content_filter": "filtered"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatReply:
    """What came back for one chat, or why nothing did."""

    text: str
    finish_reason: FinishReason
    model_version: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: float | None = None
    error: Failure | None = None
    timing: Timing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSettings:
    """How a model is asked: decoding, and limits of patience (seconds) and of calls at once."""

    temperature: float | None = 0.0
    top_p: float | None = None
    max_tokens: int = 512
    seed: int | None = None
    concurrency: int = 8
    timeout: float = 120.0
    retries: int = 4


class ChatClient:
    """One model at one provider. Raises UnknownName or MissingKey when it is made, not when it is used."""

    def __init__(self, model: str, settings: ChatSettings, api_base: str | None = None) -> None:
        self.model, self.settings, self._api_base = model, settings, api_base
        self._litellm = _litellm()
        self._api_key = self._find_key()

    def complete(self, chats: Sequence[Sequence[Message]]) -> list[ChatReply]:
        """A reply for each chat, in order; at most `concurrency` calls are under way at once."""
        return asyncio.run(self._complete(chats))

    async def _complete(self, chats: Sequence[Sequence[Message]]) -> list[ChatReply]:
        router = self._litellm.Router(
            model_list=[{"model_name": "model", "litellm_params": self._deployment()}],
            num_retries=self.settings.retries,
            timeout=self.settings.timeout,
            disable_cooldowns=True,
        )
        gate = asyncio.Semaphore(self.settings.concurrency)

        async def one(chat: Sequence[Message]) -> ChatReply:
            async with gate:
                return await self._call(router, chat)

        return list(await asyncio.gather(*map(one, chats)))

    async def _call(self, router: Any, chat: Sequence[Message]) -> ChatReply:
        started = time.perf_counter()
        settings = self.settings
        wanted = {"temperature": settings.temperature, "top_p": settings.top_p, "seed": settings.seed}
        try:
            response = await router.acompletion(
                model="model",
                messages=[{"role": message.role, "content": message.content} for message in chat],
                max_tokens=settings.max_tokens,
                **{name: value for name, value in wanted.items() if value is not None},
            )
            return self._reply(response, time.perf_counter() - started)
        except Exception as error:  # noqa: BLE001 - litellm raises every provider's own errors; each is data here
            return self._failure(error, time.perf_counter() - started)

    def _reply(self, response: Any, seconds: float) -> ChatReply:
        choice = response.choices[0]
        usage = getattr(response, "usage", None)
        return ChatReply(
            text=choice.message.content or "",
            finish_reason=_FINISH.get(choice.finish_reason or "stop", "stop"),
            model_version=response.model,
            prompt_tokens=getattr(usage, "prompt_tokens", None),
            completion_tokens=getattr(usage, "completion_tokens", None),
            cost_usd=self._cost(response),
            timing=Timing(seconds=seconds),
        )

    def _failure(self, error: Exception, seconds: float) -> ChatReply:
        status = getattr(error, "status_code", None)
        failure = Failure(
            type=type(error).__name__,
            message=self._redact(str(error))[:500],
            retryable=status is None or status in (408, 409, 429) or status >= 500,
        )
        return ChatReply(text="", finish_reason="error", error=failure, timing=Timing(seconds=seconds))

    def _cost(self, response: Any) -> float | None:
        """USD by litellm's price map; None for a model that it has no price for."""
        try:
            cost = self._litellm.completion_cost(completion_response=response, model=self.model)
        except Exception:  # noqa: BLE001 - litellm raises a bare Exception for an unknown model
            return None
        return float(cost) if cost else None

    def _deployment(self) -> dict[str, Any]:
        deployment: dict[str, Any] = {"model": self.model}
        if self._api_base:
            deployment["api_base"] = self._api_base
        if self._api_key:
            deployment["api_key"] = self._api_key
        return deployment

    def _find_key(self) -> str | None:
        """None when litellm finds its key itself; a placeholder for a server of one's own that wants none."""
        provider = self._provider()
        missing = self._litellm.validate_environment(model=self.model).get("missing_keys") or []
        if not missing:
            return None
        if self._api_base:
            return "none"
        raise MissingKey(
            f"no API key for {self.model}: {', '.join(missing)} is not set",
            f"export {missing[0]}=...   (or --api-base URL for a server of your own; provider: {provider})",
        )

    def _provider(self) -> str:
        prefix = self.model.partition("/")[0]
        try:
            return str(self._litellm.get_llm_provider(model=self.model, api_base=self._api_base)[1])
        except Exception:  # noqa: BLE001 - litellm's BadRequestError, with a page of text
            known = [str(getattr(provider, "value", provider)) for provider in self._litellm.provider_list]
            raise UnknownName("model provider", prefix, known) from None

    def _redact(self, text: str) -> str:
        """An error's text without any secret that the environment holds."""
        for name, value in os.environ.items():
            if len(value) > 7 and any(part in name.upper() for part in ("KEY", "TOKEN", "SECRET", "PASSWORD")):
                text = text.replace(value, "[redacted]")
        return text


def _litellm() -> Any:
    """litellm, quiet, with the price map that its release carries: prices must not depend on the day."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    return litellm
