"""`components`: partial credit, as F1 clause by clause (after the component matching of T. Yu et al., EMNLP 2018).

Promises: 1 for statements whose clauses hold the same items; the same value whatever the order of conditions, columns,
tables and joins, the case of names, aliases and table qualifiers.
Does not: run anything, or know what a difference does to the result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

from sqlglot import exp

from benchmark.clauses import atoms
from benchmark.metrics.ast import parses, unparsed
from benchmark.metrics.base import Judgement, Record
from benchmark.metrics.exact import exact_ws, judge_texts
from benchmark.sqlengine.parse import parse

Clauses = Mapping[str, Counter[str]]

CLAUSES = ("select", "from", "where", "group by", "having", "order by", "limit", "set operation", "write")
_FLIPPED: dict[type[exp.Expr], type[exp.Binary]] = {exp.GT: exp.LT, exp.GTE: exp.LTE}
_SYMMETRIC = (exp.EQ, exp.NEQ)


def components(record: Record) -> Judgement:
    """The mean F1 over the clauses that gold or prediction has; the best over the golds. The evidence: each F1."""
    sql, dialect = record.extraction.sql, record.example.dialect
    if sql is None:
        return judge_texts(record, False)
    if not parses(sql, dialect):
        by_tokens = exact_ws(record)
        return by_tokens if by_tokens.value else Judgement(value=0.0, status=unparsed(record))
    prediction = clause_items(sql, dialect)
    golds = (clause_items(gold, dialect) for gold in record.example.golds)
    found = [clause_scores(gold, prediction) for gold in golds if gold and prediction]
    best = max(found, key=_mean, default={})
    if not best:
        return judge_texts(record, False)
    evidence = {clause: round(value, 4) for clause, value in best.items()}
    return Judgement(value=round(_mean(best), 6), status=record.extraction.status, evidence=evidence)


def clause_scores(gold: Clauses, prediction: Clauses) -> dict[str, float]:
    """F1 of each clause that either side has: twice the items in common over the items of both."""
    found = {}
    for clause in CLAUSES:
        both = gold[clause].total() + prediction[clause].total()
        if both:
            found[clause] = 2 * (gold[clause] & prediction[clause]).total() / both
    return found


@lru_cache(maxsize=4_000)
def clause_items(sql: str, dialect: str) -> Clauses | None:
    """What each of `CLAUSES` holds, as texts, those of a nested query marked with its depth; None for no statement."""
    tree = parse(sql, dialect)
    if tree is None:
        return None
    reading = _Reading(dialect)
    try:
        reading.statement(_plain(tree.copy()))
    except RecursionError:
        return None
    return reading.found


def _mean(scores: Mapping[str, float]) -> float:
    return sum(scores.values()) / len(scores) if scores else 0.0


def _plain(tree: exp.Expr) -> exp.Expr:
    """Without comments and table qualifiers, names in lower case and unquoted."""
    for node in tree.walk():
        node.comments = None
        if isinstance(node, exp.Column):
            for part in ("table", "db", "catalog"):
                node.set(part, None)
        elif isinstance(node, exp.Identifier):
            node.set("this", node.name.lower())
            node.set("quoted", False)
    return tree


class _Reading:
    """One walk over a statement, which takes it apart and fills a bag of texts for each clause."""

    def __init__(self, dialect: str) -> None:
        self.found: dict[str, Counter[str]] = {clause: Counter() for clause in CLAUSES}
        self._dialect = dialect

    def statement(self, tree: exp.Expr) -> None:
        if isinstance(tree, (exp.Query, exp.Values)):
            self._query(tree, 0)
            return
        self._common_tables(tree, 0)
        where = tree.args.get("where")
        if where is not None:
            self._conditions("where", where.this, 0)
            tree.set("where", None)
        if isinstance(tree, exp.Update):
            for item in tree.expressions:
                self._add("write", item, 0)
            tree.set("expressions", [])
        elif isinstance(tree, exp.Insert) and isinstance(tree.expression, exp.Values):
            for row in tree.expression.expressions:
                self._add("write", row, 0)
            tree.set("expression", None)
        elif isinstance(tree.args.get("expression"), exp.Query):  # INSERT or CREATE ... AS
            self._query(tree.args["expression"], 0)
            tree.set("expression", None)
        self._add("write", tree, 0)

    def _query(self, tree: exp.Expr, depth: int) -> None:
        """A query at its depth: 0 is the outermost, and each subquery, derived table or CTE is one deeper."""
        self._common_tables(tree, depth)
        self._tail(tree, depth)
        if isinstance(tree, exp.SetOperation):
            kept = "" if tree.args.get("distinct") else " all"
            self._put("set operation", tree.key + kept, depth)
            self._query(tree.left, depth)
            self._query(tree.right, depth)
        elif isinstance(tree, (exp.Subquery, exp.Paren)):
            self._query(tree.this, depth)
        elif isinstance(tree, exp.Select):
            self._select(tree, depth)
        else:
            self._add("select", tree, depth)

    def _common_tables(self, tree: exp.Expr, depth: int) -> None:
        with_ = tree.args.get("with_")
        for table in with_.expressions if with_ is not None else ():
            self._query(table.this, depth + 1)
        tree.set("with_", None)

    def _select(self, select: exp.Select, depth: int) -> None:
        named = {output.alias: output.this for output in select.selects if isinstance(output, exp.Alias)}
        shown = [output.unalias() for output in select.selects]
        if select.args.get("distinct"):
            self._put("select", "distinct", depth)
        self._from(select, depth)
        if select.args.get("where"):
            self._conditions("where", select.args["where"].this, depth)
        if select.args.get("group"):
            for item in select.args["group"].expressions:
                self._add("group by", _meant(item, named, shown), depth)
        if select.args.get("having"):
            self._conditions("having", select.args["having"].this, depth)
        self._order(select, depth, named, shown)
        for output in shown:
            self._add("select", output, depth)

    def _from(self, select: exp.Select, depth: int) -> None:
        if select.args.get("from_"):
            self._source(select.args["from_"].this, depth)
        self._joins(select, depth)

    def _joins(self, tree: exp.Expr, depth: int) -> None:
        for join in tree.args.get("joins") or ():
            self._source(join.this, depth)
            kind = " ".join(part for part in (join.method, join.side, join.kind) if part and part != "INNER")
            if kind:
                self._put("from", f"{kind.lower()} join", depth)
            if join.args.get("on"):
                self._conditions("from", join.args["on"], depth)
            for column in join.args.get("using") or ():
                self._put("from", f"{column.name} = {column.name}", depth)

    def _source(self, source: exp.Expr, depth: int) -> None:
        self._joins(source, depth)  # FROM (a JOIN b)
        if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier):
            self._put("from", source.name, depth)
        elif isinstance(source, exp.Subquery) and isinstance(source.this, exp.Query):
            self._put("from", "(query)", depth)
            self._query(source.this, depth + 1)
        elif isinstance(source, (exp.Paren, exp.Subquery)):
            self._source(source.this, depth)
        else:
            self._add("from", source, depth)

    def _tail(self, tree: exp.Expr, depth: int) -> None:
        """LIMIT and OFFSET of any query, and the ORDER BY of one that is no SELECT."""
        for part in ("limit", "offset"):
            node = tree.args.get(part)
            if node is not None:
                self._put("limit", f"{part} {node.expression.sql(self._dialect) if node.expression else ''}", depth)
        if not isinstance(tree, exp.Select):
            self._order(tree, depth, {}, [])

    def _order(self, tree: exp.Expr, depth: int, named: Mapping[str, exp.Expr], shown: list[exp.Expr]) -> None:
        order = tree.args.get("order")
        for place, item in enumerate(order.expressions if order is not None else (), 1):
            this = item.this if isinstance(item, exp.Ordered) else item
            way = "desc" if item.args.get("desc") else "asc"
            text = self._text(_meant(this, named, shown), depth)
            self._put("order by", f"{place}. {text} {way}", depth)

    def _conditions(self, clause: str, tree: exp.Expr, depth: int) -> None:
        for atom, negated in atoms(tree):
            self._put(clause, f"{'not ' * negated}{self._text(_turned(atom), depth)}", depth)
        self._put(clause, "or", depth, sum(1 for node in tree.find_all(exp.Or) if _outside_queries(node, tree)))

    def _add(self, clause: str, node: exp.Expr, depth: int) -> None:
        self._put(clause, self._text(node, depth), depth)

    def _put(self, clause: str, text: str, depth: int, times: int = 1) -> None:
        if times:
            self.found[clause][f"{depth}: {text}" if depth else text] += times

    def _text(self, node: exp.Expr, depth: int) -> str:
        """The text of an expression; its subqueries are read as queries of their own, one deeper."""
        copied = node.copy()
        for query in list(copied.find_all(exp.Query)):
            if _outside_queries(query, copied) and query is not copied:
                self._query(query.copy(), depth + 1)
                query.replace(exp.column("query"))
        return copied.sql(self._dialect)


def _outside_queries(node: exp.Expr, top: exp.Expr) -> bool:
    """Whether no query lies between a node and the expression that it was found in."""
    while node is not top and node.parent is not None:
        node = node.parent
        if node is not top and isinstance(node, exp.Query):
            return False
    return True


def _meant(item: exp.Expr, named: Mapping[str, exp.Expr], shown: list[exp.Expr]) -> exp.Expr:
    """A key of GROUP BY or ORDER BY; one that names an output by its place or alias as that output."""
    if isinstance(item, exp.Literal) and item.is_int and 1 <= int(item.name) <= len(shown):
        return shown[int(item.name) - 1]
    return named.get(item.name, item) if isinstance(item, exp.Column) else item


def _turned(atom: exp.Expr) -> exp.Expr:
    """A comparison one way round: `a > b` as `b < a`, and the sides of `=` by their text."""
    if not isinstance(atom, exp.Binary):
        return atom
    flipped = _FLIPPED.get(type(atom))
    if flipped is not None:
        return flipped(this=atom.right.copy(), expression=atom.left.copy())
    if isinstance(atom, _SYMMETRIC) and _side(atom.left) > _side(atom.right):
        return type(atom)(this=atom.right.copy(), expression=atom.left.copy())
    return atom


def _side(node: exp.Expr) -> tuple[bool, str]:
    """What puts the sides of an equation in order: values last."""
    return isinstance(node, exp.Literal), node.sql()
