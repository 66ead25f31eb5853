"""Putting questions to several judges at once: one event loop, each answer handed on as soon as it is there.

Promises: at most `concurrency` calls a judge are under way; an exceeded budget stops further calls, and what is
under way is still handed on; a judge that will not answer is given up; nobody waits for a question that another process
is asking while there are others.
Does not: know what is asked, or where answers go.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, Literal, Protocol, TypeVar

from benchmark.chat import ChatClient, ChatReply
from benchmark.errors import BudgetExceeded
from benchmark.types import Message

#: A judge that never gave a verdict is given up after so many calls in a row that failed, or so many answers in a row
#: that cannot be read (a weak judge may give a verdict now and then).
GIVE_UP, UNREADABLE = 10, 30
#: One that did is given up after so many failed calls in a row, or four times as many as are under way at once.
LOST = 50
#: Seconds between two looks at what another process is asking.
POLL = 0.5
#: Refusals that speak of one question, and of no other.
_OF_ONE = frozenset({"ContextWindowExceededError", "ContentPolicyViolationError", "TooLarge"})

#: Whether a question is to be asked now, is being asked by another process, or was answered by one.
Taken = Literal["ask", "wait", "done"]


class HasChat(Protocol):
    """Something to ask, for the `repeat`th time (from 0)."""

    @property
    def chat(self) -> Sequence[Message]: ...

    @property
    def repeat(self) -> int: ...


AskT = TypeVar("AskT", bound=HasChat)
AskC = TypeVar("AskC", bound=HasChat, contravariant=True)


class Desk(Protocol[AskC]):
    """Where questions come from and answers go. `lease` is how often `renew` must be called, in s; None: never."""

    @property
    def lease(self) -> float | None: ...

    def renew(self) -> None: ...

    def take(self, judge: str, ask: AskC) -> Taken: ...

    def drop(self, judge: str, ask: AskC) -> None:
        """A question that was taken is not asked after all."""

    def deliver(self, judge: str, ask: AskC, reply: ChatReply) -> bool:
        """Whether the reply was a verdict. Whatever it raises ends the stream."""


@dataclass(slots=True)
class _Line(Generic[AskT]):
    """The questions that wait for one judge, each from some second of the monotonic clock on."""

    judge: str
    client: ChatClient
    waiting: deque[tuple[float, AskT]]
    left: int
    failures: int = 0
    unreadable: int = 0
    answered: bool = False
    final: bool = False

    @property
    def hopeless(self) -> bool:
        if self.final or self.answered:
            return self.final or self.failures >= max(LOST, 4 * self.client.settings.concurrency)
        return self.failures >= GIVE_UP or self.unreadable >= UNREADABLE

    def note(self, reply: ChatReply, useful: bool) -> None:
        """Learn from a reply whether its judge will ever answer."""
        self.left -= 1
        self.final |= reply.final
        if useful:
            self.answered, self.failures = True, 0
        elif reply.error is None:
            self.unreadable, self.failures = self.unreadable + 1, 0
        elif reply.error.type not in _OF_ONE:
            self.failures += 1


@dataclass(slots=True)
class Ended:
    """How a stream ended: the questions that nobody was asked, by judge, and the budget's refusal if there was one."""

    unasked: dict[str, int] = field(default_factory=dict)
    over_budget: BudgetExceeded | None = None


def stream(asks: Mapping[str, Sequence[AskT]], clients: Mapping[str, ChatClient], desk: Desk[AskT]) -> Ended:
    """Ask all judges what `desk` does not know yet, and hand each answer to it."""
    return asyncio.run(_stream(asks, clients, desk))


async def _stream(asks: Mapping[str, Sequence[AskT]], clients: Mapping[str, ChatClient], desk: Desk[AskT]) -> Ended:
    ended = Ended()
    lines = [
        _Line(judge, clients[judge], deque((0.0, ask) for ask in waiting), len(waiting))
        for judge, waiting in asks.items()
    ]
    workers = [
        _work(line, desk, ended) for line in lines for _ in range(min(line.left, line.client.settings.concurrency))
    ]
    renewal = asyncio.create_task(_renew(desk))
    try:
        await asyncio.gather(*workers)
    finally:
        renewal.cancel()
        with suppress(asyncio.CancelledError):
            await renewal
        for client in {id(client): client for client in clients.values()}.values():
            await client.close()
    ended.unasked = {line.judge: line.left for line in lines if line.left}
    return ended


async def _renew(desk: Desk[AskT]) -> None:
    while desk.lease is not None:
        await asyncio.sleep(desk.lease / 3)
        desk.renew()


async def _work(line: _Line[AskT], desk: Desk[AskT], ended: Ended) -> None:
    while ended.over_budget is None and not line.hopeless and line.waiting:
        ready, ask = line.waiting.popleft()
        if ready and (wait := ready - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        taken = desk.take(line.judge, ask)
        if taken == "wait":
            line.waiting.append((time.monotonic() + POLL, ask))
        elif taken == "done":
            line.left -= 1
            await asyncio.sleep(0)
        else:
            try:
                reply = await line.client.ask(ask.chat, ask.repeat)
            except BudgetExceeded as error:
                desk.drop(line.judge, ask)
                ended.over_budget = ended.over_budget or error
                return
            line.note(reply, desk.deliver(line.judge, ask, reply))
