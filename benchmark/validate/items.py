"""From items to their health: each gold is run, looked at, and scored as if a model had answered it.

Promises: one record an item, in their order; memory does not grow with their texts.
Does not: change an item, or leave one out.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from benchmark.extract import extract
from benchmark.health import ADVICE, MEANING, Health, HealthStatus
from benchmark.metrics.base import has_database
from benchmark.sqlengine.inspection import BLANKETS, INSPECTION_VERSION
from benchmark.sqlengine.parse import parse
from benchmark.sqlengine.pool import Pool
from benchmark.sqlengine.protocol import Database, Inspected, Job, Outcome, Reply
from benchmark.types import Example

_CLOCK = re.compile(
    r"\b(?:current_(?:date|time|timestamp)|localtime(?:stamp)?|now|getdate|curdate|sysdate|today)\b", re.IGNORECASE
)
_LATE = ("timeout", "limit")


class Finding(NamedTuple):
    """A status and why."""

    status: HealthStatus
    reason: str


def check_examples(examples: Iterable[Example], pool: Pool) -> Iterator[Health]:
    """The health of each item, in order."""
    waiting: deque[Example] = deque()

    def jobs() -> Iterator[Job]:
        for example in examples:
            waiting.append(example)
            yield from _jobs(example)

    replies = pool.run(jobs())
    for reply in replies:
        example = waiting.popleft()
        first = next(replies) if _has_several(example) else None
        yield _health(example, reply, first)


def reads_clock(sql: str) -> bool:
    """Whether a statement's answer may change with the day.

    >>> reads_clock("SELECT date('now')"), reads_clock("SELECT knowledge FROM t")
    (True, False)
    """
    return _CLOCK.search(sql) is not None


def _has_several(example: Example) -> bool:
    return has_database(example) and len(example.golds) > 1


def _jobs(example: Example) -> Iterator[Job]:
    """One job that looks at all golds, and for several golds one that compares them with the first."""
    answers = [extract(example.id, gold, "stop").sql or "" for gold in example.golds]
    job = Job(
        key=example.id,
        dialect=example.dialect,
        task=example.task,
        database=Database(setup_sql=example.schema_sql if example.db is None else "", path=example.db),
        golds=list(example.golds) if has_database(example) else [],
        predictions=answers if has_database(example) else [],
        inspect=True,
    )
    yield job
    if _has_several(example):
        yield Job(job.key, job.dialect, job.task, job.database, job.golds[:1], job.golds[1:])


def _health(example: Example, reply: Reply, first: Reply | None) -> Health:
    finding = _finding(example, reply)
    blankets = [inspected.blanket for inspected in reply.inspected]
    return Health(
        example_id=example.id,
        status=finding.status,
        task=example.task,
        reason=finding.reason,
        advice=ADVICE.get(finding.status, ""),
        notes=tuple(_notes(example, reply, first)),
        blanket={kind: blanket[kind] for kind in BLANKETS for blanket in reversed(blankets) if kind in blanket},
        inspection=INSPECTION_VERSION,
    )


def _finding(example: Example, reply: Reply) -> Finding:
    """The one status of an item: one gold of several that tells nothing makes the item tell nothing."""
    if not has_database(example):
        parsed = any(parse(gold, example.dialect) is not None for gold in example.golds)
        return _plain("text_only" if parsed else "unreadable")
    if reply.setup.status != "ok":
        status: HealthStatus = "timeout" if reply.setup.status in _LATE else "schema_fails"
        return Finding(status, f"its database does not load: {reply.setup.detail or reply.setup.status}")
    running = [number for number, gold in enumerate(reply.golds) if gold.status == "ok"]
    if not running:
        gold = reply.golds[0]
        return Finding(
            "timeout" if gold.status in _LATE else "fails", f"the gold does not run: {gold.detail or gold.status}"
        )
    for number in running:
        found = _of_gold(example, reply.golds[number], _at(reply.inspected, number), reply.predictions[number])
        if found.status != "ok":
            return found._replace(reason=_which(number, len(reply.golds)) + found.reason)
    return Finding("ok", "")


def _of_gold(example: Example, gold: Outcome, found: Inspected, as_answer: Outcome) -> Finding:
    """What is against one gold that runs."""
    if example.task == "read":
        if gold.rows == 0:
            return _plain("no_rows")
        if found.all_null:
            return _plain("one_null")
        if not found.repeats:
            return _plain("nondeterministic")
    else:
        same = next((kind for kind in BLANKETS[:-1] if kind in found.blanket), None)
        if same is not None:
            text = found.blanket[same]
            return Finding(
                "vacuous_write", f"it leaves the database as {f'{text!r}' if text else 'no write at all'} does"
            )
    if not as_answer.agrees:
        detail = as_answer.detail or as_answer.status
        return Finding("not_itself", f"{MEANING['not_itself']} ({detail})")
    return Finding("ok", "")


def _plain(status: HealthStatus) -> Finding:
    return Finding(status, MEANING[status])


def _at(inspected: Sequence[Inspected], number: int) -> Inspected:
    return inspected[number] if inspected else Inspected()


def _which(number: int, golds: int) -> str:
    return f"gold {number + 1} of {golds}: " if golds > 1 else ""


def _notes(example: Example, reply: Reply, first: Reply | None) -> Iterator[str]:
    """What does not decide the status and is worth a look."""
    several = len(example.golds)
    if all(gold.status != "ok" for gold in reply.golds):
        return
    for number, (sql, gold) in enumerate(zip(example.golds, reply.golds, strict=False)):
        which = _which(number, several)
        if gold.status != "ok":
            yield f"{which}does not run: {gold.detail or gold.status}"
            continue
        for note in _of_inspected(_at(reply.inspected, number), gold):
            yield which + note
        if not reply.inspected:
            yield f"{which}it could not be looked at: doing so takes too long"
        if reads_clock(sql):
            yield f"{which}its answer may change with the day: it reads the clock"
        if parse(sql, example.dialect) is None and example.task == "read":
            yield f"{which}it runs, but sqlglot cannot read it: nothing can be proved about its answers"
    others = [n for n, outcome in enumerate(first.predictions, 2) if not outcome.agrees] if first else []
    if others:
        yield f"gold {', '.join(map(str, others))} of {several}: another answer than that of gold 1"


def _of_inspected(found: Inspected, gold: Outcome) -> Iterator[str]:
    if found.cuts_ties:
        yield "its LIMIT keeps one of several rows that its ORDER BY ranks alike"
    elif not found.order_free:
        yield "its answer depends on the order in which rows happen to lie"
    if found.same_when_empty and gold.rows and not found.all_null:
        yield "tables without rows give the same answer: a query that finds nothing scores too"
    if "no_condition" in found.blanket and not set(found.blanket) - {"no_condition"}:
        yield "without its condition it leaves the same database: every row meets it"
