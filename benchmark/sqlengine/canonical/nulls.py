"""Which conditions a row of NULLs cannot pass: what decides whether a LEFT JOIN is one.

Promises: `rejects_null` says yes only where the condition is never TRUE for such a row.
"""

from __future__ import annotations

from typing import Any

from benchmark.sqlengine.canonical.facts import STRICT
from benchmark.sqlengine.canonical.ir import COMPARISONS, E

#: Those that are NULL when an operand is, and maybe in other cases too (division by zero, a text out of range).
_NULL_IN_NULL_OUT = STRICT | {"/", "%", "cast", "between", "Lower:this", "Upper:this", "Abs:this", "Length:this",
                               "Trim:this", "Round:this", "Round:this,decimals"}  # fmt: skip


def rejects_null(condition: E, alias: str) -> bool:
    """Whether a condition cannot be true for a row in which every column of `alias` is NULL."""
    op = condition[0]
    if op == "and":
        return any(rejects_null(x, alias) for x in condition[1:])
    if op == "or":
        return all(rejects_null(x, alias) for x in condition[1:])
    if op == "not":
        return _is_null_with(condition[1], alias) or _rejects_not_null(condition[1], alias)
    if op in COMPARISONS or op in ("like", "between"):
        return any(_is_null_with(x, alias) for x in condition[1:3]) or _is_null_with(condition, alias)
    if op == "in":
        return _is_null_with(condition[1], alias)
    if op == "insub":
        return any(_is_null_with(x, alias) for x in condition[2:])
    return op == "istrue" and rejects_null(condition[1], alias)


def _rejects_not_null(e: E, alias: str) -> bool:
    """For `NOT (x IS NULL)`."""
    if e[0] == "is" and e[2] == ("null",):
        return _is_null_with(e[1], alias)
    return e[0] == "in" and len(e) > 2 and _is_null_with(e[1], alias)


def _is_null_with(e: Any, alias: str) -> bool:
    """Whether an expression is NULL when every column of `alias` is."""
    if not isinstance(e, tuple):
        return False
    if e[0] == "col":
        return bool(e[1] == alias)
    if e[0] == "null":
        return True
    return e[0] in _NULL_IN_NULL_OUT and any(_is_null_with(x, alias) for x in e[1:])
