"""Putting questions to several judges at once: one event loop, each answer handed on as soon as it is there.

Promises: at most `concurrency` calls a judge are under way; an exceeded budget stops further calls, and what is
under way is still handed on; a judge that only ever refuses is given up.
Does not: know what is asked, or where answers go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from benchmark.chat import ChatClient, ChatReply
from benchmark.errors import BudgetExceeded
from benchmark.types import Message

#: A judge is given up after so many refusals in a row, such as for a wrong key, if it never answered.
GIVE_UP = 10
#: Refusals that speak of one question, and of no other.
_OF_ONE = frozenset({"ContextWindowExceededError", "ContentPolicyViolationError"})


class HasChat(Protocol):
    """Something to ask."""

    @property
    def chat(self) -> Sequence[Message]: ...


AskT = TypeVar("AskT", bound=HasChat)
Deliver = Callable[[str, AskT, ChatReply], None]


@dataclass(slots=True)
class _Line(Generic[AskT]):
    """The questions that wait for one judge."""

    judge: str
    client: ChatClient
    waiting: Iterator[AskT]
    left: int
    refusals: int = 0
    answered: bool = False

    @property
    def hopeless(self) -> bool:
        return not self.answered and self.refusals >= GIVE_UP

    def note(self, reply: ChatReply) -> None:
        """Learn from a reply whether its judge will ever answer."""
        self.left -= 1
        self.answered |= reply.error is None
        refused = reply.error is not None and not reply.error.retryable and reply.error.type not in _OF_ONE
        self.refusals = self.refusals + 1 if refused else 0


@dataclass(slots=True)
class Ended:
    """How a stream ended: the questions that nobody was asked, by judge, and the budget's refusal if there was one."""

    unasked: dict[str, int] = field(default_factory=dict)
    over_budget: BudgetExceeded | None = None


def stream(asks: Mapping[str, Sequence[AskT]], clients: Mapping[str, ChatClient], deliver: Deliver[AskT]) -> Ended:
    """Ask all judges, and hand each answer to `deliver(judge, question, reply)`. Whatever `deliver` raises ends it."""
    return asyncio.run(_stream(asks, clients, deliver))


async def _stream(
    asks: Mapping[str, Sequence[AskT]], clients: Mapping[str, ChatClient], deliver: Deliver[AskT]
) -> Ended:
    ended = Ended()
    lines = [_Line(judge, clients[judge], iter(waiting), len(waiting)) for judge, waiting in asks.items()]
    workers = [
        _work(line, deliver, ended) for line in lines for _ in range(min(line.left, line.client.settings.concurrency))
    ]
    try:
        await asyncio.gather(*workers)
    finally:
        for client in {id(client): client for client in clients.values()}.values():
            await client.close()
    ended.unasked = {line.judge: line.left for line in lines if line.left}
    return ended


async def _work(line: _Line[AskT], deliver: Deliver[AskT], ended: Ended) -> None:
    while ended.over_budget is None and not line.hopeless:
        ask = next(line.waiting, None)
        if ask is None:
            return
        try:
            reply = await line.client.ask(ask.chat)
        except BudgetExceeded as error:
            ended.over_budget = ended.over_budget or error
            return
        line.note(reply)
        deliver(line.judge, ask, reply)
