"""What a metric is, and how the chosen ones are applied to a run.

Promises: a gold that does not run excludes its example from every metric and every model alike (`gold_error`); a
back-end's failure is `error` with no value; every other failure is a 0 whose status says why.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Protocol

from benchmark.extract import extract
from benchmark.registry import load
from benchmark.sqlengine.pool import Pool
from benchmark.sqlengine.protocol import Database, Job, Outcome, Reply
from benchmark.sqlengine.prove import Proof
from benchmark.terms import Terms
from benchmark.types import Example, Extraction, Generation, Measured, Score, ScoreStatus
from benchmark.verdicts import gold_problem, prove_any

REGISTRY = {
    "exact": "benchmark.metrics.exact:exact",
    "exact_ws": "benchmark.metrics.exact:exact_ws",
    "ast": "benchmark.metrics.ast:ast",
    "execution": "benchmark.metrics.execution:execution",
    "equivalence": "benchmark.metrics.equivalence:equivalence",
    "components": "benchmark.metrics.components:components",
    "efficiency": "benchmark.metrics.efficiency:efficiency",
}
DEFAULT_METRICS = ("exact", "exact_ws", "ast", "execution", "equivalence")
#: Metrics that say nothing about an example that comes without a database.
NEED_DATABASE = frozenset({"execution", "equivalence", "efficiency"})
#: What depends on the rules that prove, on what a policy means, on how hard one searches, and on a clock.
BY_RULES = frozenset({"ast", "equivalence"})
BY_POLICY = frozenset({"execution", "equivalence", "efficiency"})
BY_SEARCH = frozenset({"equivalence"})
BY_CLOCK = frozenset({"efficiency"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All that is known about one prediction when it is scored.

    `proof` is one of equivalence with any gold; `searched` is how many databases a counterexample was sought on.
    """

    example: Example
    generation: Generation
    extraction: Extraction
    outcome: Outcome | None = None
    golds: Sequence[Outcome] = ()
    proof: Proof | None = None
    policy: str = "default"
    searched: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A metric's answer: a value in [0, 1], why it is 0, and what shows it."""

    value: float
    status: ScoreStatus = "ok"
    evidence: Mapping[str, Any] | None = None
    timing: Measured | None = None


class Metric(Protocol):
    """A metric is a function of a record. It is asked only about records with a generation and a sound gold."""

    def __call__(self, record: Record) -> Judgement: ...


def metric_names() -> list[str]:
    """The metrics that `--metrics` takes."""
    return list(REGISTRY)


def score_records(
    items: Iterable[tuple[Example, Sequence[Sequence[Generation]]]], metrics: Sequence[str], terms: Terms, pool: Pool
) -> Iterator[list[list[Score]]]:
    """For each example with its generations, a group a run: the groups' scores by every metric, in the same order.

    A stream: what is held in memory does not grow with the number of items, and a statement that several generations
    share is proved and run once. Raises UnknownName for a metric that is not there.
    """
    chosen: dict[str, Metric] = {name: load("metric", REGISTRY, name) for name in metrics}
    without_database = {name: metric for name, metric in chosen.items() if name not in NEED_DATABASE}
    waiting: deque[_Asked] = deque()

    def jobs() -> Iterator[Job]:
        for example, groups in items:
            waiting.append(_Asked(example, groups, chosen, terms))
            yield waiting[-1].job

    for reply in pool.run(jobs()):
        asked, problem = waiting.popleft(), gold_problem(reply)
        applied = chosen if asked.runs else without_database
        yield [
            [_score(name, metric, record, problem) for record in group for name, metric in applied.items()]
            for group in asked.told(reply)
        ]


class _Asked:
    """An example with all its predictions: the job that runs them, and what is known of each statement."""

    def __init__(
        self, example: Example, groups: Sequence[Sequence[Generation]], metrics: Collection[str], terms: Terms
    ) -> None:
        self.runs = has_database(example)
        self._groups = [[_record(example, one, terms) for one in group] for group in groups]
        self._statements = _distinct(chain.from_iterable(self._groups))
        self._proofs: dict[str, Proof] = {}
        if not BY_RULES.isdisjoint(metrics):
            self._prove(example, terms.policy)
        self._searched = terms.databases if self.runs and not BY_SEARCH.isdisjoint(metrics) else 0
        self.job = self._job(example, terms)

    def told(self, reply: Reply) -> list[list[Record]]:
        """The groups' records with all that the reply says of their statements."""
        outcomes = dict(zip(self._statements, reply.predictions, strict=False))

        def complete(record: Record) -> Record:
            sql = record.extraction.sql
            if sql is None:
                return record
            proof, outcome = self._proofs.get(sql), outcomes.get(sql)
            return replace(record, golds=reply.golds, outcome=outcome, proof=proof, searched=self._searched)

        return [[complete(record) for record in group] for group in self._groups]

    def _prove(self, example: Example, policy: str) -> None:
        for sql in self._statements:
            proof = prove_any(example.golds, sql, example.dialect, example.schema_sql, policy)
            if proof is not None:
                self._proofs[sql] = proof

    def _job(self, example: Example, terms: Terms) -> Job:
        skip = [place for place, sql in enumerate(self._statements) if sql in self._proofs]
        return Job(
            key=example.id,
            dialect=example.dialect,
            task=example.task,
            database=Database(setup_sql=example.schema_sql if example.db is None else "", path=example.db),
            golds=list(example.golds) if self.runs else [],
            predictions=self._statements if self.runs else [],
            policy=terms.policy,
            search=terms.search(skip) if self._searched else None,
            hashes=any(record.generation.sample for group in self._groups for record in group),
        )


def has_database(example: Example) -> bool:
    """Whether there is anything to run a statement against; an item may come with its gold alone."""
    return example.db is not None or bool(example.schema_sql.strip())


def _record(example: Example, generation: Generation, terms: Terms) -> Record:
    extraction = extract(generation.example_id, generation.text, generation.finish_reason)
    return Record(example=example, generation=generation, extraction=extraction, policy=terms.policy)


def _distinct(records: Iterable[Record]) -> list[str]:
    """The different statements of an example's predictions: each runs once."""
    return list(dict.fromkeys(record.extraction.sql for record in records if record.extraction.sql is not None))


def _score(name: str, metric: Metric, record: Record, problem: str | None) -> Score:
    generation = record.generation
    if problem is not None:
        return _null_score(name, generation, "gold_error", problem)
    if generation.error is not None:
        return _null_score(name, generation, "error", f"{generation.error.type}: {generation.error.message}")
    judgement = metric(record)
    return Score(
        example_id=generation.example_id,
        sample=generation.sample,
        metric=name,
        value=judgement.value,
        status=judgement.status,
        evidence=judgement.evidence or {},
        timing=judgement.timing,
    )


def _null_score(name: str, generation: Generation, status: ScoreStatus, why: str) -> Score:
    return Score(
        example_id=generation.example_id,
        sample=generation.sample,
        metric=name,
        value=None,
        status=status,
        evidence={"reason": why},
    )
