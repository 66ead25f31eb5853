"""The questions of a panel on their way: what is left to ask, and from a reply to lines on disk, the cache and a bill.

Promises: each verdict is on disk as soon as it is there; one that another process paid for meanwhile is copied.
Does not: decide what to ask (`judges.panel`), or when (`judges.stream`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from benchmark.chat import ChatReply
from benchmark.types import Failure, Message, Verdict
from judges.bill import Bill
from judges.ledger import Ledger
from judges.parse import UnreadableVerdict, parse_verdict
from judges.questions import Question
from judges.stream import Taken

Progress = Callable[[str, int, int], None]
Write = Callable[[Verdict], None]


@dataclass(slots=True, kw_only=True)
class Ask:
    """One call to make, and the places in runs that its verdict goes to."""

    key: str
    chat: tuple[Message, ...]
    repeat: int
    targets: list[tuple[Write, Verdict]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Work:
    """What is left to do for one judge: verdicts to write without a call, and calls by key. `total` slots in all."""

    total: int = 0
    free: list[tuple[Write, Verdict]] = field(default_factory=list)
    asks: dict[str, Ask] = field(default_factory=dict)

    @property
    def open(self) -> int:
        return sum(len(ask.targets) for ask in self.asks.values())

    def add(self, question: Question, blank: Verdict, write: Write, ledger: Ledger) -> None:
        """Find the verdict without a call, or put the call on the list, once for all that have its key."""
        if not question.chat:
            status = question.prompt_hash.removeprefix("none:")
            reason = f"no SQL to judge ({status}); decided without a call"
            self.free.append((write, replace(blank, label="incorrect", reason=reason)))
        elif (paid := ledger.find(blank.key)) is not None:
            self.free.append((write, copied(paid, blank)))
        else:
            ask = Ask(key=blank.key, chat=question.chat, repeat=blank.repeat)
            self.asks.setdefault(blank.key, ask).targets.append((write, blank))


class Desk:
    """`judges.stream.Desk` for run folders; `bills` are by judge. `several` judges have more than one place."""

    def __init__(self, work: Mapping[str, Work], ledger: Ledger, progress: Progress, several: frozenset[str]) -> None:
        self.bills = {judge: Bill(judge=judge) for judge in work}
        self._work, self._ledger, self._progress, self._several = work, ledger, progress, several
        self._done = {judge: found.total - found.open for judge, found in work.items()}

    @property
    def lease(self) -> float | None:
        return self._ledger.lease

    def renew(self) -> None:
        self._ledger.renew()

    def write_free(self) -> None:
        """Write what needs no call."""
        for judge, found in self._work.items():
            for write, verdict in found.free:
                write(verdict)
                self.bills[judge].reused += verdict.reused
            self._step(judge, 0)

    def take(self, judge: str, ask: Ask) -> Taken:
        """Claim a question, or copy the verdict that another process has got meanwhile."""
        found = self._ledger.claim(ask.key)
        if isinstance(found, bool):
            return "ask" if found else "wait"
        for write, blank in ask.targets:
            write(copied(found, blank))
        self.bills[judge].reused += len(ask.targets)
        self._step(judge, len(ask.targets))
        return "done"

    def drop(self, judge: str, ask: Ask) -> None:
        """Let others ask it."""
        self._ledger.release(ask.key)

    def deliver(self, judge: str, ask: Ask, reply: ChatReply) -> bool:
        """Write a reply's verdict wherever it belongs; whether it has a label."""
        useful = False
        for number, (write, blank) in enumerate(ask.targets):
            verdict = filled(blank, reply)
            write(replace(verdict, reused=number > 0))
            if number == 0:
                useful = verdict.label is not None
                self._ledger.keep(verdict)
                self.bills[judge].add(verdict, reply.place if judge in self._several else None)
        self._step(judge, len(ask.targets))
        return useful

    def _step(self, judge: str, slots: int) -> None:
        self._done[judge] += slots
        self._progress(f"judge {judge}", self._done[judge], self._work[judge].total)


def copied(paid: Verdict, blank: Verdict) -> Verdict:
    """A verdict that was paid for elsewhere, in the place of `blank`."""
    return replace(paid, example_id=blank.example_id, sample=blank.sample, reused=True)


def filled(blank: Verdict, reply: ChatReply) -> Verdict:
    """A verdict from a reply: its label, or the error that left it without one."""
    verdict = replace(
        blank,
        model_version=reply.model_version,
        prompt_tokens=reply.prompt_tokens,
        completion_tokens=reply.completion_tokens,
        cost_usd=reply.cost_usd,
        timing=reply.timing,
        error=reply.error,
    )
    if reply.error is not None:
        return verdict
    try:
        opinion = parse_verdict(reply.text)
    except UnreadableVerdict as error:
        return replace(verdict, error=Failure(type="UnreadableVerdict", message=str(error), retryable=True))
    return replace(verdict, label=opinion.label, reason=opinion.reason, confidence=opinion.confidence)
