"""A statement taken apart by clause, so that two of them can be compared one clause at a time.

Promises: letter case of names, aliases, table qualifiers, white space and the order of conditions do not count.
Does not: resolve names against a schema, or decide whether two statements mean the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from sqlglot import exp

from benchmark.sqlengine.parse import parse

Texts = tuple[str, ...]

_FLIPPED: dict[type[exp.Expr], type[exp.Expr]] = {exp.LT: exp.GT, exp.GT: exp.LT, exp.LTE: exp.GTE, exp.GTE: exp.LTE}
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.DPipe)
_NULL_FUNCTIONS = (exp.Coalesce, exp.Nullif)
#: Functions whose column says what is shown, as that of `a` in AVG(a); the argument of COUNT says what is counted.
_TRANSPARENT = (exp.Sum, exp.Avg, exp.Min, exp.Max)
_QUERIES = (exp.Query, exp.Subquery)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clauses:
    """What each clause holds, subqueries included, as short texts; the order counts in the last three only."""

    kind: str
    tables: Texts
    joins: Texts  # columns set equal, and the sides of outer joins
    set_operations: Texts
    conditions: Texts  # of WHERE, HAVING and ON, with ? for each value
    values: Texts
    nulls: Texts
    grouping: Texts
    aggregates: Texts
    outputs: Texts  # the columns that the outermost SELECT shows
    expressions: Texts
    distinct: Texts
    limits: Texts
    columns: Texts  # all that are named, as "table.column", or ".column" where no table is said
    changes: Texts  # what a writing statement writes
    ordering: Texts
    outputs_in_place: Texts


@lru_cache(maxsize=4_000)
def clauses(sql: str, dialect: str) -> Clauses | None:
    """The clauses of the one statement in `sql`, or None if it cannot be parsed. Shared: treat it as read-only."""
    tree = parse(sql, dialect)
    return None if tree is None else _Reading(tree, dialect).found()


class _Reading:
    """One walk over a tree, which fills a list of texts for each clause."""

    def __init__(self, tree: exp.Expr, dialect: str) -> None:
        self._texts: dict[str, list[str]] = {name: [] for name in Clauses.__slots__ if name != "kind"}
        self._kind = tree.key
        self._text_in_double_quotes = dialect == "sqlite"
        nodes = list(tree.walk())  # from the top down
        self._named = {node.alias.lower() for node in nodes if isinstance(node, exp.CTE)}
        tables = [node for node in nodes if isinstance(node, exp.Table)]
        self._aliases = {table.alias.lower(): table.name.lower() for table in tables if table.alias}
        self._outputs_named = {node.alias.lower() for node in nodes if isinstance(node, exp.Alias)}
        self._settled: set[int] = set()  # nodes that a clause above them has accounted for
        for node in nodes:
            visit = _visitor(type(node))  # type: ignore[arg-type]  # mypy takes these classes for unhashable
            if visit is not None and id(node) not in self._settled:
                visit(self, node)
        self._outputs(tree)
        self._changes(tree)

    def found(self) -> Clauses:
        """What was read. Whether a table, a column or a join is named once or twice means nothing."""
        texts: dict[str, list[str]] = {**self._texts, "outputs_in_place": self._texts["outputs"]}
        for name in ("tables", "columns", "joins"):
            texts[name] = list(set(texts[name]))
        in_order = ("changes", "ordering", "outputs_in_place")
        ready = {name: tuple(found if name in in_order else sorted(found)) for name, found in texts.items()}
        return Clauses(kind=self._kind, **ready)

    def _add(self, clause: str, *texts: str) -> None:
        self._texts[clause] += texts

    def _table(self, node: exp.Table) -> None:
        if node.name.lower() not in self._named:
            self._add("tables", node.name.lower())

    def _where(self, node: exp.Where | exp.Having) -> None:
        self._condition(node.this)

    def _limit(self, node: exp.Limit | exp.Offset) -> None:
        self._add("limits", f"{node.key} {key(node.expression)}")

    def _null(self, node: exp.Expr) -> None:
        self._add("nulls", node.key)

    def _expression(self, node: exp.Expr) -> None:
        self._add("expressions", node.name.lower() if isinstance(node, exp.Anonymous) else node.key)

    def _column(self, column: exp.Column) -> None:
        name, table = column.name.lower(), column.table.lower()
        if table or name not in self._outputs_named:
            self._add("columns", f"{self._aliases.get(table, table)}.{name}")

    def _select(self, select: exp.Select) -> None:
        if select.args.get("distinct"):
            self._add("distinct", "select")
        named = {output.alias.lower(): key(output.this) for output in select.selects if isinstance(output, exp.Alias)}
        shown = [key(output) for output in select.selects]
        group, order = select.args.get("group"), select.args.get("order")
        if group:
            self._add("grouping", *[_meant(item, named, shown) for item in group.expressions])
        if order:
            self._order(order, named, shown)

    def _set_operation(self, tree: exp.SetOperation) -> None:
        self._add("set_operations", tree.key)
        if isinstance(tree, exp.Union) and tree.args.get("distinct"):
            self._add("distinct", "union")
        if tree.args.get("order"):
            self._order(tree.args["order"], {}, [])

    def _order(self, order: exp.Expr, named: dict[str, str], shown: list[str]) -> None:
        for item in order.expressions:
            this = item.this if isinstance(item, exp.Ordered) else item
            self._settled.update(map(id, this.walk()))
            way = "desc" if item.args.get("desc") else "asc"
            self._add("ordering", f"{_meant(this, named, shown)} {way}")

    def _join(self, join: exp.Join) -> None:
        if join.side:
            self._add("joins", join.side.lower())
        if join.args.get("on"):
            self._condition(join.args["on"], joining=True)
        for column in join.args.get("using") or ():
            name = column.name.lower()
            self._add("joins", f"{name}={name}")
            self._add("columns", f".{name}")

    def _condition(self, tree: exp.Expr, joining: bool = False) -> None:
        for atom, negated in atoms(tree):
            if isinstance(atom, exp.Is) and isinstance(atom.expression, exp.Null):
                self._add("nulls", f"{key(atom.this)} is {'not ' * negated}null")
            elif isinstance(atom, exp.EQ) and self._links(atom, joining):
                self._add("joins", "=".join(sorted((atom.left.name.lower(), atom.right.name.lower()))))
            else:
                self._compare(atom, negated)
        self._add("conditions", *["or" for _ in tree.find_all(exp.Or)])

    def _links(self, atom: exp.EQ, joining: bool) -> bool:
        """Whether two columns are set equal."""
        left, right = atom.left, atom.right
        return isinstance(left, exp.Column) and isinstance(right, exp.Column) and (joining or not self._is_text(right))

    def _is_text(self, node: exp.Expr) -> bool:
        """Whether a value is meant by a name in double quotes, which SQLite reads as a string where no column fits."""
        return (
            self._text_in_double_quotes
            and isinstance(node, exp.Column)
            and not node.table
            and bool(node.this.args.get("quoted"))
        )

    def _compare(self, atom: exp.Expr, negated: bool) -> None:
        kind, parts = type(atom), list(atom.iter_expressions())
        if len(parts) == 2 and isinstance(parts[0], exp.Literal) and not isinstance(parts[1], exp.Literal):
            kind, parts = _FLIPPED.get(kind, kind), parts[::-1]
        shown = []
        for place, part in enumerate(parts):
            if place and self._is_text(part):
                self._settled.add(id(part))
                self._add("values", f"'{part.name}'")
                shown.append("?")
            elif isinstance(part, (exp.Literal, exp.Boolean, exp.Neg, exp.Tuple)) and place:
                self._add("values", key(part))
                shown.append("?")
            else:
                shown.append(key(part))
        distinct = list(dict.fromkeys(shown))  # IN (?, ?) is IN (?)
        self._add("conditions", f"{'not ' * negated}{kind.key}({', '.join(distinct)})")

    def _aggregate(self, node: exp.AggFunc) -> None:
        if isinstance(node.this, exp.Distinct):
            self._add("distinct", node.key)
        star = " *" if isinstance(node, exp.Count) and isinstance(node.this, exp.Star) else ""
        self._add("aggregates", node.key + star)

    def _outputs(self, tree: exp.Expr) -> None:
        if isinstance(tree, (exp.Subquery, exp.Paren)):
            self._outputs(tree.this)
        elif isinstance(tree, exp.SetOperation):
            self._outputs(tree.left)
            self._outputs(tree.right)
        elif isinstance(tree, exp.Select):
            self._add("outputs", *[_columns_shown(output) for output in tree.selects])

    def _changes(self, tree: exp.Expr) -> None:
        if isinstance(tree, exp.Update):
            self._add("changes", *sorted(key(item) for item in tree.expressions))
        elif isinstance(tree, exp.Insert):
            self._add("changes", *[key(part) for part in (tree.this, tree.expression) if isinstance(part, exp.Expr)])
        elif not isinstance(tree, (exp.Query, exp.Delete)):
            self._add("changes", *[key(tree)])


#: What reads a node, by the first kind that it is of; None: nothing does.
_VISITORS: tuple[tuple[Any, Callable[[_Reading, Any], None] | None], ...] = (
    (exp.Column, _Reading._column),
    (exp.Table, _Reading._table),
    (exp.Select, _Reading._select),
    (exp.SetOperation, _Reading._set_operation),
    (exp.Join, _Reading._join),
    ((exp.Where, exp.Having), _Reading._where),
    ((exp.Limit, exp.Offset), _Reading._limit),
    (exp.AggFunc, _Reading._aggregate),
    (_NULL_FUNCTIONS, _Reading._null),
    (exp.Connector, None),
    ((*_ARITHMETIC, exp.Func), _Reading._expression),
)


@cache
def _visitor(kind: type[exp.Expr]) -> Callable[[_Reading, Any], None] | None:
    """What reads nodes of a kind: there are some hundred kinds, and many nodes."""
    return next((visit for kinds, visit in _VISITORS if issubclass(kind, kinds)), None)


def key(node: exp.Expr | None) -> str:
    """A short text of an expression that forgets aliases, table qualifiers and the letter case of names."""
    if node is None:
        return ""
    if isinstance(node, exp.Literal):
        return f"'{node.name}'" if node.is_string else node.name
    if isinstance(node, (exp.Column, exp.Identifier)):
        return node.name.lower() if not isinstance(node.this, exp.Star) else "*"
    if isinstance(node, (exp.Alias, exp.Paren)):
        return key(node.this)
    if isinstance(node, _QUERIES):
        return "(query)"
    name = node.name.lower() if isinstance(node, exp.Anonymous) else node.key
    return f"{name}({','.join(map(key, node.iter_expressions()))})"


def _columns_shown(output: exp.Expr) -> str:
    """The columns that an output shows, without the functions around them."""
    node = output
    while isinstance(node, (exp.Alias, exp.Paren, exp.Distinct, *_TRANSPARENT)):
        inner = node.expressions[0] if isinstance(node, exp.Distinct) and node.expressions else node.this
        if not isinstance(inner, exp.Expr):
            break
        node = inner
    if isinstance(node, exp.Count):
        return "count"
    if isinstance(node, (exp.Column, exp.Star, exp.Literal)):
        return key(node)
    return ",".join(sorted({column.name.lower() for column in node.find_all(exp.Column)}))


def _meant(item: exp.Expr, named: dict[str, str], shown: list[str]) -> str:
    """A key of GROUP BY or ORDER BY; one that names an output by alias or place as that output."""
    if isinstance(item, exp.Literal) and item.is_int and 1 <= int(item.name) <= len(shown):
        return shown[int(item.name) - 1]
    text = key(item)
    return named.get(text, text) if isinstance(item, exp.Column) and not item.table else text


def atoms(tree: exp.Expr, negated: bool = False) -> Iterator[tuple[exp.Expr, bool]]:
    """The single conditions that AND, OR and NOT join, each with whether it stands under an odd number of NOT."""
    if isinstance(tree, (exp.And, exp.Or)):
        yield from atoms(tree.left, negated)
        yield from atoms(tree.right, negated)
    elif isinstance(tree, exp.Paren):
        yield from atoms(tree.this, negated)
    elif isinstance(tree, exp.Not):
        yield from atoms(tree.this, not negated)
    else:
        yield tree, negated
