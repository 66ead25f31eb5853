"""A query as a recipe for rows: which rows it joins, and what must hold of them for the query to return something.

Promises: a plan is a guide, not a proof: rows made by it usually satisfy the query, and engines have the last word.
Does not: choose values (`witness.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from benchmark.sqlengine.datagen.facts import constant
from benchmark.sqlengine.results import Cell
from benchmark.sqlengine.schema import Schema, Table

#: A cell to be filled: the row's number in the plan, and its column in lower case.
Var = tuple[int, str]

#: What a condition becomes under NOT.
OPPOSITE = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "in": "out", "out": "in"}
OPPOSITE |= {"null": "some", "some": "null", "like": "unlike", "unlike": "like"}
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<=", exp.NullSafeEQ: "=",
}  # fmt: skip
#: Functions that are looked through: a column under one still stands for itself.
_SEE_THROUGH = (exp.Paren, exp.Cast, exp.TryCast, exp.Lower, exp.Upper, exp.Trim, exp.Coalesce, exp.Max, exp.Min)


@dataclass(frozen=True, slots=True)
class Atom:
    """A condition on one cell. `text` tells equal conditions of two statements apart from others."""

    var: Var
    op: str
    values: tuple[Cell, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A condition on two cells."""

    left: Var
    op: str
    right: Var
    text: str


@dataclass(frozen=True, slots=True)
class Both:
    """All parts must hold, or (where not `every`) one of them."""

    every: bool
    parts: tuple[Formula, ...]


@dataclass(slots=True)
class Rows:
    """Rows that must be there, one for each slot (its number and table), and what must hold of them."""

    slots: list[tuple[int, str]] = field(default_factory=list)
    parts: list[Formula] = field(default_factory=list)


Formula = Atom | Link | Both | Rows
#: What a name in FROM stands for: a slot with its table, or a subquery's outputs.
_Source = tuple[int, Table] | dict[str, Var]


def atom(var: Var, op: str, values: tuple[Cell, ...]) -> Atom:
    """A condition on a cell, with its text."""
    return Atom(var, op, values, f"{var[1]} {op} {values}")


def link(left: Var, op: str, right: Var) -> Link:
    """A condition on two cells, with its text."""
    return Link(left, op, right, f"{left[1]} {op} {right[1]}")


def plan_of(tree: exp.Expr | None, schema: Schema) -> Rows | None:
    """The plan of a statement, or None for one that reads no table that is known."""
    if tree is None:
        return None
    planner = _Planner(schema)
    try:
        rows, _ = planner.query(tree, [], {})
    except RecursionError:
        return None
    return rows if planner.slots else None


class _Planner:
    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.slots = 0

    def query(
        self, tree: exp.Expr, outer: list[dict[str, _Source]], ctes: dict[str, exp.Expr]
    ) -> tuple[Rows, list[Var | None]]:
        """The rows of a query, and the cell behind each of its outputs."""
        if isinstance(tree, (exp.Subquery, exp.Paren)):
            return self.query(tree.this, outer, ctes)
        if isinstance(tree, (exp.Create, exp.Insert)):
            return self.query(tree.expression, outer, ctes) if tree.expression else (Rows(), [])
        ctes = ctes | {cte.alias.lower(): cte.this for cte in getattr(tree, "ctes", [])}
        if isinstance(tree, exp.SetOperation):
            return self._set_operation(tree, outer, ctes)
        return self._select(tree, outer, ctes)

    def _set_operation(
        self, tree: exp.SetOperation, outer: list[dict[str, _Source]], ctes: dict[str, exp.Expr]
    ) -> tuple[Rows, list[Var | None]]:
        left, outputs = self.query(tree.left, outer, ctes)
        right, others = self.query(tree.right, outer, ctes)
        links = [link(a, "=", b) for a, b in zip(outputs, others, strict=False) if a and b]
        shared = Rows(left.slots + right.slots, [*left.parts, *right.parts, *links])
        if isinstance(tree, exp.Intersect):
            return shared, outputs
        return Rows([], [Both(False, (left, right, shared))]), outputs

    def _select(
        self, tree: exp.Expr, outer: list[dict[str, _Source]], ctes: dict[str, exp.Expr]
    ) -> tuple[Rows, list[Var | None]]:
        rows, scope = Rows(), dict[str, _Source]()
        scopes = [scope, *outer]
        source = tree.args.get("from_") or tree.args.get("from")
        joins = tree.args.get("joins") or []
        target = tree.this if isinstance(tree, (exp.Update, exp.Delete)) else None
        for node in [target, source and source.this, *(join.this for join in joins)]:
            if node is not None:
                self._add_source(node, rows, scope, outer, ctes)
        for join in joins:
            self._add_join(join, rows, scopes, ctes)
        for clause in ("where", "having", "qualify"):
            condition = tree.args.get(clause)
            found = self.formula(condition.this, scopes, ctes, True) if condition is not None else None
            rows.parts += [found] if found else []
        outputs: list[Var | None] = []
        for output in tree.expressions if isinstance(tree, exp.Select) else []:
            outputs += self._outputs(output.unalias(), scopes)
        return rows, outputs

    def _add_source(
        self,
        node: exp.Expr,
        rows: Rows,
        scope: dict[str, _Source],
        outer: list[dict[str, _Source]],
        ctes: dict[str, exp.Expr],
    ) -> None:
        name = node.alias_or_name.lower()
        inner = node.this if isinstance(node, exp.Subquery) else None
        rest = ctes
        if isinstance(node, exp.Table) and node.name.lower() in ctes:
            inner = ctes[node.name.lower()]
            rest = {key: tree for key, tree in ctes.items() if key != node.name.lower()}  # ends a recursive one
        if inner is not None and isinstance(inner, exp.Query):
            below, outputs = self.query(inner, outer, rest)
            rows.slots += below.slots
            rows.parts += below.parts
            names = [output.alias_or_name.lower() for output in inner.selects]
            scope[name] = {key: var for key, var in zip(names, outputs, strict=False) if var}
        elif isinstance(node, exp.Table) and (table := self.schema.table(node.name)):
            scope[name] = (self.slots, table)
            rows.slots.append((self.slots, table.name.lower()))
            self.slots += 1

    def _add_join(
        self, join: exp.Expr, rows: Rows, scopes: list[dict[str, _Source]], ctes: dict[str, exp.Expr]
    ) -> None:
        names = [name.name.lower() for name in join.args.get("using") or []]
        right = scopes[0].get(join.this.alias_or_name.lower())
        others = [source for source in scopes[0].values() if source is not right]
        if join.args.get("method") == "NATURAL" and isinstance(right, tuple):
            names = [column.name.lower() for column in right[1].columns]
        for name in names:
            there = _cell(right, name) if right is not None else None
            here = next((var for source in others if (var := _cell(source, name))), None)
            if here and there:
                rows.parts.append(link(here, "=", there))
        if condition := join.args.get("on"):
            found = self.formula(condition, scopes, ctes, True)
            rows.parts += [found] if found else []

    def _outputs(self, output: exp.Expr, scopes: list[dict[str, _Source]]) -> list[Var | None]:
        if isinstance(output, exp.Star) or (isinstance(output, exp.Column) and isinstance(output.this, exp.Star)):
            tables = [source for source in scopes[0].values() if isinstance(source, tuple)]
            return [(slot, column.name.lower()) for slot, table in tables for column in table.columns]
        return [self._var(output, scopes)]

    def formula(
        self, node: exp.Expr, scopes: list[dict[str, _Source]], ctes: dict[str, exp.Expr], true: bool
    ) -> Formula | None:
        """What must hold for a condition to be true (or false); None where nothing is known."""
        if isinstance(node, exp.Paren):
            return self.formula(node.this, scopes, ctes, true)
        if isinstance(node, exp.Not):
            return self.formula(node.this, scopes, ctes, not true)
        if isinstance(node, (exp.And, exp.Or)):
            parts = [self.formula(side, scopes, ctes, true) for side in (node.left, node.right)]
            return Both(isinstance(node, exp.And) is true, tuple(part for part in parts if part))
        if isinstance(node, exp.Exists):
            rows = self.query(node.this, scopes, ctes)[0]
            return rows if true else Both(False, (Rows(), rows))
        if isinstance(node, exp.In) and (query := node.args.get("query")) is not None:
            rows = self._matching(node.this, query, "=", scopes, ctes)
            if true:
                return rows
            apart = Rows(rows.slots, [part for part in rows.parts if not isinstance(part, Link)])
            return Both(False, (Rows(), apart, rows))
        if (op := _COMPARISONS.get(type(node))) is not None:
            return self._comparison(node, op if true else OPPOSITE[op], scopes, ctes)
        return self._condition(node, scopes, true)

    def _condition(self, node: exp.Expr, scopes: list[dict[str, _Source]], true: bool) -> Formula | None:
        var = self._var(node if isinstance(node, exp.Column) else node.this, scopes) if node.args else None
        if var is None:
            return None
        if isinstance(node, exp.Between):
            low, high = constants([node.args["low"], node.args["high"]])
            return Both(true, (atom(var, ">=" if true else "<", (low,)), atom(var, "<=" if true else ">", (high,))))
        op, values = "", tuple[Cell, ...]()
        if isinstance(node, exp.In):
            op, values = "in", tuple(constants(node.expressions))
        elif isinstance(node, (exp.Like, exp.ILike)):
            op, values = "like", tuple(constants([node.expression]))
        elif isinstance(node, exp.Is):
            op = "null" if isinstance(node.expression, exp.Null) else "some"
        elif isinstance(node, exp.Column):
            op, values = "=", (1,)
        return atom(var, op if true else OPPOSITE[op], values) if op else None

    def _comparison(
        self, node: exp.Expr, op: str, scopes: list[dict[str, _Source]], ctes: dict[str, exp.Expr]
    ) -> Formula | None:
        left, right = node.args["this"], node.args["expression"]
        if isinstance(right, exp.Subquery):
            return self._matching(left, right, op, scopes, ctes)
        a, b = self._var(left, scopes), self._var(right, scopes)
        if a and b:
            return link(a, op, b)
        if a is None and b is not None:
            left, right, a, op = right, left, b, _MIRRORED.get(op, op)
        found = constants([right])
        return atom(a, op, tuple(found)) if a and found and found[0] is not None else None

    def _matching(
        self, left: exp.Expr, query: exp.Expr, op: str, scopes: list[dict[str, _Source]], ctes: dict[str, exp.Expr]
    ) -> Rows:
        rows, outputs = self.query(query, scopes, ctes)
        members = left.expressions if isinstance(left, exp.Tuple) else [left]
        for member, there in zip(members, outputs, strict=False):
            here = self._var(member, scopes)
            if here and there:
                rows.parts.append(link(here, op, there))
        return rows

    def _var(self, node: object, scopes: list[dict[str, _Source]]) -> Var | None:
        """The cell that an expression is, if it is one."""
        while isinstance(node, _SEE_THROUGH):
            node = node.this
        if not isinstance(node, exp.Column):
            return None
        name, alias = node.name.lower(), node.table.lower()
        for scope in scopes:
            sources = [scope[alias]] if alias in scope else [] if alias else list(scope.values())
            for source in sources:
                if var := _cell(source, name):
                    return var
        return None


def _cell(source: _Source, name: str) -> Var | None:
    if isinstance(source, dict):
        return source.get(name)
    return (source[0], name) if source[1].column(name) else None


def constants(nodes: list[exp.Expr]) -> list[Cell]:
    """The values of literals, None for any other expression; a quoted name counts as the string it may be."""
    found: list[Cell] = []
    for node in nodes:
        while isinstance(node, (exp.Paren, exp.Cast, exp.Neg)):
            node = node.this
        if isinstance(node, exp.Literal):
            found.append(constant(node))
        elif isinstance(node, exp.Boolean):
            found.append(int(bool(node.this)))
        else:
            found.append(node.name if isinstance(node, exp.Column) and node.this.args.get("quoted") else None)
    return found
