"""Rules for values: literals, arithmetic, CASE and COALESCE, casts, function synonyms, aggregates.

Promises: the value of an expression stays the same for every row; a whole number may become the same number as a
float only where a rule's text says that it does not matter.
"""

from __future__ import annotations

from benchmark.sqlengine.canonical.facts import Context
from benchmark.sqlengine.canonical.ir import COMPARISONS, FALSE, NULL, TRUE, E
from benchmark.sqlengine.canonical.predicates import ScalarRule, number

_PARTS = ("Year", "Month", "Day", "Hour", "Minute", "Second", "Quarter", "Week")
_EXTRACTS = {f"{name}:this": name.upper() for name in _PARTS}
#: As sqlglot calls them in every dialect: SQLite's REAL is DOUBLE, DuckDB's FLOAT (of 32 bits).
_INTEGER_TYPES = frozenset({"INT", "BIGINT"})
_TEXT_TYPES = frozenset({"TEXT", "VARCHAR"})


def number_spelling(e: E, context: Context) -> E | None:
    """2.50 is 2.5, 007 is 7; 1.0 stays a float."""
    if e[0] != "num" or (e[1].isdigit() and not e[1].startswith("0")):
        return None
    value = number(e)
    if value is None or abs(value) > 10**15:
        return None
    whole = value == int(value)
    text = str(int(value)) if whole else format(value.normalize(), "f")
    if ("." in e[1] or "e" in e[1].lower()) and whole:
        text += ".0"
    return ("num", text) if text != e[1] else None


def whole_number_compared(e: E, context: Context) -> E | None:
    """Against a number, 1.0 is 1."""
    if e[0] not in COMPARISONS or len(e) != 3:
        return None
    sides = [("num", x[1][:-2]) if x[0] == "num" and x[1].endswith(".0") else x for x in e[1:]]
    if tuple(sides) == e[1:] or not all(context.kind(x) in ("integer", "real") for x in e[1:]):
        return None
    return (e[0], *sides)


def text_of_number_compared(e: E, context: Context) -> E | None:
    """In SQLite a numeric column compared with '5' is compared with 5: the column's affinity is applied."""
    if context.dialect != "sqlite" or e[0] not in COMPARISONS or len(e) != 3:
        return None
    for place in (1, 2):
        text, column = e[place], e[3 - place]
        if text[0] != "str" or not context.base(column) or not _plain_number(text[1]):
            continue
        if context.kind(column) in ("integer", "real"):
            made = list(e)
            made[place] = ("num", text[1])
            return tuple(made)
    return None


def number_compared_with_text(e: E, context: Context) -> E | None:
    """In SQLite a text column compared with 5 is compared with '5'."""
    if context.dialect != "sqlite" or e[0] not in COMPARISONS or len(e) != 3:
        return None
    for place in (1, 2):
        column = e[3 - place]
        if _integer(e[place]) and context.base(column) and context.kind(column) == "text":
            made = list(e)
            made[place] = ("str", e[place][1])
            return tuple(made)
    return None


def _plain_number(text: str) -> bool:
    body = text.removeprefix("-")
    return body.isascii() and body.isdigit() and len(body) < 16


def fold_arithmetic(e: E, context: Context) -> E | None:
    """Whole numbers can be added, subtracted and multiplied now; x + 0, x - 0 and x * 1 are x for whole numbers x."""
    if e[0] == "neg" and e[1][0] == "num":
        return ("num", e[1][1].removeprefix("-") if e[1][1].startswith("-") else f"-{e[1][1]}")
    if e[0] not in ("+", "-", "*") or len(e) != 3:
        return None
    a, b = e[1:]
    if NULL in (a, b):
        return NULL
    if _integer(a) and _integer(b):
        x, y = int(a[1]), int(b[1])
        result = x + y if e[0] == "+" else x - y if e[0] == "-" else x * y
        return ("num", str(result)) if abs(result) < 10**15 else None
    if context.mixed:
        return None
    neutral = ("num", "1") if e[0] == "*" else ("num", "0")
    if b == neutral and context.kind(a) == "integer":
        return tuple(a)
    return tuple(b) if a == neutral and e[0] != "-" and context.kind(b) == "integer" else None


def _integer(e: E) -> bool:
    return e[0] == "num" and e[1].lstrip("-").isdigit() and len(e[1]) < 16


def case_branches(e: E, context: Context) -> E | None:
    """Branches of CASE that never, or always, or to no effect, are taken."""
    if e[0] != "case":
        return None
    default, kept = e[1], []
    for condition, value in zip(e[2::2], e[3::2], strict=True):
        if condition in (FALSE, NULL):
            continue
        if condition == TRUE:
            default = value
            break
        kept.append((condition, value))
    while kept and kept[-1][1] == default:
        kept.pop()
    if not kept:
        return None if context.mixed and context.base(default) else tuple(default)
    made = ("case", default, *(x for pair in kept for x in pair))
    return made if made != e else None


def case_as_coalesce(e: E, context: Context) -> E | None:
    """CASE WHEN x IS NOT NULL THEN x ELSE y END is COALESCE(x, y); CASE WHEN x IS NULL THEN y ELSE x END too."""
    if e[0] != "case" or len(e) != 4:
        return None
    default, condition, value = e[1:]
    if condition == ("isnt", value, NULL):
        return ("coalesce", value, default)
    return ("coalesce", default, value) if condition == ("is", default, NULL) else None


def flat_coalesce(e: E, context: Context) -> E | None:
    """COALESCE ends at the first operand that is never NULL, and one of one operand is that operand."""
    if e[0] != "coalesce":
        return None
    found: list[E] = []
    for x in e[1:]:
        found += x[1:] if x[0] == "coalesce" else (x,)
    kept: list[E] = []
    for x in found:
        if x == NULL or x in kept:
            continue
        kept.append(x)
        if context.not_null(x):
            break
    made = NULL if not kept else kept[0] if len(kept) == 1 else ("coalesce", *kept)
    return made if made != e and not (context.mixed and context.base(made)) else None


def needless_cast(e: E, context: Context) -> E | None:
    """A cast to what the value is already; NULL is NULL in every type."""
    if e[0] != "cast":
        return None
    if e[1] == NULL:
        return NULL
    if context.mixed and not context.base(e[1]):
        return None
    kind, name = context.kind(e[1]), e[2][2]
    if kind == "date" and name == "DATE" and context.dialect != "sqlite":  # SQLite knows no dates: that is a number
        return tuple(e[1])
    fits = {"integer": _INTEGER_TYPES, "text": _TEXT_TYPES}.get(kind, frozenset())
    mean_as_float = e[1][0] == "avg" and name == "DOUBLE"
    return tuple(e[1]) if name in fits or mean_as_float else None


def date_parts(e: E, context: Context) -> E | None:
    """YEAR(x), date_part('year', x) and EXTRACT(YEAR FROM x)."""
    if context.dialect == "sqlite":
        return None
    if e[0] in _EXTRACTS:
        return ("Extract:this,expression", ("word", "var", _EXTRACTS[e[0]]), e[1])
    if e[0] in ("call DATE_PART", "call DATEPART") and len(e) == 3 and e[1][0] == "str":
        return ("Extract:this,expression", ("word", "var", e[1][1].upper()), e[2])
    return None


def count_rows(e: E, context: Context) -> E | None:
    """COUNT(1), COUNT of what is never NULL, and COUNT(*) are the same."""
    if e[0] == "count" and e[1][0] != "star" and context.not_null(e[1]):
        return ("count", ("star",))
    return None


def distinct_extremes(e: E, context: Context) -> E | None:
    """MIN and MAX do not care about duplicates."""
    return (e[0].split()[0], e[1]) if e[0] in ("min distinct", "max distinct") else None


def counted_case(e: E, context: Context) -> E | None:
    """COUNT(CASE WHEN c THEN 1 END) counts the rows where c holds."""
    if e[0] == "count" and e[1][0] == "case" and len(e[1]) == 4 and e[1][1] == NULL and context.not_null(e[1][3]):
        return ("filter", ("count", ("star",)), e[1][2])
    return None


def mean(e: E, context: Context) -> E | None:
    """SUM(x) * 1.0 / COUNT(x) is AVG(x), for whole numbers x: their sums are exact."""
    if e[0] != "/" or e[2][0] != "count":
        return None
    top = e[1]
    if top[0] == "*" and ("num", "1.0") in top[1:]:
        top = top[1] if top[2] == ("num", "1.0") else top[2]
    elif top[0] == "cast" and top[2][2] == "DOUBLE":
        top = top[1]
    elif context.dialect != "duckdb":
        return None
    if top[0] != "sum" or context.kind(top[1]) != "integer":
        return None
    counted = e[2][1] == top[1] or (e[2][1][0] == "star" and context.not_null(top[1]))
    return ("avg", top[1]) if counted else None


RULES: tuple[ScalarRule, ...] = (
    number_spelling,
    text_of_number_compared,
    number_compared_with_text,
    whole_number_compared,
    fold_arithmetic,
    case_branches,
    case_as_coalesce,
    flat_coalesce,
    needless_cast,
    date_parts,
    distinct_extremes,
    counted_case,
    count_rows,
    mean,
)
