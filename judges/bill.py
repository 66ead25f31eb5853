"""What judging costs: before it, as an estimate, and after it, as a bill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmark.chat import ChatClient
from benchmark.errors import BudgetExceeded
from benchmark.types import Message, Verdict

#: Tokens of the shortest verdict that a judge may give.
SHORTEST = 12
#: The share of failed calls that a judging may have, unless something else is said.
MAX_ERRORS = 0.05


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

    `cost_usd` adds up the calls that were answered and have a price; `unpriced` counts those without one. `versions`
    counts the answers by the model version that they name, `places` by base URL where there are several; `error` is
    the last failure.
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
    versions: dict[str, int] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    error: str = ""

    def add(self, verdict: Verdict, place: str | None = None) -> None:
        """Count a call by its verdict, and by the place that answered."""
        self.calls += 1
        self.failed += verdict.label is None
        self.prompt_tokens += verdict.prompt_tokens or 0
        self.completion_tokens += verdict.completion_tokens or 0
        self.cost_usd += verdict.cost_usd or 0.0
        self.unpriced += verdict.cost_usd is None and verdict.prompt_tokens is not None
        for counts, name in ((self.versions, verdict.model_version), (self.places, place)):
            if name is not None and verdict.label is not None:
                counts[name] = counts.get(name, 0) + 1
        if verdict.error is not None:
            said = f"{verdict.error.type}: {verdict.error.message}"[:300]
            self.error = "".join(c if c.isprintable() else " " for c in said)  # a server's text may end on a terminal

    @property
    def lost_share(self) -> float:
        """The share of what was to be asked that failed or was never asked; 0 where nothing was to be asked."""
        return (self.failed + self.unasked) / max(1, self.calls + self.unasked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The bills of a judging, one a judge; `over_budget` if it stopped at the limit."""

    bills: tuple[Bill, ...]
    over_budget: BudgetExceeded | None = None

    @property
    def failed(self) -> int:
        """Calls that failed, or were not made because their judge was given up."""
        return sum(bill.failed + (0 if self.over_budget else bill.unasked) for bill in self.bills)


def check_errors(outcome: Outcome, most: float) -> None:
    """Raises BudgetExceeded where any judge has no verdict for more than the share `most` of what it was to be asked.

    Each judge is looked at alone: among many that work, one that never answers would not be seen.
    """
    bad = [bill for bill in outcome.bills if bill.lost_share > most]
    if not bad:
        return
    lines = "\n  ".join(
        f"{bill.judge}: {bill.failed + bill.unasked} of {bill.calls + bill.unasked} ({bill.lost_share:.1%}); "
        f"last: {bill.error}"
        for bill in bad
    )
    raise BudgetExceeded(
        f"more than {most:.1%} of a judge's calls failed (--max-errors):\n  {lines}",
        "All verdicts that were paid for are stored. Mend the cause and run the same command again: it asks only for "
        "what is missing.",
    )
