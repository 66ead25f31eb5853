"""The FROM clause: tables, derived tables, CTEs and joins, with the names under which their columns can be read.

Promises: inner joins become sources and conditions, LEFT and RIGHT joins become LEFT joins in order; anything else is
Unreadable.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from benchmark.sqlengine.canonical.expressions import Expressions
from benchmark.sqlengine.canonical.ir import E, Outer, Query, Source, conjuncts, width
from benchmark.sqlengine.canonical.scopes import Scope, Unreadable, Visible, only
from benchmark.sqlengine.schema import Schema, Table

#: Name of a CTE -> its text and the CTEs that it sees.
Ctes = Mapping[str, tuple[exp.CTE, "Ctes"]]


class Sources(Expressions):
    """The part of the reader that reads FROM."""

    def __init__(self, sql: str, dialect: str, schema: Schema) -> None:
        super().__init__(sql, dialect)
        self.schema = schema
        self.tables: dict[str, Table] = {}
        self._aliases = 0

    def alias(self) -> str:
        """A new alias."""
        self._aliases += 1
        return f"s{self._aliases}"

    def from_clause(self, node: exp.Select, scope: Scope, ctes: Ctes) -> tuple[list[Source], list[Outer], list[E]]:
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
            only(join, {"this", "on", "using", "side", "kind", "method"})
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
            only(node, {"this", "alias", "db", "joins"})
            name = node.name.lower()
            shown = (node.alias or node.name).lower()
            if name in ctes and not node.args.get("db"):
                cte, seen = ctes[name]
                only(cte, {"this", "alias", "materialized"})
                inner = self.query(cte.this, None, seen)
                named = (node.args.get("alias") or cte.args["alias"]).args.get("columns")
                renamed = named or cte.args["alias"].args.get("columns") or ()
                return self._add_derived(inner, [part.name for part in renamed], shown, alias, scope)
            if node.args.get("db") and node.args["db"].name.lower() != "main":
                raise Unreadable("a table of another database")
            table = self.schema.table(name)
            if table and any(column.collated for column in table.columns):
                raise Unreadable("a column with a collation: the order of an equality's sides would count")
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
                only(node, {"this", "alias", "with_", "order", "limit", "offset"})
            tag = node.args.get("alias")
            bare = node.copy() if tag else node
            bare.set("alias", None)
            inner = self.query(bare, None, ctes)
            return self._add_derived(
                inner, [c.name for c in tag.columns] if tag else [], node.alias.lower(), alias, scope
            )
        raise Unreadable(type(node).__name__)

    def _add_derived(self, inner: Query, renamed: list[str], shown: str, alias: str, scope: Scope) -> Source:
        names = [name.lower() for name in renamed] or list(inner.names)
        columns: dict[str, str | None] = {}
        for place, name in enumerate(names):
            columns[name] = None if name in columns else str(place)
        if len(columns) < width(inner):  # a name twice: `*` would need it
            columns |= {name: None for name in names if names.count(name) > 1}
        scope.visible.append(Visible(shown, alias, columns))
        return Source(alias, inner)
