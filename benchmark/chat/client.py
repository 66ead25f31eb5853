"""Asking one model: each request is sent through litellm, and again where that may help.

Promises: retries honour the provider's Retry-After; a parameter that a provider does not take is left out and named,
never dropped in silence; a shared budget is kept; keys stay in the environment.
Does not: cache. Whoever calls decides what was already paid for. It goes round litellm's Router, which takes 1 ms a
call more and does not wait for other calls' Retry-After (docs/decisions.md).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from benchmark.chat.budget import Budget
from benchmark.chat.prices import Price, Prices
from benchmark.chat.provider import Provider
from benchmark.chat.retry import asked_wait, backoff, is_passing, is_unbilled
from benchmark.chat.settings import ChatReply, ChatSettings
from benchmark.errors import UsageError
from benchmark.types import Failure, FinishReason, Message, Timing

_FINISH: dict[str, FinishReason] = {"stop": "stop", "length": "length", "content_filter": "filtered"}


class ChatClient:
    """One model at one provider. Raises UnknownName, MissingKey or UsageError when it is made, not when it is used.

    `left_out` names the wanted parameters that the provider does not take.
    """

    def __init__(
        self,
        model: str,
        settings: ChatSettings,
        api_base: str | None = None,
        *,
        prices: Prices | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.model = model
        self._provider = Provider(model, api_base)
        self._prices, self._budget = prices or Prices(), budget or Budget()
        self.price: Price | None = self._prices.of(model, self._provider.name, self._provider.provider)
        if self.price is None and self._budget.limit is not None:
            raise UsageError(
                f"no price is known for {model}, so no limit can be kept",
                "Say it by --prices FILE: {model: {input_per_million: USD, output_per_million: USD}}; 0 is free.",
            )
        self._resume_at = 0.0
        self._more_tokens = 1.0
        self.use(settings)

    def use(self, settings: ChatSettings) -> None:
        """Ask by these settings from now on."""
        self.settings = settings
        self._parameters, self.left_out = self._provider.parameters(settings)

    def identity(self) -> dict[str, Any]:
        """All about the client that changes an answer: model, place, and the parameters that are sent."""
        sent = {"max_tokens": self.settings.max_tokens, **self._parameters}
        return {"model": self.model, "api_base": self._provider.place, "parameters": sent}

    def complete(self, chats: Sequence[Sequence[Message]]) -> list[ChatReply]:
        """A reply for each chat, in order; at most `concurrency` calls are under way at once."""

        async def all_of_them() -> list[ChatReply]:
            gate = asyncio.Semaphore(self.settings.concurrency)

            async def one(chat: Sequence[Message]) -> ChatReply:
                async with gate:
                    return await self.ask(chat)

            try:
                return list(await asyncio.gather(*map(one, chats)))
            finally:
                await self.close()

        return asyncio.run(all_of_them())

    async def ask(self, chat: Sequence[Message]) -> ChatReply:
        """The reply to one chat, whatever happens; only BudgetExceeded is raised."""
        started = time.perf_counter()
        attempt = 0
        while True:
            attempt += 1
            await self._wait_for_the_provider()
            try:
                response = await self._send(chat)
                return self._reply(response, Timing(seconds=time.perf_counter() - started), attempt)
            except _Failed as failed:
                if (wait := self._wait(failed.error, attempt)) is None:
                    return self._failure(failed.error, Timing(seconds=time.perf_counter() - started), attempt)
            await asyncio.sleep(wait)

    async def close(self) -> None:
        """Close litellm's connections of this event loop."""
        await self._provider.litellm.close_litellm_async_clients()

    def count_tokens(self, chat: Sequence[Message]) -> int:
        """The tokens of a chat as litellm counts them: about right for a provider whose tokenizer it does not have."""
        return int(self._provider.litellm.token_counter(model=self._provider.name, messages=_messages(chat)))

    def estimate(self, chat: Sequence[Message]) -> float:
        """USD that one request may cost at most; 0 without a price.

        The prompt's count is scaled by the most that the provider has counted beyond ours so far.
        """
        if self.price is None:
            return 0.0
        return self.price.of(self._more_tokens * self.count_tokens(chat), self.settings.max_tokens)

    async def _send(self, chat: Sequence[Message]) -> Any:
        limited = self._budget.limit is not None
        async with self._budget.hold(self.estimate(chat) if limited else 0.0) as bill:
            try:
                async with asyncio.timeout(self.settings.timeout):
                    response = await self._provider.litellm.acompletion(
                        **self._provider.destination(),
                        **self._parameters,
                        messages=_messages(chat),
                        max_tokens=self.settings.max_tokens,
                        timeout=self.settings.timeout,
                        max_retries=0,
                    )
                if not getattr(response, "choices", None):
                    raise ValueError("the answer holds no choice")
            except Exception as error:  # noqa: BLE001 - litellm raises every provider's own errors; each is data here
                if is_unbilled(error):
                    bill.usd = 0.0
                raise _Failed(error) from None
            paid = self._paid(response)
            bill.usd = bill.usd if paid is None else paid
            if limited:
                self._learn(chat, response)
        return response

    def _learn(self, chat: Sequence[Message], response: Any) -> None:
        counted = getattr(getattr(response, "usage", None), "prompt_tokens", None) or 0
        self._more_tokens = max(self._more_tokens, counted / max(1, self.count_tokens(chat)))

    async def _wait_for_the_provider(self) -> None:
        while (wait := self._resume_at - time.monotonic()) > 0:
            await asyncio.sleep(wait)

    def _wait(self, error: BaseException, attempt: int) -> float | None:
        """Seconds until the request is sent again; None if it is not."""
        if attempt > self.settings.retries or not is_passing(error):
            return None
        asked = asked_wait(error)
        if asked is None:
            return backoff(attempt, self.settings.backoff)
        if asked > self.settings.longest_wait:
            return None
        self._resume_at = max(self._resume_at, time.monotonic() + asked)
        return asked

    def _paid(self, response: Any) -> float | None:
        usage = getattr(response, "usage", None)
        return self._prices.paid(self.model, self._provider.name, self._provider.provider, usage)

    def _reply(self, response: Any, timing: Timing, attempts: int) -> ChatReply:
        choice = response.choices[0]
        usage = getattr(response, "usage", None)
        return ChatReply(
            text=choice.message.content or "",
            finish_reason=_FINISH.get(choice.finish_reason or "stop", "stop"),
            model_version=response.model,
            prompt_tokens=getattr(usage, "prompt_tokens", None),
            completion_tokens=getattr(usage, "completion_tokens", None),
            cost_usd=self._paid(response),
            timing=timing,
            attempts=attempts,
        )

    def _failure(self, error: BaseException, timing: Timing, attempts: int) -> ChatReply:
        name = "Timeout" if isinstance(error, TimeoutError) else type(error).__name__
        text = self._provider.show(error) or f"no answer within {self.settings.timeout:g} s"
        failure = Failure(type=name, message=text, retryable=is_passing(error))
        return ChatReply(text="", finish_reason="error", error=failure, timing=timing, attempts=attempts)


class _Failed(Exception):
    """A request that failed, and why."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


def _messages(chat: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in chat]
