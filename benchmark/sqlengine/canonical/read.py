"""From sqlglot's tree to the rules' form: names resolved, aliases made unique, stars, positions and CTEs written out.

Promises: the form means what the statement means, or `Unreadable` is raised; nothing is dropped in silence: a clause
that this module does not know makes a statement unreadable.
Does not: change a condition; that is the rules' business.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from sqlglot import exp

from benchmark.sqlengine.canonical.blocks import outside_aggregates
from benchmark.sqlengine.canonical.expressions import has_aggregate
from benchmark.sqlengine.canonical.ir import Block, E, Key, Query, SetOp, Source, conjuncts, width
from benchmark.sqlengine.canonical.scopes import Scope, Unreadable, only
from benchmark.sqlengine.canonical.sources import Ctes, Sources
from benchmark.sqlengine.schema import Schema

_SETOP_ARGS = frozenset({"with_", "this", "expression", "distinct", "order", "limit", "offset"})
_SELECT_ARGS = _SETOP_ARGS | {
    "kind",
    "expressions",
    "from_",
    "joins",
    "where",
    "group",
    "having",
    "operation_modifiers",
}
_MAX_DEPTH = 40


class Reader(Sources):
    """Reads one statement. `tables` says which table each alias stands for, once `query` has run."""

    def __init__(self, sql: str, dialect: str, schema: Schema) -> None:
        super().__init__(sql, dialect, schema)
        self._depth = 0

    def query(self, node: exp.Expr, parent: Scope | None = None, ctes: Ctes | None = None) -> Query:
        """A SELECT, set operation or VALUES as the rules see it. Raises Unreadable."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise Unreadable("nested too deep")
        try:
            return self._query(node, parent, ctes or {})
        finally:
            self._depth -= 1

    def _query(self, node: exp.Expr, parent: Scope | None, ctes: Ctes) -> Query:
        ctes = self._with(node, ctes)
        if isinstance(node, exp.Subquery):
            only(node, {"this", "with_", "order", "limit", "offset"})
            inner = self.query(node.this, parent, ctes)
            return self._tail(inner, node) if _has_tail(node) else inner
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, parent, ctes)
        if isinstance(node, exp.Values):
            return self._values(node, parent)
        if isinstance(node, exp.Select):
            return self._select(node, parent, ctes)
        raise Unreadable(type(node).__name__)

    def _with(self, node: exp.Expr, ctes: Ctes) -> Ctes:
        clause = node.args.get("with_")
        if clause is None:
            return ctes
        if clause.args.get("recursive") and any(_mentions_itself(cte, [cte]) for cte in clause.expressions):
            raise Unreadable("a recursive CTE")
        for place, cte in enumerate(clause.expressions):
            if self.dialect == "sqlite" and _mentions_itself(cte, clause.expressions[place:]):
                raise Unreadable("a CTE that names itself or a later one")
            ctes = {**ctes, cte.alias.lower(): (cte, ctes)}
        return ctes

    def _set_operation(self, node: exp.SetOperation, parent: Scope | None, ctes: Ctes) -> Query:
        only(node, _SETOP_ARGS)
        branches = (self.query(node.this, parent, ctes), self.query(node.expression, parent, ctes))
        if len({width(branch) for branch in branches}) > 1:
            raise Unreadable("branches of different widths")
        kind = {exp.Union: "union", exp.Intersect: "intersect", exp.Except: "except"}.get(type(node))
        if kind is None:
            raise Unreadable(type(node).__name__)
        whole = SetOp(kind, not node.args.get("distinct"), branches, names=branches[0].names)
        return self._tail(whole, node) if _has_tail(node) else whole

    def _tail(self, query: Query, node: exp.Expr) -> Query:
        """ORDER BY, LIMIT and OFFSET that hang on a query in parentheses or on a set operation."""
        if query.order or query.limited:
            query = _derived(query, self.alias())
        keys = []
        for ordered in _keys(node):
            position = _position(ordered.this, query.names)
            if position is None:
                raise Unreadable("an ORDER BY key that is no output")
            value = query.select[position] if isinstance(query, Block) else ("num", str(position + 1))
            keys.append(self._key(ordered, value))
        return replace(query, order=tuple(keys), limit=self._limit(node), offset=self._offset(node))

    def _values(self, node: exp.Values, parent: Scope | None) -> Query:
        scope = Scope(parent)
        rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in node.expressions]
        names = tuple(f"column{i + 1}" for i in range(len(rows[0])))
        blocks = [Block(tuple(self.expr(cell, scope) for cell in row), names=names) for row in rows]
        return blocks[0] if len(blocks) == 1 else SetOp("union", True, tuple(blocks), names=names)

    def _select(self, node: exp.Select, parent: Scope | None, ctes: Ctes) -> Block:
        only(node, _SELECT_ARGS)
        if node.args.get("kind") or node.args.get("operation_modifiers"):
            raise Unreadable("a kind of SELECT")
        scope = Scope(parent)
        sources, outer, where = self.from_clause(node, scope, ctes)
        scope_ctes = self.within(ctes)
        with scope_ctes:
            outputs = self._outputs(node, scope)
            if node.args.get("where"):
                where += conjuncts(self.expr(node.args["where"].this, scope))
            select = tuple(value for _, value in outputs)
            group = self._group(node, scope, select)
            having = node.args.get("having")
            distinct = node.args.get("distinct")
            if distinct is not None and distinct.args.get("on"):
                raise Unreadable("DISTINCT ON")
            block = Block(
                select,
                tuple(sources),
                tuple(outer),
                tuple(where),
                group,
                conjuncts(self.expr(having.this, scope)) if having else (),
                distinct is not None,
                tuple(self._key(ordered, self._sort_value(ordered.this, scope, select)) for ordered in _keys(node)),
                self._limit(node),
                self._offset(node),
                tuple(name for name, _ in outputs),
            )
            self._check_groups(block)
            return block

    def _check_groups(self, block: Block) -> None:
        """Raises Unreadable for what an engine refuses: aggregates, or columns beside them, where none may stand."""
        grouped = block.group is not None or any(map(has_aggregate, block.select))
        if not grouped and (block.having or any(has_aggregate(key.value) for key in block.order)):
            raise Unreadable("an aggregate or HAVING without a group")
        if grouped and self.dialect != "sqlite":
            own = {source.alias for source in (*block.sources, *(join.source for join in block.outer))}
            group = list(block.group or ())
            items = (*block.select, *block.having, *(key.value for key in block.order))
            if any(e[1] in own and e not in group for item in items for e in outside_aggregates(item, group)):
                raise Unreadable("a column beside the groups")

    def _outputs(self, node: exp.Select, scope: Scope) -> list[tuple[str, E]]:
        for item in node.expressions:
            if isinstance(item, exp.Alias):
                scope.outputs.setdefault(item.alias.lower(), partial(self.expr, item.this, scope))
        named = []
        for item in node.expressions:
            if isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star)):
                if any(item.args.get(name) for name in ("except_", "replace", "rename")):
                    raise Unreadable("a star with exceptions")
                named += scope.star(item.table.lower() if isinstance(item, exp.Column) else "")
            else:
                inner = item.this if isinstance(item, exp.Alias) else item
                own, scope.outputs = scope.outputs, {} if self.dialect == "sqlite" else scope.outputs
                try:
                    named.append((item.alias_or_name.lower(), self.expr(inner, scope)))
                finally:
                    scope.outputs = own
        return named

    def _group(self, node: exp.Select, scope: Scope, select: tuple[E, ...]) -> tuple[E, ...] | None:
        clause = node.args.get("group")
        if clause is None:
            return None
        only(clause, {"expressions"})
        group = tuple(self._group_value(item, scope, select) for item in clause.expressions)
        if any(map(has_aggregate, group)):
            raise Unreadable("an aggregate in GROUP BY")
        return group

    def _group_value(self, node: exp.Expr, scope: Scope, select: tuple[E, ...]) -> E:
        if isinstance(node, (exp.Rollup, exp.Cube, exp.GroupingSets, exp.Tuple)):
            raise Unreadable("several groupings at once")
        if isinstance(node, exp.Literal) and node.is_int:
            if not 1 <= int(node.name) <= len(select):
                raise Unreadable("a position that is not there")
            return select[int(node.name) - 1]
        return self.expr(node, scope)

    def _sort_value(self, node: exp.Expr, scope: Scope, select: tuple[E, ...]) -> E:
        if isinstance(node, exp.Column) and not node.table and node.name.lower() in scope.outputs:
            return scope.outputs[node.name.lower()]()
        return self._group_value(node, scope, select)

    def _key(self, ordered: exp.Ordered, value: E) -> Key:
        only(ordered, {"this", "desc", "nulls_first"})
        return Key(value, bool(ordered.args.get("desc")), bool(ordered.args.get("nulls_first")))

    def _limit(self, node: exp.Expr) -> E | None:
        limit = node.args.get("limit")
        if limit is None:
            return None
        if isinstance(limit, exp.Fetch):
            options = limit.args.get("limit_options")
            if options is not None and (options.args.get("percent") or options.args.get("with_ties")):
                raise Unreadable("FETCH with options")
            return self._number(limit.args.get("count") or exp.Literal.number(1))
        only(limit, {"expression"})
        return self._number(limit.expression)

    def _offset(self, node: exp.Expr) -> E | None:
        offset = node.args.get("offset")
        return self._number(offset.expression) if offset is not None else None

    def _number(self, node: exp.Expr) -> E:
        """How many rows; anything but a whole number may be an error where there are rows, or where there are none."""
        value = self.expr(node, Scope(None))
        if value[0] != "num" or not value[1].removeprefix("-").isdigit():
            raise Unreadable("a LIMIT that is no number")
        return value


def _derived(query: Query, alias: str) -> Block:
    """`SELECT * FROM (query)`."""
    select = tuple(("col", alias, str(place)) for place in range(width(query)))
    return Block(select, (Source(alias, query),), names=query.names)


def _has_tail(node: exp.Expr) -> bool:
    return any(node.args.get(name) for name in ("order", "limit", "offset"))


def _keys(node: exp.Expr) -> list[exp.Ordered]:
    clause = node.args.get("order")
    return clause.expressions if clause is not None else []


def _position(node: exp.Expr, names: tuple[str, ...]) -> int | None:
    if isinstance(node, exp.Literal) and node.is_int:
        return int(node.name) - 1 if 1 <= int(node.name) <= len(names) else None
    if isinstance(node, exp.Column) and not node.table and names.count(node.name.lower()) == 1:
        return names.index(node.name.lower())
    return None


def _mentions_itself(cte: exp.CTE, others: list[exp.CTE]) -> bool:
    names = {other.alias.lower() for other in others}
    return any(table.name.lower() in names for table in cte.this.find_all(exp.Table))
