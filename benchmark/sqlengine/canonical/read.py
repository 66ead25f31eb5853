"""From sqlglot's tree to the rules' form: names resolved, aliases made unique, stars, positions and CTEs written out.

Promises: the form means what the statement means, or `Unreadable` is raised; nothing is dropped in silence: a clause
that this module does not know makes a statement unreadable.
Does not: change a condition; that is the rules' business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from sqlglot import exp

from benchmark.sqlengine.canonical.expressions import Expressions
from benchmark.sqlengine.canonical.ir import Block, E, Key, Outer, Query, SetOp, Source, conjuncts
from benchmark.sqlengine.canonical.scopes import Scope, Unreadable, Visible
from benchmark.sqlengine.schema import Schema, Table

#: Name of a CTE -> its text and the CTEs that it sees.
Ctes = Mapping[str, tuple[exp.CTE, "Ctes"]]
_SELECT_ARGS = frozenset(
    "with_ kind expressions distinct from_ joins where group having order limit offset operation_modifiers".split()
)
_SETOP_ARGS = frozenset("with_ this expression distinct order limit offset".split())
_MAX_DEPTH = 40


class Reader(Expressions):
    """Reads one statement. `tables` says which table each alias stands for, once `query` has run."""

    def __init__(self, sql: str, dialect: str, schema: Schema) -> None:
        super().__init__(sql, dialect)
        self.schema = schema
        self.tables: dict[str, Table] = {}
        self._depth = 0
        self._aliases = 0

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
            _known(node, {"this", "with_", "order", "limit", "offset"})
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
        if clause.args.get("recursive") and any(_mentions_itself(cte) for cte in clause.expressions):
            raise Unreadable("a recursive CTE")
        for cte in clause.expressions:
            ctes = {**ctes, cte.alias.lower(): (cte, ctes)}
        return ctes

    def _set_operation(self, node: exp.SetOperation, parent: Scope | None, ctes: Ctes) -> Query:
        _known(node, _SETOP_ARGS)
        branches = (self.query(node.this, parent, ctes), self.query(node.expression, parent, ctes))
        if len({_width(branch) for branch in branches}) > 1:
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
        _known(node, _SELECT_ARGS)
        if node.args.get("kind") or node.args.get("operation_modifiers"):
            raise Unreadable("a kind of SELECT")
        scope = Scope(parent)
        sources, outer, where = self._from(node, scope, ctes)
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
            return Block(
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

    def _outputs(self, node: exp.Select, scope: Scope) -> list[tuple[str, E]]:
        for item in node.expressions:
            if isinstance(item, exp.Alias):
                scope.outputs.setdefault(item.alias.lower(), partial(self.expr, item.this, scope))
        named = []
        for item in node.expressions:
            if isinstance(item, exp.Star) or isinstance(item, exp.Column) and isinstance(item.this, exp.Star):
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

    def _from(self, node: exp.Select, scope: Scope, ctes: Ctes) -> tuple[list[Source], list[Outer], list[E]]:
        sources: list[Source] = []
        outer: list[Outer] = []
        where: list[E] = []
        clause = node.args.get("from_")
        if clause is None:
            return sources, outer, where
        self._join(clause.this, None, scope, ctes, sources, outer, where)
        for join in (*(clause.this.args.get("joins") or ()), *(node.args.get("joins") or ())):
            self._join(join.this, join, scope, ctes, sources, outer, where)
        return sources, outer, where

    def _join(
        self,
        node: exp.Expr,
        join: exp.Join | None,
        scope: Scope,
        ctes: Ctes,
        sources: list[Source],
        outer: list[Outer],
        where: list[E],
    ) -> None:
        """Add one source to a FROM clause; its condition goes to `where`, or to its own LEFT JOIN."""
        side = (join.side if join else "").upper()
        if join is not None:
            _known(join, {"this", "on", "using", "side", "kind", "method"})
            if join.kind.upper() not in ("", "INNER", "CROSS", "OUTER") or join.method not in ("", "NATURAL"):
                raise Unreadable(f"{join.kind} {join.method} JOIN")
        before = list(scope.visible)
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table) and not node.alias:
            if side:
                raise Unreadable("an outer join with joins in parentheses")
            self._join(node.this, None, scope, ctes, sources, outer, where)
            for inner in node.this.args.get("joins") or ():
                self._join(inner.this, inner, scope, ctes, sources, outer, where)
            new = None
        else:
            new = self._source(node, scope, ctes)
        on: list[E] = []
        if join is not None:
            on += self._shared(join, before, scope, side)
            if join.args.get("on"):
                with self.within(ctes):
                    on += conjuncts(self.expr(join.args["on"], scope))
        if side == "LEFT" and new:
            outer.append(Outer(new, tuple(on)))
        elif side == "RIGHT" and new and len(sources) == 1 and not outer and not where:
            outer.append(Outer(sources.pop(), tuple(on)))
            sources.append(new)
        elif not side:
            sources += [new] if new else []
            where += on
        else:
            raise Unreadable(f"{side} JOIN")

    def _shared(self, join: exp.Join, before: list[Visible], scope: Scope, side: str) -> list[E]:
        """The equalities of USING and NATURAL; the later column is hidden, the earlier one stands for both."""
        new = scope.visible[-1]
        names = [node.name.lower() for node in join.args.get("using") or ()]
        if join.method == "NATURAL":
            sides = [source.columns for source in (*before, new)]
            if any(columns is None for columns in sides):
                raise Unreadable("a NATURAL JOIN of unknown columns")
            names = [name for name in new.columns or () if any(name in (s.columns or ()) for s in before)]
        if names and side == "RIGHT":
            raise Unreadable("RIGHT JOIN USING")
        found = []
        for name in names:
            earlier = Scope(None, before)._here("", name)
            later = (new.columns or {}).get(name)
            if earlier is None or later is None:
                raise Unreadable(f"USING {name}")
            new.merged.add(name)
            found.append(("=", earlier, ("col", new.alias, later)))
        return found

    def _source(self, node: exp.Expr, scope: Scope, ctes: Ctes) -> Source:
        alias = self.alias()
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            _known(node, {"this", "alias", "db", "joins"})
            name = node.name.lower()
            shown = (node.alias or node.name).lower()
            if name in ctes and not node.args.get("db"):
                cte, seen = ctes[name]
                _known(cte, {"this", "alias", "materialized"})
                inner = self.query(cte.this, None, seen)
                named = (node.args.get("alias") or cte.args["alias"]).args.get("columns")
                renamed = named or cte.args["alias"].args.get("columns") or ()
                return self._add_derived(inner, [part.name for part in renamed], shown, alias, scope)
            if node.args.get("db") and node.args["db"].name.lower() != "main":
                raise Unreadable("a table of another database")
            table = self.schema.table(name)
            if table:
                self.tables[alias] = table
            columns = {column.name.lower(): column.name.lower() for column in table.columns} if table else None
            listed = node.args["alias"].args.get("columns") if node.args.get("alias") else None
            if listed:
                raise Unreadable("a table with renamed columns")
            scope.visible.append(Visible(shown, alias, columns))  # type: ignore[arg-type]
            return Source(alias, name)
        if isinstance(node, (exp.Subquery, exp.Values)):
            if isinstance(node, exp.Subquery):
                _known(node, {"this", "alias", "with_", "order", "limit", "offset"})
            tag = node.args.get("alias")
            bare = node.copy() if tag else node
            bare.set("alias", None)
            inner = self.query(bare, None, ctes)
            return self._add_derived(inner, [c.name for c in tag.columns] if tag else [], node.alias.lower(), alias, scope)
        raise Unreadable(type(node).__name__)

    def _add_derived(self, inner: Query, renamed: list[str], shown: str, alias: str, scope: Scope) -> Source:
        names = [name.lower() for name in renamed] or list(inner.names)
        columns: dict[str, str | None] = {}
        for place, name in enumerate(names):
            columns[name] = None if name in columns else str(place)
        if len(columns) < _width(inner):  # a name twice: `*` would need it
            columns |= {name: None for name in names if names.count(name) > 1}
        scope.visible.append(Visible(shown, alias, columns))
        return Source(alias, inner)

    def _group(self, node: exp.Select, scope: Scope, select: tuple[E, ...]) -> tuple[E, ...] | None:
        clause = node.args.get("group")
        if clause is None:
            return None
        _known(clause, {"expressions"})
        return tuple(self._group_value(item, scope, select) for item in clause.expressions)

    def _group_value(self, node: exp.Expr, scope: Scope, select: tuple[E, ...]) -> E:
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
        _known(ordered, {"this", "desc", "nulls_first"})
        return Key(value, bool(ordered.args.get("desc")), bool(ordered.args.get("nulls_first")))

    def _limit(self, node: exp.Expr) -> E | None:
        limit = node.args.get("limit")
        if limit is None:
            return None
        if isinstance(limit, exp.Fetch):
            options = limit.args.get("limit_options")
            if options is not None and (options.args.get("percent") or options.args.get("with_ties")):
                raise Unreadable("FETCH with options")
            return self.expr(limit.args.get("count") or exp.Literal.number(1), Scope(None))
        _known(limit, {"expression"})
        return self.expr(limit.expression, Scope(None))

    def _offset(self, node: exp.Expr) -> E | None:
        offset = node.args.get("offset")
        if offset is None:
            return None
        return self.expr(offset.expression, Scope(None))

    def alias(self) -> str:
        """A new alias."""
        self._aliases += 1
        return f"s{self._aliases}"


def _derived(query: Query, alias: str) -> Block:
    """`SELECT * FROM (query)`."""
    select = tuple(("col", alias, str(place)) for place in range(_width(query)))
    return Block(select, (Source(alias, query),), names=query.names)


def _width(query: Query) -> int:
    return len(query.select) if isinstance(query, Block) else _width(query.branches[0])


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


def _known(node: exp.Expr, names: Any) -> None:
    """Raises Unreadable if a node has anything but the arguments that its reader reads."""
    for name, value in node.args.items():
        if value and name not in names:
            raise Unreadable(f"{type(node).__name__} with {name}")


def _mentions_itself(cte: exp.CTE) -> bool:
    return any(table.name.lower() == cte.alias.lower() for table in cte.this.find_all(exp.Table))
