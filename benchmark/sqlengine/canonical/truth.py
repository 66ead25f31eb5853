"""Conditions of which only the truth counts: in WHERE, ON and HAVING, FALSE and NULL turn the same rows away.

Promises: what is TRUE stays TRUE and nothing else becomes it.
Does not: apply inside values, where NULL is not FALSE.
"""

from __future__ import annotations

from typing import Any

from benchmark.sqlengine.canonical.facts import Context
from benchmark.sqlengine.canonical.ir import FALSE, LEAVES, NULL, TRUE, E, holds_query
from benchmark.sqlengine.canonical.nulls import rejects_null
from benchmark.sqlengine.canonical.predicates import LITERALS, is_predicate, number


def truth(e: E, context: Context) -> E:
    """An expression that is TRUE exactly where `e` is: NULL may become FALSE."""
    op = e[0]
    if e == NULL or op == "num":
        return FALSE if e == NULL or number(e) == 0 else TRUE
    if op in ("and", "or"):
        return (op, *(truth(x, context) for x in e[1:]))
    if op == "istrue":
        return truth(e[1], context)
    if op == "is" and e[2][0] in LITERALS:
        return ("=", e[1], e[2])
    if op == "=" and e[1] == e[2]:
        return TRUE if context.not_null(e[1]) else ("isnt", e[1], NULL)
    if op in ("<>", "<") and e[1] == e[2]:
        return FALSE
    if op == "<=" and e[1] == e[2]:
        return ("isnt", e[1], NULL)
    if op == "case":
        return _case_truth(e, context)
    return _case_comparison(e, context) or e


def _case_comparison(e: E, context: Context) -> E | None:
    """CASE WHEN c THEN v ELSE d END = k holds where c and v = k do, or not c and d = k."""
    if e[0] not in ("=", "<", "<=", "<>") or not any(x[0] == "case" for x in e[1:]):
        return None
    place = 1 if e[1][0] == "case" else 2
    case, other = e[place], e[3 - place]
    if (
        context.mixed
        or other[0] not in LITERALS
        or not all(v[0] in LEAVES or v == NULL for v in (case[1], *case[3::2]))
    ):
        return None
    compared = ("case", *(_compare(e, place, x) if i % 2 == 0 else x for i, x in enumerate(case[1:])))
    return _case_truth((compared[0], *compared[1:]), context)


def _compare(e: E, place: int, value: E) -> E:
    return (e[0], value, e[2]) if place == 1 else (e[0], e[1], value)


def _case_truth(e: E, context: Context) -> E:
    """A CASE of conditions as OR of AND, where the conditions that must fail are never NULL or can be negated."""
    alternatives: list[E] = []
    failed: list[E] = []
    if holds_query(e):
        return e  # it would be written twice
    for condition, value in zip(e[2::2], e[3::2], strict=True):
        alternatives.append(("and", *failed, condition, value))
        if not two_valued(condition, context):
            return e
        failed.append(("not", condition))
    return ("or", *alternatives, ("and", *failed, e[1]))


def two_valued(e: E, context: Context) -> bool:
    """Whether a condition is never NULL."""
    return is_predicate(e) and context.not_null(e)


def redundant_null_tests(conditions: tuple[E, ...], context: Context) -> tuple[E, ...]:
    """Drop x IS NOT NULL where another condition that must hold cannot hold for NULL."""

    def needed(e: E) -> bool:
        if e[0] != "isnt" or e[2] != NULL or e[1][0] != "col":
            return True
        marked = _mark(conditions, e)
        return not any(rejects_null(other, "\0") for other in marked)

    return tuple(e for e in conditions if needed(e))


def _mark(conditions: tuple[E, ...], test: E) -> list[E]:
    """The other conditions, with the tested column under an alias of its own."""
    column = test[1]
    return [_replace(other, column, ("col", "\0", column[2])) for other in conditions if other != test]


def _replace(e: Any, old: E, new: E) -> Any:
    if e == old:
        return new
    if not isinstance(e, tuple) or e[0] in LEAVES:
        return e
    return (e[0], *(_replace(x, old, new) for x in e[1:]))
