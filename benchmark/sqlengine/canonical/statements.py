"""Statements that write, as the queries that decide what they do.

Promises: two DELETEs (or UPDATEs) of one table leave the same database when the queries here are equivalent: they give
the rows that go, or that change and what they become. What has side clauses is Unreadable.
"""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from benchmark.sqlengine.canonical.facts import Context
from benchmark.sqlengine.canonical.ir import Block, E, Query, SetOp, Source, conjuncts
from benchmark.sqlengine.canonical.read import Reader
from benchmark.sqlengine.canonical.scopes import Scope, Unreadable, Visible


def read_write(tree: exp.Expr, reader: Reader) -> tuple[str, Query]:
    """A label (what is done to which table), and the query that decides. Raises Unreadable."""
    if isinstance(tree, exp.Delete):
        _only(tree, {"this", "where"})
        block, _ = _target(tree.this, tree.args.get("where"), reader)
        return f"DELETE {tree.this.name.lower()}", block
    if isinstance(tree, exp.Update):
        return _update(tree, reader)
    if isinstance(tree, exp.Insert):
        return _insert(tree, reader)
    if isinstance(tree, exp.Create) and tree.kind == "VIEW" and isinstance(tree.this, exp.Table):
        _only(tree, {"this", "kind", "expression"})
        query = reader.query(tree.expression)
        return f"VIEW {tree.this.name.lower()}({', '.join(query.names)})", query
    raise Unreadable(type(tree).__name__)


def _target(node: exp.Expr, where: exp.Expr | None, reader: Reader) -> tuple[Block, Scope]:
    """The rows of a table that a WHERE picks."""
    if not isinstance(node, exp.Table) or node.alias or node.args.get("joins"):
        raise Unreadable("a target with an alias")
    table = reader.schema.table(node.name)
    if table is None:
        raise Unreadable("an unknown table")
    alias = reader.alias()
    reader.tables[alias] = table
    columns: dict[str, str | None] = {column.name.lower(): column.name.lower() for column in table.columns}
    scope = Scope(None, [Visible(node.name.lower(), alias, columns)])
    conditions = conjuncts(reader.expr(where.this, scope)) if where else ()
    select = tuple(("col", alias, name) for name in columns)
    return Block(select, (Source(alias, node.name.lower()),), where=conditions), scope


def _update(tree: exp.Update, reader: Reader) -> tuple[str, Query]:
    _only(tree, {"this", "expressions", "where"})
    block, scope = _target(tree.this, tree.args.get("where"), reader)
    values: dict[str, E] = {}
    for pair in tree.expressions:
        if not isinstance(pair, exp.EQ) or not isinstance(pair.this, exp.Column) or pair.this.name.lower() in values:
            raise Unreadable("SET")
        values[pair.this.name.lower()] = reader.expr(pair.expression, scope)
    names = sorted(values)
    changed = replace(block, select=(*block.select, *(values[name] for name in names)))
    return f"UPDATE of {', '.join(names)} in {tree.this.name.lower()}", changed


def _insert(tree: exp.Insert, reader: Reader) -> tuple[str, Query]:
    _only(tree, {"this", "expression"})
    target = tree.this
    table = reader.schema.table(target.this.name if isinstance(target, exp.Schema) else target.name)
    if table is None:
        raise Unreadable("an unknown table")
    names = [column.name.lower() for column in table.columns]
    listed = [node.name.lower() for node in target.expressions] if isinstance(target, exp.Schema) else names
    query = reader.query(tree.expression)
    blocks = query.branches if isinstance(query, SetOp) else (query,)
    if not all(isinstance(block, Block) and len(block.select) == len(listed) for block in blocks):
        raise Unreadable("an INSERT of something else")
    one_row = isinstance(query, Block) and not query.sources
    if not one_row and not set(names) <= set(listed):
        raise Unreadable("rows whose numbers depend on their order")
    for name in table.primary_key if not one_row else ():
        values = [block.select[listed.index(name)] for block in blocks if isinstance(block, Block)]
        if not all(map(Context(reader.dialect, reader.tables).not_null, values)):
            raise Unreadable("rows whose numbers depend on their order")
    places = sorted(range(len(listed)), key=lambda place: listed[place])
    moved = tuple(
        replace(block, select=tuple(block.select[place] for place in places), order=())
        for block in blocks
        if isinstance(block, Block) and not block.limited
    )
    if len(moved) < len(blocks):
        raise Unreadable("an INSERT with LIMIT")
    whole: Query = replace(query, branches=moved) if isinstance(query, SetOp) else moved[0]
    return f"INSERT {table.name.lower()} ({', '.join(sorted(listed))})", whole


def _only(node: exp.Expr, names: set[str]) -> None:
    for name, value in node.args.items():
        if value and name not in names:
            raise Unreadable(f"{type(node).__name__} with {name}")
