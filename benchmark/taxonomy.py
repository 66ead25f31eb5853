"""What is wrong with an answer that execution calls wrong: from how it ended, the engine's message and both trees.

Promises: never raises, always names at least one category, and says the same for the same input.
Does not: prove a cause. Where both statements run it names the clauses in which they differ, and of two that differ
harmlessly it cannot know.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from benchmark.clauses import Clauses, clauses

#: Clause -> category, in the order in which SQL evaluates its clauses: what goes wrong early changes what follows, so
#: the first difference is the main one.
BY_CLAUSE = {
    "tables": "wrong table",
    "joins": "join",
    "conditions": "filter condition",
    "values": "filter value",
    "nulls": "NULL handling",
    "grouping": "grouping",
    "aggregates": "aggregate",
    "outputs": "column",
    "expressions": "expression",
    "set_operations": "set operation",
    "distinct": "duplicates",
    "ordering": "ordering",
    "limits": "limit",
    "changes": "written values",
}
OTHER = "other"
BY_STATUS = {
    "truncated": "truncated",
    "refused": "refused",
    "timeout": "timeout or limit",
    "limit": "timeout or limit",
    "empty": "no SQL",
    "no_sql": "no SQL",
    "multiple": "several statements",
}
HALLUCINATED, DIALECT, SYNTAX = "hallucinated name", "dialect", "syntax"
#: What an engine says (SQLite, DuckDB) -> category.
BY_MESSAGE = (
    (re.compile(r"no such function|function with name|wrong number of arguments|no such collation", re.I), DIALECT),
    (re.compile(r"no such (table|column)|has no column|table with name|referenced (column|table)", re.I), HALLUCINATED),
    (re.compile(r"does not have a column|values list .* does not|column named", re.I), HALLUCINATED),
    (re.compile(r"misuse of aggregate|aggregates? cannot|misuse of window", re.I), "aggregate"),
    (re.compile(r"must appear in the GROUP BY", re.I), "grouping"),
    (re.compile(r"ambiguous", re.I), "column"),
    (re.compile(r"same number of result columns", re.I), "set operation"),
)
#: Dialects that a statement may have been meant for.
ELSEWHERE = ("postgres", "mysql", "tsql", "snowflake", "bigquery", "oracle", "duckdb", "sqlite")
CATEGORIES = tuple(
    dict.fromkeys([*BY_STATUS.values(), HALLUCINATED, DIALECT, SYNTAX, *BY_CLAUSE.values(), "kind of statement", OTHER])
)


def classify(
    gold_sql: str, predicted_sql: str | None, dialect: str, status: str = "ok", reason: str = ""
) -> tuple[str, ...]:
    """The categories of a wrong answer, the main one first; always at least one of `CATEGORIES`.

    `status` is the Score's, `reason` the engine's message. For `invalid` the message decides the main category.

    >>> classify("SELECT a FROM t WHERE b = 1", "SELECT a FROM t WHERE b = 2 ORDER BY a", "sqlite")
    ('filter value', 'ordering')
    >>> classify("SELECT a FROM t", "SELECT z FROM t", "sqlite", "invalid", "no such column: z")
    ('hallucinated name', 'column')
    """
    if status in BY_STATUS:
        return (BY_STATUS[status],)
    if predicted_sql is None:
        return ("no SQL",)
    found = [*_from_message(predicted_sql, dialect, status, reason), *_differences(gold_sql, predicted_sql, dialect)]
    return tuple(dict.fromkeys(found)) or (OTHER,)


def _from_message(sql: str, dialect: str, status: str, reason: str) -> Iterator[str]:
    """What the engine's complaint says; a complaint about syntax is about the dialect if some dialect reads it."""
    if status != "invalid":
        return
    for pattern, category in BY_MESSAGE:
        if pattern.search(reason):
            yield category
            return
    if "incomplete input" in reason:
        yield SYNTAX
    else:
        yield DIALECT if any(clauses(sql, one) is not None for one in (dialect, *ELSEWHERE)) else SYNTAX


def _differences(gold_sql: str, predicted_sql: str, dialect: str) -> list[str]:
    """The clauses in which two statements differ."""
    gold, prediction = clauses(gold_sql, dialect), clauses(predicted_sql, dialect)
    if gold is None or prediction is None:
        return []
    if gold.kind != prediction.kind and {"insert", "update", "delete", "create"} & {gold.kind, prediction.kind}:
        return ["kind of statement"]
    found = [name for clause, name in BY_CLAUSE.items() if getattr(gold, clause) != getattr(prediction, clause)]
    return found or (["column"] if _other_columns(gold, prediction) else [])


def _other_columns(gold: Clauses, prediction: Clauses) -> bool:
    """Whether columns stand in other places, are other ones deep inside, or are those of another table."""
    if gold.outputs_in_place != prediction.outputs_in_place:
        return True
    there, here = _tables_of_columns(gold), _tables_of_columns(prediction)
    return there.keys() != here.keys() or any(there[name] and here[name] and there[name] != here[name] for name in here)


def _tables_of_columns(found: Clauses) -> dict[str, set[str]]:
    """The tables that each column name is said to be of."""
    tables: dict[str, set[str]] = {}
    for table, _, name in (column.rpartition(".") for column in found.columns):
        tables.setdefault(name, set()).update({table} if table else ())
    return tables
