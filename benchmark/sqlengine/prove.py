"""Proofs of equivalence: gold and prediction have one canonical form under rules that are sound for schema and policy.

Promises: no wrong proof. Two statements that some database tells apart under the policy are never called equivalent,
on databases that honour the schema: cells of their declared types, keys (a primary key has no NULL), NOT NULL and
foreign keys.
Does not: refute. Without a proof nothing is known; the search for a counterexample is `distinguish.py`'s.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from sqlglot import exp

from benchmark.sqlengine.canonical import rewritten
from benchmark.sqlengine.canonical.expressions import VOLATILE_NAMES, is_volatile
from benchmark.sqlengine.canonical.facts import Context
from benchmark.sqlengine.canonical.ir import Block, E, Query, SetOp
from benchmark.sqlengine.canonical.naming import named
from benchmark.sqlengine.canonical.ordering import unordered
from benchmark.sqlengine.canonical.read import Reader
from benchmark.sqlengine.canonical.scopes import Unreadable
from benchmark.sqlengine.canonical.statements import read_write
from benchmark.sqlengine.canonical.syntax import folded
from benchmark.sqlengine.canonical.write import to_sql
from benchmark.sqlengine.parse import as_spider_runs_it, folded_tokens, orders_result, parse
from benchmark.sqlengine.results import TIE_AWARE
from benchmark.sqlengine.schema import schema_of

#: Changes when a rule does: part of a run's identity.
RULES_VERSION = "2026-11-25"
#: Policies under which a prediction's columns may stand in any order.
_FREE = frozenset({"default", "subset", "spider"})


@dataclass(frozen=True, slots=True)
class Proof:
    """The common canonical form, as SQL, and the names of the rules that either side took to reach it."""

    form: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """One statement's canonical form. `label` says what a statement that writes does to which table."""

    label: str
    query: Query
    rules: frozenset[str]


def prove(gold: str, prediction: str, dialect: str, schema_sql: str, policy: str = "default") -> Proof | None:
    """A proof that `prediction` answers as `gold` does on every database under the schema, or None."""
    if policy == "spider":
        gold, prediction = as_spider_runs_it(gold), as_spider_runs_it(prediction)
    ordered = orders_result(gold, dialect)
    if policy in ("strict", "spider") and (ordered or "order by" in gold.lower()):
        return _same_tokens(gold, prediction, dialect)  # these compare lists, ties included
    ordered = ordered and policy != "bird"
    leave = policy in _FREE, policy in TIE_AWARE
    a, b = (_form(sql, dialect, schema_sql, ordered, *leave) for sql in (gold, prediction))
    if a is None or b is None:
        return _same_tree(gold, prediction, dialect)
    if policy == "bird":
        a, b = replace(a, query=_as_set(a.query)), replace(b, query=_as_set(b.query))
    if a.label != b.label or not (a.query == b.query or _orders_more(a.query, b.query)):
        return None
    label = f"{a.label}: " if a.label else ""
    return Proof(label + to_sql(a.query, dialect), tuple(sorted(a.rules | b.rules)))


@lru_cache(maxsize=20_000)
def _form(sql: str, dialect: str, schema_sql: str, ordered: bool, free: bool, tolerant: bool) -> Form | None:
    tree = parse(sql, dialect)
    if tree is None:
        return None
    reader = Reader(sql, dialect, schema_of(schema_sql, dialect))
    label = ""
    try:
        if isinstance(tree, (exp.Query, exp.Values)):
            query = reader.query(tree)
        else:
            label, query = read_write(tree, reader)
            free = False
    except (Unreadable, RecursionError):
        return None
    context = Context(dialect, reader.tables)
    if not ordered:
        query = unordered(query)
    try:
        query = rewritten(query, context)
        if not label and tolerant:
            query = _numbers_bare(query, context)
        return Form(label, named(query, context, free=free), frozenset(context.fired))
    except RecursionError:
        return None


def _numbers_bare(query: Query, context: Context) -> Query:
    """Within their tolerance 90.0 is 90 in a result: x * 1.0 and CAST(x AS REAL) in the outermost list are x."""
    if not isinstance(query, Block) or query.distinct:
        return query
    context.refresh(query)
    select = tuple(_bare(e, context) for e in query.select)
    if select == query.select:
        return query
    context.fired.add("numbers_bare")
    return rewritten(replace(query, select=select), context)


def _bare(e: E, context: Context) -> E:
    inner = e
    if e[0] == "*" and ("num", "1.0") in e[1:]:
        inner = e[1] if e[2] == ("num", "1.0") else e[2]
    elif e[0] == "cast" and e[2][2] == "DOUBLE":
        inner = e[1]
    return inner if context.kind(inner) in ("integer", "real") else e


def _as_set(query: Query) -> Query:
    """A result of which only the set of rows counts."""
    return replace(query, distinct=True) if isinstance(query, Block) and not query.limited else query


def _orders_more(gold: Query, prediction: Query) -> bool:
    """Whether a prediction orders as the gold does and then breaks ties, which the gold leaves open."""
    if isinstance(gold, SetOp) or not gold.order or gold.limited or prediction.limited:
        return False
    return prediction.order[: len(gold.order)] == gold.order and replace(prediction, order=gold.order) == gold


def _same_tree(gold: str, prediction: str, dialect: str) -> Proof | None:
    """For what the rules cannot read: one syntax tree, up to letter case, comments and spelling."""
    a, b = folded(gold, dialect), folded(prediction, dialect)
    if a is None or b is None:
        return _same_tokens(gold, prediction, dialect)
    if a != b or is_volatile(a):
        return None
    return Proof(a.sql(dialect), ("same_tree",))


def _same_tokens(gold: str, prediction: str, dialect: str) -> Proof | None:
    a, b = folded_tokens(gold, dialect), folded_tokens(prediction, dialect)
    if a is None or a != b or any(token.upper() in VOLATILE_NAMES for token in a):
        return None
    return Proof(" ".join(a), ("same_tokens",))
