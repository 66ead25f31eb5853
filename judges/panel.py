"""Asking judges about runs: every prediction, every judge, once.

Promises: nothing is paid for twice (`judges.ledger`); each verdict is on disk as soon as it is there; a failed or
unreadable call is an error with no label, and is asked again by a rerun; a prediction without SQL is incorrect without
a call. Does not: weigh the judges; `judges.aggregate` and `judges.calibrate` do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from benchmark.chat import Budget, ChatClient, ChatSettings, Prices
from benchmark.errors import UsageError
from benchmark.store import RunFolder
from benchmark.types import Verdict
from judges.bill import Estimate, Outcome, estimate
from judges.desk import Desk, Progress, Work, Write
from judges.ledger import Ledger, opened
from judges.questions import VERDICT_SCHEMA, Question, keys_of, questions_about
from judges.rubric import find_rubric
from judges.stream import stream

#: One base URL for all judges, or for each judge one, or several that are asked in turn.
Bases = str | Mapping[str, str | Sequence[str]] | None


class Panel:
    """The judges of a run. Making one checks every name, key, price and the rubric; no call is made yet.

    `repeat` asks each question so many times (with a seed, each time with the next seed), `swap` asks each again with
    gold and prediction in each other's place. `max_cost` is in USD, for all calls of this panel; a `budget` that others
    spend from as well stands in for it. `cache` is a folder of verdicts that other runs paid for. With `keyless` keys
    may be missing, for a panel that only estimates. Raises UnknownName, MissingKey, UsageError.
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
        budget: Budget | None = None,
        keyless: bool = False,
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
        self.budget = budget or Budget(max_cost)
        costs = Prices.read(prices)
        self.clients = {
            judge: ChatClient(
                judge, asked, _base_of(api_base, judge), prices=costs, budget=self.budget, keyless=keyless
            )
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

    def _work(self, runs: Sequence[tuple[RunFolder, Write]], ledger: Ledger) -> dict[str, Work]:
        work = {judge: Work() for judge in self.clients}
        for folder, write in runs:
            questions = self.questions(folder)
            current = {(v.example_id, v.sample, v.judge, v.repeat, v.swapped): v for v in folder.every_verdict()}
            for judge, client in self.clients.items():
                for question, number, key in keys_of(questions, client, self._rubric.digest, self.repeat):
                    work[judge].total += 1
                    blank = self._blank(judge, question, number, key)
                    if not _same(current.get(question.slot(judge, number)), blank):
                        work[judge].add(question, blank, write, ledger)
        return work

    def _do(self, work: Mapping[str, Work], ledger: Ledger, progress: Progress) -> Outcome:
        several = frozenset(judge for judge, client in self.clients.items() if len(client.places) > 1)
        desk = Desk(work, ledger, progress, several)
        desk.write_free()
        ended = stream({judge: list(found.asks.values()) for judge, found in work.items()}, self.clients, desk)
        for judge, left in ended.unasked.items():
            desk.bills[judge].unasked = left
        return Outcome(bills=tuple(desk.bills.values()), over_budget=ended.over_budget)

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


def _base_of(bases: Bases, judge: str) -> str | Sequence[str] | None:
    return bases.get(judge) if isinstance(bases, Mapping) else bases


def _same(found: Verdict | None, wanted: Verdict) -> bool:
    """Whether a verdict that is on disk answers what is wanted; lines of former versions have no key."""
    if found is None or found.label is None:
        return False
    return found.key == wanted.key if found.key else found.prompt_hash == wanted.prompt_hash
