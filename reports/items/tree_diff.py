"""What turns a gold's syntax tree into a prediction's: sqlglot's tree difference, in words of SQL.

Source: S. Chawathe et al., Change Detection in Hierarchically Structured Information, SIGMOD 1996, as sqlglot has it.
Promises: an edit inside a larger edit of the same kind is not told twice; what does not parse, or is very large, has no
difference to show. Does not: say which edit made the answer wrong. Run as a script it works for `comparing`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import islice
from typing import Any

import msgspec

#: Edits of one pair that are told, characters of a piece of SQL in it, and nodes of a tree that is compared.
MOST, LONGEST, NODES = 12, 160, 400

Edit = tuple[str, str]
Pair = tuple[str, str, str]


def edits(pair: Pair) -> list[Edit] | None:
    """(kind, SQL) for dialect, gold and prediction: 'removed', 'added' or 'changed'; None where nothing can be said.

    >>> edits(("sqlite", "SELECT a FROM t WHERE b > 1", "SELECT a FROM t LIMIT 1"))
    [('removed', 'WHERE b > 1'), ('added', 'LIMIT 1')]
    >>> edits(("sqlite", "SELECT a FROM t WHERE b > 1", "SELECT a FROM t WHERE b > 2"))
    [('changed', 'b > 1 → b > 2')]
    """
    from benchmark.sqlengine.parse import UNREADABLE

    try:
        gold, prediction = (_tree(pair[0], text) for text in pair[1:])
        if max(_size(gold), _size(prediction)) > NODES:
            return None
        return _told(_differences(gold, prediction), pair[0])
    except UNREADABLE:  # also what cannot be written again, as a CREATE with a key that is no column
        return None


def _told(found: Sequence[Any], dialect: str) -> list[Edit]:
    """sqlglot's edits as (kind, SQL), what stands in another's place as one."""
    from sqlglot.diff import Insert, Remove, Update

    removed = _outermost([e.expression for e in found if isinstance(e, Remove)])
    added = _outermost([e.expression for e in found if isinstance(e, Insert)])
    changed = [(e.source, e.target) for e in found if isinstance(e, Update) and not _same_column(e.source, e.target)]
    replaced = _replaced(removed, added)
    told = [("removed", _sql(node, dialect)) for node in removed if all(node is not old for old, _ in replaced)]
    told += [("added", _sql(node, dialect)) for node in added if all(node is not new for _, new in replaced)]
    around = [(old.parent, new.parent) for old, new in replaced]
    told += [("changed", f"{_sql(a, dialect)} → {_sql(b, dialect)}") for a, b in changed + around]
    return list(dict.fromkeys(told))[:MOST]


def _differences(gold: Any, prediction: Any) -> list[Any]:
    """sqlglot's edits: clause by clause where that is all in which two statements differ, which is quicker by far."""
    from sqlglot import diff
    from sqlglot.diff import Insert, Remove

    pairs = _unequal_clauses(gold, prediction)
    if pairs is None:
        return diff(gold, prediction, matchings=_anchors(gold, prediction), delta_only=True, dialect=_plain())
    found: list[Any] = []
    for mine, other in pairs:
        if mine is None or other is None:
            found.append(Remove(mine) if other is None else Insert(other))
        else:
            found += diff(mine, other, matchings=[(mine, other)], delta_only=True, dialect=_plain())
    return found


def _unequal_clauses(gold: Any, prediction: Any) -> list[tuple[Any, Any]] | None:
    """The clauses in which two statements differ, None for a side without one; None where more than that differs."""
    from sqlglot import exp

    if type(gold) is not type(prediction) or not isinstance(gold, exp.Query):
        return None
    found = []
    for name in dict.fromkeys((*gold.args, *prediction.args)):
        mine, other = gold.args.get(name) or None, prediction.args.get(name) or None
        if mine == other:
            continue
        sides = [side for side in (mine, other) if side is not None]
        if not all(isinstance(side, exp.Expr) and not isinstance(side, exp.Query) for side in sides):
            return None
        if len({type(side) for side in sides}) > 1:
            return None
        found.append((mine, other))
    return found


@cache
def _plain() -> Any:
    """sqlglot's own dialect, except that columns, literals and stars, most of what is written, are not copied."""
    from sqlglot import Dialect, exp

    class Quick:
        def __init__(self, made: Any) -> None:
            self._made = made

        def generate(self, node: Any) -> Any:
            return self._made.generate(node, copy=not isinstance(node, exp.Column | exp.Literal | exp.Star))

    class Plain(Dialect):
        def generator(self, **options: Any) -> Any:
            return Quick(super().generator(**options))

    return Plain()


@lru_cache(maxsize=256)
def _tree(dialect: str, text: str) -> Any:
    """A statement's tree, with names in lower case and tables by their own names. Shared: to be read only."""
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(text, dialect=dialect)
    tables, columns = [], []
    for node in list(tree.walk()):
        if isinstance(node, exp.Identifier) and not node.args.get("quoted"):
            node.set("this", node.name.lower())
        elif isinstance(node, exp.Table):
            tables.append(node)
        elif isinstance(node, exp.Column):
            columns.append(node)
        elif isinstance(node, exp.Ordered) and not node.args.get("desc"):
            node.set("desc", None)  # ASC is what is meant without a word
        elif isinstance(node, exp.Join) and node.kind == "INNER":
            node.set("kind", None)
    names = [table.name.lower() for table in tables]
    for table in tables:
        if table.alias and names.count(table.name) == 1:
            _call_by_name(columns, table)
    if len(tables) == 1:
        for column in columns:
            column.set("table", None)
    return tree


def _call_by_name(columns: Sequence[Any], table: Any) -> None:
    from sqlglot import exp

    alias = table.alias
    table.set("alias", None)
    for column in columns:
        if column.table == alias:
            column.set("table", exp.to_identifier(table.name))


def _anchors(gold: Any, prediction: Any) -> list[tuple[Any, Any]]:
    """Statement with statement, clause with clause: else one much changed clause makes all of the statement new."""
    from sqlglot import exp

    if type(gold) is not type(prediction):
        return []
    found = [(gold, prediction)]
    for name, mine in gold.args.items():
        other = prediction.args.get(name)
        if isinstance(mine, exp.Expr) and type(mine) is type(other):
            found += _anchors(mine, other) if isinstance(mine, exp.Query | exp.Subquery) else [(mine, other)]
    return found


def _size(tree: Any) -> int:
    return sum(1 for _ in islice(tree.walk(), NODES + 1))


def _outermost(nodes: Sequence[Any]) -> list[Any]:
    """Those that do not lie in another one."""
    inside = {id(node) for node in nodes}
    return [node for node in nodes if not _within(node, inside)]


def _replaced(removed: Sequence[Any], added: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Each removed node with the added one that stands in its place, in what is the same around it."""
    rest, found = list(added), []
    for old in removed:
        new = next((one for one in rest if _same_around(old, one)), None)
        if new is not None:
            rest = [one for one in rest if one is not new]
            found.append((old, new))
    return found


def _same_around(old: Any, new: Any) -> bool:
    """Whether two parts are all in which an operator, a function or a clause differs."""
    from sqlglot import exp

    a, b = old.parent, new.parent
    if a is None or type(a) is not type(b) or old.arg_key != new.arg_key or isinstance(a, exp.Query):
        return False
    names = (a.args.keys() | b.args.keys()) - {old.arg_key}
    return a.args[old.arg_key] is old and all(a.args.get(name) == b.args.get(name) for name in names)


def _within(node: Any, others: set[int]) -> bool:
    parent = node.parent
    while parent is not None:
        if id(parent) in others:
            return True
        parent = parent.parent
    return False


def _same_column(first: Any, second: Any) -> bool:
    """Whether only the table before a column's name differs, which need not mean anything."""
    from sqlglot import exp

    columns = isinstance(first, exp.Column) and isinstance(second, exp.Column)
    return columns and first.name == second.name and not (first.table and second.table)


def _sql(node: Any, dialect: str) -> str:
    text = " ".join(node.sql(dialect=dialect, comments=False).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


if __name__ == "__main__":  # a line of pairs in JSON on standard input, a line of their edits on standard output
    for line in sys.stdin.buffer:
        made = [edits(pair) for pair in msgspec.json.decode(line, type=list[Pair])]
        sys.stdout.buffer.write(msgspec.json.encode(made) + b"\n")
        sys.stdout.buffer.flush()
