"""What a metric is, and how the chosen ones are applied to a run.

Promises: a gold that does not run excludes its example from every metric and every model alike (`gold_error`); a
back-end's failure is `error` with no value; every other failure is a 0 whose status says why.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Protocol

from benchmark.extract import extract
from benchmark.registry import load
from benchmark.sqlengine.pool import Pool
from benchmark.sqlengine.protocol import Database, Job, Outcome, Reply
from benchmark.types import Example, Extraction, Generation, Score, ScoreStatus

REGISTRY = {
    "exact": "benchmark.metrics.exact:exact",
    "exact_ws": "benchmark.metrics.exact:exact_ws",
    "ast": "benchmark.metrics.ast:ast",
    "execution": "benchmark.metrics.execution:execution",
}
DEFAULT_METRICS = tuple(REGISTRY)
#: Metrics that say nothing about an example that comes without a database.
NEED_DATABASE = frozenset({"execution"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All that is known about one prediction when it is scored."""

    example: Example
    generation: Generation
    extraction: Extraction
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A metric's answer: a value in [0, 1], why it is 0, and what shows it."""

    value: float
    status: ScoreStatus = "ok"
    evidence: Mapping[str, Any] | None = None


class Metric(Protocol):
    """A metric is a function of a record. It is asked only about records with a generation and a sound gold."""

    def __call__(self, record: Record) -> Judgement: ...


def metric_names() -> list[str]:
    """The metrics that `--metrics` takes."""
    return list(REGISTRY)


def score_records(
    items: Iterable[tuple[Example, Sequence[Sequence[Generation]]]], metrics: Sequence[str], policy: str, pool: Pool
) -> Iterator[list[list[Score]]]:
    """For each example with its generations, a group a run: the groups' scores by every metric, in the same order.

    A stream: what is held in memory does not grow with the number of items, and a statement that several generations
    share runs once. Raises UnknownName for a metric that is not there.
    """
    chosen: dict[str, Metric] = {name: load("metric", REGISTRY, name) for name in metrics}
    without_database = {name: metric for name, metric in chosen.items() if name not in NEED_DATABASE}
    waiting: deque[list[list[Record]]] = deque()

    def jobs() -> Iterator[Job]:
        for example, groups in items:
            records = [[_record(example, generation) for generation in group] for group in groups]
            waiting.append(records)
            yield _job(example, list(chain.from_iterable(records)), policy)

    for reply in pool.run(jobs()):
        groups = waiting.popleft()
        records = list(chain.from_iterable(groups))
        outcomes = dict(zip(_distinct(records), reply.predictions, strict=False))
        problem = gold_problem(reply)
        asked = chosen if not records or has_database(records[0].example) else without_database
        yield [_score_group(group, outcomes, problem, asked) for group in groups]


def has_database(example: Example) -> bool:
    """Whether there is anything to run a statement against; an item may come with its gold alone."""
    return example.db is not None or bool(example.schema_sql.strip())


def _record(example: Example, generation: Generation) -> Record:
    extraction = extract(generation.example_id, generation.text, generation.finish_reason)
    return Record(example=example, generation=generation, extraction=extraction)


def _job(example: Example, records: Sequence[Record], policy: str) -> Job:
    runs = has_database(example)
    return Job(
        key=example.id,
        dialect=example.dialect,
        task=example.task,
        database=Database(setup_sql=example.schema_sql if example.db is None else "", path=example.db),
        golds=list(example.golds) if runs else [],
        predictions=_distinct(records) if runs else [],
        policy=policy,
    )


def _distinct(records: Sequence[Record]) -> list[str]:
    """The different statements of an example's predictions: each runs once."""
    return list(dict.fromkeys(record.extraction.sql for record in records if record.extraction.sql is not None))


def gold_problem(reply: Reply) -> str | None:
    """Why an example cannot be scored, or None if its database loads and at least one gold runs (or none was asked)."""
    if reply.setup.status != "ok":
        return f"the schema does not load: {reply.setup.detail or reply.setup.status}"
    if reply.golds and all(gold.status != "ok" for gold in reply.golds):
        return f"the gold does not run: {reply.golds[0].detail or reply.golds[0].status}"
    return None


def _score_group(
    records: Sequence[Record], outcomes: Mapping[str, Outcome], problem: str | None, metrics: Mapping[str, Metric]
) -> list[Score]:
    scores = []
    for record in records:
        if record.extraction.sql is not None:
            record = replace(record, outcome=outcomes.get(record.extraction.sql))
        scores += [_score(name, metric, record, problem) for name, metric in metrics.items()]
    return scores


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
