"""A gold and a prediction run on the same database, with the first rows of both: for people and judges who compare.

Promises: both are shown whether they agree or not, so that nothing gives the comparison away; a statement that writes
is not run. Does not: compare anything (`benchmark.metrics`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from benchmark.sqlengine.pool import Pool
from benchmark.sqlengine.protocol import Database, Job, Limits, Outcome
from benchmark.types import Example

#: A result that no query of interest has: compared with it, a query shows its first rows whether right or wrong.
NOTHING = "SELECT 1 WHERE 1 = 0"
ROWS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a query returned: the number of rows and the first of them as text, None for NULL; or why it has none."""

    rows: int | None
    first_rows: tuple[tuple[str | None, ...], ...]
    problem: str


def results(
    answers: Iterable[tuple[Example, str | None]], workers: int | None = None, rows: int = ROWS
) -> list[Mapping[str, Result]]:
    """For each example with a prediction (None: no SQL), the first `rows` rows of both, by statement.

    An example that writes has none.
    """
    told = [(example, statements(example, sql)) for example, sql in answers]
    jobs = [_job(str(i), example, run, rows) for i, (example, run) in enumerate(told) if example.task == "read"]
    with Pool(workers) as pool:
        replies = {reply.key: reply for reply in pool.run(jobs)}
    found: list[Mapping[str, Result]] = []
    for i, (_, run) in enumerate(told):
        reply = replies.get(str(i))
        outcomes = [] if reply is None else reply.predictions or [reply.setup] * len(run)
        found.append(dict(zip(run, map(_result, outcomes), strict=False)))
    return found


def statements(example: Example, sql: str | None) -> list[str]:
    """The gold and the prediction, once where they are the same."""
    return list(dict.fromkeys([*example.golds[:1], *([] if sql is None else [sql])]))


def _job(key: str, example: Example, run: list[str], rows: int) -> Job:
    """Gold and prediction side by side, both as predictions: only those show their first rows."""
    return Job(
        key=key,
        dialect=example.dialect,
        task="read",
        database=Database(setup_sql=example.schema_sql if example.db is None else "", path=example.db),
        golds=[NOTHING],
        predictions=run,
        policy="strict",
        limits=Limits(floor_seconds=Limits().cap_seconds, preview_rows=rows),
    )


def _result(outcome: Outcome) -> Result:
    rows = tuple(tuple(None if cell is None else str(cell) for cell in row) for row in outcome.preview)
    failed = outcome.status != "ok"
    problem = f"It did not run ({outcome.status}): {outcome.detail}" if failed else ""
    return Result(rows=outcome.rows, first_rows=rows, problem=problem)
