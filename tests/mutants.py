"""Small changes to a query, most of which change what it answers: pairs on which a wrong proof would show.

Promises: a mutant is text in the same dialect, drawn from one source of randomness; it may be refused by an engine.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import sqlglot
from sqlglot import exp
from worlds import COLUMNS

_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)


def mutated(sql: str, seed: int, dialect: str = "sqlite") -> str | None:
    """The query with one or two small changes, or None where none of those drawn applies."""
    draw = random.Random(seed)
    tree = sqlglot.parse_one(sql, read=dialect)
    changed = 0
    for _ in range(12):
        if draw.choice(_MUTATIONS)(tree, draw):
            changed += 1
            if changed == 2 or draw.random() < 0.7:
                break
    return tree.sql(dialect) if changed else None


def _pick(tree: exp.Expr, draw: random.Random, *kinds: type[exp.Expr]) -> exp.Expr | None:
    found = [node for node in tree.walk() if isinstance(node, kinds)]
    return draw.choice(found) if found else None


def _comparison(tree: exp.Expr, draw: random.Random) -> bool:
    node = _pick(tree, draw, *_COMPARISONS)
    if node is None:
        return False
    node.replace(draw.choice(_COMPARISONS)(this=node.this.copy(), expression=node.expression.copy()))
    return True


def _turned(tree: exp.Expr, draw: random.Random) -> bool:
    node = _pick(tree, draw, *_COMPARISONS)
    if node is None:
        return False
    turned = {exp.LT: exp.GT, exp.LTE: exp.GTE, exp.GT: exp.LT, exp.GTE: exp.LTE}.get(type(node), type(node))
    node.replace(turned(this=node.expression.copy(), expression=node.this.copy()))
    return True


def _literal(tree: exp.Expr, draw: random.Random) -> bool:
    node = _pick(tree, draw, exp.Literal)
    if node is None or isinstance(node.parent, (exp.Ordered, exp.Group)):
        return False
    texts = ("'a'", "'A'", "''", "'5'") if node.is_string else ("0", "1", "2", "5", "1.0", "2.5")
    node.replace(sqlglot.parse_one(draw.choice((*texts, "NULL"))))
    return True


def _dropped_conjunct(tree: exp.Expr, draw: random.Random) -> bool:
    node = _pick(tree, draw, exp.And, exp.Or)
    if node is None:
        return False
    node.replace(draw.choice((node.this, node.expression)).copy())
    return True


def _connective(tree: exp.Expr, draw: random.Random) -> bool:
    node = _pick(tree, draw, exp.And, exp.Or)
    if node is None:
        return False
    other = exp.Or if isinstance(node, exp.And) else exp.And
    node.replace(exp.paren(other(this=node.this.copy(), expression=node.expression.copy())))
    return True


def _negation(tree: exp.Expr, draw: random.Random) -> bool:
    node = _pick(tree, draw, exp.Not)
    if node is None:
        return False
    node.replace(node.this.copy())
    return True


def _join_side(tree: exp.Expr, draw: random.Random) -> bool:
    node = _pick(tree, draw, exp.Join)
    if node is None or not node.args.get("on"):
        return False
    node.set("side", None if node.side else "LEFT")
    return True


def _dropped_join(tree: exp.Expr, draw: random.Random) -> bool:
    node = _pick(tree, draw, exp.Join)
    if node is None:
        return False
    alias = node.this.alias
    if any(c.table == alias and c.find_ancestor(exp.Join) is not node for c in tree.find_all(exp.Column)):
        return False
    node.pop()
    return True


def _moved_condition(tree: exp.Expr, draw: random.Random) -> bool:
    """From ON to WHERE."""
    node = _pick(tree, draw, exp.Join)
    if node is None or not node.args.get("on") or not isinstance(node.parent, exp.Select):
        return False
    on = node.args["on"].copy()
    node.set("on", exp.true())
    node.parent.where(on, copy=False)
    return True


def _distinct(tree: exp.Expr, draw: random.Random) -> bool:
    node = _pick(tree, draw, exp.Select)
    if node is None:
        return False
    node.set("distinct", None if node.args.get("distinct") else exp.Distinct())
    return True


def _column(tree: exp.Expr, draw: random.Random) -> bool:
    node = _pick(tree, draw, exp.Column)
    if node is None or not node.table:
        return False
    tables = {t.alias: t.name for t in tree.find_all(exp.Table)}
    names = COLUMNS.get(tables.get(node.table, ""))
    if not names:
        return False
    node.set("this", exp.to_identifier(draw.choice(tuple(names))))
    return True


def _set_operation(tree: exp.Expr, draw: random.Random) -> bool:
    node = _pick(tree, draw, exp.Union, exp.Intersect, exp.Except)
    if node is None:
        return False
    if isinstance(node, exp.Union) and draw.random() < 0.6:
        node.set("distinct", not node.args.get("distinct"))
        return True
    if draw.random() < 0.5:
        left, right = node.this.copy(), node.expression.copy()
        node.set("this", right)
        node.set("expression", left)
        return True
    other = draw.choice((exp.Union, exp.Intersect, exp.Except))
    node.replace(other(**{**{k: v for k, v in node.args.items() if k != "distinct"}, "distinct": True}))
    return node.parent is not None


def _counted(tree: exp.Expr, draw: random.Random) -> bool:
    node = _pick(tree, draw, exp.Count)
    column = _pick(tree, draw, exp.Column)
    if node is None:
        return False
    node.set("this", exp.Star() if not isinstance(node.this, exp.Star) else column.copy() if column else exp.Star())
    return True


def _aggregate(tree: exp.Expr, draw: random.Random) -> bool:
    node = _pick(tree, draw, exp.Sum, exp.Min, exp.Max, exp.Avg)
    if node is None:
        return False
    node.replace(draw.choice((exp.Sum, exp.Min, exp.Max, exp.Avg, exp.Count))(this=node.this.copy()))
    return True


def _having(tree: exp.Expr, draw: random.Random) -> bool:
    node = _pick(tree, draw, exp.Having)
    if node is None or node.find(exp.AggFunc) or not isinstance(node.parent, exp.Select):
        return False
    select = node.parent
    node.pop()
    select.where(node.this.copy(), copy=False)
    return True


def _group(tree: exp.Expr, draw: random.Random) -> bool:
    node = _pick(tree, draw, exp.Group)
    if node is None or not node.expressions:
        return False
    keys = list(node.expressions)
    column = _pick(tree, draw, exp.Column)
    if len(keys) > 1 and draw.random() < 0.5:
        keys.pop(draw.randrange(len(keys)))
    elif column is not None:
        keys.append(column.copy())
    node.set("expressions", [key.copy() for key in keys])
    return True


def _dropped_clause(tree: exp.Expr, draw: random.Random) -> bool:
    node = _pick(tree, draw, exp.Where, exp.Having, exp.Group, exp.Limit, exp.Offset)
    if node is None:
        return False
    node.pop()
    return True


def _null_test(tree: exp.Expr, draw: random.Random) -> bool:
    """One more IS NOT NULL."""
    select, column = _pick(tree, draw, exp.Select), _pick(tree, draw, exp.Column)
    if select is None or column is None:
        return False
    select.where(exp.Is(this=column.copy(), expression=exp.Null()).not_(), copy=False)
    return True


def _unwrapped(tree: exp.Expr, draw: random.Random) -> bool:
    node = _pick(tree, draw, exp.Cast, exp.Coalesce)
    if node is None:
        return False
    node.replace(node.this.copy())
    return True


def _in_or_exists(tree: exp.Expr, draw: random.Random) -> bool:
    """x IN (SELECT y …) as EXISTS (SELECT 1 … AND y = x), NOT before it or no."""
    node = _pick(tree, draw, exp.In)
    query = node.args.get("query") if node is not None else None
    select = query.this if isinstance(query, exp.Subquery) else query
    if node is None or not isinstance(select, exp.Select) or select.args.get("group"):
        return False
    changed = select.copy()
    changed.where(exp.EQ(this=node.this.copy(), expression=select.selects[0].unalias().copy()), copy=False)
    changed.set("distinct", None)
    changed.set("expressions", [exp.Literal.number(1)])
    node.replace(exp.Exists(this=changed))
    return True


_MUTATIONS: tuple[Callable[[exp.Expr, random.Random], bool], ...] = (
    _comparison, _turned, _literal, _dropped_conjunct, _connective, _negation, _join_side, _dropped_join, _distinct,
    _moved_condition, _column, _set_operation, _counted, _aggregate, _having, _group, _dropped_clause, _null_test,
    _unwrapped, _in_or_exists, _distinct, _join_side, _null_test, _dropped_join, _group,
)  # fmt: skip
