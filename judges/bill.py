"""What judging costs: before it, as an estimate, and after it, as a bill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.chat import ChatClient
from benchmark.errors import BudgetExceeded
from benchmark.types import Message, Verdict

#: Tokens of the shortest verdict that a judge may give.
SHORTEST = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What asking one judge would take: tokens as litellm counts them; USD with the shortest answers and the longest.

    `usd_low` and `usd_high` are None where no price is known; `prompt` is the first chat to be sent.
    """

    judge: str
    calls: int
    reused: int
    prompt_tokens: int
    completion_tokens_low: int
    completion_tokens_high: int
    usd_low: float | None
    usd_high: float | None
    dropped: tuple[str, ...]
    prompt: tuple[Message, ...] = ()


def estimate(judge: str, client: ChatClient, chats: Sequence[tuple[Message, ...]], reused: int) -> Estimate:
    """The estimate for some chats; calls nobody."""
    tokens = sum(client.count_tokens(chat) for chat in chats)
    low, high = SHORTEST * len(chats), client.settings.max_tokens * len(chats)
    price = client.price
    return Estimate(
        judge=judge,
        calls=len(chats),
        reused=reused,
        prompt_tokens=tokens,
        completion_tokens_low=low,
        completion_tokens_high=high,
        usd_low=None if price is None else price.of(tokens, low),
        usd_high=None if price is None else price.of(tokens, high),
        dropped=client.left_out,
        prompt=chats[0] if chats else (),
    )


@dataclass(slots=True, kw_only=True)
class Bill:
    """What asking one judge took. `unasked` questions were left when it was given up, or the budget was reached.

    `cost_usd` adds up the calls that were answered and have a price; `unpriced` counts those without one.
    """

    judge: str
    calls: int = 0
    reused: int = 0
    failed: int = 0
    unasked: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0

    def add(self, verdict: Verdict) -> None:
        """Count a call by its verdict."""
        self.calls += 1
        self.failed += verdict.label is None
        self.prompt_tokens += verdict.prompt_tokens or 0
        self.completion_tokens += verdict.completion_tokens or 0
        self.cost_usd += verdict.cost_usd or 0.0
        self.unpriced += verdict.cost_usd is None and verdict.prompt_tokens is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The bills of a judging, one a judge; `over_budget` if it stopped at the limit."""

    bills: tuple[Bill, ...]
    over_budget: BudgetExceeded | None = None

    @property
    def failed(self) -> int:
        """Calls that failed, or were not made because their judge was given up."""
        return sum(bill.failed + (0 if self.over_budget else bill.unasked) for bill in self.bills)
