"""From the rules' form back to SQL that an engine runs: for evidence, and for the tests that attack every rule.

Promises: reading what it writes gives the same form again, up to aliases. Every nested operation is in parentheses.
Does not: try to look like what a person would write.
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from benchmark.sqlengine.canonical.expressions import AGGREGATES, BINARY
from benchmark.sqlengine.canonical.ir import TRUE, Block, E, Query, SetOp, Source, all_of

_BINARY = {op: kind for kind, op in BINARY.items()}
_AGGREGATES = {op: kind for kind, op in AGGREGATES.items()}
_SETOPS = {"union": exp.Union, "intersect": exp.Intersect, "except": exp.Except}


def to_sql(query: Query, dialect: str) -> str:
    """The text of a query in the rules' form."""
    return Writer(dialect).query(query).sql(dialect)


class Writer:
    """Writes one statement in a dialect."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect

    def query(self, query: Query) -> exp.Query:
        """The tree of a query."""
        node = self._block(query) if isinstance(query, Block) else self._set_operation(query)
        if query.order:
            keys = [
                exp.Ordered(this=self._order_value(key.value, query), desc=key.desc, nulls_first=key.nulls_first)
                for key in query.order
            ]
            node.set("order", exp.Order(expressions=keys))
        if query.limit is not None:
            node.set("limit", exp.Limit(expression=self.expr(query.limit)))
        elif query.offset is not None and self.dialect == "sqlite":
            node.set("limit", exp.Limit(expression=exp.Literal.number(-1)))
        if query.offset is not None:
            node.set("offset", exp.Offset(expression=self.expr(query.offset)))
        return node

    def _order_value(self, value: E, query: Query) -> exp.Expr:
        return exp.Literal.number(value[1]) if isinstance(query, SetOp) else self.expr(value)

    def _set_operation(self, query: SetOp) -> exp.Query:
        whole = self._branch(query.branches[0])
        for branch in query.branches[1:]:
            whole = _SETOPS[query.kind](this=whole, expression=self._branch(branch), distinct=not query.all)
        return whole

    def _branch(self, query: Query) -> exp.Query:
        """A branch that SQLite takes: it wants no parentheses, so what would need them becomes a derived table."""
        if isinstance(query, Block) and not query.order and not query.limited:
            return self.query(query)
        return exp.select("*").from_(exp.Subquery(this=self.query(query), alias=exp.TableAlias(this=_name("b"))))

    def _block(self, block: Block) -> exp.Select:
        select = [exp.Alias(this=self.expr(e), alias=_name(f"c{i}")) for i, e in enumerate(block.select)]
        node = exp.Select(expressions=select)
        if block.distinct:
            node.set("distinct", exp.Distinct())
        if block.sources:
            node.set("from_", exp.From(this=self._source(block.sources[0])))
        elif block.outer:
            one = exp.select("1").subquery("one")
            node.set("from_", exp.From(this=one))
        joins = [exp.Join(this=self._source(source)) for source in block.sources[1:]]
        joins += [exp.Join(this=self._source(j.source), side="LEFT", on=self.expr(all_of(j.on))) for j in block.outer]
        node.set("joins", joins)
        if block.where:
            node.set("where", exp.Where(this=self.expr(all_of(block.where))))
        if block.group is not None:
            group = [self.expr(("||", ("str", ""), e) if e[0] in ("num", "str") else e) for e in block.group]
            node.set("group", exp.Group(expressions=group or [self.expr(("||", ("str", ""), ("str", "")))]))
        if block.having:
            node.set("having", exp.Having(this=self.expr(all_of(block.having))))
        return node

    def _source(self, source: Source) -> exp.Expr:
        alias = exp.TableAlias(this=_name(source.alias))
        if isinstance(source.of, str):
            return exp.Table(this=_name(source.of), alias=alias)
        return exp.Subquery(this=self.query(source.of), alias=alias)

    def expr(self, e: E) -> exp.Expr:
        """The tree of an expression."""
        op, rest = e[0], e[1:]
        if op == "col":
            inner = f"c{rest[1]}" if rest[1].isdigit() else rest[1]
            return exp.Column(this=_name(inner), table=_name(rest[0]))
        if op in ("num", "str"):
            return exp.Literal(this=rest[0], is_string=op == "str")
        if op == "bool":
            return exp.Boolean(this=e == TRUE)
        if op in ("null", "star"):
            return exp.Null() if op == "null" else exp.Star()
        if op in ("scalar", "exists"):
            inner_query = exp.Subquery(this=self.query(rest[0]))
            return exp.Exists(this=inner_query.this) if op == "exists" else inner_query
        if op == "insub":
            sides = [self._operand(x) for x in rest[1:]]
            left = sides[0] if len(sides) == 1 else exp.Tuple(expressions=sides)
            return exp.In(this=left, query=exp.Subquery(this=self.query(rest[0])))
        if op in ("and", "or"):
            return self._chain(op, rest)
        if op in _BINARY:
            made = _BINARY[op](this=self._operand(rest[0]), expression=self._operand(rest[1]))
            if op == "/":
                made.set("typed", self.dialect == "sqlite")
                made.set("safe", True)
            return made
        return self._named(op, rest)

    def _named(self, op: str, rest: tuple[Any, ...]) -> exp.Expr:
        if op == "not":
            return exp.Not(this=self._operand(rest[0]))
        if op in ("istrue", "isfalse"):
            return exp.Is(this=self._operand(rest[0]), expression=exp.Boolean(this=op == "istrue"))
        if op == "neg":
            return exp.Neg(this=self._operand(rest[0]))
        if op == "between":
            return exp.Between(this=self._operand(rest[0]), low=self._operand(rest[1]), high=self._operand(rest[2]))
        if op == "like":
            return exp.Like(this=self._operand(rest[0]), expression=self._operand(rest[1]))
        if op == "in":
            return exp.In(this=self._operand(rest[0]), expressions=[self.expr(x) for x in rest[1:]])
        if op == "case":
            branches = [
                exp.If(this=self.expr(c), true=self.expr(v)) for c, v in zip(rest[1::2], rest[2::2], strict=True)
            ]
            return exp.Case(ifs=branches, default=self.expr(rest[0]))
        if op == "coalesce":
            return exp.Coalesce(this=self.expr(rest[0]), expressions=[self.expr(x) for x in rest[1:]])
        if op == "cast":
            return exp.Cast(this=self.expr(rest[0]), to=self._type(rest[1][2]))
        if op == "filter":
            return exp.Filter(this=self.expr(rest[0]), expression=exp.Where(this=self.expr(rest[1])))
        if op.startswith("call "):
            return exp.Anonymous(this=op[5:], expressions=[self.expr(x) for x in rest])
        name, _, distinct = op.partition(" ")
        if name in _AGGREGATES:
            inner = self.expr(rest[0])
            return _AGGREGATES[name](this=exp.Distinct(expressions=[inner]) if distinct else inner)
        return self._generic(op, rest)

    def _generic(self, op: str, rest: tuple[Any, ...]) -> exp.Expr:
        name, _, shape = op.partition(":")
        args: dict[str, Any] = {}
        place = 0
        for part in filter(None, shape.split(",")):
            arg, starred, count = part.partition("*")
            taken = [self._word_or_expr(x) for x in rest[place : place + (int(count) if starred else 1)]]
            place += len(taken)
            args[arg] = taken if starred else taken[0]
        made: exp.Expr = getattr(exp, name)(**args)
        return made

    def _word_or_expr(self, e: E) -> Any:
        if e[0] != "word":
            return self._operand(e)
        kind, text = e[1:]
        if kind == "id":
            return _name(text)
        if kind == "var":
            return exp.Var(this=text)
        if kind == "type":
            return self._type(text)
        return {"bool": text == "True", "int": int(text) if kind == "int" else 0}.get(kind, text)

    def _type(self, text: str) -> exp.DataType:
        """A type by sqlglot's own name for it, which for SQLite writes two of them as others."""
        if self.dialect == "sqlite" and text.startswith(("DECIMAL", "BOOLEAN")):
            return exp.DataType(this=exp.DType.USERDEFINED, kind="NUMERIC")
        return exp.DataType.build(text)

    def _chain(self, op: str, operands: tuple[E, ...]) -> exp.Expr:
        whole = self._operand(operands[0])
        for operand in operands[1:]:
            whole = _BINARY[op](this=whole, expression=self._operand(operand))
        return whole

    def _operand(self, e: E) -> exp.Expr:
        node = self.expr(e)
        nested = isinstance(node, (exp.Binary, exp.Not, exp.Neg, exp.Between, exp.In, exp.Is, exp.Predicate))
        negative = e[0] == "num" and e[1].startswith("-")
        return exp.Paren(this=node) if (nested or negative) and not isinstance(node, (exp.SubqueryPredicate,)) else node


def _name(text: str) -> exp.Identifier:
    return exp.Identifier(this=text, quoted=True)
