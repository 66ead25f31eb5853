"""The normal form behind the `ast` metric: a tuple of small rules, each of which keeps a query's meaning.

Promises: sound rules only. No rule equates two statements that some database tells apart.
Does not: know the schema yet, so a double-quoted name keeps its letters (SQLite may read it as a string).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from sqlglot import exp

from benchmark.sqlengine.parse import parse

Rule = Callable[[exp.Expr], exp.Expr]


def drop_comments(tree: exp.Expr) -> exp.Expr:
    """Comments mean nothing."""
    for node in tree.walk():
        node.comments = None
    return tree


def fold_identifier_case(tree: exp.Expr) -> exp.Expr:
    """An unquoted name means the same in any letter case."""
    for identifier in tree.find_all(exp.Identifier):
        if not identifier.args.get("quoted"):
            identifier.set("this", identifier.name.lower())
    return tree


def fold_function_case(tree: exp.Expr) -> exp.Expr:
    """A function that sqlglot does not know keeps its letters otherwise."""
    for function in tree.find_all(exp.Anonymous):
        function.set("this", function.name.upper())
    return tree


def plain_inner_join(tree: exp.Expr) -> exp.Expr:
    """INNER JOIN and JOIN are the same."""
    for join in tree.find_all(exp.Join):
        if join.args.get("kind") == "INNER":
            join.set("kind", None)
    return tree


def drop_outer_parentheses(tree: exp.Expr) -> exp.Expr:
    """A statement in parentheses is that statement."""
    while isinstance(tree, (exp.Paren, exp.Subquery)) and not tree.args.get("alias") and _is_bare(tree):
        tree = tree.this
    return tree


RULES: tuple[Rule, ...] = (
    drop_comments,
    fold_identifier_case,
    fold_function_case,
    plain_inner_join,
    drop_outer_parentheses,
)


@lru_cache(maxsize=2_000)
def folded(sql: str, dialect: str) -> exp.Expr | None:
    """The normal form of a statement, or None if it cannot be parsed. Treat it as read-only: it is shared."""
    tree = parse(sql, dialect)
    if tree is None:
        return None
    for rule in RULES:
        tree = rule(tree)
    return tree


def _is_bare(tree: exp.Expr) -> bool:
    """Whether nothing but the inner statement hangs on the parentheses (no ORDER BY, no LIMIT)."""
    return all(not value for name, value in tree.args.items() if name != "this")
