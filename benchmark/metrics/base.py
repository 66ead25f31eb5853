"""What a metric is, and how the chosen ones are applied to a run.

Promises: a gold that does not run excludes its example from every metric and every model alike (`gold_error`); a
back-end's failure is `error` with no value; every other failure is a 0 whose status says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    examples: Sequence[Example], generations: Sequence[Generation], metrics: Sequence[str], policy: str, pool: Pool
) -> list[Score]:
    """A score for every generation and metric, in order. Raises UnknownName for a metric that is not there."""
    chosen: dict[str, Metric] = {name: load("metric", REGISTRY, name) for name in metrics}
    by_example: dict[str, list[Record]] = {example.id: [] for example in examples}
    known = {example.id: example for example in examples}
    for generation in generations:
        extraction = extract(generation.example_id, generation.text, generation.finish_reason)
        record = Record(example=known[generation.example_id], generation=generation, extraction=extraction)
        by_example[generation.example_id].append(record)
    jobs = (_job(example, by_example[example.id], policy) for example in examples)
    scores: list[Score] = []
    for example, reply in zip(examples, pool.run(jobs), strict=True):
        scores += _score_example(by_example[example.id], reply, chosen)
    return scores


def _job(example: Example, records: Sequence[Record], policy: str) -> Job:
    return Job(
        key=example.id,
        dialect=example.dialect,
        task=example.task,
        database=Database(setup_sql=example.schema_sql if example.db is None else "", path=example.db),
        golds=list(example.golds),
        predictions=_distinct(records),
        policy=policy,
    )


def _distinct(records: Sequence[Record]) -> list[str]:
    """The different statements of an example's predictions: each runs once."""
    return list(dict.fromkeys(record.extraction.sql for record in records if record.extraction.sql is not None))


def gold_problem(reply: Reply) -> str | None:
    """Why an example cannot be scored, or None if its database loads and at least one gold runs."""
    if reply.setup.status != "ok":
        return f"the schema does not load: {reply.setup.detail or reply.setup.status}"
    if all(gold.status != "ok" for gold in reply.golds):
        return f"the gold does not run: {reply.golds[0].detail or reply.golds[0].status}"
    return None


def _score_example(records: Sequence[Record], reply: Reply, metrics: Mapping[str, Metric]) -> list[Score]:
    problem = gold_problem(reply)
    outcomes = dict(zip(_distinct(records), reply.predictions, strict=False))
    scores = []
    for record in records:
        whole = Record(
            example=record.example,
            generation=record.generation,
            extraction=record.extraction,
            outcome=outcomes.get(record.extraction.sql or ""),
        )
        scores += [_score(name, metric, whole, problem) for name, metric in metrics.items()]
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
