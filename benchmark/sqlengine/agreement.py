"""Whether two results of one gold agree under a policy, an ORDER BY of the gold's included, and where its LIMIT cuts.

Promises: a gold's order counts only up to ties of its keys, which are read from the same database.
Does not: open a database; whoever asks says how to run a statement there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from sqlglot import exp

from benchmark.sqlengine.parse import order_keys, orders_result, parse
from benchmark.sqlengine.results import POLICIES, TIE_AWARE, Row, Table

#: Runs a statement on the database in question; None where it fails.
Run = Callable[[str], Table | None]


class Agreement:
    """The comparison of results on one database under one policy."""

    def __init__(self, policy: str, dialect: str, run: Run) -> None:
        self._policy = policy
        self._dialect = dialect
        self._run = run
        self._ties_of: dict[str, list[int]] = {}

    def forget(self) -> None:
        """The database has other rows now."""
        self._ties_of.clear()

    def __call__(self, gold_sql: str, gold: Table, pred: Table) -> bool:
        if gold == pred:  # the same rows in the same order agree under any policy
            return True
        compare = POLICIES[self._policy]
        if self._policy not in TIE_AWARE:
            return compare(gold, pred, () if "order by" in gold_sql.lower() else None)
        if not compare(gold, pred, None):
            return False
        if not orders_result(gold_sql, self._dialect):
            return True
        if gold_sql not in self._ties_of:
            self._ties_of[gold_sql] = self._ties(gold_sql, gold)
        return compare(gold, pred, self._ties_of[gold_sql])

    def cuts_ties(self, gold_sql: str, gold: Table) -> bool:
        """Whether the gold's outermost LIMIT keeps one of several rows that its ORDER BY ranks alike."""
        whole = _uncut(gold_sql, self._dialect)
        if whole is None:
            return False
        sql, first, last = whole
        done = self._run(sql)
        if done is None or done.width <= gold.width:
            return False
        return any(_tied(done.rows, edge, gold.width) for edge in (first, last) if 0 < edge < len(done.rows))

    def _ties(self, gold_sql: str, gold: Table) -> list[int]:
        """Lengths of the runs of gold rows whose ORDER BY keys are equal; every row alone where keys are unknown."""
        alone = [1] * len(gold.rows)
        augmented = _with_keys(gold_sql, self._dialect)
        done = self._run(augmented) if augmented is not None else None
        if done is None or [row[: gold.width] for row in done.rows] != gold.rows:
            return alone
        runs: list[int] = []
        previous: Row | None = None
        for row in done.rows:
            if previous is not None and row[gold.width :] == previous:
                runs[-1] += 1
            else:
                runs.append(1)
            previous = row[gold.width :]
        return runs


def _tied(rows: list[Row], edge: int, width: int) -> bool:
    """Whether the rows beside an edge have equal keys and, among their equals, different cells."""
    keys = rows[edge][width:]
    if rows[edge - 1][width:] != keys:
        return False
    return len({row[:width] for row in rows if row[width:] == keys}) > 1


@lru_cache(maxsize=4_000)
def _with_keys(gold_sql: str, dialect: str) -> str | None:
    augmented = order_keys(gold_sql, dialect)
    return None if augmented is None else augmented.sql(dialect)


@lru_cache(maxsize=4_000)
def _uncut(gold_sql: str, dialect: str) -> tuple[str, int, int] | None:
    """An ordered query without its LIMIT, its keys as extra columns; the places where the LIMIT begins and ends."""
    if "limit" not in gold_sql.lower():
        return None
    tree = parse(gold_sql, dialect)
    limit = tree.args.get("limit") if isinstance(tree, exp.Query) else None
    if tree is None or limit is None or not tree.args.get("order"):
        return None
    offset = tree.args.get("offset")
    count, skipped = _whole(limit.expression), _whole(offset.expression) if offset else 0
    if count is None or skipped is None:
        return None
    tree.set("limit", None)
    tree.set("offset", None)
    augmented = order_keys(tree.sql(dialect), dialect)
    return None if augmented is None else (augmented.sql(dialect), skipped, skipped + count)


def _whole(node: exp.Expr | None) -> int | None:
    return int(node.name) if isinstance(node, exp.Literal) and node.is_int else None
