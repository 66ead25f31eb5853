"""Rules for conditions: comparisons, lists, ranges, AND, OR and NOT under three-valued logic.

Promises: each rule keeps the value of an expression (TRUE, FALSE or NULL) for every row; those in `TRUTH_RULES` keep
only whether it is TRUE, and are applied where nothing else counts (WHERE, ON, HAVING, the conditions of CASE).
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from benchmark.sqlengine.canonical.facts import Context
from benchmark.sqlengine.canonical.ir import (
    COMPARISONS,
    FALSE,
    LEAVES,
    NULL,
    TRUE,
    E,
    key,
    sort_expressions,
)

ScalarRule = Callable[[E, Context], "E | None"]

_FLIP = {">": "<", ">=": "<="}
_NEGATED = {"=": "<>", "<>": "=", "is": "isnt", "isnt": "is"}
_PREDICATES = COMPARISONS | {"and", "or", "not", "is", "isnt", "istrue", "isfalse", "in", "insub", "exists", "like",
                             "between", "bool"}  # fmt: skip
LITERALS = frozenset({"num", "str"})


def comparison_direction(e: E, context: Context) -> E | None:
    """a > b is b < a."""
    return (_FLIP[e[0]], e[2], e[1]) if e[0] in _FLIP else None


def between_as_bounds(e: E, context: Context) -> E | None:
    """x BETWEEN a AND b is a <= x AND x <= b."""
    return ("and", ("<=", e[2], e[1]), ("<=", e[1], e[3])) if e[0] == "between" else None


def in_list_as_or(e: E, context: Context) -> E | None:
    """x IN (1, 2) is x = 1 OR x = 2. Of literals only: SQLite compares a column in a list without its affinity."""
    if e[0] != "in" or not all(item[0] in LITERALS for item in e[2:]):
        return None
    equal = [("=", e[1], item) for item in e[2:]]
    return equal[0] if len(equal) == 1 else ("or", *equal) if equal else FALSE


def not_inward(e: E, context: Context) -> E | None:
    """NOT goes through AND, OR and comparisons, which keep NULL as NULL."""
    if e[0] != "not":
        return None
    inner = e[1]
    op = inner[0]
    if op in ("and", "or"):
        return ("or" if op == "and" else "and", *(("not", x) for x in inner[1:]))
    if op in _NEGATED:
        return (_NEGATED[op], *inner[1:])
    if op in ("<", "<="):
        return ("<=" if op == "<" else "<", inner[2], inner[1])
    if op == "bool":
        return FALSE if inner == TRUE else TRUE
    if op == "null":
        return NULL
    return inner[1] if op == "not" and is_predicate(inner[1]) else None


def flat_connectives(e: E, context: Context) -> E | None:
    """AND and OR are associative, commutative and idempotent; TRUE and FALSE are absorbed."""
    op = e[0]
    if op not in ("and", "or"):
        return None
    neutral, absorbing = (TRUE, FALSE) if op == "and" else (FALSE, TRUE)
    found: list[E] = []
    for x in e[1:]:
        found += x[1:] if x[0] == op else (x,)
    if absorbing in found:
        return absorbing
    kept = sort_expressions(x for x in found if x != neutral)
    if not kept:
        return neutral
    if len(kept) == 1 and is_predicate(kept[0]):
        return kept[0]
    return (op, *kept) if len(kept) > 1 else None


def absorb(e: E, context: Context) -> E | None:
    """a OR (a AND b) is a; (a AND b) OR (a AND c) is a AND (b OR c); and the same with AND and OR exchanged."""
    op = e[0]
    if op not in ("and", "or"):
        return None
    other = "or" if op == "and" else "and"
    sets = [frozenset(x[1:]) if x[0] == other else frozenset({x}) for x in e[1:]]
    kept = [s for s in sets if not any(t < s for t in sets)]
    if len(kept) < len(sets):
        whole = tuple((other, *sort_expressions(s)) if len(s) > 1 else next(iter(s)) for s in kept)
        return (op, *whole) if len(whole) > 1 else whole[0] if is_predicate(whole[0]) else None
    if op == "or" and (common := frozenset.intersection(*sets)):
        rest = [s - common for s in sets]
        if all(rest):
            parts = [(other, *sort_expressions(s)) if len(s) > 1 else next(iter(s)) for s in rest]
            return (other, *sort_expressions(common), (op, *sort_expressions(parts)))
    return None


def null_tests(e: E, context: Context) -> E | None:
    """IS on what is never NULL, on NULL itself, and between values that are never NULL."""
    if e[0] not in ("is", "isnt"):
        return None
    a, b = e[1:]
    same, different = (TRUE, FALSE) if e[0] == "is" else (FALSE, TRUE)
    if a == b:
        return same
    if NULL in (a, b):
        x = b if a == NULL else a
        if context.not_null(x):
            return different
        if x[0] == "coalesce" or (x[0] in ("+", "-", "*") and context.kind(x) == "integer" and NULL not in x):
            joined = "and" if (x[0] == "coalesce") == (e[0] == "is") else "or"
            return (joined, *((e[0], part, NULL) for part in x[1:]))
        return (e[0], x, NULL) if a == NULL else None
    if context.not_null(a) and context.not_null(b):
        return ("=" if e[0] == "is" else "<>", a, b)
    return None


def null_comparisons(e: E, context: Context) -> E | None:
    """A comparison with NULL is NULL."""
    return NULL if e[0] in COMPARISONS and NULL in e[1:] else None


def constant_comparisons(e: E, context: Context) -> E | None:
    """Two literals of one kind can be compared now. (Letter case counts in both engines' default comparison.)"""
    if e[0] not in COMPARISONS or e[1][0] != e[2][0] or e[1][0] not in LITERALS:
        return None
    a, b = e[1][1], e[2][1]
    x, y = (number(e[1]), number(e[2])) if e[1][0] == "num" else (a.encode(), b.encode())
    if x is None or y is None:
        return None
    holds = {"=": x == y, "<>": x != y, "<": x < y, "<=": x <= y, ">": x > y, ">=": x >= y}[e[0]]
    return TRUE if holds else FALSE


def sorted_equality(e: E, context: Context) -> E | None:
    """Equality does not care about sides."""
    if e[0] in ("=", "<>", "is", "isnt", "+", "*") and e[2] != NULL and key(e[2]) < key(e[1]):
        return (e[0], e[2], e[1])
    return None


def integer_bounds(e: E, context: Context) -> E | None:
    """For whole numbers x > 3 is x >= 4, and x * 2 > 7 is x >= 4: bounds become `<=` with a whole number."""
    if e[0] not in ("<", "<=", "=", "<>") or len(e) != 3:
        return None
    a, b = e[1:]
    flipped = a[0] == "num"
    x, literal = (b, a) if flipped else (a, b)
    bound = number(literal) if literal[0] == "num" else None
    if bound is None or x[0] in LEAVES - {"col"} or context.kind(x) != "integer":
        return None
    moved = _isolate(x, bound)
    if moved is not None:
        inner, bound, turned = moved
        if e[0] in ("=", "<>"):
            return (e[0], inner, _num(bound))
        sides = (inner, _num(bound)) if flipped == turned else (_num(bound), inner)
        return (e[0], *sides)
    if e[0] in ("=", "<>"):
        return (e[0], x, _num(bound)) if literal != _num(bound) else None
    whole = _whole(bound, e[0], low=flipped)
    sides = (_num(whole), x) if flipped else (x, _num(whole))
    return ("<=", *sides) if (e[0], literal) != ("<=", _num(whole)) else None


def _isolate(x: E, bound: Decimal) -> tuple[E, Decimal, bool] | None:
    """For c * y, y + c, y - c and c - y against a bound: y, its bound, and whether the comparison turns round."""
    if x[0] not in ("*", "+", "-") or sum(part[0] == "num" for part in x[1:]) != 1:
        return None
    inner, literal = (x[2], x[1]) if x[1][0] == "num" else (x[1], x[2])
    c = number(literal)
    if c is None or c != int(c) or abs(c) > 10**6 or abs(bound) > 10**9:
        return None
    if x[0] == "*":
        return None if c == 0 or (bound / c) * c != bound else (inner, bound / c, c < 0)
    if x[0] == "+":
        return inner, bound - c, False
    return (inner, c - bound, True) if x[1][0] == "num" else (inner, bound + c, False)


def _whole(bound: Decimal, op: str, *, low: bool) -> Decimal:
    """The whole number at a bound: the least that passes as a lower bound, the greatest as an upper one."""
    floor = Decimal(int(bound // 1)) if bound >= 0 or bound == int(bound) else Decimal(int(bound) - 1)
    if low:
        return floor + 1 if op == "<" or floor != bound else floor
    return floor - 1 if op == "<" and floor == bound else floor


def like_without_wildcards(e: E, context: Context) -> E | None:
    """In DuckDB, LIKE against a text without % and _ is equality; SQLite's LIKE ignores letter case."""
    if context.dialect == "duckdb" and e[0] == "like" and e[2][0] == "str" and not set(e[2][1]) & set("%_\\"):
        return ("=", e[1], e[2]) if context.kind(e[1]) == "text" else None
    return None


def like_letter_case(e: E, context: Context) -> E | None:
    """SQLite's LIKE ignores the case of the letters a to z."""
    if context.dialect != "sqlite" or e[0] != "like" or e[2][0] != "str":
        return None
    folded = "".join(letter.lower() if letter.isascii() else letter for letter in e[2][1])
    return ("like", e[1], ("str", folded)) if folded != e[2][1] else None


def is_predicate(e: E) -> bool:
    """Whether an expression is TRUE, FALSE or NULL whatever its operands."""
    return e[0] in _PREDICATES


def number(e: E) -> Decimal | None:
    """A numeric literal's value."""
    try:
        return Decimal(e[1])
    except ArithmeticError:
        return None


def _num(value: Decimal) -> E:
    return ("num", str(int(value)) if value == int(value) else format(value.normalize(), "f"))


RULES: tuple[ScalarRule, ...] = (
    comparison_direction,
    between_as_bounds,
    in_list_as_or,
    not_inward,
    null_comparisons,
    constant_comparisons,
    null_tests,
    like_without_wildcards,
    like_letter_case,
    integer_bounds,
    sorted_equality,
    flat_connectives,
    absorb,
)
