"""Pairs of a gold and a prediction to verdicts, as a stream over every core.

Promises: verdicts come in the order of the pairs; the prediction's SQL is found as the benchmark finds it; what fails
because of the gold is `gold_error`, never the prediction's fault.
Does not: score, or know about runs (`metrics/equivalence.py` decides by the same `verdicts.py`).
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from benchmark.datasets.gretel import task_of
from benchmark.extract import extract
from benchmark.pairs import Pair, count_pairs, read_pairs
from benchmark.sqlengine.pool import Pool
from benchmark.sqlengine.protocol import Counterexample, Database, Grid, Job, Limits, Outcome, Reply
from benchmark.sqlengine.prove import Proof
from benchmark.store import replacing
from benchmark.terms import Terms
from benchmark.types import Extraction
from benchmark.verdicts import Decision, VerdictName, counterexample_evidence, decide, gold_problem, prove_any

#: Rows of each result that are shown of a given database.
SHOWN_ROWS = 20
#: A gold that agrees with no result that has rows, so that the results' first rows are sent.
_NOTHING = "SELECT NULL WHERE 1 = 0"
_WITHOUT_SQL = {
    "empty": "the answer is empty",
    "no_sql": "the answer holds no SQL",
    "refused": "the answer is a refusal and holds no SQL",
    "truncated": "the answer holds no whole statement",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PairVerdict:
    """A verdict on a pair, why, and what shows it.

    `seconds` is the time of proving and of running gold and prediction on the given database; `databases` is how many
    generated ones agreed where the verdict is `undecided`.
    """

    id: str | int
    verdict: VerdictName
    reason: str
    seconds: float
    proof: Proof | None = None
    counterexample: Counterexample | None = None
    databases: int = 0


@dataclass(frozen=True, slots=True)
class _Asked:
    """A pair whose job is on its way."""

    pair: Pair
    extraction: Extraction
    proof: Proof | None
    seconds: float


def decide_pairs(pairs: Iterable[Pair], terms: Terms, pool: Pool) -> Iterator[PairVerdict]:
    """A verdict for each pair, in order. Holds a bounded number of pairs in memory."""
    waiting: deque[_Asked] = deque()

    def jobs() -> Iterator[Job]:
        for pair in pairs:
            waiting.append(_ask(pair, terms))
            yield _job(waiting[-1], terms)

    for reply in pool.run(jobs()):
        yield _verdict(waiting.popleft(), reply, terms, pool)


def decide_file(
    pairs: Path, out: Path, terms: Terms, progress: Callable[[str, int, int], None], workers: int | None = None
) -> dict[str, int]:
    """Write a verdict for each line of a file of pairs, in its order; how many there are of each, most frequent first.

    Raises UsageError, DatasetError before any work starts; `out` appears when it is whole.
    """
    total, counts = count_pairs(pairs), Counter[str]()
    out.parent.mkdir(parents=True, exist_ok=True)
    with Pool(workers) as pool, replacing(out) as handle:
        for done, found in enumerate(decide_pairs(read_pairs(pairs), terms, pool), 1):
            handle.write(msgspec.json.encode(as_json(found)) + b"\n")
            counts[found.verdict] += 1
            progress("equiv", done, total)
    return dict(counts.most_common())


def as_json(found: PairVerdict) -> dict[str, Any]:
    """A verdict as the JSON object that `sqlgauge equiv` writes: what has nothing to say is left out."""
    record: dict[str, Any] = {
        "id": found.id, "verdict": found.verdict, "reason": found.reason, "seconds": round(found.seconds, 6)
    }  # fmt: skip
    if found.proof is not None:
        record["proof"] = msgspec.to_builtins(found.proof)
    if found.counterexample is not None:
        record["counterexample"] = counterexample_evidence(found.counterexample)
    if found.verdict == "undecided":
        record["databases"] = found.databases
    return record


def _ask(pair: Pair, terms: Terms) -> _Asked:
    extraction = extract(str(pair.id), pair.pred, "stop")
    started = time.perf_counter()
    proof = None
    if extraction.sql is not None:
        proof = prove_any(pair.golds, extraction.sql, pair.dialect, pair.schema_sql, terms.policy)
    return _Asked(pair, extraction, proof, time.perf_counter() - started)


def _job(asked: _Asked, terms: Terms) -> Job:
    pair, sql = asked.pair, asked.extraction.sql
    return Job(
        key=str(pair.id),
        dialect=pair.dialect,
        task=task_of(pair.golds[0]),
        database=_database(pair),
        golds=list(pair.golds),
        predictions=[] if sql is None else [sql],
        policy=terms.policy,
        search=terms.search([] if asked.proof is None else [0]),
    )


def _database(pair: Pair) -> Database:
    return Database(setup_sql=pair.schema_sql if pair.db is None else "", path=pair.db)


def _verdict(asked: _Asked, reply: Reply, terms: Terms, pool: Pool) -> PairVerdict:
    seconds = asked.seconds + sum(outcome.seconds for outcome in (*reply.golds, *reply.predictions))
    problem, decision = gold_problem(reply), None
    if problem is not None:
        decision = Decision(verdict="gold_error", reason=problem)
    elif not reply.predictions:
        decision = Decision(verdict="invalid", reason=_WITHOUT_SQL[asked.extraction.status])
    else:
        decision = decide(reply.predictions[0], asked.proof, terms.databases)
    shown = decision.counterexample
    if decision.on == "given" and shown is None:
        shown = _on_given(asked, reply, pool)
    return PairVerdict(
        id=asked.pair.id,
        verdict=decision.verdict,
        reason=decision.reason,
        seconds=seconds,
        proof=decision.proof,
        counterexample=shown,
        databases=decision.databases,
    )


def _on_given(asked: _Asked, reply: Reply, pool: Pool) -> Counterexample:
    """The given database as a counterexample, with the first rows of both results; a write returns none."""
    pair, sql = asked.pair, asked.extraction.sql
    gold = next(gold for gold, outcome in zip(pair.golds, reply.golds, strict=True) if outcome.status == "ok")
    grids = [Grid([], []), Grid([], [])]
    if task_of(pair.golds[0]) == "read" and sql is not None:
        limits = Limits(floor_seconds=Limits().cap_seconds, preview_rows=SHOWN_ROWS)
        job = Job(str(pair.id), pair.dialect, "read", _database(pair), [_NOTHING], [gold, sql], "strict", limits)
        (shown,) = pool.run([job])
        grids = [_grid(outcome) for outcome in shown.predictions] or grids
    return Counterexample(setup_sql=pair.schema_sql, gold=grids[0], prediction=grids[1])


def _grid(outcome: Outcome) -> Grid:
    """The first rows, under numbers for want of names."""
    width = len(outcome.preview[0]) if outcome.preview else 0
    return Grid([str(place) for place in range(1, width + 1)], outcome.preview)
