"""Rules for several bounds on one value: the narrowest stays, what excludes itself is FALSE, what always holds goes.

Promises: the truth of the conditions together stays the same. Numbers are compared with numbers and texts with texts,
and only for columns whose kind fits.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from benchmark.sqlengine.canonical.facts import Context
from benchmark.sqlengine.canonical.ir import FALSE, NULL, TRUE, E
from benchmark.sqlengine.canonical.predicates import number

Value = Decimal | str


class Bound(NamedTuple):
    """`op` between a column and a literal, as column op value, with op one of = <> < <= > >=."""

    column: E
    op: str
    value: Value
    text: E


def narrowed(conditions: tuple[E, ...], context: Context) -> tuple[E, ...]:
    """Conditions that must all hold, without bounds that others imply; (FALSE,) if they exclude one another."""
    bounds = [(e, _bound(e, context)) for e in conditions]
    by_column: dict[E, list[Bound]] = {}
    for _, bound in bounds:
        if bound:
            by_column.setdefault(bound.column, []).append(bound)
    if all(len(found) < 2 for found in by_column.values()):
        return conditions
    if any(map(_excluded, by_column.values())):
        return (FALSE,)
    kept = []
    for e, bound in bounds:
        if bound and _implied(bound, by_column[bound.column]):
            by_column[bound.column].remove(bound)  # so that of two that imply each other one stays
        else:
            kept.append(e)
    return tuple(kept)


def contradictory(conditions: Iterable[E], context: Context) -> bool:
    """Whether conditions cannot hold together, by their bounds alone."""
    given = tuple(conditions)
    return FALSE in given or narrowed(given, context) == (FALSE,)


def always_or(e: E, context: Context) -> E | None:
    """x < 5 OR x >= 5 holds whenever x is not NULL; x < 5 OR x < 7 is x < 7."""
    if e[0] != "or":
        return None
    bounds = [_bound(x, context) for x in e[1:]]
    for i, a in enumerate(bounds):
        for b in bounds[i + 1 :]:
            if a and b and a.column == b.column and _excluded([_negated(a), _negated(b)], context, a.column):
                rest = [x for x, bound in zip(e[1:], bounds, strict=True) if bound not in (a, b)]
                test: E = TRUE if context.not_null(a.column) else ("isnt", a.column, NULL)
                return ("or", test, *rest) if rest else test
    kept = []
    for i, (x, a) in enumerate(zip(e[1:], bounds, strict=True)):
        wider = [b for j, b in enumerate(bounds) if b and a and j != i and b.column == a.column and b != a]
        if not (a and any(_implied(b, [a, b]) for b in wider)):
            kept.append(x)
    return ("or", *kept) if 1 < len(kept) < len(e) - 1 else kept[0] if len(kept) == 1 else None


def _bound(e: E, context: Context) -> Bound | None:
    if e[0] not in ("=", "<>", "<", "<=") or len(e) != 3:
        return None
    a, b = e[1:]
    if a[0] == "col" and b[0] in ("num", "str"):
        column, literal, op = a, b, e[0]
    elif b[0] == "col" and a[0] in ("num", "str"):
        column, literal, op = b, a, {"<": ">", "<=": ">="}.get(e[0], e[0])
    else:
        return None
    kind = context.kind(column)
    if literal[0] == "num" and kind in ("integer", "real"):
        value = number(literal)
        return Bound(column, op, value, literal) if value is not None else None
    if literal[0] == "str" and kind == "text" and not context.collated(column):
        return Bound(column, op, literal[1], literal)
    return None


def _excluded(bounds: list[Bound], context: Context | None = None, column: E | None = None) -> bool:
    """Whether no value passes all bounds."""
    equal = {_order(b.value) for b in bounds if b.op == "="}
    if len(equal) > 1:
        return True
    if equal:
        value = equal.pop()
        return not all(_passes(value, b) for b in bounds)
    lows = [b for b in bounds if b.op in (">", ">=")]
    highs = [b for b in bounds if b.op in ("<", "<=")]
    whole = context is not None and column is not None and context.kind(column) == "integer"
    return any(_apart(low, high, whole=whole) for low in lows for high in highs)


def _apart(low: Bound, high: Bound, *, whole: bool) -> bool:
    """Whether nothing is above one bound and below the other; between 3 and 4 there is no whole number."""
    if whole and isinstance(low.value, Decimal) and isinstance(high.value, Decimal):
        return low.value + (low.op == ">") > high.value - (high.op == "<")
    strict = low.op == ">" or high.op == "<"
    return _order(low.value) > _order(high.value) or (low.value == high.value and strict)  # type: ignore[operator]


def _order(value: Value) -> Decimal | bytes:
    """Texts compare by their bytes."""
    return value.encode() if isinstance(value, str) else value


def _passes(value: Decimal | bytes, bound: Bound) -> bool:
    other = _order(bound.value)
    return {
        "=": value == other,
        "<>": value != other,
        "<": value < other,  # type: ignore[operator]
        "<=": value <= other,  # type: ignore[operator]
        ">": value > other,  # type: ignore[operator]
        ">=": value >= other,  # type: ignore[operator]
    }[bound.op]


def _negated(bound: Bound) -> Bound:
    op = {"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}[bound.op]
    return bound._replace(op=op)


def _implied(bound: Bound, others: list[Bound]) -> bool:
    """Whether another bound is at least as narrow (of two equal ones, the first)."""
    for other in others:
        if other is bound or other == bound:
            continue
        value = _order(other.value)
        if other.op == "=" and _passes(value, bound):
            return True
        same_side = {bound.op[0], other.op[0]} in ({"<"}, {">"}) and "<>" not in (bound.op, other.op)
        if same_side and value != _order(bound.value) and _passes(value, bound):
            return True
        if same_side and value == _order(bound.value) and other.op in ("<", ">") and bound.op in ("<=", ">="):
            return True
        if bound.op == "<>" and other.op != "<>" and not _passes(_order(bound.value), other):
            return True
    return False
