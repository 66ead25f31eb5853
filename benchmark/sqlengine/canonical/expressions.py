"""Scalar expressions: from sqlglot's nodes to the rules' tuples, and the table that takes them back (`write.py`).

Promises: every node that is not known by name keeps its class and its arguments, so nothing is lost; parentheses go,
because the tuples nest.
Does not: simplify. `a > b` stays `a > b`; turning it round is a rule.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlglot import exp

from benchmark.sqlengine.canonical.ir import FALSE, NULL, TRUE, E, Query, aliases, walk
from benchmark.sqlengine.canonical.scopes import Scope, Unreadable, only

#: Nodes with `this` and `expression`, and their operator.
BINARY: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.NullSafeEQ: "is",
    exp.NullSafeNEQ: "isnt",
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
    exp.DPipe: "||",
    exp.And: "and",
    exp.Or: "or",
}
AGGREGATES: dict[type[exp.Expr], str] = {
    exp.Count: "count",
    exp.Sum: "sum",
    exp.Avg: "avg",
    exp.Min: "min",
    exp.Max: "max",
}
#: Functions whose answer is not a function of their arguments, or depends on the order of rows.
_VOLATILE = (exp.Rand, exp.Randn, exp.Uuid)
VOLATILE_NAMES = frozenset({"RANDOM", "RAND", "RANDOMBLOB", "UUID", "GEN_RANDOM_UUID", "CHANGES", "TOTAL_CHANGES",
                            "LAST_INSERT_ROWID", "NEXTVAL", "SETSEED"})  # fmt: skip
_OF_ORDER = (exp.GroupConcat, exp.ArrayAgg, exp.First, exp.Last, exp.FirstValue, exp.AnyValue)
_OF_ORDER_NAMES = frozenset({"STRING_AGG", "GROUP_CONCAT", "LISTAGG", "LIST", "ANY_VALUE", "ARBITRARY",
                             "JSON_GROUP_ARRAY", "JSON_GROUP_OBJECT"})  # fmt: skip


class Expressions(ABC):
    """The part of the reader that reads scalars. `query` is the other part's."""

    def __init__(self, sql: str, dialect: str) -> None:
        self.sql = sql
        self.dialect = dialect
        self._ctes: Mapping[str, Any] = {}

    @abstractmethod
    def query(self, node: exp.Expr, parent: Scope | None = None, ctes: Any = None) -> Query:
        """A nested query."""

    @contextmanager
    def within(self, ctes: Mapping[str, Any]) -> Iterator[None]:
        """Nested queries read inside see these CTEs."""
        before, self._ctes = self._ctes, ctes
        try:
            yield
        finally:
            self._ctes = before

    def nested(self, node: exp.Expr, scope: Scope) -> Query:
        """A query inside an expression."""
        return self.query(node, scope, self._ctes)

    def expr(self, node: exp.Expr, scope: Scope) -> E:
        """One scalar expression. Raises Unreadable."""
        kind = type(node)
        if kind is exp.Column:
            return self._column(node, scope)
        if kind is exp.Literal:
            return ("str", node.name) if node.is_string else ("num", node.name)
        if kind in BINARY:
            return self._binary(node, scope)
        if kind is exp.Paren:
            return self.expr(node.this, scope)
        if kind in AGGREGATES:
            return self._aggregate(node, scope)
        reader = _READERS.get(kind)
        return reader(self, node, scope) if reader else self._generic(node, scope)

    def _column(self, node: exp.Expr, scope: Scope) -> E:
        name = node.name.lower()
        if isinstance(node.this, exp.Star) or node.args.get("db") or node.args.get("catalog"):
            raise Unreadable("a column of another database")
        found = scope.column(node.args["table"].name.lower() if node.args.get("table") else "", name)
        if found is not None:
            return found
        start = node.this.meta.get("start")
        if self.dialect == "sqlite" and node.this.args.get("quoted") and not node.args.get("table"):
            if start is None or self.sql[start : start + 1] != '"':
                raise Unreadable(f"no column {name}")
            return ("str", node.name)  # SQLite reads a double-quoted name that means nothing as a string
        raise Unreadable(f"no column {name}")

    def _binary(self, node: exp.Expr, scope: Scope) -> E:
        op = BINARY[type(node)]
        operands = [node.this, node.expression]
        while op in ("and", "or", "+", "||") and type(operands[0]) is type(node):
            operands[:1] = [operands[0].this, operands[0].expression]
        if any(isinstance(operand, (exp.Any, exp.All)) for operand in operands):
            return self._generic(node, scope)
        read = [self.expr(operand, scope) for operand in operands]
        if op in ("+", "||"):
            whole = read[0]
            for operand in read[1:]:
                whole = (op, whole, operand)
            return whole
        return (op, *read)

    def _aggregate(self, node: exp.Expr, scope: Scope) -> E:
        op = AGGREGATES[type(node)]
        only(node, {"this", "expressions", "big_int"})
        if node.expressions:
            if op not in ("min", "max"):
                raise Unreadable(f"{op} of several")
            return self._generic(node, scope)  # SQLite's scalar MIN and MAX
        inner = node.this
        if isinstance(inner, exp.Star) or inner is None:
            return ("count", ("star",))
        if isinstance(inner, exp.Distinct):
            if len(inner.expressions) != 1:
                raise Unreadable("an aggregate of several columns")
            op, inner = f"{op} distinct", inner.expressions[0]
        if not isinstance(inner, exp.Expr) or inner.args.get("order") or isinstance(inner, (exp.Order, exp.Limit)):
            raise Unreadable("an ordered aggregate")
        read = self.expr(inner, scope)
        own = {source.alias for source in scope.visible}
        if aliases(read) and not aliases(read) & own:
            raise Unreadable("an aggregate of an outer query")
        return (op, read)

    def _generic(self, node: exp.Expr, scope: Scope) -> E:
        """Any other node: its class and the names and shapes of its arguments make the operator."""
        if isinstance(node, (*_VOLATILE, *_OF_ORDER)):
            raise Unreadable(f"{node.sql()} depends on more than its arguments")
        if isinstance(node, exp.Query):
            raise Unreadable("a query in an odd place")
        shape, operands = [], []
        for name, value in node.args.items():
            if value is None or value is False or value == [] or name in ("_type", "big_int", "safe"):
                continue
            items = value if isinstance(value, list) else [value]
            shape.append(f"{name}*{len(items)}" if isinstance(value, list) else name)
            operands += [self._operand(item, scope) for item in items]
        return (f"{type(node).__name__}:{','.join(shape)}", *operands)

    def _operand(self, item: Any, scope: Scope) -> E:
        if isinstance(item, exp.Identifier):
            return ("word", "id", item.name.lower())
        if isinstance(item, exp.Var):
            return ("word", "var", item.name.upper())
        if isinstance(item, exp.DataType):
            return ("word", "type", item.sql().upper())
        if isinstance(item, (exp.Subquery, exp.Select, exp.SetOperation)):
            return ("scalar", self.nested(item, scope))
        if isinstance(item, exp.Expr):
            return self.expr(item, scope)
        return ("word", type(item).__name__, str(item).upper() if isinstance(item, str) else str(item))

    def _not(self, node: exp.Expr, scope: Scope) -> E:
        return ("not", self.expr(node.this, scope))

    def _is(self, node: exp.Expr, scope: Scope) -> E:
        if not isinstance(node.expression, (exp.Null, exp.Boolean)) and self.dialect != "sqlite":
            raise Unreadable("IS")
        left, right = self.expr(node.this, scope), self.expr(node.expression, scope)
        return ("istrue" if right == TRUE else "isfalse", left) if right in (TRUE, FALSE) else ("is", left, right)

    def _in(self, node: exp.Expr, scope: Scope) -> E:
        if set(node.args) - {"this", "expressions", "query"} and any(node.args.get(n) for n in ("unnest", "field")):
            raise Unreadable("IN")
        left = node.this
        query = node.args.get("query")
        if query is not None:
            sides = left.expressions if isinstance(left, exp.Tuple) else [left]
            return ("insub", self.nested(query, scope), *(self.expr(side, scope) for side in sides))
        if isinstance(left, exp.Tuple):
            return self._generic(node, scope)
        return ("in", self.expr(left, scope), *(self.expr(item, scope) for item in node.expressions))

    def _between(self, node: exp.Expr, scope: Scope) -> E:
        if node.args.get("symmetric"):
            raise Unreadable("BETWEEN SYMMETRIC")
        return ("between", *(self.expr(node.args[name], scope) for name in ("this", "low", "high")))

    def _like(self, node: exp.Expr, scope: Scope) -> E:
        whole: E = ("like", self.expr(node.this, scope), self.expr(node.expression, scope))
        return ("not", whole) if node.args.get("negate") else whole

    def _exists(self, node: exp.Expr, scope: Scope) -> E:
        return ("exists", self.nested(node.this, scope))

    def _scalar(self, node: exp.Expr, scope: Scope) -> E:
        return ("scalar", self.nested(node, scope))

    def _case(self, node: exp.Expr, scope: Scope) -> E:
        subject = self.expr(node.this, scope) if node.this else None
        default = self.expr(node.args["default"], scope) if node.args.get("default") else NULL
        branches: list[E] = []
        for branch in node.args["ifs"]:
            condition = self.expr(branch.this, scope)
            branches += [
                condition if subject is None else ("=", subject, condition),
                self.expr(branch.args["true"], scope),
            ]
        return ("case", default, *branches)

    def _if(self, node: exp.Expr, scope: Scope) -> E:
        default = self.expr(node.args["false"], scope) if node.args.get("false") else NULL
        return ("case", default, self.expr(node.this, scope), self.expr(node.args["true"], scope))

    def _coalesce(self, node: exp.Expr, scope: Scope) -> E:
        return ("coalesce", *(self.expr(item, scope) for item in (node.this, *node.expressions)))

    def _cast(self, node: exp.Expr, scope: Scope) -> E:
        if any(node.args.get(name) for name in ("format", "default", "action")):
            return self._generic(node, scope)
        return ("cast", self.expr(node.this, scope), ("word", "type", node.args["to"].sql().upper()))

    def _filter(self, node: exp.Expr, scope: Scope) -> E:
        return ("filter", self.expr(node.this, scope), self.expr(node.expression.this, scope))

    def _neg(self, node: exp.Expr, scope: Scope) -> E:
        inner = self.expr(node.this, scope)
        return ("num", f"-{inner[1]}") if inner[0] == "num" and not inner[1].startswith("-") else ("neg", inner)

    def _boolean(self, node: exp.Expr, scope: Scope) -> E:
        return TRUE if node.this else FALSE

    def _null(self, node: exp.Expr, scope: Scope) -> E:
        return NULL

    def _window(self, node: exp.Expr, scope: Scope) -> E:
        if node.args.get("alias"):
            raise Unreadable("a named window")
        return self._generic(node, scope)

    def _function(self, node: exp.Expr, scope: Scope) -> E:
        if node.name.upper() in VOLATILE_NAMES | _OF_ORDER_NAMES:
            raise Unreadable(f"{node.name} depends on more than its arguments")
        return (f"call {node.name.upper()}", *(self.expr(item, scope) for item in node.expressions))


_READERS: dict[type[exp.Expr], Any] = {
    exp.Not: Expressions._not,
    exp.Is: Expressions._is,
    exp.In: Expressions._in,
    exp.Between: Expressions._between,
    exp.Like: Expressions._like,
    exp.Exists: Expressions._exists,
    exp.Subquery: Expressions._scalar,
    exp.Select: Expressions._scalar,
    exp.Case: Expressions._case,
    exp.If: Expressions._if,
    exp.Coalesce: Expressions._coalesce,
    exp.Cast: Expressions._cast,
    exp.Filter: Expressions._filter,
    exp.Neg: Expressions._neg,
    exp.Boolean: Expressions._boolean,
    exp.Null: Expressions._null,
    exp.Window: Expressions._window,
    exp.Anonymous: Expressions._function,
}


def is_volatile(tree: exp.Expr) -> bool:
    """Whether two runs of one statement may answer differently on one database."""
    calls = tree.find_all(exp.Anonymous)
    return tree.find(*_VOLATILE) is not None or any(call.name.upper() in VOLATILE_NAMES for call in calls)


def has_aggregate(e: Any) -> bool:
    """Whether an aggregate of this query's own rows is in an expression: not one of a nested query or of a window."""
    if not isinstance(e, tuple) or e[0].startswith("Window:"):
        return False
    if is_aggregate(e):
        return True
    return e[0] not in ("col", "num", "str", "null", "bool", "star", "word") and any(map(has_aggregate, e[1:]))


def is_aggregate(e: E) -> bool:
    """Whether an expression is itself an aggregate call."""
    op = e[0]
    name = op.split(":")[0]
    return op.split(" ")[0] in AGGREGATES.values() or op == "filter" or (":" in op and _is_aggregate_class(name))


def has_window(value: Any) -> bool:
    """Whether an expression has a window function."""
    return any(e[0].startswith("Window:") for e in walk(value))


def _is_aggregate_class(name: str) -> bool:
    found = getattr(exp, name, None)
    return isinstance(found, type) and issubclass(found, exp.AggFunc) and name not in ("Min", "Max")
