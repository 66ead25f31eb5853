"""Asking judges about runs: every prediction, every judge, once.

Promises: nothing is paid for twice (`judges.ledger`); each verdict is on disk as soon as it is there; a failed or
unreadable call is an error with no label, and is asked again by a rerun; a prediction without SQL is incorrect without
a call. Does not: weigh the judges; `judges.aggregate` and `judges.calibrate` do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmark.chat import Budget, ChatClient, ChatReply, ChatSettings, Prices
from benchmark.errors import UsageError
from benchmark.store import RunFolder
from benchmark.types import Failure, Message, Verdict
from judges.bill import Bill, Estimate, Outcome, estimate
from judges.ledger import Ledger, opened
from judges.parse import UnreadableVerdict, parse_verdict
from judges.questions import VERDICT_SCHEMA, Question, keys_of, questions_about
from judges.rubric import find_rubric
from judges.stream import stream

Progress = Callable[[str, int, int], None]
Write = Callable[[Verdict], None]
#: One base URL for all judges, or one a judge.
Bases = str | Mapping[str, str] | None


@dataclass(slots=True, kw_only=True)
class _Ask:
    """One call to make, and the places in runs that its verdict goes to."""

    chat: tuple[Message, ...]
    targets: list[tuple[Write, Verdict]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class _Work:
    """What is left to do for one judge: verdicts to write without a call, and calls by key. `total` slots in all."""

    total: int = 0
    free: list[tuple[Write, Verdict]] = field(default_factory=list)
    asks: dict[str, _Ask] = field(default_factory=dict)

    @property
    def open(self) -> int:
        return sum(len(ask.targets) for ask in self.asks.values())


class Panel:
    """The judges of a run. Making one checks every name, key, price and the rubric; no call is made yet.

    `repeat` asks each question so many times, `swap` asks each again with gold and prediction in each other's place.
    `max_cost` is in USD, for all calls of this panel. `cache` is a folder of verdicts that other runs paid for.
    Raises UnknownName, MissingKey, UsageError.
    """

    def __init__(
        self,
        judges: Sequence[str],
        rubric: str = "seed",
        api_base: Bases = None,
        *,
        settings: ChatSettings | None = None,
        repeat: int = 1,
        swap: bool = False,
        max_cost: float | None = None,
        prices: Path | None = None,
        cache: Path | None = None,
    ) -> None:
        self._rubric = find_rubric(rubric)  # an unknown name is said now
        self.rubric, self.repeat, self.swap, self.cache = rubric, repeat, swap, cache
        if repeat < 1:
            raise UsageError(f"each question must be asked at least once, not {repeat} times", "--repeat 1 is usual.")
        if swap and not self._rubric.symmetric:
            raise UsageError(
                f"rubric {rubric} says which query is the gold, so the two cannot trade places", "No --swap."
            )
        asked = replace(settings or ChatSettings(max_tokens=400), response_schema=VERDICT_SCHEMA)
        self.budget = Budget(max_cost)
        costs = Prices.read(prices)
        self.clients = {
            judge: ChatClient(judge, asked, _base_of(api_base, judge), prices=costs, budget=self.budget)
            for judge in dict.fromkeys(judges)
        }

    def judge(self, folder: RunFolder, progress: Progress) -> int:
        """Ask about every prediction of a run that has no verdict yet. The number of calls that failed."""
        return self.judge_all([folder], progress).failed

    def judge_all(
        self, folders: Sequence[RunFolder], progress: Progress, elsewhere: Iterable[RunFolder] = ()
    ) -> Outcome:
        """Ask about several runs in one stream; verdicts that `elsewhere` or the cache hold are copied from there.

        Raises BudgetExceeded, all that was paid for being stored, and RunConflict where another process writes.
        """
        with ExitStack() as stack:
            for folder in folders:
                stack.enter_context(folder.writing())
            writes = [stack.enter_context(folder.verdict_sink()) for folder in folders]
            ledger = stack.enter_context(opened([*folders, *elsewhere], self.cache))
            work = self._work(list(zip(folders, writes, strict=True)), ledger)
            outcome = self._do(work, ledger, progress)
            for folder in folders:
                folder.log(f"judged: {'; '.join(map(str, outcome.bills))}")
        if outcome.over_budget is not None:
            raise outcome.over_budget
        return outcome

    def estimate(self, folders: Sequence[RunFolder], elsewhere: Iterable[RunFolder] = ()) -> list[Estimate]:
        """What `judge_all` would ask and cost, one estimate a judge. Calls nobody and writes nothing."""
        with opened([*folders, *elsewhere], self.cache) as ledger:
            work = self._work([(folder, lambda verdict: None) for folder in folders], ledger)
        return [
            estimate(judge, self.clients[judge], [ask.chat for ask in found.asks.values()], found.total - found.open)
            for judge, found in work.items()
        ]

    def questions(self, folder: RunFolder) -> list[Question]:
        """What to ask about a run."""
        return questions_about(folder, self.rubric, swap=self.swap)

    def _work(self, runs: Sequence[tuple[RunFolder, Write]], ledger: Ledger) -> dict[str, _Work]:
        work = {judge: _Work() for judge in self.clients}
        for folder, write in runs:
            questions = self.questions(folder)
            current = {(v.example_id, v.sample, v.judge, v.repeat, v.swapped): v for v in folder.every_verdict()}
            for judge, client in self.clients.items():
                for question, number, key in keys_of(questions, client, self._rubric.digest, self.repeat):
                    work[judge].total += 1
                    blank = self._blank(judge, question, number, key)
                    if not _same(current.get(question.slot(judge, number)), blank):
                        _add(work[judge], question, blank, write, ledger)
        return work

    def _do(self, work: Mapping[str, _Work], ledger: Ledger, progress: Progress) -> Outcome:
        bills = {judge: Bill(judge=judge) for judge in work}
        done = {judge: found.total - found.open for judge, found in work.items()}

        def deliver(judge: str, ask: _Ask, reply: ChatReply) -> None:
            for number, (write, blank) in enumerate(ask.targets):
                verdict = _filled(blank, reply)
                write(replace(verdict, reused=number > 0))
                if number == 0:
                    ledger.keep(verdict)
                    bills[judge].add(verdict)
            done[judge] += len(ask.targets)
            progress(f"judge {judge}", done[judge], work[judge].total)

        for judge, found in work.items():
            for write, verdict in found.free:
                write(verdict)
                bills[judge].reused += verdict.reused
            progress(f"judge {judge}", done[judge], found.total)
        ended = stream({judge: list(found.asks.values()) for judge, found in work.items()}, self.clients, deliver)
        for judge, left in ended.unasked.items():
            bills[judge].unasked = left
        return Outcome(bills=tuple(bills.values()), over_budget=ended.over_budget)

    def _blank(self, judge: str, question: Question, repeat: int, key: str) -> Verdict:
        return Verdict(
            example_id=question.generation.example_id,
            sample=question.generation.sample,
            judge=judge,
            label=None,
            reason="",
            prompt_hash=question.prompt_hash,
            repeat=repeat,
            swapped=question.swapped,
            dropped=self.clients[judge].left_out if key else (),
            key=key,
        )


def _base_of(bases: Bases, judge: str) -> str | None:
    return bases.get(judge) if isinstance(bases, Mapping) else bases


def _same(found: Verdict | None, wanted: Verdict) -> bool:
    """Whether a verdict that is on disk answers what is wanted; lines of former versions have no key."""
    if found is None or found.label is None:
        return False
    return found.key == wanted.key if found.key else found.prompt_hash == wanted.prompt_hash


def _add(work: _Work, question: Question, blank: Verdict, write: Write, ledger: Ledger) -> None:
    """Find the verdict without a call, or put the call on the list, once for all that have its key."""
    if not question.chat:
        status = question.prompt_hash.removeprefix("none:")
        reason = f"no SQL to judge ({status}); decided without a call"
        work.free.append((write, replace(blank, label="incorrect", reason=reason)))
    elif (paid := ledger.find(blank.key)) is not None:
        here = {"example_id": blank.example_id, "sample": blank.sample, "reused": True}
        work.free.append((write, replace(paid, **here)))  # type: ignore[arg-type]
    else:
        work.asks.setdefault(blank.key, _Ask(chat=question.chat)).targets.append((write, blank))


def _filled(blank: Verdict, reply: ChatReply) -> Verdict:
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
