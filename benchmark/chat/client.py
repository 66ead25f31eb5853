"""Asking one model: each request is sent through litellm, and again where that may help.

Promises: retries honour the provider's Retry-After; a parameter that a provider does not take is left out and named,
never dropped in silence; a shared budget and the model's own pace are kept; keys stay in the environment.
Does not: cache. Whoever calls decides what was already paid for. It goes round litellm's Router, which takes 1 ms a
call more and does not wait for other calls' Retry-After (docs/decisions.md).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.chat.budget import Budget
from benchmark.chat.pace import Pace, Turn
from benchmark.chat.prices import Price, Prices
from benchmark.chat.provider import Provider
from benchmark.chat.retry import asked_wait, backoff, is_final, is_passing, is_unbilled, is_unreachable
from benchmark.chat.settings import ChatReply, ChatSettings
from benchmark.errors import BudgetExceeded, UsageError
from benchmark.keys import without_keys
from benchmark.types import Failure, FinishReason, Message, Timing

_FINISH: dict[str, FinishReason] = {"stop": "stop", "length": "length", "content_filter": "filtered"}


@dataclass(slots=True)
class _Place:
    """One server of the model; `resume_at` is when it wants to be asked again, by the monotonic clock."""

    provider: Provider
    url: str | None
    resume_at: float = 0.0


class ChatClient:
    """One model at one provider. Raises UnknownName, MissingKey or UsageError when it is made, not when it is used.

    Of several base URLs the first that works is asked: one where nobody listens, that fails after all retries or that
    refuses everything is left for the next. They must serve one and the same model, which the first stands for.
    `left_out` names the wanted parameters that the provider does not take. With `keyless` the key may be missing, for a
    client that only counts and estimates.
    """

    def __init__(
        self,
        model: str,
        settings: ChatSettings,
        api_base: str | Sequence[str] | None = None,
        *,
        prices: Prices | None = None,
        budget: Budget | None = None,
        keyless: bool = False,
    ) -> None:
        self.model = model
        bases = [api_base] if isinstance(api_base, str) else list(api_base or ())
        providers = [Provider(model, base or None) for base in bases or [""]]
        self._places = [_Place(provider, provider.place) for provider in providers]
        self._provider, self._at = providers[0], 0
        for provider in () if keyless else providers:
            provider.require_key()
        self._prices, self._budget = prices or Prices(), budget or Budget()
        self.price: Price | None = self._prices.of(model, self._provider.name, self._provider.provider)
        if self.price is None and self._budget.limit is not None:
            raise UsageError(
                f"no price is known for {model}, so no limit can be kept",
                "Say it by --prices FILE: {model: {input_per_million: USD, output_per_million: USD}}; 0 is free.",
            )
        self._more_tokens = 1.0
        self._pace: Pace | None = None
        self.use(settings)

    def use(self, settings: ChatSettings) -> None:
        """Ask by these settings from now on; what was sent before still counts for the same pace."""
        limits = (settings.rpm, settings.tpm, settings.window)
        if settings.rpm is None and settings.tpm is None:
            self._pace = None
        elif self._pace is None or (self._pace.rpm, self._pace.tpm, self._pace.window) != limits:
            self._pace = Pace(*limits)
        self.settings = settings
        self._parameters, self.left_out = self._provider.parameters(settings)

    def identity(self) -> dict[str, Any]:
        """All about the client that changes an answer: model, (first) place, and the parameters that are sent."""
        sent = {"max_tokens": self.settings.max_tokens, **self._parameters}
        return {"model": self.model, "api_base": self._places[0].url, "parameters": sent}

    @property
    def places(self) -> tuple[str | None, ...]:
        """The base URLs, without credentials; None is the provider's own."""
        return tuple(place.url for place in self._places)

    def seed_of(self, repeat: int) -> int | None:
        """The seed that is sent with a repeat of a chat; None where none is."""
        seed = self._parameters.get("seed")
        return None if seed is None else int(seed) + repeat

    def complete(self, chats: Sequence[Sequence[Message]]) -> list[ChatReply]:
        """A reply for each chat, in order; at most `concurrency` calls are under way at once. Raises BudgetExceeded."""
        replies, refusal = self.complete_within(chats)
        if refusal is not None:
            raise refusal
        return [reply for reply in replies if reply is not None]

    def complete_within(
        self, chats: Sequence[Sequence[Message]]
    ) -> tuple[list[ChatReply | None], BudgetExceeded | None]:
        """The same with what was paid for before the budget was reached: None for the others, and the refusal."""

        async def all_of_them() -> list[ChatReply | BaseException]:
            gate = asyncio.Semaphore(self.settings.concurrency)

            async def one(chat: Sequence[Message]) -> ChatReply:
                async with gate:
                    return await self.ask(chat)

            try:
                return list(await asyncio.gather(*map(one, chats), return_exceptions=True))
            finally:
                await self.close()

        found = asyncio.run(all_of_them())
        refusals = [one for one in found if isinstance(one, BudgetExceeded)]
        for one in found:
            if isinstance(one, BaseException) and not isinstance(one, BudgetExceeded):
                raise one
        return [one if isinstance(one, ChatReply) else None for one in found], next(iter(refusals), None)

    async def ask(self, chat: Sequence[Message], repeat: int = 0) -> ChatReply:
        """The reply to one chat, whatever happens; only BudgetExceeded is raised."""
        started = time.perf_counter()
        parameters = self._parameters if not repeat else self._parameters_of(repeat)
        places = deque(self._places[self._at :] + self._places[: self._at])
        place, attempts, tries = places.popleft(), 0, 0
        while True:
            attempts, tries = attempts + 1, tries + 1
            try:
                response = await self._send(chat, place, parameters)
                return self._reply(response, place, Timing(seconds=time.perf_counter() - started), attempts)
            except _Failed as failed:
                wait = self._wait(place, failed.error, tries, more=bool(places))
                if wait is None:
                    if not places or not (is_passing(failed.error) or is_final(failed.error)):
                        spent = Timing(seconds=time.perf_counter() - started)
                        return self._failure(failed.error, place, spent, attempts)
                    self._leave(place, places[0])
                    place, tries, wait = places.popleft(), 0, 0.0
            await asyncio.sleep(wait)

    async def close(self) -> None:
        """Close litellm's connections of this event loop."""
        await self._provider.litellm.close_litellm_async_clients()

    def count_tokens(self, chat: Sequence[Message]) -> int:
        """The tokens of a chat as litellm counts them: about right for a provider whose tokenizer it does not have."""
        return int(self._provider.litellm.token_counter(model=self._provider.name, messages=_messages(chat)))

    def estimate(self, chat: Sequence[Message]) -> float:
        """USD that one request may cost at most; 0 without a price."""
        return 0.0 if self.price is None else self.price.of(self._prompt_tokens(chat), self.settings.max_tokens)

    def _prompt_tokens(self, chat: Sequence[Message]) -> float:
        """A chat's tokens at most: our count, scaled by the most that the provider has counted beyond ours so far."""
        return self._more_tokens * self.count_tokens(chat)

    def _parameters_of(self, repeat: int) -> Mapping[str, Any]:
        seed = self.seed_of(repeat)
        return self._parameters if seed is None else {**self._parameters, "seed": seed}

    async def _send(self, chat: Sequence[Message], place: _Place, parameters: Mapping[str, Any]) -> Any:
        limited = self._budget.limit is not None
        async with self._budget.hold(self.estimate(chat) if limited else 0.0) as bill:
            turn, tokens = None, None
            try:
                turn = await self._turn(chat, place)
                async with asyncio.timeout(self.settings.timeout):
                    response = await place.provider.litellm.acompletion(
                        **place.provider.destination(),
                        **parameters,
                        messages=_messages(chat),
                        max_tokens=self.settings.max_tokens,
                        timeout=self.settings.timeout,
                        max_retries=0,
                    )
                if not getattr(response, "choices", None):
                    raise ValueError("the answer holds no choice")
                tokens = getattr(getattr(response, "usage", None), "total_tokens", None)
            except Exception as error:  # noqa: BLE001 - litellm raises every provider's own errors; each is data here
                if is_unbilled(error):
                    bill.usd = 0.0
                raise _Failed(error) from None
            finally:
                if self._pace is not None and turn is not None:
                    self._pace.end(turn, tokens)
            paid = self._paid(response)
            bill.usd = bill.usd if paid is None else paid
            if limited or self.settings.tpm is not None:
                self._learn(chat, response)
        return response

    def _learn(self, chat: Sequence[Message], response: Any) -> None:
        counted = getattr(getattr(response, "usage", None), "prompt_tokens", None) or 0
        self._more_tokens = max(self._more_tokens, counted / max(1, self.count_tokens(chat)))

    async def _turn(self, chat: Sequence[Message], place: _Place) -> Turn | None:
        """Wait until the provider, and our own limits, let a request go. Raises TooLarge."""
        pace = self._pace
        tokens = 0.0 if pace is None or pace.tpm is None else self._prompt_tokens(chat) + self.settings.max_tokens
        while (wait := max(place.resume_at - time.monotonic(), 0.0 if pace is None else pace.wait(tokens))) > 0:
            await asyncio.sleep(wait)
        return None if pace is None else pace.take(tokens)

    def _wait(self, place: _Place, error: BaseException, tries: int, *, more: bool) -> float | None:
        """Seconds until the request is sent there again; None if it is not. `more` places may be left to ask."""
        if tries > self.settings.retries or not is_passing(error) or (more and is_unreachable(error)):
            return None
        asked = asked_wait(error)
        if asked is None:
            return backoff(tries, self.settings.backoff)
        if asked > self.settings.longest_wait:
            return None
        place.resume_at = max(place.resume_at, time.monotonic() + asked)
        return asked

    def _leave(self, place: _Place, following: _Place) -> None:
        """Ask `following` first from now on, unless somebody left `place` before."""
        if self._places[self._at] is place:
            self._at = self._places.index(following)

    def _paid(self, response: Any) -> float | None:
        usage = getattr(response, "usage", None)
        return self._prices.paid(self.model, self._provider.name, self._provider.provider, usage)

    def _reply(self, response: Any, place: _Place, timing: Timing, attempts: int) -> ChatReply:
        choice = response.choices[0]
        usage = getattr(response, "usage", None)
        return ChatReply(
            text=without_keys(choice.message.content or "", place.provider.own_secrets),
            finish_reason=_FINISH.get(choice.finish_reason or "stop", "stop"),
            model_version=response.model,
            prompt_tokens=getattr(usage, "prompt_tokens", None),
            completion_tokens=getattr(usage, "completion_tokens", None),
            cost_usd=self._paid(response),
            timing=timing,
            attempts=attempts,
            place=place.url,
        )

    def _failure(self, error: BaseException, place: _Place, timing: Timing, attempts: int) -> ChatReply:
        name = "Timeout" if isinstance(error, TimeoutError) else type(error).__name__
        text = place.provider.show(error) or f"no answer within {self.settings.timeout:g} s"
        failure = Failure(type=name, message=text, retryable=is_passing(error))
        return ChatReply(
            text="",
            finish_reason="error",
            error=failure,
            timing=timing,
            attempts=attempts,
            place=place.url,
            final=is_final(error),
        )


class _Failed(Exception):
    """A request that failed, and why."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


def _messages(chat: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in chat]
